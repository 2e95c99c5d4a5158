"""Monte Carlo (JCGM 101): published intervals, what each distribution is drawn as, its word on the first order."""

import math
from dataclasses import replace

import numpy as np
import pytest
from gum_examples import end_gauge, length_nm

from hil.metrology.budget import Component, normal, rectangular, trapezoidal, triangular, u_shaped
from hil.metrology.monte_carlo import BLOCK, compare, disagreement, draw, numerical_tolerance, simulate
from hil.metrology.propagation import CHECK, Input, observed, propagate, simultaneous


def total(a, b, c, d):
    return a + b + c + d


def itself(x):
    return x


def of(component):
    return [Input("x", 0.0, "V", (component,))]


@pytest.mark.parametrize(("distribution", "half"), [("normal", 3.92), ("rectangular", 3.88)])
def test_the_sum_of_four_comes_out_as_published(distribution, half):
    """JCGM 101, 9.2 (facts, A3): four inputs of u = 1; 95 % is +/-3.92 where they are normal, +/-3.88 where not."""
    inputs = [Input(str(n), 0.0, "V", (Component("x", "B", distribution, 1.0),)) for n in range(4)]

    found = simulate(total, inputs, seed=1, most=400_000)

    assert (found.low, found.high) == pytest.approx((-half, half), abs=0.025)
    assert found.u == pytest.approx(2.0, abs=0.01)


def test_the_gauge_block_comes_out_as_published():
    """JCGM 101, 9.5: 838 nm, u = 36 nm and the shortest 99 % interval 745 nm to 932 nm, where GUM H.1 has 32 nm."""
    found = simulate(length_nm, end_gauge(), seed=1, confidence=0.99, interval="shortest", most=300_000)

    assert found.mean - 50_000_000.0 == pytest.approx(838.0, abs=0.5)
    assert round(found.u) == 36
    assert (found.low - 50_000_000.0, found.high - 50_000_000.0) == pytest.approx((745.0, 932.0), abs=2.5)


@pytest.mark.parametrize(
    ("component", "kurtosis"),
    [
        (normal("x", 2.0), 3.0),
        (rectangular("x", math.sqrt(3.0)), 1.8),
        (triangular("x", math.sqrt(6.0)), 2.4),
        (u_shaped("x", math.sqrt(2.0)), 1.5),
        (trapezoidal("x", math.sqrt(6.0), 0.0), 2.4),
        (trapezoidal("x", math.sqrt(3.0), 1.0), 1.8),
        (Component("x", "A", "normal", 1.0, dof=10), 4.0),
    ],
    ids=["normal", "rectangular", "triangular", "U-shaped", "trapezoid to a point", "trapezoid to a box", "Student"],
)
def test_each_distribution_is_drawn_as_what_it_is(component, kurtosis):
    """u of every one of these is 1 (Student's scale is), and its fourth moment tells the shapes apart."""
    (values,) = draw(of(component), 200_000, np.random.default_rng(7))
    scale = math.sqrt(10.0 / 8.0) if component.dof == 10 else 1.0

    assert values.std() == pytest.approx(scale, rel=0.01)
    assert np.mean((values / values.std()) ** 4) == pytest.approx(kurtosis, rel=0.06)


def test_bounds_that_are_uncertain_themselves_are_drawn_wider():
    """JCGM 101, 6.4.3: the curvilinear trapezoid has the variance (half-width^2 + doubt^2 / 3) / 3."""
    (values,) = draw(of(rectangular("x", 1.0, dof=8.0)), 200_000, np.random.default_rng(7))
    doubt = 1.0 / math.sqrt(16.0)

    assert values.var() == pytest.approx((1.0 + doubt**2 / 3.0) / 3.0, rel=0.02)
    assert np.abs(values).max() == pytest.approx(1.0 + doubt, abs=0.02)


def test_a_shared_influence_is_drawn_once():
    """Two readings of one instrument move together, draw by draw."""
    shared = replace(rectangular("gain", 0.3), shared="gain")
    a, b = draw([Input(name, 0.0, "V", (shared,)) for name in "ab"], 100, np.random.default_rng(7))

    assert np.array_equal(a, b)


def test_readings_taken_together_are_drawn_together():
    """The correlation of GUM H.2, V with phi, is in the draws: 0.858."""
    v, phi = (5.007, 4.994, 5.005, 4.990, 4.999), (1.0456, 1.0438, 1.0468, 1.0428, 1.0433)
    inputs = simultaneous(observed("V", v, "V"), observed("phi", phi, "rad"))
    rng = np.random.default_rng(7)

    # ranks: Student's tails with 4 degrees of freedom make moments wander
    ranks = [np.argsort(np.argsort(one)) for one in draw(inputs, 50_000, rng)]

    assert 2.0 * math.sin(math.pi / 6.0 * np.corrcoef(*ranks)[0, 1]) == pytest.approx(0.858, abs=0.02)


def test_the_same_seed_gives_the_same_figures():
    """What is on record can be worked out again."""
    first, second = (simulate(itself, of(normal("x", 2.0)), seed=5, tolerance=0.02) for _ in range(2))

    assert first == second


def test_draws_go_on_until_the_figures_stand_still():
    """JCGM 101, 7.9.4: a finer tolerance takes more draws, a coarse one the fewest there are."""
    coarse, fine = (simulate(itself, of(normal("x", 2.0)), seed=5, tolerance=delta) for delta in (0.5, 0.02))

    assert coarse.draws == 2 * BLOCK < fine.draws
    assert coarse.settled
    assert fine.settled


@pytest.mark.parametrize(
    ("u", "digits", "delta"), [(0.35, 2, 0.005), (0.35, 1, 0.05), (0.0996, 1, 0.05), (32.0, 1, 5.0)]
)
def test_the_numerical_tolerance_is_half_of_the_last_digit(u, digits, delta):
    """JCGM 101, 7.9.2: u = c x 10^l with c of so many digits; delta = 10^l / 2."""
    assert numerical_tolerance(u, digits) == pytest.approx(delta)


def test_a_linear_model_of_normal_inputs_agrees():
    """There the first order is exact, so Monte Carlo has nothing to say against it."""
    inputs = [Input(str(n), 1.0, "V", (normal("x", 0.1 * (n + 1)),)) for n in range(4)]

    found = compare(propagate(total, inputs, "V"), total, inputs, seed=3)

    assert found["agrees"]
    assert disagreement(found, "V") == ""


def test_a_square_about_zero_disagrees_and_says_so():
    """y = x^2 at x = 0 has no slope: the first order says U = 0, and the truth is one-sided."""
    inputs = of(normal("x", 2.0))

    found = compare(propagate(lambda x: x * x, inputs, "V"), lambda x: x * x, inputs, seed=3)

    assert not found["agrees"]
    assert found["first_order_low"] == found["first_order_high"] == 0.0
    assert found["high"] == pytest.approx(5.02, abs=0.2)  # chi-squared with one degree of freedom, 97.5 %
    assert "Monte Carlo (JCGM 101" in disagreement(found, "V")


def test_one_rectangle_is_narrower_than_the_first_order_says():
    """Facts, 6.1: k = 1.65 for a pure rectangle; k = 1.96 is on the safe side, and the sentence says that."""
    inputs = of(rectangular("x", 1.0))

    found = compare(propagate(itself, inputs, "V"), itself, inputs, seed=3)

    assert (found["low"], found["high"]) == pytest.approx((-0.95, 0.95), abs=0.02)
    assert not found["agrees"]
    assert "safe side" in disagreement(found, "V")


def test_too_narrow_an_interval_is_called_that():
    """Where Monte Carlo's interval is the wider one, U is larger than stated."""
    found = {"draws": 20_000, "low": -2.0, "high": 2.0, "first_order_low": -1.0, "first_order_high": 1.0}

    assert "too narrow" in disagreement(found | {"tolerance": 0.05, "agrees": False}, "V")


def test_budgets_are_checked_only_where_a_run_asks_for_it():
    """Off, a budget has no Monte Carlo in it; on, the same call has."""
    inputs = of(normal("x", 2.0))
    try:
        before, CHECK.seed = propagate(itself, inputs, "V"), 11
        checked = propagate(itself, inputs, "V")
    finally:
        CHECK.off()

    assert before.monte_carlo == {}
    assert checked.monte_carlo["agrees"]
    assert checked.reading == before.reading
