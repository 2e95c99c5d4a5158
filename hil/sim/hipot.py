"""The relay box between the hipot tester and the unit, and what the tester's terminals see through it.

A channel of the switch drives a relay of the box; only one may be closed. Each takes mains source, probes and rails
off the unit and brings the tester to it: its high voltage to L and N joined and its return to the earth terminals, or
its current in four wires to two earth terminals; `known_fail` brings it to a resistor of the box itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hil.sim.boards.insulation import Insulation
from hil.sim.world import World

MAINS_TO_EARTH, KNOWN_FAIL = 316, 319
EARTH_BONDS = {317: "J47", 318: "J48"}
CHANNELS = frozenset({MAINS_TO_EARTH, KNOWN_FAIL, *EARTH_BONDS})
KNOWN_FAIL_OHM = 50e3  # [A]
LEADS_F, LEADS_OHM = 40e-12, 1e12  # of box and leads, always there [A]
RESIDUAL_OHM = 0.3e-3  # what four wires leave of the leads [A]


@dataclass(frozen=True, slots=True)
class Across:
    """What lies between high voltage and return."""

    ohm: float = LEADS_OHM
    farad: float = LEADS_F
    breakdown_v: float = math.inf  # peak

    def amperes(self, voltage_v: float, frequency_hz: float) -> float:
        """Return the rms current at an rms voltage; frequency 0 is d.c., steady."""
        return voltage_v * math.hypot(1.0 / self.ohm, 2.0 * math.pi * frequency_hz * self.farad)


class HipotBox:
    """Knows which relay is closed, and whether high voltage meets what it must not."""

    def __init__(self, world: World, unit: Insulation, powered: Callable[[], str]) -> None:
        """`powered` says what is on at the unit, or nothing."""
        self._world, self._unit, self._powered = world, unit, powered
        self._routes: frozenset[int] = frozenset()
        self.output_v = 0.0  # of the tester, rms or d.c.; what is left on the unit counts

    def across(self) -> Across:
        """Return what the high voltage is put on."""
        if KNOWN_FAIL in self._routes:
            return Across(KNOWN_FAIL_OHM)
        if MAINS_TO_EARTH not in self._routes:
            return Across()
        unit = self._unit
        ohm = 1.0 / (1.0 / unit.resistance_ohm + 1.0 / LEADS_OHM)
        return Across(ohm, unit.capacitance_f + LEADS_F, unit.breakdown_v)

    def bond_ohm(self) -> float:
        """Return what the current of the earth bond test meets."""
        if KNOWN_FAIL in self._routes:
            return KNOWN_FAIL_OHM
        for channel, terminal in EARTH_BONDS.items():
            if channel in self._routes:
                return self._unit.bond_ohm(terminal) + RESIDUAL_OHM
        return math.inf

    def set_output(self, volts: float) -> None:
        """Put out a voltage, or none; what it meets that it must not is put on record."""
        if (volts > 0.0) != (self.output_v > 0.0):
            self._world.record("hipot", volts=volts)
        self.output_v = volts
        self.check()

    def follow(self, routes: frozenset[int]) -> None:
        """Take the closed channels of the switch."""
        self._routes = routes
        self.check()

    def check(self) -> None:
        """Put on record when high voltage meets a powered unit, another instrument, or a second relay of the box."""
        if not self.output_v:
            return
        if what := self._powered():
            self._world.record("violation", what=f"high voltage on a unit under {what}")
        if len(self._routes) > 1:
            self._world.record("violation", what="high voltage beside other routes", channels=sorted(self._routes))
