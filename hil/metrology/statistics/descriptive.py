"""Means, scatter and memory of repeated readings.

Two passes, because one pass loses all digits when readings are close together and far from zero (NIST StRD, Michelso
and NumAcc sets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean, in the values' unit; needs one value, and all of them finite."""
    _check(values, 1)
    return math.fsum(values) / len(values)


def stdev(values: Sequence[float]) -> float:
    """Return the experimental standard deviation (n - 1), in the values' unit; needs two values, all finite."""
    _check(values, 2)
    return math.sqrt(_squares(_deviations(values)) / (len(values) - 1))


def lag1_autocorrelation(values: Sequence[float]) -> float:
    """Return r1, without unit: how much each value resembles the one before it, -1 .. 1. Needs scatter.

    Raises OutOfRange for fewer than two values or equal ones, NotANumber for NaN. Ref: NIST StRD, univariate summary
    statistics
    """
    _check(values, 2)
    deviations = _deviations(values)
    squares = _squares(deviations)
    if squares == 0.0:
        raise OutOfRange("scatter of the readings", 0.0, math.ulp(0.0), math.inf)
    offset = math.fsum(deviations) / len(deviations)
    deviations = [d - offset for d in deviations]
    return math.fsum(a * b for a, b in pairwise(deviations)) / squares


def _deviations(values: Sequence[float]) -> list[float]:
    centre = math.fsum(values) / len(values)
    return [value - centre for value in values]


def _squares(deviations: list[float]) -> float:
    """Sum of squares; the second term takes out what rounding left in the mean (Chan, Golub and LeVeque 1983)."""
    return max(0.0, math.fsum(d * d for d in deviations) - math.fsum(deviations) ** 2 / len(deviations))


def _check(values: Sequence[float], least: int) -> None:
    if len(values) < least:
        raise OutOfRange("number of readings", len(values), least, math.inf)
    for value in values:
        if not math.isfinite(value):
            raise NotANumber("value", value, "")
