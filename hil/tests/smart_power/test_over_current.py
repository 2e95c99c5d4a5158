"""The over-current trips: at what current, how soon, and how they let go; and that the fuse need not know. Mains is on.

The AC load draws, the reference meter in the same circuit says how much, the oscilloscope on the load's current for how
long. Whether a socket is open is read from the current that does not flow, never from the command (finding DR-29).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.fuse import Fuse
from hil.dut.smart_power.protection import OVERCURRENT
from hil.dut.smart_power.revisions import CurrentTrip
from hil.errors import SetupError, UnitRefused
from hil.instruments.roles import PowerReading
from hil.journal.events import WAVEFORM
from hil.metrology.budget import Budget, rectangular
from hil.metrology.decision import ACCEPTED
from hil.metrology.propagation import Input, propagate
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.comparison import CURRENT, reference
from hil.tests.smart_power.overload import FLOWS, LOADS, MOST_A, Burst, close, overloaded
from hil.tests.smart_power.picture import picture

# How close to a threshold it is tried, as a share of it; and how much farther when it does not trip there
SLOW_SHARE, FAST_SHARE = 0.015, 0.025
SLOW_STEPS, FAST_STEPS = (1.06, 1.12, 1.18), (1.06, 1.12)  # the last of each is 3.9 A and 4.5 A
SLOW_CARRY_S, FAST_CARRY_S = 15.0, 2.0
LATE_S = 2.5  # after the hold time: far more than the latency allowed, so that a trip that is late is not missing
INRUSH_ON_S = 0.6  # the load takes 0.1 s of it to begin [A]
INRUSH_S = (0.45, 0.55)  # what it must be, by oscilloscope
STAYS_S = 10.0
LIMIT_A, ABOVE_LIMIT_A = 1.0, 1.2  # of one socket
OTHERS_A, SHARE_A = 1.5, 0.02  # through the three others together; a bad contact among good ones carries more still
METER_WAIT_S = 2.5  # the firmware reads its meters every second [A]
PICTURE_EVERY = 50  # samples

CURVE, CURVE_TOLD = 0.1, "the fuse's curve, a tenth [A]"  # of its melting time, and of its current

Lasted = dict[tuple[str, str], Input]  # by load and trip, in s
each_load = pytest.mark.parametrize("load", LOADS)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold as it is tested: the names of its measurements, and how near to it, and for how long."""

    carried: str
    found: str
    trip: CurrentTrip
    share: float  # below it the current must flow on, above it must not
    carry_s: float
    steps: tuple[float, ...]  # how far it is looked for, where it does not trip


@pytest.fixture(scope="module")
def lasted() -> Lasted:
    """How long each overload lasted, for the fuse's sake."""
    return {}


@pytest.mark.requirement("OC-01")
def test_the_unit_knows_its_thresholds(board: SmartPower, mains: None, measure: Measurer) -> None:
    """What the firmware says it trips at is what the board's data say."""
    if not measure.ready("overcurrent.thresholds_agree"):
        return
    agree = board.protection.thresholds().overcurrent == board.revision.trips.overcurrent.value
    measure.check("overcurrent.thresholds_agree", agree)


@pytest.mark.requirement("OC-01", "OC-03")
@each_load
def test_lower_threshold(
    bench: Station, board: SmartPower, plan: Plan, mains: None, measure: Measurer, lasted: Lasted, load: str
) -> None:
    """Just below the lower threshold the current flows on; just above it is opened once the hold time is over."""
    trip = board.revision.trips.overcurrent.value[0]
    threshold = Threshold("overcurrent.carried", "overcurrent.trip_current", trip, SLOW_SHARE, SLOW_CARRY_S, SLOW_STEPS)
    burst = cross(bench, board, measure, threshold, load)
    measure_latency(bench, measure, plan, lasted, burst, trip, load)


@pytest.mark.requirement("OC-02", "OC-03")
@each_load
def test_upper_threshold(
    bench: Station, board: SmartPower, plan: Plan, mains: None, measure: Measurer, lasted: Lasted, load: str
) -> None:
    """Just below the upper threshold the current flows on for longer than its hold time; just above, no longer."""
    trip = board.revision.trips.overcurrent.value[1]
    names = ("overcurrent.fast_carried", "overcurrent.fast_trip_current")
    burst = cross(bench, board, measure, Threshold(*names, trip, FAST_SHARE, FAST_CARRY_S, FAST_STEPS), load)
    measure_latency(bench, measure, plan, lasted, burst, trip, load)


def cross(bench: Station, board: SmartPower, measure: Measurer, threshold: Threshold, load: str) -> Burst | None:
    """Step the current across a threshold: the last that flowed on and the first that did not enclose it.

    Return how the first current above it went; None where it was not to be drawn.
    """
    trip, tripped = threshold.trip, False
    if not measure.ready(threshold.carried, load=load):
        measure.ready(threshold.found, load=load)
        return None
    with overloaded(bench, board, LOADS[load]) as overload:
        overload.draw(trip.current_a * (1 - threshold.share))
        bench.clock.sleep(threshold.carry_s)
        low = bench.power_meter.measure()
        measure.check(threshold.carried, low.current_a > FLOWS * trip.current_a, load=load)
        if not measure.ready(threshold.found, load=load):
            return None
        overload.stop()
        above_a = trip.current_a * (1 + threshold.share)
        high, burst = overload.record(trip.hold_s + LATE_S, partial(overload.draw, above_a))
        tripped = burst.ended
        for factor in threshold.steps:
            if tripped:
                break
            overload.stop()
            low, high = high, overload.draw(trip.current_a * factor)
            bench.clock.sleep(trip.hold_s + LATE_S)
            tripped = bench.power_meter.measure().current_a < FLOWS * trip.current_a
    if not tripped:
        measure.note(f"{load}: no trip up to {high.current_a:.2f} A: the current is a lower bound")
    measure(threshold.found, trip_current(bench, low, high), load=load)
    return burst


def trip_current(bench: Station, low: PowerReading, high: PowerReading) -> Budget:
    """Return the current between the last that flowed on and the first that did not, in amperes, with its budget."""
    flowed, opened = (reference(bench, CURRENT, [one], name) for one, name in ((low, "low"), (high, "high")))
    between = rectangular("where between the two it lies", abs(opened.value - flowed.value) / 2)
    inputs = [flowed, opened, Input("", 0.0, "A", (between,))]
    return propagate(lambda below, above, trip: (below + above) / 2 + trip, inputs, "A")


def measure_latency(
    bench: Station,
    measure: Measurer,
    plan: Plan,
    lasted: Lasted,
    burst: Burst | None,
    trip: CurrentTrip,
    load: str,
) -> None:
    """Say for how much longer than its hold time an overload lasted."""
    name = f"{trip.current_a:g}A"
    if not measure.ready("overcurrent.latency", load=load, trip=name):
        return
    assert burst is not None, f"{load} {name}: its trip current passed, so it was recorded"
    lasted[load, name] = burst.lasted(bench, plan.nominal["frequency_hz"])
    hold_s = trip.hold_s
    budget = propagate(lambda seen_s: seen_s - hold_s, [lasted[load, name]], "s")
    verdict = measure("overcurrent.latency", budget, load=load, trip=name)
    if verdict not in ACCEPTED or load == "all":
        title, every = f"{load} over-current {name}", slice(None, None, PICTURE_EVERY)
        trace = ("load current", "A", burst.wave.time_s[every], burst.wave.value[every])
        marks = [("onset", burst.first_s), ("last current", burst.last_s)]
        measure.attach(title, picture(title, [trace], marks), WAVEFORM)


@pytest.mark.requirement("OC-04")
@each_load
def test_inrush_does_not_trip(bench: Station, board: SmartPower, mains: None, measure: Measurer, load: str) -> None:
    """More than the upper threshold, for less than its hold time, changes nothing."""
    if not measure.ready("overcurrent.inrush_carried", load=load):
        return
    with overloaded(bench, board, LOADS[load]) as overload:
        hold_s = board.revision.trips.overcurrent.value[-1].hold_s
        _, burst = overload.record(hold_s, partial(overload.inrush, MOST_A, INRUSH_ON_S))
        measure.step(f"{load}: {MOST_A:g} A for {burst.lasted_s:.3f} s by oscilloscope")
        bench.clock.sleep(LATE_S)
        quiet = not any(OVERCURRENT in board.protection.errors(socket) for socket in overload.sockets)
        if not (INRUSH_S[0] if quiet else 0.0) <= burst.lasted_s <= INRUSH_S[1]:
            raise SetupError(f"the load drew its inrush for {burst.lasted_s:.3f} s", "adjust INRUSH_ON_S to this load")
        measure.check("overcurrent.inrush_carried", quiet and overload.flows(), load=load)


@pytest.mark.requirement("OC-05")
def test_it_lets_go_by_command_only(bench: Station, board: SmartPower, mains: None, measure: Measurer) -> None:
    """Tripped, it refuses to be switched on, waits, keeps the trip through a reset, and is re-armed by command."""
    rules = ("set_refused", "stays_open", "kept_through_reset", "on_command")
    if not [rule for rule in rules if measure.ready("overcurrent.rearm", rule=rule)]:
        return
    protection, relay, trip = board.protection, board.relays[0], board.revision.trips.overcurrent.value[-1]
    with overloaded(bench, board, (relay.socket,)) as overload:

        def held() -> bool:
            return OVERCURRENT in protection.errors(relay.socket) and not overload.flows()

        overload.draw(trip.current_a * (1 + FAST_SHARE))
        bench.clock.sleep(trip.hold_s + LATE_S)
        overload.stop()
        try:
            relay.set()
            refused = False
        except UnitRefused:
            refused = True
        measure.check("overcurrent.rearm", refused and held(), rule="set_refused")
        bench.clock.sleep(STAYS_S)
        measure.check("overcurrent.rearm", held(), rule="stays_open")
        board.restart()
        measure.check("overcurrent.rearm", held(), rule="kept_through_reset")
        overload.close()
        let_go = OVERCURRENT not in protection.errors(relay.socket) and overload.flows()
        measure.check("overcurrent.rearm", let_go, rule="on_command")


@pytest.mark.requirement("OC-06")
def test_the_fuse_does_not_blow_first(
    bench: Station,
    board: SmartPower,
    mains: None,
    measure: Measurer,
    lasted: Lasted,
) -> None:
    """After all these trips the fuse carries current; and its curve says that it had time to spare."""
    if measure.ready("overcurrent.fuse_whole"):
        with overloaded(bench, board, (board.relays[0].socket,)) as overload:
            measure.check("overcurrent.fuse_whole", overload.flows())
    fuse, (slow, fast) = board.revision.fuse.value, board.revision.trips.overcurrent.value
    for trip, share in ((slow, SLOW_SHARE), (fast, FAST_SHARE)):
        name = f"{trip.current_a:g}A"
        if measure.ready("overcurrent.fuse_margin", trip=name):
            melting_s = fuse.shortest_melting_s(trip.current_a * (1 + share))
            curve = Input("melting", melting_s, "s", (rectangular(CURVE_TOLD, CURVE * melting_s),))
            budget = propagate(lambda melts, lasts: melts / lasts, [curve, lasted["socket1", name]], "1")
            measure("overcurrent.fuse_margin", budget, trip=name)
    if measure.ready("overcurrent.fuse_crossing"):
        measure("overcurrent.fuse_crossing", fuse_crossing(fuse, lasted["socket1", f"{fast.current_a:g}A"]))


def fuse_crossing(fuse: Fuse, lasted: Input) -> Budget:
    """Return the current at which the fuse may open as soon as an overload ended, in amperes, with its budget."""
    lasted_s, crossing_a = lasted.value, fuse.current_a(lasted.value)
    per_s = (fuse.current_a(1.01 * lasted_s) - fuse.current_a(0.99 * lasted_s)) / (0.02 * lasted_s)
    curve = Input("", 0.0, "A", (rectangular(CURVE_TOLD, CURVE * crossing_a),))
    return propagate(lambda lasts, off_a: crossing_a + per_s * (lasts - lasted_s) + off_a, [lasted, curve], "A")


@pytest.fixture(scope="module")
def all_closed(bench: Station, board: SmartPower, mains: None) -> None:
    """All four contacts closed; a test that opens one closes it again."""
    close(bench, board, LOADS["all"])


@pytest.mark.requirement("OC-07")
@pytest.mark.parametrize("socket", [1, 2, 3, 4])
def test_a_socket_has_a_limit_of_its_own(
    request: pytest.FixtureRequest, bench: Station, board: SmartPower, measure: Measurer, socket: int
) -> None:
    """Above its own limit a socket opens, alone: the others stay closed and carry current."""
    if not measure.ready("overcurrent.socket_limit", socket=socket):
        return
    request.getfixturevalue("all_closed")
    protection, others = board.protection, tuple(n for n in LOADS["all"] if n != socket)
    with limited(board, socket), overloaded(bench, board, (socket,)) as overload:
        overload.draw(ABOVE_LIMIT_A)
        bench.clock.sleep(board.revision.trips.socket_hold_s.value + LATE_S)
        opened = bench.power_meter.measure().current_a < FLOWS * ABOVE_LIMIT_A
        overload.stop()
        reported = OVERCURRENT in protection.errors(socket)
        with bench.loaded(*others) as load:
            load.set_current(OTHERS_A)
            load.on()
            bench.clock.sleep(METER_WAIT_S)
            status = [board.socket_status(n) for n in others]
    carried = all(float(one["current"]) > SHARE_A for one in status)
    alone = carried and not any(OVERCURRENT in one["errors"] for one in status)
    measure.check("overcurrent.socket_limit", opened and reported and alone, socket=socket)
    close(bench, board, (socket,))


@contextmanager
def limited(board: SmartPower, socket: int) -> Iterator[None]:
    """Give a socket a current limit of its own inside the block."""
    board.protection.set_current_limit(socket, LIMIT_A)
    try:
        yield
    finally:
        board.protection.set_current_limit(socket, None)
