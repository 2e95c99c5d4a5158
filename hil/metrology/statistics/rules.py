"""Run rules on control charts: Western Electric (1956) and Nelson (1984), each by its number.

A rule returns the 0-based positions at which it signals: the last point of the pattern, which lies in the zone itself.
In control, rule 1 alone gives a false alarm in 0.27 % of points, all of Western Electric in about 1.6 %, all of Nelson
in about 2.3 %: stop a line on Western Electric 1 and 4, take the others as warnings.
Ref: NIST/SEMATECH e-Handbook 6.3.2; L. S. Nelson, J. Quality Technology 16 (1984) 237
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.metrology.statistics.data import BadData, series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

WESTERN_ELECTRIC = {
    1: "one point beyond 3 sigma",
    2: "two of three beyond 2 sigma on one side",
    3: "four of five beyond 1 sigma on one side",
    4: "eight in a row on one side",
}
NELSON = {
    1: "one point beyond 3 sigma",
    2: "nine in a row on one side",
    3: "six in a row rising, or falling",
    4: "fourteen in a row alternating up and down",
    5: "two of three beyond 2 sigma on one side",
    6: "four of five beyond 1 sigma on one side",
    7: "fifteen in a row within 1 sigma",
    8: "eight in a row beyond 1 sigma, on both sides",
}


def western_electric(values: ArrayLike, centre: float, sigma: float) -> dict[int, NDArray[np.intp]]:
    """Return the signals of rules 1 .. 4 on points in time order; centre and sigma in their unit. Raises BadData."""
    z = _standard(values, centre, sigma)
    return {
        1: _where(abs(z) > 3.0),
        2: _where(_of(z > 2.0, 2, 3) | _of(z < -2.0, 2, 3)),
        3: _where(_of(z > 1.0, 4, 5) | _of(z < -1.0, 4, 5)),
        4: _where(_of(z > 0.0, 8, 8) | _of(z < 0.0, 8, 8)),
    }


def nelson(values: ArrayLike, centre: float, sigma: float) -> dict[int, NDArray[np.intp]]:
    """Return the signals of rules 1 .. 8 on points in time order; centre and sigma in their unit. Raises BadData."""
    z = _standard(values, centre, sigma)
    return {
        1: _where(abs(z) > 3.0),
        2: _where(_of(z > 0.0, 9, 9) | _of(z < 0.0, 9, 9)),
        3: _where(_trend(z, 6)),
        4: _where(_alternating(z, 14)),
        5: _where(_of(z > 2.0, 2, 3) | _of(z < -2.0, 2, 3)),
        6: _where(_of(z > 1.0, 4, 5) | _of(z < -1.0, 4, 5)),
        7: _where(_of(abs(z) < 1.0, 15, 15)),
        8: _where(_of(abs(z) > 1.0, 8, 8) & ~_of(z > 1.0, 8, 8) & ~_of(z < -1.0, 8, 8)),
    }


def _standard(values: ArrayLike, centre: float, sigma: float) -> NDArray[np.float64]:
    if not 0.0 < sigma < float("inf"):
        raise BadData(f"sigma = {sigma:g}", "run rules need a positive sigma")
    return (series(values, 1) - centre) / sigma


def _of(hit: NDArray[np.bool_], least: int, window: int) -> NDArray[np.bool_]:
    """Say for each point whether it and `least` in the window that ends there are hits."""
    import numpy as np

    total = np.concatenate([np.zeros(window, dtype=np.int64), np.cumsum(hit)])
    enough: NDArray[np.bool_] = hit & (total[window:] - total[:-window] >= least)
    return enough


def _trend(z: NDArray[np.float64], points: int) -> NDArray[np.bool_]:
    import numpy as np

    steps = np.concatenate([[0.0], np.diff(z)])
    return _of(steps > 0.0, points - 1, points - 1) | _of(steps < 0.0, points - 1, points - 1)


def _alternating(z: NDArray[np.float64], points: int) -> NDArray[np.bool_]:
    import numpy as np

    steps = np.sign(np.diff(z))
    turns = np.concatenate([np.zeros(min(2, len(z)), dtype=bool), steps[1:] * steps[:-1] < 0.0])
    return _of(turns, points - 2, points - 2)


def _where(signal: NDArray[np.bool_]) -> NDArray[np.intp]:
    import numpy as np

    return np.flatnonzero(signal)
