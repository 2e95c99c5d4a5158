"""The board's warmth at the NTC: one thermal mass above the room, heated by what the board and its mains path lose.

Resistance, capacity and what blocked ventilation does to them are [A]: 5 K above the room with the board idle, some
20 K with 3 A and no air. Nothing ticks: between two changes of the power the temperature is one exponential.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.sim.history import Steps

FREE_K_PER_W = 6.5
BLOCKED_K_PER_W = 2.5 * FREE_K_PER_W
CAPACITY_J_PER_K = 46.0  # a time constant of 5 min, 12.5 min without air

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """The rise above the room from one change on, in kelvin: it tends from start_k to end_k."""

    from_s: float
    start_k: float
    end_k: float
    tau_s: float

    def rise_k(self, t_s: float) -> float:
        """Return the rise at t_s."""
        return self.end_k + (self.start_k - self.end_k) * math.exp(-max(0.0, t_s - self.from_s) / self.tau_s)


class Heat:
    """The temperature beside the NTC. It begins at that of the room."""

    def __init__(self, ambient_c: float) -> None:
        self._ambient_c = ambient_c
        self._power_w = 0.0
        self.blocked = False
        self._courses: Steps[Course] = Steps(Course(0.0, 0.0, 0.0, FREE_K_PER_W * CAPACITY_J_PER_K))

    def lose(self, t_s: float, power_w: float) -> None:
        """Turn power_w into heat from t_s on."""
        if abs(power_w - self._power_w) > 1e-4:
            self._power_w = power_w
            self._turn(t_s)

    def block(self, t_s: float, blocked: bool) -> None:
        """Block the ventilation, or free it."""
        if blocked != self.blocked:
            self.blocked = blocked
            self._turn(t_s)

    def _turn(self, t_s: float) -> None:
        k_per_w = BLOCKED_K_PER_W if self.blocked else FREE_K_PER_W
        now_k = self._courses.last.rise_k(t_s)
        self._courses.set(t_s, Course(t_s, now_k, k_per_w * self._power_w, k_per_w * CAPACITY_J_PER_K))

    def temp_c(self, t_s: float) -> float:
        """Return the temperature at t_s, now or in the last minute."""
        return self._ambient_c + self._courses.at(t_s).rise_k(t_s)

    def temps_c(self, t_s: Samples) -> Samples:
        """Return the temperature at these ascending times."""
        temps = np.empty_like(t_s)
        for inside, course in self._courses.spans(t_s):
            since_s = np.maximum(0.0, t_s[inside] - course.from_s)
            temps[inside] = course.end_k + (course.start_k - course.end_k) * np.exp(-since_s / course.tau_s)
        return self._ambient_c + temps
