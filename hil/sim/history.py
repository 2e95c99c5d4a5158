"""What was, when: step functions of time, and the steady segments of the mains circuit with their energies."""

from __future__ import annotations

import cmath
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hil.sim.circuit import DEAD, Phasors, Segment
from hil.sim.settings import AcWindow

KEEP_S = 60.0

T = TypeVar("T")


class Steps(Generic[T]):
    """A value that changes at instants; it holds its new value from the instant on."""

    def __init__(self, first: T) -> None:
        self.starts_s: list[float] = [-math.inf]
        self.values: list[T] = [first]

    @property
    def last(self) -> T:
        """The value that holds now."""
        return self.values[-1]

    def set(self, t_s: float, value: T) -> None:
        """Let value hold from t_s on; what ended KEEP_S before is forgotten."""
        if self.starts_s[-1] == t_s:
            self.values[-1] = value
            return
        self.starts_s.append(t_s)
        self.values.append(value)
        if len(self.starts_s) > 64 and self.starts_s[32] < t_s - KEEP_S:
            keep_from = bisect_right(self.starts_s, t_s - KEEP_S) - 1
            del self.starts_s[:keep_from], self.values[:keep_from]

    def at(self, t_s: float) -> T:
        """Return the value at t_s."""
        return self.values[max(0, bisect_right(self.starts_s, t_s) - 1)]

    def indices(self, t_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return, for each time, the index into values."""
        return np.maximum(np.searchsorted(np.asarray(self.starts_s), t_s, side="right") - 1, 0)

    def spans(self, t_s: NDArray[np.float64]) -> Iterator[tuple[slice, T]]:
        """Yield the stretches of these ascending times over which one value holds, with the value."""
        first = max(0, bisect_right(self.starts_s, t_s[0]) - 1)
        last = max(first, bisect_right(self.starts_s, t_s[-1]) - 1)
        bounds = [0, *np.searchsorted(t_s, self.starts_s[first + 1 : last + 1]).tolist(), len(t_s)]
        for index, (begin, end) in enumerate(pairwise(bounds)):
            if end > begin:
                yield slice(begin, end), self.values[first + index]

    def changes_s(self, after_s: float, before_s: float) -> list[float]:
        """Return the instants of change in (after_s, before_s]."""
        return [t_s for t_s in self.starts_s if after_s < t_s <= before_s]


class AcHistory:
    """The segments of the mains circuit, with the watt-seconds up to the start of each."""

    PLACES = ("source", "reference", "load")

    def __init__(self) -> None:
        self.segments: Steps[tuple[Segment, dict[str, float]]] = Steps((DEAD, dict.fromkeys(self.PLACES, 0.0)))

    def begin(self, t_s: float, segment: Segment) -> None:
        """Let a new steady state hold from t_s on."""
        self.segments.set(t_s, (segment, {place: self.energy_ws(place, t_s) for place in self.PLACES}))

    @property
    def last(self) -> Segment:
        """The steady state that holds now."""
        return self.segments.last[0]

    def energy_ws(self, place: str, t_s: float) -> float:
        """Return the watt-seconds that passed a place since the world began."""
        steps = self.segments
        index = max(0, bisect_right(steps.starts_s, t_s) - 1)
        segment, before = steps.values[index]
        power_w = segment.place(place).s_complex.real
        return before[place] + (power_w * (t_s - steps.starts_s[index]) if power_w else 0.0)

    def waveform(self, phasors: Callable[[Segment], Phasors], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one quantity's instantaneous values at these ascending times, seen from the unit."""
        values = np.zeros_like(t_s)
        for inside, (segment, _) in self.segments.spans(t_s):
            values[inside] = segment.polarity * instantaneous(phasors(segment), segment.frequency_hz, t_s[inside])
        return values

    def window(self, place: str, t0_s: float, t1_s: float) -> AcWindow:
        """Return the averages from t0_s to t1_s; equal times give that instant's steady state."""
        steps = self.segments
        first = max(0, bisect_right(steps.starts_s, t0_s) - 1)
        end = max(first + 1, bisect_right(steps.starts_s, t1_s))
        total_s = u2 = i2 = hertz = u_peak_v = i_peak_a = 0.0
        power = 0j
        for index in range(first, end):
            until_s = steps.starts_s[index + 1] if index + 1 < end else t1_s
            width_s = until_s - max(t0_s, steps.starts_s[index]) if end - first > 1 else max(t1_s - t0_s, 1.0)
            if width_s <= 0.0:
                continue
            segment = steps.values[index][0]
            port = segment.place(place)
            total_s += width_s
            u2 += port.u2 * width_s
            i2 += port.i2 * width_s
            power += port.s_complex * width_s
            hertz = segment.frequency_hz if port.u2 > 0 else 0.0
            peaks = port.peaks
            u_peak_v, i_peak_a = max(u_peak_v, peaks[0]), max(i_peak_a, peaks[1])
        u_v, i_a, power = math.sqrt(u2 / total_s), math.sqrt(i2 / total_s), power / total_s
        factor = power.real / (u_v * i_a) if u_v * i_a > 0 else 0.0
        return AcWindow(
            u_v, i_a, power.real, power.imag, u_v * i_a, max(-1.0, min(1.0, factor)), hertz, u_peak_v, i_peak_a
        )


def instantaneous(phasors: Phasors, frequency_hz: float, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a steady state's values at these times; its phases count from the beginning of the world."""
    values = np.zeros_like(t_s)
    for order, value in phasors.items():
        if value:
            values += math.sqrt(2) * abs(value) * np.sin(2 * math.pi * order * frequency_hz * t_s + cmath.phase(value))
    return values
