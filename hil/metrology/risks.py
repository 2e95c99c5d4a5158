"""Probabilities behind a verdict: of conformance, of a wrong decision, and the guard band for a wanted risk.

Ref: JCGM 106:2012, clauses 7 (probability of conformance), 8 (guard bands) and 9 (specific and global risks,
of consumer and producer) [NRC]; ANSI/NCSL Z540.3-2006, 5.3 b) (TUR, risk of 2 %) and its handbook, method 6 [NRC].

An interval is a pair (low, high) in the quantity's unit; None is an open side. u is a standard uncertainty, same unit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

from hil.errors import OutOfRange

Interval = tuple[float | None, float | None]
Density = Callable[[float], float]
NORMAL_FROM_DOF = 1e6  # beyond it Student's t and the normal distribution differ by less than anybody can know u
_FAR = 12.0  # standard deviations that hold all of a normal distribution but 2e-33


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of a quantity before it is measured: normal, mean and standard deviation s, in its unit."""

    mean: float
    s: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise OutOfRange("the prior's mean", self.mean, -math.inf, math.inf)
        if not 0.0 < self.s < math.inf:
            raise OutOfRange("the prior's s", self.s, 0.0, math.inf)

    def __call__(self, value: float) -> float:
        """Return the density at value, in 1/unit."""
        return math.exp(-0.5 * ((value - self.mean) / self.s) ** 2) / (self.s * math.sqrt(2.0 * math.pi))


class Risks(NamedTuple):
    """Global risks: of accepting an item that does not conform, and of rejecting one that does."""

    consumer: float
    producer: float


def tur(low: float, high: float, expanded_u: float) -> float:
    """Return the test uncertainty ratio (high - low) / (2 U95) of ANSI/NCSL Z540.3; infinite for an exact reading."""
    return (high - low) / (2.0 * expanded_u) if expanded_u > 0.0 else math.inf


def capability_index(low: float, high: float, u: float) -> float:
    """Return C_m = (high - low) / (4 u) of JCGM 106:2012, 7.6.3 [NRC]; it is the TUR at k = 2."""
    return (high - low) / (4.0 * u) if u > 0.0 else math.inf


def method_6_multiplier(ratio: float) -> float:
    """Return M of method 6: the guard band is M U. M = 1.04 - exp(0.38 ln TUR - 0.54), never below 0 [NRC].

    The formula was made for U = 2 u; with less (k = 1.96) the largest risk of a false accept is 2.01 %, not 2 %.
    """
    if not ratio >= 0.0:
        raise OutOfRange("TUR", ratio, 0.0, math.inf)
    return max(0.0, 1.04 - math.pow(ratio, 0.38) * math.exp(-0.54))


def posterior(value: float, u: float, prior: Prior | None) -> tuple[float, float]:
    """Return best estimate and its standard uncertainty when a normal prior is updated by a measured value.

    JCGM 106:2012, A.4.4 [NRC]: both are weighted by the inverse of their variances. No prior: the value itself.
    """
    if prior is None:
        return value, u
    weight = prior.s**2 / (prior.s**2 + u**2)
    return weight * value + (1.0 - weight) * prior.mean, prior.s * u / math.hypot(prior.s, u)


def conformance_probability(
    value: float, u: float, tolerance: Interval, dof: float = math.inf, prior: Prior | None = None
) -> float:
    """Return the probability that the true value lies in the tolerance, given a measured value (JCGM 106:2012, 7).

    The true value is distributed about the estimate as Student's t with dof, or normally. It is the specific producer's
    risk of a value that is rejected.
    """
    value, u = posterior(value, u, prior)
    low, high = tolerance
    if u == 0.0:
        return float((low is None or value >= low) and (high is None or value <= high))
    below = -math.inf if low is None else (low - value) / u
    above = math.inf if high is None else (high - value) / u
    if below > 0.0:
        below, above = -above, -below  # mirrored: the difference of two small numbers keeps its digits
    return _below(above, dof) - _below(below, dof)


def nonconformance_probability(
    value: float, u: float, tolerance: Interval, dof: float = math.inf, prior: Prior | None = None
) -> float:
    """Return the probability that the true value lies outside the tolerance; precise also where it is tiny.

    It is the specific consumer's risk of a value that is accepted (JCGM 106:2012, 9.3.2 [NRC]).
    """
    value, u = posterior(value, u, prior)
    low, high = tolerance
    if u == 0.0:
        return 1.0 - conformance_probability(value, u, tolerance)
    risk = 0.0 if low is None else _below((low - value) / u, dof)
    return risk if high is None else risk + _below((value - high) / u, dof)


def guard_band_for_specific_risk(u: float, tolerance: Interval, target: float, dof: float = math.inf) -> float:
    """Return the guard band w at whose acceptance limit the specific consumer's risk is target; w in u's unit.

    Infinite where a tolerance with two sides is so narrow that even its middle has a larger risk: nothing may be
    accepted. target lies between 0 and 0.5.
    """
    _check_target(target)
    low, high = tolerance
    guard = -u * _quantile(target, dof)
    if low is None or high is None or u == 0.0:
        return guard

    def risk(w: float) -> float:
        return nonconformance_probability(high - w, u, tolerance, dof)

    half = (high - low) / 2.0
    if risk(half) > target:
        return math.inf
    if guard <= half and risk(guard) <= target * (1.0 + 1e-9):
        return guard  # the other side is too far away to matter
    return _where_it_falls_to(target, risk, min(guard, half), half)


def global_risks(
    prior: Density,
    u: float,
    tolerance: Interval,
    acceptance: Interval | None = None,
    support: tuple[float, float] = (-math.inf, math.inf),
) -> Risks:
    """Return consumer's and producer's risk over a population, each item measured once with standard uncertainty u.

    prior is the density of the true values: a Prior, or any function of the value, in 1/unit, that is 0 outside
    `support`. Without an acceptance interval it is the tolerance (simple acceptance); one whose limits have crossed
    accepts nothing. Errors are normal. JCGM 106:2012, 9.5 [NRC], by integration.
    """
    if not u > 0.0:
        raise OutOfRange("standard uncertainty", u, 0.0, math.inf)
    from scipy.integrate import quad  # only a plan with a prior needs it

    accepted = tolerance if acceptance is None else acceptance
    closed = accepted[0] is not None and accepted[1] is not None and accepted[0] > accepted[1]

    def accepts(value: float) -> float:
        return 0.0 if closed else prior(value) * conformance_probability(value, u, accepted)

    def rejects(value: float) -> float:
        return prior(value) * (1.0 if closed else nonconformance_probability(value, u, accepted))

    consumer = producer = 0.0
    for begin, end, conforms in _pieces(prior, u, tolerance, accepted, support):
        share = float(quad(rejects if conforms else accepts, begin, end, epsabs=1e-13, epsrel=1e-9)[0])
        consumer, producer = (consumer, producer + share) if conforms else (consumer + share, producer)
    return Risks(consumer, producer)


def guard_band_for_global_risk(prior: Density, u: float, tolerance: Interval, target: float) -> float:
    """Return the guard band w, the same on each side, at which the global consumer's risk is target; in u's unit.

    It is 0 where simple acceptance already has a smaller risk; it is never negative.
    """
    _check_target(target)
    low, high = tolerance

    def risk(w: float) -> float:
        acceptance = (None if low is None else low + w, None if high is None else high - w)
        return global_risks(prior, u, tolerance, acceptance).consumer

    if risk(0.0) <= target:
        return 0.0
    most = (high - low) / 2.0 if low is not None and high is not None else u
    while (low is None or high is None) and risk(most) > target:
        most *= 2.0
    return _where_it_falls_to(target, risk, 0.0, most)


def _pieces(
    prior: Density, u: float, tolerance: Interval, accepted: Interval, support: tuple[float, float]
) -> Iterator[tuple[float, float, bool]]:
    """Cut the axis where an integrand bends, and say of each piece whether it lies in the tolerance."""
    begin, end = support
    edges = [edge for edge in (*tolerance, *accepted) if edge is not None]
    knots = [edge + steps * u for edge in edges for steps in (-10.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0)]
    if isinstance(prior, Prior):
        begin, end = max(begin, prior.mean - _FAR * prior.s), min(end, prior.mean + _FAR * prior.s)
        knots += [prior.mean + steps * prior.s for steps in (-5.0, -2.0, 0.0, 2.0, 5.0)]
    cuts = [begin, *sorted(knot for knot in set(knots) if begin < knot < end), end]
    low, high = tolerance
    for left, right in itertools.pairwise(cuts):
        conforms = (low is None or left >= low) and (high is None or right <= high)
        yield left, right, conforms


def _where_it_falls_to(target: float, risk: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    if risk(low) <= target:
        return low
    return float(brentq(lambda w: risk(w) - target, low, high, xtol=1e-12 * high, rtol=1e-12))


def _check_target(target: float) -> None:
    if not 0.0 < target < 0.5:
        raise OutOfRange("target risk", target, 0.0, 0.5)


def _below(x: float, dof: float) -> float:
    """Return the probability of less than x: Student's t, or with many degrees of freedom the normal distribution."""
    if dof >= NORMAL_FROM_DOF:
        return 0.5 * math.erfc(-x / math.sqrt(2.0))
    return float(_student()(dof, x))


@cache
def _student() -> Callable[[float, float], float]:
    from scipy.special import stdtr  # whoever has U had Student's t from there already

    return stdtr  # type: ignore[no-any-return]  # scipy has no types


def _quantile(probability: float, dof: float) -> float:
    if dof >= NORMAL_FROM_DOF:
        return NormalDist().inv_cdf(probability)
    from scipy.special import stdtrit

    return float(stdtrit(dof, probability))
