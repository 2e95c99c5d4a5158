"""Gauge R&R: how much of the scatter between units is the measurement's own.

EV is repeatability, AV what changes with the second factor (operator; station or fixture for an automatic tester), GRR
both, PV the units themselves, TV everything. For an automatic tester take at least ten boards that span the tolerance,
two stations and three reseats; with one station only EV can be known.
Ref: AIAG Measurement Systems Analysis, 4th edition, chapter III section B
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.metrology.statistics import constants
from hil.metrology.statistics.data import BadData
from hil.metrology.statistics.variance_limits import Term, deviation_limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

POOL_ABOVE_P = 0.25  # the interaction is pooled with the repeatability where its p-value is larger
SPAN = 6.0  # sigma between the ends of what a study counts as the spread (99.73 %)
GOOD_PERCENT, BAD_PERCENT, LEAST_CATEGORIES = 10.0, 30.0, 5


@dataclass(frozen=True, slots=True)
class AnovaRow:
    """A line of the analysis of variance, before pooling; F is over the equipment's mean square, as AIAG prints it."""

    source: str
    dof: int
    sum_of_squares: float
    f: float | None = None
    p: float | None = None

    @property
    def mean_square(self) -> float:
        """Return the sum of squares over its degrees of freedom."""
        return self.sum_of_squares / self.dof


@dataclass(frozen=True, slots=True)
class GaugeRR:
    """The result of a study; deviations are standard deviations in the unit of the data, tolerance too.

    `deviations` has EV, AV, GRR, PV and TV, and INT where the interaction was kept (it is part of AV); without a second
    factor AV is missing. `limits` has confidence limits of some of them. `clamped` names what came out as a negative
    variance and was set to 0: not shown, rather than absent.
    """

    method: str
    parts: int
    factors: int
    trials: int
    deviations: dict[str, float]
    limits: dict[str, tuple[float, float]]
    confidence: float
    tolerance: float | None
    anova: tuple[AnovaRow, ...] = ()
    pooled: bool = False
    clamped: tuple[str, ...] = ()

    def study_percent(self, name: str) -> float:
        """Return a deviation as % of TV."""
        return 100.0 * self.deviations[name] / self.deviations["TV"]

    def contribution_percent(self, name: str) -> float:
        """Return a variance as % of the total variance."""
        return 100.0 * (self.deviations[name] / self.deviations["TV"]) ** 2

    def tolerance_percent(self, name: str) -> float | None:
        """Return P/T: six of a deviation as % of the tolerance; None without one."""
        return None if self.tolerance is None else 100.0 * SPAN * self.deviations[name] / self.tolerance

    @property
    def categories(self) -> int | None:
        """Return ndc, the classes of units that can be told apart, at least 1; None where the gauge has no scatter."""
        if self.deviations["GRR"] == 0.0:
            return None
        return max(1, math.floor(1.41 * self.deviations["PV"] / self.deviations["GRR"]))

    @property
    def verdict(self) -> str:
        """Return "acceptable", "marginal" or "unacceptable": the worse of %GRR and, with a tolerance, P/T."""
        worst = max(self.study_percent("GRR"), self.tolerance_percent("GRR") or 0.0)
        return "acceptable" if worst < GOOD_PERCENT else "marginal" if worst <= BAD_PERCENT else "unacceptable"


def anova(
    values: ArrayLike, tolerance: float | None = None, confidence: float = 0.90, pool_above_p: float = POOL_ABOVE_P
) -> GaugeRR:
    """Analyse (parts, factors, trials) values: two-way random analysis of variance, interaction pooled if p is large.

    Limits of EV are exact, the others by the modified large-sample method. Raises BadData.
    """
    x = _study(values, 3, tolerance)
    p, o, r = x.shape
    _refuse_one(o)
    centre, cells = x.mean(), x.mean(axis=2)
    parts = o * r * float(((x.mean(axis=(1, 2)) - centre) ** 2).sum())
    factors = p * r * float(((x.mean(axis=(0, 2)) - centre) ** 2).sum())
    corner = cells - x.mean(axis=(1, 2))[:, None] - x.mean(axis=(0, 2))[None, :] + centre
    both = r * float((corner**2).sum())
    error = float(((x - cells[:, :, None]) ** 2).sum())
    parts, factors, both, error = (_without_rounding(one, x) for one in (parts, factors, both, error))
    dof = (p - 1, o - 1, (p - 1) * (o - 1), p * o * (r - 1))
    table = (
        _row("part", dof[0], parts, error, dof[3]),
        _row("factor", dof[1], factors, error, dof[3]),
        _row("part x factor", dof[2], both, error, dof[3]),
        AnovaRow("repeatability", dof[3], error),
        AnovaRow("total", p * o * r - 1, parts + factors + both + error),
    )
    ms_p, ms_o, ms_po, ms_e = (row.mean_square for row in table[:4])
    pooled = (table[2].p or 0.0) > pool_above_p
    if pooled:
        ms_e, dof_e = (both + error) / (dof[2] + dof[3]), dof[2] + dof[3]
        terms = {
            "EV": [Term(1.0, ms_e, dof_e)],
            "AV": [Term(1 / (p * r), ms_o, dof[1]), Term(-1 / (p * r), ms_e, dof_e)],
            "GRR": [Term(1 / (p * r), ms_o, dof[1]), Term(1 - 1 / (p * r), ms_e, dof_e)],
            "PV": [Term(1 / (o * r), ms_p, dof[0]), Term(-1 / (o * r), ms_e, dof_e)],
        }
        variances = {"EV": ms_e, "OP": (ms_o - ms_e) / (p * r), "INT": 0.0, "PV": (ms_p - ms_e) / (o * r)}
    else:
        terms = {
            "EV": [Term(1.0, ms_e, dof[3])],
            "AV": [
                Term(1 / (p * r), ms_o, dof[1]),
                Term((p - 1) / (p * r), ms_po, dof[2]),
                Term(-1 / r, ms_e, dof[3]),
            ],
            "GRR": [
                Term(1 / (p * r), ms_o, dof[1]),
                Term((p - 1) / (p * r), ms_po, dof[2]),
                Term(1 - 1 / r, ms_e, dof[3]),
            ],
            "PV": [Term(1 / (o * r), ms_p, dof[0]), Term(-1 / (o * r), ms_po, dof[2])],
        }
        variances = {
            "EV": ms_e,
            "OP": (ms_o - ms_po) / (p * r),
            "INT": (ms_po - ms_e) / r,
            "PV": (ms_p - ms_po) / (o * r),
        }
    clamped = tuple({"OP": "AV"}.get(name, name) for name, one in variances.items() if one < 0.0)
    kept = {name: max(0.0, one) for name, one in variances.items()}
    deviations = _deviations(kept["EV"], kept["OP"] + kept["INT"], kept["PV"])
    if not pooled:
        deviations["INT"] = math.sqrt(kept["INT"])
    limits = {name: deviation_limits(sum_of, confidence) for name, sum_of in terms.items()}
    return GaugeRR("ANOVA", p, o, r, deviations, limits, confidence, tolerance, table, pooled, clamped)


def average_and_range(values: ArrayLike, tolerance: float | None = None) -> GaugeRR:
    """Analyse (parts, factors, trials) values by averages and ranges: point estimates, blind to interaction.

    K1 = 1/d2, K2 and K3 = 1/d2* of one range, computed. Raises BadData.
    """
    import numpy as np

    x = _study(values, 3, tolerance)
    p, o, r = x.shape
    _refuse_one(o)
    ev = float(np.ptp(x, axis=2).mean()) / constants.d2(r)
    between = float(np.ptp(x.mean(axis=(0, 2)))) / constants.d2_star(o, 1)
    av2 = between**2 - ev**2 / (p * r)
    pv = float(np.ptp(x.mean(axis=(1, 2)))) / constants.d2_star(p, 1)
    clamped = ("AV",) if av2 < 0.0 else ()
    deviations = _deviations(ev**2, max(0.0, av2), pv**2)
    return GaugeRR("average and range", p, o, r, deviations, {}, 0.0, tolerance, clamped=clamped)


def repeatability(values: ArrayLike, tolerance: float | None = None, confidence: float = 0.90) -> GaugeRR:
    """Analyse (parts, trials) values without a second factor: EV alone, so GRR is EV. Raises BadData."""
    x = _study(values, 2, tolerance)
    p, r = x.shape
    means = x.mean(axis=1)
    parts = r * float(((means - x.mean()) ** 2).sum())
    error = _without_rounding(float(((x - means[:, None]) ** 2).sum()), x)
    table = (
        _row("part", p - 1, parts, error, p * (r - 1)),
        AnovaRow("repeatability", p * (r - 1), error),
        AnovaRow("total", p * r - 1, parts + error),
    )
    ms_p, ms_e = table[0].mean_square, table[1].mean_square
    pv2 = (ms_p - ms_e) / r
    deviations = _deviations(ms_e, 0.0, max(0.0, pv2))
    del deviations["AV"]
    own, between = Term(1.0, ms_e, p * (r - 1)), [Term(1 / r, ms_p, p - 1), Term(-1 / r, ms_e, p * (r - 1))]
    ev = deviation_limits([own], confidence)
    limits = {"EV": ev, "GRR": ev, "PV": deviation_limits(between, confidence)}
    clamped = ("PV",) if pv2 < 0.0 else ()
    return GaugeRR(
        "ANOVA without second factor", p, 1, r, deviations, limits, confidence, tolerance, table, False, clamped
    )


def _study(values: ArrayLike, dimensions: int, tolerance: float | None) -> NDArray[np.float64]:
    import numpy as np

    try:
        x = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadData("the study is not balanced", "give each cell as many trials") from error
    if x.ndim != dimensions:
        raise BadData(f"the study has {x.ndim} dimensions, not {dimensions}", "give parts, second factor, trials")
    if not np.isfinite(x).all():
        raise BadData("the study has a value that is no number", "measure it again: no cell may be empty")
    if x.shape[0] < 2 or x.shape[-1] < 2:
        raise BadData(
            f"{x.shape[0]} parts and {x.shape[-1]} trials", "a study needs two of each, ten and three are usual"
        )
    if float(np.ptp(x)) == 0.0:
        raise BadData("all values are equal", "the gauge's resolution is too coarse for these parts")
    if tolerance is not None and not 0.0 < tolerance < math.inf:
        raise BadData(f"tolerance {tolerance:g}", "give the distance between the limits")
    return x


def _without_rounding(squares: float, x: NDArray[np.float64]) -> float:
    """Take a sum of squares that the rounding of the means alone can make for nothing."""
    import numpy as np

    floor = x.size * (4.0 * np.finfo(np.float64).eps * float(np.abs(x).max())) ** 2
    return squares if squares > floor else 0.0


def _refuse_one(factors: int) -> None:
    if factors < 2:
        raise BadData("there is one operator or station only", "study repeatability alone, or add a second one")


def _row(source: str, dof: int, squares: float, error: float, error_dof: int) -> AnovaRow:
    from scipy.special import fdtrc

    if error == 0.0:
        return AnovaRow(source, dof, squares, None, 0.0 if squares > 0.0 else 1.0)
    f = squares / dof / (error / error_dof)
    return AnovaRow(source, dof, squares, f, float(fdtrc(dof, error_dof, f)))


def _deviations(ev2: float, av2: float, pv2: float) -> dict[str, float]:
    sums = {"EV": ev2, "AV": av2, "GRR": ev2 + av2, "PV": pv2, "TV": ev2 + av2 + pv2}
    return {name: math.sqrt(one) for name, one in sums.items()}
