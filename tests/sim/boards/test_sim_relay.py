"""The latching relays: operate, bounce, memory, minimum pulse."""

from __future__ import annotations

import numpy as np
import pytest
from physics_rig import Rig


def contacts(rig: Rig, relay: str = "K1") -> list[dict]:
    return [e for e in rig.world.events if e["kind"] == "contact" and e["relay"] == relay]


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.rails()
    return rig


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_set_closes_and_reset_opens(rig, number):
    """First edge after 3.5 to 9 ms, an even number of bounces within 3 ms, and the end state is the commanded one."""
    for on, action in ((True, "SET"), (False, "RESET")):
        before = len(contacts(rig, f"K{number}"))
        start_s = rig.world.now_s
        rig.rpc("Switch.Set", id=number - 1, on=on)
        rig.world.advance(0.2)
        edges = contacts(rig, f"K{number}")[before:]

        assert 3.3e-3 < edges[0]["t_s"] - start_s < 9e-3, action
        assert len(edges) % 2 == 1
        assert len(edges) <= 5
        assert edges[-1]["t_s"] - edges[0]["t_s"] <= 3e-3
        assert edges[-1]["closed"] is on
        assert bool(rig.bench.fixture.gpio_read() >> (3 + number) & 1) is on


def test_the_state_survives_power_loss(rig):
    """No power, no movement; no pulse at boot."""
    rig.rpc("Switch.Set", id=0, on=True)
    rig.world.advance(0.2)
    rig.bench.set_dc(1, on=False)
    rig.world.advance(5.0)
    closed_without = rig.unit.relays[0].contact.last
    seen = len(rig.world.events)
    rig.bench.set_dc(1, on=True)
    rig.world.advance(3.0)

    assert closed_without
    assert rig.unit.relays[0].contact.last
    assert rig.rpc("Switch.GetStatus", id=0)["output"] is True
    assert not [e for e in rig.world.events[seen:] if e["kind"] in ("coil", "contact")]


@pytest.mark.parametrize(("duration_ms", "latches"), [(2, False), (12, True)])
def test_a_pulse_shorter_than_operating_does_not_latch(rig, duration_ms, latches):
    """The armature falls back."""
    rig.rpc("Factory.CoilPulse", coil="K1.SET", duration_ms=duration_ms)
    rig.world.advance(0.2)

    assert rig.unit.relays[0].contact.last is latches


def test_a_low_rail_operates_slower_and_a_lower_one_not_at_all():
    """Operate time depends on voltage; below 3.5 V at the coil nothing moves."""
    times = []
    for volts in (5.0, 4.6):
        rig = Rig()
        rig.bench.set_dc(1, voltage_v=volts, current_limit_a=1.5, on=True)
        rig.world.advance(2.0)
        start_s = rig.world.now_s
        rig.rpc("Switch.Set", id=0, on=True)
        rig.world.advance(0.2)
        times.append(contacts(rig)[0]["t_s"] - start_s)
    relay = rig.unit.relays[0]
    rig.bench.set_dc(1, voltage_v=3.6)
    relay.drive("RESET", True)
    rig.world.advance(0.2)

    assert times[1] > times[0] * 1.02
    assert relay.contact.last


def test_both_coils_together_are_a_violation(rig):
    """The end state is chance, and the log says why."""
    relay = rig.unit.relays[2]
    relay.drive("SET", True)
    relay.drive("RESET", True)
    rig.world.advance(0.1)

    assert any("together" in e["what"] for e in rig.world.events if e["kind"] == "violation")


def test_the_coil_current_rises_exponentially(rig):
    """L over R is about 1.4 ms; the end value is rail over resistance."""
    relay = rig.unit.relays[0]
    relay.drive("SET", True)
    rig.world.advance(0.05)
    on_s = relay.coils["SET"].pulses[-1].on_s
    early, late = relay.coil_current_a(on_s + np.array([1.4e-3, 0.03]))

    assert late == pytest.approx(4.85 / relay.coil_ohm("SET"), rel=0.05)
    assert early / late == pytest.approx(0.63, abs=0.03)


def test_individuals_differ_by_serial_and_stay_in_their_class():
    """Coils 42 ohm +/-4 %, contacts 10 to 40 milliohm, no two units alike."""
    seen = set()
    for number in range(20):
        for relay in Rig(f"SP-{number}").unit.relays:
            seen.add((round(relay.coil_ohm("SET"), 6), relay._contact_ohm))
            assert relay.coils["SET"].ohm_20c == pytest.approx(42.0, rel=0.04)
            assert 0.010 <= relay._contact_ohm <= 0.040

    assert len(seen) == 80
