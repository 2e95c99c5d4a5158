"""One socket under load: set a load point, read the unit's meter and the reference together, make the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from hil.dut.atm90e26.device import Atm90e26, MeterSnapshot
from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.revisions import Metering
from hil.errors import UnitRefused
from hil.instruments.roles import Accuracy, AcLoad, PowerMeter, PowerReading
from hil.metrology.budget import (
    Budget,
    Component,
    combine,
    needed_readings,
    percent_error_budget,
    rectangular,
    resolution,
)
from hil.metrology.statistics import mean, stdev
from hil.plans.plan import Plan, PlanError
from hil.station.station import Station

METER_UPDATE_S = 0.35  # the chip's measurement registers renew themselves every 0.32 s [A]; a little more is fresh
LOAD_SETTLE_S = 1.0
RELAY_WAIT_S = 0.2  # pulse and dead time of the firmware, with room
RANGE_HEADROOM = 1.05
VOLTAGE_RANGE_V = 300.0
SHARE_OF_LIMIT = 20.0  # what the scatter may add is at most this part of the limit
FIRST_READINGS = 3
MOST_READINGS = 20
POWER_FACTORS = {"1": 1.0, "0.5i": 0.5, "0.8c": -0.8}  # the load's sign: lagging positive, leading negative


@dataclass(frozen=True, slots=True)
class Pair:
    """The unit's meter and the reference, read at the same load within one update of each other."""

    unit: MeterSnapshot
    reference: PowerReading


@dataclass(slots=True)
class SocketUnderLoad:
    """A socket with its relay closed and the load routed to it. Its meter is read over J44, the MCU is in reset."""

    number: int
    bench: Station
    load: AcLoad
    meter: Atm90e26
    sense: Metering
    plan: Plan
    _at: tuple[float, str] | None = field(default=None)

    def set_point(self, current_a: float, power_factor: str) -> None:
        """Draw current_a at a power factor such as "0.5i"; ranges first, then the load, then time to settle."""
        if power_factor not in POWER_FACTORS:
            raise PlanError(f"power factor {power_factor!r} is none of {', '.join(POWER_FACTORS)}")
        if self._at == (current_a, power_factor):
            return
        self.bench.power_meter.set_ranges(VOLTAGE_RANGE_V, current_a * RANGE_HEADROOM)
        self.load.set_current(current_a, POWER_FACTORS[power_factor])
        self.load.on()
        self.bench.clock.sleep(LOAD_SETTLE_S)
        self._at = (current_a, power_factor)

    def unload(self) -> None:
        """Draw nothing."""
        self.load.off()
        self.bench.clock.sleep(LOAD_SETTLE_S)
        self._at = None

    def pair(self) -> Pair:
        """Read both once, each from an update that began after the last reading."""
        self.bench.clock.sleep(METER_UPDATE_S)
        return Pair(self.meter.snapshot(), self.bench.power_meter.measure())

    def pairs(self, error_pct: Callable[[Pair], float], limit_pct: float, step_pct: float) -> list[Pair]:
        """Read as many pairs as it takes for the scatter to be a small part of the limit: computed, not guessed."""
        taken = [self.pair() for _ in range(FIRST_READINGS)]
        scatter_pct = stdev([error_pct(p) for p in taken])
        wanted = needed_readings(scatter_pct, step_pct, limit_pct / SHARE_OF_LIMIT, FIRST_READINGS, MOST_READINGS)
        return taken + [self.pair() for _ in range(wanted - len(taken))]

    def power_error(self, limit_pct: float) -> Budget:
        """Return the error of the unit's active power, in %, with its budget."""
        watt_step = 1 / 256  # the LSB register's upper eight bits [DS26 08H]
        first = self.bench.power_meter.measure()
        step_pct = 100 * watt_step / abs(first.power_w)
        taken = self.pairs(lambda p: 100 * (p.unit.power_w / p.reference.power_w - 1), limit_pct, step_pct)
        accuracy = self.bench.power_meter.power_accuracy_w(taken[-1].reference)
        return percent_error_budget(
            [p.unit.power_w for p in taken],
            [p.reference.power_w for p in taken],
            [resolution("unit: 1/256 W", watt_step)],
            [reference(accuracy)],
        )

    def fiducial_error(
        self,
        unit_value: Callable[[MeterSnapshot], float],
        reference_value: Callable[[PowerReading], float],
        accuracies: Callable[[PowerReading], Sequence[Accuracy]],
        *,
        full_scale: float,
        unit_step: float,
        percent: bool = True,
    ) -> Budget:
        """Return (unit - reference) / full_scale, in % (or as a plain ratio), with its budget."""
        factor = (100.0 if percent else 1.0) / full_scale
        taken = [self.pair() for _ in range(FIRST_READINGS)]
        errors = [factor * (unit_value(p.unit) - reference_value(p.reference)) for p in taken]
        parts = [
            Component("scatter", "A", "normal", stdev(errors) / len(errors) ** 0.5, dof=len(errors) - 1),
            resolution("unit's step", unit_step, factor),
            *(rectangular(f"reference: {a.source}", a.half_width, -factor) for a in accuracies(taken[-1].reference)),
        ]
        return combine(mean(errors), "%" if percent else "1", parts)


@contextmanager
def under_load(bench: Station, board: SmartPower, plan: Plan, number: int) -> Iterator[SocketUnderLoad]:
    """Close one socket and open the others, route the load to it, hold the MCU in reset and its meter in hand."""
    switch(bench, board, (number,))
    with bench.loaded(number) as load, board.meters() as meters:
        yield SocketUnderLoad(number, bench, load, meters[number - 1], board.revision.metering, plan)


def switch(bench: Station, board: SmartPower, closed: Sequence[int]) -> None:
    """Close these sockets and open the others, one after another."""
    for relay in board.relays:
        with suppress(UnitRefused):  # a tripped unit switches nothing on; the plan refuses what needs it
            (relay.set if relay.socket in closed else relay.reset)()
        bench.clock.sleep(RELAY_WAIT_S)


def reference(accuracy: Accuracy) -> Component:
    """Return the reference's specification as a component, in the unit of its reading."""
    return rectangular(f"reference: {accuracy.source}", accuracy.half_width)


def power_factor_accuracies(meter: PowerMeter, reading: PowerReading) -> list[Accuracy]:
    """Return what the accuracies of P, U and I each do to P / S, as independent parts of a power factor."""
    factor = abs(reading.power_factor)
    power, voltage, current = (
        meter.power_accuracy_w(reading),
        meter.voltage_accuracy_v(reading),
        meter.current_accuracy_a(reading),
    )
    return [
        Accuracy(factor, power.half_width / reading.apparent_va, f"P: {power.source}"),
        Accuracy(factor, factor * voltage.half_width / reading.voltage_v, f"U: {voltage.source}"),
        Accuracy(factor, factor * current.half_width / reading.current_a, f"I: {current.source}"),
    ]
