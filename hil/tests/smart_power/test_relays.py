"""Relays K1-K4: latching, memory, timing, drive, coil and contact. Contacts are wetted with 12 VDC, mains is off.

Method: IEC 61810-7 definitions; contacts are read back, never believed from the command (finding DR-29).
"""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.journal.events import WAVEFORM
from hil.metrology.budget import Component, combine, rectangular, resolution
from hil.metrology.decision import Verdict
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.relayshot import (
    DC_GAIN,
    NARROW_V,
    OTHER,
    OWN,
    RAIL_V,
    SCOPE_TIMEBASE,
    WIDE_V,
    RelayShots,
    Shot,
    coil_pulses,
)

RELAYS = ("K1", "K2", "K3", "K4")
ACTIONS = ("SET", "RESET")
OFF_S = 1.0
CONTACT_TEST_A = 1.0
CONTACT_TEST_V = 6.0
CONTACT_OUTPUT = 2
CONTACT_SETTLE_S = 0.1
CONTACT_DROP_V = 0.5  # a bad contact must still be a number

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
def test_contact_timing(shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
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
        budget = combine(value_s, "s", _time_components(shot, value_s))
        verdict = measure(name, budget.reading, budget=budget.components, relay=relay, action=action)
        if verdict is Verdict.FAIL:
            measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)


@pytest.mark.requirement("REL-08")
@each_relay
@each_action
def test_pulse_width(shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """The coil pulse is as long as the relay needs and no longer."""
    if not measure.ready("relay.pulse_width", relay=relay, action=action):
        return
    shot = _taken(shots, relay, action)
    width_s = shot.own_pulses[0].width_s
    budget = combine(width_s, "s", _time_components(shot, width_s))
    measure("relay.pulse_width", budget.reading, budget=budget.components, relay=relay, action=action)


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
    parts = [
        rectangular("sampling, two edges: at most one sample", sample_s),
        rectangular("time base", abs(dead_s) * SCOPE_TIMEBASE),
    ]
    budget = combine(dead_s, "s", parts)
    measure("relay.dead_time", budget.reading, budget=budget.components, relay=relay)


@pytest.mark.requirement("REL-11")
@each_relay
@each_action
def test_flyback_is_clamped(shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """When the driver lets go, the diode holds the collector near the rail."""
    if not measure.ready("relay.flyback_peak", relay=relay, action=action):
        return
    shot = _taken(shots, relay, action)
    peak_v = float(shot.own.voltage_v.max())
    if shot.own.overdriven:
        measure.note(f"{relay} {action}: the collector left the oscilloscope's screen; {peak_v:.1f} V is a lower bound")
    full_scale_v = WIDE_V[1] - WIDE_V[0]
    budget = combine(peak_v, "V", [rectangular("oscilloscope, 3 % of full scale", DC_GAIN * full_scale_v)])
    verdict = measure("relay.flyback_peak", budget.reading, budget=budget.components, relay=relay, action=action)
    if verdict is Verdict.FAIL:
        measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)


@pytest.mark.requirement("REL-10")
@each_relay
@each_action
def test_driver_saturates(shots: RelayShots, measure: Measurer, relay: str, action: str) -> None:
    """During the pulse the collector is low enough to give the coil its voltage."""
    if not measure.ready("relay.saturation_voltage", relay=relay, action=action):
        return
    shot = shots.capture(relay, action, NARROW_V)
    assert shot is not None, f"{relay} {action}: the coil was not seen to move this time"
    samples = shot.saturation_v(shot.own_pulses[0])
    full_scale_v = NARROW_V[1] - NARROW_V[0]
    parts = [
        Component(
            "scatter of the samples",
            "A",
            "normal",
            float(samples.std(ddof=1)) / len(samples) ** 0.5,
            dof=len(samples) - 1,
        ),
        rectangular("oscilloscope, 3 % of full scale", DC_GAIN * full_scale_v),
        resolution("8 bits of full scale", full_scale_v / 256),
    ]
    budget = combine(float(samples.mean()), "V", parts)
    measure("relay.saturation_voltage", budget.reading, budget=budget.components, relay=relay, action=action)


@pytest.mark.requirement("REL-13")
@each_relay
def test_contact_resistance(bench: Station, shots: RelayShots, measure: Measurer, relay: str) -> None:
    """The closed contact, four wire at 1 A, offset taken with the current off."""
    if not measure.ready("relay.contact_resistance", relay=relay):
        return
    shots.command(relay, "SET")
    with bench.route(f"source_1a.{relay}", f"dmm.contact.{relay}"):
        supply = bench.dc_supply
        try:
            supply.set_output(CONTACT_OUTPUT, CONTACT_TEST_V, CONTACT_TEST_A)
            supply.on(CONTACT_OUTPUT)
            bench.clock.sleep(CONTACT_SETTLE_S)
            current_a = supply.measure_current_a(CONTACT_OUTPUT)
            drop = bench.dmm.measure_dc_voltage_v(CONTACT_DROP_V)
        finally:
            supply.output_off(CONTACT_OUTPUT)
        bench.clock.sleep(CONTACT_SETTLE_S)
        offset = bench.dmm.measure_dc_voltage_v(CONTACT_DROP_V)
    accuracy = supply.current_accuracy_a(CONTACT_OUTPUT, current_a)
    resistance_ohm = (drop.value - offset.value) / current_a
    budget = combine(
        resistance_ohm,
        "ohm",
        [
            rectangular(f"DMM, drop: {drop.source}", drop.half_width, 1 / current_a),
            rectangular(f"DMM, offset: {offset.source}", offset.half_width, 1 / current_a),
            rectangular(f"DC supply: {accuracy.source}", accuracy.half_width, resistance_ohm / current_a),
        ],
    )
    measure("relay.contact_resistance", budget.reading, budget=budget.components, relay=relay)


@pytest.mark.requirement("REL-14")
def test_spread_of_set_times(shots: RelayShots, measure: Measurer) -> None:
    """The four relays close within a few milliseconds of each other."""
    if not measure.ready("relay.set_time_spread"):
        return
    taken = [_taken(shots, relay, "SET") for relay in RELAYS]
    times_s = [shot.contact_edges[0].time_s - shot.own_pulses[0].start_s for shot in taken]
    spread_s = max(times_s) - min(times_s)
    parts = [
        rectangular("sampling, four edges: at most two samples", 2.0 * taken[0].sample_s),
        rectangular("time base", spread_s * SCOPE_TIMEBASE),
    ]
    budget = combine(spread_s, "s", parts)
    measure("relay.set_time_spread", budget.reading, budget=budget.components)


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


def _time_components(shot: Shot, value_s: float) -> list[Component]:
    """Two edges, each found to a sample; the time base; and the level at which the edge is read."""
    return [
        rectangular("sampling, two edges: at most one sample", shot.sample_s),
        rectangular("time base of the oscilloscope", abs(value_s) * SCOPE_TIMEBASE),
    ]


def _keep_failed(measure: Measurer, shots: RelayShots, verdict: Verdict, relay: str, action: str) -> None:
    """Keep the picture of an actuation that failed."""
    if verdict is Verdict.FAIL and (shot := shots.take(relay, action)) is not None:
        measure.attach(f"{relay} {action}", shot.picture(f"{relay} {action}"), WAVEFORM)
