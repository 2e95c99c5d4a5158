"""Are these values normal? Anderson and Darling's test, mean and sigma estimated: capability rests on it.

Ref: M. A. Stephens, JASA 69 (1974) 730, case 3; D'Agostino and Stephens, Goodness-of-Fit Techniques, table 4.7
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.metrology.statistics.data import BadData, series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CRITICAL_5_PCT = 0.752  # of the modified statistic
FEWEST = 8  # values: below, the test sees nothing


def anderson_darling(values: ArrayLike) -> float:
    """Return A* = A2 (1 + 0.75/n + 2.25/n2), without unit: above 0.752 normality is rejected at 5 %. Raises BadData."""
    import numpy as np
    from scipy.special import log_ndtr

    x = np.sort(series(values, FEWEST))
    n = len(x)
    s = float(x.std(ddof=1))
    if s == 0.0:
        raise BadData("all values are equal", "they have no distribution to test")
    z = (x - x.mean()) / s
    weights = 2.0 * np.arange(1, n + 1) - 1.0
    a2 = -n - float((weights * (log_ndtr(z) + log_ndtr(-z[::-1]))).sum()) / n
    return a2 * (1.0 + 0.75 / n + 2.25 / n**2)
