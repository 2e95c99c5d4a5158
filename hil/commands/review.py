"""hil review: what a board's own document says against it, worst first; and the waivers a plan may need."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError
from hil.names import one_line

if TYPE_CHECKING:
    from hil.review.finding import Finding
    from hil.review.review import Review

FOUND = 1  # exit code: at least one blocker, or something critical
_PAPER = 80  # columns where no terminal says otherwise


def run(asked: argparse.Namespace) -> int:
    """Review a document, or print the rules."""
    if asked.rules:
        return _print_rules(asked.json)
    if not asked.document:
        raise SetupError("no document is given", "give the board's flux.ai export: hil review smart-power.md")
    from hil.review.finding import Severity
    from hil.review.parse import read
    from hil.review.record import to_bytes, to_record, worst_first
    from hil.review.review import review

    done = review(read(Path(asked.document)))
    record = to_bytes(done)
    if asked.html:
        from hil.review.page import render

        _write(Path(asked.html), render(done))
    if asked.out:
        _write(Path(asked.out), record)
    least = Severity(asked.severity)
    shown = [one for one in worst_first(done) if one.severity.rank <= least.rank]
    if asked.waivers:
        _print_waivers(asked.waivers, done, shown, asked.out, record)
    elif asked.json:
        data = to_record(done)
        print(json.dumps({**data, "findings": data["findings"][: len(shown)]}, indent=1))
    else:
        _print(done, shown, [Path(name) for name in (asked.html, asked.out) if name], record)
    serious = {Severity.BLOCKER, Severity.CRITICAL}
    return FOUND if any(one.severity in serious for one in done.findings) else 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}", "give a file in a folder that exists"
        ) from error


def _print_rules(as_json: bool) -> int:
    from hil.review.rule import all_rules

    rules = all_rules()
    if as_json:
        print(json.dumps([{"id": one.id, "statement": one.statement} for one in rules], indent=1))
        return 0
    for one in rules:
        _say(one.statement, f"{one.id}  ", " " * (len(one.id) + 2))
    return 0


def _print(done: Review, shown: Sequence[Finding], written: Sequence[Path], record: bytes) -> None:
    from hil.review.finding import Severity
    from hil.review.record import worst_first

    found = worst_first(done)
    counts = {severity: sum(one.severity is severity for one in found) for severity in Severity}
    told = ", ".join(f"{count} {severity.value}" for severity, count in counts.items() if count)
    _say(f"{done.title or done.document}: design review of {done.document}")
    _say(f"sha256 {done.sha256}")
    _say(f"{len(done.rules)} rules; {len(found)} findings{': ' if told else ''}{told}")
    for one in shown:
        _print_finding(one)
    if len(found) > len(shown):
        _say(f"\n{len(found) - len(shown)} findings of less weight are not shown")
    for trap in done.findings:
        if trap.severity is Severity.NONE:
            _say(f"{trap.rule}: {trap.title}", "\nLooked at: ", "  ")
    if done.not_judged:
        _say("\nNot judged, for want of information in the document:")
        for rule in done.not_judged:
            _say(rule.cannot, f"  {rule.rule}  ", "         ")
    if any(one.certainty.value == "depends" for one in shown):
        _say("\ndepends: on a schematic or layout that the document does not show")
    for path in written:
        digest = f", sha256 {hashlib.sha256(record).hexdigest()}" if path.read_bytes() == record else ""
        _say(f"wrote {path}{digest}")


def _print_finding(one: Finding) -> None:
    from hil.review.wording import sentence

    condition = f" ({one.condition})" if one.condition else ""
    _say(f"\n{one.severity.value.upper()}  {one.rule}  {one.certainty.value}{condition}", "", "  ")
    _say(one.title[:1].upper() + one.title[1:], "  ", "  ")
    for piece in one.evidence:
        _say(f"{piece.source}: {piece.text}", "  - ", "    ")
    _say(sentence(one.remedy), "  Remedy: ", "  ")


def _print_waivers(plan_name: str, done: Review, shown: Sequence[Finding], out: str, record: bytes) -> None:
    """Print the tables as TOML that lacks nothing but the reasons, which only a person can give."""
    from hil.plans.plan import load_plan

    path = Path(plan_name)
    named = path.suffix == ".toml"
    plan = load_plan(path.stem.replace("_", "-"), path.parent) if named else load_plan(plan_name)
    revisions = json.dumps(list(plan.review.revisions if plan.review else plan.revisions[:1]))
    if plan.review is not None and plan.review.document_sha256 != done.sha256:
        print(f"# NOTE: the review of this plan is of another document, {one_line(plan.review.document)}")
    print("# what a plan says when this is to be its review")
    print(f"# [review]\n# file = {json.dumps(Path(out).name if out else '...')}")
    print(f"# sha256 = {json.dumps(hashlib.sha256(record).hexdigest())}\n# revisions = {revisions}")
    waived = {(waiver.requirement, waiver.finding) for waiver in plan.waivers}
    told = False
    for requirement in plan.requirements.values():
        touching = [
            one for one in shown if one.rule in requirement.findings and (requirement.id, one.rule) not in waived
        ]
        if not touching:
            continue
        if not told:
            print("\n# delete what is not meant: every table that stays gives up its requirement")
        told = True
        print(f"\n# {requirement.id}: {one_line(requirement.title)}")
        for one in touching:
            for line in _wrapped(f"{one.rule}, {one.severity.value}, {one.certainty.value}: {one.title}", "# ", "#   "):
                print(line)
        print(f"[[waivers]]\nrequirement = {json.dumps(requirement.id)}\nrevisions = {revisions}")
        print(f"finding = {json.dumps(touching[0].rule)}")
        print('text = ""  # why it may stay unmet, and what was verified instead; an empty one is refused')
    if not told:
        print("\n# no finding touches a requirement of this plan that is not waived already")


def _say(text: str, first: str = "", later: str = "  ") -> None:
    for line in _wrapped(text, first, later):
        print(line)


def _wrapped(text: str, first: str, later: str) -> Iterator[str]:
    """Break text where the terminal ends, and at 80 columns in a pipe."""
    width = min(shutil.get_terminal_size((_PAPER, 24)).columns, 100) if sys.stdout.isatty() else _PAPER
    blank = (len(first) - len(first.lstrip("\n"))) + (len(text) - len(text.lstrip("\n")))
    yield from [""] * blank
    yield from textwrap.wrap(
        one_line(text.lstrip("\n")),
        max(width, 20),
        initial_indent=first.lstrip("\n"),
        subsequent_indent=later,
        break_on_hyphens=False,
    )
