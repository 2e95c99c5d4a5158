"""Dips, interruptions and harmonics on the simulated mains, held against formulas that are not the simulator's."""

import math

import numpy as np
import pytest
from desk import Desk
from physics_rig import Rig

from hil.sim.boards.front_end import FrontEnd
from hil.sim.boards.rails import BULK_F, BULK_TOLERANCE, STOP_V
from hil.sim.circuit import solve
from hil.sim.settings import AcSetting, LoadSetting

HALF_S = 0.010


def stepped(desk: Desk, volts: str, dwells_ms: str, angles: str, count: int = 1) -> float:
    """Run a list at 50 Hz; return when it was triggered."""
    n = volts.count(",") + 1
    zeros, hertz = ",".join(["0"] * n), ",".join(["50"] * n)
    desk.tell("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230;:FREQ 50;:OUTP ON")
    desk.pause(1.0)
    desk.tell(
        "AcSource",
        f"LIST:COUN {count};:LIST:BASE TIME;:LIST:DWEL {dwells_ms};:LIST:VOLT:AC:STAR {volts};"
        f":LIST:VOLT:AC:END {volts};:LIST:VOLT:DC:STAR {zeros};:LIST:VOLT:DC:END {zeros};"
        f":LIST:FREQ:STAR {hertz};:LIST:FREQ:END {hertz};:LIST:DEGR {angles};:OUTP:MODE LIST",
    )
    triggered_s = desk.world.now_s
    desk.tell("AcSource", "TRIG ON")
    return triggered_s


def mains(desk: Desk, from_s: float, to_s: float, points: int = 20001) -> tuple[np.ndarray, np.ndarray]:
    """Sample the source's terminals."""
    times = np.linspace(from_s, to_s, points)
    return times, desk.bench._history.waveform(lambda segment: segment.source.u, times)


def levels(desk: Desk) -> list[tuple[float, float]]:
    """Return since when which rms voltage was at the source's terminals."""
    steps = desk.bench._history.segments
    return [(t_s, math.sqrt(one.source.u2)) for t_s, (one, _) in zip(steps.starts_s, steps.values, strict=True)]


@pytest.mark.parametrize("angle_deg", [0, 90, 180])
def test_a_half_cycle_dip_begins_at_its_angle_and_lasts_half_a_cycle(desk, angle_deg):
    """From a zero crossing it takes half a wave away; from the crest the crest jumps to zero, and back."""
    at_s = stepped(desk, "230,0,230", "20,10,20", f"{angle_deg},{angle_deg},{(angle_deg + 180) % 360}")
    desk.pause(0.2)
    times, volts = mains(desk, at_s, at_s + 0.2)
    low = times[np.abs(volts) < 1e-9]
    hertz = desk.bench.ac.frequency_hz
    wave = math.sqrt(2) * 230 * np.sin(2 * math.pi * hertz * times)

    assert low[-1] - low[0] == pytest.approx(HALF_S * 50 / hertz, abs=2e-5)
    assert math.remainder(360 * hertz * low[0] - angle_deg, 360) == pytest.approx(0.0, abs=0.5)
    outside = (times < low[0] - 1e-5) | (times > low[-1] + 1e-5)
    assert (
        np.max(np.abs(volts[outside] - wave[outside])) < 4.0
    )  # never a jump of phase; level within its 0.2 % and drop


@pytest.mark.parametrize("cycles", [5, 25])
def test_the_rms_of_a_window_with_a_half_cycle_dip(desk, cycles):
    """One of 2 n half waves is missing: Un sqrt(1 - 1 / (2 n))."""
    at_s = stepped(desk, "230,0,230", "20,10,20", "0,0,180")
    desk.pause(1.0)
    begin_s = next(t_s for t_s, rms_v in levels(desk) if t_s > at_s and rms_v == 0.0)
    hertz = desk.bench.ac.frequency_hz
    window = desk.bench.ac_window("source", begin_s - 2 / hertz, begin_s + (cycles - 2) / hertz)

    assert window.u_rms_v == pytest.approx(230 * math.sqrt(1 - 1 / (2 * cycles)), rel=2e-3)


def test_the_list_repeats_and_ends_at_the_fixed_level(desk):
    """Three dips, then 230 V again, and a trigger state that says OFF."""
    at_s = stepped(desk, "230,92,230", "20,200,780", "0,0,0", count=3)
    desk.pause(0.1)
    running = desk.ask("AcSource", "TRIG:STAT?")
    desk.pause(3.2)
    dips = [t_s for t_s, rms_v in levels(desk) if t_s > at_s and rms_v < 100]

    assert (running, desk.ask("AcSource", "TRIG:STAT?;:OUTP:MODE?")) == ("RUNNING", "OFF;LIST")
    assert np.diff(dips) == pytest.approx([1.0, 1.0], rel=1e-3)
    assert levels(desk)[-1][1] == pytest.approx(230, rel=2e-3)


def test_output_off_ends_a_list(desk):
    """What comes after it never comes."""
    stepped(desk, "230,0,230", "20,500,20", "0,0,0")
    desk.pause(0.1)
    desk.tell("AcSource", "OUTP OFF")
    desk.pause(2.0)

    assert (desk.bench.ac.on, desk.ask("AcSource", "TRIG:STAT?")) == (False, "OFF")


REFUSED = {
    "TRIG ON": -221,  # in fixed mode
    "OUTP:MODE SINE": -224,
    "LIST:DEGR 360": -222,
    "LIST:COUN -1": -222,
    "LIST:BASE HOURS": -224,
    "VOLT:RANG LOW;:LIST:VOLT:AC:STAR 230": -222,
    "SYNT:FREQ 55": -222,
    "LIST:DWEL": -109,
    "OUTP:MODE LIST;:TRIG ON": -221,  # without a list, and off
    "LIST:DWEL 20": -221,  # in list mode
}


def test_what_does_not_fit_is_refused(desk):
    """The error queue says so."""
    answers = {}
    for message in REFUSED:
        desk.silent("AcSource", message)
        answers[message] = int(desk.ask("AcSource", "SYST:ERR?").split(",")[0])

    assert answers == REFUSED


def test_lists_of_unequal_length_are_not_run(desk):
    """Each point needs all of its values."""
    with pytest.raises(AssertionError, match="-221"):
        stepped(desk, "230,0,230", "20,10", "0,0,180")


def test_synthesis_adds_the_fifth_harmonic(desk):
    """230 V with 10 % of the fifth has an rms of 230 sqrt(1.01), and a crest that its phase decides."""
    amplitudes = "0,0,0,10"
    desk.tell("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230;:FREQ 50;:OUTP ON")
    desk.tell("AcSource", f"SYNT:COMP PERCENT;:SYNT:FUND 230;:SYNT:FREQ 50;:SYNT:AMPL {amplitudes};:SYNT:PHAS 0,0,0,0")
    desk.pause(0.5)
    desk.tell("AcSource", "OUTP:MODE SYNTH;:TRIG ON")
    desk.pause(0.5)
    times, volts = mains(desk, desk.world.now_s - 0.04, desk.world.now_s)
    angle = 2 * math.pi * desk.bench.ac.frequency_hz * times
    formula = 230 * math.sqrt(2) * (np.sin(angle) + 0.1 * np.sin(5 * angle))

    assert float(desk.ask("AcSource", "MEAS:VOLT:ACDC?")) == pytest.approx(230 * math.sqrt(1.01), rel=5e-3)
    assert np.max(np.abs(volts - formula)) < 5.0
    desk.tell("AcSource", "TRIG OFF;:OUTP:MODE FIXED")
    assert desk.bench.ac.harmonics == ()


def test_the_standards_waveform_carries_four_percent_more_power():
    """U5 10 %, I5 40 %, in phase: 1.04 of the fundamental's (IEC 62053-21:2003); a meter's filters take some of it."""
    u = {1: 230 + 0j, 5: 23 + 0j}
    i = {1: 1.5 + 0j, 5: 0.6 + 0j}
    power = sum((u[order] * i[order].conjugate()).real for order in u)
    front = FrontEnd(1.0, 1.0, 1 + 0j, 0.0)
    seen, alone = front.inputs(u, i, 50.0).p, front.inputs({1: u[1]}, {1: i[1]}, 50.0).p
    pole = lambda hertz: 1 / (1 + (hertz / 1100.0) ** 2)  # noqa: E731  # one pole in the voltage, one in the current

    assert power / (230 * 1.5) == pytest.approx(1.04)
    assert seen / alone == pytest.approx(1 + 0.04 * pole(250) / pole(50))


def test_a_resistor_draws_the_voltages_harmonics():
    """I5 / I1 is U5 / U1, in phase with it whatever the phase of the fundamental."""
    ac = AcSetting(voltage_v=230.0, phase_deg=37.0, harmonics=((5, 0.1, 0.0),), on=True)
    load = LoadSetting(function="RES", resistance_ohm=153.0, on=True)
    current = solve(ac, load, [0.02, None, None, None], frozenset({1}), 0.0, fed=True).load.i
    relative = current[5] / current[1] ** 5 * abs(current[1]) ** 5

    assert abs(relative) / abs(current[1]) == pytest.approx(0.1, rel=1e-3)
    assert math.degrees(math.atan2(relative.imag, relative.real)) == pytest.approx(0.0, abs=0.1)


def test_the_supply_holds_up_as_long_as_its_capacitor_has_energy():
    """C (Un^2 - Ustop^2) / P, peak to peak: the rail falls then, and not before."""
    rig = Rig()
    rig.mains()
    power_w = rig.unit.mains_w()
    rig.bench.set_ac(voltage_v=0.0)
    gone_s = rig.world.now_s
    while rig.unit.levels.last.rail_5v > 1.0 and rig.world.now_s < gone_s + 5.0:
        rig.world.advance(1e-3)
    held_s = rig.world.now_s - gone_s

    assert held_s == pytest.approx(BULK_F * (230.0**2 - STOP_V**2) / power_w, rel=BULK_TOLERANCE + 0.01)


@pytest.mark.parametrize(
    ("faults", "dip_s", "resets"),
    [
        ((), 0.02, False),
        ((), 5.0, True),
        (("supply-hold-up-short",), 0.01, True),
        (("supply-hold-up-short",), 0.0, False),
    ],
)
def test_what_outlasts_the_hold_up_resets_the_firmware_and_no_relay_moves(faults, dip_s, resets):
    """The armatures latch; the program begins anew."""
    rig = Rig(faults=faults)
    rig.mains()
    rig.rpc("Switch.Set", id=0, on=True)
    rig.world.advance(3.0)
    boots = sum(event["kind"] == "boot" for event in rig.world.events)
    if dip_s:
        rig.bench.set_ac(voltage_v=0.0)
        rig.world.advance(dip_s)
        rig.bench.set_ac(voltage_v=230.0)
    rig.world.advance(3.0)

    assert sum(event["kind"] == "boot" for event in rig.world.events) - boots == int(resets)
    assert [ohm is not None for ohm in rig.unit.contacts_ohm] == [True, False, False, False]
