"""Charts against the NIST e-Handbook; run rules by their counts and by their false alarms."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.metrology.statistics import charts, constants, rules
from hil.metrology.statistics.data import BadData

INDIVIDUALS = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]  # NIST 6.3.2.2
EWMA = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, *INDIVIDUALS]  # NIST 6.3.2.4
EWMA_Z = [
    *(50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33),
    *(50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99),
]  # fmt: skip
CUSUM = [  # NIST 6.3.2.3
    *(324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600),
    *(324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350),
]  # fmt: skip
CUSUM_HIGH = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
CUSUM_LOW = [0, 0.01, 0, 0.33, 0, 0, 0.56, 0.72, 0.17, 0.25, 0.31, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_ewma_of_the_handbook():
    """A10, NIST 6.3.2.4: every z, the steady limits, no signal."""
    chart = charts.ewma(EWMA, 50.0, 2.0539, weight=0.3, width=3.0, steady=True)

    assert chart.points == pytest.approx(np.array(EWMA_Z), abs=5.01e-3)
    assert (chart.lower[0], chart.upper[0]) == (pytest.approx(47.4115, abs=1e-4), pytest.approx(52.5884, abs=1e-4))
    assert list(chart.signals) == []


def test_ewma_limits_begin_narrow():
    """The first z has the deviation lambda sigma; the limits grow to the steady ones."""
    chart = charts.ewma(EWMA, 50.0, 2.0539, weight=0.3)

    assert chart.upper[0] - 50.0 == pytest.approx(3.0 * 0.3 * 2.0539)
    assert chart.upper[-1] == pytest.approx(52.5884, abs=1e-4)


def test_cusum_of_the_handbook():
    """NIST 6.3.2.3: target 325, sigma 0.635, k 0.3175, h 4.1959: sums to the digits printed, signals from 14 on."""
    sums = charts.cusum(CUSUM, 325.0, 0.635, k=0.5, h=4.1959 / 0.635)

    assert sums.high == pytest.approx(np.array(CUSUM_HIGH), abs=0.011)
    assert sums.low == pytest.approx(np.array(CUSUM_LOW), abs=0.011)
    assert list(sums.signals + 1) == [14, 15, 16, 17, 18, 19, 20]


def test_individuals_of_the_handbook():
    """NIST 6.3.2.2: mean 50.81, limits 45.8159 and 55.8041 (printed from 1.128), moving range 1.8778."""
    chart, moving = charts.individuals(INDIVIDUALS)

    assert chart.centre == pytest.approx(50.81)
    assert (chart.lower[0], chart.upper[0]) == (pytest.approx(45.8159, abs=2e-3), pytest.approx(55.8041, abs=2e-3))
    assert moving.centre == pytest.approx(1.8778, abs=5e-5)
    assert moving.upper[0] == pytest.approx(3.267 * 1.8778, abs=2e-3)


def test_subgroup_charts_use_the_table():
    """By hand, with A2, D4, A3, B4 of five; the point put outside is the one that signals."""
    groups = np.random.default_rng(3).normal(10.0, 1.0, (25, 5))
    groups[7] += 6.0
    means, ranges = charts.xbar_r(groups)
    means_s, scatter = charts.xbar_s(groups)

    assert means.upper[0] == pytest.approx(groups.mean() + 0.577 * np.ptp(groups, axis=1).mean(), abs=2e-3)
    assert ranges.upper[0] == pytest.approx(2.114 * np.ptp(groups, axis=1).mean(), rel=1e-3)
    assert means_s.upper[0] == pytest.approx(groups.mean() + 1.427 * scatter.centre, abs=2e-3)
    assert scatter.upper[0] == pytest.approx(2.089 * scatter.centre, rel=1e-3)
    assert list(means.signals) == list(means_s.signals) == [7]


# a pattern that ends with the signal, and the same one point short
PATTERNS = [
    ("western_electric", 1, [0.1, 3.1], [0.1, 2.9]),
    ("western_electric", 2, [2.1, 0.1, 2.1], [2.1, 0.1, -2.1]),
    ("western_electric", 3, [1.1, 1.1, 0.1, 1.1, 1.1], [1.1, 1.1, 0.1, 0.1, 1.1]),
    ("western_electric", 4, [0.5] * 8, [0.5] * 7),
    ("nelson", 1, [-3.1], [-3.0]),
    ("nelson", 2, [0.5] * 9, [0.5] * 8),
    ("nelson", 3, [-0.3, -0.2, 0.1, 0.2, 0.3, 0.4], [-0.2, 0.1, 0.2, 0.3, 0.4]),
    ("nelson", 4, [0.1, -0.1] * 7, [0.1, -0.1] * 6 + [0.1]),
    ("nelson", 5, [-2.1, 0.1, -2.1], [-2.1, 0.1, 0.1, -2.1]),
    ("nelson", 6, [-1.1] * 4, [-1.1] * 3),
    ("nelson", 7, [0.5, 0.5, -0.5] * 5, [0.5, 0.5, -0.5] * 4 + [0.5, 0.5]),
    ("nelson", 8, [1.5, -1.5] * 4, [1.5] * 8),
]


@pytest.mark.parametrize(("family", "rule", "pattern", "short"), PATTERNS)
def test_each_rule_counts_right(family: str, rule: int, pattern: list[float], short: list[float]):
    """The last point of the pattern signals, none before; one point less, or on the wrong side, none at all."""
    of = getattr(rules, family)

    assert list(of(pattern, 0.0, 1.0)[rule]) == [len(pattern) - 1]
    assert list(of([10.0 + 2.0 * z for z in pattern], 10.0, 2.0)[rule]) == [len(pattern) - 1]
    assert list(of(short, 0.0, 1.0)[rule]) == []


def test_eight_are_enough_for_western_electric_and_not_for_nelson():
    """The one count in which the two differ."""
    assert list(rules.western_electric([0.5] * 8, 0.0, 1.0)[4]) == [7]
    assert list(rules.nelson([0.5] * 8, 0.0, 1.0)[2]) == []


def test_false_alarms_are_as_many_as_published():
    """In control: 0.27 % of points by rule 1, about 1.6 % by Western Electric, about 2.3 % by Nelson; and quick."""
    z = np.random.default_rng(1).normal(size=300_000)
    start_s = time.process_time()
    western, nelson = rules.western_electric(z, 0.0, 1.0), rules.nelson(z, 0.0, 1.0)
    took_s = time.process_time() - start_s

    def share(signals: dict[int, np.ndarray]) -> float:
        return len(np.unique(np.concatenate(list(signals.values())))) / len(z)

    assert len(western[1]) / len(z) == pytest.approx(0.0027, rel=0.12)
    assert share(western) == pytest.approx(0.016, rel=0.2)
    assert share(nelson) == pytest.approx(0.023, rel=0.2)
    assert took_s < 3.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=1, max_size=60))
def test_rules_are_the_same_upside_down(z: list[float]):
    """A mirrored chart signals at the same points, and never beyond its end."""
    for of in (rules.western_electric, rules.nelson):
        up, down = of(z, 0.0, 1.0), of([-one for one in z], 0.0, 1.0)
        assert {rule: list(points) for rule, points in up.items()} == {r: list(p) for r, p in down.items()}
        assert all(0 <= point < len(z) for points in up.values() for point in points)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_cusum_agrees_with_its_definition(values: list[float]):
    """S = max(0, S + x - target - k sigma), written the long way."""
    sums = charts.cusum(values, 1.0, 2.0)
    high = low = 0.0
    for n, value in enumerate(values):
        high, low = max(0.0, high + value - 1.0 - 1.0), max(0.0, low + 1.0 - value - 1.0)
        assert (sums.high[n], sums.low[n]) == (pytest.approx(high, abs=1e-9), pytest.approx(low, abs=1e-9))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: charts.individuals([1.0]),
        lambda: charts.individuals([1.0, math.nan]),
        lambda: charts.xbar_r([[1.0], [2.0]]),
        lambda: charts.xbar_r([[1.0, 2.0], [2.0]]),
        lambda: charts.ewma([1.0], 0.0, 1.0, weight=0.0),
        lambda: charts.cusum([1.0], 0.0, 0.0),
        lambda: rules.nelson([1.0], 0.0, 0.0),
        lambda: constants.c4(1),
    ],
)
def test_what_cannot_be_charted_is_refused(wrong: object):
    """Too few, NaN, unequal subgroups, no weight, no sigma."""
    with pytest.raises(BadData):
        wrong()  # type: ignore[operator]
