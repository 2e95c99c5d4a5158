"""For how long a current has been above a limit, judged by an energy meter that is slow to tell.

The meter's register holds the rms of its last interval of 0.32 s and is up to 0.32 s old, so a step shows late, and
first as a part of itself. How large that part was tells when the step came: without it a hold time of 1 s could not be
kept to a tenth.
"""

from __future__ import annotations

from collections import deque

READ_S = 0.1  # the caller feeds one reading in this time
INTERVAL_S = 0.32  # of the meter's registers
BEFORE = 5  # readings: so long before it is seen, the register knew nothing of a step
SETTLED = 4  # readings: so long after it is seen, the register shows nothing but it
STEADY = 0.97  # of the highest reading: below it this was an inrush


class Overload:
    """Watches one current against one limit."""

    def __init__(self, limit_a: float) -> None:
        self.limit_a = limit_a
        self._past = deque([0.0] * BEFORE, maxlen=BEFORE)
        self._above = 0  # readings
        self._seen_s = self._began_s = 0.0

    def feed(self, now_s: float, current_a: float) -> float:
        """Take a reading; return for how many seconds the current has been above the limit, 0 when it is not."""
        if current_a < self.limit_a:
            self._above = 0
            self._past.append(current_a)
            return 0.0
        self._above += 1
        if self._above == 1:
            self._began_s = self._seen_s = now_s
            self._rise_a = (self._past[0], self._past[-1], current_a)
        elif self._above == 1 + SETTLED:
            self._began_s = self._seen_s - READ_S / 2 - INTERVAL_S * self._intervals(current_a)
        return now_s - self._began_s

    def _intervals(self, settled_a: float) -> float:
        """Return for how many intervals before it was seen the overload had lasted; 0 when it is falling again."""
        first_a, *rise_a = self._rise_a
        step = settled_a**2 - first_a**2
        if step <= 0.0 or settled_a < STEADY * max(rise_a):
            return 0.0
        return sum(min(1.0, max(0.0, (seen_a**2 - first_a**2) / step)) for seen_a in rise_a)
