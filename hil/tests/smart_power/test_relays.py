"""Relays K1-K4: latching, memory, timing, drive, coil and contact. Contacts are wetted with 12 VDC, mains is off.

Method: IEC 61810-7 definitions; contacts are read back, never believed from the command (finding DR-29).
"""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.journal.events import WAVEFORM
from hil.metrology.budget import Component, rectangular
from hil.metrology.decision import REJECTED, Verdict
from hil.metrology.propagation import as_read
from hil.metrology.waveforms import Samples
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.contact import contact_resistance
from hil.tests.smart_power.relayshot import (
    NARROW_V,
    OTHER,
    OWN,
    RAIL_V,
    WIDE_V,
    RelayShots,
    Shot,
    coil_pulses,
)
from hil.tests.smart_power.scoped import interval, voltage

RELAYS = ("K1", "K2", "K3", "K4")
ACTIONS = ("SET", "RESET")
OFF_S = 1.0

each_relay = pytest.mark.parametrize("relay", RELAYS)
each_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.mark.requirement("REL-01")
@each_relay
@each_action
def test_command_pulses_its_own_coil(shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """SET and RESET each pulse the coil they name, once, and the other coil stays quiet."""
    if not measure.ready("relay.pulses_own_coil", relay=relay, action=action):
        return
    shot = shots.take(relay, action)
    own = shot is not None and len(shot.own_pulses) == 1 and not shot.other_pulses
    measure.check("relay.pulses_own_coil", own, relay=relay, action=action)
    if shot is not None and not own:
        measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)


@pytest.mark.requirement("REL-02")
@each_relay
def test_set_closes_and_stays(bench: Station, shots: RelayShots, measure: Measurer, relay: str) -> None:
    """After SET the contact is closed, and one second later it still is."""
    if not measure.ready("relay.set_latches", relay=relay):
        return
    shots.command(relay, "RESET")
    shots.command(relay, "SET")
    closed = bench.fixture.contact_closed(int(relay[1:]))
    bench.clock.sleep(1.0)
    verdict = measure.check("relay.set_latches", closed and bench.fixture.contact_closed(int(relay[1:])), relay=relay)
    _keep_failed(measure, shots, verdict, relay, "SET")


@pytest.mark.requirement("REL-03")
@each_relay
def test_reset_opens_and_stays(bench: Station, shots: RelayShots, measure: Measurer, relay: str) -> None:
    """After RESET the contact is open, and one second later it still is."""
    if not measure.ready("relay.reset_opens", relay=relay):
        return
    shots.command(relay, "SET")
    shots.command(relay, "RESET")
    opened = not bench.fixture.contact_closed(int(relay[1:]))
    bench.clock.sleep(1.0)
    verdict = measure.check(
        "relay.reset_opens", opened and not bench.fixture.contact_closed(int(relay[1:])), relay=relay
    )
    _keep_failed(measure, shots, verdict, relay, "RESET")


@pytest.mark.requirement("REL-05", "REL-06", "REL-07")
@each_relay
@each_action
def test_contact_timing(bench: Station, shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """Coil edge to first contact edge, bounce from first to last, coil edge to last."""
    names = ("relay.operate_time", "relay.bounce_time", "relay.stable_time")
    if not measure.ready(*names, relay=relay, action=action):
        return
    shot = shots.take(relay, action)
    assert shot is not None, f"{relay} {action}: the coil was not seen to move this time"
    start_s, contact = shot.own_pulses[0].start_s, shot.contact_edges
    assert contact, f"{relay} {action}: the contact was not seen to move this time"
    first_s, last_s = contact[0].time_s - start_s, contact[-1].time_s - start_s

    for name, value_s in zip(names, (first_s, last_s - first_s, last_s), strict=True):
        verdict = measure(name, interval(bench, value_s, _sampling(shot)), relay=relay, action=action)
        if verdict in REJECTED:
            measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)


@pytest.mark.requirement("REL-08")
@each_relay
@each_action
def test_pulse_width(bench: Station, shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """The coil pulse is as long as the relay needs and no longer."""
    if not measure.ready("relay.pulse_width", relay=relay, action=action):
        return
    shot = _taken(shots, relay, action)
    budget = interval(bench, shot.own_pulses[0].width_s, _sampling(shot))
    measure("relay.pulse_width", budget, relay=relay, action=action)


@pytest.mark.requirement("REL-09")
@each_relay
def test_set_and_reset_keep_their_distance(
    bench: Station, board: SmartPower, shots: RelayShots, measure: Measurer, relay: str
) -> None:
    """SET and RESET commanded back to back: the second pulse waits for the dead time."""
    if not measure.ready("relay.dead_time", relay=relay):
        return
    shots.command(relay, "RESET")
    target = board.relays[int(relay[1:]) - 1]
    with bench.route(f"scope1.{relay}.SET", f"scope2.{relay}.RESET"):
        bench.scope.set_timebase(0.5, 0.02)
        for channel in (OWN, OTHER):
            bench.scope.set_channel(channel, *WIDE_V)
        bench.scope.arm(OWN, RAIL_V / 2, rising=False)
        target.set()
        target.reset()
        bench.clock.sleep(0.6)
        waves = [bench.scope.read_waveform(channel, allow_overdrive=True) for channel in (OWN, OTHER)]
    set_pulse, reset_pulse = (coil_pulses(wave)[0] for wave in waves)
    dead_s = reset_pulse.start_s - set_pulse.end_s
    sample_s = float(waves[0].time_s[1] - waves[0].time_s[0])
    budget = interval(bench, dead_s, rectangular("sampling, two edges: at most one sample", sample_s))
    measure("relay.dead_time", budget, relay=relay)


@pytest.mark.requirement("REL-11")
@each_relay
@each_action
def test_flyback_is_clamped(bench: Station, shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """When the driver lets go, the diode holds the collector near the rail."""
    if not measure.ready("relay.flyback_peak", relay=relay, action=action):
        return
    shot = _taken(shots, relay, action)
    peak_v = float(shot.own.voltage_v.max())
    if shot.own.overdriven:
        measure.note(f"{relay} {action}: the collector left the oscilloscope's screen; {peak_v:.1f} V is a lower bound")
    verdict = measure("relay.flyback_peak", as_read(voltage(bench, peak_v, *WIDE_V)), relay=relay, action=action)
    if verdict in REJECTED:
        measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)


@pytest.mark.requirement("REL-10")
@each_relay
@each_action
def test_driver_saturates(bench: Station, shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """During the pulse the collector is low enough to give the coil its voltage."""
    if not measure.ready("relay.saturation_voltage", relay=relay, action=action):
        return
    shot = shots.capture(relay, action, NARROW_V)
    assert shot is not None, f"{relay} {action}: the coil was not seen to move this time"
    samples = shot.saturation_v(shot.own_pulses[0])
    mean_v = voltage(bench, float(samples.mean()), *NARROW_V).plus(_scatter(samples))
    measure("relay.saturation_voltage", as_read(mean_v), relay=relay, action=action)


@pytest.mark.requirement("REL-13")
@each_relay
def test_contact_resistance(bench: Station, shots: RelayShots, measure: Measurer, relay: str) -> None:
    """The closed contact, four wire at 1 A, offset taken with the current off."""
    if not measure.ready("relay.contact_resistance", relay=relay):
        return
    shots.command(relay, "SET")
    measure("relay.contact_resistance", contact_resistance(bench, relay), relay=relay)


@pytest.mark.requirement("REL-14")
def test_spread_of_set_times(bench: Station, shots: RelayShots, measure: Measurer) -> None:
    """The four relays close within a few milliseconds of each other."""
    if not measure.ready("relay.set_time_spread"):
        return
    taken = [_taken(shots, relay, "SET") for relay in RELAYS]
    times_s = [shot.contact_edges[0].time_s - shot.own_pulses[0].start_s for shot in taken]
    sampling = rectangular("sampling, four edges: at most two samples", 2.0 * taken[0].sample_s)
    measure("relay.set_time_spread", interval(bench, max(times_s) - min(times_s), sampling))


@pytest.mark.requirement("REL-04")
@pytest.mark.parametrize("state", ["closed", "open"])
def test_contacts_remember_without_power(
    bench: Station, board: SmartPower, shots: RelayShots, measure: Measurer, state: str
) -> None:
    """5 V is taken away and given back; no contact moves, neither then nor during boot."""
    ready = [relay for relay in RELAYS if measure.ready("relay.state_survives", relay=relay, state=state)]
    if not ready:
        return
    for relay in ready:
        shots.command(relay, "SET" if state == "closed" else "RESET")
    bench.dc_supply.output_off(1)
    bench.clock.sleep(OFF_S)
    without = {relay: bench.fixture.contact_closed(int(relay[1:])) for relay in ready}
    bench.dc_supply.on(1)
    board.wait_for_boot()
    for relay in ready:
        after = bench.fixture.contact_closed(int(relay[1:]))
        kept = without[relay] == after == (state == "closed")
        measure.check("relay.state_survives", kept, relay=relay, state=state)


def _taken(shots: RelayShots, relay: str, action: str) -> Shot:
    shot = shots.take(relay, action)
    assert shot is not None, f"{relay} {action}: the coil was not seen to move"
    return shot


def _sampling(shot: Shot) -> Component:
    """Two edges, each found to a sample."""
    return rectangular("sampling, two edges: at most one sample", shot.sample_s)


def _scatter(samples: Samples) -> Component:
    """The scatter of a mean of samples, in volts."""
    u = float(samples.std(ddof=1)) / len(samples) ** 0.5
    return Component("scatter of the samples", "A", "normal", u, dof=len(samples) - 1)


def _keep_failed(measure: Measurer, shots: RelayShots, verdict: Verdict, relay: str, action: str) -> None:
    """Keep the picture of an actuation that failed."""
    if verdict in REJECTED and (shot := shots.take(relay, action)) is not None:
        measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)
