"""Adaptive measurement: when it stops, what it says of the effort, and what looking after every reading costs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hil.errors import OutOfRange
from hil.metrology.adaptive import Adaptive, measure_until, scatter_u, time_saved
from hil.metrology.budget import normal
from hil.metrology.propagation import direct

PLAN = Adaptive(share_of_limit=0.1, shortest=3, longest=20, fixed=10)


class Readings:
    """Hands out one reading after another, each of which takes a second of a clock."""

    def __init__(self, values):
        self.values = iter(values)
        self.now_s = 100.0

    def take(self):
        self.now_s += 1.0
        return next(self.values)

    def clock(self):
        return self.now_s


def run(values, wanted_u, plan=PLAN):
    readings = Readings(values)
    return measure_until(readings.take, float, wanted_u, plan, readings.clock)


def test_a_quiet_point_takes_the_fewest_readings():
    """Three equal readings are enough, and the time a fixed window would have taken is told."""
    taken = run([1.0] * 20, 0.1)

    assert taken.readings == (1.0, 1.0, 1.0)
    assert taken.effort == {"readings": 3, "took_s": 3.0, "fixed_s": 10.0, "ended": "U reached"}


def test_a_noisy_point_ends_at_the_longest_and_says_so():
    """U is not small enough, and the record does not claim that it is."""
    taken = run([(-1.0) ** n for n in range(20)], 0.001)

    assert (len(taken.readings), taken.effort["ended"]) == (20, "longest time")


def test_it_stops_at_the_first_reading_at_which_u_is_small_enough():
    """U of the mean is at most what is wanted there, and was not one reading before."""
    rng = np.random.default_rng(3)
    taken = run(list(rng.normal(0.0, 1.0, 200)), 0.6, Adaptive(0.1, 3, 200, 10))

    assert scatter_u(taken.readings) <= 0.6 < scatter_u(taken.readings[:-1])
    assert taken.effort["ended"] == "U reached"


def test_u_of_the_scatter_is_students():
    """GUM, 4.2.3 and G.3.2: t95(3) s / sqrt(4) = 3.182 x 1.291 / 2."""
    assert scatter_u([1.0, 2.0, 3.0, 4.0]) == pytest.approx(3.182 * math.sqrt(5.0 / 3.0) / 2.0, rel=1e-3)


@pytest.mark.parametrize(("shortest", "least"), [(3, 0.895), (4, 0.905), (5, 0.912)])
def test_peeking_costs_no_more_coverage_than_the_docstring_says(shortest, least):
    """10,000 points at the scatter that is worst for it: so often the interval of the scatter covers the truth."""
    from scipy.special import stdtrit

    rng, points, longest, wanted = np.random.default_rng(11), 10_000, 20, 0.55
    x = rng.standard_normal((points, longest))
    sums, squares = np.cumsum(x, axis=1), np.cumsum(x * x, axis=1)
    running, covered = np.ones(points, bool), 0
    for n in range(shortest, longest + 1):
        means = sums[:, n - 1] / n
        s = np.sqrt(np.maximum(0.0, squares[:, n - 1] - n * means**2) / (n - 1))
        u = stdtrit(n - 1, 0.975) * s / math.sqrt(n)
        stops = running & ((u <= wanted) | (n == longest))
        covered += int(np.sum(np.abs(means[stops]) <= u[stops]))
        running &= ~stops

    assert least < covered / points < 0.95


def test_the_time_saved_is_the_sum_over_all_points():
    """Measurements that were not adaptive count for nothing."""
    efforts = [{"took_s": 2.0, "fixed_s": 7.0}, {}, {"took_s": 3.5, "fixed_s": 7.0}]
    budgets = [replace(direct(1.0, "V", [normal("x", 0.1)]), effort=effort) for effort in efforts]

    assert time_saved(budgets) == (5.5, 14.0)


@pytest.mark.parametrize(
    "wrong", [{"shortest": 2}, {"longest": 5}, {"share_of_limit": 0.0}, {"share_of_limit": math.nan}]
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong):
    """Two readings have no scatter to speak of, and the longest is not shorter than the fixed."""
    with pytest.raises(OutOfRange):
        Adaptive(**wrong)
