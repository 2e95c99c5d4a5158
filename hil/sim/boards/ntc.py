"""The NTC's divider at GPIO1: 10 kohm B 3950 to ground, 10 kohm to 3.3 V, and the converter that reads it.

Ref: facts smart-power 6.1. The S3's converter has a reference of its own, so a rail that is off reads as a
temperature that is off; what its calibration leaves, and where it saturates, is [A]. The fixture's relay can put a
resistance in the NTC's place; the node has no capacitor [A], so it steps when the resistance does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hil.sim.history import Steps
from hil.sim.world import World

R25_OHM, B_K = 10e3, 3950.0
SERIES_OHM = 10e3
WRONG_R25_OHM = 100e3  # the part that looks the same on the reel
SHORT_OHM = 0.1
R25_TOLERANCE = B_TOLERANCE = SERIES_TOLERANCE = 0.01
ADC_GAIN = 0.005  # left after calibration [A]
ADC_NOISE_MV = 0.8  # one code, rms [A]
ADC_FULL_SCALE_MV = 3160.0  # of the converter at 12 dB [A]

Samples = NDArray[np.float64]


class Ntc:
    """The divider and whatever is its lower leg."""

    def __init__(self, world: World) -> None:
        who = world.individual("ntc")
        self._world = world
        self._tolerance = 1 + float(who.uniform(-R25_TOLERANCE, R25_TOLERANCE))
        self._b_k = B_K * (1 + float(who.uniform(-B_TOLERANCE, B_TOLERANCE)))
        self.series_ohm = SERIES_OHM * (1 + float(who.uniform(-SERIES_TOLERANCE, SERIES_TOLERANCE)))
        self._adc_gain = 1 + float(who.uniform(-ADC_GAIN, ADC_GAIN))
        self._noise = world.rng("ntc", "adc")
        self._r25_ohm: Steps[float] = Steps(self._part_ohm())
        self._instead: Steps[float | None] = Steps(None)  # ohms in the NTC's place; None: the NTC itself

    def _part_ohm(self) -> float:
        """Return the part's resistance at 25 C; 0 and infinity are its two ends."""
        if self._world.fault("ntc-open"):
            return math.inf
        if self._world.fault("ntc-short"):
            return 0.0
        return self._tolerance * (WRONG_R25_OHM if self._world.fault("ntc-wrong-type") else R25_OHM)

    def fault_began(self) -> None:
        """Look at the part again."""
        self._r25_ohm.set(self._world.now_s, self._part_ohm())

    def replace(self, ohm: float | None) -> None:
        """Put a resistance in the NTC's place, now; None brings the NTC back."""
        if ohm == self._instead.last:
            return
        self._instead.set(self._world.now_s, ohm)
        who = "NTC" if ohm is None else "open" if math.isinf(ohm) else "resistor"
        self._world.record("ntc", leg=who, ohm=ohm if who == "resistor" else None)

    def changes_s(self, after_s: float, before_s: float) -> list[float]:
        """Return the instants at which the lower leg became another, in (after_s, before_s]."""
        return self._r25_ohm.changes_s(after_s, before_s) + self._instead.changes_s(after_s, before_s)

    # -- the node ----------------------------------------------------------------------------------------------------

    def _share(self, instead_ohm: float | None, r25_ohm: float, temp_c: float) -> float:
        """Return the node's share of the rail."""
        ohm = instead_ohm
        if ohm is None:
            ohm = SHORT_OHM if r25_ohm == 0.0 else r25_ohm * math.exp(self._b_k * (1 / (temp_c + 273.15) - 1 / 298.15))
        return 1.0 if math.isinf(ohm) else ohm / (ohm + self.series_ohm)

    def adc_mv(self, temp_c: float, rail_v: float) -> float:
        """Read the node once, now."""
        node_mv = 1e3 * rail_v * self._share(self._instead.last, self._r25_ohm.last, temp_c)
        noise_mv = ADC_NOISE_MV * float(self._noise.standard_normal())
        return min(ADC_FULL_SCALE_MV, max(0.0, node_mv + noise_mv)) * self._adc_gain

    def node_v(self, t_s: Samples, temps_c: Samples, rail_v: Samples) -> Samples:
        """Return the node's voltage at these times."""
        instead = np.array([math.nan if ohm is None else ohm for ohm in self._instead.values])
        ohm = instead[self._instead.indices(t_s)]
        own = np.isnan(ohm)
        if own.any():
            r25_ohm = np.array(self._r25_ohm.values)[self._r25_ohm.indices(t_s[own])]
            ohm[own] = r25_ohm * np.exp(self._b_k * (1 / (temps_c[own] + 273.15) - 1 / 298.15)) + SHORT_OHM
        is_open = np.isinf(ohm)
        ohm[is_open] = 0.0
        return np.asarray(rail_v * np.where(is_open, 1.0, ohm / (ohm + self.series_ohm)))
