"""A plan held against its tests: what each kind of hole is called. The shipped plan: test_plan_command."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hil.plans.coverage import PlanTest, holes
from hil.plans.plan import Plan, PlannedWaiver, Requirement, load_plan

SHIPPED = load_plan("smart-power")
SOURCES = {
    "test_power.py": 'def test_power(measure):\n    measure("power.error", 1)\n    measure(f"power.{1}_{2}", 1)\n',
    "test_relay.py": "def test_relay(measure):\n    shot(measure)\n",
    "relayshot.py": 'def shot(measure):\n    measure.check("relay.latches", True)\n',
}
TESTS = (
    PlanTest("t/test_power.py::test_power[1]", "test_power", ("MET-01",)),
    PlanTest("t/test_power.py::test_power[2]", "test_power", ("MET-01",)),
    PlanTest("t/test_relay.py::test_relay", "test_relay", ("REL-01",)),
)


def asked(id_: str, *stages: str, why: str = "") -> Requirement:
    """A requirement."""
    return Requirement(id_, f"title of {id_}", "area", "method", stages, why)


def a_plan(**changes: Any) -> Plan:
    """A plan that has no hole against TESTS, with changes."""
    fields: dict[str, Any] = {
        "requirements": {one.id: one for one in (asked("MET-01", "type"), asked("REL-01", "type"))},
        "kinds": {"power.error": {"requirement": "MET-01"}, "relay.latches": {"requirement": "REL-01"}},
        "sequence": ("test_power", "test_relay"),
        "waivers": (),
    }
    return replace(SHIPPED, **(fields | changes))


def found(plan: Plan, *tests: PlanTest, **sources: str) -> list[str]:
    """The holes of a plan, as sentences."""
    return [str(one) for one in holes(plan, tests or TESTS, SOURCES | sources)]


def test_a_plan_without_a_hole_has_none() -> None:
    """A measurement made in a helper of the tests counts for each of them."""
    assert found(a_plan()) == []


def test_a_requirement_without_measurement_and_test_is_found() -> None:
    """Two holes: nothing answers it, and nothing is marked with it."""
    plan = a_plan(requirements={**a_plan().requirements, "SAF-01": asked("SAF-01", "type")})

    first, second = found(plan)
    assert first.startswith("SAF-01: no measurement answers it")
    assert second.startswith("SAF-01: no test is marked with it")


def test_a_requirement_of_no_stage_must_say_why() -> None:
    """Then it needs neither test nor measurement; without a why it does."""
    told = a_plan(requirements={**a_plan().requirements, "SAF-05": asked("SAF-05", why="DR-20: no insulation")})
    silent = a_plan(requirements={**a_plan().requirements, "SAF-05": asked("SAF-05")})

    assert found(told) == []
    assert found(silent)[0].startswith("SAF-05: it is required at no stage, and does not say why")


def test_a_requirement_of_no_stage_that_is_measured_needs_its_test() -> None:
    """A why excuses what is not measured, not half of it."""
    plan = a_plan(
        requirements={**a_plan().requirements, "MET-06": asked("MET-06", why="no limit")},
        kinds={**a_plan().kinds, "power.error": {"requirement": "MET-01", "requirement_uncovered": "MET-06"}},
    )

    assert [one.partition(";")[0] for one in found(plan)] == ["MET-06: no test is marked with it"]


def test_a_test_without_requirement_is_found_once() -> None:
    """Once a function, whatever its parameters."""
    bare = [PlanTest(f"t/test_power.py::test_bare[{n}]", "test_power", ()) for n in (1, 2)]

    (one,) = found(a_plan(), *TESTS, *bare)
    assert one.startswith("t/test_power.py::test_bare: it answers no requirement")


def test_a_mark_that_the_plan_does_not_have_is_found() -> None:
    """A misspelt requirement is no evidence."""
    stray = PlanTest("t/test_power.py::test_more", "test_power", ("MET-1",))

    (one,) = found(a_plan(), *TESTS, stray)
    assert one.startswith("t/test_power.py::test_more: it is marked with MET-1, which the plan does not have")


def test_a_measurement_that_no_test_makes_is_found() -> None:
    """Its name stands nowhere in the sources; one put together from parts may be any that fits."""
    kinds = {name: {"requirement": "MET-01"} for name in ("power.never", "power.half_drawn")}

    (one,) = found(a_plan(kinds={**a_plan().kinds, **kinds}))
    assert one.startswith("power.never: no test makes this measurement")


def test_a_measurement_made_only_for_other_requirements_is_found() -> None:
    """The certificate would show the wrong tests beside it."""
    kinds = {**a_plan().kinds, "power.error": {"requirement": "REL-01"}, "power.on_top": {"requirement": "MET-01"}}
    (one,) = found(a_plan(kinds=kinds))
    assert one.startswith("power.error: it answers REL-01, but only tests of other requirements make it")


def test_a_name_that_is_measured_and_not_planned_is_found() -> None:
    """A run would end with it, as a fault of the set-up."""
    (one,) = found(a_plan(), **{"more.py": 'def more(measure):\n    measure.ready("power.typo")\n'})

    assert one.startswith("more.py, line 2: it measures power.typo, which the plan does not have")


def test_the_sequence_and_the_files_of_tests_are_the_same() -> None:
    """One that is named and not there, and one that is there and would run last."""
    first, second = found(a_plan(sequence=("test_relay", "test_gone")))

    assert first.startswith("plan.sequence, test_gone: there is no such file of tests")
    assert second.startswith("test_power: it is not in plan.sequence")


def test_a_waiver_of_what_no_stage_requires_is_found() -> None:
    """There is nothing to waive."""
    plan = a_plan(
        requirements={**a_plan().requirements, "SAF-05": asked("SAF-05", why="DR-20")},
        waivers=(PlannedWaiver("SAF-05", ("A",), "DR-20", "as it is"),),
    )

    assert any(one.startswith("waiver of SAF-05: no stage requires what it waives") for one in found(plan))


def test_a_waiver_that_no_review_backs_is_found() -> None:
    """A plan that names no review of its board has nothing to waive by."""
    plan = a_plan(review=None, waivers=(PlannedWaiver("REL-01", ("A",), "DR-01", "as it is"),))

    (one,) = found(plan)
    assert "the waiver of REL-01 names the finding DR-01, and the plan names no [review]" in one
