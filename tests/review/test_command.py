"""What a person gets to see: the terminal, the page, the file for a plan, the waivers, the exit code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from hil.cli import main
from hil.plans.plan import load_plan
from hil.plans.review import read_review
from hil.review.parse import read
from hil.review.record import to_bytes
from hil.review.review import review

HERE = Path(__file__).parent
FLAWED, SOUND = HERE / "smart_power.md", HERE / "garden_strip.md"


def test_a_board_with_a_blocker_is_told_worst_first_with_lines_and_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; eighty columns; each finding has evidence and a remedy."""
    assert main(["review", str(FLAWED)]) == 1

    told = capsys.readouterr().out
    heads = re.findall(r"^(BLOCKER|CRITICAL|HIGH|MED|INFO)  (DR-\d\d)", told, re.MULTILINE)
    order = ["BLOCKER", "CRITICAL", "HIGH", "MED", "INFO"]
    assert [head for head, _ in heads] == sorted((head for head, _ in heads), key=order.index)
    assert len(heads) == told.count("\n  Remedy: ") == len(re.findall(r"\n\w+  DR-\d\d .*(?:\n  .*)+?\n  - ", told))
    assert max(map(len, told.splitlines())) <= 80


def test_a_sound_board_with_other_words_has_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """Fused for its outlets, earthed, metered behind an isolator, switched in both poles: nothing is invented."""
    assert main(["review", str(SOUND), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == []
    assert [rule["id"] for rule in told["rules"] if rule["not_judged"]] == []
    assert len(told["rules"]) == 38


def test_severity_hides_what_is_lighter_but_not_from_the_exit_code_nor_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A filter is for reading; the file for a plan is always whole."""
    out = tmp_path / "r.json"
    assert main(["review", str(FLAWED), "--severity", "blocker", "--json", "--out", str(out)]) == 1

    told = json.loads(capsys.readouterr().out)
    assert {finding["severity"] for finding in told["findings"]} == {"blocker"}
    assert {finding["severity"] for finding in json.loads(out.read_text())["findings"]} > {"blocker", "med"}


def test_the_page_is_one_file_without_script_or_address_and_the_same_each_time(tmp_path: Path) -> None:
    """It holds every finding and its remedy."""
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    for page in pages:
        assert main(["review", str(FLAWED), "--html", str(page)]) == 1

    text = pages[0].read_text()
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert not re.search(r"<script|https?:|@import|url\(", text)
    assert (
        text.count("<article")
        == text.count("<b>Remedy.</b>")
        == len(json.loads(to_bytes(review(read(FLAWED))))["findings"])
    )


def test_what_a_document_says_cannot_act_on_the_page_or_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name is text, whatever is in it."""
    document = tmp_path / "evil.md"
    document.write_text(FLAWED.read_text().replace("# Smart Power", "# <script>alert(1)</script>\x1b[2J", 1))
    page = tmp_path / "p.html"

    assert main(["review", str(document), "--html", str(page)]) == 1
    assert "<script" not in page.read_text()
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, b"", b"# A poem\n\nRoses\n", b"\xff\xfe\x00", b"# X\n## Key Components\n### "])
def test_what_is_no_export_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes | None
) -> None:
    """Exit code 4, and nothing is written."""
    document, out = tmp_path / "x.md", tmp_path / "x.json"
    if text is not None:
        document.write_bytes(text)

    assert main(["review", str(document), "--out", str(out)]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert not out.exists()


def test_no_document_is_a_mistake_unless_the_rules_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """--rules says what every rule demands of any board."""
    assert main(["review"]) == 4
    capsys.readouterr()
    assert main(["review", "--rules"]) == 0
    rules = re.findall(r"^DR-\d\d", capsys.readouterr().out, re.MULTILINE)
    assert rules == [f"DR-{number:02}" for number in range(1, 39)]


def test_the_waivers_are_toml_that_a_plan_refuses_until_a_reason_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    """One a requirement, by its worst finding, and none for what the plan has waived already."""
    assert main(["review", str(FLAWED), "--waivers", "smart-power"]) == 1

    told = capsys.readouterr().out
    tables = tomllib.loads(told)["waivers"]
    plan = load_plan("smart-power")
    named = [table["requirement"] for table in tables]
    assert len(named) == len(set(named))
    assert all(table["finding"] in plan.requirements[table["requirement"]].findings for table in tables)
    assert {table["text"] for table in tables} == {""}
    assert not {waiver.requirement for waiver in plan.waivers} & set(named)
    assert "NOTE: the review of this plan is of another document" in told  # the reduced fixture is not the document


def test_the_shipped_plan_stands_on_a_review_of_this_format_and_knows_every_rule_of_the_table() -> None:
    """38 rules were asked; every one found something on this board, or looked at a trap that does not apply (DR-13)."""
    plan = load_plan("smart-power")
    assert plan.review is not None
    data = json.loads(plan.review.text)

    assert {finding["id"] for finding in data["findings"]} == {f"DR-{n:02}" for n in range(1, 39)} - {"DR-13"}
    assert [finding["id"] for finding in data["does_not_apply"]] == ["DR-13"]
    assert plan.review.revisions == ("A",)


def test_the_reduced_document_has_the_findings_of_the_whole_one() -> None:
    """Same rules, severities and certainties; only words and lines differ."""
    plan = load_plan("smart-power")
    assert plan.review is not None
    whole = [(one.id, one.severity, one.certainty) for one in plan.review.findings]

    reduced = json.loads(to_bytes(review(read(FLAWED))))["findings"]
    assert [(one["id"], one["severity"], one["certainty"]) for one in reduced] == whole


def test_the_file_is_read_back_as_the_plan_reads_it(tmp_path: Path) -> None:
    """By digest; what the command wrote is what a plan can name."""
    out = tmp_path / "board.review.json"
    assert main(["review", str(SOUND), "--out", str(out)]) == 0
    import hashlib

    table = {"file": out.name, "sha256": hashlib.sha256(out.read_bytes()).hexdigest(), "revisions": ["A"]}
    assert read_review(tmp_path, table).findings == ()
    assert read_review(tmp_path, table).document == "garden_strip.md"
