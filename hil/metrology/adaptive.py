"""Measure a point until its scatter is small enough for its limit, or the plan's longest is reached.

Looking after every reading whether U is small enough, and stopping when it is, stops too often where the readings
happen to lie close together: the interval of the scatter alone then covers less than 95 %. It is bounded by Student's
factor with n - 1 degrees of freedom, re-estimated from all readings, and by a minimum number of them: however large the
scatter is against what is sought, it covers 90 % with a minimum of 3 readings, 91 % with 4, 92 % with 5 (normal
readings; a test simulates it; compare Starr 1966 on sequential intervals of fixed width [NRC]). The scatter is a tenth
of the limit at most, beside a specification that is fully in the budget, so little of it is left in the total.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hil.errors import OutOfRange
from hil.metrology.budget import coverage_factor
from hil.metrology.statistics import stdev

T = TypeVar("T")
REACHED, LONGEST = "U reached", "longest time"


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A plan's [adaptive]: what the scatter may be, as a share of the limit, and how many readings it may take.

    fixed is how many a fixed window would take at every point: what the time saved is told against.
    """

    share_of_limit: float = 0.1
    shortest: int = 3
    longest: int = 20
    fixed: int = 10

    def __post_init__(self) -> None:
        if not (math.isfinite(self.share_of_limit) and self.share_of_limit > 0.0):
            raise OutOfRange("adaptive share_of_limit", self.share_of_limit, 0.0, math.inf)
        if self.shortest < 3:
            raise OutOfRange("adaptive shortest", self.shortest, 3, self.longest)
        if self.longest < max(self.shortest, self.fixed):
            raise OutOfRange("adaptive longest", self.longest, max(self.shortest, self.fixed), math.inf)

    def wanted_u(self, limit: float) -> float:
        """Return the expanded uncertainty that the scatter may have, in the limit's unit."""
        return self.share_of_limit * abs(limit)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read, and the effort as the journal records it: readings, took_s, fixed_s, ended."""

    readings: tuple[Any, ...]
    effort: Mapping[str, Any]


def scatter_u(values: Iterable[float]) -> float:
    """Return U at 95 % of a mean from its scatter alone: t(n - 1) s / sqrt(n), in the values' unit; two or more."""
    known = list(values)
    return coverage_factor(len(known) - 1) * stdev(known) / math.sqrt(len(known))


def measure_until(
    take: Callable[[], T], value: Callable[[T], float], wanted_u: float, plan: Adaptive, now_s: Callable[[], float]
) -> Taken:
    """Take readings until U of their mean, from the scatter of `value`, is at most wanted_u (both in its unit).

    Never fewer than plan.shortest, never more than plan.longest. now_s is the bench's clock, in seconds.
    """
    begun_s = now_s()
    readings = [take() for _ in range(plan.shortest)]
    while (small := scatter_u(map(value, readings)) <= wanted_u) is False and len(readings) < plan.longest:
        readings.append(take())
    took_s = now_s() - begun_s
    effort = {
        "readings": len(readings),
        "took_s": took_s,
        "fixed_s": took_s / len(readings) * plan.fixed,
        "ended": REACHED if small else LONGEST,
    }
    return Taken(tuple(readings), effort)


class Measured(Protocol):
    """A journal's measurement, or a budget: what has an effort, empty where it was not adaptive."""

    @property
    def effort(self) -> Mapping[str, Any]: ...


def time_saved(measurements: Iterable[Measured]) -> tuple[float, float]:
    """Return (spent_s, fixed_s): what adaptive points took together, and what fixed windows would have, in seconds."""
    known = [one.effort for one in measurements if one.effort]
    return math.fsum(one["took_s"] for one in known), math.fsum(one["fixed_s"] for one in known)
