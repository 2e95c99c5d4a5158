"""Propagation of distributions by Monte Carlo, and the comparison of the first-order interval with it.

Ref: JCGM 101:2008, 6.4 (what each distribution is drawn as), 7.9 (adaptive number of draws), 7.7 and 5.3.4 (symmetric
and shortest coverage interval), 8 (validation of the first order by the numerical tolerance delta) [NRC]. numpy's
PCG64 with a stated seed: the same seed and budget give the same draws. No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hil.errors import OutOfRange
from hil.metrology.budget import CONFIDENCE, Budget, Component
from hil.metrology.propagation import Input, Model, ensembles, influences
from hil.metrology.reading import NotANumber

BLOCK = 10_000  # draws; JCGM 101, 7.9.4 b) asks for 100 / (1 - p), and for as many at least
MOST_DRAWS = 1_000_000
Draws = NDArray[np.float64]
Interval = Literal["symmetric", "shortest"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """What Monte Carlo found of a result: mean, standard deviation and coverage interval, in the result's unit."""

    mean: float
    u: float
    low: float
    high: float
    draws: int
    settled: bool  # the figures stood still within the tolerance asked for, before the most draws were made


def simulate(
    model: Model,
    inputs: Sequence[Input],
    *,
    seed: int,
    tolerance: float = 0.0,
    confidence: float = CONFIDENCE,
    interval: Interval = "symmetric",
    most: int = MOST_DRAWS,
) -> Distribution:
    """Draw the inputs, block by block, until mean, u and interval stand still within `tolerance` (result's unit).

    tolerance 0 makes `most` draws. Stands still: twice the standard deviation of the blocks' mean is below it (JCGM
    101, 7.9.4). Raises NotANumber where the model has no value for a draw, OutOfRange for a confidence of none or all.
    """
    if not 0.0 < confidence < 1.0:
        raise OutOfRange("confidence", confidence, 0.0, 1.0)
    rng = np.random.default_rng(seed)
    blocks: list[Draws] = []
    figures: list[tuple[float, float, float, float]] = []
    settled = False
    while not settled and (len(blocks) < 2 or len(blocks) * BLOCK < most):
        blocks.append(_results(model, draw(inputs, BLOCK, rng)))
        figures.append(_figures(blocks[-1], confidence, interval))
        spread = np.std(figures, axis=0, ddof=1) if len(figures) > 1 else np.full(4, math.inf)
        settled = bool(tolerance > 0.0 and np.all(2.0 * spread / math.sqrt(len(figures)) < tolerance))
    everything = np.concatenate(blocks)
    return Distribution(*_figures(everything, confidence, interval), len(everything), settled)


def draw(inputs: Sequence[Input], n: int, rng: np.random.Generator) -> list[Draws]:
    """Return n values of each input, (n,) float64 in the input's unit: shared influences once, ensembles correlated."""
    values = [np.full(n, one.value) for one in inputs]
    for cause in influences(inputs):
        standard = _standard(cause.component, n, rng)
        for place, moves in cause.moves.items():
            values[place] = values[place] + moves * standard
    for places in ensembles(inputs):
        scatters = _student_together([inputs[p].observations for p in places], n, rng)
        for place, scatter in zip(places, scatters, strict=True):
            values[place] = values[place] + scatter
    return values


def compare(budget: Budget, model: Model, inputs: Sequence[Input], *, seed: int, digits: int = 1) -> dict[str, Any]:
    """Compare the 95 % interval y +/- U of a budget with that of Monte Carlo; return it as the journal records it.

    They agree where neither end differs by more than delta = 10^l / 2, half of the last of `digits` significant digits
    of u (JCGM 101, 8.1); Monte Carlo is driven to a fifth of it (8.2), or as far as its most draws go.
    """
    value, half = budget.reading.value, budget.expanded_u
    delta = numerical_tolerance(budget.reading.u or 0.0, digits)
    if delta == 0.0:  # nothing is uncertain to first order: then any draw that differs is a disagreement
        found = simulate(model, inputs, seed=seed, most=2 * BLOCK)
        agrees = math.isclose(found.low, found.high, rel_tol=1e-12)
    else:
        found = simulate(model, inputs, seed=seed, tolerance=delta / 5.0)
        agrees = abs(value - half - found.low) <= delta and abs(value + half - found.high) <= delta
    return {
        "draws": found.draws,
        "low": found.low,
        "high": found.high,
        "first_order_low": value - half,
        "first_order_high": value + half,
        "tolerance": delta,
        "agrees": agrees,
    }


def numerical_tolerance(u: float, digits: int = 1) -> float:
    """Return delta = 10^l / 2 where u, in any unit, is c x 10^l and c has `digits` digits (JCGM 101, 7.9.2)."""
    if u == 0.0:
        return 0.0
    rounded = f"{u:.{digits - 1}e}"  # 0.0996 becomes 1e-01, as JCGM 101 rounds first
    return 0.5 * 10.0 ** (int(rounded.partition("e")[2]) - digits + 1)


def disagreement(found: Mapping[str, Any], unit: str) -> str:
    """Return one sentence where the two intervals of `compare` disagree, and "" where they agree."""
    if not found or found["agrees"]:
        return ""
    (low, high), (first_low, first_high) = _ends(found, ""), _ends(found, "first_order_")
    if first_low <= low and first_high >= high:
        what = "is wider than it need be: the verdict is on the safe side"
    elif first_low >= low and first_high <= high:
        what = "is too narrow: U is larger than stated"
    else:
        what = "lies elsewhere: the model is curved, and U is not the same both ways"
    return (
        f"the first-order 95 % interval [{first_low:.6g}, {first_high:.6g}] {unit} {what}; "
        f"Monte Carlo (JCGM 101, {found['draws']} draws) gives [{low:.6g}, {high:.6g}] {unit}"
    )


def _ends(found: Mapping[str, Any], prefix: str) -> tuple[float, float]:
    return float(found[f"{prefix}low"]), float(found[f"{prefix}high"])


def _results(model: Model, values: Sequence[Draws]) -> Draws:
    with np.errstate(all="ignore"):
        results = np.asarray(model(*values), dtype=np.float64) + np.zeros(len(values[0]))
    if not np.all(np.isfinite(results)):
        raise NotANumber("a draw of the model", math.nan, "")
    return results


def _figures(results: Draws, confidence: float, interval: Interval) -> tuple[float, float, float, float]:
    """Return mean, u and the ends of the coverage interval."""
    ordered = np.sort(results)
    n = len(ordered)
    inside = min(n - 1, max(1, int(confidence * n + 0.5)))
    if interval == "shortest":
        first = int(np.argmin(ordered[inside:] - ordered[: n - inside]))
    else:
        first = int((n - inside) / 2 + 0.5)
    return float(results.mean()), float(results.std(ddof=1)), float(ordered[first]), float(ordered[first + inside - 1])


def _standard(component: Component, n: int, rng: np.random.Generator) -> Draws:
    """Return n draws of a component as what it is, in units of its standard uncertainty.

    With finite degrees of freedom: Student's t scaled by u (6.4.9), or bounds that are themselves uncertain by
    1 / sqrt(2 dof) of the half-width, a curvilinear trapezoid (6.4.3 and 9.5.2.4).
    """
    name, _, top = component.distribution.partition(" ")
    if name == "rectangular":
        doubt = 0.0 if math.isinf(component.dof) else min(1.0, 1.0 / math.sqrt(2.0 * component.dof))
        low = -1.0 + doubt * rng.uniform(-1.0, 1.0, n) if doubt else np.full(n, -1.0)
        return math.sqrt(3.0) * (low - 2.0 * low * rng.uniform(size=n))
    if name == "triangular":
        return math.sqrt(6.0) * rng.triangular(-1.0, 0.0, 1.0, n)
    if name == "trapezoidal":
        share = float(top)
        sides = (1.0 + share) / 2.0 * rng.uniform(-1.0, 1.0, n) + (1.0 - share) / 2.0 * rng.uniform(-1.0, 1.0, n)
        return sides / math.sqrt((1.0 + share**2) / 6.0)
    if name == "U-shaped":
        return math.sqrt(2.0) * np.sin(rng.uniform(-math.pi, math.pi, n))
    if math.isinf(component.dof):
        return rng.standard_normal(n)
    return rng.standard_t(component.dof, n)


def _student_together(columns: Sequence[Sequence[float]], n: int, rng: np.random.Generator) -> Draws:
    """Return (quantities, n) draws of means read together: Student's t of n - 1, with the readings' covariance."""
    readings = np.asarray(columns, dtype=np.float64)
    count = readings.shape[1]
    deviations = (readings - readings.mean(axis=1, keepdims=True)) / math.sqrt(count * (count - 1))
    # deviations x normal has exactly the covariance of the means, whatever its rank
    normal = deviations @ rng.standard_normal((count, n))
    scatter: Draws = normal / np.sqrt(rng.chisquare(count - 1, n) / (count - 1))
    return scatter
