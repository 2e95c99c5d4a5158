"""The wiring in front of J2, what the detect inputs make of it, and the waveforms at the probe and the monitor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_rig import Rig

SWAPPED, NEUTRAL_OPEN, EARTH_OPEN = 313, 314, 315
VOLTAGES = [184.0, 230.0, 265.0]


def wired(*routes: int, voltage_v: float = 230.0, faults=()) -> Rig:
    """Feed a unit at J43, and mains through the wiring box."""
    rig = Rig(faults=faults)
    rig.rails()
    rig.bench.set_routes(frozenset(routes))
    rig.mains(voltage_v)
    return rig


@pytest.mark.parametrize("voltage_v", VOLTAGES)
@pytest.mark.parametrize(
    ("routes", "neutral", "earth"),
    [
        ((), "low", "low"),
        ((SWAPPED,), "high", "low"),
        ((NEUTRAL_OPEN,), "high", "low"),
        ((EARTH_OPEN,), "low", "high"),
        ((SWAPPED, EARTH_OPEN), "high", "high"),
    ],
)
def test_each_fault_of_the_wiring_is_at_its_pin(routes, neutral, earth, voltage_v):
    """Below 1.2 V healthy, above 2 V not, over the whole mains range, on a board that lives from J43."""
    rig = wired(*routes, voltage_v=voltage_v)
    levels = {
        name: "low" if millivolts < 1200.0 else "high" if millivolts > 2000.0 else "rest"
        for name, millivolts in (("neutral", rig.unit.neutral_mv()), ("earth", rig.unit.earth_mv()))
    }

    assert levels == {"neutral": neutral, "earth": earth}


def test_a_healthy_supply_reads_about_500_mv_and_none_rests_half_way():
    """By the formula of the conditioning, 1650 mV - 5 mV a volt."""
    rig = wired()
    assert [rig.unit.neutral_mv(), rig.unit.earth_mv()] == pytest.approx([500.0, 500.0], abs=25.0)

    rig.bench.set_ac(on=False)
    assert [rig.unit.neutral_mv(), rig.unit.earth_mv()] == [1650.0, 1650.0]


def test_a_stuck_input_shows_a_healthy_neutral():
    """Whatever the wiring; the earth's input is another one."""
    rig = wired(NEUTRAL_OPEN, EARTH_OPEN, faults=["neutral-detect-stuck"])

    assert rig.unit.neutral_mv() == pytest.approx(500.0, abs=25.0)
    assert rig.unit.earth_mv() > 2000.0


def test_without_a_neutral_nothing_is_fed():
    """Mains on, neutral open: PS1 gets nothing, the load draws nothing, the source holds its voltage."""
    rig = Rig()
    rig.bench.set_routes(frozenset({305, NEUTRAL_OPEN}))
    rig.mains()
    now_s = rig.world.now_s
    source = rig.bench.ac_window("source", now_s - 1.0, now_s)

    assert rig.unit.levels.last.rail_5v == 0.0
    assert (source.u_rms_v, source.i_rms_a) == (230.0, 0.0)
    assert rig.bench.ac_window("reference", now_s - 1.0, now_s).u_rms_v == 0.0


def test_swapped_conductors_meter_the_same():
    """Voltage and current both turn round, power does not; the probe at the bus sees the sine upside down."""
    found = []
    for routes in (frozenset({305, 118}), frozenset({305, 118, SWAPPED})):
        rig = Rig()
        rig.mains()
        rig.load(1, current_a=1.0, power_factor=0.5)
        rig.bench.set_routes(routes)
        rig.world.advance(3.0)
        quarter_s = rig.world.now_s - rig.world.now_s % 0.02 - 0.015
        found.append((rig.rpc("Switch.GetStatus", id=0), rig.bench.scope_voltage_v(2, np.array([quarter_s]))[0]))
    (straight, straight_v), (swapped, swapped_v) = found

    assert swapped["apower"] == pytest.approx(straight["apower"], abs=0.05)
    assert straight_v == pytest.approx(math.sqrt(2) * 230 / 500, rel=1e-3)
    assert swapped_v == pytest.approx(-straight_v)


# -- waveforms ---------------------------------------------------------------------------------------------------------


def loaded(**changes) -> Rig:
    """Draw a current through socket 1, with the current monitor at the scope."""
    rig = Rig()
    rig.mains(**{key: changes.pop(key) for key in ("harmonics",) if key in changes})
    rig.load(1, **changes)
    rig.bench.set_routes(frozenset({305, 119}))
    rig.world.advance(0.5)
    return rig


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_the_monitor_shows_the_loads_current(factor):
    """0.2 V an ampere, instantaneous; against the voltage by the power factor."""
    rig = loaded(current_a=2.0, power_factor=factor)
    t_s = np.linspace(rig.world.now_s - 0.2, rig.world.now_s, 20_001)
    volts = rig.bench.scope_voltage_v(1, t_s)
    expected = 0.2 * 2.0 * math.sqrt(2) * np.sin(2 * math.pi * 50.0 * t_s - math.acos(factor))

    assert volts == pytest.approx(expected, abs=1e-3)


def test_harmonics_are_in_it():
    """A resistor on mains with 10 % of third harmonic: rms and crest as by hand."""
    rig = loaded(function="RES", resistance_ohm=230.0, harmonics=((3, 0.1, 180.0),))
    t_s = np.linspace(rig.world.now_s - 0.2, rig.world.now_s, 20_001)[:-1]
    amps = rig.bench.scope_voltage_v(1, t_s) / 0.2

    assert np.sqrt(np.mean(amps**2)) == pytest.approx(math.sqrt(1.01), rel=1e-3)
    assert amps.max() == pytest.approx(math.sqrt(2) * 1.1, rel=1e-3)


def test_the_current_ends_with_the_contact():
    """Switched off by its relay: after the contact's last edge only the snubber's 7 mA pass."""
    rig = loaded(current_a=3.0)
    rig.rpc("Switch.Set", id=0, on=False)
    rig.world.advance(0.2)
    edges = [e["t_s"] for e in rig.world.events if e["kind"] == "contact" and e["relay"] == "K1"]
    first = next(e["t_s"] for e in rig.world.events if e["kind"] == "contact" and not e["closed"])
    before = rig.bench.scope_voltage_v(1, np.linspace(first - 0.02, first - 1e-6, 2001))
    after = rig.bench.scope_voltage_v(1, np.linspace(edges[-1], rig.world.now_s, 5001))

    assert before.max() == pytest.approx(0.2 * 3.0 * math.sqrt(2), rel=1e-3)
    assert np.abs(after).max() < 0.2 * 0.011


def test_the_onset_triggers_within_the_period():
    """Ten seconds without current, then a contact that closes: the trigger is in the first half period."""
    rig = Rig()
    rig.mains()
    rig.bench.set_routes(frozenset({305, 119}))
    rig.bench.set_load(current_a=2.0, on=True)
    rig.world.advance(10.0)
    before_s = rig.world.now_s
    rig.world.advance(5.0)
    rig.rpc("Switch.Set", id=0, on=True)
    rig.world.advance(5.0)
    closed_s = next(e["t_s"] for e in rig.world.events if e["kind"] == "contact" and e["closed"])
    found_s = rig.bench.first_crossing(1, 0.2, True, before_s, rig.world.now_s)

    assert found_s is not None
    assert closed_s <= found_s < closed_s + 0.02
    assert rig.bench.scope_voltage_v(1, np.array([found_s]))[0] >= 0.2


def test_a_steady_sine_is_crossed_where_it_is_crossed():
    """The first upward passage of 100 V after an instant is the sine's own, however long the window is."""
    rig = Rig()
    rig.mains()
    rig.bench.set_routes(frozenset({118}))
    rig.world.advance(20.0)
    after_s = rig.world.now_s - 17.0013
    found_s = rig.bench.first_crossing(2, 100.0 / 500.0, True, after_s, rig.world.now_s)
    angle = math.asin(100.0 / (230.0 * math.sqrt(2)))

    assert found_s is not None
    assert 0.0 < found_s - after_s < 0.02
    assert (2 * math.pi * 50.0 * found_s - angle) % (2 * math.pi) == pytest.approx(0.0, abs=0.01) or (
        2 * math.pi * 50.0 * found_s - angle
    ) % (2 * math.pi) == pytest.approx(2 * math.pi, abs=0.01)
