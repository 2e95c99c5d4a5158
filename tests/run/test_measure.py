"""What a certification test measures with, on a real journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.clock import RecordClock
from hil.errors import SetupError
from hil.journal import events
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter
from hil.metrology.decision import Verdict
from hil.metrology.reading import Reading
from hil.plans.plan import PlanError, load_plan
from hil.run.measure import Measurer, OutOfLimits

PLAN = load_plan("smart-power")


class Record:
    """A journal of its own for each test, read back at the end."""

    def __init__(self, folder: Path) -> None:
        self.writer = JournalWriter(folder, RecordClock())
        self.writer.write(
            events.RunStarted(
                serial="SP-000001",
                board="smart-power",
                revision="A",
                stage="production",
                station="sim",
                simulated=True,
                operator="",
                plan={},
                software={},
                python="",
                seed=0,
            )
        )
        self.measure = Measurer(PLAN, PLAN.resolve("A"), self.writer)
        self.measure.begin("test")

    def measured(self) -> list[events.Measurement]:
        """Return what is on record."""
        self.writer.close()
        return list(read_journal(self.writer.folder).of(events.Measurement))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path)


def test_a_value_out_of_limits_fails_at_the_end_of_the_test(record: Record) -> None:
    """Measuring goes on, everything is on record, and the test fails by itself."""
    assert record.measure("rail.voltage", Reading(5.4, "V", 0.001), rail="5V") is Verdict.FAIL
    assert record.measure("rail.voltage", Reading(3.3, "V", 0.001), rail="3V3") is Verdict.PASS

    with pytest.raises(OutOfLimits, match=r"rail\.voltage\[rail=5V\] = 5\.4 V"):
        record.measure.end()
    assert [m.verdict for m in record.measured()] == ["fail", "pass"]


def test_a_test_that_measures_nothing_is_an_error_of_the_setup(record: Record) -> None:
    """It would prove nothing, so it cannot pass."""
    with pytest.raises(SetupError, match="without a single measurement"):
        record.measure.end()


def test_names_points_and_units_must_be_the_plans(record: Record) -> None:
    """A name or point the plan does not have, and a wrong unit, are refused."""
    with pytest.raises(PlanError, match="no such measurement"):
        record.measure("rail.voltge", Reading(5.0, "V", 0.0), rail="5V")
    with pytest.raises(PlanError, match=r"the plan has rail\.voltage"):
        record.measure("rail.voltage", Reading(5.0, "V", 0.0), rail="12V")
    with pytest.raises(PlanError, match="measured in 'mV'"):
        record.measure("rail.voltage", Reading(5000.0, "mV", 0.0), rail="5V")

    assert record.measured() == []


def test_the_same_name_twice_is_an_error_and_a_second_attempt_is_not(record: Record) -> None:
    """Every attempt stays in the record; the verdict of the last one counts."""
    record.measure("rail.voltage", Reading(5.4, "V", 0.001), rail="5V")
    with pytest.raises(PlanError, match="attempt 1 follows attempt 1"):
        record.measure("rail.voltage", Reading(5.0, "V", 0.001), rail="5V")
    record.measure("rail.voltage", Reading(5.0, "V", 0.001), attempt=2, rail="5V")

    record.measure.end()
    assert [(m.attempt, m.verdict) for m in record.measured()] == [(1, "fail"), (2, "pass")]


def test_what_cannot_be_measured_because_something_failed_is_refused_not_failed(record: Record) -> None:
    """A prerequisite that failed, or was never measured, refuses what builds on it, with its name."""
    record.measure.check("relay.pulses_own_coil", False, relay="K2", action="SET")

    assert not record.measure.ready("relay.set_latches", relay="K2")
    assert not record.measure.ready("relay.set_latches", relay="K3")

    reasons = [m.reason for m in record.measured() if m.verdict == "refused"]
    assert reasons == [
        "relay.pulses_own_coil[relay=K2,action=SET] has the verdict fail",
        "relay.pulses_own_coil[relay=K3,action=SET] was not measured",
    ]


def test_the_limit_is_journaled_resolved(record: Record) -> None:
    """Limits may depend on the load point; the record holds the one that counted, with its source."""
    reading = Reading(0.2, "%", 0.05)
    planned = record.measure.planned("metering.active_power_error", socket=1, i="0.05Ib", pf="1")
    record.measure(planned.base, reading, socket=1, i="0.05Ib", pf="1")

    (measured,) = record.measured()
    assert (measured.low, measured.high) == (-1.5, 1.5)
    assert measured.limit is not None
    assert measured.limit["source_mark"] == "nrc"
    assert measured.point["current_a"] == pytest.approx(0.05)


def test_a_finding_is_on_record_and_decides_nothing(record: Record) -> None:
    """A known defect of the design met by the run is named with the requirement it touches."""
    record.measure.finding("DR-28", "IND-05", "only live is switched")
    record.measure.check("interlock.lid_closed", True)

    record.measure.end()
    record.writer.close()
    (found,) = read_journal(record.writer.folder).of(events.Finding)
    assert (found.finding, found.requirement, found.test) == ("DR-28", "IND-05", "test")
