"""Exports of boards that do not exist, written for one rule each: a chart in a few lines, parts in one line each."""

from __future__ import annotations

from hil.review.board import Board
from hil.review.build import build
from hil.review.finding import CannotJudge, Finding
from hil.review.parse import parse
from hil.review.rule import all_rules

CONTROLLER = ("U100", "ESP32-C3-WROOM-02", "Module", "MCU Module", "Controller on the 3.3 V rail")


def export(
    *parts: tuple[str, ...], chart: str = "", title: str = "Porch Light", pins: dict[str, str] | None = None
) -> bytes:
    """Return a document. A part: (ref, model, type, role, details); `pins`: by ref, "NAME@PAD NAME@PAD"."""
    lines = [f"# {title}", "## Project Details", "- **Owner:** nobody"]
    if chart:
        lines += ["- **System Architecture:** flowchart TD", *(line.strip() for line in chart.strip().splitlines())]
    lines.append("## Key Components")
    for ref, model, type_, role, details in parts:
        lines += [f"### {ref} — [{model}](https://www.flux.ai/x/y.md)", f"- Manufacturer Part Number: {model}"]
        lines += [f"- Part Type: {type_}", f"- Role: {role}"] + ([f"- Role Details: {details}"] if details else [])
        lines.append("**Pins:**")
        said = (pins or {}).get(ref, "A@2 K@1" if type_ == "Diode" else "1@1 2@2")
        lines += [f"- {name} [pin {pad}]" for name, _, pad in (pin.partition("@") for pin in said.split())]
    lines.append("*The full schematic, PCB layout and bill of materials are elsewhere.*")
    return "\n".join(lines).encode()


def board(document: bytes) -> Board:
    """Return the model of a document."""
    return build(parse(document, "porch-light.md"))


def judged(rule_id: str, document: bytes) -> list[Finding]:
    """Return what one rule finds; raises CannotJudge as the rule does."""
    rule = next(one for one in all_rules() if one.id == rule_id)
    return list(rule.judge(board(document)))


def found(rule_id: str, document: bytes) -> Finding:
    """Return the one finding of a rule."""
    (finding,) = judged(rule_id, document)
    assert finding.rule == rule_id
    return finding


def cannot(rule_id: str, document: bytes) -> str:
    """Return why a rule cannot judge a document."""
    try:
        judged(rule_id, document)
    except CannotJudge as why:
        return str(why)
    raise AssertionError(f"{rule_id} judged")
