"""Control charts: Shewhart pairs, CUSUM and EWMA, each with its centre, its limits and the points that signal.

Positions are 0-based; values, centre and limits are in the unit of the data. Estimated limits assume that the data they
were estimated from were in control. Ref: NIST/SEMATECH e-Handbook 6.3.2; Montgomery, chapters 6 and 9
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hil.metrology.statistics import constants
from hil.metrology.statistics.data import BadData, series, subgroups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `lower` and `upper` have one figure a point; sigma is that of the points drawn, for run rules."""

    name: str
    points: NDArray[np.float64]
    centre: float
    sigma: float
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def signals(self) -> NDArray[np.intp]:
        """Return the positions of the points outside the limits."""
        import numpy as np

        return np.flatnonzero((self.points < self.lower) | (self.points > self.upper))


@dataclass(frozen=True, slots=True)
class Cusum:
    """Two one-sided sums, upwards and downwards, both counted from 0 in the unit of the data; a signal is beyond h."""

    high: NDArray[np.float64]
    low: NDArray[np.float64]
    allowance: float
    decision: float

    @property
    def signals(self) -> NDArray[np.intp]:
        """Return the positions at which either sum is beyond the decision interval."""
        import numpy as np

        return np.flatnonzero((self.high > self.decision) | (self.low > self.decision))


def xbar_r(values: ArrayLike) -> tuple[Chart, Chart]:
    """Return the charts of means and of ranges of (groups, size) values. Raises BadData."""
    import numpy as np

    groups = subgroups(values)
    n = groups.shape[1]
    ranges = np.ptp(groups, axis=1)
    centre = float(ranges.mean())
    sigma = centre / constants.d2(n)
    means = _flat("Xbar", groups.mean(axis=1), float(groups.mean()), sigma / math.sqrt(n), constants.a2(n) * centre)
    lower, upper = constants.d_3(n) * centre, constants.d_4(n) * centre
    return means, _between("R", ranges, centre, constants.d3(n) * sigma, lower, upper)


def xbar_s(values: ArrayLike) -> tuple[Chart, Chart]:
    """Return the charts of means and of standard deviations of (groups, size) values. Raises BadData."""
    groups = subgroups(values)
    n = groups.shape[1]
    scatter = groups.std(axis=1, ddof=1)
    centre = float(scatter.mean())
    sigma = centre / constants.c4(n)
    means = _flat("Xbar", groups.mean(axis=1), float(groups.mean()), sigma / math.sqrt(n), constants.a3(n) * centre)
    lower, upper = constants.b3(n) * centre, constants.b4(n) * centre
    return means, _between("s", scatter, centre, sigma * math.sqrt(1.0 - constants.c4(n) ** 2), lower, upper)


def individuals(values: ArrayLike) -> tuple[Chart, Chart]:
    """Return the charts of individuals and of moving ranges of two (one point fewer). Raises BadData."""
    import numpy as np

    x = series(values, 2)
    moving = np.abs(np.diff(x))
    centre = float(moving.mean())
    sigma = centre / constants.d2(2)
    chart = _flat("I", x, float(x.mean()), sigma, 3.0 * sigma)
    return chart, _between("MR", moving, centre, constants.d3(2) * sigma, 0.0, constants.d_4(2) * centre)


def cusum(values: ArrayLike, target: float, sigma: float, k: float = 0.5, h: float = 5.0) -> Cusum:
    """Return the tabular CUSUM; k (allowance) and h (decision interval) are in sigma of one point. Raises BadData."""
    import numpy as np

    x = series(values, 1)
    _check_positive("sigma", sigma)
    _check_positive("h", h)
    allowance = k * sigma
    high = accumulate((x - target - allowance).tolist(), lambda s, d: max(0.0, s + d), initial=0.0)
    low = accumulate((target - x - allowance).tolist(), lambda s, d: max(0.0, s + d), initial=0.0)
    return Cusum(np.array(list(high)[1:]), np.array(list(low)[1:]), allowance, h * sigma)


def ewma(
    values: ArrayLike, target: float, sigma: float, weight: float = 0.2, width: float = 3.0, *, steady: bool = False
) -> Chart:
    """Return the EWMA chart from `target`; weight is lambda, width is L in sigma of z. Raises BadData.

    The limits are those of each point, narrower at the start; with `steady` all are those of the steady state, as NIST
    draws them.
    """
    import numpy as np

    x = series(values, 1)
    _check_positive("sigma", sigma)
    if not 0.0 < weight <= 1.0:
        raise BadData(f"lambda = {weight:g} is outside 0 .. 1", "0.05 .. 0.3 is usual")
    smooth = list(accumulate(x.tolist(), lambda z, value: z + weight * (value - z), initial=float(target)))
    grown = 1.0 if steady else 1.0 - (1.0 - weight) ** (2.0 * np.arange(1, len(x) + 1))
    deviation = sigma * math.sqrt(weight / (2.0 - weight))
    half = width * deviation * np.sqrt(grown) * np.ones(len(x))
    return Chart("EWMA", np.array(smooth[1:]), target, deviation, target - half, target + half)


def _flat(name: str, points: NDArray[np.float64], centre: float, sigma: float, half: float) -> Chart:
    return _between(name, points, centre, sigma, centre - half, centre + half)


def _between(name: str, points: NDArray[np.float64], centre: float, sigma: float, lower: float, upper: float) -> Chart:
    import numpy as np

    return Chart(name, points, centre, sigma, np.full(len(points), lower), np.full(len(points), upper))


def _check_positive(what: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise BadData(f"{what} = {value:g}", "a positive figure is needed")
