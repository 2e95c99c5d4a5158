"""Means and scatter of repeated readings.

Two passes, because one pass loses all digits when readings are close together and far from zero (NIST StRD, Michelso
and NumAcc sets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean, in the values' unit; needs one value, and all of them finite."""
    _check(values, 1)
    return math.fsum(values) / len(values)


def stdev(values: Sequence[float]) -> float:
    """Return the experimental standard deviation (n - 1), in the values' unit; needs two values, all finite."""
    _check(values, 2)
    centre = math.fsum(values) / len(values)
    deviations = [value - centre for value in values]
    # the second term takes out what rounding left in the mean (Chan, Golub and LeVeque 1983)
    squares = math.fsum(d * d for d in deviations) - math.fsum(deviations) ** 2 / len(values)
    return math.sqrt(max(0.0, squares) / (len(values) - 1))


def _check(values: Sequence[float], least: int) -> None:
    if len(values) < least:
        raise OutOfRange("number of readings", len(values), least, math.inf)
    for value in values:
        if not math.isfinite(value):
            raise NotANumber("value", value, "")
