"""Runs that hold what an export can stumble over: every verdict, limit and unit, several attempts, hostile text."""

import hashlib
import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # sample_run

from sample_run import Standing, Ticking, point, requirement

from hil.journal.events import (
    Finding,
    Instrument,
    Measurement,
    Note,
    RunFinished,
    RunStarted,
    TestFinished,
    TestStarted,
    Waiver,
)
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter

PLAN = b'[exports]\ndcc = ["power.error", "clock.offset"]\nconditions = ["ambient.temperature"]\n'
NO_EXPORTS = b'[plan]\nversion = "1"\n'
CALIBRATION = {"certificate": "PM-7", "laboratory": "Example", "date": "2026-02-01", "due": "2027-02-01"}
POWER = "hil/tests/board/test_power.py::test_power"
OTHER = "hil/tests/board/test_other.py::test_other[a-b]"
HOSTILE = '=HYPERLINK("http://x")\n+1; =2\t\x1b[31m µΩ 日本'
NO_LIMIT = {"low": None, "high": None, "limit": None}


def judged(expanded_u, **more):
    return {"judgement": {"expanded_u": expanded_u, "k": 2.776445105197799, "tur": 7.25, "risk": 0.0123} | more}


def measurements():
    """Yield one measurement of each kind, with the test that makes it."""
    at = {"current_a": 0.05, "pf": "0.5i", "socket": 1}
    inside = judged(0.1388, acceptance_low=-0.8612, acceptance_high=0.8612, risk_kind="specific consumer")
    screened = judged(0.1388, screen={"rule": "z540.3-method-6", "verdict": "fail"})
    yield point(POWER, "power.error[pf=1]", "fail", value=1.4, **inside)
    yield point(POWER, "power.error[pf=1]", value=1 / 3, attempt=2, point=at, instruments=("PowerMeter",), **inside)
    yield point(POWER, "power.error[pf=2]", "conditional_pass", value=-0.95, **inside)
    yield point(POWER, "power.error[pf=3]", "conditional_fail", value=1.05, reason=HOSTILE, **inside)
    yield point(POWER, "power.error[pf=4]", value=0.99, **screened)
    yield point(POWER, "power.error[pf=5]", "not_covered", value=-1e-9, dof=math.inf, **NO_LIMIT)
    yield point(POWER, "power.error[pf=6]", "refused", value=None, u=None, dof=math.inf, reason="no uncertainty")
    yield point(OTHER, "coil.resistance", value=38.125, unit="ohm", low=None, high=41.0, asked="REL-01")
    yield point(OTHER, "insulation.resistance", value=5.0123456789e9, unit="ohm", low=5e6, high=None, asked="REL-01")
    yield point(
        OTHER, "bounce.time", value=1.2345678901234567e-5, unit="s", low=None, high=5e-3, u=1e-9, asked="REL-01"
    )
    yield point(OTHER, "rail.voltage", value=3.3, unit="V", low=3.135, high=3.465, asked="REL-01", raw=3.29)
    yield point(OTHER, "ambient.temperature", value=23.0, unit="degC", low=15.0, high=30.0, asked="REL-01")
    yield point(OTHER, "drift", value=-0.02, unit="%/K", low=-0.05, high=0.05, asked="REL-01")
    yield point(OTHER, "clock.offset", value=-7.0, unit="1", low=-20, high=20, asked="REL-01")
    yield point(OTHER, "rate", value=1e8, unit="bit/s", low=1e8, high=1e8, asked="REL-01", **judged(None))
    yield point(OTHER, "latched[k=K1]", value=1.0, unit="yes", u=0.0, dof=math.inf, low=1, high=1, asked="REL-01")
    yield point(OTHER, "latched[k=K2]", "fail", value=0.0, unit="yes", u=0.0, low=1, high=1, asked="REL-01")
    yield point(OTHER, "latched[k=K3]", "refused", value=None, unit="yes", u=None, low=1, high=1, asked="REL-01")
    yield point(OTHER, "silent", value=0.0, unit="yes", u=0.0, low=0, high=0, asked="REL-01")


def started(plan, **changes):
    fields = {
        "serial": "SP-000123",
        "board": "smart-power",
        "revision": "A",
        "stage": "production",
        "station": "sim",
        "simulated": True,
        "operator": "+Ana & Bö <x>",
        "plan": {"path": "p.toml", "version": "0.1.0", "sha256": hashlib.sha256(plan).hexdigest()},
        "software": {"version": "0.1.0", "commit": "c0ffee"},
        "python": "3.11.7",
        "seed": 7,
        "requirements": (
            requirement("MET-05", ["power.error[pf=1]", "never.measured"]),
            requirement("REL-01", area="relays"),
            requirement("ETH-01", required=False, area="ethernet", why="later"),
            requirement("SU-01", area="surge"),
        ),
        "unit_facts": {"laboratory": {"name": "Prüflabor Nord", "address": "Kanalstraße 4, Kiel"}},
        "run_id": "20261121T083000.000000Z-abcd",
        "decision": {"rule": "ilac", "rule_text": "Inside is a pass.", "clause": "ILAC-G8:09/2019, 4.2.3"},
        "slot": 2,
    }
    return RunStarted(**fields | changes)


def write(folder, planned, *, plan=PLAN, verdict="fail", died=False, calibration=None, **changes):
    """Write a run of these measurements and read it back."""
    folder.mkdir(exist_ok=True)
    with JournalWriter(folder, Standing(), Ticking()) as journal:
        journal.write(started(plan, **changes))
        journal.write(Waiver("", "accepted", "SU-01", "DR-23"))
        journal.attach("", "p.toml", plan, "application/toml")
        journal.write(Instrument("PowerMeter", "wt310e", "TCPIP::x", "YOKOGAWA, WT310E", "C3", calibration))
        journal.write(Instrument("Dmm", "34465a", "TCPIP::y", "Keysight, 34465A", "MY6", None))
        for test in dict.fromkeys(one.test for one in planned):
            mine = [one for one in planned if one.test == test]
            asked = tuple(dict.fromkeys(one.requirement for one in mine))
            journal.write(TestStarted(test, asked, "It holds."))
            journal.write(Note(test, HOSTILE))
            for one in mine:
                journal.write(one)
            journal.write(Finding(test, "chip select shared", asked[0], "DR-12"))
            if died:
                return read_journal(folder)
            bad = any(one.verdict == "fail" for one in mine)
            journal.write(TestFinished(test, asked, "fail" if bad else "pass", "unit" if bad else "", "why" * bad))
        journal.write(RunFinished(verdict, 0 if verdict == "pass" else 1, "" if verdict == "pass" else "failed", {}))
    return read_journal(folder)


def attempts(journal):
    """Return (line from 0, UTC text, measurement) of each attempt, read from the file itself as plain JSON."""
    found = []
    for text in (journal.folder / "journal.jsonl").read_bytes().splitlines():
        line = json.loads(text)
        if line["event"] == "measurement":
            known = {key: line[key] for key in Measurement.__dataclass_fields__ if key in line}
            found.append((line["seq"], line["utc"], known))
    return found


STANDS = {  # made up with the sample: what counts for the unit where the screen or the verdict says so
    "power.error[pf=4]": "fail",
}
