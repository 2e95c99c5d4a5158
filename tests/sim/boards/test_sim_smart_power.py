"""The unit: each fault changes what it should, at its place, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_rig import Rig

from hil.sim.boards.front_end import FrontEnd


def rails(*faults: str) -> Rig:
    rig = Rig(faults=faults)
    rig.rails()
    return rig


def switch(rig: Rig, number: int, on: bool) -> bool:
    """Command a relay and return its contact."""
    rig.rpc("Switch.Set", id=number - 1, on=on)
    rig.world.advance(0.3)
    return rig.unit.relays[number - 1].contact.last


def test_set_open():
    """The SET coil measures open, its collector does not idle at 5 V, and the contact stays open."""
    rig = rails("k2-set-open")
    rig.bench.set_routes(frozenset({209, 103}))

    assert rig.bench.dmm_resistance_ohm() == math.inf
    assert rig.bench.scope_voltage_v(1, np.array([rig.world.now_s]))[0] < 1.0
    assert switch(rig, 2, True) is False
    assert switch(rig, 1, True) is True


def test_reset_open():
    """Once closed it never opens."""
    rig = rails("k3-reset-open")

    assert switch(rig, 3, True) is True
    assert switch(rig, 3, False) is True


def test_welded():
    """Closed whatever is commanded, from the first moment."""
    rig = rails("k1-welded")

    assert rig.unit.relays[0].contact.last
    assert switch(rig, 1, False) is True


def test_welded_later():
    """A contact that welds while closed stays closed."""
    rig = rails("k1-welded@5")
    before = [switch(rig, 1, on) for on in (True, False)]
    rig.world.advance(5.0)

    assert before == [True, False]
    assert rig.unit.relays[0].contact.last


def test_contact_resistance():
    """A quarter of an ohm instead of milliohms."""
    rig = rails("k4-contact-resistance")
    switch(rig, 4, True)

    assert rig.unit.contacts_ohm[3] == 0.25


def test_slow():
    """The contact moves more than 15 ms after the coil, and still latches."""
    rig = rails("k2-slow")
    assert switch(rig, 2, True)

    edges = {
        e["kind"]: e["t_s"] for e in rig.world.events if e["kind"] == "contact" or (e["kind"] == "coil" and e["on"])
    }
    assert edges["contact"] - edges["coil"] > 15e-3


def test_coils_swapped():
    """The SET command pulls the RESET collector."""
    rig = rails("k3-coils-swapped")
    switch(rig, 3, True)

    assert [e["coil"] for e in rig.world.events if e["kind"] == "coil"] == ["K3.RESET", "K3.RESET"]
    assert not rig.unit.relays[2].contact.last


def test_coil_glitch():
    """A 2 ms pulse on SET when EN is released; too short to latch."""
    rig = rails("k2-coil-glitch")
    edges = [e for e in rig.world.events if e["kind"] == "coil"]

    assert [e["coil"] for e in edges] == ["K2.SET", "K2.SET"]
    assert edges[1]["t_s"] - edges[0]["t_s"] == pytest.approx(2e-3, abs=1e-4)
    assert not rig.unit.relays[1].contact.last

    rig.hold()
    rig.world.advance(0.1)
    rig.release()
    rig.world.advance(1.0)

    assert len([e for e in rig.world.events if e["kind"] == "coil"]) == 4


def test_healthy_units_pulse_nothing_at_boot():
    """No coil is driven from power-up to application start."""
    assert not [e for e in rails().world.events if e["kind"] == "coil"]


def test_chip_selects_swapped():
    """U1's select reaches U2 and the other way round; U3 is where it was."""
    rig = rails("cs-swapped-u1-u2")
    rig.hold()
    rig.world.advance(0.01)
    rig.write(0, 0x03, 0x1111)
    rig.write(2, 0x03, 0x3333)

    assert [meter.fetch(rig.world.now_s, 0x03) for meter in rig.unit.meters] == [0x1D6A, 0x1111, 0x3333, 0x1D6A]


def test_miso_stuck():
    """Everything reads zero, for the tester and for the firmware."""
    rig = rails("miso-stuck")
    assert rig.rpc("Factory.MeterRead", meter=1, address=0x03)["value"] == 0
    assert rig.rpc("Switch.GetStatus", id=0)["errors"] == ["meter"]

    rig.hold()
    rig.world.advance(0.01)

    assert rig.frame(0, 0x830000) == 0


def test_rail_3v3_low():
    """3.05 V: meters and MCU go on."""
    rig = rails("rail-3v3-low")
    rig.bench.set_routes(frozenset({206}))

    assert rig.bench.dmm_voltage_v() == 3.05
    assert rig.rpc("Sys.GetStatus")["uptime"] >= 0


METER_FAULTS = [
    ("u1-gain-out-of-range", 1.0, lambda ratio: ratio < 0.55),
    ("u1-phase-error", 0.5, lambda ratio: abs(ratio - 1) > 0.3),
    ("u1-ct-reversed", 1.0, lambda ratio: -1.04 < ratio < -0.96),
]


@pytest.mark.parametrize(("fault", "factor", "wrong"), METER_FAULTS)
def test_meter_faults(fault, factor, wrong):
    """The faulty front end is far off at its point; the others are as good as ever."""
    for socket in (1, 2):
        rig = Rig(faults=[fault])
        rig.mains()
        rig.load(socket, current_a=1.0, power_factor=factor)
        window = rig.bench.ac_window("reference", rig.world.now_s - 0.5, rig.world.now_s)
        ratio = rig.rpc("Switch.GetStatus", id=socket - 1)["apower"] / window.p_w

        assert wrong(ratio) if socket == 1 else ratio == pytest.approx(1.0, abs=0.04)


def test_a_core_of_low_permeability_loses_current_at_light_load():
    """As stated at 50 mA, less at more current, nothing at the ampere where it was trimmed; the phase stays."""
    ways = {}
    for loss in (0.0, 2.0):
        rig = Rig(faults=[f"u1-ct-nonlinear={loss}"])
        front_end = FrontEnd.of(rig.world, 1)
        ways[loss] = [front_end.inputs({1: 230.0 + 0j}, {1: amps + 0j}, 50.0) for amps in (0.01, 0.05, 0.1, 1.0, 3.0)]
    lost_pct = [100 * (1 - math.sqrt(bad.i2 / good.i2)) for bad, good in zip(ways[2.0], ways[0.0], strict=True)]

    assert lost_pct[1] == pytest.approx(2.0)
    assert lost_pct[0] > lost_pct[1] > lost_pct[2] > lost_pct[3] > lost_pct[4]
    assert lost_pct[3] == pytest.approx(0.0, abs=1e-9)
    for bad, good in zip(ways[2.0], ways[0.0], strict=True):
        assert bad.q / good.q == pytest.approx(math.sqrt(bad.i2 / good.i2))


def test_healthy_meters_are_within_their_tolerances():
    """Fifty units: power within 4 % at PF 1, and no two alike."""
    ratios = set()
    for number in range(50):
        rig = Rig(f"SP-{number:06d}")
        rig.mains()
        rig.load(1)
        ratio = rig.rpc("Switch.GetStatus", id=0)["apower"] / rig.bench.ac_window("reference", 5, 5.5).p_w
        assert ratio == pytest.approx(1.0, abs=0.035)
        ratios.add(ratio)

    assert len(ratios) > 45


def test_contention_is_garbage_and_a_violation():
    """Mastering the bus while the MCU is out of reset spoils the frame and is written down."""
    rig = rails()
    answers = {rig.read(0, 0x03) for _ in range(8)}

    assert len(answers) > 3
    assert any(e["kind"] == "violation" and "out of reset" in e["what"] for e in rig.world.events)


def test_ps1_starts_late_and_holds_up():
    """Mains gives 5 V after its start-up time; a short dip does not reach the rail, losing mains does."""
    rig = Rig()
    rig.bench.set_ac(voltage_v=230.0, on=True)
    rig.world.advance(0.05)
    early = rig.unit.levels.last.rail_5v
    rig.world.advance(1.0)
    running = rig.unit.levels.last.rail_5v
    rig.bench.set_ac(on=False)
    rig.world.advance(0.015)
    rig.bench.set_ac(on=True)
    rig.world.advance(0.1)
    dipped = rig.unit.levels.last.rail_5v
    rig.bench.set_ac(on=False)
    rig.world.advance(0.1)
    held = rig.unit.levels.last.rail_5v
    rig.world.advance(1.0)

    assert early == 0.0
    assert running == pytest.approx(5.0, rel=0.015)
    assert dipped == running
    assert held == running
    assert rig.unit.levels.last.rail_5v == 0.0


def test_lid_and_emergency_stop_reach_the_port():
    """Bits 2 and 3 follow the operator's hands."""
    rig = Rig()
    closed = rig.bench.fixture.gpio_read()
    rig.bench.fixture.set_lid(False)
    rig.bench.fixture.set_emergency_stop(False)

    assert closed & 0x0C == 0x0C
    assert rig.bench.fixture.gpio_read() & 0x0C == 0
