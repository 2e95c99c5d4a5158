"""Decision rules: each zone, each boundary, and when judging is refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import SetupError
from hil.metrology.decision import Rule, Verdict, judge, judge_limit, tur
from hil.metrology.limits import Limit
from hil.metrology.reading import Reading

K_INF = 1.959963984540054  # Student's t for 95 % at infinite degrees of freedom
U = 0.2  # expanded, so u is U / k


def reading(value, expanded_u=U):
    return Reading(value, "%", expanded_u / K_INF)


@pytest.mark.parametrize(
    ("value", "simple", "guarded", "non_binary"),
    [
        (0.0, "pass", "pass", "pass"),
        (0.8, "pass", "pass", "pass"),  # on the acceptance limit T - U
        (0.81, "pass", "fail", "conditional_pass"),
        (1.0, "pass", "fail", "conditional_pass"),  # on the limit T
        (1.01, "fail", "fail", "conditional_fail"),
        (1.2, "fail", "fail", "conditional_fail"),  # on T + U
        (1.21, "fail", "fail", "fail"),
        (-0.81, "pass", "fail", "conditional_pass"),
        (-1.2, "fail", "fail", "conditional_fail"),
        (-1.21, "fail", "fail", "fail"),
    ],
)
def test_each_rule_has_its_zones(value, simple, guarded, non_binary):
    """ILAC-G8:09/2019, 4.2.1 to 4.2.3, with w = U, for limits of +/- 1 %."""
    verdicts = {rule: judge(reading(value), -1.0, 1.0, rule).verdict for rule in Rule}

    assert verdicts == {Rule.SIMPLE: simple, Rule.GUARDED: guarded, Rule.NON_BINARY: non_binary}


@pytest.mark.parametrize(("low", "high", "good", "bad"), [(None, 10.0, -1e9, 11.0), (5.0, None, 1e9, 4.0)])
@pytest.mark.parametrize("rule", list(Rule))
def test_a_limit_may_have_one_side(low, high, good, bad, rule):
    """Only the side that exists is compared."""
    assert judge(Reading(good, "ms", 0.1), low, high, rule).verdict is Verdict.PASS
    assert judge(Reading(bad, "ms", 0.1), low, high, rule).verdict is Verdict.FAIL


def test_without_a_limit_nothing_passes():
    """A point no limit covers is not_covered, however good the value looks."""
    assert judge(reading(0.0), None, None, "simple").verdict is Verdict.NOT_COVERED
    assert judge_limit(reading(0.0), None, "simple").verdict is Verdict.NOT_COVERED


@pytest.mark.parametrize("value", [0.0, 99.0])
def test_a_reading_without_uncertainty_is_refused_where_the_rule_needs_it(value):
    """Missing knowledge is neither pass nor fail; simple acceptance needs U only for a minimum TUR."""
    naked = Reading(value, "%")

    assert judge(naked, -1.0, 1.0, "guarded").verdict is Verdict.REFUSED
    assert judge(naked, -1.0, 1.0, "ilac-g8-non-binary").verdict is Verdict.REFUSED
    assert judge(naked, -1.0, 1.0, "simple", min_tur=1.5).verdict is Verdict.REFUSED
    assert judge(naked, -1.0, 1.0, "simple").verdict in {Verdict.PASS, Verdict.FAIL}


@pytest.mark.parametrize("value", [0.0, 99.0])
def test_too_large_an_uncertainty_is_refused_and_says_so(value):
    """TUR below the plan's minimum: refused with the ratio, never fail; exactly at the minimum it is judged."""
    refused = judge(reading(value, 0.7), -1.0, 1.0, "simple", min_tur=1.5)

    assert refused.verdict is Verdict.REFUSED
    assert "TUR 1.43" in refused.reason
    assert judge(reading(value, 2.0 / 3.0), -1.0, 1.0, "simple", min_tur=1.5).verdict is not Verdict.REFUSED


def test_an_exact_count_is_judged_whatever_the_ratio():
    """A yes or no has no uncertainty; 1 of exactly 1 passes, 0 fails."""
    assert judge(Reading(1.0, "yes", 0.0), 1.0, 1.0, "simple", min_tur=1.5).verdict is Verdict.PASS
    assert judge(Reading(0.0, "yes", 0.0), 1.0, 1.0, "guarded", min_tur=1.5).verdict is Verdict.FAIL
    assert tur(1.0, 1.0, 0.0) == math.inf


def test_few_readings_widen_the_guard_band():
    """U follows Student's t: the same u with two degrees of freedom guards more than twice as much."""
    sure, unsure = Reading(0.7, "%", 0.1), Reading(0.7, "%", 0.1, dof=2)

    assert judge(sure, -1.0, 1.0, "guarded").verdict is Verdict.PASS
    assert judge(unsure, -1.0, 1.0, "guarded").verdict is Verdict.FAIL


def test_rounding_does_not_move_a_value_off_its_limit():
    """0.1 + 0.2 is on a limit of 0.3, although it is not the same float."""
    assert judge(Reading(0.1 + 0.2, "V", 0.0), None, 0.3, "simple").verdict is Verdict.PASS


values = st.floats(-5.0, 5.0)
expanded = st.floats(1e-6, 2.0)


@settings(deadline=None)
@given(values, expanded)
def test_the_rules_agree_where_they_must(value, u95):
    """Guarded pass implies simple pass; non-binary refines simple; binary words never mix with conditional ones."""
    simple, guarded, non_binary = (judge(reading(value, u95), -1.0, 1.0, rule).verdict for rule in Rule)

    assert simple in {Verdict.PASS, Verdict.FAIL}
    assert guarded is Verdict.FAIL or simple is Verdict.PASS
    assert (non_binary in {Verdict.PASS, Verdict.CONDITIONAL_PASS}) == (simple is Verdict.PASS)
    assert (non_binary is Verdict.PASS) == (guarded is Verdict.PASS)


@settings(deadline=None)
@given(values, expanded)
def test_judging_is_symmetric(value, u95):
    """Mirrored values and limits get the same verdict under every rule."""
    for rule in Rule:
        here = judge(reading(value, u95), -1.0, 2.0, rule).verdict
        assert judge(reading(-value, u95), -2.0, 1.0, rule).verdict is here


def test_units_and_rules_are_checked():
    """Volts are not judged by percent, and an unknown rule is named with those that exist."""
    limit = Limit(-1.0, 1.0, "%", "S", "2003", "T", "nrc")

    with pytest.raises(SetupError, match="'V' cannot be judged"):
        judge_limit(Reading(0.0, "V", 0.1), limit, "simple")
    with pytest.raises(SetupError, match="guarded"):
        judge(reading(0.0), -1.0, 1.0, "lenient")
    with pytest.raises(ValueError, match="outside"):
        judge(reading(0.0), 1.0, -1.0, "simple")
    assert judge_limit(reading(0.5), limit, "simple").verdict is Verdict.PASS
