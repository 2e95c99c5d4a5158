"""Constants of control charts for subgroups of n normal values: computed from their definitions, not typed.

The range W of n standard normal values has mean d2 and standard deviation d3; their standard deviation s has mean c4.
The printed E2 = 2.660 (3/d2 for n = 2) is a rounding artefact, the exact figure is 2.6587.
Ref: ASTM E2587; Montgomery, Introduction to Statistical Quality Control, appendix VI
"""

from __future__ import annotations

import math
from functools import cache

from hil.metrology.statistics.data import BadData

LARGEST_SUBGROUP = 1000  # beyond it nobody uses ranges, and the integration was not tried
_WIDEST = 20.0  # standard deviations; a range of 1000 values beyond it has a probability under 1e-40


def d2(n: int) -> float:
    """Return the mean range of n standard normal values. Raises BadData outside 2 .. 1000."""
    return _range_moments(n)[0]


def d3(n: int) -> float:
    """Return the standard deviation of the range of n standard normal values. Raises BadData outside 2 .. 1000."""
    return _range_moments(n)[1]


def d2_star(n: int, groups: int) -> float:
    """Return d2* of `groups` ranges of n: what their mean range is divided by for an unbiased variance (Duncan)."""
    return math.sqrt(d2(n) ** 2 + d3(n) ** 2 / groups)


def c4(n: float) -> float:
    """Return the mean of s of n standard normal values; n - 1 may be any degrees of freedom from 1."""
    if n < 2:
        raise BadData(f"a subgroup of {n:g} has no scatter", "use two or more")
    return math.sqrt(2.0 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))


def a2(n: int) -> float:
    """Return A2: limits of the mean, from the mean range."""
    return 3.0 / (d2(n) * math.sqrt(n))


def a3(n: int) -> float:
    """Return A3: limits of the mean, from the mean s."""
    return 3.0 / (c4(n) * math.sqrt(n))


def d_3(n: int) -> float:
    """Return D3 (not d3): lower limit of the range, as part of the mean range."""
    return max(0.0, 1.0 - 3.0 * d3(n) / d2(n))


def d_4(n: int) -> float:
    """Return D4: upper limit of the range, as part of the mean range."""
    return 1.0 + 3.0 * d3(n) / d2(n)


def b3(n: int) -> float:
    """Return B3: lower limit of s, as part of the mean s."""
    return max(0.0, 1.0 - _b(n))


def b4(n: int) -> float:
    """Return B4: upper limit of s, as part of the mean s."""
    return 1.0 + _b(n)


def e2(n: int) -> float:
    """Return E2: limits of individuals, from the mean range of n neighbours."""
    return 3.0 / d2(n)


def _b(n: int) -> float:
    return 3.0 * math.sqrt(1.0 - c4(n) ** 2) / c4(n)


@cache
def _range_moments(n: int) -> tuple[float, float]:
    """Integrate P(W > w) and 2 w P(W > w); P(W <= w) is the integral of n phi(x) (Phi(x + w) - Phi(x))^(n - 1)."""
    if not 2 <= n <= LARGEST_SUBGROUP:
        raise BadData(f"a subgroup of {n} has no range constants", f"use 2 .. {LARGEST_SUBGROUP}")
    import numpy as np
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(200)
    w = (nodes[:, None] + 1.0) * _WIDEST / 2.0
    step = 0.02
    x = np.arange(-12.0, 12.0, step)  # the trapezoid rule is exact to rounding for a smooth function that dies out
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    within = n * step * (density * (ndtr(x + w) - ndtr(x)) ** (n - 1)).sum(axis=1)
    beyond = weights * (1.0 - within) * _WIDEST / 2.0
    first, second = float(beyond.sum()), float((2.0 * w[:, 0] * beyond).sum())
    return first, math.sqrt(second - first * first)
