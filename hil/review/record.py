"""A review as a file: what a plan names by digest, and what scripts read. Same document and rules, same bytes."""

from __future__ import annotations

import json
from typing import Any

from hil.review.finding import Finding, Severity
from hil.review.review import Review
from hil.review.wording import sentence

FORMAT = 1


def worst_first(review: Review) -> tuple[Finding, ...]:
    """Return the findings as a reader wants them: by severity, then by rule. Traps that do not apply are left out."""
    found = (one for one in review.findings if one.severity is not Severity.NONE)
    return tuple(sorted(found, key=lambda one: (one.severity.rank, one.rule)))


def to_record(review: Review) -> dict[str, Any]:
    """Return the review as JSON can hold it: the document by digest, the findings worst first, what was not judged."""
    traps = [one for one in review.findings if one.severity is Severity.NONE]
    return {
        "review": FORMAT,
        "board": review.title,
        "document": {"name": review.document, "sha256": review.sha256},
        "findings": [_finding(one) for one in worst_first(review)],
        "does_not_apply": [_finding(one) for one in traps],
        "rules": [{"id": one.rule, "statement": one.statement, "not_judged": one.cannot} for one in review.rules],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "id": one.rule,
        "severity": one.severity.value,
        "certainty": one.certainty.value,
        "condition": one.condition,
        "title": one.title[:1].upper() + one.title[1:],
        "evidence": [{"text": piece.text, "source": piece.source} for piece in one.evidence],
        "remedy": sentence(one.remedy),
    }


def to_bytes(review: Review) -> bytes:
    """Return the file: UTF-8 JSON that a person can read and a version control can compare."""
    return (json.dumps(to_record(review), indent=1, ensure_ascii=False) + "\n").encode()
