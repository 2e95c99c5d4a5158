"""The decision rules by name, and how a certificate states them: what the rule does and what risk it leaves.

Ref: ISO/IEC 17025:2017, 7.8.6 (the rule and its risk are agreed and stated); ILAC-G8:09/2019, 4.2; JCGM 106:2012,
8 and 9; ANSI/NCSL Z540.3-2006, 5.3 b), and its handbook for method 6 [NRC].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hil.errors import SetupError

METHOD_6_RISK = 0.02  # ANSI/NCSL Z540.3-2006, 5.3 b)


class Rule(StrEnum):
    """The decision rules a plan may name."""

    SIMPLE = "simple"
    GUARDED = "guarded"
    NON_BINARY = "ilac-g8-non-binary"
    METHOD_6 = "z540.3-method-6"
    SPECIFIC_RISK = "specific-risk"
    GLOBAL_RISK = "global-risk"


NEEDS_TARGET = frozenset({Rule.SPECIFIC_RISK, Rule.GLOBAL_RISK})


@dataclass(frozen=True, slots=True)
class RuleText:
    """One sentence what the rule does, one what risk it leaves, the clause, and a short name to put in brackets."""

    rule_text: str
    risk_text: str
    clause: str
    short: str


def rule_of(name: str) -> Rule:
    """Return the rule of that name; raises SetupError naming those that exist."""
    try:
        return Rule(name)
    except ValueError:
        raise SetupError(f"unknown decision rule {name!r}", f"use one of {', '.join(Rule)}") from None


def describe(rule: Rule | str, *, target_risk: float | None = None) -> RuleText:
    """Return how a certificate states a rule; raises SetupError for a rule that lacks its target."""
    rule = rule_of(rule)
    if rule in NEEDS_TARGET:
        target = percent(needed_target(rule, target_risk))
        return RuleText(*(part.format(target=target) for part in _TEXTS[rule]))
    return RuleText(*_TEXTS[rule])


def needed_target(rule: Rule, target_risk: float | None) -> float:
    """Return the target of a rule that has one; raises SetupError where it was not given."""
    if target_risk is None:
        raise SetupError(f"the decision rule {rule.value!r} needs a target_risk", "such as 0.02")
    return target_risk


def percent(probability: float) -> str:
    """Return a probability as a person writes it: 2 %."""
    return f"{100.0 * probability:.6g} %"


_TEXTS: dict[Rule, tuple[str, str, str, str]] = {
    Rule.SIMPLE: (
        "Simple acceptance: a value inside its limit or on it passes, any other fails; the guard band is w = 0, and "
        "the expanded uncertainty U is stated but not subtracted from the limit.",
        "For a value on its limit the probability that the true value lies beyond it is up to 50 %; it is below 2.5 % "
        "where the value lies inside by U or more.",
        "ILAC-G8:09/2019, 4.2.1",
        "ILAC-G8 simple acceptance",
    ),
    Rule.GUARDED: (
        "Guarded acceptance: a value passes only where it lies inside its limit by the guard band w = U (95 %) or "
        "more, and fails otherwise.",
        "The probability that a passed item is in truth beyond a limit is below 2.5 %.",
        "ILAC-G8:09/2019, 4.2.2",
        "ILAC-G8 guarded acceptance, w = U",
    ),
    Rule.NON_BINARY: (
        "Non-binary statement with guard band w = U (95 %): inside the limit by U or more is a pass, inside by less a "
        "conditional pass, outside by no more than U a conditional fail, outside by more a fail.",
        "The probability of a wrong statement is below 2.5 % for a pass and for a fail, and up to 50 % for a "
        "conditional pass and a conditional fail.",
        "ILAC-G8:09/2019, 4.2.3",
        "ILAC-G8 non-binary, w = U",
    ),
    Rule.METHOD_6: (
        "Managed guard band: a value is accepted inside A = T - M U with M = 1.04 - exp(0.38 ln TUR - 0.54), never "
        "below 0, and k = 2 or more; a limit with one side has no TUR, and its guard band is the one at which the "
        "specific risk is 2 %.",
        "The probability that an item is outside its limits and yet accepted is at most 2 %, whatever share of the "
        "items conforms.",
        "ANSI/NCSL Z540.3-2006, 5.3 b), handbook method 6",
        "ANSI/NCSL Z540.3 method 6, PFA <= 2 %",
    ),
    Rule.SPECIFIC_RISK: (
        "A value is accepted where, given its uncertainty, the probability that the true value lies outside the limits "
        "is at most {target}, and rejected otherwise.",
        "The specific consumer's risk of each accepted value is at most {target}.",
        "JCGM 106:2012, 8.3 and 9.3",
        "JCGM 106 specific risk <= {target}",
    ),
    Rule.GLOBAL_RISK: (
        "A value is accepted inside a guard band chosen so that, for the plan's prior distribution of the true values, "
        "an item is outside its limits and yet accepted with a probability of at most {target}.",
        "The global consumer's risk is at most {target} for items that follow the plan's prior; a single accepted "
        "value may have a larger one, which is stated beside it.",
        "JCGM 106:2012, 9.5",
        "JCGM 106 global risk <= {target}",
    ),
}
