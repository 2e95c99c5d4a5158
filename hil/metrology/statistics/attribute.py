"""Attribute agreement: do those who say good or bad agree, with the truth and with each other?

For golden good and seeded-fault boards through every station, and for checks by eye or ear.
Limits: effectiveness 90 % and 80 %, misses 2 % and 5 %, false alarms 5 % and 10 % (acceptable, marginal).
Ref: AIAG MSA, 4th edition, chapter III section C
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from hil.metrology.statistics.data import BadData

GOOD_KAPPA, POOR_KAPPA = 0.75, 0.40  # AIAG MSA-4 [A: from general knowledge, the manual was not at hand]


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """One appraiser's decisions against the truth, as shares 0 .. 1; a share without opportunities is None."""

    effectiveness: float
    miss_rate: float | None
    false_alarm_rate: float | None

    @property
    def verdict(self) -> str:
        """Return "acceptable", "marginal" or "unacceptable": the worst of the three."""
        worst = max(
            _grade(1.0 - self.effectiveness, 0.10, 0.20),
            _grade(self.miss_rate, 0.02, 0.05),
            _grade(self.false_alarm_rate, 0.05, 0.10),
        )
        return ("acceptable", "marginal", "unacceptable")[worst]


def effectiveness(called_good: Sequence[bool], is_good: Sequence[bool]) -> Effectiveness:
    """Compare decisions with the truth, one pair a decision: bad called good is a miss. Raises BadData."""
    _check_pairs(called_good, is_good)
    pairs = list(zip(called_good, is_good, strict=True))
    good = [called for called, truth in pairs if truth]
    bad = [called for called, truth in pairs if not truth]
    return Effectiveness(
        sum(bool(called) == bool(truth) for called, truth in pairs) / len(pairs),
        sum(map(bool, bad)) / len(bad) if bad else None,
        sum(not called for called in good) / len(good) if good else None,
    )


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Return kappa of two appraisers' ratings of the same things: 1 agrees, 0 is chance. Raises BadData."""
    _check_pairs(first, second)
    n = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    labels = set(first) | set(second)
    by_chance = sum(list(first).count(one) * list(second).count(one) for one in labels) / n**2
    return _kappa(agreed, by_chance)


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float:
    """Return kappa of many appraisers: a row a thing, a column a category, how many chose it. Raises BadData."""
    raters = sum(counts[0]) if counts else 0
    if raters < 2 or any(sum(row) != raters or min(row) < 0 or len(row) != len(counts[0]) for row in counts):
        raise BadData("the things have not all as many ratings", "give each thing the same number, two or more")
    agreed = sum(sum(c * (c - 1) for c in row) for row in counts) / (len(counts) * raters * (raters - 1))
    by_chance = sum((sum(column) / (len(counts) * raters)) ** 2 for column in zip(*counts, strict=True))
    return _kappa(agreed, by_chance)


def kappa_in_words(kappa: float) -> str:
    """Return "good", "moderate" or "poor" agreement."""
    return "good" if kappa >= GOOD_KAPPA else "poor" if kappa < POOR_KAPPA else "moderate"


def _kappa(agreed: float, by_chance: float) -> float:
    if by_chance >= 1.0:
        raise BadData("everything was put into one category", "kappa needs good and bad things in the study")
    return (agreed - by_chance) / (1.0 - by_chance)


def _grade(share: float | None, acceptable: float, marginal: float) -> int:
    if share is None:
        return 0
    return (share > acceptable + 1e-9) + (share > marginal + 1e-9)


def _check_pairs(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second) or not first:
        raise BadData(f"{len(first)} decisions beside {len(second)}", "give one of each for every thing judged")
