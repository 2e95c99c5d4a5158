"""What a type test asks of the metering beside its error: repeatability, the meter constant, the initial start-up."""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Component, rectangular, resolution
from hil.metrology.metering import constant_energy_kwh
from hil.metrology.propagation import Input, direct
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.comparison import POWER, REFERENCE, percent_error
from hil.tests.smart_power.energywindow import energy_error
from hil.tests.smart_power.loadpoint import RANGE_HEADROOM, VOLTAGE_RANGE_V, switch, under_load
from hil.tests.smart_power.points import axes, due, upper_limit

SOCKETS = (1, 2, 3, 4)
READINGS = 5
REGISTER_WH = 0.001  # step of what the unit tells of its energy, by RPC
SHARE_OF_LIMIT = 0.1  # what the firmware's looks may be off, as a part of the limit
POLL_S = 1.0  # the firmware reads its meters once a second [A]
LOOK_S, LONGEST_S = 0.1, 15.0
SEEN_LATE_S = LOOK_S + POLL_S  # at most: the value is the middle of what is possible (GUM, 4.3.8)
SOURCE_LIMIT_A = 5.0


@pytest.mark.requirement("MET-15")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_repeatability(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    number: int,
) -> None:
    """Readings of one point, one after another with nothing changed, lie close together."""
    planned = due(run, bench, measure, "metering.repeatability", socket=number)
    if not planned:
        return
    request.getfixturevalue("mains")
    with under_load(bench, board, plan, number) as socket:
        for point in planned:
            socket.set_point(point.point["current_a"], point.point["pf"])
            pairs = [socket.pair() for _ in range(READINGS)]
            errors_pct = [float(percent_error(p.unit.power_w, p.reference.power_w)) for p in pairs]
            # the reference's gain is in each error alike; what it scatters is seen as the unit's, on the safe side
            step_pct = 100.0 * POWER.step / pairs[-1].reference.power_w
            steps = [resolution(f"register, {end} reading", step_pct) for end in ("largest", "smallest")]
            spread = direct(max(errors_pct) - min(errors_pct), "%", steps, [REFERENCE])
            measure(point.base, spread, **axes(point))


@pytest.mark.requirement("MET-16")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_meter_constant(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    number: int,
) -> None:
    """The unit tells as much energy, counted in pulses by its marked constant, as the reference saw."""
    planned = due(run, bench, measure, "metering.constant_error", socket=number)
    if not planned:
        return
    request.getfixturevalue("mains")
    (point,) = planned
    energy_wh = 1e3 * constant_energy_kwh(
        plan.nominal["accuracy_standard"], resolution_kwh=REGISTER_WH / 1e3, limit_pct=upper_limit(point)
    )
    switch(bench, board, (number,))
    with bench.loaded(number) as load:
        meter, current_a = bench.power_meter, plan.nominal["imax_a"]
        meter.set_ranges(VOLTAGE_RANGE_V, current_a * RANGE_HEADROOM)
        load.set_current(current_a, 1.0)
        load.on()
        bench.clock.sleep(2 * POLL_S)
        reading = meter.measure()
        by_looks_s = POLL_S * 100.0 / (SHARE_OF_LIMIT * upper_limit(point))
        window_s = max(energy_wh / reading.power_w * 3600.0, by_looks_s)
        meter.start_integration()
        first_wh = _told_wh(board, number)
        bench.clock.sleep(window_s)
        last_wh = _told_wh(board, number)
        integrated = meter.stop_integration()
    unit = Input("unit", last_wh - first_wh, "Wh", tuple(_ends(reading.power_w)))
    measure.step(f"socket {number}: {integrated.energy_wh:.1f} Wh in {window_s:.0f} s; at least {energy_wh:.2f} Wh")
    measure(point.base, energy_error(bench, unit, reading, integrated), **axes(point))


@pytest.mark.requirement("MET-17")
def test_initial_start_up(bench: Station, board: SmartPower, run: Run, plan: Plan, measure: Measurer) -> None:
    """Soon after the voltage comes, every meter meters what its socket carries: the relays kept their state."""
    planned = due(run, bench, measure, "metering.start_up_time")
    if not planned:
        return
    nominal = plan.nominal
    bench.fixture.release_reset()
    for point in planned:
        number = point.point["socket"]
        with bench.mains(nominal["un_v"], nominal["frequency_hz"], SOURCE_LIMIT_A):
            board.boot()
            switch(bench, board, (number,))
        with bench.loaded(number) as load:
            load.set_current(nominal["ib_a"], 1.0)
            load.on()
            bench.source.set_output(nominal["un_v"], nominal["frequency_hz"], SOURCE_LIMIT_A)
            begin_s = bench.clock.now_s()
            with bench.mains(nominal["un_v"], nominal["frequency_hz"], SOURCE_LIMIT_A):
                board.wait_for_boot()
                took_s = _until_metered(bench, board, number, begin_s)
        parts = [rectangular("source's own switching on, it has settled before [A]", 0.5), _seen_late()]
        measure(point.base, direct(took_s - SEEN_LATE_S / 2, "s", parts), **axes(point))


def _until_metered(bench: Station, board: SmartPower, number: int, begin_s: float) -> float:
    """Return how long after begin_s the unit first told of the power that flows; the longest where it never did."""
    while (took_s := bench.clock.now_s() - begin_s) < LONGEST_S:
        if float(board.socket_status(number)["apower"]) > 0.0:
            break
        bench.clock.sleep(LOOK_S)
    return took_s


def _told_wh(board: SmartPower, number: int) -> float:
    return float(board.socket_status(number)["aenergy"]["total"])


def _ends(power_w: float) -> list[Component]:
    """Return what both ends of a window leave open: a step of the register, and when the firmware last looked."""
    found = []
    for end in ("first", "last"):
        found.append(resolution(f"register, {end} reading", REGISTER_WH))
        found.append(rectangular(f"firmware's last look, {end} reading [A]", power_w * POLL_S / 2 / 3600))
    return found


def _seen_late() -> Component:
    return resolution("polling of the unit, and its own look once a second [A]", SEEN_LATE_S)
