"""Components, coverage factors, and how long must be measured: the GUM's figures, GTC as the oracle."""

import math

import pytest

from hil.errors import Blame, OutOfRange
from hil.metrology import budget
from hil.metrology.budget import Component
from hil.metrology.reading import NotANumber, Reading

SQRT3 = math.sqrt(3.0)


def test_coverage_factors_are_students():
    """The 95 % table of GUM G.2, and the interpolated value between its whole degrees of freedom."""
    published = {1: 12.71, 2: 4.30, 4: 2.78, 10: 2.23, 50: 2.01, math.inf: 1.960}

    assert {dof: round(budget.coverage_factor(dof), 2) for dof in published} == {
        dof: round(k, 2) for dof, k in published.items()
    }
    assert 2.11 < budget.coverage_factor(16.75) < budget.coverage_factor(16) < 2.13


def test_coverage_factor_agrees_with_gtc():
    """k at 95 % is GTC's for whole, broken and infinite degrees of freedom."""
    from GTC import reporting

    for dof in (1, 2.5, 4, 9, 16.75, 120, math.inf):
        assert budget.coverage_factor(dof) == pytest.approx(reporting.k_factor(dof, 95), rel=1e-9)


def test_type_b_divisors_are_those_of_the_gum():
    """Rectangular a/sqrt 3, resolution d/sqrt 12, certificate U/k, scatter of a mean s/sqrt n."""
    assert budget.rectangular("spec", 3.0).value == pytest.approx(SQRT3)
    assert budget.resolution("display", 0.1).value == pytest.approx(0.1 / math.sqrt(12.0))
    assert budget.normal("certificate", 0.5).value == pytest.approx(0.25)
    assert budget.type_a("scatter", [1.0, 2.0, 3.0, 4.0]).value == pytest.approx(math.sqrt(5.0 / 3.0) / 2.0)
    assert budget.type_a("scatter", [1.0, 2.0, 3.0, 4.0]).dof == 3


def test_the_other_divisors_are_those_of_the_facts():
    """Facts, 6.1: triangular a/sqrt 6, U-shaped a/sqrt 2, trapezoid a sqrt((1 + b^2)/6), between box and triangle."""
    assert budget.triangular("t", 3.0).value == pytest.approx(3.0 / math.sqrt(6.0))
    assert budget.u_shaped("u", 3.0).value == pytest.approx(3.0 / math.sqrt(2.0))
    assert budget.trapezoidal("z", 3.0, 0.5).value == pytest.approx(3.0 * math.sqrt(1.25 / 6.0))
    assert budget.trapezoidal("z", 3.0, 1.0).value == pytest.approx(budget.rectangular("r", 3.0).value)
    assert budget.trapezoidal("z", 3.0, 0.0).value == pytest.approx(budget.triangular("t", 3.0).value)
    with pytest.raises(OutOfRange):
        budget.trapezoidal("z", 3.0, 1.5)


def test_a_shared_influence_is_on_record_only_where_there_is_one():
    """The journal's line names what is shared, and has no key for what is not."""
    assert Component("x", "B", "normal", 1.0, shared="Dmm gain").to_dict()["shared"] == "Dmm gain"
    assert "shared" not in Component("x", "B", "normal", 1.0).to_dict()


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
    """NaN and infinity are the bench's fault, in the value and the uncertainty alike."""
    for make in (
        lambda: Reading(bad, "V"),
        lambda: Reading(1.0, "V", bad),
        lambda: budget.rectangular("spec", bad),
        lambda: Component("x", "B", "normal", 1.0, bad),
    ):
        with pytest.raises(NotANumber) as caught:
            make()
        assert caught.value.blame is Blame.BENCH


@pytest.mark.parametrize("k", [0.0, -2.0, math.nan, math.inf])
def test_a_certificate_has_a_coverage_factor(k):
    """U / k of no k is no uncertainty."""
    with pytest.raises(OutOfRange, match="k of 'certificate'"):
        budget.normal("certificate", 0.02, k)


@pytest.mark.parametrize(("u", "dof"), [(-1.0, 1.0), (1.0, 0.0), (1.0, math.nan), (1.0, -3.0)])
def test_impossible_uncertainties_are_refused(u, dof):
    """A standard uncertainty is not negative and has some freedom."""
    with pytest.raises(NotANumber):
        Reading(1.0, "V", u, dof)
