"""The chamber's air, the board in it, and what temperature and current do to its meters."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from physics_rig import Rig

from hil.sim.air import Air
from hil.sim.boards.drift import Drift
from hil.sim.chamber import COOLS_K_PER_S, HEATS_K_PER_S, Chamber
from hil.sim.world import World

REFERENCE_MOST, DIVIDER, TRANSFORMER = 40e-6, 15e-6, 30e-6  # per kelvin: [DS26 6.1], [A], [A]
MOST_PER_K = 2 * REFERENCE_MOST + DIVIDER + TRANSFORMER


def power_w(rig: Rig, meter: int = 0) -> float:
    """Return what the meter's inputs carry now, without its noise."""
    inputs = rig.unit.meters[meter]._inputs.last
    return inputs.p


def at(rig: Rig, temp_c: float | None, wait_s: float) -> None:
    rig.bench.chamber.regulate(temp_c)
    rig.world.advance(wait_s)


def under_load(current_a: float, *faults: str) -> Rig:
    """A current through socket 1; the MCU is in reset, so that hours cost nothing."""
    rig = Rig(faults=faults)
    rig.mains()
    rig.load(1, current_a=current_a)
    rig.hold()
    return rig


@pytest.fixture
def loaded() -> Rig:
    """One ampere, long enough for its own warmth."""
    rig = under_load(1.0)
    rig.world.advance(7200.0)
    return rig


def test_without_the_chamber_everything_is_at_room_temperature(loaded):
    """Exactly: nothing that was measured before there was a chamber has changed."""
    ambient_c = loaded.unit.ambient_c

    assert loaded.bench.chamber.air_c() == ambient_c
    assert loaded.unit.heat.body_c(loaded.world.now_s) == ambient_c
    assert loaded.bench.chamber.power_pct() == 0.0


def test_the_air_is_as_quick_as_the_machine_and_stays(loaded):
    """18 K down at 1.5 K/min, the last of it slower; then within its ripple; the ends of the machine are its ends."""
    room_c, chamber = loaded.unit.ambient_c, loaded.bench.chamber
    at(loaded, 5.0, 300.0)
    assert chamber.air_c() == pytest.approx(room_c - 300.0 * COOLS_K_PER_S, abs=0.1)
    assert chamber.power_pct() == -100.0

    loaded.world.advance(3600.0)
    assert chamber.air_c() == pytest.approx(5.0, abs=0.06)
    at(loaded, 500.0, 5 * 3600.0)
    assert chamber.air_c() == pytest.approx(130.0, abs=0.1)


def test_a_slower_ramp_is_kept(loaded):
    """0.5 K/min where the controller asks for no more."""
    start_c = loaded.bench.chamber.air_c()
    loaded.bench.chamber.regulate(40.0, 0.5 / 60.0)
    loaded.world.advance(600.0)

    assert loaded.bench.chamber.air_c() - start_c == pytest.approx(5.0, abs=0.1)
    assert HEATS_K_PER_S > 0.5 / 60.0


def test_off_the_air_goes_to_the_room_by_itself(loaded):
    """Neither heating nor cooling, slowly, all the way."""
    at(loaded, 40.0, 3600.0)
    at(loaded, None, 600.0)
    assert loaded.bench.chamber.air_c() > 35.0

    loaded.world.advance(8 * 3600.0)
    assert loaded.bench.chamber.air_c() == pytest.approx(loaded.unit.ambient_c, abs=0.01)


@given(
    st.lists(st.tuples(st.floats(-40.0, 130.0) | st.none(), st.floats(1.0, 4000.0)), min_size=1, max_size=5),
    st.floats(50.0, 110.0) | st.floats(140.0, 900.0),
)
@settings(max_examples=40, deadline=None)
def test_a_mass_in_the_air_obeys_its_equation(steps, tau_s):
    """dT/dt = (air - T) / tau, whatever the chamber is told to do: against a numeric integration."""
    world, air = World(), Air(22.0)
    chamber = Chamber(world, air)
    for target_c, wait_s in steps:
        chamber.regulate(target_c)
        world.advance(wait_s)
    times_s = np.linspace(0.0, world.now_s, 6001)
    air_c = np.array([air.temp_c(t_s) for t_s in times_s])
    step_s = times_s[1] - times_s[0]
    temp_c, fades = 22.0, math.exp(-step_s / tau_s)
    for before_c, after_c in pairwise(air_c):
        middle_c = (before_c + after_c) / 2.0
        temp_c = middle_c + (temp_c - middle_c) * fades

    assert air.followed_c(0.0, 22.0, world.now_s, tau_s) == pytest.approx(temp_c, abs=0.02)


def test_what_is_on_the_board_follows(loaded):
    """NTC by its table, a coil by copper's 0.393 %/K, and the PT100 beside the unit; the board with its own lag."""
    room_c, unit = loaded.unit.ambient_c, loaded.unit
    coil_ohm, own_k = unit.relays[1].coil_ohm("SET"), unit.heat.temp_c(loaded.world.now_s) - room_c
    loaded.bench.set_routes(frozenset({219, 305}))
    at(loaded, 40.0, 600.0)
    assert unit.heat.body_c(loaded.world.now_s) < loaded.bench.dmm_temperature_c() - 2.0

    loaded.world.advance(7200.0)
    now_s = loaded.world.now_s
    assert loaded.bench.dmm_temperature_c() == pytest.approx(40.0, abs=0.06)
    assert unit.heat.temp_c(now_s) == pytest.approx(40.0 + own_k, abs=0.5)
    assert unit.relays[1].coil_ohm("SET") / coil_ohm == pytest.approx(
        (1 + 0.0039 * 20.0) / (1 + 0.0039 * (room_c - 20.0)), rel=1e-3
    )
    share = unit.ntc_mv() / 1e3 / unit.levels.last.rail_3v3
    ntc_c = 1 / (1 / 298.15 + math.log(share / (1 - share)) / 3950.0) - 273.15
    assert ntc_c == pytest.approx(40.0 + own_k, abs=2.0)


def test_the_error_moves_with_the_temperature_and_comes_back(loaded):
    """Within what the reference's data sheet and the parts allow, another amount in each meter."""
    before = power_w(loaded)
    at(loaded, 40.0, 7200.0)
    warm_k = 40.0 - loaded.unit.ambient_c
    per_k = (power_w(loaded) / before - 1) / warm_k

    assert 1e-7 < abs(per_k) < MOST_PER_K
    at(loaded, 5.0, 10800.0)
    assert (power_w(loaded) / before - 1) / (5.0 - loaded.unit.ambient_c) == pytest.approx(per_k, abs=3e-6)
    at(loaded, loaded.unit.ambient_c, 10800.0)
    assert power_w(loaded) / before == pytest.approx(1.0, abs=2e-5)


def test_the_coefficients_are_the_units_own():
    """The reference's drift is common to voltage and current; typical units drift by a few ten ppm a kelvin."""
    drifts = [Drift.of(World(f"SP-{n:06d}"), meter) for n in range(300) for meter in (1, 2, 3, 4)]
    of_power = np.array([one.voltage_per_k + one.current_per_k for one in drifts])

    assert np.abs(of_power).max() < MOST_PER_K
    assert 20e-6 < of_power.std() < 50e-6
    assert abs(of_power.mean()) < 5e-6
    assert Drift.of(World("SP-000001"), 1) == Drift.of(World("SP-000001", seed=7), 1)


def test_energy_takes_part_in_it(loaded):
    """What is registered in the hour of warming up lies between what it would be cold and what it is warm."""
    chip, pulses = loaded.unit.meters[0], []
    cold_mv2 = power_w(loaded)
    for _ in range(3):
        chip.fetch(loaded.world.now_s, 0x40)
        pulses.append(chip._active.pulses[0])
        at(loaded, 40.0, 3600.0)
    warming, warm = np.diff(pulses)
    shares = sorted((cold_mv2 / power_w(loaded), 1.0))

    assert shares[0] < warming / warm < shares[1]


def heated(wait_s: float, *faults: str) -> float:
    """Return the change of the power shown after wait_s at Imax, in %."""
    rig = under_load(3.0, *faults)
    begin = power_w(rig)
    rig.world.advance(wait_s)
    return 100.0 * (power_w(rig) / begin - 1.0)


def test_a_load_warms_its_own_meter():
    """Some hundredths of a percent within the hour; two thirds of it after ten minutes; the other meters stay."""
    hour, ten_minutes = heated(5400.0), heated(600.0)

    assert 1e-4 < abs(hour) < 0.05
    assert ten_minutes / hour == pytest.approx(1 - math.exp(-1.0), abs=0.06)


def test_a_burden_of_a_poor_material_drifts():
    """0.15 %/K: in the chamber, and by its own current's warmth."""
    assert heated(5400.0, "u1-burden-drifts") == pytest.approx(1.2, abs=0.1)
    rig = under_load(1.0, "u1-burden-drifts")
    rig.world.advance(7200.0)
    before = power_w(rig)
    at(rig, 40.0, 7200.0)

    assert (power_w(rig) / before - 1) / (40.0 - rig.unit.ambient_c) == pytest.approx(1.5e-3, rel=0.1)


def test_time_ticks_only_while_a_temperature_moves(loaded):
    """Steady hours bring no event for the meters: ten of them cost nothing."""
    told, chip = [], loaded.unit.meters[0]
    set_inputs = chip.set_inputs
    chip.set_inputs = lambda t_s, inputs: (told.append(t_s), set_inputs(t_s, inputs))
    loaded.world.advance(10 * 3600.0)
    assert len(told) <= 1

    at(loaded, 40.0, 3600.0)
    assert 50 < len(told) < 400
