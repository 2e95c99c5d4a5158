"""A review: every rule asked about one board. Pure: the same document gives the same findings, in the same order."""

from __future__ import annotations

from dataclasses import dataclass

from hil.review.build import build
from hil.review.document import Document
from hil.review.finding import CannotJudge, Finding
from hil.review.rule import all_rules


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that was asked. `found`: how many findings it made. `cannot`: why it could not judge, else empty."""

    rule: str
    statement: str
    found: int
    cannot: str


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome for one document: its file name and SHA-256 (hex), findings in rule order, and every rule asked."""

    document: str
    sha256: str
    title: str
    findings: tuple[Finding, ...]
    rules: tuple[Applied, ...]

    @property
    def not_judged(self) -> tuple[Applied, ...]:
        """The rules that could not judge this document, or not all of it."""
        return tuple(applied for applied in self.rules if applied.cannot)


def review(document: Document) -> Review:
    """Ask every rule about the board of this document; findings come in rule order."""
    board = build(document)
    findings: list[Finding] = []
    applied: list[Applied] = []
    for rule in all_rules():
        found: list[Finding] = []
        cannot = ""
        try:
            found.extend(rule.judge(board))
        except CannotJudge as why:
            cannot = str(why)
        findings += found
        applied.append(Applied(rule.id, rule.statement, len(found), cannot))
    return Review(document.name, document.sha256, document.title, tuple(findings), tuple(applied))
