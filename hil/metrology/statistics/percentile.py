"""Capability of what is not normal: the percentile method of ISO 22514-2, Pp and Ppk from quantiles.

The span between the 0.135 % and 99.865 % quantiles takes the place of six sigma, the median that of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.metrology.statistics.data import BadData, check_limits, series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TAIL = 0.00135  # what lies beyond three sigma of a normal distribution on one side, as the standard rounds it
FEWEST = 741  # values: with fewer the 0.135 % quantile lies outside the sample, and would be invented


@dataclass(frozen=True, slots=True)
class PercentileIndices:
    """Pp, Ppk and its sides, without unit; None where the limit does not exist."""

    pp: float | None
    upper: float | None
    lower: float | None
    ppk: float


def percentile_indices(
    low: float, median: float, high: float, lsl: float | None, usl: float | None
) -> PercentileIndices:
    """Return the indices from the 0.135 %, 50 % and 99.865 % quantiles, in the unit of the limits. Raises BadData."""
    check_limits(lsl, usl)
    if not low < median < high:
        raise BadData(f"quantiles {low:g}, {median:g}, {high:g} do not rise", "give them in this order")
    pp = None if lsl is None or usl is None else (usl - lsl) / (high - low)
    upper = None if usl is None else (usl - median) / (high - median)
    lower = None if lsl is None else (median - lsl) / (median - low)
    return PercentileIndices(pp, upper, lower, min(one for one in (upper, lower) if one is not None))


def sample_quantiles(values: ArrayLike) -> tuple[float, float, float]:
    """Return the 0.135 %, 50 % and 99.865 % quantiles of the values, in their unit. Raises BadData below 741 values."""
    import numpy as np

    x = series(values, FEWEST, "values for the 0.135 % quantile")
    low, median, high = np.quantile(x, (TAIL, 0.5, 1.0 - TAIL), method="median_unbiased")
    return float(low), float(median), float(high)
