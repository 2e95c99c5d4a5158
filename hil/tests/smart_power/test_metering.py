"""Metering accuracy of each socket against the reference meter in the same circuit.

Method: IEC 62053-21, readings of unit and reference paired; as many as it takes for the scatter to be the part of the
limit that the plan allows. A point the class table does not cover is measured too, and reported as not covered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hil.dut.atm90e26.calibration import energy_lsb_wh
from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Budget, needed_window_s, resolution
from hil.metrology.propagation import Input
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.comparison import CURRENT, FREQUENCY, VOLTAGE
from hil.tests.smart_power.energywindow import energy_error
from hil.tests.smart_power.loadpoint import SocketUnderLoad, switch

UNCOVERED_LIMIT_PCT = 1.5  # how quiet a point without a limit should be
NO_LOAD_SCREEN_S = 60.0
SETTLE_S = 2.0
SOCKETS = (1, 2, 3, 4)


@contextmanager
def all_closed_without_load(bench: Station, board: SmartPower, plan: Plan) -> Iterator[None]:
    """All four contacts closed, nothing connected, the edition's voltage inside the block; then Un again."""
    switch(bench, board, SOCKETS)
    nominal = plan.nominal
    bench.source.set_output(plan.no_load.voltage_v or nominal["un_v"], nominal["frequency_hz"], 5.0)
    try:
        yield
    finally:
        bench.source.set_output(nominal["un_v"], nominal["frequency_hz"], 5.0)


@pytest.mark.requirement("MET-12")
def test_nothing_is_registered_without_load(
    bench: Station, board: SmartPower, plan: Plan, run: Run, measure: Measurer, mains: None
) -> None:
    """At the edition's voltage, 1.15 Un in that of 2003, with the contacts closed and no load, no register moves."""
    ready = [n for n in SOCKETS if measure.ready("metering.no_load_counts", socket=n)]
    if not ready:
        return
    edition = plan.no_load
    window_s = NO_LOAD_SCREEN_S if run.options.stage == "production" else edition.seconds
    with all_closed_without_load(bench, board, plan), board.meters() as meters:
        for number in ready:
            meters[number - 1].take_energy()
        bench.clock.sleep(window_s)
        counts = {number: meters[number - 1].take_energy() for number in ready}
    measure.step(f"watched for {window_s:.0f} s; the edition's full time is {edition.seconds:.0f} s")
    for number, energy in counts.items():
        measure("metering.no_load_counts", Reading(float(energy.forward + energy.reverse), "1", 0.0), socket=number)


@pytest.mark.requirement("MET-05", "MET-06")
def test_active_power_error(
    socket: SocketUnderLoad, run: Run, measure: Measurer, errors: dict[tuple[int, str, str], Budget]
) -> None:
    """Active power is within class 1 at every load point."""
    for planned in _points(run, "metering.active_power_error", socket.number):
        point = _axes(planned)
        if not measure.ready(planned.base, **point):
            continue
        socket.set_point(planned.point["current_a"], planned.point["pf"])
        budget = socket.power_error(_limit(planned, UNCOVERED_LIMIT_PCT))
        errors[socket.number, planned.point["i"], planned.point["pf"]] = budget
        measure(planned.base, budget, **point)


@pytest.mark.requirement("MET-07")
def test_voltage_reading(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """Voltage agrees with the reference, fiducial to Un."""
    if not measure.ready("metering.voltage_error", socket=socket.number):
        return
    socket.set_point(plan.nominal["ib_a"], "1")
    limit_pct = _limit(measure.planned("metering.voltage_error", socket=socket.number))
    budget = socket.fiducial_error(VOLTAGE, plan.nominal["un_v"], limit_pct)
    measure("metering.voltage_error", budget, socket=socket.number)


@pytest.mark.requirement("MET-08")
def test_current_reading(socket: SocketUnderLoad, run: Run, plan: Plan, measure: Measurer) -> None:
    """Current agrees with the reference, fiducial to 4 Ib."""
    for planned in _points(run, "metering.current_error", socket.number):
        if not measure.ready(planned.base, **_axes(planned)):
            continue
        socket.set_point(planned.point["current_a"], "1")
        budget = socket.fiducial_error(CURRENT, 4.0 * plan.nominal["ib_a"], _limit(planned))
        measure(planned.base, budget, **_axes(planned))


@pytest.mark.requirement("MET-09")
def test_frequency_reading(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """Frequency agrees with the reference."""
    if not measure.ready("metering.frequency_error", socket=socket.number):
        return
    socket.set_point(plan.nominal["ib_a"], "1")
    limit_hz = _limit(measure.planned("metering.frequency_error", socket=socket.number))
    measure("metering.frequency_error", socket.difference(FREQUENCY, limit_hz), socket=socket.number)


@pytest.mark.requirement("MET-10")
def test_power_factor_and_its_direction(socket: SocketUnderLoad, run: Run, plan: Plan, measure: Measurer) -> None:
    """Power factor agrees with the reference; inductive load gives positive reactive power, capacitive negative."""
    for planned in _points(run, "metering.power_factor_error", socket.number):
        point, factor = _axes(planned), planned.point["pf"]
        signed = factor != "1"
        bases = (planned.base, "metering.reactive_sign") if signed else (planned.base,)
        if not measure.ready(*bases, **point):
            continue
        socket.set_point(plan.nominal["ib_a"], factor)
        measure(planned.base, socket.power_factor_error(_limit(planned)), **point)
        if signed:
            reactive_var = socket.pair().unit.reactive_var
            measure.check("metering.reactive_sign", (reactive_var > 0.0) == factor.endswith("i"), **point)


@pytest.mark.requirement("MET-11")
def test_energy_over_a_window(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """The energy register grows as the reference's integration does, over a window as long as its step needs."""
    if not measure.ready("metering.energy_error", socket=socket.number):
        return
    planned = measure.planned("metering.energy_error", socket=socket.number)
    assert planned.limit is not None
    assert planned.limit.high is not None
    bench, step_wh = socket.bench, energy_lsb_wh(plan.nominal["meter_constant_imp_per_kwh"])
    socket.set_point(plan.nominal["imax_a"], "1")
    reading = bench.power_meter.measure()
    window_s = needed_window_s(step_wh, reading.power_w, planned.limit.high)

    socket.meter.take_energy()
    bench.power_meter.start_integration()
    bench.clock.sleep(window_s)
    counted = socket.meter.take_energy()
    integrated = bench.power_meter.stop_integration()

    steps = [resolution(f"{which} count of 0.1 pulse", step_wh) for which in ("first", "last")]
    unit = Input("unit", counted.forward * step_wh, "Wh", tuple(steps))
    budget = energy_error(bench, unit, reading, integrated)
    measure.step(f"energy window {window_s:.1f} s, computed from a step of {step_wh * 1e3:.2f} mWh")
    measure("metering.energy_error", budget, socket=socket.number)


@pytest.mark.requirement("MET-13")
def test_metering_starts(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """At the starting current the no-load flag clears and power is registered."""
    if not measure.ready("metering.starts", socket=socket.number):
        return
    socket.set_point(plan.starting_current_a, "1")
    socket.bench.clock.sleep(SETTLE_S)
    seen = socket.pair()
    measure.check("metering.starts", seen.unit.power_w > 0.0 and not seen.unit.no_load, socket=socket.number)


@pytest.mark.requirement("MET-14")
def test_export_is_metered_as_export(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """Power returned by the load reads negative, where the bench has a load that can return it."""
    if not socket.load.can_source:
        measure.cannot("metering.export_sign", "the bench's load cannot return current", socket=socket.number)
        return
    if not measure.ready("metering.export_sign", socket=socket.number):
        return
    socket.set_point(-plan.nominal["ib_a"], "1")
    measure.check("metering.export_sign", socket.pair().unit.power_w < 0.0, socket=socket.number)


def _points(run: Run, base: str, socket: int) -> list[Planned]:
    return [p for p in run.planned.values() if p.base == base and p.point["socket"] == socket]


def _limit(planned: Planned, uncovered: float = math.inf) -> float:
    """Return how far from zero the value may lie, in its unit; `uncovered` where the plan has no limit."""
    return planned.limit.high if planned.limit and planned.limit.high else uncovered


def _axes(planned: Planned) -> dict[str, Any]:
    """The point as it stands in the measurement's name."""
    return {key: value for key, value in planned.point.items() if key != "current_a"}
