"""A bench clock that stands, a wall clock that can be set, and a small run to write."""

from datetime import UTC, datetime, timedelta

import pytest

from hil.journal.events import (
    Attachment,
    Event,
    Finding,
    Instrument,
    Measurement,
    Note,
    RunFinished,
    RunStarted,
    SafeState,
    Step,
    TestFinished,
    TestStarted,
    Waiver,
)


class StandingClock:
    """Bench time that a test moves by hand."""

    def __init__(self):
        self.time_s = 0.0

    def now_s(self):
        return self.time_s

    def sleep(self, duration_s):
        self.time_s += duration_s


class WallClock:
    """Wall time that a test may set back."""

    def __init__(self):
        self.time = datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC)

    def __call__(self):
        self.time += timedelta(milliseconds=1)
        return self.time


@pytest.fixture
def clock():
    return StandingClock()


@pytest.fixture
def wall():
    return WallClock()


def start(requirements=(), **changes) -> RunStarted:
    fields = {
        "serial": "SP-000123",
        "board": "smart-power",
        "revision": "A",
        "stage": "production",
        "station": "sim",
        "simulated": True,
        "operator": "Ana",
        "plan": {"path": "smart_power.toml", "version": "0.1.0", "sha256": "ab" * 32},
        "software": {"version": "0.1.0", "commit": ""},
        "python": "3.11.7",
        "seed": 0,
        "requirements": tuple(requirements),
    }
    return RunStarted(**(fields | changes))


def measured(name, verdict="pass", *, requirement="MET-05", test="t.py::test_power", **changes) -> Measurement:
    fields = {
        "test": test,
        "name": name,
        "requirement": requirement,
        "value": 0.25,
        "unit": "%",
        "u": 0.05,
        "dof": float("inf"),
        "low": -1.0,
        "high": 1.0,
        "limit": {"standard": "IEC 62053-21", "edition": "2003", "table": "T", "source_mark": "nrc"},
        "rule": "simple",
        "verdict": verdict,
    }
    return Measurement(**(fields | changes))


def asked(name, measurements=(), *, required=True, **changes):
    fields = {
        "id": name,
        "title": f"title of {name}",
        "area": "metering",
        "required": required,
        "stages": ["production"],
    }
    return fields | {"why": "", "method": "m", "measurements": list(measurements)} | changes


ONE_OF_EACH: tuple[Event, ...] = (
    start(faults=("k2-set-open",), charts=({"title": "Ω", "kind": "lines"},), note="a note"),
    Instrument("AcSource", "chroma_61600", "TCPIP0::h::2101::SOCKET", "Chroma, 61604", "1", {"due": "2027-01-01"}),
    TestStarted("t.py::test_power[0.05]", ("MET-05", "MET-07"), "Power is right."),
    Step("t.py::test_power[0.05]", "source on, 230 V"),
    measured("metering.active_power_error[socket=1,i=0.05Ib,pf=1]", point={"socket": 1, "current_a": 0.05}),
    measured(
        "metering.active_power_error[socket=1,i=0.05Ib,pf=0.5i]",
        dof=4.5,
        budget=(
            {
                "name": "scatter",
                "kind": "A",
                "distribution": "normal",
                "value": 0.1,
                "sensitivity": 1.0,
                "contribution": 0.1,
                "dof": 4,
            },
            {
                "name": "reference °C",
                "kind": "B",
                "distribution": "rectangular",
                "value": 0.2,
                "sensitivity": -1.0,
                "contribution": 0.2,
                "dof": float("inf"),
            },
        ),
    ),
    measured("relay.bounce[relay=K1]", "refused", value=None, u=None, unit="ms", reason="SET did not latch"),
    Attachment("t.py::test_power[0.05]", "wave", "00" * 32, "text/plain", 3),
    Note("", "line\nbreaks and “quotes” stay"),
    Waiver("", "no MAC on this revision", "ETH-01", "DR-01"),
    Finding("", "relay has no readback", "REL-01", "DR-29"),
    TestFinished("t.py::test_power[0.05]", ("MET-05", "MET-07"), "fail", "unit", "2 values out of limits"),
    SafeState("run", "the run is over", {"AcSource": "off", "volts": 0.0}, True),
    RunFinished("fail", 1, "failed: MET-05", {"pass": 1, "fail": 1}),
)


@pytest.fixture(scope="session")
def one_of_each():
    return ONE_OF_EACH


@pytest.fixture
def make():
    """The builders: make.start, make.measured, make.asked."""

    class Make:
        pass

    Make.start, Make.measured, Make.asked = staticmethod(start), staticmethod(measured), staticmethod(asked)
    return Make
