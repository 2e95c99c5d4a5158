"""Capability against published cases, by chi-squared from scipy.stats, and by properties."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.metrology.statistics import capability, mean
from hil.metrology.statistics.capability import Sigma
from hil.metrology.statistics.data import BadData
from hil.metrology.statistics.normality import anderson_darling
from hil.metrology.statistics.percentile import percentile_indices, sample_quantiles


def exactly(sigma: float, n: int = 50) -> Sigma:
    return Sigma(sigma, n - 1.0, "overall s")


def test_the_handbook_case():
    """A8, NIST e-Handbook 6.1.6: limits 8 and 20, mean 16, s 2."""
    found = capability.indices(16.0, exactly(2.0), 50, 8.0, 20.0)

    assert found.both is not None
    assert found.both.value == pytest.approx(1.0)
    assert (found.upper, found.lower) == (pytest.approx(0.6667, abs=5e-5), pytest.approx(1.3333, abs=5e-5))
    assert found.worst.value == pytest.approx(0.6667, abs=5e-5)


def test_hard_bake():
    """A9, Montgomery, flow width of the hard-bake process: limits 1.00 and 2.00, mean 1.5056, Rbar/d2 = 0.1398."""
    found = capability.indices(1.5056, Sigma(0.32521 / 2.326, 100.0, "Rbar/d2", False), 125, 1.0, 2.0)

    assert found.both is not None
    assert found.sigma.value == pytest.approx(0.1398, abs=5e-5)
    assert found.both.value == pytest.approx(1.192, abs=1e-3)
    assert (found.upper, found.lower) == (pytest.approx(1.179, abs=1e-3), pytest.approx(1.205, abs=1e-3))
    assert found.worst.value == pytest.approx(1.179, abs=1e-3)


@pytest.mark.parametrize(
    ("n", "low", "high", "within"),
    [
        (50, 1.05, 1.61, 0.005),  # facts, standards.md 7.1
        (20, 0.88, 1.78, 0.01),  # Montgomery, 7th edition, example 8.5, where Bissell's formula has n - 1 as 19
    ],
)
def test_bissells_limits(n: int, low: float, high: float, within: float):
    """Cpk 1.33 of few units is not yet known to be above 1.33."""
    found = capability.indices(0.0, exactly(1.0, n), n, -3.99, None).worst

    assert found.value == pytest.approx(1.33)
    assert (found.low, found.high) == (pytest.approx(low, abs=within), pytest.approx(high, abs=within))


def test_limits_of_cp_are_those_of_chi_squared():
    """Montgomery, example 8.4 has 0.911 .. 1.749 of 20 units; the quantiles of scipy.stats say the same."""
    from scipy.stats import chi2

    both = capability.indices(0.0, exactly(1.0, 20), 20, -3.99, 3.99).both

    assert both is not None
    assert (both.low, both.high) == (pytest.approx(0.911, abs=1e-3), pytest.approx(1.749, abs=1e-3))
    assert both.low == pytest.approx(1.33 * math.sqrt(chi2.ppf(0.025, 19) / 19), rel=1e-9)


def test_with_one_limit_there_is_no_cp():
    """Only the side that exists counts."""
    found = capability.indices(1.0, exactly(1.0), 50, None, 4.0)

    assert (found.both, found.lower, found.upper) == (None, None, 1.0)
    assert found.worst.value == 1.0


def test_the_gate_is_the_lower_limit():
    """An index above the minimum is not yet capable; how many units would show it is known."""
    found = capability.indices(0.0, exactly(1.0), 50, -4.5, 4.5)

    assert found.worst.value == 1.5
    assert found.verdict(1.33) == "not shown"
    assert found.verdict(1.1) == "capable"
    assert found.verdict(2.5) == "not capable"
    needed = capability.units_needed(1.5, 1.33)
    assert needed is not None
    assert capability.indices(0.0, exactly(1.0, needed), needed, -4.5, 4.5).verdict(1.33) == "capable"
    assert capability.indices(0.0, exactly(1.0, needed - 1), needed - 1, -4.5, 4.5).verdict(1.33) == "not shown"
    assert capability.units_needed(1.3, 1.33) is None


def test_every_sigma_within_estimates_the_same():
    """Of 20,000 subgroups of five with sigma 2 about wandering means, each method finds 2; the overall s does not."""
    rng = np.random.default_rng(5)
    groups = rng.normal(0.0, 2.0, (20_000, 5)) + rng.normal(0.0, 3.0, (20_000, 1))

    for method in ("pooled", "Rbar/d2", "sbar/c4"):
        assert capability.within_sigma(groups, method).value == pytest.approx(2.0, rel=0.01), method
    assert capability.pooled_sigma(groups[:50].tolist()).value == pytest.approx(
        capability.within_sigma(groups[:50]).value, rel=1e-12
    )
    assert capability.overall_sigma(groups.ravel()).value == pytest.approx(math.sqrt(13.0), rel=0.02)


def test_degrees_of_freedom_tell_how_the_estimates_scatter():
    """Rbar/d2, sbar/c4 and MRbar/d2 scatter, over 4000 sets of 10 x 5 (or 50) values, as their dof say."""
    rng = np.random.default_rng(6)
    sets = rng.normal(0.0, 1.0, (4000, 10, 5))
    by = {
        "Rbar/d2": (np.ptp(sets, axis=2).mean(axis=1), capability.within_sigma(sets[0], "Rbar/d2").dof),
        "sbar/c4": (sets.std(axis=2, ddof=1).mean(axis=1), capability.within_sigma(sets[0], "sbar/c4").dof),
        "MRbar/d2": (
            np.abs(np.diff(sets.reshape(4000, 50), axis=1)).mean(axis=1),
            capability.moving_range_sigma(sets[0].ravel()).dof,
        ),
    }

    for method, (estimates, dof) in by.items():
        assert 0.5 / (estimates.std() / estimates.mean()) ** 2 == pytest.approx(dof, rel=0.08), method


def test_cpm_counts_the_distance_from_the_target():
    """On target it is Pp; one sigma off, less by the square root of two."""
    assert capability.cpm(10.0, 1.0, 4.0, 16.0, 10.0) == pytest.approx(2.0)
    assert capability.cpm(11.0, 1.0, 4.0, 16.0, 10.0) == pytest.approx(2.0 / math.sqrt(2.0))


def test_percentiles_of_a_normal_distribution_give_the_usual_indices():
    """ISO 22514-2: its quantiles stand for three sigma; of a sample too, within its scatter."""
    z = NormalDist().inv_cdf(0.99865)
    exact = percentile_indices(10.0 - 2.0 * z, 10.0, 10.0 + 2.0 * z, 4.0, 22.0)
    sample = percentile_indices(*sample_quantiles(np.random.default_rng(7).normal(10.0, 2.0, 100_000)), 4.0, 22.0)

    assert exact.pp == pytest.approx(1.5, rel=2e-4)
    assert (exact.upper, exact.lower, exact.ppk) == (pytest.approx(2.0, rel=2e-4), *[pytest.approx(1.0, rel=2e-4)] * 2)
    assert sample.ppk == pytest.approx(1.0, rel=0.05)
    with pytest.raises(BadData, match="741"):
        sample_quantiles([1.0, 2.0] * 100)


def test_normality_is_rejected_as_often_as_promised():
    """At 5 %: 0.752 of Stephens; normal sets are rejected in 5 of 100, exponential ones always; scipy's A2 agrees."""
    from scipy.stats import norm

    rng = np.random.default_rng(8)
    rejected = np.mean([anderson_darling(row) > 0.752 for row in rng.normal(3.0, 2.0, (3000, 40))])
    x = np.sort(rng.normal(3.0, 2.0, 40))
    f = norm.cdf((x - x.mean()) / x.std(ddof=1))
    ranks = np.arange(1, 41)
    a2 = -40 - np.mean((2 * ranks - 1) * (np.log(f) + np.log1p(-f[::-1])))

    assert rejected == pytest.approx(0.05, abs=0.012)
    assert anderson_darling(rng.exponential(1.0, 100)) > 1.5
    assert anderson_darling(x) == pytest.approx(a2 * (1 + 0.75 / 40 + 2.25 / 1600), rel=1e-9)


numbers = st.lists(st.floats(-100, 100), min_size=3, max_size=30).filter(lambda v: max(v) - min(v) > 1e-3)


@settings(max_examples=30, deadline=None)
@given(numbers, st.floats(0.1, 10.0), st.floats(-50.0, 50.0), st.randoms())
def test_indices_know_no_unit_and_no_order(values: list[float], scale: float, shift: float, random: object):
    """Scaled, shifted and shuffled with their limits they are the same; Cpk is never above Cp, its limits hold it."""
    first = capability.indices(mean(values), capability.overall_sigma(values), len(values), -120.0, 130.0)
    moved = [scale * v + shift for v in values]
    random.shuffle(moved)  # type: ignore[attr-defined]
    again = capability.indices(
        mean(moved), capability.overall_sigma(moved), len(moved), scale * -120.0 + shift, scale * 130.0 + shift
    )

    assert first.both is not None
    assert again.worst.value == pytest.approx(first.worst.value, rel=1e-6, abs=1e-9)
    assert first.worst.value <= first.both.value
    assert first.worst.low < first.worst.value < first.worst.high
    assert first.both.low < first.both.value < first.both.high


@pytest.mark.parametrize(
    ("sigma", "lsl", "usl", "confidence", "says"),
    [
        (1.0, 2.0, 1.0, 0.95, "not below"),
        (1.0, 2.0, 2.0, 0.95, "not below"),
        (1.0, None, None, 0.95, "neither"),
        (1.0, math.nan, 2.0, 0.95, "finite"),
        (0.0, 1.0, 2.0, 0.95, "without scatter"),
        (1.0, 1.0, 2.0, 1.0, "confidence"),
    ],
)
def test_what_has_no_answer_is_refused(
    sigma: float, lsl: float | None, usl: float | None, confidence: float, says: str
):
    """Swapped limits, no limits, no scatter, certainty."""
    with pytest.raises(BadData, match=says):
        capability.indices(1.5, exactly(sigma), 50, lsl, usl, confidence)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan], [[1.0, 2.0]], ["a", "b"]])
def test_too_few_or_broken_values_are_refused(values: list[object]):
    """One value, NaN, a table, text."""
    with pytest.raises(BadData):
        capability.overall_sigma(values)
    with pytest.raises(BadData):
        capability.moving_range_sigma(values)
