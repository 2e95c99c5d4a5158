"""Confidence limits of a variance that is a sum or difference of mean squares: the modified large-sample method.

Exact for one mean square; Graybill and Wang (1980) for sums, Ting, Burdick, Graybill, Jeyaratnam and Lu (1990) where
some are subtracted. Burdick and Larsen, J. Quality Technology 29 (1997) 261, recommend it for Gauge R&R.

The limits AIAG prints for its example (MSA-4, table III-B 9) are near these, not equal: AV 0.129 .. 1.001 is the
variance over and times a quantile of F, GRR 0.237 .. 1.033 lets the operators' mean square alone vary (both found by
reproducing the figures). Simulated with operators who hardly differ, those two hold the truth in 6 of 10 studies
instead of 9, the limits here in 9 of 10 or a little more. Satterthwaite's upper limit of GRR would be 0.58: with two
degrees of freedom it promises far too much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hil.metrology.statistics.data import check_confidence


@dataclass(frozen=True, slots=True)
class Term:
    """A mean square with its factor in the sum (negative where subtracted) and its degrees of freedom."""

    factor: float
    mean_square: float
    dof: float

    @property
    def variance(self) -> float:
        """Return what the term adds, without its sign."""
        return abs(self.factor) * self.mean_square


def deviation_limits(terms: Sequence[Term], confidence: float) -> tuple[float, float]:
    """Return two-sided limits of the square root of the sum; a negative limit of the variance is 0. Raises BadData."""
    check_confidence(confidence)
    tail = (1.0 - confidence) / 2.0
    added = [term for term in terms if term.factor > 0.0]
    taken = [term for term in terms if term.factor < 0.0]
    value = sum(term.factor * term.mean_square for term in terms)
    below = sum((_g(t, tail) * t.variance) ** 2 for t in added) + sum((_h(t, tail) * t.variance) ** 2 for t in taken)
    above = sum((_h(t, tail) * t.variance) ** 2 for t in added) + sum((_g(t, tail) * t.variance) ** 2 for t in taken)
    for plus in added:
        for minus in taken:
            below += _cross_below(plus, minus, tail) * plus.variance * minus.variance
            above += _cross_above(plus, minus, tail) * plus.variance * minus.variance
    low, high = value - math.sqrt(max(0.0, below)), value + math.sqrt(max(0.0, above))
    return math.sqrt(max(0.0, low)), math.sqrt(max(0.0, high))


def _g(term: Term, tail: float) -> float:
    from scipy.special import chdtri

    return 1.0 - term.dof / float(chdtri(term.dof, tail))


def _h(term: Term, tail: float) -> float:
    from scipy.special import chdtri

    return term.dof / float(chdtri(term.dof, 1.0 - tail)) - 1.0


def _cross_below(plus: Term, minus: Term, tail: float) -> float:
    from scipy.special import fdtri

    f = float(fdtri(plus.dof, minus.dof, 1.0 - tail))
    return float(((f - 1.0) ** 2 - (_g(plus, tail) * f) ** 2 - _h(minus, tail) ** 2) / f)


def _cross_above(plus: Term, minus: Term, tail: float) -> float:
    from scipy.special import fdtri

    f = float(fdtri(plus.dof, minus.dof, tail))
    return float(((1.0 - f) ** 2 - (_h(plus, tail) * f) ** 2 - _g(minus, tail) ** 2) / f)
