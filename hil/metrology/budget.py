"""Uncertainty budgets: components, their combination, and how much must be measured for a wanted uncertainty.

Ref: JCGM 100:2008 (GUM), 4.2 (type A), 4.3 (type B), 5.1.2 (combination), G.4 (Welch-Satterthwaite), G.6.4 (expanded).
Plain formulas for independent components; a test holds them against GTC.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber, Reading
from hil.metrology.statistics import mean, stdev

CONFIDENCE = 0.95
Kind = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Component:
    """One line of a budget. `value` is its standard uncertainty, in the input's own unit.

    `sensitivity` is the derivative of the result by the input; `contribution` is |sensitivity| value, in the result's
    unit.
    """

    name: str
    kind: Kind
    distribution: str
    value: float
    sensitivity: float = 1.0
    dof: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0.0 and math.isfinite(self.sensitivity)):
            raise NotANumber(f"uncertainty component {self.name!r}", self.value, f"(sensitivity {self.sensitivity!r})")
        if not self.dof > 0.0:
            raise NotANumber(f"degrees of freedom of {self.name!r}", self.dof, "")

    @property
    def contribution(self) -> float:
        """Return its standard uncertainty in the result's unit."""
        return abs(self.sensitivity) * self.value

    def to_dict(self) -> dict[str, Any]:
        """Return the component as the journal records it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "distribution": self.distribution,
            "value": self.value,
            "sensitivity": self.sensitivity,
            "contribution": self.contribution,
            "dof": self.dof,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """A result: the value, its combined standard uncertainty u and effective degrees of freedom, and the components."""

    reading: Reading
    components: tuple[Component, ...]

    @property
    def k(self) -> float:
        """Return the coverage factor for 95 % (Student)."""
        return coverage_factor(self.reading.dof)

    @property
    def expanded_u(self) -> float:
        """Return U = k u at 95 %, in the result's unit."""
        return self.k * (self.reading.u or 0.0)

    def to_dicts(self) -> tuple[dict[str, Any], ...]:
        """Return the components as the journal records them."""
        return tuple(component.to_dict() for component in self.components)


def type_a(name: str, samples: Sequence[float], sensitivity: float = 1.0) -> Component:
    """Make the scatter of a mean a component: s / sqrt(n) with n - 1 degrees of freedom (GUM, 4.2.3)."""
    return Component(name, "A", "normal", stdev(samples) / math.sqrt(len(samples)), sensitivity, len(samples) - 1)


def rectangular(name: str, half_width: float, sensitivity: float = 1.0, dof: float = math.inf) -> Component:
    """Make a specification, |error| <= half_width, a component: half_width / sqrt(3) (GUM, 4.3.7)."""
    return Component(name, "B", "rectangular", _positive(name, half_width) / math.sqrt(3.0), sensitivity, dof)


def resolution(name: str, step: float, sensitivity: float = 1.0) -> Component:
    """Make the step of a display or register a component: step / sqrt(12) (GUM, F.2.2.1)."""
    return Component(name, "B", "rectangular", _positive(name, step) / math.sqrt(12.0), sensitivity)


def normal(name: str, expanded_u: float, k: float = 2.0, sensitivity: float = 1.0, dof: float = math.inf) -> Component:
    """Make a certificate's expanded uncertainty a component: U / k (GUM, 4.3.3)."""
    return Component(name, "B", "normal", _positive(name, expanded_u) / k, sensitivity, dof)


def combine(value: float, unit: str, components: Sequence[Component]) -> Budget:
    """Combine independent components into a reading of value, in `unit` (GUM, 5.1.2 and G.4.1)."""
    u = math.sqrt(math.fsum(c.contribution**2 for c in components))
    return Budget(Reading(value, unit, u, effective_dof(u, components)), tuple(components))


def effective_dof(u: float, components: Sequence[Component]) -> float:
    """Return the effective degrees of freedom by Welch-Satterthwaite (GUM, G.2b); may be infinite, is not truncated."""
    if u == 0.0:
        return math.inf
    # ratios first: u to the fourth power of a small u is no longer a number
    total = math.fsum((c.contribution / u) ** 4 / c.dof for c in components if c.contribution > 0.0)
    return 1.0 / total if total > 0.0 else math.inf


@lru_cache(maxsize=4096)
def coverage_factor(dof: float) -> float:
    """Return Student's t for 95 %, two-sided; dof need not be whole (GUM, G.6.4, interpolated)."""
    if not dof > 0.0:
        raise OutOfRange("degrees of freedom", dof, 0.0, math.inf)
    from scipy.special import stdtrit  # 0.3 s to import: only a run that has uncertainties pays for it

    return float(stdtrit(dof, 0.5 + CONFIDENCE / 2.0))


def percent_error(dut: float, reference: float) -> float:
    """Return e = 100 (dut / reference - 1), in percent; both in the same unit."""
    if not math.isfinite(dut):
        raise NotANumber("the unit's value", dut, "")
    if not math.isfinite(reference) or reference == 0.0:
        raise NotANumber("the reference's value", reference, "")
    return 100.0 * (dut / reference - 1.0)


def percent_error_budget(
    dut: Sequence[float],
    reference: Sequence[float],
    dut_components: Sequence[Component] = (),
    reference_components: Sequence[Component] = (),
) -> Budget:
    """Make the budget, in %, of the mean error of readings taken in pairs, one or more, both in the same unit.

    The components are in that unit too, with sensitivity 1 or a factor of their own; what they do to the error is
    worked out here. Pairs share the drift of the source, so the scatter is that of the error, not of either side.
    """
    if len(dut) != len(reference):
        raise OutOfRange("number of reference readings", len(reference), len(dut), len(dut))
    errors_pct = [percent_error(one, ref) for one, ref in zip(dut, reference, strict=True)]
    per_dut = 100.0 / mean(reference)  # de/d(dut)
    per_reference = -100.0 * mean(dut) / mean(reference) ** 2  # de/d(reference)
    components = [type_a("scatter of the error", errors_pct)] if len(errors_pct) > 1 else []
    components += [_scaled(c, per_dut) for c in dut_components]
    components += [_scaled(c, per_reference) for c in reference_components]
    return combine(mean(errors_pct), "%", components)


def needed_readings(scatter: float, resolution: float, u_target: float, minimum: int = 3, maximum: int = 100) -> int:
    """Return how many readings bring the mean's standard uncertainty to u_target, all in one unit.

    The scatter of one reading (a standard deviation) shrinks with sqrt(n). The resolution shrinks with it only where
    the scatter exceeds half a step, so that rounding errors are independent; else it stays whole. Never more than
    maximum, even where the target cannot be reached: the budget then says so.
    """
    if not u_target > 0.0:
        raise OutOfRange("u_target", u_target, 0.0, math.inf)
    rounding = _positive("resolution", resolution) / math.sqrt(12.0)
    dithered = _positive("scatter", scatter) >= 0.5 * resolution
    shrinking = math.hypot(scatter, rounding) if dithered else scatter
    left = u_target**2 - (0.0 if dithered else rounding**2)
    if shrinking == 0.0:
        return minimum
    if left <= 0.0:
        return maximum
    return min(maximum, max(minimum, math.ceil(shrinking**2 / left - 1e-9)))


def needed_window_s(resolution_wh: float, power_w: float, limit_pct: float, share: float = 0.1) -> float:
    """Return how long to register energy, in seconds, until a step of the register is `share` of the limit.

    E >= 100 r / (share L): the one-tenth rule of the meter-constant test (IEC 62053-21 practice, [NRC]).
    """
    for what, number in (("power_w", power_w), ("limit_pct", limit_pct), ("share", share)):
        if not (math.isfinite(number) and number > 0.0):
            raise OutOfRange(what, number, 0.0, math.inf)
    energy_wh = 100.0 * _positive("resolution_wh", resolution_wh) / (share * limit_pct)
    return energy_wh / power_w * 3600.0


def _scaled(component: Component, factor: float) -> Component:
    c = component
    return Component(c.name, c.kind, c.distribution, c.value, c.sensitivity * factor, c.dof)


def _positive(what: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0.0):
        raise NotANumber(what, value, "")
    return value
