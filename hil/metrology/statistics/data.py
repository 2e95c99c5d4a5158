"""What every statistic asks of its numbers, and how an estimate with its limits is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.errors import SetupError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class BadData(SetupError, ValueError):
    """The numbers given cannot answer what was asked of them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence limits, all in one unit; `method` says how the limits came about."""

    value: float
    low: float
    high: float
    confidence: float
    method: str


def series(values: ArrayLike, least: int, what: str = "values") -> NDArray[np.float64]:
    """Return values as a one-dimensional array, in their unit. Raises BadData for NaN, or fewer than `least`."""
    return _array(values, 1, least, what)


def subgroups(values: ArrayLike) -> NDArray[np.float64]:
    """Return (groups, size) values of equal subgroups, two or more of two or more. Raises BadData."""
    array = _array(values, 2, 2, "subgroups")
    if array.shape[1] < 2:
        raise BadData("each subgroup holds one value only", "use the chart for individuals, or MRbar/d2")
    return array


def _array(values: ArrayLike, dimensions: int, least: int, what: str) -> NDArray[np.float64]:
    import numpy as np

    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadData(f"{what}: {error}", "give numbers, and as many in each group") from error
    if array.ndim != dimensions:
        raise BadData(f"{what}: {array.ndim} dimensions, {dimensions} are wanted", "give as many values in each group")
    if len(array) < least:
        raise BadData(f"{what}: there are {len(array)}, at least {least} are needed", "measure more")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = ", ".join(str(int(one) + 1) for one in bad[0])
        raise BadData(f"{what}: number {where} is {array[tuple(bad[0])]}", "leave out what was not measured")
    return array


def check_limits(lsl: float | None, usl: float | None) -> None:
    """Refuse limits that leave nothing between them, and none at all. Raises BadData."""
    import math

    given: Sequence[float] = [one for one in (lsl, usl) if one is not None]
    if not given:
        raise BadData("neither a lower nor an upper limit is given", "give at least one of them")
    if not all(math.isfinite(one) for one in given):
        raise BadData(f"the limits {lsl} and {usl} are not both finite", "leave out the limit that does not exist")
    if lsl is not None and usl is not None and lsl >= usl:
        raise BadData(f"the lower limit {lsl:g} is not below the upper limit {usl:g}", "swap or mend them")


def check_confidence(confidence: float) -> None:
    """Refuse what is no confidence level. Raises BadData."""
    if not 0.5 <= confidence < 1.0:
        raise BadData(f"confidence {confidence:g} is outside 0.5 .. 1", "0.95 is usual")
