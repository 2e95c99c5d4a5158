"""The board's temperature sensor as data: an NTC from GPIO1 to ground, a resistor from there to 3.3 V.

Ref: Smart Power facts 6.1, R = R25 exp(B (1/T - 1/298.15 K)). The document gives no part and no topology: all [A].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ZERO_C_K = 273.15
R25_AT_K = 298.15


@dataclass(frozen=True, slots=True)
class Ntc:
    """A sensor by its resistance at 25 degrees Celsius and its B value, with the relative tolerances of both."""

    r25_ohm: float
    b_k: float
    r25_tolerance: float
    b_tolerance: float
    pull_up_ohm: float
    supply_v: float

    def resistance_ohm(self, temp_c: float) -> float:
        """Return its resistance at a temperature."""
        return self.r25_ohm * math.exp(self.b_k * (1.0 / (temp_c + ZERO_C_K) - 1.0 / R25_AT_K))

    def temperature_c(self, resistance_ohm: float) -> float:
        """Return the temperature at which it has a resistance, greater than zero."""
        return 1.0 / (math.log(resistance_ohm / self.r25_ohm) / self.b_k + 1.0 / R25_AT_K) - ZERO_C_K

    def kelvin_per_ohm(self, temp_c: float) -> float:
        """Return dT/dR at a temperature; negative."""
        return -((temp_c + ZERO_C_K) ** 2) / (self.b_k * self.resistance_ohm(temp_c))

    def part_error_k(self, temp_c: float) -> tuple[float, float]:
        """Return how far its R25 and its B value, each at its tolerance, move the temperature that it shows."""
        kelvin = temp_c + ZERO_C_K
        of_r25 = self.r25_tolerance * kelvin**2 / self.b_k
        of_b = self.b_tolerance * kelvin * abs(kelvin / R25_AT_K - 1.0)
        return of_r25, of_b

    def node_v(self, temp_c: float) -> float:
        """Return the voltage at GPIO1 at a temperature."""
        resistance_ohm = self.resistance_ohm(temp_c)
        return self.supply_v * resistance_ohm / (resistance_ohm + self.pull_up_ohm)
