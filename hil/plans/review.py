"""The design review that a plan rests on: its findings, and what the plan makes of each. The file is `hil review`'s.

A plan names it by digest, so that nobody changes the findings beneath the plan: `[review] file, sha256, revisions`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.errors import SetupError

if TYPE_CHECKING:
    from hil.plans.plan import Plan

FORMAT = 1  # of the file
AGAIN = "make it again with 'hil review DOCUMENT.md --out FILE', and put its digest into the plan"


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """A finding, as much of it as a plan and a certificate need."""

    id: str
    severity: str
    certainty: str
    condition: str  # of what the certainty holds, where it is not the whole
    title: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DesignReview:
    """A board's review as it stands in its file, and the revisions of the board that it is about."""

    path: Path
    text: bytes
    revisions: tuple[str, ...]
    document: str
    document_sha256: str
    findings: tuple[ReviewFinding, ...]  # one rule may have several

    @property
    def sha256(self) -> str:
        """The digest of the file's bytes."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True)
class Touch:
    """A finding and a requirement that it touches; "" where it touches none of the plan's."""

    finding: ReviewFinding
    requirement: str


def read_review(folder: Path, table: Mapping[str, Any]) -> DesignReview:
    """Read the review that a plan's [review] names; raises SetupError when it is not the one of the digest."""
    path = folder / table["file"]
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SetupError(f"the review {path.name} cannot be read: {error.strerror}", AGAIN) from error
    digest = hashlib.sha256(text).hexdigest()
    if digest != table["sha256"]:
        raise SetupError(f"the review {path.name} has the digest {digest}, and the plan names another", AGAIN)
    try:
        data = json.loads(text)
        if data["review"] != FORMAT:
            raise SetupError(f"{path.name}: a review of format {data['review']!r}", f"this hil reads format {FORMAT}")
        findings = [
            ReviewFinding(*(str(row[key]) for key in ("id", "severity", "certainty", "condition", "title", "remedy")))
            for row in data["findings"]
        ]
        document = data["document"]
        return DesignReview(
            path=path,
            text=text,
            revisions=tuple(table["revisions"]),
            document=str(document["name"]),
            document_sha256=str(document["sha256"]),
            findings=tuple(findings),
        )
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise SetupError(f"{path.name} is no review of a board: {type(error).__name__} {error}", AGAIN) from error


def review_mistakes(plan: Plan) -> list[str]:
    """Return what the plan says of findings that its review does not have; a plan without a review says nothing."""
    if plan.review is None:
        return []
    known, name = {finding.id for finding in plan.review.findings}, plan.review.path.name
    said = [
        *((f"the waiver of {waiver.requirement}", waiver.finding) for waiver in plan.waivers),
        *((f"requirement {one.id}", finding) for one in plan.requirements.values() for finding in one.findings),
    ]
    wrong = [f"{who} names the finding {one!r}, which {name} does not have" for who, one in said if one not in known]
    unknown = [revision for revision in plan.review.revisions if revision not in plan.revisions]
    return wrong + [f"[review] names the revision {revision!r}, which the plan does not have" for revision in unknown]


def unreviewed_waivers(plan: Plan) -> list[str]:
    """Return the waivers that no review backs because the plan names none."""
    if plan.review is not None:
        return []
    return [
        f"the waiver of {waiver.requirement} names the finding {waiver.finding}, and the plan names no [review]"
        for waiver in plan.waivers
    ]


def touched(plan: Plan, revision: str) -> Iterator[Touch]:
    """Go through the findings about a revision, in the review's order, with each requirement that one touches."""
    if plan.review is None or revision not in plan.review.revisions:
        return
    for finding in plan.review.findings:
        requirements = [one.id for one in plan.requirements.values() if finding.id in one.findings]
        for requirement in requirements or [""]:
            yield Touch(finding, requirement)
