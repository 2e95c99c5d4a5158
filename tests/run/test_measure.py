"""What a certification test measures with, on a real journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hil.clock import RecordClock
from hil.errors import SetupError
from hil.journal import events
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter
from hil.metrology.budget import Budget, Component
from hil.metrology.decision import Verdict
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, PlanError, load_plan
from hil.run.measure import Measurer, OutOfLimits

PLAN = load_plan("smart-power")


class Record:
    """A journal of its own for each test, read back at the end."""

    def __init__(self, folder: Path, stage: str = "", plan: Plan = PLAN) -> None:
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
        self.measure = Measurer(plan, plan.resolve("A"), self.writer, stage)
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


AT_IB = {"socket": 1, "i": "Ib", "pf": "1"}  # +/- 1 %


def test_the_judgement_is_on_record(record: Record) -> None:
    """U, k, acceptance limits, TUR and the risk of the verdict; a yes or no has none of these."""
    verdict = record.measure("metering.active_power_error", Reading(0.9, "%", 0.1), **AT_IB)
    record.measure.check("interlock.lid_closed", True)

    measured, answered = record.measured()
    assert verdict is Verdict.CONDITIONAL_PASS
    assert measured.judgement["expanded_u"] == pytest.approx(0.196, abs=1e-3)
    assert measured.judgement["acceptance_high"] == pytest.approx(0.804, abs=1e-3)
    assert measured.judgement["tur"] == pytest.approx(5.1, abs=0.01)
    assert measured.judgement["risk"] == pytest.approx(0.1587, abs=1e-4)  # one u inside the limit
    assert "screen" not in measured.judgement
    assert answered.judgement == {}


SCREENED = [
    (0.5, "pass", "pass", False),
    (0.85, "conditional_pass", "pass", False),  # inside U of the limit, and inside the screen's limit
    (0.98, "conditional_pass", "fail", True),
    (1.02, "conditional_fail", "fail", True),
]


@pytest.mark.parametrize(("value", "verdict", "screen", "fails"), SCREENED)
def test_the_screen_judges_beside_the_rule(
    tmp_path: Path, value: float, verdict: str, screen: str, fails: bool
) -> None:
    """A measurement keeps the verdict of the certificate's rule; what the screen rejects fails the test."""
    record = Record(tmp_path, "production")
    given = record.measure("metering.active_power_error", Reading(value, "%", 0.15), **AT_IB)
    worst = record.measure.worst()

    if fails:
        with pytest.raises(OutOfLimits, match=r"metering\.active_power_error"):
            record.measure.end()
    else:
        record.measure.end()
    (measured,) = record.measured()
    assert (given, measured.verdict, measured.judgement["screen"]["verdict"]) == (verdict, verdict, screen)
    # by hand: U = 0.3 at k = 2, TUR 3.333, M = 1.04 - exp(0.4575 - 0.54) = 0.1192, A = 1 - 0.1192 x 0.3
    assert measured.judgement["screen"]["acceptance_high"] == pytest.approx(0.9642, abs=1e-4)
    assert (worst in {"fail", "conditional_fail"}) == fails
    said = "outside the acceptance limit of the production screen (ANSI/NCSL Z540.3 method 6, PFA <= 2 %)"
    assert (said in measured.reason) == (value == 0.98)


def test_what_the_screen_rejected_may_pass_at_the_next_attempt(tmp_path: Path) -> None:
    """The last attempt counts for the screen too."""
    record = Record(tmp_path, "production")
    record.measure("metering.active_power_error", Reading(0.98, "%", 0.15), **AT_IB)
    record.measure("metering.active_power_error", Reading(0.5, "%", 0.15), attempt=2, **AT_IB)

    record.measure.end()
    assert record.measure.worst() is Verdict.PASS


def test_a_screen_that_refuses_does_not_fail_the_unit(tmp_path: Path) -> None:
    """Its reason is on record, and the measurement counts as refused."""
    plan = replace(PLAN, decision=replace(PLAN.decision, screens={"production": "global-risk"}, target_risk=0.02))
    record = Record(tmp_path, "production", plan)
    record.measure("metering.active_power_error", Reading(0.5, "%", 0.15), **AT_IB)

    record.measure.end()
    assert record.measure.worst() is Verdict.REFUSED
    (measured,) = record.measured()
    assert (measured.verdict, measured.judgement["screen"]["verdict"]) == ("pass", "refused")
    assert "the production screen: the plan has no prior" in measured.reason


def test_too_large_an_uncertainty_refuses_the_rule_and_the_screen(tmp_path: Path) -> None:
    """TUR 1.02 is less than the plan's 1.5: nothing is known against the unit."""
    record = Record(tmp_path, "production")

    assert record.measure("metering.active_power_error", Reading(5.0, "%", 0.5), **AT_IB) is Verdict.REFUSED
    record.measure.end()
    (measured,) = record.measured()
    assert measured.judgement["refusal"] == "TUR too low"
    assert measured.judgement["screen"] == {"rule": "z540.3-method-6", "verdict": "refused"}
    assert measured.reason.startswith("TUR 1.02 is below")


@pytest.mark.parametrize("beside", [False, True])
def test_all_that_a_budget_knows_is_on_record(record: Record, beside: bool) -> None:
    """Raw value, corrections, effort and the check by Monte Carlo, whichever way the budget is handed over."""
    reading = Reading(0.2, "%", 0.05)
    budget = Budget(
        reading,
        (Component("scatter", "A", "normal", 0.05, 1.0, 4.0),),
        raw=0.25,
        corrections=({"role": "PowerMeter", "correction": -0.05},),
        effort={"readings": 5, "took_s": 2.0, "fixed_s": 7.0, "ended": "U reached"},
        monte_carlo={"draws": 1000, "agrees": True},
        instruments=("PowerMeter",),
    )
    if beside:
        record.measure("metering.active_power_error", reading, budget=budget, **AT_IB)
    else:
        record.measure("metering.active_power_error", budget, **AT_IB)

    (measured,) = record.measured()
    assert (measured.value, measured.raw, measured.budget[0]["name"]) == (0.2, 0.25, "scatter")
    assert measured.corrections[0]["role"] == "PowerMeter"
    assert (measured.effort["readings"], measured.monte_carlo["agrees"]) == (5, True)
    assert measured.instruments == ("PowerMeter",)
