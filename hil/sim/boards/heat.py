"""The board's warmth at the NTC: one thermal mass in the air, heated by what the board and its mains path lose.

Resistance, capacity and what blocked ventilation does to them are [A]: 5 K above the room with the board idle, some
20 K with 3 A and no air. Nothing ticks: between two changes of the power the temperature is one exponential. The mass
follows the air with the same time constant; what it loses comes on top, for heat adds up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.sim.air import Air
from hil.sim.history import Steps

FREE_K_PER_W = 6.5
BLOCKED_K_PER_W = 2.5 * FREE_K_PER_W
CAPACITY_J_PER_K = 46.0  # a time constant of 5 min, 12.5 min without air

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """From one change on the rise above body_c, which is the air alone, tends from start_k to end_k, in kelvin."""

    from_s: float
    start_k: float
    end_k: float
    tau_s: float
    body_c: float

    def rise_k(self, t_s: float) -> float:
        """Return the rise at t_s."""
        return self.end_k + (self.start_k - self.end_k) * math.exp(-max(0.0, t_s - self.from_s) / self.tau_s)


class Heat:
    """The temperature beside the NTC. It begins at that of the air, which is the room's."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self._power_w = 0.0
        self.blocked = False
        self._courses: Steps[Course] = Steps(Course(0.0, 0.0, 0.0, FREE_K_PER_W * CAPACITY_J_PER_K, air.room_c))

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
        now_k, body_c = self._courses.last.rise_k(t_s), self.body_c(t_s)
        self._courses.set(t_s, Course(t_s, now_k, k_per_w * self._power_w, k_per_w * CAPACITY_J_PER_K, body_c))

    @property
    def tau_s(self) -> float:
        """The time constant it follows the air with."""
        return self._courses.last.tau_s

    def body_c(self, t_s: float) -> float:
        """Return the temperature that the air alone gives the board at t_s, now or in the last minute."""
        course = self._courses.at(t_s)
        return self._air.followed_c(course.from_s, course.body_c, t_s, course.tau_s)

    def temp_c(self, t_s: float) -> float:
        """Return the temperature at t_s, now or in the last minute."""
        return self.body_c(t_s) + self._courses.at(t_s).rise_k(t_s)

    def temps_c(self, t_s: Samples) -> Samples:
        """Return the temperature at these ascending times; the air moves little in what an oscilloscope keeps."""
        temps = np.empty_like(t_s)
        for inside, course in self._courses.spans(t_s):
            since_s = np.maximum(0.0, t_s[inside] - course.from_s)
            temps[inside] = course.end_k + (course.start_k - course.end_k) * np.exp(-since_s / course.tau_s)
        first_c, last_c = self.body_c(float(t_s[0])), self.body_c(float(t_s[-1]))
        share = (t_s - t_s[0]) / max(1e-9, float(t_s[-1] - t_s[0]))
        return np.asarray(first_c + (last_c - first_c) * share + temps)
