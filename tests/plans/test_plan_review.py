"""The design review beneath a plan: pinned by digest, its findings named, a waiver of an unknown finding refused."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hil.journal.events import Finding, Note
from hil.plans.plan import Plan, PlanError, load_plan
from hil.plans.review import review_mistakes, touched, unreviewed_waivers
from hil.run.findings import on_record

PLAN = load_plan("smart-power")


def beside(tmp_path: Path, text: str, review: bytes | None = None) -> Plan:
    """Load a plan from a folder of its own, its review beside it."""
    assert PLAN.review is not None
    (tmp_path / "smart_power.toml").write_text(text)
    if review is None:
        shutil.copy(PLAN.review.path, tmp_path)
    else:
        (tmp_path / PLAN.review.path.name).write_bytes(review)
    return load_plan("smart-power", tmp_path)


def test_a_waiver_of_a_finding_that_the_review_does_not_have_is_refused(tmp_path: Path) -> None:
    """So is a requirement that names one; the same words with a finding of the review are accepted."""
    text = PLAN.text.decode()
    assert beside(tmp_path, text).waivers[0].finding == "DR-01"

    with pytest.raises(PlanError, match=r"the waiver of ETH-09 names the finding 'DR-99'"):
        beside(tmp_path, text.replace('finding = "DR-01"', 'finding = "DR-99"', 1))
    with pytest.raises(PlanError, match=r"requirement SAF-01 names the finding 'DR-77'"):
        beside(tmp_path, text.replace('findings = ["DR-26"]', 'findings = ["DR-77"]', 1))


def test_a_trap_that_does_not_apply_is_no_finding_to_waive(tmp_path: Path) -> None:
    """DR-13 was looked at and found harmless."""
    with pytest.raises(PlanError, match="DR-13"):
        beside(tmp_path, PLAN.text.decode().replace('finding = "DR-01"', 'finding = "DR-13"', 1))


def test_a_review_that_changed_beneath_the_plan_is_refused(tmp_path: Path) -> None:
    """One byte is enough; and so is a file that is not there."""
    assert PLAN.review is not None
    text = PLAN.text.decode()
    with pytest.raises(PlanError, match="and the plan names another"):
        beside(tmp_path, text, PLAN.review.text.replace(b"critical", b"critically", 1))
    (tmp_path / PLAN.review.path.name).unlink()
    (tmp_path / "smart_power.toml").write_text(text)
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan("smart-power", tmp_path)


@pytest.mark.parametrize(
    "garbage", [b"", b"{}", b"[]", b'{"review": 2}', b'{"review": 1, "findings": [{}]}', b"[" * 9999]
)
def test_a_file_that_is_no_review_is_refused_even_under_its_digest(tmp_path: Path, garbage: bytes) -> None:
    """The digest says that it is the same file, not that it is a good one."""
    import hashlib

    digest = hashlib.sha256(garbage).hexdigest()
    text = re.sub(r'(?m)^(file = "smart_power.review.json"\nsha256 = )"\w+"', rf'\1"{digest}"', PLAN.text.decode())
    with pytest.raises(PlanError, match=r"no review of a board|format"):
        beside(tmp_path, text, garbage)


@pytest.mark.parametrize(
    ("key", "value"), [("file", '"../x.json"'), ("sha256", '"abc"'), ("revisions", "[]"), ("revisions", '["Z"]')]
)
def test_the_table_names_a_file_beside_the_plan_a_digest_and_revisions(tmp_path: Path, key: str, value: str) -> None:
    """A path that leads elsewhere is a mistake of shape."""
    head, table, rest = re.split(r"(?m)(^\[review\]\n(?:\w.*\n)+)", PLAN.text.decode())
    with pytest.raises(PlanError, match=r"review|revision"):
        beside(tmp_path, head + re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", table) + rest)


def test_a_plan_without_a_review_names_the_waivers_that_nothing_backs(tmp_path: Path) -> None:
    """Loading it is no mistake; `hil plan check` tells."""
    plan = replace(PLAN, review=None)

    assert review_mistakes(plan) == []
    assert [said.split()[3] for said in unreviewed_waivers(plan)] == [waiver.requirement for waiver in plan.waivers]
    assert unreviewed_waivers(PLAN) == []


def test_every_finding_comes_to_the_record_with_each_requirement_it_touches() -> None:
    """Nothing is left out; one that touches nothing has no requirement; severity and certainty come along."""
    assert PLAN.review is not None
    events = list(on_record(PLAN, "A"))

    assert all(
        isinstance(event, Finding) and event.test == "" and event.severity and event.certainty for event in events
    )
    assert {event.finding for event in events if isinstance(event, Finding)} == {one.id for one in PLAN.review.findings}
    texts = {event.finding: event.text for event in events if isinstance(event, Finding)}
    assert texts["DR-20"].endswith("(of the chart; impedances and grounds of the board are the schematic's)")
    said = {(event.finding, event.requirement) for event in events if isinstance(event, Finding)}
    assert {("DR-01", "ETH-09"), ("DR-01", "ETH-10"), ("DR-26", "SAF-01"), ("DR-16", "")} <= said
    named = {(finding, one.id) for one in PLAN.requirements.values() for finding in one.findings}
    assert {pair for pair in said if pair[1]} == named


def test_a_revision_that_nobody_reviewed_says_so_on_its_record() -> None:
    """Without this note "no finding" would read as praise."""
    (note,) = on_record(PLAN, "B")

    assert isinstance(note, Note)
    assert "there is none of revision B" in note.text
    assert list(touched(PLAN, "B")) == []
