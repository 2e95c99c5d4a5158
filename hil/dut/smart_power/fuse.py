"""The fuse in the common live path as data: how soon it may open at least, at a current.

Ref: Smart Power facts 6.3: Littelfuse 213 series, IEC 60127-2 sheet 3: 150 % at least 60 min, 275 % from 0.6 s, 400 %
from 0.15 s, 1000 % from 0.02 s. Between these the curve is taken as straight in log-log [A]. The part itself is [A].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fuse:
    """A fuse by its rating and the points (multiple of the rating, shortest time in s) of its curve, ascending."""

    rated_a: float
    shortest: tuple[Point, ...]

    def shortest_melting_s(self, current_a: float) -> float:
        """Return the least time for which it carries a current; below its curve, that of the first point."""
        multiple = max(current_a / self.rated_a, self.shortest[0][0])
        (m0, t0), (m1, t1) = self._pair(lambda point: point[0] >= multiple)
        share = math.log(multiple / m0) / math.log(m1 / m0)
        return t0 * math.pow(t1 / t0, share)

    def current_a(self, melting_s: float) -> float:
        """Return the current at which it may open as soon as this."""
        (m0, t0), (m1, t1) = self._pair(lambda point: point[1] <= melting_s)
        share = math.log(melting_s / t0) / math.log(t1 / t0)
        return self.rated_a * m0 * math.pow(m1 / m0, share)

    def _pair(self, beyond: Callable[[Point], bool]) -> tuple[Point, Point]:
        points = self.shortest
        last = next((n for n, point in enumerate(points) if n and beyond(point)), len(points) - 1)
        return points[last - 1], points[last]
