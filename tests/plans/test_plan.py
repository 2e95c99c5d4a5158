"""The plan of the Smart Power board, resolved."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hil.metrology.reading import Reading
from hil.metrology.risks import Prior
from hil.plans.decision import Decision
from hil.plans.plan import GuardTimes, PlanError, full_name, load_plan

PLAN = load_plan("smart-power")


@pytest.fixture(autouse=True)
def _review_beside(tmp_path: Path) -> None:
    """A plan stands beside the review that it names."""
    assert PLAN.review is not None
    shutil.copy(PLAN.review.path, tmp_path)


def test_every_requirement_that_some_stage_requires_has_measurements() -> None:
    """A requirement nobody measures could never pass."""
    measured = {p.requirement for p in PLAN.resolve("A").values()}

    assert {r.id for r in PLAN.requirements.values() if r.stages} <= measured


def test_limits_of_class_1_are_resolved_by_load_point() -> None:
    """IEC 62053-21:2003, class 1, direct: 1.5 % from 0.05 Ib, 1.0 % from 0.1 Ib, at PF 1."""
    planned = PLAN.resolve("A")

    light = planned["metering.active_power_error[socket=1,i=0.05Ib,pf=1]"]
    full = planned["metering.active_power_error[socket=4,i=Imax,pf=0.8c]"]

    assert light.limit is not None
    assert full.limit is not None
    assert (light.limit.low, light.limit.high) == (-1.5, 1.5)
    assert (full.limit.low, full.limit.high) == (-1.0, 1.0)
    assert light.point["current_a"] == pytest.approx(0.05)


def test_points_outside_the_table_have_no_limit_and_their_own_requirement() -> None:
    """0.05 Ib at PF 0.5 inductive is in no row of the class table: never a pass."""
    point = PLAN.resolve("A")["metering.active_power_error[socket=1,i=0.05Ib,pf=0.5i]"]

    assert point.limit is None
    assert point.requirement == "MET-06"


def test_prerequisites_may_depend_on_an_axis() -> None:
    """All sockets together need what each socket needs."""
    planned = PLAN.resolve("A")
    one, together = (planned[f"overcurrent.carried[load={load}]"].after for load in ("socket2", "all"))

    assert "relay.reset_opens[relay=K2]" in one
    assert "relay.reset_opens[relay=K1]" not in one
    assert {f"relay.reset_opens[relay=K{n}]" for n in (1, 2, 3, 4)} <= set(together)


def test_every_limit_says_where_it_comes_from() -> None:
    """Standard, edition, table and source mark stand with each limit."""
    for planned in PLAN.resolve("A").values():
        if planned.limit is not None:
            source = planned.limit.source()
            assert all(source[key] for key in ("standard", "edition", "table", "source_mark")), planned.name


def test_serial_numbers_are_checked_before_anything_is_opened() -> None:
    """A serial number that could leave the runs folder is refused by the plan's pattern."""
    PLAN.check_serial("SP-000123")

    for serial in ("../SP-000123", "SP-123", "SP-000123\n", ""):
        with pytest.raises(PlanError, match="does not match"):
            PLAN.check_serial(serial)


def test_an_unknown_board_is_answered_with_those_that_exist() -> None:
    """The message lists the boards that have a plan."""
    with pytest.raises(PlanError, match="smart-power"):
        load_plan("smart-powder")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ('stages = ["production", "release", "type"]', "prod"),
        ('requirement = "BP-05"', "BP-99"),
        ('after = ["relay.set_latches[relay={relay}]"]', "nonsense"),
    ],
    ids=["stage", "requirement", "prerequisite"],
)
def test_a_plan_that_contradicts_itself_is_refused(tmp_path: Path, broken: str, says: str) -> None:
    """Unknown stages, requirements and prerequisites are errors of the plan, named."""
    replacement = {
        "prod": 'stages = ["prod"]',
        "BP-99": 'requirement = "BP-99"',
        "nonsense": 'after = ["nonsense[relay={relay}]"]',
    }[says]
    text = PLAN.text.decode()
    assert broken in text
    (tmp_path / "smart_power.toml").write_text(text.replace(broken, replacement))

    with pytest.raises(PlanError, match=says):
        load_plan("smart-power", tmp_path).resolve("A")


WAIVER = """
[[waivers]]
requirement = "MET-07"
revisions = ["A"]
finding = "DR-20"
text = "because"
"""


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("requirement", '"MET-99"', "MET-99"),
        ("revisions", '["Z"]', "'Z'"),
        ("revisions", "[]", "incomplete"),
        ("finding", '""', "incomplete"),
    ],
)
def test_a_waiver_names_what_there_is_and_says_why(tmp_path: Path, key: str, value: str, says: str) -> None:
    """A waiver of something else would hide nothing, or everything."""
    (tmp_path / "smart_power.toml").write_text(PLAN.text.decode() + WAIVER)
    assert load_plan("smart-power", tmp_path).waivers[-1].finding == "DR-20"

    broken = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", WAIVER)
    (tmp_path / "smart_power.toml").write_text(PLAN.text.decode() + broken)
    with pytest.raises(PlanError, match=says):
        load_plan("smart-power", tmp_path)


def test_full_names_read_like_sentences() -> None:
    """The base name and its point."""
    assert (
        full_name("relay.operate_time", {"relay": "K2", "action": "SET"}) == "relay.operate_time[relay=K2,action=SET]"
    )
    assert full_name("boot.time", {}) == "boot.time"


@pytest.mark.parametrize(
    "table", [{"heartbeat_s": 2.5}, {"stall_s": 11}, {"heartbeat_s": "soon"}, {"heart": 1.0}, {"stall_s": 0}]
)
def test_a_plan_cannot_loosen_its_guard(table: dict[str, object]) -> None:
    """It may tighten it."""
    assert GuardTimes.of({"heartbeat_s": 0.5}) == GuardTimes(0.5, 10.0)
    with pytest.raises(PlanError, match=r"\[guard\]"):
        GuardTimes.of(table)


@pytest.mark.parametrize("wrong", ["shortest = 2", "longest = 5", "share_of_limit = 0.0", "fewest = 3"])
def test_a_plan_says_how_long_it_measures_and_cannot_contradict_itself(tmp_path: Path, wrong: str) -> None:
    """The scatter is a tenth of the limit; two readings have none, and the longest is not shorter than the fixed."""
    assert (PLAN.adaptive.share_of_limit, PLAN.adaptive.shortest, PLAN.adaptive.longest) == (0.1, 3, 20)
    key = wrong.partition(" ")[0]
    text = re.sub(rf"(?m)^{key} = .*\n", "", PLAN.text.decode()).replace("[adaptive]\n", f"[adaptive]\n{wrong}\n")
    (tmp_path / "smart_power.toml").write_text(text)
    with pytest.raises(PlanError, match="adaptive"):
        load_plan("smart-power", tmp_path)


def deciding(tmp_path: Path, table: str) -> Decision:
    """Load the plan with another [decision]."""
    text = re.sub(r"(?ms)^\[decision\]$.*?(?=^[#\[])", f"[decision]\n{table}\n", PLAN.text.decode(), count=1)
    (tmp_path / "smart_power.toml").write_text(text)
    return load_plan("smart-power", tmp_path).decision


def test_the_plan_decides_by_ilac_g8_and_screens_production_by_method_6() -> None:
    """Both are stated at the start of a run, with their clauses; another stage has no screen."""
    production, full = (PLAN.decision.to_dict(stage) for stage in ("production", "type"))

    assert (production["rule"], production["clause"]) == ("ilac-g8-non-binary", "ILAC-G8:09/2019, 4.2.3")
    assert (production["screen"], production["minimum_tur"]) == ("z540.3-method-6", 1.5)
    assert production["screen_clause"].startswith("ANSI/NCSL Z540.3-2006, 5.3 b)")
    assert (full["screen"], "screen_text" in full) == ("", False)


def test_a_reading_without_uncertainty_does_not_slip_past_a_screen(tmp_path: Path) -> None:
    """A certificate by simple acceptance needs none, the screen beside it does; an exact count needs neither."""
    decision = deciding(tmp_path, 'rule = "simple"\nminimum_tur = 0.0\nscreen.production = "z540.3-method-6"')

    screen = decision.screen("production", Reading(0.99, "%"), -1.0, 1.0, "metering.active_power_error")
    assert screen is not None
    assert screen.refusal == "no uncertainty"
    assert decision.screen("production", Reading(1.0, "yes", 0.0), 1.0, 1.0, "boot.from_flash") is None


def test_a_plan_may_decide_by_a_target_and_priors(tmp_path: Path) -> None:
    """Target and priors reach the rule."""
    prior = 'priors."metering.active_power_error" = { mean = 0.1, s = 0.3 }'
    decision = deciding(tmp_path, f'rule = "global-risk"\nminimum_tur = 0.0\ntarget_risk = 0.02\n{prior}')

    known = decision.judge(Reading(0.0, "%", 0.2), -1.0, 1.0, "metering.active_power_error")
    unknown = decision.judge(Reading(0.0, "%", 0.2), -1.0, 1.0, "metering.voltage_error")
    assert decision.priors == {"metering.active_power_error": Prior(0.1, 0.3)}
    assert (known.verdict, unknown.refusal) == ("pass", "no prior")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            'rule = "lenient"\nminimum_tur = 1.5',
            r"decision\.rule: .*unknown decision rule 'lenient'; use one of simple",
        ),
        (
            'rule = "simple"\nminimum_tur = 1.5\nscreen.production = "strict"',
            r"decision\.screen\.production: .*'strict'",
        ),
        ('rule = "simple"\nminimum_tur = 1.5\nscreen.lunch = "simple"', r"decision\.screen\.lunch"),
        ('rule = "specific-risk"\nminimum_tur = 1.5', "needs a target_risk"),
        ('rule = "simple"\nminimum_tur = 1.5\nscreen.type = "global-risk"', "needs a target_risk"),
        ('rule = "simple"\nminimum_tur = 1.5\ntarget_risk = 0.02', "no rule here is one of these"),
        ('rule = "specific-risk"\nminimum_tur = 1.5\ntarget_risk = 0.5', r"decision\.target_risk"),
        ('rule = "simple"\nminimum_tur = -1.0', r"decision\.minimum_tur"),
        ('rule = "simple"\nminimum_tur = 1.5\npriors."boot.time" = { mean = 1.0, s = 0.0 }', r"boot\.time\.s"),
        ('rule = "simple"\nminimum_tur = 1.5\npriors."boot.tide" = { mean = 1.0, s = 1.0 }', "'boot.tide'"),
        ('rule = "simple"', r"decision\.minimum_tur: this key is missing"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(tmp_path: Path, table: str, says: str) -> None:
    """Each mistake is named by its key."""
    with pytest.raises(PlanError, match=says):
        deciding(tmp_path, table)
