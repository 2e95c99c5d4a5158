"""Meters: the clamps of their voltage inputs, and the pins that must be tied."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from hil.review.board import Board
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.wording import counted, joined, names


@rule("DR-27", "The voltage input of each meter is clamped in both polarities, by parts that are chosen.")
def clamps_of_meters(board: Board) -> Iterator[Finding]:
    """Compare what the clamps of the list can do with the meters of the list."""
    meters = board.of_kind("meter")
    clamps = [one.part for one in board.of_kind("clamp")]
    if not meters or not clamps:
        return
    polarities = sum(electrical.polarities(part.model) or 2 for part in clamps)
    undecided = [
        part for part in clamps if re.search(r"\b(placeholder|tbd|to be chosen)\b", part.details, re.IGNORECASE)
    ]
    needed = 2 * len(meters)
    if polarities >= needed and not undecided:
        return
    single = dict.fromkeys(part.model for part in clamps if electrical.polarities(part.model) == 1)
    said = [f"{counted(len(clamps), 'clamp diode')} for the voltage inputs of {counted(len(meters), 'meter')}"]
    said += ["marked placeholder"] if undecided else []
    said += [f"and one {joined(single)} clamps one polarity only"] if single else []
    yield Finding(
        "DR-27",
        ", ".join(said),
        Severity.MED,
        Certainty.CERTAIN,
        (
            *(board.document.quote(part) for part in clamps),
            *(
                Evidence(
                    f"{names(one.ref for one in meters)}: {counted(len(meters), 'voltage input')}",
                    f"line {meters[0].line}",
                )
                for _ in meters[:1]
            ),
        ),
        f"Clamp each input both ways: two diodes each, {needed} in all, or a pair in one package, and choose the part.",
        condition="of the list",
    )


@rule("DR-36", "Pins of a chip that must be tied are said to be tied, and to what.")
def untold_straps(board: Board) -> Iterator[Finding]:
    """Look for the strap pins of known chips in what is said of the part and of its nets."""
    open_: dict[str, list[tuple[str, tuple[str, ...], int]]] = defaultdict(list)
    for one in board.parts:
        chip = electrical.chip(one.part.model)
        if chip is None or not chip.straps:
            continue
        told = one.part.details.upper()
        missing = tuple(
            pin
            for pin in chip.straps
            if any(pin in listed.name.upper() for listed in one.part.pins)
            and pin not in told
            and not board.net_of(one.part, pin)
        )
        if missing:
            open_[one.part.model].append((one.ref, missing, one.line))
    for model, parts in open_.items():
        chip = electrical.chip(model)
        assert chip is not None
        pins = dict.fromkeys(pin for _, missing, _ in parts for pin in missing)
        yield Finding(
            "DR-36",
            f"{joined(pins)} of {names(ref for ref, _, _ in parts)} ({model}) are not said to be tied",
            Severity.MED,
            Certainty.DEPENDS,
            (
                *(
                    Evidence(f"{ref}: nothing said of {joined(missing)}", f"line {line}")
                    for ref, missing, line in parts
                ),
                Evidence(chip.strap_text, chip.strap_source),
            ),
            f"State each: {chip.strap_text}. Then read them back, where the chip tells them, in the first test.",
            condition="the schematic may tie them",
        )
