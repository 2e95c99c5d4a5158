"""What a sampled waveform says: edges, first and last apart, and levels. Pure numpy, no I/O.

Ref: facts of the relay chapter: set and reset time end at the first contact edge, bounce lasts from first to last edge
(IEC 61810-7); contact edges are read at half the wetting voltage, with hysteresis against noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Edge:
    """One crossing of a level: when, in seconds, and whether upwards."""

    time_s: float
    rising: bool


def edges(time_s: Samples, voltage_v: Samples, level_v: float, hysteresis_v: float) -> list[Edge]:
    """Return the crossings of level_v in order; one counts once the signal has left the band of +/- hysteresis_v/2.

    time_s and voltage_v are (n,) float64 of equal length; the time of an edge is interpolated between its samples.
    """
    state = np.zeros(len(voltage_v), dtype=np.int8)
    state[voltage_v > level_v + hysteresis_v / 2] = 1
    state[voltage_v < level_v - hysteresis_v / 2] = -1
    known = np.flatnonzero(state)
    if len(known) < 2:
        return []
    changes = np.flatnonzero(np.diff(state[known]))
    return [_edge(time_s, voltage_v, level_v, int(known[c]), int(known[c + 1])) for c in changes]


def _edge(time_s: Samples, voltage_v: Samples, level_v: float, before: int, after: int) -> Edge:
    """Find the crossing between two samples that lie on either side of the band."""
    rising = bool(voltage_v[after] > voltage_v[before])
    above = voltage_v[before : after + 1] > level_v
    first = before + int(np.argmax(above == rising))
    if first == before:
        return Edge(float(time_s[before]), rising)
    v0, v1 = voltage_v[first - 1], voltage_v[first]
    share = float((level_v - v0) / (v1 - v0)) if v1 != v0 else 1.0
    return Edge(float(time_s[first - 1] + share * (time_s[first] - time_s[first - 1])), rising)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A low pulse: when it began and ended, in seconds."""

    start_s: float
    end_s: float

    @property
    def width_s(self) -> float:
        """The time between its edges."""
        return self.end_s - self.start_s


def low_pulses(time_s: Samples, voltage_v: Samples, level_v: float, hysteresis_v: float) -> list[Pulse]:
    """Return the complete pulses below level_v, each from its falling to its rising edge."""
    found, start = [], None
    for edge in edges(time_s, voltage_v, level_v, hysteresis_v):
        if not edge.rising:
            start = edge.time_s
        elif start is not None:
            found.append(Pulse(start, edge.time_s))
            start = None
    return found


def between(time_s: Samples, values: Samples, start_s: float, end_s: float) -> Samples:
    """Return the values sampled from start_s to end_s, both included."""
    return values[(time_s >= start_s) & (time_s <= end_s)]
