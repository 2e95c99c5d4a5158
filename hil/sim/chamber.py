"""The thermal chamber around the unit: heater, compressor and circulating air under a saturating regulation.

All figures are those of a small bench-top chamber [A]. Far from its set point it heats or cools as fast as it can (or
as its ramp says); near it, within the proportional band, it approaches exponentially. Its outputs off, the air goes to
the room's temperature by itself. The unit's fixture stands in it for good; its door is closed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from hil.sim.air import Air, Piece
from hil.sim.world import World

LOWEST_C, HIGHEST_C = -40.0, 130.0  # what the machine can reach
HEATS_K_PER_S = 3.0 / 60.0
COOLS_K_PER_S = 1.5 / 60.0
APPROACH_S = 120.0  # time constant within the proportional band
IDLE_S = 2700.0  # time constant towards the room, outputs off
RIPPLE_K, RIPPLE_S = 0.05, 90.0  # of the regulation
LOSS_K = 150.0  # above the room at full heating, steady: tells the power that holding takes


class Chamber:
    """What the air in it does, by what its controller demands."""

    def __init__(self, world: World, air: Air, changed: Callable[[], None] = lambda: None) -> None:
        self._world, self._air, self._changed = world, air, changed
        self.target_c: float | None = None  # None: the outputs are off
        self._slowest_k_per_s = math.inf

    def regulate(self, target_c: float | None, k_per_s: float = math.inf) -> None:
        """Drive the air to a temperature, no faster than k_per_s; None: outputs off."""
        if target_c == self.target_c and k_per_s == self._slowest_k_per_s:
            return
        if (target_c is None) != (self.target_c is None):
            self._world.record("chamber", on=target_c is not None)
        self.target_c, self._slowest_k_per_s = target_c, k_per_s
        self._air.take(*self._course(self._world.now_s))
        self._changed()

    def _course(self, now_s: float) -> list[Piece]:
        start_c = self._air.temp_c(now_s)
        if self.target_c is None:
            return [Piece(now_s, start_c, self._air.room_c, IDLE_S)]
        end_c = min(HIGHEST_C, max(LOWEST_C, self.target_c))
        rate = min(HEATS_K_PER_S if end_c > start_c else COOLS_K_PER_S, self._slowest_k_per_s)
        far_k = abs(end_c - start_c) - rate * APPROACH_S
        if far_k <= 0.0:
            return [Piece(now_s, start_c, end_c, APPROACH_S)]
        signed = math.copysign(rate, end_c - start_c)
        near_s = now_s + far_k / rate
        near_c = start_c + math.copysign(far_k, signed)
        return [
            Piece(now_s, start_c, end_c, k_per_s=signed),
            Piece(near_s, near_c, end_c, APPROACH_S),
        ]

    def air_c(self) -> float:
        """Return the temperature of the air beside the unit, now."""
        now_s = self._world.now_s
        ripple_k = 0.0 if self.target_c is None else RIPPLE_K * math.sin(2.0 * math.pi * now_s / RIPPLE_S)
        return self._air.temp_c(now_s) + ripple_k

    def power_pct(self) -> float:
        """Return the control output, in percent: heating positive, cooling negative."""
        if self.target_c is None:
            return 0.0
        air_c = self._air.temp_c(self._world.now_s)
        holding = 100.0 * (self.target_c - self._air.room_c) / LOSS_K
        band_k = (HEATS_K_PER_S if self.target_c > air_c else COOLS_K_PER_S) * APPROACH_S
        return min(100.0, max(-100.0, holding + 100.0 * (self.target_c - air_c) / band_k))
