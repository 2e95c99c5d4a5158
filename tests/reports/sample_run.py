"""A small run on disk for the tests of what CI reads: a retry, a waveform, a failed unit, a dead bench."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hil.journal.events import (
    Finding,
    Instrument,
    Measurement,
    RunFinished,
    RunStarted,
    SafeState,
    Step,
    TestFinished,
    TestStarted,
)
from hil.journal.reader import Journal, read_journal
from hil.journal.writer import JournalWriter

WAVE = {
    "title": "K1 SET",
    "traces": [
        {"name": "collector", "unit": "V", "time_s": [0.0, 0.001, 0.002], "value": [5.0, 0.1, 5.0]},
        {"name": "contact", "unit": "V", "time_s": [0.0, 0.001, 0.002], "value": [5.0, 5.0, 0.0]},
    ],
    "marks": [{"name": "closed", "time_s": 0.0015}],
}
POWER = "hil/tests/smart_power/test_metering.py::test_power[0.05]"
RELAY = "hil/tests/smart_power/test_relays.py::test_set_latches"
REBOOT = "hil/tests/smart_power/test_metering.py::test_energy"


class Standing:
    """A bench clock that does not run."""

    def now_s(self):
        return 0.0

    def sleep(self, duration_s):
        """Nothing to wait for."""


class Ticking:
    """A wall clock that gains 10 ms a line."""

    def __init__(self):
        self.time = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

    def __call__(self):
        self.time += timedelta(milliseconds=10)
        return self.time


def requirement(name, measurements=(), *, required=True, area="metering", why=""):
    return {
        "id": name,
        "title": f"title <of> {name}",
        "area": area,
        "required": required,
        "stages": ["production"],
        "why": why,
        "method": "m",
        "measurements": list(measurements),
    }


def point(test, name, verdict="pass", *, asked="MET-05", **changes):
    fields = {
        "value": 0.25,
        "unit": "%",
        "u": 0.05,
        "dof": 4.0,
        "low": -1.0,
        "high": 1.0,
        "limit": {"standard": "IEC 62053-21", "edition": "2003", "table": "T", "source_mark": "nrc"},
        "rule": "simple",
        "point": {"socket": 1, "i": "0.05Ib"},
    }
    return Measurement(test=test, name=name, requirement=asked, verdict=verdict, **(fields | changes))


RUN_ID = "20261121T083000.000000Z-abcd"


def build(folder: Path, *, died: bool = False, run_id: str = RUN_ID, failed: bool = True) -> Journal:
    """Write the sample run into folder and read it back.

    died leaves out how the last test and the run ended; not failed: the relay that latched nowhere else latches.
    """
    asked = (
        requirement("MET-05", ["power[i=0.05Ib]", "power[i=Ib]"]),
        requirement("REL-01", ["latch[relay=K1]"], area="relays"),
        requirement("ETH-01", required=False, area="ethernet", why="comes with the next issue"),
    )
    with JournalWriter(folder, Standing(), Ticking()) as journal:
        journal.write(
            RunStarted(
                serial="SP-000123",
                board="smart-power",
                revision="A",
                stage="production",
                station="sim",
                simulated=True,
                operator="Ana & Bo",
                plan={"path": "smart_power.toml", "version": "0.1.0", "sha256": "ab" * 32},
                software={"version": "0.1.0", "commit": "c0ffee"},
                python="3.11.7",
                seed=7,
                faults=("k1-set-open",),
                requirements=asked,
                run_id=run_id,
            )
        )
        journal.write(
            Instrument("AcSource", "chroma_61600", "TCPIP::x::2101::SOCKET", "Chroma, 61604", "1", {"due": "2027"})
        )
        journal.attach("", "smart_power.toml", b"[plan]\n", "application/toml")
        journal.write(TestStarted(POWER, ("MET-05",), "Power is right at 5 % of Ib."))
        journal.write(Step(POWER, "source on, 230 V = Un"))
        journal.write(point(POWER, "power[i=0.05Ib]", "fail", value=1.4))
        journal.write(point(POWER, "power[i=0.05Ib]", attempt=2))
        journal.write(Finding(POWER, "chip select shared", "MET-05", "DR-12"))
        journal.attach(POWER, "K1 SET", json.dumps(WAVE).encode(), "application/vnd.hil.waveform+json")
        journal.attach(POWER, "console", b"boot \x1b[0m ok\n", "text/plain")
        journal.write(TestFinished(POWER, ("MET-05",), "pass"))
        journal.write(TestStarted(RELAY, ("REL-01",)))
        verdict, value, why = ("fail", 0.0, "open") if failed else ("pass", 1.0, "")
        journal.write(
            point(
                RELAY, "latch[relay=K1]", verdict, asked="REL-01", value=value, unit="yes", u=0.0, low=1.0, reason=why
            )
        )
        if not died:
            said = ("unit", "latch[relay=K1] = 0: \x00 outside") if failed else ("", "")
            journal.write(TestFinished(RELAY, ("REL-01",), verdict, *said))
            journal.write(TestStarted(REBOOT, ("MET-05",)))
            journal.write(TestFinished(REBOOT, ("MET-05",), "aborted", "bench", "PowerMeter: no answer"))
            journal.write(SafeState("run", "the run is over", {"AcSource": "off"}, True))
            journal.write(RunFinished("aborted", 3, "bench: PowerMeter: no answer", {"pass": 1, "fail": 1}))
    return read_journal(folder)
