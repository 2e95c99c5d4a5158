"""What a design review says: a finding with its rule, its weight, how sure it is, on what evidence, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a finding matters, heaviest first. NONE: a known trap that was looked at and does not apply."""

    BLOCKER = "blocker"
    CRITICAL = "critical"
    HIGH = "high"
    MED = "med"
    INFO = "info"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the heaviest, counting up: sorts findings by weight."""
        return list(Severity).index(self)


class Certainty(Enum):
    """CERTAIN: follows from the document and cited public documents. DEPENDS: on a schematic or layout not seen."""

    CERTAIN = "certain"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: what it says, and where: 'line 34', or a public document and its clause."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of one rule on one board.

    `condition` says of what the certainty holds where it is not the whole: of the rule but not of this board, of the
    chart, of the list, of a count. Empty: of everything.
    """

    rule: str
    title: str
    severity: Severity
    certainty: Certainty
    evidence: tuple[Evidence, ...]
    remedy: str
    condition: str = ""


class CannotJudge(Exception):
    """A rule says why this document does not let it judge. Findings it yielded before stand."""
