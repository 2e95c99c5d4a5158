"""What a certificate says of a judgement: rule, screen, risk, corrections, effort, Monte Carlo, unverified limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certificate_sample import IEC, StillClock
from test_certificate import Page

from hil.journal.events import Measurement, Note, RunFinished, RunStarted, TestFinished, TestStarted
from hil.journal.reader import read_journal
from hil.journal.summary import conclude
from hil.journal.writer import JournalWriter
from hil.metrology.reading import Reading
from hil.plans.plan import load_plan
from hil.reports.certificate import render
from hil.reports.qty import NO_VALUE, freedom, risk

PLAN = load_plan("smart-power")
TEST, NAME = "hil/tests/x.py::test_x", "metering.active_power_error[socket=1]"
LIMIT_PCT, U_PCT = 1.0, 0.2  # u: the TUR is 2.6
BUDGET = (
    {
        "name": "reference: specification",
        "kind": "B",
        "distribution": "rectangular",
        "value": U_PCT,
        "sensitivity": -1.0,
        "contribution": U_PCT,
        "dof": float("inf"),
        "shared": "PowerMeter power 300 V, 1 A gain",
    },
)


def measured(value_pct: float, stage: str = "production", **more: object) -> Measurement:
    """Judge a value as a run of the plan does."""
    reading = Reading(value_pct, "%", U_PCT)
    base = NAME.partition("[")[0]
    judged = PLAN.decision.judge(reading, -LIMIT_PCT, LIMIT_PCT, base)
    record = dict(judged.to_dict())
    screened = PLAN.decision.screen(stage, reading, -LIMIT_PCT, LIMIT_PCT, base)
    if screened is not None:
        record["screen"] = {"rule": PLAN.decision.screens[stage], "verdict": screened.verdict.value} | {
            key: value for key, value in screened.to_dict().items() if key in {"acceptance_low", "acceptance_high"}
        }
    made = Measurement(
        TEST, NAME, "MET-05", value_pct, "%", U_PCT, float("inf"), -LIMIT_PCT, LIMIT_PCT, IEC,
        PLAN.decision.rule, judged.verdict.value, reason=judged.reason, point={"socket": 1}, budget=BUDGET,
        judgement=record,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def page(folder: Path, *measurements: Measurement | Note, stage: str = "production") -> Page:
    """Write a run of these measurements and render it."""
    ticks = (datetime(2026, 11, 21, 14, tzinfo=UTC) + timedelta(seconds=n) for n in range(1000))
    asked = {"id": "MET-05", "title": "Active power", "area": "metering", "required": True, "measurements": [NAME]}
    later = {"id": "INF-01", "title": "Voltage", "area": "metering", "required": False, "stages": ["type"]}
    later["measurements"] = ["influence.voltage[socket=1]", "influence.voltage[socket=2]"]
    events = [
        RunStarted(
            "SP-000123", "smart-power", "A", stage, "sim", True, "", {"path": "p", "version": "1", "sha256": "0"},
            {"version": "1", "commit": ""}, "3.11", 0, requirements=(asked, later),
            decision=PLAN.decision.to_dict(stage),
        ),
        TestStarted(TEST, ("MET-05",), "Active power is right"),
        *measurements,
        TestFinished(TEST, ("MET-05",), "pass", "", ""),
    ]  # fmt: skip
    ended = conclude(events)
    with JournalWriter(folder, StillClock(), now=lambda: next(ticks)) as writer:
        for event in events:
            writer.write(event)
        writer.write(RunFinished(ended.verdict, ended.exit_code, ended.reason, ended.counts))
    return Page(render(read_journal(folder), folder))


def test_rule_screen_and_risk_are_in_words(tmp_path):
    """ISO/IEC 17025:2017, 7.8.6: the rule, the risk that goes with it, and to what it was applied."""
    text = page(tmp_path, measured(0.3)).text

    assert "Decision rule: ILAC-G8:09/2019, 4.2.3" in text
    assert "Screen at this stage: ANSI/NCSL Z540.3-2006" in text
    assert "It was applied to 1 results" in text
    assert "rejected 0" in text
    assert "test uncertainty ratio" in text


def test_no_screen_is_claimed_where_the_stage_has_none(tmp_path):
    """The type stage is judged by the certificate's rule alone."""
    assert "Screen at this stage" not in page(tmp_path, measured(0.3, "type"), stage="type").text


def test_a_conditional_pass_states_its_risk_and_that_the_screen_rejected_it(tmp_path):
    """0.02 inside the limit at u = 0.2: the chance that it is outside is Phi(-0.1), 46 %."""
    text = page(tmp_path, measured(0.98)).text

    assert "Conditional passrisk 46 %" in text
    assert "screened out: accepted ±0.9" in text
    assert "screen" in text[text.index("FAIL") :]


def test_a_small_risk_is_no_clutter(tmp_path):
    """4.5 u inside the limit: the row says nothing, the summary that it is smaller than one in ten thousand."""
    text = page(tmp_path, measured(0.1)).text

    assert "risk <" not in text
    assert "<\u202f0.01\u202f%" in text.replace(" ", "\u202f")


@pytest.mark.parametrize(
    ("probability", "written"),
    [(None, NO_VALUE), (0.0, "<\u202f0.01\u202f%"), (0.0228, "2.3\u202f%"), (0.5, "50\u202f%")],
)
def test_a_risk_is_never_rounded_to_nothing(probability, written):
    """In percent, two digits."""
    assert risk(probability) == written


def test_what_calibration_effort_and_monte_carlo_did_is_told(tmp_path):
    """Raw reading kept, correction named; time saved; an interval that is not validated says so."""
    correction = {
        "role": "PowerMeter", "quantity": "active_power", "certificate": "WT-1", "raw": 230.0, "correction": 0.46,
        "u": 0.1, "unit": "W",
    }  # fmt: skip
    carlo = {
        "draws": 20000, "low": 0.1, "high": 0.5, "first_order_low": 0.104, "first_order_high": 0.496,
        "tolerance": 0.005, "agrees": False,
    }  # fmt: skip
    effort = {"readings": 3, "took_s": 6.0, "fixed_s": 20.0, "ended": "U reached"}
    made = measured(0.3, raw=0.5, corrections=(correction,), effort=effort, monte_carlo=carlo)
    text = page(tmp_path, made).text

    assert "read 0.50 %" in text
    assert "active power read 230.00 W, corrected by +0.46 W (certificate WT-1)" in text
    assert "6 s of measuring, where windows of fixed length would have taken 20 s" in text
    assert "the first-order interval is not validated here" in text
    assert "(shared)" in text


def test_unverified_limits_are_said_at_the_head(tmp_path):
    """Before any number: how many results rest on figures that nobody compared."""
    text = page(tmp_path, measured(0.3)).text

    assert text.index("Limits not verified") < text.index("Item, customer, laboratory, time")
    assert "has compared with the source they quote: 1 (rows of tables: 1)" in text


@pytest.mark.parametrize(("dof", "written"), [(2.0, "2.0"), (16.75, "16.8"), (1e9, ">\u202f1000"), (float("inf"), "∞")])
def test_degrees_of_freedom_beyond_counting_are_many(dof, written):
    """Student's factor does not know 10 000 from infinity."""
    assert freedom(dof) == written


def test_what_other_stages_test_is_one_line_not_a_list_of_failures(tmp_path):
    """It has not failed to pass; it was not due."""
    text = page(tmp_path, measured(0.1)).text

    assert "Not tested A matter of other stages, not tested at this one: INF-01." in text
    assert "Not passed" not in text


def test_what_other_stages_test_is_not_said_point_by_point(tmp_path):
    """Once among the remarks, and not as required: a hundred such lines would bury what matters."""
    why = "not covered: not required at stage production"
    notes = [Note(f"{TEST}[socket{n}]", f"influence.voltage[socket={n}] {why}") for n in (1, 2)]
    text = page(tmp_path, measured(0.1), *notes, Note(TEST, "console: half a frame")).text

    assert f"influence.voltage at 2 points {why}" in text
    assert "influence.voltage[socket=1]" not in text
    assert "Required and not measured" not in text
    assert "console: half a frame" in text
