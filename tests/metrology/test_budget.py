"""Uncertainty: the published vectors, GTC as the oracle, and how much must be measured."""

import math
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import Blame, OutOfRange
from hil.metrology import budget
from hil.metrology.budget import Component
from hil.metrology.reading import NotANumber, Reading

SQRT3 = math.sqrt(3.0)

# GUM H.1, end gauge, in nm: standard uncertainty, sensitivity, degrees of freedom
END_GAUGE = [
    Component("l_s", "B", "normal", 25.0, 1.0, 18),
    Component("d, mean of 5", "A", "normal", 5.8, 1.0, 24),
    Component("d, random comparator", "B", "normal", 3.9, 1.0, 5),
    Component("d, systematic comparator", "B", "normal", 6.7, 1.0, 8),
    Component("alpha_s", "B", "rectangular", 2e-6 / SQRT3, 0.0),
    Component("theta", "B", "normal", 0.41, 0.0),
    Component("dalpha", "B", "rectangular", 1e-6 / SQRT3, 0.1 * 50_000_623, 50),
    Component("dtheta", "B", "rectangular", 0.05 / SQRT3, 11.5e-6 * 50_000_623, 2),
]


def test_the_end_gauge_of_gum_h1_comes_out_as_published():
    """Facts, vector A1: u = 31.66 nm and 16.75 effective degrees of freedom."""
    result = budget.combine(50_000_838.0, "nm", END_GAUGE)

    assert result.reading.u == pytest.approx(31.66, abs=0.01)
    assert result.reading.dof == pytest.approx(16.75, abs=0.01)


def test_degrees_of_freedom_of_a_sum_come_out_as_published():
    """Facts, vector A4: 0.57 with 9 and 0.25 with infinitely many make 12.8."""
    parts = [Component("a", "A", "normal", 0.57, 1.0, 9), Component("b", "B", "normal", 0.25)]

    assert budget.combine(0.0, "V", parts).reading.dof == pytest.approx(12.8, abs=0.05)


def test_coverage_factors_are_students():
    """The 95 % table of GUM G.2, and the interpolated value between its whole degrees of freedom."""
    published = {1: 12.71, 2: 4.30, 4: 2.78, 10: 2.23, 50: 2.01, math.inf: 1.960}

    assert {dof: round(budget.coverage_factor(dof), 2) for dof in published} == {
        dof: round(k, 2) for dof, k in published.items()
    }
    assert 2.11 < budget.coverage_factor(16.75) < budget.coverage_factor(16) < 2.13


components = st.lists(
    st.builds(
        Component,
        name=st.just("x"),
        kind=st.just("B"),
        distribution=st.just("normal"),
        value=st.floats(1e-6, 1e3),
        sensitivity=st.floats(-1e3, 1e3).filter(lambda c: abs(c) > 1e-3),
        dof=st.one_of(st.integers(1, 200).map(float), st.just(math.inf)),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(components)
def test_plain_formulas_agree_with_gtc(parts):
    """u and the effective degrees of freedom are those of GTC 1.5.1, component by component."""
    import GTC

    result = budget.combine(0.0, "W", parts)
    oracle = sum(part.sensitivity * GTC.ureal(0.0, part.value, part.dof) for part in parts)

    assert result.reading.u == pytest.approx(oracle.u, rel=1e-9)
    if math.isinf(oracle.df):
        assert result.reading.dof > 1e6  # GTC calls everything above one million infinite
    else:
        assert result.reading.dof == pytest.approx(oracle.df, rel=1e-6)
    assert [c.contribution for c in result.components] == pytest.approx([abs(p.sensitivity) * p.value for p in parts])


def test_coverage_factor_agrees_with_gtc():
    """k at 95 % is GTC's for whole, broken and infinite degrees of freedom."""
    from GTC import reporting

    for dof in (1, 2.5, 4, 9, 16.75, 120, math.inf):
        assert budget.coverage_factor(dof) == pytest.approx(reporting.k_factor(dof, 95), rel=1e-9)


def test_percent_error_of_pairs_agrees_with_gtc():
    """The budget of e = 100 (dut / ref - 1) has the uncertainty GTC propagates through the same formula."""
    import GTC

    dut, reference = [100.2, 100.4, 100.3], [100.0, 100.1, 100.0]
    result = budget.percent_error_budget(
        dut, reference, [budget.resolution("register", 0.1)], [budget.rectangular("accuracy", 0.1)]
    )
    scatter = GTC.type_a.estimate([budget.percent_error(d, r) for d, r in zip(dut, reference, strict=True)])
    d = GTC.ureal(sum(dut) / 3, 0.1 / math.sqrt(12.0))
    r = GTC.ureal(sum(reference) / 3, 0.1 / SQRT3)
    oracle = scatter + 100.0 * (d / r - 1.0)

    assert result.reading.unit == "%"
    assert result.reading.value == pytest.approx(scatter.x)
    assert result.reading.u == pytest.approx(oracle.u, rel=1e-9)
    assert result.reading.dof == pytest.approx(oracle.df, rel=1e-9)
    assert result.expanded_u == pytest.approx(result.k * result.reading.u)


def test_one_pair_has_no_type_a_component():
    """A single reading says nothing about its scatter, so the budget does not pretend to know it."""
    result = budget.percent_error_budget([101.0], [100.0], reference_components=[budget.normal("certificate", 0.2)])

    assert [c.name for c in result.components] == ["certificate"]
    assert result.reading.u == pytest.approx(0.1 * 101.0 / 100.0)


def test_type_b_divisors_are_those_of_the_gum():
    """Rectangular a/sqrt 3, resolution d/sqrt 12, certificate U/k, scatter of a mean s/sqrt n."""
    assert budget.rectangular("spec", 3.0).value == pytest.approx(SQRT3)
    assert budget.resolution("display", 0.1).value == pytest.approx(0.1 / math.sqrt(12.0))
    assert budget.normal("certificate", 0.5).value == pytest.approx(0.25)
    assert budget.type_a("scatter", [1.0, 2.0, 3.0, 4.0]).value == pytest.approx(math.sqrt(5.0 / 3.0) / 2.0)
    assert budget.type_a("scatter", [1.0, 2.0, 3.0, 4.0]).dof == 3


@settings(deadline=None)
@given(st.floats(0.0, 10.0), st.floats(0.0, 1.0), st.floats(1e-3, 1.0), st.integers(2, 5), st.integers(6, 200))
def test_needed_readings_reach_the_target_and_not_one_more(scatter, resolution, target, least, most):
    """n readings reach the wanted uncertainty of the mean where any number can, and n - 1 do not."""
    n = budget.needed_readings(scatter, resolution, target, least, most)

    rounding = resolution / math.sqrt(12.0)
    dithered = scatter >= 0.5 * resolution

    def u_of_mean(count):
        return (
            math.hypot(scatter, rounding) / math.sqrt(count) if dithered else math.hypot(scatter / count**0.5, rounding)
        )

    assert least <= n <= most
    if n < most and scatter > 0.0:
        assert u_of_mean(n) <= target * (1.0 + 1e-6)
    if n > least and scatter > 0.0:
        assert u_of_mean(n - 1) > target * (1.0 - 1e-6)


def test_a_steady_display_needs_no_more_than_the_minimum():
    """Without scatter no number of readings helps against the resolution."""
    assert budget.needed_readings(0.0, 0.1, 0.01, minimum=3, maximum=50) == 3


def test_the_energy_window_follows_the_one_tenth_rule():
    """Facts, 1.8: r = 0.01 kWh and L = 1 % need 10 kWh, at 1 kW ten hours."""
    assert budget.needed_window_s(10.0, 1000.0, 1.0) == pytest.approx(36_000.0)


@pytest.mark.parametrize("power_w", [0.0, -1.0, math.nan, math.inf])
def test_a_window_needs_power(power_w):
    """No energy is registered without power, so there is no window to compute."""
    with pytest.raises(OutOfRange, match="power_w"):
        budget.needed_window_s(0.1, power_w, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_no_reading(bad):
    """NaN and infinity are the bench's fault, in the value, the uncertainty and the error alike."""
    for make in (
        lambda: Reading(bad, "V"),
        lambda: Reading(1.0, "V", bad),
        lambda: budget.percent_error(bad, 1.0),
        lambda: budget.percent_error(1.0, bad),
        lambda: budget.rectangular("spec", bad),
        lambda: Component("x", "B", "normal", 1.0, bad),
    ):
        with pytest.raises(NotANumber) as caught:
            make()
        assert caught.value.blame is Blame.BENCH


@pytest.mark.parametrize(("u", "dof"), [(-1.0, 1.0), (1.0, 0.0), (1.0, math.nan), (1.0, -3.0)])
def test_impossible_uncertainties_are_refused(u, dof):
    """A standard uncertainty is not negative and has some freedom."""
    with pytest.raises(NotANumber):
        Reading(1.0, "V", u, dof)


def test_a_reference_of_zero_gives_no_percentage():
    """A dead reference is an error, never an infinite percentage."""
    with pytest.raises(NotANumber):
        budget.percent_error(1.0, 0.0)


def test_a_budget_takes_less_than_a_tenth_of_a_millisecond():
    """A point's budget of five components costs under 100 us, coverage factor included."""
    parts = END_GAUGE[:5]
    assert budget.combine(1.0, "%", parts).expanded_u > 0.0  # imports scipy.special once

    best_s = min(timeit.repeat(lambda: budget.combine(1.0, "%", parts).expanded_u, number=200, repeat=5)) / 200

    assert best_s < 100e-6
