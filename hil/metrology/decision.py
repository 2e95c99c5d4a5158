"""Decision rules: from a reading, its uncertainty and a limit to a verdict.

Ref: ILAC-G8:09/2019, 4.2.1 (simple acceptance), 4.2.2 (guard band w = U, binary), 4.2.3 (guard band w = U, non-binary);
JCGM 106:2012 for the words; ISO/IEC 17025:2017, 7.8.6: the rule must be agreed and stated beside the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from hil.errors import OutOfRange, SetupError
from hil.metrology.limits import TOLERANCE, Limit
from hil.metrology.reading import Reading


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


class Rule(StrEnum):
    """The decision rules a plan may name."""

    SIMPLE = "simple"
    GUARDED = "guarded"
    NON_BINARY = "ilac-g8-non-binary"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and, where it is not a plain pass, the reason in one clause."""

    verdict: Verdict
    reason: str = ""


def tur(low: float, high: float, expanded_u: float) -> float:
    """Return the test uncertainty ratio (high - low) / (2 U95) of ANSI/NCSL Z540.3; infinite for an exact reading."""
    return (high - low) / (2.0 * expanded_u) if expanded_u > 0.0 else math.inf


def judge(
    reading: Reading,
    low: float | None,
    high: float | None,
    rule: Rule | str = Rule.NON_BINARY,
    min_tur: float = 0.0,
    *,
    expanded_u: float | None = None,
) -> Judgement:
    """Judge a reading against low and/or high, in the reading's own unit, by a rule of ILAC-G8:09/2019, 4.2.

    expanded_u is U at 95 %, same unit; where it is not given it is made from the reading's u and dof (GUM, G.6.4).
    No limit: `not_covered`. No uncertainty, or a two-sided limit narrower than min_tur allows: `refused`, never `fail`;
    a limit with one side has no width, hence no TUR. Simple acceptance compares the value alone, but still asks for U
    where the plan asks for a min_tur. A value on its limit is inside.
    """
    rule = _rule(rule)
    if low is None and high is None:
        return Judgement(Verdict.NOT_COVERED, "no limit covers this point")
    if low is not None and high is not None and low > high:
        raise OutOfRange("lower limit", low, float("-inf"), high)
    u95 = expanded_u if expanded_u is not None else reading.expanded_u
    if u95 is None and (rule is not Rule.SIMPLE or min_tur > 0.0):
        return Judgement(Verdict.REFUSED, "the reading has no uncertainty, so it cannot be judged")
    if min_tur > 0.0 and low is not None and high is not None and u95 is not None:
        ratio = tur(low, high, u95)
        if ratio < min_tur * (1.0 - TOLERANCE):
            return Judgement(
                Verdict.REFUSED, f"TUR {ratio:.2f} is below the plan's minimum {min_tur:g}: U is too large"
            )
    guard = 0.0 if rule is Rule.SIMPLE or u95 is None else u95
    return _compare(reading.value, low, high, guard, rule)


def judge_limit(reading: Reading, limit: Limit | None, rule: Rule | str, min_tur: float = 0.0) -> Judgement:
    """Judge a reading against a table's limit; raises SetupError when their units differ."""
    if limit is None:
        return Judgement(Verdict.NOT_COVERED, "no limit covers this point")
    if limit.unit != reading.unit:
        raise SetupError(
            f"a reading in {reading.unit!r} cannot be judged by a limit in {limit.unit!r}", "mend the plan"
        )
    return judge(reading, limit.low, limit.high, rule, min_tur)


def _rule(rule: Rule | str) -> Rule:
    try:
        return Rule(rule)
    except ValueError:
        raise SetupError(f"unknown decision rule {rule!r}", f"use one of {', '.join(Rule)}") from None


def _compare(value: float, low: float | None, high: float | None, guard: float, rule: Rule) -> Judgement:
    """Compare by how far the value is inside its nearest limit; on the limit itself is inside (JCGM 106, 7.2)."""
    inside = [(value - low, low, "lower")] if low is not None else []
    if high is not None:
        inside.append((high - value, high, "upper"))
    margin, limit, side = min(inside, key=lambda one: one[0])
    slack = TOLERANCE * max(abs(value), abs(limit), guard)  # so that 0.1 + 0.2 is on a limit of 0.3, not beyond it
    if margin >= guard - slack:
        return Judgement(Verdict.PASS)
    if rule is Rule.NON_BINARY and margin >= -slack:
        return Judgement(Verdict.CONDITIONAL_PASS, f"inside the {side} limit by less than U")
    if rule is Rule.NON_BINARY and margin >= -guard - slack:
        return Judgement(Verdict.CONDITIONAL_FAIL, f"outside the {side} limit by no more than U")
    if rule is Rule.GUARDED and margin >= -slack:
        return Judgement(Verdict.FAIL, f"inside the {side} limit by less than the guard band U")
    return Judgement(Verdict.FAIL, f"outside the {side} limit")
