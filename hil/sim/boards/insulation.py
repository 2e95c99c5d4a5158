"""A unit's insulation between mains and earth, and its earth bonds. Every figure is [A]; each unit has its own.

L and N, joined by the relay box, against the earth terminals of the sockets: a resistance of gigaohms, a capacitance of
some hundred picofarads, and a peak voltage at which it flashes over. Nothing of the varistor: it lies between L and N
(DR-25). The earth terminals J47 and J48 against J46, where the fixture's protective earth ends (DR-26).
"""

from __future__ import annotations

import math

from hil.sim.world import World

LEAKY_OHM, WEAK_V, HIGH_OHM = 0.8e6, 1400.0, 0.4  # of the faults; peak volts: about 1 kV rms
FAULTY_BOND = "J48"


class Insulation:
    """What a hipot tester finds."""

    def __init__(self, world: World) -> None:
        who = world.individual("insulation")
        self._world = world
        self._ohm = 10.0 ** float(who.uniform(math.log10(2e9), math.log10(40e9)))
        self.capacitance_f = float(who.uniform(200e-12, 600e-12))
        self._breakdown_v = float(who.uniform(6.0e3, 8.0e3))
        self._bonds_ohm = {name: float(who.uniform(6e-3, 18e-3)) for name in ("J47", "J48")}

    @property
    def resistance_ohm(self) -> float:
        """Between mains and earth, at direct current."""
        return LEAKY_OHM if self._world.fault("insulation-leaky") else self._ohm

    @property
    def breakdown_v(self) -> float:
        """The peak voltage it withstands."""
        return WEAK_V if self._world.fault("insulation-weak") else self._breakdown_v

    def bond_ohm(self, terminal: str) -> float:
        """From J46 to another earth terminal; infinite when it is open."""
        if terminal == FAULTY_BOND and self._world.fault("earth-open"):
            return math.inf
        return self._bonds_ohm[terminal] + (HIGH_OHM if self._faulty(terminal) else 0.0)

    def _faulty(self, terminal: str) -> bool:
        return terminal == FAULTY_BOND and self._world.fault("earth-bond-high")
