"""10,000 measurements in one test, by hil: a pytest module without the plugin; HIL_COUNT, HIL_SYNC and HIL_U say how.

Each goes through measure(...): found in a plan, judged, and written with unit, limits, the source of the limits and the
digest of the line before into the journal, through to the file, before the next one is made. With HIL_U the readings
have an uncertainty and are judged by the plan's own rule, with TUR and risk; without, values are only compared.
"""

import os
from dataclasses import replace

from hil.clock import RealClock
from hil.interrupt import uninterrupted
from hil.journal.events import RunFinished, RunStarted, TestFinished, TestStarted
from hil.journal.writer import JournalWriter
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, load_plan
from hil.run.measure import Measurer

COUNT = int(os.environ["HIL_COUNT"])
U_PCT = float(os.environ["HIL_U"]) if os.environ.get("HIL_U") else None
BASE = "metering.active_power_error"


def plan_of_many() -> Plan:
    """The Smart Power plan with one measurement at COUNT points instead of its own."""
    plan = load_plan("smart-power")
    limit = {
        "low": -1.0,
        "high": 1.0,
        "standard": "IEC 62053-21",
        "edition": "2003",
        "table": "a",
        "source_mark": "nrc",
    }
    kind = {"unit": "%", "requirement": "MET-05", "over": {"n": list(range(COUNT))}, "limit": limit}
    wanted = {"MET-05": plan.requirements["MET-05"]}
    # without uncertainty nothing but simple acceptance can judge; with it, the plan's own rule
    decision = plan.decision if U_PCT else replace(plan.decision, rule="simple", minimum_tur=0.0)
    return replace(plan, kinds={BASE: kind}, requirements=wanted, waivers=(), charts=(), decision=decision)


class Record:
    """Writes as a run does: Ctrl-C waits for the end of each line."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal

    def write(self, event) -> None:
        with uninterrupted:
            self._journal.write(event)


def test_active_power(tmp_path):
    plan = plan_of_many()
    with JournalWriter(tmp_path, RealClock(), sync=os.environ.get("HIL_SYNC", "test")) as journal:
        record = Record(journal)
        record.write(RunStarted("SP-000123", plan.board, "A", "type", "bench", False, "", {}, {}, "3", 0))
        record.write(TestStarted("test_active_power", ("MET-05",)))
        measure = Measurer(plan, plan.resolve("A"), record)
        measure.begin("test_active_power")
        for n in range(COUNT):
            measure(BASE, Reading(0.25 + n * 1e-6, "%", U_PCT, 9.0), n=n)
        measure.end()
        record.write(TestFinished("test_active_power", ("MET-05",), measure.worst()))
        record.write(RunFinished("pass", 0, "", {}))
