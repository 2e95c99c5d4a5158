"""The plan of the Smart Power board, resolved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hil.plans.plan import GuardTimes, PlanError, full_name, load_plan

PLAN = load_plan("smart-power")


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
