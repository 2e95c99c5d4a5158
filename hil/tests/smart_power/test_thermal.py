"""The over-temperature trip: where, how soon, and how it lets go. A resistance stands in for the NTC; mains is off.

Contacts are read back, never believed from the command (finding DR-29); times are the oscilloscope's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.protection import OVERTEMPERATURE
from hil.errors import UnitRefused
from hil.journal.events import WAVEFORM
from hil.metrology.budget import rectangular, resolution
from hil.metrology.waveforms import edges
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.picture import picture
from hil.tests.smart_power.relayshot import CONTACT, CONTACT_HYSTERESIS_V, WETTING_V, wetting
from hil.tests.smart_power.scoped import interval
from hil.tests.smart_power.sensor import COOL_S, RELAY_WAIT_S, Sensor, stand_in

SOCKETS = (1, 2, 3, 4)
RAMP_BELOW_K, RAMP_ABOVE_K = 6.0, 12.0  # where the ramp begins and ends, from the configured temperature
RAMP_STEP_K = 0.5
HOLD_S = 4.0  # a step: three times the latency allowed, so that a trip that is late does not look hot
HOT_K = 15.0  # above the configured temperature: surely too hot
NTC_NODE = 2  # oscilloscope channel
NODE_V = (-0.5, 3.5)
NODE_HYSTERESIS_V = 0.2
RECORD_S, PRE_TRIGGER_S = 4.5, 0.1
PICTURE_EVERY = 50  # samples
STAYS_S = 10.0


@pytest.fixture(scope="module")
def sensor(bench: Station, board: SmartPower, rails: None) -> Iterator[Sensor]:
    """The stand-in for the NTC, in place for the whole file."""
    with stand_in(bench, board) as connected:
        yield connected


@pytest.mark.requirement("TH-02")
def test_the_unit_knows_its_thresholds(board: SmartPower, rails: None, measure: Measurer) -> None:
    """What the firmware says it trips at is what the board's data say."""
    if not measure.ready("thermal.thresholds_agree"):
        return
    said, trips = board.protection.thresholds(), board.revision.trips
    agree = (said.overtemperature_c, said.rearm_c) == (trips.overtemperature_c.value, trips.rearm_c.value)
    measure.check("thermal.thresholds_agree", agree)


@pytest.mark.requirement("TH-02")
def test_a_ramp_trips_it(request: pytest.FixtureRequest, board: SmartPower, measure: Measurer) -> None:
    """Warmed step by step, it opens the contacts at the configured temperature."""
    sensor = stand_in_for(request, measure, "thermal.trip_temperature")
    if sensor is None:
        return
    trip_c = board.revision.trips.overtemperature_c.value
    closed = sensor.ready()
    temp_c, end_c = trip_c - RAMP_BELOW_K, trip_c + RAMP_ABOVE_K
    while True:
        sensor.show(temp_c)
        sensor.bench.clock.sleep(HOLD_S)
        if sensor.opened(closed) or temp_c >= end_c:
            break
        temp_c += RAMP_STEP_K

    if not sensor.opened(closed):
        measure.note(f"no trip up to {temp_c:.1f} degrees Celsius: the temperature is a lower bound")
    elif temp_c == trip_c - RAMP_BELOW_K:
        measure.note("tripped on the first step: the temperature is an upper bound")
    step = resolution("step of the ramp", RAMP_STEP_K)
    measure("thermal.trip_temperature", sensor.shown(temp_c, RAMP_STEP_K / 2, step))


@pytest.mark.requirement("TH-02")
@pytest.mark.parametrize("side", ["below", "above"])
def test_a_step_trips_it(request: pytest.FixtureRequest, measure: Measurer, side: str) -> None:
    """A step from the room to the lower limit of the trip temperature does nothing; one to the upper limit trips."""
    sensor = stand_in_for(request, measure, "thermal.step", {"side": side})
    if sensor is None:
        return
    limit = measure.planned("thermal.trip_temperature").limit
    assert limit is not None
    assert limit.low is not None
    assert limit.high is not None
    closed = sensor.ready()
    sensor.show(limit.low if side == "below" else limit.high)
    sensor.bench.clock.sleep(HOLD_S)
    measure.check("thermal.step", sensor.opened(closed) == (side == "above"), side=side)


@pytest.mark.requirement("TH-03")
@pytest.mark.parametrize("socket", SOCKETS)
def test_latency(request: pytest.FixtureRequest, board: SmartPower, measure: Measurer, socket: int) -> None:
    """From the step at the NTC's node to the first opening edge of the socket's contact, on one oscilloscope."""
    sensor = stand_in_for(request, measure, "thermal.latency", {"socket": socket})
    if sensor is None:
        return
    bench, scope, name = sensor.bench, sensor.bench.scope, f"K{socket} over-temperature"
    trip_c = board.revision.trips.overtemperature_c.value
    sensor.ready()
    with bench.route("scope2.ntc", f"scope3.K{socket}"), wetting(bench):
        scope.set_timebase(RECORD_S, PRE_TRIGGER_S)
        scope.set_channel(NTC_NODE, *NODE_V)
        scope.set_channel(CONTACT, -2.0, 14.0)
        level_v = board.revision.ntc.value.node_v(trip_c)
        scope.arm(NTC_NODE, level_v, rising=False)
        sensor.show(trip_c + HOT_K)
        bench.clock.sleep(RECORD_S)
        node, contact = scope.read_waveform(NTC_NODE), scope.read_waveform(CONTACT)
    stimulus_s = edges(node.time_s, node.voltage_v, level_v, NODE_HYSTERESIS_V)[0].time_s
    moved = edges(contact.time_s, contact.voltage_v, WETTING_V / 2, CONTACT_HYSTERESIS_V)
    opened_s = next((e.time_s for e in moved if e.rising and e.time_s > stimulus_s), None)
    if opened_s is None:
        measure.note(f"{name}: the contact did not open; the latency is a lower bound")
    latency_s = (float(contact.time_s[-1]) if opened_s is None else opened_s) - stimulus_s
    sample_s = float(node.time_s[1] - node.time_s[0])
    budget = interval(bench, latency_s, rectangular("sampling, two edges: at most one sample", sample_s))
    measure("thermal.latency", budget, socket=socket)
    every = slice(None, None, PICTURE_EVERY)
    traces = [(what, "V", w.time_s[every], w.voltage_v[every]) for what, w in (("NTC", node), ("contact", contact))]
    marks = [("stimulus", stimulus_s), ("open", stimulus_s + latency_s)]
    measure.attach(name, picture(name, traces, marks), WAVEFORM)


@pytest.mark.requirement("TH-04")
def test_it_lets_go_by_command_only(request: pytest.FixtureRequest, board: SmartPower, measure: Measurer) -> None:
    """Too warm, it refuses to be re-armed; cool, it waits for the command, through a reset as well."""
    rules = ("hot_refused", "set_refused", "stays_open", "kept_through_reset", "on_command")
    sensor = stand_in_for(request, measure, "thermal.rearm", *({"rule": rule} for rule in rules))
    if sensor is None:
        return
    protection, trips = board.protection, board.revision.trips
    closed = _trip(sensor)
    sensor.show((trips.rearm_c.value + trips.overtemperature_c.value) / 2)
    sensor.bench.clock.sleep(COOL_S)
    refused = not protection.rearm()
    measure.check("thermal.rearm", refused and _held(sensor, closed), rule="hot_refused")
    measure.check("thermal.rearm", _set_refused(sensor, closed), rule="set_refused")
    sensor.cool()
    sensor.bench.clock.sleep(STAYS_S)
    measure.check("thermal.rearm", _held(sensor, closed), rule="stays_open")
    board.restart()
    sensor.bench.clock.sleep(COOL_S)
    measure.check("thermal.rearm", _held(sensor, closed), rule="kept_through_reset")
    let_go = protection.rearm() and OVERTEMPERATURE not in protection.errors(min(closed))
    measure.check("thermal.rearm", let_go and sensor.ready() == closed, rule="on_command")


@pytest.mark.requirement("TH-07")
@pytest.mark.parametrize("sign", ["red", "buzzer"])
def test_the_alarm_is_shown(request: pytest.FixtureRequest, measure: Measurer, sign: str) -> None:
    """While tripped the red LED is lit and the buzzer sounds; before and after, neither."""
    sensor = stand_in_for(request, measure, "thermal.alarm", {"sign": sign})
    if sensor is None:
        return
    fixture, seen = sensor.bench.fixture, []
    for act in (sensor.ready, partial(_trip, sensor), sensor.ready):
        act()
        seen.append(fixture.light("red") if sign == "red" else fixture.sounds())
    measure.check("thermal.alarm", seen == [False, True, False], sign=sign)


@pytest.mark.requirement("TH-05")
def test_a_shorted_sensor_trips(request: pytest.FixtureRequest, measure: Measurer) -> None:
    """A short reads as a very hot board, and must open the contacts."""
    sensor = stand_in_for(request, measure, "thermal.short_trips")
    if sensor is None:
        return
    closed = sensor.ready()
    sensor.bench.resistor.set_short()
    sensor.bench.clock.sleep(HOLD_S)
    measure.check("thermal.short_trips", _held(sensor, closed))


@pytest.mark.requirement("TH-06")
def test_an_open_sensor_trips(request: pytest.FixtureRequest, board: SmartPower, measure: Measurer) -> None:
    """A broken sensor reads as a very cold board: it must open the contacts all the same."""
    if not board.revision.can("ntc_in_place"):
        measure.cannot("thermal.open_trips", "the fixture cannot take the NTC out")
        return
    sensor = stand_in_for(request, measure, "thermal.open_trips")
    if sensor is None:
        return
    closed = sensor.ready()
    sensor.bench.resistor.set_open()
    sensor.bench.clock.sleep(HOLD_S)
    measure.check("thermal.open_trips", _held(sensor, closed))


def stand_in_for(
    request: pytest.FixtureRequest, measure: Measurer, base: str, *points: dict[str, Any]
) -> Sensor | None:
    """Return the stand-in for measurements at these points; None where there is none, or they must be refused."""
    bench: Station = request.getfixturevalue("bench")
    if not bench.can("ProgrammableResistor.set_resistance"):
        for point in points or ({},):
            measure.cannot(base, "the bench has no resistance that could stand in for the NTC", **point)
        return None
    if not [point for point in points or ({},) if measure.ready(base, **point)]:
        return None
    connected: Sensor = request.getfixturevalue("sensor")
    return connected


def _trip(sensor: Sensor) -> frozenset[int]:
    """Trip it by heat; return the sockets whose contacts were closed before."""
    closed = sensor.ready()
    sensor.show(sensor.board.revision.trips.overtemperature_c.value + HOT_K)
    sensor.bench.clock.sleep(HOLD_S)
    return closed


def _held(sensor: Sensor, closed: frozenset[int]) -> bool:
    """Say whether a trip holds: it is reported, and every one of these contacts is open."""
    reported = all(OVERTEMPERATURE in sensor.board.protection.errors(socket) for socket in closed)
    return reported and not any(sensor.bench.fixture.contact_closed(socket) for socket in closed)


def _set_refused(sensor: Sensor, closed: frozenset[int]) -> bool:
    """Say whether no socket can be switched on."""
    for relay in sensor.board.relays:
        try:
            relay.set()
        except UnitRefused:
            continue
        return False
    sensor.bench.clock.sleep(RELAY_WAIT_S)
    return not any(sensor.bench.fixture.contact_closed(socket) for socket in closed)
