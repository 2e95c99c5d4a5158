"""Process capability: does the scatter of units fit between the limits?

Cp, Cpk: with the sigma within subgroups, what the process could do. Pp, Ppk: with the overall s, what it did. Many
packages print "Cpk" for what is called Ppk here; every index below carries the sigma it used.
Gate with the lower confidence limit, never with the index itself: 50 units of Cpk 1.33 leave 1.05 .. 1.61.
Ref: NIST/SEMATECH e-Handbook 6.1.6; ISO 22514-2; A. F. Bissell, Applied Statistics 39 (1990) 331
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from hil.metrology.statistics import constants
from hil.metrology.statistics.data import BadData, Estimate, check_confidence, check_limits, series, subgroups
from hil.metrology.statistics.descriptive import stdev

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Sigma:
    """A standard deviation in the unit of the data, how it was estimated, and its degrees of freedom.

    `exact` is whether dof are those of chi-squared, or equivalent ones that give the estimate its variance.
    """

    value: float
    dof: float
    method: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Indices:
    """Indices of one sigma, without unit. `both` is Cp or Pp; `upper`, `lower` and `worst` are Cpu, Cpl, Cpk or P..

    An index whose limit does not exist is None: with one limit there is no Cp.
    """

    sigma: Sigma
    both: Estimate | None
    upper: float | None
    lower: float | None
    worst: Estimate

    def verdict(self, least: float) -> str:
        """Return "capable", "not capable", or "not shown" where the confidence limits lie on both sides of `least`."""
        if self.worst.low >= least:
            return "capable"
        return "not capable" if self.worst.high < least else "not shown"


def overall_sigma(values: ArrayLike) -> Sigma:
    """Return s of all values (n - 1). Raises BadData."""
    x = series(values, 2)
    return Sigma(stdev(x.tolist()), len(x) - 1.0, "overall s")


def within_sigma(values: ArrayLike, method: str = "pooled") -> Sigma:
    """Return the sigma within (groups, size) subgroups: "pooled", "Rbar/d2" or "sbar/c4". Raises BadData."""
    import numpy as np

    groups = subgroups(values)
    k, n = groups.shape
    if method == "pooled":
        return Sigma(float(np.sqrt(groups.var(axis=1, ddof=1).mean())), k * (n - 1.0), "pooled s")
    if method == "Rbar/d2":
        relative = constants.d3(n) / constants.d2(n)
        return Sigma(float(np.ptp(groups, axis=1).mean()) / constants.d2(n), k / (2.0 * relative**2), method, False)
    if method == "sbar/c4":
        relative = math.sqrt(1.0 - constants.c4(n) ** 2) / constants.c4(n)
        return Sigma(float(groups.std(axis=1, ddof=1).mean()) / constants.c4(n), k / (2.0 * relative**2), method, False)
    raise BadData(f"sigma by {method!r}", "use pooled, Rbar/d2 or sbar/c4")


def pooled_sigma(groups: list[list[float]]) -> Sigma:
    """Return the pooled s of subgroups of any sizes; those of one value add nothing. Raises BadData."""
    arrays = [series(group, 1) for group in groups]
    dof = sum(len(x) - 1 for x in arrays)
    if dof < 1:
        raise BadData("no subgroup holds two values", "leave the subgroups out")
    squares = math.fsum(float(((x - x.mean()) ** 2).sum()) for x in arrays)
    return Sigma(math.sqrt(squares / dof), float(dof), "pooled s")


def moving_range_sigma(values: ArrayLike) -> Sigma:
    """Return MRbar/1.128 of individuals in time order. Raises BadData.

    Neighbouring ranges share a value, so the mean of n - 1 of them scatters like s of about 0.6 n degrees of freedom.
    """
    import numpy as np

    x = series(values, 2)
    n = len(x)
    one = math.pi / 2.0 - 1.0  # variance of a range of two, and covariance of neighbours, as parts of d2 squared
    shared = math.sqrt(3.0) / 2.0 + math.pi / 6.0 * 0.5 - 1.0
    relative_variance = ((n - 1) * one + 2 * (n - 2) * shared) / (n - 1) ** 2
    sigma = float(np.abs(np.diff(x)).mean()) / constants.d2(2)
    return Sigma(sigma, 1.0 / (2.0 * relative_variance), "MRbar/d2", False)


def indices(
    mean: float, sigma: Sigma, n: int, lsl: float | None, usl: float | None, confidence: float = 0.95
) -> Indices:
    """Return the indices of n values about `mean`; mean, sigma and limits in one unit. Raises BadData.

    Two-sided confidence limits: chi-squared for the first (exact for s and pooled s), Bissell's for the worst side.
    """
    from scipy.special import chdtri

    check_limits(lsl, usl)
    check_confidence(confidence)
    if not (math.isfinite(mean) and 0.0 < sigma.value < math.inf):
        raise BadData(f"mean {mean:g} with sigma {sigma.value:g}", "values without scatter have no capability")
    if n < 2:
        raise BadData(f"{n} values", "at least two are needed")
    tail = (1.0 - confidence) / 2.0
    both = None
    if lsl is not None and usl is not None:
        index = (usl - lsl) / (6.0 * sigma.value)
        low, high = (index * math.sqrt(float(chdtri(sigma.dof, p)) / sigma.dof) for p in (1.0 - tail, tail))
        method = "chi-squared" if sigma.exact else "chi-squared with equivalent degrees of freedom"
        both = Estimate(index, low, high, confidence, method)
    upper = None if usl is None else (usl - mean) / (3.0 * sigma.value)
    lower = None if lsl is None else (mean - lsl) / (3.0 * sigma.value)
    worst = min(one for one in (upper, lower) if one is not None)
    z = NormalDist().inv_cdf(1.0 - tail)
    half = z * math.sqrt(1.0 / (9.0 * n) + worst**2 / (2.0 * sigma.dof))
    return Indices(sigma, both, upper, lower, Estimate(worst, worst - half, worst + half, confidence, "Bissell"))


def cpm(mean: float, s: float, lsl: float, usl: float, target: float) -> float:
    """Return Cpm, without unit: Pp that also counts the distance from the target; s is overall. Raises BadData."""
    check_limits(lsl, usl)
    if not all(map(math.isfinite, (mean, target))) or not 0.0 <= s < math.inf or s == 0.0 == mean - target:
        raise BadData(f"mean {mean:g}, s {s:g}, target {target:g}", "finite figures with scatter are needed")
    return (usl - lsl) / (6.0 * math.hypot(s, mean - target))


def units_needed(index: float, least: float, confidence: float = 0.95) -> int | None:
    """Return how many units of this Ppk bring its lower confidence limit to `least`; None if none do. Raises BadData.

    Bissell's limit with the overall s, solved for n.
    """
    check_confidence(confidence)
    if index <= least:
        return None
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    n = max(2, math.floor((1.0 / 9.0 + index**2 / 2.0) * (z / (index - least)) ** 2) - 2)
    while index - z * math.sqrt(1.0 / (9.0 * n) + index**2 / (2.0 * (n - 1))) < least:
        n += 1
    return n
