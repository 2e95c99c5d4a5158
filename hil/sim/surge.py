"""The combination wave, 1.2/50 us into an open circuit and 8/20 us into a short, through 2 ohm, onto mains and MOV.

Waveforms and tolerances: IEC 61000-4-5, nrc (facts standards 2.1). The generator is the usual circuit of a charged
capacitor with its discharge resistor, a series resistor and inductance, and a resistor across the output; its five
values are those of the published elementary circuit, unverified, and the tests hold the waves to their definitions.
The coupling network is ideal [A]: it passes the wave as it is, and its choke keeps the wave from the mains source.
The MOV answers at once; what the unit's supply and load would draw from the wave is left out [A].
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.sim.circuit import FUSE_OHM
from hil.sim.mov import Mov

CAPACITANCE_F = 6.038e-6
DISCHARGE_OHM = 25.105
SERIES_OHM = 0.941
INDUCTANCE_H = 10.37e-6
OUTPUT_OHM = 19.80

Samples = NDArray[np.float64]


def _instants_s() -> Samples:
    """Return when the wave is computed: finely on the front, for 0.6 ms."""
    parts = [(0.0, 4e-6, 200), (4e-6, 40e-6, 360), (40e-6, 200e-6, 320), (200e-6, 600e-6, 400)]
    return np.concatenate([*(np.linspace(a, b, n, endpoint=False) for a, b, n in parts), [600e-6]])


INSTANTS_S = _instants_s()


@dataclass(frozen=True, slots=True)
class Wave:
    """One shot, from its first instant: (n,) float64 each; voltages without and with the mains they ride on."""

    t_s: Samples
    surge_v: Samples  # what the shot adds at the unit's MOV
    terminal_v: Samples  # at the generator's output, mains included
    current_a: Samples

    @property
    def i2t_a2s(self) -> float:
        """The shot's let-through integral of the current's square."""
        return float(np.sum((self.current_a[1:] ** 2 + self.current_a[:-1] ** 2) / 2 * np.diff(self.t_s)))


@dataclass(frozen=True, slots=True)
class Shot:
    """A wave that came over the unit, by the world's clock. sign: -1 where live and neutral were exchanged."""

    start_s: float
    level_v: float
    angle_deg: float
    wave: Wave
    peak_v: float  # at the generator's output, mains included, on the side of the shot's polarity
    peak_a: float
    sign: float = 1.0

    @property
    def end_s(self) -> float:
        """When nothing of it is left."""
        return self.start_s + float(self.wave.t_s[-1])

    @property
    def instants_s(self) -> Samples:
        """The instants that it is known at."""
        return self.start_s + self.wave.t_s

    def bus_v(self, t_s: Samples) -> Samples:
        """Return what it adds to the bus at these times."""
        return self.sign * np.interp(t_s - self.start_s, self.wave.t_s, self.wave.surge_v, left=0.0, right=0.0)


@dataclass(frozen=True, slots=True)
class Clamp:
    """What the generator works into: a table of voltages and of the currents the circuit draws at them, ascending."""

    total_v: Samples  # at the generator's output
    across_v: Samples  # of total_v, across the MOV
    current_a: Samples

    @classmethod
    def open(cls) -> Clamp:
        """Return an open circuit."""
        volts = np.array([-1e5, 1e5])
        return cls(volts, volts, np.zeros(2))

    @classmethod
    def short(cls) -> Clamp:
        """Return a short circuit."""
        return cls(np.array([-1e-6, 1e-6]), np.zeros(2), np.array([-1e5, 1e5]))

    @classmethod
    def of(cls, mov: Mov | None, series_ohm: float = FUSE_OHM) -> Clamp:
        """Return a varistor behind the fuse."""
        if mov is None:
            return cls.open()
        grains_a = np.geomspace(1e-6, 1e4, 500)
        volts = np.array([mov.voltage_v(float(current_a)) for current_a in grains_a])
        amps = grains_a + volts / mov.leak_ohm
        across_v = np.concatenate([-volts[::-1], [0.0], volts])
        current_a = np.concatenate([-amps[::-1], [0.0], amps])
        return cls(across_v + series_ohm * current_a, across_v, current_a)


def combination_wave(level_v: float, clamp: Clamp, mains_v: Samples | None = None) -> Wave:
    """Fire once at an open-circuit level; mains_v is the mains at INSTANTS_S."""
    return _solved(level_v * _charge_per_volt(), clamp, np.zeros_like(INSTANTS_S) if mains_v is None else mains_v)


@functools.cache
def _charge_per_volt() -> float:
    """Return the charge for a peak of 1 V into an open circuit."""
    return 1.0 / float(_solved(1.0, Clamp.open(), np.zeros_like(INSTANTS_S)).surge_v.max())


def _solved(charge_v: float, clamp: Clamp, mains_v: Samples) -> Wave:
    """Integrate capacitor voltage and coil current by Runge-Kutta; the output follows the current at once."""
    # At the output: (v - mains) / OUTPUT_OHM + i(v) = coil current; the left side is one table in v
    drawn_a = clamp.total_v / OUTPUT_OHM + clamp.current_a
    t_s = INSTANTS_S
    middle_v = (mains_v[1:] + mains_v[:-1]) / 2

    def slopes(cap_v: float, coil_a: float, mains: float) -> tuple[float, float]:
        out_v = float(np.interp(coil_a + mains / OUTPUT_OHM, drawn_a, clamp.total_v)) - mains
        return (
            -(cap_v / DISCHARGE_OHM + coil_a) / CAPACITANCE_F,
            (cap_v - SERIES_OHM * coil_a - out_v) / INDUCTANCE_H,
        )

    cap_v, coil_a = charge_v, 0.0
    coil = [coil_a]
    for step in range(len(t_s) - 1):
        width_s = float(t_s[step + 1] - t_s[step])
        before, middle, after = float(mains_v[step]), float(middle_v[step]), float(mains_v[step + 1])
        c1, l1 = slopes(cap_v, coil_a, before)
        c2, l2 = slopes(cap_v + c1 * width_s / 2, coil_a + l1 * width_s / 2, middle)
        c3, l3 = slopes(cap_v + c2 * width_s / 2, coil_a + l2 * width_s / 2, middle)
        c4, l4 = slopes(cap_v + c3 * width_s, coil_a + l3 * width_s, after)
        cap_v += width_s / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
        coil_a += width_s / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
        coil.append(coil_a)
    total = np.interp(np.array(coil) + mains_v / OUTPUT_OHM, drawn_a, clamp.total_v)
    across = np.interp(total, clamp.total_v, clamp.across_v)
    current = np.interp(total, clamp.total_v, clamp.current_a)
    return Wave(t_s, across - mains_v, total, current)


def next_at_angle(now_s: float, angle_deg: float, frequency_hz: float, phase_deg: float) -> float:
    """Return when the mains next passes an angle after now_s; now_s itself when there is no mains."""
    if frequency_hz <= 0.0:
        return now_s
    turns = (angle_deg - phase_deg) / 360.0
    return (math.floor(now_s * frequency_hz - turns) + 1 + turns) / frequency_hz
