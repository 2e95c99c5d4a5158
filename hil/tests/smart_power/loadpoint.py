"""One socket under load: set a load point, read the unit's meter and the reference together, make the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from hil.dut.atm90e26.device import Atm90e26
from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.revisions import Metering
from hil.errors import UnitRefused
from hil.instruments.roles import AcLoad
from hil.metrology.adaptive import Taken, measure_until
from hil.metrology.budget import Budget
from hil.metrology.propagation import propagate
from hil.plans.plan import Plan, PlanError
from hil.station.station import Station
from hil.tests.smart_power.comparison import POWER, Pair, Quantity, both, percent_error, power_factors

METER_UPDATE_S = 0.35  # the chip's measurement registers renew themselves every 0.32 s [A]; a little more is fresh
LOAD_SETTLE_S = 1.0
RELAY_WAIT_S = 0.2  # pulse and dead time of the firmware, with room
RANGE_HEADROOM = 1.05
VOLTAGE_RANGE_V = 300.0
POWER_FACTORS = {
    "1": 1.0,
    "0.5i": 0.5,
    "0.25i": 0.25,
    "0.8c": -0.8,
    "0.5c": -0.5,
}  # the load's sign: lagging positive, leading negative


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

    def pairs(self, value: Callable[[Pair], float], limit: float) -> Taken:
        """Read pairs until their scatter is a small part of the limit, as the plan says; both in the value's unit."""
        wanted_u, now_s = self.plan.adaptive.wanted_u(limit), self.bench.clock.now_s
        return measure_until(self.pair, value, wanted_u, self.plan.adaptive, now_s)

    def power_error(self, limit_pct: float) -> Budget:
        """Return the error of the unit's active power, in %, with its budget."""
        taken = self.pairs(lambda p: float(percent_error(p.unit.power_w, p.reference.power_w)), limit_pct)
        budget = propagate(percent_error, both(self.bench, POWER, taken.readings), "%")
        return replace(budget, effort=taken.effort)

    def fiducial_error(self, quantity: Quantity, full_scale: float, limit_pct: float) -> Budget:
        """Return 100 (unit - reference) / full_scale, in %, with its budget; full_scale in the quantity's unit."""
        factor = 100.0 / full_scale
        return self._difference(quantity, factor, limit_pct, "%")

    def difference(self, quantity: Quantity, limit: float) -> Budget:
        """Return unit - reference, in the quantity's unit, with its budget."""
        return self._difference(quantity, 1.0, limit, quantity.unit)

    def power_factor_error(self, limit: float) -> Budget:
        """Return the magnitude of the unit's power factor less that of the reference, P / (U I), with its budget."""
        taken = self.pairs(lambda p: abs(p.unit.power_factor) - abs(p.reference.power_factor), limit)
        inputs = power_factors(self.bench, taken.readings)
        return replace(propagate(lambda unit, p, u, i: unit - p / (u * i), inputs, "1"), effort=taken.effort)

    def _difference(self, quantity: Quantity, factor: float, limit: float, unit: str) -> Budget:
        taken = self.pairs(lambda p: factor * (quantity.shown(p.unit) - quantity.read(p.reference)), limit)
        inputs = both(self.bench, quantity, taken.readings)
        return replace(propagate(lambda shown, read: factor * (shown - read), inputs, unit), effort=taken.effort)


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
