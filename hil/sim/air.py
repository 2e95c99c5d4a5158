"""The air around the unit, and what follows it: the room's, or the chamber's when that is on.

Nothing ticks: the course of the air is a chain of ramps and exponentials, and a thermal mass in it is computed from
these in closed form. While nobody has switched the chamber on, everything stays at the room's temperature exactly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """From an instant on: a ramp of k_per_s, or (tau_s finite) an exponential from start_c towards end_c."""

    from_s: float
    start_c: float
    end_c: float
    tau_s: float = math.inf
    k_per_s: float = 0.0

    def temp_c(self, t_s: float) -> float:
        """Return the air's temperature at t_s."""
        since_s = max(0.0, t_s - self.from_s)
        if math.isinf(self.tau_s):
            return self.start_c + self.k_per_s * since_s
        return self.end_c + (self.start_c - self.end_c) * math.exp(-since_s / self.tau_s)

    def followed_c(self, begin_s: float, temp_c: float, t_s: float, tau_s: float) -> float:
        """Return where a mass with tau_s, at temp_c at begin_s, is at t_s."""
        since_s, air_c = t_s - begin_s, self.temp_c(begin_s)
        fades = math.exp(-since_s / tau_s)
        if math.isinf(self.tau_s):
            lag_c = self.k_per_s * tau_s
            return air_c + self.k_per_s * since_s - lag_c + (temp_c - air_c + lag_c) * fades
        drive_c = (air_c - self.end_c) * self.tau_s / (self.tau_s - tau_s)
        return self.end_c + drive_c * math.exp(-since_s / self.tau_s) + (temp_c - self.end_c - drive_c) * fades


class Air:
    """What its temperature was, and will be while nobody changes anything."""

    def __init__(self, room_c: float) -> None:
        self.room_c = room_c
        self._pieces = [Piece(0.0, room_c, room_c, 1.0)]
        self._starts_s = [0.0]

    def take(self, *pieces: Piece) -> None:
        """Let it take another course from the first piece's instant on."""
        keep = bisect_right(self._starts_s, pieces[0].from_s)
        if self._starts_s[keep - 1] == pieces[0].from_s:
            keep = max(0, keep - 1)
        self._pieces[keep:] = pieces
        self._starts_s[keep:] = [piece.from_s for piece in pieces]

    def temp_c(self, t_s: float) -> float:
        """Return its temperature at t_s."""
        return self._pieces[self._at(t_s)].temp_c(t_s)

    @property
    def end_c(self) -> float:
        """Where it tends."""
        return self._pieces[-1].end_c

    def followed_c(self, begin_s: float, temp_c: float, t_s: float, tau_s: float) -> float:
        """Return where a mass in it is at t_s that was at temp_c at begin_s."""
        index = self._at(begin_s)
        while begin_s < t_s:
            until_s = self._starts_s[index + 1] if index + 1 < len(self._starts_s) else math.inf
            end_s = min(until_s, t_s)
            temp_c = self._pieces[index].followed_c(begin_s, temp_c, end_s, tau_s)
            begin_s, index = end_s, index + 1
        return temp_c

    def _at(self, t_s: float) -> int:
        return max(0, bisect_right(self._starts_s, t_s) - 1)
