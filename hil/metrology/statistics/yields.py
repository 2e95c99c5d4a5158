"""Yields, defects, and what a count of units can prove.

A retest is never a first pass: the first attempt alone counts for the first-pass yield.
Ref: Wilson, JASA 22 (1927) 209; Clopper and Pearson, Biometrika 26 (1934) 404
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from hil.metrology.statistics.data import BadData, Estimate, check_confidence

SHIFT = 1.5  # sigma between long and short term: a convention (Six Sigma), no measurement
_NORMAL = NormalDist()


def first_pass_yield(passed: int, units: int) -> float:
    """Return FPY, 0 .. 1: units that passed at their first attempt, of all. Raises BadData."""
    _check_count(passed, units)
    return passed / units


def rolled_throughput_yield(yields: Sequence[float]) -> float:
    """Return RTY, 0 .. 1: the product of the first-pass yields of all steps. Raises BadData."""
    if not yields or not all(0.0 <= one <= 1.0 for one in yields):
        raise BadData(f"yields {list(yields)!r}", "give one yield a step, each 0 .. 1")
    return math.prod(yields)


def wilson(passed: int, units: int, confidence: float = 0.95) -> Estimate:
    """Return the yield with Wilson's score interval: near its confidence on average. Raises BadData."""
    _check_count(passed, units)
    check_confidence(confidence)
    z = _NORMAL.inv_cdf((1.0 + confidence) / 2.0)
    share, weight = passed / units, z * z / units
    middle = (share + weight / 2.0) / (1.0 + weight)
    half = z * math.sqrt(share * (1.0 - share) / units + weight / (4.0 * units)) / (1.0 + weight)
    low = 0.0 if passed == 0 else max(0.0, middle - half)
    high = 1.0 if passed == units else min(1.0, middle + half)
    return Estimate(share, low, high, confidence, "Wilson")


def clopper_pearson(passed: int, units: int, confidence: float = 0.95) -> Estimate:
    """Return the yield with the exact interval: never less than its confidence. Raises BadData."""
    from scipy.special import betaincinv

    _check_count(passed, units)
    check_confidence(confidence)
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if passed == 0 else float(betaincinv(passed, units - passed + 1, tail))
    high = 1.0 if passed == units else float(betaincinv(passed + 1, units - passed, 1.0 - tail))
    return Estimate(passed / units, low, high, confidence, "Clopper-Pearson")


def defects_per_unit(defects: int, units: int) -> float:
    """Return DPU: a unit may have several defects. Raises BadData."""
    if units < 1 or defects < 0:
        raise BadData(f"{defects} defects in {units} units", "count at least one unit")
    return defects / units


def defects_per_million(defects: int, units: int, opportunities: int) -> float:
    """Return DPMO: defects in a million opportunities. Raises BadData, also for more defects than opportunities."""
    if opportunities < 1:
        raise BadData(f"{opportunities} opportunities a unit", "count at least one")
    share = defects_per_unit(defects, units) / opportunities
    if share > 1.0:
        raise BadData(f"{defects} defects in {units * opportunities} opportunities", "count all opportunities")
    return 1e6 * share


def long_term_z(dpmo: float) -> float:
    """Return Z of the long term, in sigma; add SHIFT for the short-term figure by convention. Raises BadData."""
    if not 0.0 < dpmo < 1e6:
        raise BadData(f"{dpmo:g} defects in a million have no finite Z", "quote the upper limit of the failure rate")
    return -_NORMAL.inv_cdf(dpmo / 1e6)


def failure_rate_without_failures(units: int, confidence: float = 0.95) -> float:
    """Return the one-sided upper limit of the failure rate, 0 .. 1, after no failure in `units`. Raises BadData."""
    _check_count(0, units)
    check_confidence(confidence)
    return -math.expm1(math.log1p(-confidence) / units)


def rule_of_three(units: int) -> float:
    """Return 3/n: the same at 95 %, in the head. Raises BadData."""
    _check_count(0, units)
    return min(1.0, 3.0 / units)


def _check_count(passed: int, units: int) -> None:
    if units < 1 or not 0 <= passed <= units:
        raise BadData(f"{passed} of {units} units", "count at least one unit, and no more of them than there are")
