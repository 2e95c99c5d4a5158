"""The whole review: every finding of the facts, none else, each with its weight; the same document, the same review."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.review.finding import CannotJudge, Certainty, Evidence, Finding, Severity
from hil.review.parse import read
from hil.review.review import Review, review
from hil.review.rule import Rule, all_rules, rule

FIXTURE = Path(__file__).with_name("smart_power.md")
# From the table of the board's facts: rule, severity, and what the mark says to be certain (D: nothing).
_TABLE = """
01 blocker C     02 blocker C     03 high C        04 high C        05 high rule     06 high rule     07 med rule
08 info C        09 high C        10 med C         11 high C        12 med C         13 none C        14 med C
15 med C         16 high C        17 high C        18 high count    19 high C        20 critical chart
21 critical chart                 22 med C         23 critical C    24 high C        25 high D        26 high list
27 med list      28 med C         29 high D        30 high D        31 med list      32 med list      33 info C
34 med D         35 med D         36 med D         37 med C         38 info list
"""
EXPECTED = {f"DR-{number}": (weight, mark) for number, weight, mark in zip(*[iter(_TABLE.split())] * 3, strict=True)}


@pytest.fixture(scope="module")
def reviewed() -> Review:
    return review(read(FIXTURE))


def test_every_finding_of_the_facts_is_there_once_and_no_other(reviewed):
    """38 rules, 38 findings, each with the severity of the facts."""
    assert [one.rule for one in reviewed.findings] == list(EXPECTED)
    assert {one.rule: one.severity.value for one in reviewed.findings} == {
        number: weight for number, (weight, _) in EXPECTED.items()
    }


def test_what_the_facts_call_certain_is_certain_and_what_depends_says_so(reviewed):
    """ "C rule, D board" and its like are certain with a condition."""
    for one in reviewed.findings:
        mark = EXPECTED[one.rule][1]
        assert one.certainty is (Certainty.DEPENDS if mark == "D" else Certainty.CERTAIN), one.rule
        assert one.condition or mark not in {"rule", "count", "chart", "list"}, one.rule


def test_every_finding_has_evidence_and_a_remedy(reviewed):
    """Evidence with its source."""
    for one in reviewed.findings:
        assert one.title
        assert one.remedy
        assert one.evidence
        assert all(piece.text and piece.source for piece in one.evidence), one.rule


def test_nothing_was_left_unjudged_and_every_rule_was_asked(reviewed):
    """The fixture says enough for all of them."""
    assert reviewed.not_judged == ()
    assert [applied.rule for applied in reviewed.rules] == list(EXPECTED)
    assert all(applied.found == 1 for applied in reviewed.rules)


def test_the_same_document_gives_the_same_review(reviewed):
    """And names it by its digest."""
    assert review(read(FIXTURE)) == reviewed
    assert len(reviewed.sha256) == 64


def test_no_statement_of_a_rule_speaks_of_one_board():
    """Neither of its pins nor of its parts nor of its nets."""
    for one in all_rules():
        assert one.statement.endswith(".")
        assert not any(word in one.statement for word in ("GPIO0", "GPIO4", "IC1", "J44", "5V_", "ESP32-S3", "Smart"))


def test_a_rule_id_is_taken_once():
    """Two rules under one id would be a mistake of ours."""
    with pytest.raises(ValueError, match="DR-01 is registered twice"):
        rule("DR-01", "again")(lambda board: iter(()))


def test_what_a_rule_found_before_it_could_not_go_on_stands(monkeypatch):
    """Findings and the reason are both kept."""
    finding = Finding("DR-99", "x", Severity.MED, Certainty.CERTAIN, (Evidence("a", "line 1"),), "y")

    def judge(board):
        yield finding
        raise CannotJudge("no more is said")

    monkeypatch.setattr("hil.review.review.all_rules", lambda: (Rule("DR-99", "Statement.", judge),))
    done = review(read(FIXTURE))

    assert done.findings == (finding,)
    assert [(applied.found, applied.cannot) for applied in done.not_judged] == [(1, "no more is said")]
