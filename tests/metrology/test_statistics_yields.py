"""Yields against scipy.stats and published intervals; attribute agreement against AIAG and Fleiss."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.metrology.statistics import attribute, yields
from hil.metrology.statistics.data import BadData


@pytest.mark.parametrize(("passed", "units"), [(0, 10), (1, 10), (7, 13), (97, 100), (100, 100), (9990, 10_000)])
@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_intervals_agree_with_scipy(passed: int, units: int, confidence: float):
    """scipy.stats.binomtest has both."""
    from scipy.stats import binomtest

    for ours, name in ((yields.wilson, "wilson"), (yields.clopper_pearson, "exact")):
        theirs = binomtest(passed, units).proportion_ci(confidence, name)
        found = ours(passed, units, confidence)
        assert (found.low, found.high) == (pytest.approx(theirs.low, abs=1e-9), pytest.approx(theirs.high, abs=1e-9))


def test_published_intervals():
    """Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81 of 263 and 15 of 148."""
    assert yields.wilson(81, 263).low == pytest.approx(0.2553, abs=5e-5)
    assert yields.wilson(81, 263).high == pytest.approx(0.3662, abs=5e-5)
    assert yields.clopper_pearson(15, 148).low == pytest.approx(0.0578, abs=5e-5)
    assert yields.clopper_pearson(15, 148).high == pytest.approx(0.1617, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_the_yield_and_mirror(count: tuple[int, int]):
    """Within 0 .. 1, around the share; failures have the mirrored interval."""
    passed, units = count
    for of in (yields.wilson, yields.clopper_pearson):
        found, mirrored = of(passed, units), of(units - passed, units)
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0
        assert found.low == pytest.approx(1.0 - mirrored.high, abs=1e-9)


def test_no_failure_in_n_proves_three_in_n():
    """95 % upper limit of the failure rate: exact 1 - 0.05^(1/n), the rule of three just above it."""
    for n in (30, 300, 3000):
        exact = yields.failure_rate_without_failures(n)
        assert exact == pytest.approx(1.0 - 0.05 ** (1.0 / n), rel=1e-9)
        assert exact < yields.rule_of_three(n) < 1.06 * exact


def test_throughput_and_defects():
    """RTY is a product, DPMO counts opportunities, 3.4 in a million is Z 4.5 long term and 6 by convention."""
    assert yields.first_pass_yield(95, 100) == 0.95
    assert yields.rolled_throughput_yield([0.95, 0.9, 0.99]) == pytest.approx(0.84645)
    assert yields.defects_per_unit(3, 200) == 0.015
    assert math.exp(-0.015) == pytest.approx(yields.rolled_throughput_yield([0.985]), abs=2e-4)
    assert yields.defects_per_million(7, 1000, 10) == 700.0
    assert yields.long_term_z(3.4) == pytest.approx(4.5, abs=2e-3)
    assert yields.long_term_z(3.4) + yields.SHIFT == pytest.approx(6.0, abs=2e-3)
    assert yields.long_term_z(66_807.2) == pytest.approx(1.5, abs=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: yields.wilson(1, 0),
        lambda: yields.wilson(11, 10),
        lambda: yields.clopper_pearson(-1, 10),
        lambda: yields.wilson(1, 10, 95.0),
        lambda: yields.long_term_z(0.0),
        lambda: yields.rolled_throughput_yield([]),
        lambda: yields.defects_per_million(11, 1, 10),
        lambda: attribute.effectiveness([True], []),
        lambda: attribute.cohen_kappa([1, 1], [1, 1]),
        lambda: attribute.fleiss_kappa([[1, 1], [2, 1]]),
    ],
)
def test_impossible_counts_are_refused(wrong: object):
    """No units, more passes than units, percent for a share."""
    with pytest.raises(BadData):
        wrong()  # type: ignore[operator]


def test_kappa_of_the_aiag_study():
    """A12, appraisers A and B: 44 both reject, 6 and 3 differ, 97 both accept; kappa 0.863."""
    pairs = [(0, 0)] * 44 + [(0, 1)] * 6 + [(1, 0)] * 3 + [(1, 1)] * 97
    first, second = zip(*pairs, strict=True)
    kappa = attribute.cohen_kappa(first, second)

    assert sum(a == b for a, b in pairs) / 150 == 0.94
    assert kappa == pytest.approx(0.863, abs=5e-4)
    assert kappa == attribute.cohen_kappa(second, first)
    assert attribute.kappa_in_words(kappa) == "good"
    assert (attribute.kappa_in_words(0.5), attribute.kappa_in_words(0.39)) == ("moderate", "poor")


def test_fleiss_kappa_of_the_textbook():
    """Ten things, fourteen raters, five categories: 0.210 (the worked example of Fleiss' kappa in Wikipedia)."""
    rows = (
        "0 0 0 0 14; 0 2 6 4 2; 0 0 3 5 6; 0 3 9 2 0; 2 2 8 1 1; 7 7 0 0 0; 3 2 6 3 0; 2 5 3 2 2; 6 5 2 1 0; 0 2 2 3 7"
    )
    counts = [[int(one) for one in row.split()] for row in rows.split(";")]

    assert attribute.fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)


@pytest.mark.parametrize(
    ("missed", "alarms", "verdict"),
    [(0, 0, "acceptable"), (2, 5, "acceptable"), (3, 0, "marginal"), (0, 10, "marginal"), (6, 0, "unacceptable")],
)
def test_appraisers_are_graded_by_their_worst_share(missed: int, alarms: int, verdict: str):
    """100 bad and 100 good boards: misses up to 2 %, 5 %; false alarms up to 5 %, 10 %, the limit itself included."""
    truth = [False] * 100 + [True] * 100
    called = [True] * missed + [False] * (100 - missed) + [False] * alarms + [True] * (100 - alarms)
    found = attribute.effectiveness(called, truth)

    assert (found.miss_rate, found.false_alarm_rate) == (missed / 100, alarms / 100)
    assert found.effectiveness == pytest.approx(1 - (missed + alarms) / 200)
    assert found.verdict == verdict


def test_a_share_without_opportunities_is_none():
    """Without bad boards nothing is known of misses."""
    assert attribute.effectiveness([True, False], [True, True]).miss_rate is None
