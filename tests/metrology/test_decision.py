"""Decision rules: each zone, each boundary, and when judging is refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import SetupError
from hil.metrology.decision import Refusal, RiskKind, Rule, Verdict, judge, judge_limit, tur
from hil.metrology.limits import Limit
from hil.metrology.reading import NotANumber, Reading
from hil.metrology.risks import (
    Prior,
    conformance_probability,
    global_risks,
    method_6_multiplier,
    nonconformance_probability,
)
from hil.metrology.rules import describe

K_INF = 1.959963984540054  # Student's t for 95 % at infinite degrees of freedom
U = 0.2  # expanded, so u is U / k
OF_ILAC_G8 = (Rule.SIMPLE, Rule.GUARDED, Rule.NON_BINARY)
GIVEN = {"target_risk": 0.02, "prior": Prior(0.0, 0.5)}  # what some rules need, and the others do not mind


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
    verdicts = {rule: judge(reading(value), -1.0, 1.0, rule).verdict for rule in OF_ILAC_G8}

    assert verdicts == {Rule.SIMPLE: simple, Rule.GUARDED: guarded, Rule.NON_BINARY: non_binary}


@pytest.mark.parametrize(("low", "high", "good", "bad"), [(None, 10.0, -1e9, 11.0), (5.0, None, 1e9, 4.0)])
@pytest.mark.parametrize("rule", list(Rule))
def test_a_limit_may_have_one_side(low, high, good, bad, rule):
    """Only the side that exists is compared; there is no width, so a minimum TUR refuses nothing."""
    assert judge(Reading(good, "ms", 0.1), low, high, rule, 99.0, **GIVEN).verdict is Verdict.PASS
    assert judge(Reading(bad, "ms", 0.1), low, high, rule, 99.0, **GIVEN).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("low", "high", "given"),
    [
        (math.nan, 1.0, {}),
        (-1.0, math.nan, {}),
        (-math.inf, math.inf, {}),  # no limit at all, which must not pass
        (-1.0, 1.0, {"expanded_u": math.nan}),
        (-1.0, 1.0, {"expanded_u": -0.5}),
        (-1.0, 1.0, {"expanded_u": 0.0}),  # while u says otherwise
        (-1.0, 1.0, {"min_tur": math.nan}),
    ],
)
@pytest.mark.parametrize("rule", list(Rule))
def test_what_compares_with_nothing_is_no_verdict(low, high, given, rule):
    """NaN is neither inside nor outside: it is refused by name, and nothing passes or fails by it."""
    with pytest.raises(NotANumber):
        judge(Reading(0.0, "%", 0.1), low, high, rule, **given, **GIVEN)


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


values = st.floats(-9.0, 9.0)
expanded = st.floats(1e-6, 2.0)


@settings(deadline=None)
@given(values, expanded)
def test_the_rules_agree_where_they_must(value, u95):
    """Guarded pass implies simple pass; non-binary refines simple; binary words never mix with conditional ones."""
    simple, guarded, non_binary = (judge(reading(value, u95), -5.0, 5.0, rule).verdict for rule in OF_ILAC_G8)

    assert simple in {Verdict.PASS, Verdict.FAIL}
    assert guarded is Verdict.FAIL or simple is Verdict.PASS
    assert (non_binary in {Verdict.PASS, Verdict.CONDITIONAL_PASS}) == (simple is Verdict.PASS)
    assert (non_binary is Verdict.PASS) == (guarded is Verdict.PASS)


@settings(deadline=None)
@given(values, expanded)
def test_judging_is_symmetric(value, u95):
    """Mirrored values and limits get the same verdict under every rule."""
    for rule in Rule:
        if rule is not Rule.GLOBAL_RISK:  # its integrals are tested one by one: they take a while
            here = judge(reading(value, u95), -1.0, 2.0, rule, target_risk=0.02)
            there = judge(reading(-value, u95), -2.0, 1.0, rule, target_risk=0.02)
            assert (there.verdict, there.refusal) == (here.verdict, here.refusal)
            assert there.risk == pytest.approx(here.risk)


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


REFUSALS = [
    (Refusal.NO_UNCERTAINTY, Reading(0.0, "%"), {"rule": "ilac-g8-non-binary"}),
    (Refusal.TUR_TOO_LOW, reading(0.0, 0.7), {"rule": "z540.3-method-6", "min_tur": 1.5}),
    (Refusal.ZONE_EMPTY, reading(0.0, 1.01), {"rule": "guarded"}),
    (Refusal.ZONE_EMPTY, reading(0.0, 1.01), {"rule": "ilac-g8-non-binary"}),
    (Refusal.ZONE_EMPTY, reading(0.0, 1.01), {"rule": "specific-risk", "target_risk": 0.02}),
    (Refusal.NO_PRIOR, reading(0.0), {"rule": "global-risk", "target_risk": 0.02}),
]


@pytest.mark.parametrize(("refusal", "read", "asked"), REFUSALS)
def test_each_refusal_is_a_verdict_with_a_reason_of_its_own(refusal, read, asked):
    """The same for a value far outside: what cannot be judged is never failed."""
    for value in (read.value, 99.0):
        judged = judge(Reading(value, "%", read.u), -1.0, 1.0, **asked)
        assert (judged.verdict, judged.refusal) == (Verdict.REFUSED, refusal)
        assert judged.reason
        assert judged.risk is None
        assert judged.to_dict()["refusal"] == refusal.value


def test_an_acceptance_zone_of_one_point_is_not_empty():
    """A_L = A_U accepts that value; U a little larger leaves nothing."""
    assert judge(reading(0.0, 1.0), -1.0, 1.0, "guarded").verdict is Verdict.PASS
    assert judge(reading(0.1, 1.0), -1.0, 1.0, "guarded").verdict is Verdict.FAIL
    assert judge(reading(0.0, 1.0 + 1e-6), -1.0, 1.0, "guarded").refusal is Refusal.ZONE_EMPTY
    assert judge(reading(0.5, 0.01), 0.5, 0.5, "z540.3-method-6").refusal is Refusal.ZONE_EMPTY


def test_a_judgement_says_what_it_was_decided_by():
    """U and k, acceptance limits, guard band, TUR and the risk, as the journal records them; no key without value."""
    judged = judge(reading(0.9), -1.0, 1.0, "ilac-g8-non-binary", 1.5)

    assert judged.to_dict() == {
        "expanded_u": pytest.approx(U),
        "k": pytest.approx(K_INF),
        "acceptance_low": pytest.approx(-0.8),
        "acceptance_high": pytest.approx(0.8),
        "guard_band": pytest.approx(U),
        "tur": pytest.approx(5.0),
        "risk": pytest.approx(nonconformance_probability(0.9, U / K_INF, (-1.0, 1.0))),
        "risk_kind": "specific consumer",
    }
    one_sided = judge(Reading(4.0, "ms", 0.1, 3.0), None, 5.0, "guarded").to_dict()
    assert "tur" not in one_sided
    assert "acceptance_low" not in one_sided
    assert one_sided["k"] == pytest.approx(3.182, abs=1e-3)  # Student's t, 3 degrees of freedom
    assert judge(Reading(1.0, "yes", 0.0), 1.0, 1.0, "guarded", 1.5).to_dict() == {}


@pytest.mark.parametrize(
    ("value", "kind", "most"),
    [
        (0.8, RiskKind.CONSUMER, 0.025),  # on the acceptance limit, ILAC-G8 4.2.3: pass
        (1.0, RiskKind.CONSUMER, 0.5),  # conditional pass
        (1.0 + 1e-6, RiskKind.PRODUCER, 0.5),  # conditional fail
        (1.2 + 1e-6, RiskKind.PRODUCER, 0.025),  # fail
    ],
)
def test_the_risk_is_that_of_the_statement_made(value, kind, most):
    """ILAC-G8:09/2019, table 1: at the worst place of each zone."""
    judged = judge(reading(value), -1.0, 1.0, "ilac-g8-non-binary")

    assert judged.risk_kind is kind
    assert judged.risk == pytest.approx(most, rel=1e-4)


def test_few_degrees_of_freedom_raise_the_risk():
    """Student's t, not the normal distribution: 0.9 with u 0.05 and two degrees of freedom."""
    judged = judge(Reading(0.9, "%", 0.05, 2.0), None, 1.0, "simple")

    assert judged.risk == pytest.approx(0.0918, abs=1e-4)  # P(t > 2), 2 dof: (1 - 2 / sqrt(6)) / 2


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0, 10.0])
def test_method_6_accepts_inside_its_managed_limit(ratio):
    """A = T - U M, with U of at least k = 2: the formula was made for that (facts, 6.3)."""
    u = 1.0 / (2.0 * ratio)
    judged = judge(Reading(0.0, "%", u), -1.0, 1.0, "z540.3-method-6")
    on, beyond = (judge(Reading(v, "%", u), -1.0, 1.0, "z540.3-method-6") for v in (judged.acceptance_high, 1.0 + 1e-6))

    assert judged.acceptance_high == pytest.approx(1.0 - 2.0 * u * method_6_multiplier(ratio))
    assert (on.verdict, beyond.verdict) == (Verdict.PASS, Verdict.FAIL)


def test_method_6_has_the_specific_risk_of_two_percent_where_a_limit_has_one_side():
    """There is no TUR to manage; 2.054 u is the normal quantile of 2 %."""
    judged = judge(Reading(0.7946, "%", 0.1), None, 1.0, "z540.3-method-6")

    assert judged.guard_band == pytest.approx(0.2054, abs=1e-4)
    assert judged.verdict is Verdict.PASS
    assert judged.risk == pytest.approx(0.02, abs=1e-4)


def test_the_rules_with_a_target_meet_it():
    """The specific risk on the acceptance limit, and the global risk of the population, are the target."""
    specific = judge(reading(0.5), -1.0, 1.0, "specific-risk", target_risk=0.01)
    assert specific.acceptance_high is not None
    on_limit = judge(reading(specific.acceptance_high), -1.0, 1.0, "specific-risk", target_risk=0.01)
    assert on_limit.risk == pytest.approx(0.01)
    assert on_limit.verdict is Verdict.PASS

    u, prior = 0.25, Prior(0.2, 0.6)
    judged = judge(Reading(0.0, "%", u), -1.0, 1.0, "global-risk", target_risk=0.01, prior=prior)
    accepted = (judged.acceptance_low, judged.acceptance_high)
    assert global_risks(prior, u, (-1.0, 1.0), accepted).consumer == pytest.approx(0.01)


@pytest.mark.parametrize("rule", ["specific-risk", "global-risk"])
def test_a_rule_with_a_target_needs_one(rule):
    """Without it there is nothing to decide by, and nothing to state."""
    with pytest.raises(SetupError, match="needs a target_risk"):
        judge(reading(0.0), -1.0, 1.0, rule)
    with pytest.raises(SetupError, match="needs a target_risk"):
        describe(rule)


def test_every_rule_can_be_stated_on_a_certificate():
    """ISO/IEC 17025:2017, 7.8.6: one sentence for the rule and one for the risk, and where it is written."""
    for rule in Rule:
        said = describe(rule, target_risk=0.025)
        for sentence in (said.rule_text, said.risk_text):
            assert sentence.endswith(".")
            assert ". " not in sentence
            assert "{" not in sentence
        assert said.clause.startswith(("ILAC-G8:09/2019, 4.2.", "ANSI/NCSL Z540.3", "JCGM 106:2012"))
    assert "at most 2.5 %" in describe("global-risk", target_risk=0.025).risk_text
    assert describe("z540.3-method-6").short == "ANSI/NCSL Z540.3 method 6, PFA <= 2 %"


QUICK = [rule for rule in Rule if rule is not Rule.GLOBAL_RISK]
RANK = {Verdict.PASS: 0, Verdict.CONDITIONAL_PASS: 1, Verdict.CONDITIONAL_FAIL: 2, Verdict.FAIL: 3}


@settings(deadline=None)
@given(values, values, expanded)
def test_nearer_to_the_middle_is_never_worse(one, other, u95):
    """Verdicts are monotonic in the distance from the middle of the limits."""
    near, far = sorted((abs(one), abs(other)))
    for rule in QUICK:
        better, worse = (judge(reading(v, u95), -5.0, 5.0, rule, target_risk=0.02).verdict for v in (near, far))
        assert RANK[better] <= RANK[worse]


@settings(deadline=None)
@given(values, expanded, st.floats(1.0, 9.0), st.sampled_from([0.0, 1.5]), st.sampled_from([None, -2.0]))
def test_a_larger_uncertainty_never_makes_a_value_acceptable(value, u95, times, min_tur, low):
    """What is a pass, or accepted, at a larger U is at a smaller one; and no U turns a refusal into a fail."""
    for rule in QUICK:
        sure, unsure = (judge(reading(value, u), low, 2.0, rule, min_tur, target_risk=0.02) for u in (u95, u95 * times))
        for words in ({Verdict.PASS}, {Verdict.PASS, Verdict.CONDITIONAL_PASS}):
            assert unsure.verdict not in words or sure.verdict in words
        for judged in (sure, unsure):
            assert (judged.verdict is Verdict.REFUSED) == (judged.refusal is not None)
            if judged.risk_kind is RiskKind.CONSUMER and (min_tur or low is None):
                assert judged.risk <= 0.5 + 1e-6  # with limits narrower than U both sides may add up to more
        if sure.risk_kind is unsure.risk_kind is RiskKind.CONSUMER:
            assert unsure.risk >= sure.risk - 1e-12


@settings(deadline=None, max_examples=50)
@given(values, expanded)
def test_a_rejected_value_has_the_producers_risk(value, u95):
    """The probability that the true value is inside after all; of an accepted one, that it is outside."""
    for rule in QUICK:
        judged = judge(reading(value, u95), -5.0, 5.0, rule, target_risk=0.02)
        of = nonconformance_probability if judged.verdict in {"pass", "conditional_pass"} else conformance_probability
        assert judged.risk == of(value, u95 / K_INF, (-5.0, 5.0))
