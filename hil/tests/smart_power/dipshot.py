"""A series of dips or interruptions, and what of it really reached the unit.

The oscilloscope sees the voltage behind the fuse. A dip of whole half cycles takes a share of the mean square away:
its duration is the integral of what is missing, divided by what is missing while it lasts, whatever its angle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.errors import InstrumentRefused, NoReading
from hil.instruments.probe import Probed
from hil.instruments.roles import VoltageStep
from hil.metrology.budget import Budget, rectangular, resolution
from hil.metrology.propagation import direct
from hil.metrology.waveforms import Samples
from hil.plans.plan import Planned
from hil.station.station import Station
from hil.tests.smart_power.scoped import SCOPE, interval

PROBE = 2  # oscilloscope channel of the high-voltage probe
SCREEN_V = (-400.0, 400.0)
NEVER_V = 390.0  # above the crest of the mains: the record begins when it is told to
CODES = 256  # 8 bits of the screen
BEFORE_S = 0.1  # whole cycles of 50 Hz that the record has before its trigger
ARMED_S = 3.0  # from the scope's trigger until the source has taken its list and passed the angle, at most
AFTER_S = 0.1
RATIO_ERROR = 0.01  # how far probe and scope are from proportional, of full scale: gains cancel, this does not [A]
EDGES_S = 50e-6  # how long the source takes to its new voltage, against what its list says [A]
NOISE_CODES = 1.0  # rms of what an 8-bit record adds


@dataclass(frozen=True, slots=True)
class Dip:
    """One voltage dip or short interruption: what is left of Un, for how many cycles, from which angle on."""

    residual_pct: float
    cycles: float
    angle_deg: float

    @classmethod
    def of(cls, point: dict[str, Any]) -> Dip:
        """Read a point of the plan."""
        return cls(float(point["residual_pct"]), float(point["cycles"]), float(point.get("angle_deg", 0.0)))

    def steps(self, un_v: float, frequency_hz: float, spacing_s: float) -> list[VoltageStep]:
        """Return it as steps of the source: the dip, then Un for the spacing."""
        return [
            VoltageStep(self.residual_pct / 100.0 * un_v, self.cycles / frequency_hz),
            VoltageStep(un_v, spacing_s),
        ]

    def __str__(self) -> str:
        return f"{self.residual_pct:g} % for {self.cycles:g} cycles from {self.angle_deg:g} degrees"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a record shows of the first dip in it."""

    wave: Probed
    begin_s: float
    duration_s: float
    residual: float  # of the voltage before it, rms
    step_s: float
    full_scale: float  # of the screen, in that voltage's rms

    def residual_pct(self) -> Budget:
        """Return what was left of Un, in %, with its budget; the gains of probe and scope cancel."""
        parts = [
            resolution("8 bits of full scale", 100.0 * NOISE_CODES * self.full_scale / CODES),
            rectangular("probe and scope not proportional [A]", 100.0 * RATIO_ERROR * max(self.residual, 0.1)),
        ]
        return direct(100.0 * self.residual, "%", parts, [SCOPE])

    def duration(self, bench: Station) -> Budget:
        """Return how long it lasted, in seconds, with its budget."""
        missing = 1.0 - self.residual**2
        share = NOISE_CODES * self.full_scale / CODES / missing
        parts = [
            resolution("samples", self.step_s),
            rectangular(
                "8 bits of full scale, in the mean squares [A]", share**2 * self.duration_s + share * self.step_s
            ),
            rectangular(f"edges of the source, {EDGES_S * 1e6:g} us [A]", EDGES_S),
        ]
        return interval(bench, self.duration_s, *parts)


@contextmanager
def watched(bench: Station, longest_s: float) -> Iterator[list[Probed]]:
    """Record the mains while a dip comes inside the block; the list has the record after it."""
    scope, probe, seen = bench.scope, bench.probe("scope2.hv"), list[Probed]()
    with bench.route("scope2.hv"):
        probe.set_channel(scope, PROBE, *SCREEN_V)
        scope.set_timebase(BEFORE_S + ARMED_S + longest_s + AFTER_S, BEFORE_S)
        probe.arm(scope, PROBE, NEVER_V, rising=True)
        scope.trigger()
        yield seen
        seen.append(probe.read(scope, PROBE))


def applied(wave: Probed, un_v: float, frequency_hz: float) -> Applied:
    """Find the first dip in a record and measure it; raises NoReading where there is none, or no mains before it."""
    step_s = float(np.diff(wave.time_s).mean())
    half = round(0.5 / frequency_hz / step_s)
    quiet = wave.time_s < wave.time_s[0] + BEFORE_S
    volts = wave.value - wave.value[quiet].mean()  # an offset of the scope is none of the mains
    squares = np.concatenate([[0.0], np.cumsum(volts**2)])
    means: Samples = (squares[half:] - squares[:-half]) / half  # over each half cycle
    before = float((volts[quiet] ** 2).mean())
    if before < (un_v / 2) ** 2:
        raise NoReading("Scope", "dip", f"{before**0.5:.0f} V", "no mains before the dip")
    lowest = float(means.min())
    low = np.flatnonzero(means < (before + lowest) / 2)
    if lowest > 0.9 * before or not len(low):
        raise NoReading("Scope", "dip", f"{(lowest / before) ** 0.5:.2f} of Un", "no dip in the record")
    ends = np.flatnonzero(np.diff(low) > half)
    last = int(low[ends[0]] if len(ends) else low[-1])  # of the first dip
    first, inner = int(low[0]), half // 2 + 1
    inside = means[first + inner : last - inner : half] if last - first > 3 * inner else means[first : last + 1]
    residual2 = float(inside.mean()) if last - first > 3 * inner else float(inside.min())
    around = means[max(0, first - half) : last + half + 1]
    duration_s = float((before - around).sum()) * step_s / (before - residual2)
    return Applied(
        wave,
        float(wave.time_s[first]) + 0.5 * half * step_s,
        duration_s,
        max(0.0, residual2 / before) ** 0.5,
        step_s,
        (SCREEN_V[1] - SCREEN_V[0]) / before**0.5,
    )


def check_source(planned: Planned, value: float) -> None:
    """Raise InstrumentRefused when the source gave something else than the plan tolerates: the unit is not to blame."""
    limit = planned.limit
    assert limit is not None
    assert limit.low is not None
    assert limit.high is not None
    if not limit.low <= value <= limit.high:
        tolerated = f"the plan tolerates {limit.low:g} to {limit.high:g}"
        raise InstrumentRefused("AcSource", planned.name, f"it gave {value:.4g} {planned.unit}, {tolerated}")
