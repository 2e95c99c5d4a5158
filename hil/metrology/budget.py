"""Uncertainty budgets: components by type and distribution, the budget they make, its coverage factor.

Ref: JCGM 100:2008 (GUM), 4.2 (type A), 4.3 (type B), G.6.4 (expanded). hil.metrology.propagation combines components.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber, Reading
from hil.metrology.statistics import stdev

CONFIDENCE = 0.95
Kind = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Component:
    """One line of a budget. `value` is its standard uncertainty, in the input's own unit.

    `sensitivity` is the derivative of the result by the input; `contribution` is |sensitivity| value, in the result's
    unit. Components of the same non-empty `shared` name are one influence, fully correlated wherever it acts, such as
    the gain of one range of one instrument that was read twice.
    """

    name: str
    kind: Kind
    distribution: str
    value: float
    sensitivity: float = 1.0
    dof: float = math.inf
    shared: str = ""

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
            **({"shared": self.shared} if self.shared else {}),
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """A result: the value, its combined standard uncertainty u and effective degrees of freedom, and the components.

    raw is the value before `corrections`, in the same unit, where any were made; `effort` says what an adaptive
    measurement took, `monte_carlo` how the first-order interval compares with that of JCGM 101, where it was asked for,
    `instruments` the roles whose readings the value is made of.
    """

    reading: Reading
    components: tuple[Component, ...]
    raw: float | None = None
    corrections: tuple[Mapping[str, Any], ...] = ()
    effort: Mapping[str, Any] = field(default_factory=dict)
    monte_carlo: Mapping[str, Any] = field(default_factory=dict)
    instruments: tuple[str, ...] = ()

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


def triangular(name: str, half_width: float, sensitivity: float = 1.0) -> Component:
    """Make bounds whose middle is likelier than their ends a component: half_width / sqrt(6) (GUM, 4.3.9)."""
    return Component(name, "B", "triangular", _positive(name, half_width) / math.sqrt(6.0), sensitivity)


def u_shaped(name: str, half_width: float, sensitivity: float = 1.0) -> Component:
    """Make what swings to and fro between bounds, a sine, a component: half_width / sqrt(2) (GUM, H.1.3.4)."""
    return Component(name, "B", "U-shaped", _positive(name, half_width) / math.sqrt(2.0), sensitivity)


def trapezoidal(name: str, half_width: float, top: float, sensitivity: float = 1.0) -> Component:
    """Make a trapezoid a component: half_width sqrt((1 + top^2) / 6) (GUM, 4.3.9).

    top is the half-width of its flat part as a share of half_width: 1 is a rectangle, 0 a triangle.
    """
    if not 0.0 <= top <= 1.0:
        raise OutOfRange("top of the trapezoid", top, 0.0, 1.0)
    u = _positive(name, half_width) * math.sqrt((1.0 + top**2) / 6.0)
    return Component(name, "B", f"trapezoidal {top:g}", u, sensitivity)


def resolution(name: str, step: float, sensitivity: float = 1.0) -> Component:
    """Make the step of a display or register a component: step / sqrt(12) (GUM, F.2.2.1)."""
    return Component(name, "B", "rectangular", _positive(name, step) / math.sqrt(12.0), sensitivity)


def normal(name: str, expanded_u: float, k: float = 2.0, sensitivity: float = 1.0, dof: float = math.inf) -> Component:
    """Make a certificate's expanded uncertainty a component: U / k (GUM, 4.3.3); raises OutOfRange for k <= 0."""
    if not 0.0 < k < math.inf:
        raise OutOfRange(f"k of {name!r}", k, 0.0, math.inf)
    return Component(name, "B", "normal", _positive(name, expanded_u) / k, sensitivity, dof)


@lru_cache(maxsize=4096)
def coverage_factor(dof: float) -> float:
    """Return Student's t for 95 %, two-sided; dof need not be whole (GUM, G.6.4, interpolated)."""
    if not dof > 0.0:
        raise OutOfRange("degrees of freedom", dof, 0.0, math.inf)
    from scipy.special import stdtrit  # 0.3 s to import: only a run that has uncertainties pays for it

    return float(stdtrit(dof, 0.5 + CONFIDENCE / 2.0))


def needed_window_s(resolution_wh: float, power_w: float, limit_pct: float, share: float = 0.1) -> float:
    """Return how long to register energy, in seconds, until a step of the register is `share` of the limit.

    E >= 100 r / (share L): the one-tenth rule of the meter-constant test (IEC 62053-21 practice, [NRC]).
    """
    for what, number in (("power_w", power_w), ("limit_pct", limit_pct), ("share", share)):
        if not (math.isfinite(number) and number > 0.0):
            raise OutOfRange(what, number, 0.0, math.inf)
    energy_wh = 100.0 * _positive("resolution_wh", resolution_wh) / (share * limit_pct)
    return energy_wh / power_w * 3600.0


def _positive(what: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0.0):
        raise NotANumber(what, value, "")
    return value
