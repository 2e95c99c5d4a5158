"""Varistor, combination wave, fuse and probe: against closed formulas and the definitions of IEC 61000-4-5."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_rig import Rig

from hil.sim.fuse import Fuse
from hil.sim.mov import Mov
from hil.sim.surge import INSTANTS_S, Clamp, Shot, combination_wave, next_at_angle

PROBE = frozenset({118})


def passes_s(t_s, values, level, after=0):
    """Return when values next pass a level."""
    above = values[after:] >= level
    at = after + int(np.flatnonzero(above[1:] != above[:-1])[0])
    share = (level - values[at]) / (values[at + 1] - values[at])
    return t_s[at] + share * (t_s[at + 1] - t_s[at])


def shoot(rig: Rig, level_v: float, angle_deg: float = 90.0) -> Shot:
    """Fire and let 50 ms pass."""
    shots: list[Shot] = []
    rig.bench.fire_surge(level_v, angle_deg, shots.append)
    rig.world.advance(0.05)
    return shots[0]


# -- the varistor ------------------------------------------------------------------------------------------------------


def test_the_varistor_passes_its_two_points():
    """680 V at 1 mA and 1120 V at 100 A, in both directions; voltage and current are each other's inverse."""
    mov = Mov()

    assert mov.voltage_v(1e-3) == pytest.approx(680.0)
    assert mov.voltage_v(100.0) == pytest.approx(1120.0)
    assert mov.voltage_v(-100.0) == pytest.approx(-1120.0)
    assert mov.current_a(mov.voltage_v(7.0)) == pytest.approx(7.0)
    assert Mov(leak_ohm=470e3).current_a(325.0) == pytest.approx(325 / 470e3, rel=1e-3)


def test_varistors_differ_within_three_percent():
    """Each serial number has its own; a worn one has a fifth less, a missing one is none."""
    units = [Rig(f"SP-{number}").unit.mov.v1ma_v for number in range(30)]

    assert all(abs(v1ma_v / 680.0 - 1) <= 0.03 for v1ma_v in units)
    assert np.std(units) > 5.0
    assert Rig("SP-1", faults=["mov-aged"]).unit.mov.v1ma_v == pytest.approx(0.8 * units[1])
    assert Rig("SP-1", faults=["mov-missing"]).unit.mov is None


# -- the wave ----------------------------------------------------------------------------------------------------------


def test_into_an_open_circuit_the_voltage_is_a_1_2_50_wave():
    """Front 1.67 x (30 % to 90 %), 1.2 us +/-30 %; half-value time 50 us +/-20 %."""
    wave = combination_wave(1000.0, Clamp.open())
    volts, top = wave.surge_v, int(wave.surge_v.argmax())

    assert volts.max() == pytest.approx(1000.0)
    assert 1.67 * (passes_s(wave.t_s, volts, 900.0) - passes_s(wave.t_s, volts, 300.0)) == pytest.approx(
        1.2e-6, rel=0.30
    )
    assert passes_s(wave.t_s, volts, 500.0, top) - passes_s(wave.t_s, volts, 500.0) == pytest.approx(50e-6, rel=0.20)
    assert not wave.current_a.any()


def test_into_a_short_circuit_the_current_is_an_8_20_wave_behind_2_ohm():
    """Front 1.25 x (10 % to 90 %), 8 us +/-20 %; duration 1.18 x half width, 20 us +/-20 %; undershoot at most 30 %."""
    wave = combination_wave(1000.0, Clamp.short())
    amps, top = wave.current_a, int(wave.current_a.argmax())
    peak = float(amps.max())

    assert peak == pytest.approx(500.0, rel=0.005)
    assert 1.25 * (passes_s(wave.t_s, amps, 0.9 * peak) - passes_s(wave.t_s, amps, 0.1 * peak)) == pytest.approx(
        8e-6, rel=0.20
    )
    half_s = passes_s(wave.t_s, amps, peak / 2, top) - passes_s(wave.t_s, amps, peak / 2)
    assert 1.18 * half_s == pytest.approx(20e-6, rel=0.20)
    assert amps.min() >= -0.30 * peak


@pytest.mark.parametrize(("level_v", "mains_v"), [(1000.0, 325.0), (2000.0, 0.0), (-2000.0, -325.0), (-1000.0, 200.0)])
def test_the_varistor_holds_the_wave_to_its_curve(level_v, mains_v):
    """At every instant its voltage, mains included, is that of its current; the fuse drops the rest."""
    mov = Mov()
    wave = combination_wave(level_v, Clamp.of(mov), np.full_like(INSTANTS_S, mains_v))
    conducting = np.abs(wave.current_a) > 0.1
    across_v = wave.surge_v + mains_v
    curve_v = np.array([mov.voltage_v(current_a) for current_a in wave.current_a[conducting]])

    assert conducting.any() == (abs(level_v + mains_v) > 830.0)
    assert across_v[conducting] == pytest.approx(curve_v, rel=2e-3)
    assert wave.terminal_v - across_v == pytest.approx(0.0231 * wave.current_a, abs=1e-6)


def test_the_peak_follows_two_ohms():
    """At the crest open-circuit level less 2 ohm times the current is the clamping voltage, within the wave's shape."""
    wave = combination_wave(2000.0, Clamp.of(Mov()), np.full_like(INSTANTS_S, 325.0))
    peak_a = float(wave.current_a.max())

    assert 2000.0 + 325.0 - 2.0 * peak_a == pytest.approx(Mov().voltage_v(peak_a), rel=0.05)


@pytest.mark.parametrize("phase_deg", [0.0, 40.0, -170.0])
@pytest.mark.parametrize("angle_deg", [0.0, 90.0, 270.0])
def test_the_angle_is_the_mains_own(angle_deg, phase_deg):
    """The next instant at which the sine stands at that angle, within one period."""
    at_s = next_at_angle(12.345, angle_deg, 50.0, phase_deg)

    assert 12.345 < at_s <= 12.345 + 0.02 + 1e-9
    assert math.cos(2 * math.pi * 50.0 * at_s + math.radians(phase_deg - angle_deg)) == pytest.approx(1.0)
    assert next_at_angle(1.0, 90.0, 0.0, 0.0) == 1.0


# -- on the unit -------------------------------------------------------------------------------------------------------


def test_the_bus_shows_the_wave_on_the_sine_through_the_probe():
    """1/500 of the bus: the sine before and after, the clamped pulse on its crest, as the world has written it down."""
    rig = Rig()
    rig.mains()
    rig.bench.set_routes(PROBE)
    rig.world.advance(0.5)
    shot = shoot(rig, 1000.0)
    t_s = shot.start_s + np.linspace(-0.02, 0.02, 400_001)
    volts = 500.0 * rig.bench.scope_voltage_v(2, t_s)
    event = next(event for event in rig.world.events if event["kind"] == "surge")

    assert volts.max() == pytest.approx(event["bus_v"], rel=1e-3)
    assert volts.max() == pytest.approx(rig.unit.mov.voltage_v(shot.peak_a), rel=5e-3)
    calm = np.abs(t_s - shot.start_s) > 1e-3
    calm_v = math.sqrt(2) * 230.0 * np.sin(2 * math.pi * 50.0 * t_s[calm])
    assert np.abs(volts[calm] - calm_v).max() < 1.0
    assert math.sin(2 * math.pi * 50.0 * shot.start_s) == pytest.approx(1.0)
    assert shot.peak_v == pytest.approx(event["bus_v"], rel=0.01)


def test_the_scope_triggers_on_the_pulse_alone():
    """The level is beyond the sine's crest and the pulse lasts microseconds; the crossing is on its front."""
    rig = Rig()
    rig.mains()
    rig.bench.set_routes(PROBE)
    before_s = rig.world.now_s
    rig.world.advance(7.0)
    shot = shoot(rig, 1000.0)
    rig.world.advance(3.0)
    found_s = rig.bench.first_crossing(2, 700.0 / 500.0, True, before_s, rig.world.now_s)

    assert found_s is not None
    assert 0.0 < found_s - shot.start_s < 2e-6
    assert 500.0 * rig.bench.scope_voltage_v(2, np.array([found_s]))[0] == pytest.approx(700.0, abs=0.01)
    assert rig.bench.first_crossing(2, 700.0 / 500.0, True, shot.end_s, rig.world.now_s) is None


def test_a_negative_pulse_is_found_too():
    """Falling through -700 V at 270 degrees."""
    rig = Rig()
    rig.mains()
    rig.bench.set_routes(PROBE)
    before_s = rig.world.now_s
    shot = shoot(rig, -1000.0, 270.0)

    found_s = rig.bench.first_crossing(2, -700.0 / 500.0, False, before_s, rig.world.now_s)

    assert found_s == pytest.approx(shot.start_s, abs=2e-6)
    assert shot.peak_v < -1000.0
    assert shot.peak_a < -50.0


def test_worn_and_missing_varistors_let_other_voltages_through():
    """Against a healthy one about 20 % less, and all of it."""
    peaks = {}
    for fault in ("", "mov-aged", "mov-missing"):
        rig = Rig(faults=[fault] if fault else [])
        rig.mains()
        peaks[fault] = shoot(rig, 1000.0).peak_v

    assert peaks["mov-aged"] == pytest.approx(0.825 * peaks[""], rel=0.02)
    assert peaks["mov-missing"] == pytest.approx(1000.0 + 325.0, abs=1.0)


def test_a_worn_varistor_leaks_into_the_source():
    """230 V over 470 kohm, in phase; the bus and the meters do not see it."""
    rigs = [Rig(faults=faults) for faults in ([], ["mov-aged"])]
    for rig in rigs:
        rig.mains()
    healthy, worn = (rig.bench.ac_window("source", rig.world.now_s - 0.5, rig.world.now_s) for rig in rigs)
    at_bus = [rig.bench.ac_window("reference", rig.world.now_s - 0.5, rig.world.now_s).p_w for rig in rigs]

    assert worn.p_w - healthy.p_w == pytest.approx(230.0**2 / 470e3, rel=1e-3)
    assert at_bus == [0.0, 0.0]


def test_a_healthy_unit_minds_no_surge():
    """It runs on: relay, energy, uptime; the fuse has taken a part of what it bears."""
    rig = Rig()
    rig.mains()
    rig.load(1, current_a=1.0)
    before = rig.rpc("Sys.GetStatus")
    for level_v in (2000.0, -2000.0):
        shoot(rig, level_v)
    rig.world.advance(1.0)
    after = rig.rpc("Sys.GetStatus")
    kinds = {event["kind"] for event in rig.world.events if event["t_s"] > rig.bench.shots[0].start_s}

    assert kinds == {"surge"}
    assert after["uptime"] - before["uptime"] == pytest.approx(1.1, abs=1.0)
    assert rig.unit.relays[0].contact.last
    assert rig.unit.fuse.whole


def test_the_fuse_melts_at_once_when_a_pulse_brings_its_melting_integral():
    """179 A2s on a cold fuse, as its time constant has it; half of it does nothing."""
    fuse = Fuse()
    fuse.absorb(1.0, 89.0)
    assert fuse.whole

    fuse.absorb(1.0, 90.0)
    assert not fuse.whole


def test_without_mains_it_fires_all_the_same_and_without_a_path_nothing_arrives():
    """A dead bus shows the wave alone; with an open neutral the generator sees its own level, the bus nothing."""
    rig = Rig()
    rig.bench.set_routes(PROBE)
    shot = shoot(rig, 1000.0)
    volts = 500.0 * rig.bench.scope_voltage_v(2, shot.instants_s)
    assert volts.max() == pytest.approx(shot.peak_v, rel=0.01)

    rig.bench.set_routes(PROBE | {314})
    shot = shoot(rig, 1000.0)
    assert shot.peak_v == pytest.approx(1000.0)
    assert shot.peak_a == 0.0
    assert not rig.bench.scope_voltage_v(2, shot.instants_s).any()
