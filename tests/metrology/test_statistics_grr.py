"""Gauge R&R against the figures that AIAG prints for its study, by simulation, and by properties."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.metrology.statistics import grr
from hil.metrology.statistics.data import BadData
from hil.metrology.statistics.variance_limits import Term, deviation_limits

# A11: ten parts (columns), operators A, B, C and their three trials (rows), as AIAG MSA-4 has them
AIAG = np.genfromtxt(Path(__file__).parent / "data/aiag_msa4.csv", delimiter=",", skip_header=1, usecols=range(1, 11))
STUDY = AIAG.reshape(3, 3, 10).transpose(2, 0, 1)


def test_sums_of_squares_of_the_aiag_study():
    """A11: sums of squares to the digits printed, F over the equipment's mean square, no interaction."""
    rows = {row.source: row for row in grr.anova(STUDY).anova}

    assert [round(row.sum_of_squares, 4) for row in rows.values()] == [88.3619, 3.1673, 0.3590, 2.7589, 94.6471]
    assert [row.dof for row in rows.values()] == [9, 2, 18, 60, 89]
    assert rows["part"].f == pytest.approx(213.52, abs=0.01)
    assert rows["factor"].f == pytest.approx(34.44, abs=0.005)
    assert rows["part x factor"].f == pytest.approx(0.434, abs=5e-4)
    assert rows["part x factor"].p == pytest.approx(0.974, abs=5e-4)


def test_components_of_the_aiag_study():
    """A11, ANOVA with the interaction pooled."""
    study = grr.anova(STUDY)
    of = study.deviations

    assert study.pooled
    assert of["EV"] ** 2 == pytest.approx(0.039973, abs=1e-6)
    assert of["AV"] ** 2 == pytest.approx(0.051455, abs=1e-6)
    assert of["PV"] ** 2 == pytest.approx(1.086446, abs=1.1e-6)
    assert of["EV"] == pytest.approx(0.199933, abs=1e-6)
    assert of["AV"] == pytest.approx(0.226838, abs=1e-6)
    assert of["GRR"] == pytest.approx(0.302373, abs=2e-6)
    assert of["PV"] == pytest.approx(1.042327, abs=1e-6)
    assert of["TV"] == pytest.approx(1.085, abs=5e-4)
    assert study.study_percent("GRR") == pytest.approx(27.86, abs=0.005)
    assert study.contribution_percent("GRR") == pytest.approx(7.76, abs=0.005)
    assert (study.categories, study.verdict, study.clamped) == (4, "marginal", ())


def test_limits_of_the_aiag_study():
    """A11, 90 %: EV is exact and as printed; AV and GRR are printed by rougher methods, ours are within 1.4 %."""
    limits = grr.anova(STUDY).limits

    assert limits["EV"] == (pytest.approx(0.177, abs=5e-4), pytest.approx(0.231, abs=5e-4))
    assert limits["AV"] == (pytest.approx(0.129, rel=0.014), pytest.approx(1.001, rel=0.014))
    assert limits["GRR"] == (pytest.approx(0.237, rel=0.01), pytest.approx(1.033, abs=5e-4))


def test_printed_limits_of_av_and_grr_are_explained():
    """AV: its variance over F and times F; GRR: the operators' mean square alone by chi-squared. Ours are neither."""
    from scipy.stats import chi2, f

    av2, ev2, ms_o = 0.051455, 0.039973, 3.1673 / 2
    grr2 = ms_o / 30 + ev2 * 29 / 30
    spread = [ms_o / 30 * (2 / chi2.ppf(p, 2) - 1) for p in (0.95, 0.05)]

    assert math.sqrt(av2 / f.ppf(0.95, 2, 78)) == pytest.approx(0.129, abs=5e-4)
    assert math.sqrt(av2 * f.ppf(0.95, 78, 2)) == pytest.approx(1.001, abs=5e-4)
    assert [math.sqrt(grr2 + one) for one in spread] == pytest.approx([0.237, 1.033], abs=5e-4)


def test_the_range_method_on_the_aiag_study():
    """A11, average and range: printed with K factors of four digits."""
    study = grr.average_and_range(STUDY)
    of = study.deviations
    percents = [study.study_percent(name) for name in ("EV", "AV", "GRR", "PV")]

    assert float(np.ptp(STUDY, axis=2).mean()) == pytest.approx(0.3417, abs=5e-5)
    assert float(np.ptp(STUDY.mean(axis=(0, 2)))) == pytest.approx(0.4447, abs=5e-5)
    assert float(np.ptp(STUDY.mean(axis=(1, 2)))) == pytest.approx(3.511, abs=5e-4)
    assert of["EV"] == pytest.approx(0.20188, abs=6e-5)
    assert of["AV"] == pytest.approx(0.22963, abs=6e-5)
    assert of["GRR"] == pytest.approx(0.30577, abs=3e-5)
    assert of["PV"] == pytest.approx(1.10456, abs=2e-4)
    assert of["TV"] == pytest.approx(1.14610, abs=2e-4)
    assert percents == pytest.approx([17.62, 20.04, 26.68, 96.38], abs=0.01)
    assert (study.categories, study.verdict) == (5, "marginal")


def test_limits_hold_the_truth_as_often_as_they_say():
    """500 studies with kept and pooled interaction: 90 % limits of EV, AV and GRR cover in 90 % or a little more."""
    rng = np.random.default_rng(11)
    covered = {"EV": 0, "AV": 0, "GRR": 0}
    truth = {"EV": 0.2, "AV": math.hypot(0.15, 0.1), "GRR": math.sqrt(0.04 + 0.0225 + 0.01)}
    for _ in range(500):
        x = rng.normal(0, 1.0, (6, 1, 1)) + rng.normal(0, 0.15, (1, 4, 1)) + rng.normal(0, 0.1, (6, 4, 1))
        study = grr.anova(x + rng.normal(0, 0.2, (6, 4, 2)), pool_above_p=1.1)
        for name in covered:
            low, high = study.limits[name]
            covered[name] += low <= truth[name] <= high

    assert covered["EV"] / 500 == pytest.approx(0.90, abs=0.045)  # three standard deviations of 500 throws
    assert covered["AV"] / 500 >= 0.86
    assert covered["GRR"] / 500 >= 0.86


def test_printed_methods_promise_too_much_where_operators_hardly_differ():
    """AV 0.05 beside EV 0.2, three operators: the two printed 90 % intervals cover near 60 %, ours 87 % or more."""
    from scipy.stats import chi2, f

    rng = np.random.default_rng(13)
    av2, ev2 = 0.05**2, 0.2**2
    ms_e = ev2 * rng.chisquare(78, 20_000) / 78
    ms_o = (ev2 + 30 * av2) * rng.chisquare(2, 20_000) / 2
    found = np.maximum(ms_o - ms_e, 0.0) / 30
    by_f = (found / f.ppf(0.95, 2, 78) <= av2) & (av2 <= found * f.ppf(0.95, 78, 2))
    whole = ms_o / 30 + ms_e * 29 / 30
    low, high = (whole + ms_o / 30 * (2 / chi2.ppf(p, 2) - 1) for p in (0.95, 0.05))
    by_operators = (low <= av2 + ev2) & (av2 + ev2 <= high)
    ours = [
        deviation_limits([Term(1 / 30, o, 2), Term(sign, e, 78)], 0.90)
        for o, e in zip(ms_o[:400], ms_e[:400], strict=True)
        for sign in (-1 / 30, 29 / 30)
    ]

    assert by_f.mean() == pytest.approx(0.593, abs=0.015)
    assert by_operators.mean() == pytest.approx(0.612, abs=0.015)
    assert np.mean([low <= 0.05 <= high for low, high in ours[::2]]) >= 0.87
    assert np.mean([low <= math.hypot(0.05, 0.2) <= high for low, high in ours[1::2]]) >= 0.87


def test_one_mean_square_has_exact_limits():
    """Chi-squared, as for any variance."""
    from scipy.stats import chi2

    low, high = deviation_limits([Term(1.0, 4.0, 10)], 0.95)

    assert (low, high) == (
        pytest.approx(math.sqrt(40 / chi2.ppf(0.975, 10)), rel=1e-9),
        pytest.approx(math.sqrt(40 / chi2.ppf(0.025, 10)), rel=1e-9),
    )


def test_an_interaction_is_kept_where_there_is_one():
    """Stations that read some parts differently: not pooled, and a part of AV."""
    rng = np.random.default_rng(12)
    x = rng.normal(0, 1, (10, 1, 1)) + rng.normal(0, 0.5, (10, 3, 1)) + rng.normal(0, 0.1, (10, 3, 3))
    study = grr.anova(x)

    assert not study.pooled
    assert study.deviations["INT"] == pytest.approx(0.5, rel=0.4)
    assert study.deviations["INT"] <= study.deviations["AV"]


def test_without_a_second_factor_there_is_only_repeatability():
    """EV is the pooled scatter of the trials, GRR the same; nothing is said of AV."""
    study = grr.repeatability(STUDY[:, 0, :])

    assert study.deviations["EV"] == pytest.approx(math.sqrt(STUDY[:, 0, :].var(axis=1, ddof=1).mean()))
    assert study.deviations["GRR"] == study.deviations["EV"]
    assert "AV" not in study.deviations


def test_the_tolerance_can_make_it_worse():
    """P/T counts six sigma of the gauge: 30.2 % of a tolerance of 6."""
    study = grr.anova(STUDY, tolerance=6.0)

    assert study.tolerance_percent("GRR") == pytest.approx(30.24, abs=0.005)
    assert study.verdict == "unacceptable"


def test_a_gauge_that_never_changes_its_mind_is_perfect_and_finite():
    """Equal trials: EV and GRR are 0, not rounding; the number of categories is not made up."""
    x = np.repeat(np.array([0.1, 0.2, 0.7])[:, None, None] * np.ones((1, 2, 1)), 3, axis=2)
    study = grr.anova(x)

    assert (study.deviations["GRR"], study.categories, study.verdict) == (0.0, None, "acceptable")


studies = st.integers(2, 4).flatmap(
    lambda p: st.lists(st.integers(-50, 50), min_size=p * 6, max_size=p * 6).map(
        lambda v: np.array(v, dtype=float).reshape(p, 3, 2)
    )
)


@settings(max_examples=30, deadline=None)
@given(studies.filter(lambda x: np.ptp(x) > 0), st.randoms())
def test_a_study_knows_no_unit_and_no_order(x: np.ndarray, random: object):
    """Scaled and shifted by a power of two, parts and trials shuffled: the same study; its parts add up."""
    order = list(range(len(x)))
    random.shuffle(order)  # type: ignore[attr-defined]
    first, again = grr.anova(x), grr.anova(4.0 * x[order][:, ::-1, ::-1] + 8.0)
    of = first.deviations

    assert first.pooled == again.pooled
    for name, value in of.items():
        assert again.deviations[name] == pytest.approx(4.0 * value, rel=1e-6, abs=1e-6)
    assert of["TV"] ** 2 == pytest.approx(of["GRR"] ** 2 + of["PV"] ** 2)
    assert of["GRR"] ** 2 == pytest.approx(of["EV"] ** 2 + of["AV"] ** 2)
    assert sum(row.sum_of_squares for row in first.anova[:4]) == pytest.approx(((x - x.mean()) ** 2).sum())


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([[[1.0, 2.0], [1.0]], [[1.0, 2.0], [1.0, 2.0]]], "not balanced"),
        (STUDY[:, :1, :], "one operator"),
        (STUDY[:1], "1 parts"),
        (STUDY[:, :, :1], "1 trials"),
        (np.where(STUDY > 2, math.nan, STUDY), "no number"),
        (np.ones((3, 2, 2)), "equal"),
        (STUDY[0], "dimensions"),
    ],
)
def test_what_is_no_study_is_refused(x: object, says: str):
    """Unbalanced, one operator, one part, one trial, NaN, no resolution."""
    for method in (grr.anova, grr.average_and_range):
        with pytest.raises(BadData, match=says):
            method(x)
