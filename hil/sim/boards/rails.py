"""The board's supplies: PS1 from mains or the bench's DC supply at J43, 5 V, and 3.3 V behind the regulator.

Ref: facts smart-power 1.2 and 2.1. A diode in each path means that the higher of the two carries the board [A].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.sim.settings import DcSetting
from hil.sim.world import World

START_V = 85.0  # HLK-10M05 starts above, and its capacitor carries it down to the peak of STOP_V [A]
STOP_V = 70.0
BULK_F = 10e-6  # the capacitor behind its rectifier, 1 uF for each watt it is built for [A]
BULK_TOLERANCE = 0.2
BULK_WORN_OUT = 0.005  # what is left of it when it has dried out [A]
PS1_OHM = 0.08  # output and board copper [A]
LEADS_OHM = 0.03  # DC supply to J43 [A]
DROPOUT_V = 1.1  # of the 3.3 V regulator, 1117 class [A]
EFFICIENCY = 0.78  # of PS1 [A]
IDLE_W = 0.1  # PS1 without load [A]
METERS_A = 4 * 5.8e-3  # [DS26 6.1]


@dataclass(frozen=True, slots=True)
class Levels:
    """The rails without coil current, and what stands behind them."""

    rail_5v: float = 0.0
    behind_ohm: float = 0.0
    rail_3v3: float = 0.0
    logic_a: float = 0.0
    from_bench: bool = False


class Rails:
    """PS1's start and hold-up, and the voltages that follow."""

    def __init__(self, world: World) -> None:
        who = world.individual("rails")
        self._world = world
        self._ps1_v = 5.0 * (1 + float(who.uniform(-0.01, 0.01)))
        self._regulator_v = 3.3 * (1 + float(who.uniform(-0.012, 0.012)))
        self._start_s = float(who.uniform(0.10, 0.18))
        self._bulk_f = BULK_F * (1 + float(who.uniform(-BULK_TOLERANCE, BULK_TOLERANCE)))
        self._charged_v = 0.0  # rms of the mains that last fed it
        self._ps1_on = False
        self._pending = 0
        self._wanted = False

    def mains(self, bus_v: float, drawn_w: float, changed: Callable[[], None]) -> None:
        """Follow the rms voltage at the bus and what PS1 draws from it; changed is called when PS1 comes or goes."""
        wanted = bus_v >= (STOP_V if self._wanted else START_V)
        if wanted:
            self._charged_v = bus_v
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._pending += 1
        pending = self._pending

        def switch() -> None:
            if pending == self._pending and self._ps1_on != wanted:
                self._ps1_on = wanted
                changed()

        delay_s = self._start_s if wanted else self.hold_up_s(drawn_w)
        self._world.at(self._world.now_s + delay_s, switch)

    def hold_up_s(self, drawn_w: float) -> float:
        """Return how long the capacitor carries PS1 when the mains is gone: its energy from the peak down, by power."""
        bulk_f = self._bulk_f * (BULK_WORN_OUT if self._world.fault("supply-hold-up-short") else 1.0)
        return bulk_f * (self._charged_v**2 - STOP_V**2) / max(drawn_w, IDLE_W)

    def levels(self, supply: DcSetting, mcu_a: float) -> Levels:
        """Return the rails for a DC supply's setting and the MCU's current."""
        logic_a = mcu_a + METERS_A
        bench_v = supply.voltage_v if supply.on else 0.0
        ps1_v = self._ps1_v if self._ps1_on else 0.0
        from_bench = bench_v > ps1_v
        source_v, behind_ohm = (bench_v, LEADS_OHM) if from_bench else (ps1_v, PS1_OHM)
        if from_bench and logic_a > supply.current_limit_a:
            source_v *= supply.current_limit_a / logic_a  # the supply goes into constant current: the rail sags
        if source_v < 1.0:
            return Levels()
        rail_v = source_v - behind_ohm * logic_a
        nominal_v = 3.05 if self._world.fault("rail-3v3-low") else self._regulator_v
        return Levels(rail_v, behind_ohm, max(0.0, min(nominal_v, rail_v - DROPOUT_V)), logic_a, from_bench)

    def mains_w(self, levels: Levels, coils_a: float) -> float:
        """Return what PS1 takes from the bus."""
        if not self._wanted:
            return 0.0
        if not self._ps1_on or levels.from_bench:
            return IDLE_W
        return IDLE_W + levels.rail_5v * (levels.logic_a + coils_a) / EFFICIENCY
