"""The varistor across the mains behind the fuse: V = k I^beta, 680 V at 1 mA, about 1120 V at 100 A.

20K681 class, as in the schematic of AN26 (facts smart-power 6.2); the second point is that of the class's V-I curves,
unverified. Each unit's voltage at 1 mA lies within 3 % of the nominal one [A].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.sim.world import World

V1MA_V = 680.0
V100A_V = 1120.0
BETA = math.log(V100A_V / V1MA_V) / math.log(100.0 / 1e-3)
TOLERANCE = 0.03
AGED = 0.80  # of the voltage at 1 mA: far beyond the 10 % that end a varistor's life [A]
AGED_LEAK_OHM = 470e3  # half a milliampere of mains [A]


@dataclass(frozen=True, slots=True)
class Mov:
    """One varistor; leak_ohm is what age has put in parallel to it."""

    v1ma_v: float = V1MA_V
    leak_ohm: float = math.inf

    def voltage_v(self, current_a: float) -> float:
        """Return the voltage at a current through the grains, without the leak; odd."""
        return math.copysign(self.v1ma_v * (abs(current_a) / 1e-3) ** BETA, current_a)

    def current_a(self, voltage_v: float) -> float:
        """Return the current at a voltage, with the leak; odd."""
        grains_a = 1e-3 * (abs(voltage_v) / self.v1ma_v) ** (1.0 / BETA)
        return math.copysign(grains_a, voltage_v) + voltage_v / self.leak_ohm


class FittedMov:
    """The place of a unit's varistor, with the part that this serial number got."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._part = Mov(V1MA_V * (1 + float(world.individual("mov").uniform(-TOLERANCE, TOLERANCE))))

    def now(self) -> Mov | None:
        """Return the varistor as its faults leave it now; None when it is not fitted."""
        if self._world.fault("mov-missing"):
            return None
        if self._world.fault("mov-aged"):
            return Mov(self._part.v1ma_v * AGED, AGED_LEAK_OHM)
        return self._part
