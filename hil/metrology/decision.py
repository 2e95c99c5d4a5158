"""Decisions: from a reading, its uncertainty and a limit to a verdict, with the risk that it is wrong.

Ref: ILAC-G8:09/2019, 4.2.1 (simple acceptance), 4.2.2 (guard band w = U, binary), 4.2.3 (guard band w = U, non-binary);
JCGM 106:2012, 8 and 9, for acceptance intervals and risks; ANSI/NCSL Z540.3-2006, 5.3 b), method 6 of its handbook;
ISO/IEC 17025:2017, 7.8.6: the rule must be agreed and stated beside the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hil.errors import OutOfRange, SetupError
from hil.metrology.budget import coverage_factor
from hil.metrology.limits import TOLERANCE, Limit
from hil.metrology.reading import NotANumber, Reading
from hil.metrology.risks import (
    Interval,
    Prior,
    conformance_probability,
    guard_band_for_global_risk,
    guard_band_for_specific_risk,
    method_6_multiplier,
    nonconformance_probability,
    tur,
)
from hil.metrology.rules import METHOD_6_RISK, NEEDS_TARGET, Rule, describe, needed_target, rule_of

__all__ = ["Judgement", "Refusal", "RiskKind", "Rule", "Verdict", "describe", "judge", "judge_limit", "tur"]


class Verdict(StrEnum):
    """The words of the house, for a measurement, a test, a requirement or a run."""

    PASS = "pass"
    CONDITIONAL_PASS = "conditional_pass"
    CONDITIONAL_FAIL = "conditional_fail"
    FAIL = "fail"
    NOT_COVERED = "not_covered"
    REFUSED = "refused"
    WAIVED = "waived"
    ABORTED = "aborted"


class Refusal(StrEnum):
    """Why a reading is not judged. The verdict is `refused`, never `fail`: nothing is known against the unit."""

    NO_UNCERTAINTY = "no uncertainty"
    TUR_TOO_LOW = "TUR too low"
    ZONE_EMPTY = "acceptance zone empty"
    NO_PRIOR = "no prior"


class RiskKind(StrEnum):
    """Whose risk it is, of this very item (JCGM 106:2012, 9.3)."""

    CONSUMER = "specific consumer"
    PRODUCER = "specific producer"


METHOD_6_K = 2.0  # with k = 1.96 its largest risk of a false accept would be 2.01 %
ACCEPTED = frozenset({Verdict.PASS, Verdict.CONDITIONAL_PASS})
REJECTED = frozenset({Verdict.FAIL, Verdict.CONDITIONAL_FAIL})


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; where it is not a plain pass, the reason in one clause; and what it was decided by.

    U, acceptance limits and guard band are in the reading's unit. `risk` is the probability that the statement is
    wrong: for an accepted value, that the true value lies outside the limits, for a rejected one that it lies inside. A
    reading that is exact (u = 0) is only compared, and has none of these.
    """

    verdict: Verdict
    reason: str = ""
    expanded_u: float | None = None
    k: float | None = None
    acceptance_low: float | None = None
    acceptance_high: float | None = None
    guard_band: float | None = None
    tur: float | None = None
    risk: float | None = None
    risk_kind: RiskKind | None = None
    refusal: Refusal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what the journal records as `judgement`: what has a value, without verdict and reason."""
        figures = {
            "expanded_u": self.expanded_u,
            "k": self.k,
            "acceptance_low": self.acceptance_low,
            "acceptance_high": self.acceptance_high,
            "guard_band": self.guard_band,
            "tur": self.tur,
            "risk": self.risk,
            "risk_kind": self.risk_kind and self.risk_kind.value,
            "refusal": self.refusal and self.refusal.value,
        }
        return {name: value for name, value in figures.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a judgement builds on: the limits, u, U and its k, and the TUR where there is one."""

    tolerance: Interval
    reading: Reading
    u: float
    expanded_u: float
    k: float
    tur: float | None

    def refused(self, refusal: Refusal, reason: str) -> Judgement:
        return Judgement(Verdict.REFUSED, reason, expanded_u=self.expanded_u, k=self.k, tur=self.tur, refusal=refusal)


def judge(
    reading: Reading,
    low: float | None,
    high: float | None,
    rule: Rule | str = Rule.NON_BINARY,
    min_tur: float = 0.0,
    *,
    expanded_u: float | None = None,
    target_risk: float | None = None,
    prior: Prior | None = None,
) -> Judgement:
    """Judge a reading against low and/or high, in the reading's own unit, by a decision rule.

    expanded_u is U at 95 %, same unit; where it is not given it is made from the reading's u and dof (GUM, G.6.4).
    target_risk is for the two rules that have one, prior for `global-risk`; a specific risk is always that of the
    reading alone. No limit: `not_covered`. No uncertainty, a two-sided limit narrower than min_tur allows, an empty
    acceptance interval, no prior where the rule needs one: `refused`, never `fail`; a limit with one side has no width,
    hence no TUR. Simple acceptance compares the value alone, but still asks for U where there is a min_tur. A value on
    its limit is inside. Raises SetupError for an unknown rule or one without its target, OutOfRange for crossed limits,
    NotANumber for a limit (an open side is None), a U or a min_tur that no reading can be compared with.
    """
    rule = rule_of(rule)
    _check_numbers(reading, low, high, expanded_u, min_tur)
    if rule in NEEDS_TARGET:
        needed_target(rule, target_risk)
    if low is None and high is None:
        return Judgement(Verdict.NOT_COVERED, "no limit covers this point")
    if low is not None and high is not None and low > high:
        raise OutOfRange("lower limit", low, float("-inf"), high)
    known = _known(reading, (low, high), expanded_u)
    if known is None and (rule is not Rule.SIMPLE or min_tur > 0.0):
        why = "the reading has no uncertainty, so it cannot be judged"
        return Judgement(Verdict.REFUSED, why, refusal=Refusal.NO_UNCERTAINTY)
    if known is None or known.expanded_u == 0.0:
        return Judgement(*_compare(reading.value, (low, high), 0.0, rule))
    if known.tur is not None and known.tur < min_tur * (1.0 - TOLERANCE):
        why = f"TUR {known.tur:.2f} is below the plan's minimum {min_tur:g}: U is too large"
        return known.refused(Refusal.TUR_TOO_LOW, why)
    if rule is Rule.GLOBAL_RISK and prior is None:
        why = "the plan has no prior of what it measures, so there is no global risk"
        return known.refused(Refusal.NO_PRIOR, why)
    return _decide(known, rule, _guard_band(known, rule, target_risk, prior))


def judge_limit(reading: Reading, limit: Limit | None, rule: Rule | str, min_tur: float = 0.0) -> Judgement:
    """Judge a reading against a table's limit; raises SetupError when their units differ."""
    if limit is None:
        return Judgement(Verdict.NOT_COVERED, "no limit covers this point")
    if limit.unit != reading.unit:
        raise SetupError(
            f"a reading in {reading.unit!r} cannot be judged by a limit in {limit.unit!r}", "mend the plan"
        )
    return judge(reading, limit.low, limit.high, rule, min_tur)


def _check_numbers(
    reading: Reading, low: float | None, high: float | None, expanded_u: float | None, min_tur: float
) -> None:
    """Refuse what compares with nothing, NaN above all: the verdict would be an accident of the comparisons' order."""
    for what, limit in (("lower limit", low), ("upper limit", high)):
        if limit is not None and not math.isfinite(limit):
            raise NotANumber(what, limit, reading.unit)
    if math.isnan(min_tur):
        raise NotANumber("minimum TUR", min_tur, "")
    exact = expanded_u == 0.0 and not reading.u
    if expanded_u is not None and not exact and not 0.0 < expanded_u < math.inf:
        raise NotANumber("expanded uncertainty", expanded_u, reading.unit)


def _known(reading: Reading, tolerance: Interval, expanded_u: float | None) -> _Known | None:
    """Return what is known beside the value; None where nothing is."""
    if expanded_u is None and reading.u is None:
        return None
    if not (expanded_u or reading.u):
        return _Known(tolerance, reading, 0.0, 0.0, 0.0, None)
    if expanded_u is None:
        assert reading.u is not None
        u, k = reading.u, coverage_factor(reading.dof)
    else:
        u = reading.u or expanded_u / coverage_factor(reading.dof)
        k = expanded_u / u
    low, high = tolerance
    ratio = tur(low, high, k * u) if low is not None and high is not None else None
    return _Known(tolerance, reading, u, k * u if expanded_u is None else expanded_u, k, ratio)


def _guard_band(known: _Known, rule: Rule, target_risk: float | None, prior: Prior | None) -> float:
    """Return the rule's guard band, in the reading's unit."""
    if rule is Rule.SIMPLE:
        return 0.0
    if rule is Rule.METHOD_6 and known.tur is not None:
        widening = max(1.0, METHOD_6_K / known.k)
        return known.expanded_u * widening * method_6_multiplier(known.tur / widening)
    if rule in {Rule.METHOD_6, Rule.SPECIFIC_RISK}:
        target = METHOD_6_RISK if rule is Rule.METHOD_6 else needed_target(rule, target_risk)
        return guard_band_for_specific_risk(known.u, known.tolerance, target, known.reading.dof)
    if rule is Rule.GLOBAL_RISK:
        assert prior is not None
        return guard_band_for_global_risk(prior, known.u, known.tolerance, needed_target(rule, target_risk))
    return known.expanded_u


def _decide(known: _Known, rule: Rule, guard: float) -> Judgement:
    """Compare with the acceptance limits, unless they have crossed, and add the risk of the answer."""
    low, high = known.tolerance
    slack = TOLERANCE * max(abs(low or 0.0), abs(high or 0.0))
    if low is not None and high is not None and 2.0 * guard - (high - low) > slack:
        why = (
            f"the acceptance zone is empty: the guard band on each side is more than half of {high - low:g} wide limits"
        )
        return known.refused(Refusal.ZONE_EMPTY, why)
    verdict, reason = _compare(known.reading.value, known.tolerance, guard, rule)
    accepted = verdict in ACCEPTED
    probability = nonconformance_probability if accepted else conformance_probability
    return Judgement(
        verdict,
        reason,
        expanded_u=known.expanded_u,
        k=known.k,
        acceptance_low=None if low is None else low + guard,
        acceptance_high=None if high is None else high - guard,
        guard_band=guard,
        tur=known.tur,
        risk=probability(known.reading.value, known.u, known.tolerance, known.reading.dof),
        risk_kind=RiskKind.CONSUMER if accepted else RiskKind.PRODUCER,
    )


def _compare(value: float, tolerance: Interval, guard: float, rule: Rule) -> tuple[Verdict, str]:
    """Compare by how far the value is inside its nearest limit; on the limit itself is inside (JCGM 106, 7.2)."""
    low, high = tolerance
    inside = [(value - low, low, "lower")] if low is not None else []
    if high is not None:
        inside.append((high - value, high, "upper"))
    margin, limit, side = min(inside, key=lambda one: one[0])
    slack = TOLERANCE * max(abs(value), abs(limit), guard)  # so that 0.1 + 0.2 is on a limit of 0.3, not beyond it
    if margin >= guard - slack:
        return Verdict.PASS, ""
    if rule is Rule.NON_BINARY and margin >= -slack:
        return Verdict.CONDITIONAL_PASS, f"inside the {side} limit by less than U"
    if rule is Rule.NON_BINARY and margin >= -guard - slack:
        return Verdict.CONDITIONAL_FAIL, f"outside the {side} limit by no more than U"
    if margin >= -slack:
        return Verdict.FAIL, f"inside the {side} limit by less than the guard band" + (
            " U" if rule is Rule.GUARDED else ""
        )
    return Verdict.FAIL, f"outside the {side} limit"
