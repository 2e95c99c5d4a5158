"""Where a result stands in Allure, how grave it is, whose fault, where it leads: from the requirement it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import md5
from uuid import UUID, uuid5

from allure_commons.model2 import Link, Status

from hil.journal.events import Finding, RunStarted, Waiver
from hil.journal.summary import RequirementSummary
from hil.metrology.decision import Verdict

SPACE = UUID("6f1c1c52-8d0a-5f2e-9a3b-0d6f3c1b7e55")  # ours; with it uuid5 makes names that nobody else makes
# `failed` is the unit's, `broken` the station's: a broken station never counts as a failed unit (Allure's own words)
STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.CONDITIONAL_PASS: Status.PASSED,
    Verdict.CONDITIONAL_FAIL: Status.FAILED,
    Verdict.FAIL: Status.FAILED,
    Verdict.NOT_COVERED: Status.SKIPPED,
    Verdict.REFUSED: Status.SKIPPED,
    Verdict.WAIVED: Status.SKIPPED,
    Verdict.ABORTED: Status.BROKEN,
}
# by blame, then by what else can be the reason; the first that fits. A message begins with its reason's kind, and the
# expressions mean the same to Java (Allure 2: the whole message) and to JavaScript (Allure 3: anywhere in it)
CATEGORIES = (
    {"name": "Unit: out of limits or not as it must be", "matchedStatuses": ["failed"]},
    {"name": "Bench: test the unit again", "matchedStatuses": ["broken"], "messageRegex": r"^bench[\s\S]*"},
    {"name": "Set-up: mend it, then test", "matchedStatuses": ["broken"], "messageRegex": r"^setup[\s\S]*"},
    {"name": "Required and not measured", "matchedStatuses": ["broken"], "messageRegex": r"^not measured[\s\S]*"},
    {"name": "Refused: without sense after another failure", "messageRegex": r"^refused[\s\S]*"},
    {"name": "Waived", "matchedStatuses": ["skipped"], "messageRegex": r"^waived[\s\S]*"},
    {"name": "Not due at this stage", "matchedStatuses": ["skipped"], "messageRegex": r"^[\s\S]*not required[\s\S]*"},
    {"name": "Not covered", "matchedStatuses": ["skipped"]},
)
GRADES = ("blocker", "critical", "normal", "minor", "trivial")
# of what is required; anything else required is normal. What may hurt a person now or keeps the unit from being
# switched on stops all that follows; an interlock that fails hurts later, in the field
_GRAVE = {"electrical safety": "blocker", "before power": "blocker", "interlocks": "critical"}
_CERTIFICATE = "../certificate.html"


def severity(known: Sequence[RequirementSummary]) -> str:
    """Return the severity of a result: that of the gravest requirement it answers."""
    found = ["minor" if not one.required else _GRAVE.get(one.area, "normal") for one in known]
    return min(found, key=GRADES.index, default="trivial")


def suites(known: Sequence[RequirementSummary], areas: Sequence[str]) -> list[tuple[str, str]]:
    """Return the labels of the suite (the area, numbered in the plan's order) and of one sub-suite a requirement."""
    if not known:
        return [("suite", f"{len(areas) + 1:02} no requirement of the plan")]
    number = areas.index(known[0].area) + 1
    return [("suite", f"{number:02} {known[0].area}"), *(("subSuite", _title(one)) for one in known)]


def stories(known: Sequence[RequirementSummary]) -> list[tuple[str, str]]:
    """Return the labels of behaviours: the area, and each requirement."""
    return [("feature", known[0].area if known else "other"), *(("story", _title(one)) for one in known)]


def links(known: Sequence[RequirementSummary], found: Iterable[Finding | Waiver]) -> list[Link]:
    """Return links into the certificate beside the report: to each requirement, and to the findings and waivers."""
    to = [Link(type="tms", url=f"{_CERTIFICATE}#{one.id}", name=_title(one)) for one in known]
    named = dict.fromkeys(one.finding or one.requirement for one in found)
    return to + [Link(type="issue", url=f"{_CERTIFICATE}#remarks", name=f"finding {one}") for one in named]


def identity(facts: RunStarted, key: str, parameters: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the history id and the test case id of a test, named by key, of a board's revision.

    Allure 3 takes the test case id and makes the history id itself, of it and the parameters; ours is made the same
    way, so that the history that hil.reports.allure_history writes is found again.
    """
    case = str(uuid5(SPACE, f"{facts.board} {facts.revision} {key.partition('[')[0]}"))
    told = ",".join(f"{name}:{value}" for name, value in sorted(parameters))
    return f"{_md5(case)}.{_md5(told)}", case


def _title(one: RequirementSummary) -> str:
    return f"{one.id} {one.title}"


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
