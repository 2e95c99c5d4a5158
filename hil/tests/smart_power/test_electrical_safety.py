"""Electrical safety before first power: the tester itself, earth bonds, insulation, electric strength. All else is off.

Mains, live and neutral joined, against the earth terminals: no varistor lies across that (DR-25). What the low-voltage
side would withstand is not asked: it is mains itself (DR-20). A unit that fails here is not powered any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hil.errors import Blame, NoReading
from hil.metrology.budget import rectangular, resolution
from hil.metrology.decision import ACCEPTED, Verdict
from hil.metrology.propagation import Input, propagate
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.high_voltage import HighVoltage
from hil.station.station import Station

AREA = "SAF-"
REJECTED = {Verdict.FAIL, Verdict.CONDITIONAL_FAIL}
TERMINALS = ("J47", "J48")
MAINS_TO_EARTH, KNOWN_FAIL = "hipot.mains_to_earth", "hipot.known_fail"
CLAMPS_OHM = 1e-3  # of a four-wire connection, from one time to the next [A]
BOX_OHM = 1e12  # what relay box and leads insulate [A]
CONNECTED_A = 0.05e-3  # whatever is connected leaks more at 2 kV and 50 Hz: 80 pF [A]
VERIFY_V, VERIFY_S = 500.0, 1.0  # on the known fail: 10 mA through 50 kohm
STEP_V = 10.0
BOND_DIGIT_OHM, INSULATION_DIGIT_OHM, LEAKAGE_DIGIT_A = 0.1e-3, 1e6, 0.01e-3


@pytest.fixture(scope="module", autouse=True)
def not_powered_after_a_failure(run: Run) -> Iterator[None]:
    """End the run when something here was measured and is not good: nothing may be energised then."""
    yield
    ours = [one for one in run.planned.values() if one.requirement.startswith(AREA)]
    found = {(one.requirement, run.measure.verdict(one.base, **one.point)) for one in ours}
    failed = sorted({requirement for requirement, verdict in found if verdict in REJECTED})
    if failed:
        run.stop(Blame.UNIT, f"electrical safety failed: {', '.join(failed)}; the unit was not powered")
    elif unproven := sorted({requirement for requirement, verdict in found if verdict not in {None, *ACCEPTED}}):
        run.stop(Blame.BENCH, f"electrical safety is not proven: {', '.join(unproven)}; the unit was not powered")


@pytest.mark.requirement("SAF-04")
@pytest.mark.parametrize("function", ["earth_bond", "insulation", "withstand"])
def test_the_tester_finds_a_known_fail(bench: Station, run: Run, plan: Plan, measure: Measurer, function: str) -> None:
    """A resistor in the relay box is a bad earth, a bad insulation and a leak: the tester must say so."""
    if not asked(bench, run, measure, "SAF-04", "safety.known_fail", function=function):
        return
    limits = conditions(plan, run)
    with armed(bench, run, measure, KNOWN_FAIL) as tester:
        if function == "earth_bond":
            passed = tester.ground_bond(limits["bond_a"], limits["bond_ohm"], VERIFY_S).passed
        elif function == "insulation":
            passed = tester.insulation(VERIFY_V, VERIFY_S).passed
        else:
            found = tester.withstand(VERIFY_V, limits["frequency_hz"], limits["trip_a"], limits["ramp_s"], VERIFY_S)
            passed = found.passed
    if passed:  # never the unit's fault
        raise NoReading(f"hipot tester, {function}", KNOWN_FAIL, "PASS", "it does not find a known fail")
    measure.check("safety.known_fail", not passed, function=function)


@pytest.mark.requirement("SAF-01")
@pytest.mark.parametrize("terminal", TERMINALS)
def test_earth_bond(bench: Station, run: Run, plan: Plan, measure: Measurer, terminal: str) -> None:
    """From the earth terminal where the protective earth arrives to another one, in four wires."""
    if not asked(bench, run, measure, "SAF-01", "safety.earth_bond", terminal=terminal):
        return
    limits = conditions(plan, run)
    with armed(bench, run, measure, f"hipot.earth_bond.{terminal}") as tester:
        found = tester.ground_bond(limits["bond_a"], limits["bond_ohm"], limits["bond_s"])
        measure.step(f"J46 to {terminal}: {limits['bond_a']:g} A")
    if found.beyond:
        measure.note(f"J46 to {terminal} is open, or nearly: the value given is a lower bound")
    read = bench.traceable("HipotTester", bench.hipot.bond_accuracy_ohm(found.ohm), "hipot tester")
    wires = (rectangular("clamps [A]", CLAMPS_OHM), resolution("display", BOND_DIGIT_OHM))
    budget = propagate(_sum, [read, Input("four wires", 0.0, "ohm", wires)], "ohm")
    measure("safety.earth_bond", budget, terminal=terminal)


@pytest.mark.requirement("SAF-02")
def test_insulation_resistance(bench: Station, run: Run, plan: Plan, measure: Measurer) -> None:
    """500 V d.c. from mains to earth, before any higher voltage."""
    if not asked(bench, run, measure, "SAF-02", "safety.insulation_resistance"):
        return
    limits = conditions(plan, run)
    with armed(bench, run, measure, MAINS_TO_EARTH) as tester:
        found = tester.insulation(limits["insulation_v"], limits["insulation_s"])
        measure.step(f"mains to earth: {found.voltage_v:.0f} V d.c.")
    if found.beyond:
        measure.note("the insulation is beyond the tester's range: the value given is a lower bound")
    read = bench.traceable("HipotTester", bench.hipot.insulation_accuracy_ohm(found.ohm), "hipot tester")
    beside = (
        rectangular("relay box and leads, 1 Tohm in parallel [A]", found.ohm**2 / BOX_OHM),
        resolution("display", INSULATION_DIGIT_OHM),
    )
    budget = propagate(_sum, [read, Input("beside the unit", 0.0, "ohm", beside)], "ohm")
    measure("safety.insulation_resistance", budget)


@pytest.mark.requirement("SAF-03")
def test_electric_strength(bench: Station, run: Run, plan: Plan, measure: Measurer) -> None:
    """The a.c. voltage of basic insulation from mains to earth, with what flows before the tester trips."""
    bases = ("safety.withstands", "safety.leakage_current")
    if not asked(bench, run, measure, "SAF-03", *bases):
        return
    limits = conditions(plan, run)
    wanted_v, hertz, trip_a = limits["withstand_v"], limits["frequency_hz"], limits["trip_a"]
    spread_v, set_v = voltage_to_set(bench, wanted_v)
    with armed(bench, run, measure, MAINS_TO_EARTH) as tester:
        found = tester.withstand(set_v, hertz, trip_a, limits["ramp_s"], limits["withstand_s"])
        measure.step(
            f"mains to earth: {found.voltage_v:.0f} V a.c. read, {set_v:.0f} V set for {wanted_v:.0f} V, "
            f"held for {found.held_s:g} s"
        )
    if found.passed and found.current_a < CONNECTED_A:
        why = f"{found.current_a * 1e3:g} mA is less than any unit leaks: nothing was connected"
        raise NoReading("hipot tester", MAINS_TO_EARTH, f"{found.current_a:g} A", why)
    if not found.passed:
        how = "arcs" if found.arc else "flashes over or leaks too much"
        measure.note(f"the insulation {how} at {found.voltage_v:.0f} V; the current is the one the tester tripped at")
    measure.check(bases[0], found.passed and found.held_s >= limits["withstand_s"])
    read = bench.traceable("HipotTester", bench.hipot.current_accuracy_a(found.current_a, trip_a), "hipot tester")
    per_volt = found.current_a / wanted_v
    beside = (
        rectangular("test voltage, set higher by up to", set_v - wanted_v + spread_v, per_volt),
        resolution("display", LEAKAGE_DIGIT_A),
    )
    measure(bases[1], propagate(_sum, [read, Input("beside the unit", 0.0, "A", beside)], "A"))


def voltage_to_set(bench: Station, wanted_v: float) -> tuple[float, float]:
    """Return how far the tester may be off, and what to set so that nothing of that spares the unit, in volts.

    What its calibration says that it shows too much comes on top; what it shows too little is not taken off.
    """
    accuracy = bench.hipot.voltage_accuracy_v(wanted_v)
    shows_too_much_v = max(0.0, wanted_v - bench.traceable("HipotTester", accuracy, "test voltage").value)
    return accuracy.half_width, math.ceil((wanted_v + accuracy.half_width + shows_too_much_v) / STEP_V) * STEP_V


def _sum(read: Any, other: Any) -> Any:
    return read + other


def conditions(plan: Plan, run: Run) -> Mapping[str, float]:
    """Return the plan's conditions of electrical safety, those of the stage among them."""
    common = dict(plan.nominal["electrical_safety"])
    stages = common.pop("stage")
    return {**common, **stages[run.options.stage]}


@contextmanager
def armed(bench: Station, run: Run, measure: Measurer, path: str) -> Iterator[HighVoltage]:
    """Arm the tester, and put on record in whose name before it is live: whatever happens then, that is known."""
    with bench.high_voltage(path, person(bench, run)) as tester:
        measure.step(f"{path}: high voltage armed by {tester.armed_by}")
        yield tester


def person(bench: Station, run: Run) -> str:
    """Return who answers for high voltage; empty where nobody is named, and the bench refuses it then."""
    return run.options.operator or bench.config.operator


def asked(bench: Station, run: Run, measure: Measurer, requirement: str, *bases: str, **point: str) -> bool:
    """Say whether to measure: the stage asks for it, the bench can, and what it builds on has passed."""
    why = ""
    if run.options.stage not in run.plan.requirements[requirement].stages:
        why = f"not required at stage {run.options.stage}"
    elif not bench.can("HipotTester.withstand"):
        why = "this bench has no hipot tester"
    for base in bases if why else ():
        measure.cannot(base, why, **point)
    return not why and measure.ready(*bases, **point)
