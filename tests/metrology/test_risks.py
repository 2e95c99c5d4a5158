"""Conformance probabilities, risks and guard bands, against published examples and independent integrals.

Sources of the figures: JCGM 106:2012 (examples as summarised in the project's facts, 6.2, [NRC]); ILAC-G8:09/2019,
table 1; ANSI/NCSL Z540.3 handbook, method 6 [NRC]; Deaver, quoted by the examples of Sandia's Suncal.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from hil.errors import OutOfRange
from hil.metrology.decision import judge
from hil.metrology.reading import Reading
from hil.metrology.risks import (
    Prior,
    capability_index,
    conformance_probability,
    global_risks,
    guard_band_for_global_risk,
    guard_band_for_specific_risk,
    method_6_multiplier,
    nonconformance_probability,
    posterior,
    tur,
)

ONE = (-1.0, 1.0)


def s_of(in_tolerance):
    """The s of a centred population of which that share lies within +/- 1."""
    return 1.0 / NormalDist().inv_cdf((1.0 + in_tolerance) / 2.0)


@pytest.mark.parametrize(
    ("value", "u", "tolerance", "probability", "places"),
    [
        (-5.47, 0.05, (None, -5.40), 0.9192, 4),  # A5: Zener diode, single upper limit, V
        (507.0, 8.6, (490.0, None), 0.976, 3),  # A6: burst pressure, single lower limit, kPa
        (1.0 - 2 * 0.1, 0.1, (None, 1.0), 0.9772, 4),  # A7: on the acceptance limit of a guard band w = U, k = 2
    ],
)
def test_the_examples_of_jcgm_106(value, u, tolerance, probability, places):
    """Vectors A5 to A7 of the facts, 6.2."""
    assert round(conformance_probability(value, u, tolerance), places) == probability
    assert round(nonconformance_probability(value, u, tolerance), places) == pytest.approx(1.0 - probability)


@pytest.mark.parametrize(
    ("w_of_u", "most"),
    [(1.0, 0.025), (3.0, 1e-6), (1.5, 0.0016), (0.83, 0.05)],
    ids=["guarded 4.2.2", "six sigma", "three sigma", "ISO 14253-1:2017"],
)
def test_the_guard_bands_of_ilac_g8(w_of_u, most):
    """Facts 6.3, table of rules: the specific risk on the acceptance limit is below what the rule says; U = 2 u."""
    u = 0.1
    risk = nonconformance_probability(1.0 - w_of_u * 2.0 * u, u, (None, 1.0))

    assert risk < most
    assert risk > 0.8 * most or most == 1e-6  # six sigma is far below its part per million


def test_without_guard_band_the_risk_on_the_limit_is_one_half_and_rejecting_only_when_sure_turns_it_round():
    """Facts 6.3: simple acceptance below 50 %; "uncritical", w = -U, leaves below 2.5 % of false rejects."""
    assert nonconformance_probability(1.0, 0.1, (None, 1.0)) == 0.5
    assert conformance_probability(1.0 + 0.2, 0.1, (None, 1.0)) < 0.025


TUR_TABLE = {  # facts 6.3, "computed facts": PFA / PFR in % at in-tolerance probabilities of 80, 90 and 95 %; U = 2 u
    1.5: [(4.24, 8.10), (2.68, 7.60), (1.54, 6.63)],
    2.0: [(3.46, 5.69), (2.26, 5.08), (1.34, 4.18)],
    3.0: [(2.51, 3.52), (1.71, 2.98), (1.05, 2.29)],
    4.0: [(1.97, 2.54), (1.37, 2.09), (0.86, 1.55)],
    10.0: [(0.85, 0.94), (0.62, 0.74), (0.41, 0.52)],
}


@pytest.mark.parametrize("ratio", TUR_TABLE)
def test_global_risks_by_tur_and_in_tolerance_probability(ratio):
    """Normal population, centred, no guard band. One entry, 6.63, is 6.6245 to more digits."""
    found = [global_risks(Prior(0.0, s_of(itp)), 0.5 / ratio, ONE) for itp in (0.80, 0.90, 0.95)]

    assert [100 * r.consumer for r in found] == pytest.approx([row[0] for row in TUR_TABLE[ratio]], abs=0.0055)
    assert [100 * r.producer for r in found] == pytest.approx([row[1] for row in TUR_TABLE[ratio]], abs=0.0055)


def largest_pfa(u, acceptance):
    """The largest consumer's risk, in %, over all widths of a centred normal population."""
    found = optimize.minimize_scalar(
        lambda log_s: -global_risks(Prior(0.0, math.exp(log_s)), u, ONE, (-acceptance, acceptance)).consumer,
        bounds=(-1.0, 1.0),
        method="bounded",
        options={"xatol": 0.01},
    )
    return -100.0 * found.fun


@pytest.mark.parametrize(
    ("ratio", "unguarded", "factor", "guarded"),
    [
        (1.5, None, 0.760, 1.91),
        (2.0, 4.18, 0.859, 1.92),
        (3.0, 2.91, 0.948, 1.94),
        (4.0, 2.24, 0.987, 1.96),
        (4.6, 1.96, 1.0, None),
        (10.0, None, 1.0, None),
    ],
)
def test_method_6_keeps_the_false_accepts_below_two_percent(ratio, unguarded, factor, guarded):
    """Facts 6.3: a TUR of 4 alone does not, 4.6 does, and method 6 does by design."""
    multiplier = method_6_multiplier(ratio)

    assert 1.0 - multiplier / ratio == pytest.approx(factor, abs=5e-4)
    if unguarded:
        assert largest_pfa(0.5 / ratio, 1.0) == pytest.approx(unguarded, abs=0.006)
    if guarded:
        assert largest_pfa(0.5 / ratio, 1.0 - multiplier / ratio) == pytest.approx(guarded, abs=0.006)


def test_method_6_needs_no_guard_band_from_a_tur_of_about_4_6_on():
    """M would be negative there; it is set to 0. Without a ratio there is none."""
    assert method_6_multiplier(4.5) > 0.0
    assert method_6_multiplier(4.6) == method_6_multiplier(100.0) == method_6_multiplier(math.inf) == 0.0
    with pytest.raises(OutOfRange):
        method_6_multiplier(-1.0)


def test_the_check_from_the_literature():
    """Deaver: limits at two sigma of the process, sigma ratio 4: PFA 0.8 %, PFR 1.5 % (facts 6.3, S26)."""
    found = global_risks(Prior(0.0, 1.0), 0.25, (-2.0, 2.0))

    assert (round(100 * found.consumer, 1), round(100 * found.producer, 1)) == (0.8, 1.5)


@pytest.mark.parametrize("tolerance", [ONE, (-0.4, 1.0), (None, 1.0), (-1.0, None)])
@pytest.mark.parametrize("guard", [0.15, 0.0, -0.1])
def test_global_risks_by_another_road(tolerance, guard):
    """The consumer's is the specific risk of all accepted values, averaged over what the population shows."""
    prior, u = Prior(0.3, 0.6), 0.2
    low, high = tolerance
    accepted = (None if low is None else low + guard, None if high is None else high - guard)
    shown = NormalDist(prior.mean, math.hypot(prior.s, u))
    begin, end = (-6.0 if accepted[0] is None else accepted[0]), (6.0 if accepted[1] is None else accepted[1])

    def wrong(value):
        return shown.pdf(value) * nonconformance_probability(value, u, tolerance, prior=prior)

    found = global_risks(prior, u, tolerance, accepted)
    conforming = conformance_probability(prior.mean, prior.s, tolerance)
    all_accepted = shown.cdf(end) - shown.cdf(begin)

    assert found.consumer == pytest.approx(integrate.quad(wrong, begin, end)[0], rel=1e-6)
    assert found.producer == pytest.approx(conforming - (all_accepted - found.consumer), rel=1e-6)


def test_any_density_may_be_the_prior():
    """A uniform population much wider than u about a single limit: u / (2 a sqrt(2 pi)) each way, by hand."""
    a, u = 1.0, 0.05
    found = global_risks(lambda _: 1.0 / (2.0 * a), u, (None, 3.0), support=(3.0 - a, 3.0 + a))

    assert found == pytest.approx([u / (2.0 * a * math.sqrt(2.0 * math.pi))] * 2, rel=1e-6)


def test_an_acceptance_interval_whose_limits_have_crossed_accepts_nothing():
    """No false accepts, and every good item is rejected."""
    assert global_risks(Prior(0.0, 1.0), 0.5, ONE, (0.2, -0.2)) == pytest.approx([0.0, 0.6827], abs=1e-4)


def test_a_prior_pulls_the_estimate_and_narrows_it():
    """JCGM 106:2012, A.4.4: the weights are the inverse variances; equal ones meet in the middle."""
    assert posterior(2.0, 1.0, Prior(0.0, 1.0)) == pytest.approx((1.0, math.sqrt(0.5)))
    assert posterior(2.0, 1.0, Prior(0.0, 1e9)) == pytest.approx((2.0, 1.0))
    assert posterior(2.0, 1.0, None) == (2.0, 1.0)
    with_prior = nonconformance_probability(0.95, 0.1, ONE, prior=Prior(0.0, 0.3))
    assert with_prior < nonconformance_probability(0.95, 0.1, ONE)


@settings(deadline=None, max_examples=50)
@given(st.floats(-3.0, 3.0), st.floats(1e-3, 3.0), st.floats(0.6, 1e7))
def test_the_two_probabilities_are_each_others_rest(value, u, dof):
    """By Student's t where the degrees of freedom are few, and never outside 0 to 1."""
    inside = conformance_probability(value, u, ONE, dof)
    outside = nonconformance_probability(value, u, ONE, dof)

    assert inside + outside == pytest.approx(1.0, abs=1e-12)
    assert 0.0 <= inside <= 1.0
    assert 0.0 <= outside <= 1.0
    assert inside == pytest.approx(np.diff(stats.t.cdf((np.array(ONE) - value) / u, dof))[0], abs=1e-6)


def test_a_tiny_risk_is_not_rounded_to_nothing():
    """Ten standard uncertainties inside, and exact readings."""
    assert nonconformance_probability(0.0, 0.1, (None, 1.0)) == pytest.approx(7.62e-24, rel=1e-3)
    assert nonconformance_probability(1.0, 0.0, ONE) == 0.0
    assert conformance_probability(1.1, 0.0, ONE) == 0.0


@pytest.mark.parametrize("dof", [math.inf, 4.0])
def test_a_guard_band_gives_the_specific_risk_that_was_asked_for(dof):
    """One-sided it is a quantile (1.645 u at 5 %); two-sided both sides count; too narrow limits accept nothing."""
    assert guard_band_for_specific_risk(1.0, (None, 9.0), 0.05) == pytest.approx(1.6449, abs=1e-4)
    for half in (10.0, 5.0):
        tolerance = (-half, half)
        w = guard_band_for_specific_risk(1.0, tolerance, 0.02, dof)
        assert nonconformance_probability(half - w, 1.0, tolerance, dof) == pytest.approx(0.02, rel=1e-6)
    narrow = guard_band_for_specific_risk(1.0, (-2.4, 2.4), 0.02)  # both sides matter here
    assert nonconformance_probability(2.4 - narrow, 1.0, (-2.4, 2.4)) == pytest.approx(0.02, rel=1e-6)
    assert guard_band_for_specific_risk(1.0, (-2.0, 2.0), 0.02, dof) == math.inf
    with pytest.raises(OutOfRange):
        guard_band_for_specific_risk(1.0, ONE, 0.5)


@pytest.mark.parametrize("tolerance", [ONE, (None, 1.0), (-1.0, None)])
def test_a_guard_band_gives_the_global_risk_that_was_asked_for(tolerance):
    """It is 0 where none is needed; acceptance limits that crossed are never the answer."""
    prior, u = Prior(0.0, s_of(0.8)), 0.25
    w = guard_band_for_global_risk(prior, u, tolerance, 0.01)
    low, high = tolerance
    accepted = (None if low is None else low + w, None if high is None else high - w)

    assert w > 0.0
    assert global_risks(prior, u, tolerance, accepted).consumer == pytest.approx(0.01, rel=1e-6)
    assert guard_band_for_global_risk(Prior(0.0, 0.1), u, tolerance, 0.01) == 0.0


def test_ratios():
    """C_m is the TUR at k = 2; an exact reading has no end of either."""
    assert capability_index(-1.0, 1.0, 0.125) == tur(-1.0, 1.0, 0.25) == 4.0
    assert capability_index(0.0, 1.0, 0.0) == tur(0.0, 1.0, 0.0) == math.inf
    for wrong in [(math.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, math.inf)]:
        with pytest.raises(OutOfRange):
            Prior(*wrong)
    with pytest.raises(OutOfRange):
        global_risks(Prior(0.0, 1.0), 0.0, ONE)


UNITS = 10_000


@pytest.mark.parametrize("rule", ["simple", "guarded", "z540.3-method-6"])
@pytest.mark.parametrize("ratio", [2.0, 4.0])
def test_a_population_shows_the_risks_that_were_computed(rule, ratio):
    """10,000 units on one point: false accepts and rejects are within the 99.8 % bounds of their binomials."""
    u, prior = 1.0 / (1.959963984540054 * ratio), Prior(0.1, s_of(0.85))
    rng = np.random.default_rng(20261121)
    true = rng.normal(prior.mean, prior.s, UNITS)
    measured = true + rng.normal(0.0, u, UNITS)
    accepted_from, accepted_to = acceptance = _acceptance(u, rule)
    good, accepted = np.abs(true) <= 1.0, (measured >= accepted_from) & (measured <= accepted_to)

    risks = global_risks(prior, u, ONE, acceptance)
    for seen, risk in ((np.sum(~good & accepted), risks.consumer), (np.sum(good & ~accepted), risks.producer)):
        fewest, most = stats.binom.interval(0.998, UNITS, risk)
        assert fewest <= seen <= most
    some = slice(0, 200)  # what the rule says of each is what its acceptance interval says of all
    said = [judge(Reading(value, "%", u), -1.0, 1.0, rule).verdict == "pass" for value in measured[some]]
    assert said == accepted[some].tolist()


def _acceptance(u, rule):
    judged = judge(Reading(0.0, "%", u), -1.0, 1.0, rule)
    return judged.acceptance_low, judged.acceptance_high
