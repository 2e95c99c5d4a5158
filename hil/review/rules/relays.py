"""Bistable relays and how they are driven: read-back, SET against RESET, the LEDs of optocouplers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hil.review.board import Block, Board, Coil
from hil.review.document import Part
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.wording import counted, joined, names

_READS_BACK = re.compile(
    r"\b(read[- ]?back|feedback|auxiliary contact|aux contact|contact (sense|state|detect\w*)"
    r"|relay (state|status|sense)|position sens\w+|socket voltage (sense|detect\w*)|load detect\w*)",
    re.IGNORECASE,
)
_WATCHES = re.compile(r"\b(zero[- ]?cross\w*|detect\w*|sens\w+|presence|monitor)\b", re.IGNORECASE)  # lit from outside
_BISTABLE = re.compile(r"\b(bi-?stable|latching|(dual|two)[- ]coils?)\b", re.IGNORECASE)
_EXCLUDES = re.compile(
    r"\b(interlock\w*|h-?bridge|full bridge|decoder|demultiplexer|exclusive|one-?hot|xor|break-before-make)\b",
    re.IGNORECASE,
)


def _bistable(board: Board) -> dict[str, list[Coil]]:
    """The coils of each relay that has one to set and one to reset."""
    by_relay: dict[str, list[Coil]] = {}
    for coil in board.coils:
        by_relay.setdefault(coil.relay, []).append(coil)
    return {relay: coils for relay, coils in by_relay.items() if {"SET", "RESET"} <= {_way(coil) for coil in coils}}


def _called(board: Board) -> tuple[Part, ...]:
    """The relays of the list that are said to be bistable."""
    return tuple(one.part for one in board.parts if "relay" in one.kinds and _BISTABLE.search(_said(one.part)))


def bistable(board: Board) -> bool:
    """Whether relays of the board keep their state without power, as far as the document says it."""
    return bool(_bistable(board) or _called(board))


def _way(coil: Coil) -> str:
    return coil.name.replace("_", " ").split()[-1].upper()


def _texts(board: Board) -> Iterator[str]:
    """Everything the document says of blocks and parts."""
    yield from (block.label for block in board.blocks)
    yield from map(_said, board.document.parts)


def _said(part: Part) -> str:
    return f"{part.model} {part.part_type} {part.role} {part.details}"


def _coil_lines(board: Board, relays: dict[str, list[Coil]]) -> tuple[Evidence, ...]:
    """One line for each coil of the first relay, for the others alone their names."""
    first = next(iter(relays.values()), [])
    rest = tuple(relays)[1:]
    said = tuple(board.document.cite(coil.lines[0]) for coil in first)
    return (*said, Evidence(f"and so for {joined(rest)}", "the list")) if rest else said


@rule("DR-29", "The state of a relay that keeps it without power is read back by the board.")
def no_read_back(board: Board) -> Iterator[Finding]:
    """Look for anything that tells where a bistable relay stands."""
    relays = _bistable(board)
    called = _called(board)
    if not (relays or called) or any(_READS_BACK.search(text) for text in _texts(board)):
        return
    yield Finding(
        "DR-29",
        f"Nothing reads back {counted(len(relays) or len(called), 'bistable relay')}: after power comes the board does "
        "not know their state",
        Severity.HIGH,
        Certainty.DEPENDS,
        (*_coil_lines(board, relays), *(board.document.quote(part) for part in called)),
        "Sense each socket's voltage or an auxiliary contact. Until then drive every relay to a known state at "
        "start-up, and take a state from the contact alone in every test.",
        condition="a circuit that the document does not show may read them back",
    )


@rule("DR-30", "SET and RESET of one relay cannot be driven together, whatever the firmware does.")
def both_coils_at_once(board: Board) -> Iterator[Finding]:
    """Look for bistable relays with a GPIO a coil and nothing that excludes the other."""
    relays = _bistable(board)
    called = () if relays else _called(board)
    coils = sum(map(len, relays.values())) or 2 * len(called)
    if called and max((block.count for block in board.blocks_of("coil")), default=0) < coils:
        return  # with a single coil each there is nothing to exclude
    drive = [use for use in board.gpios if "coil" in use.kinds or "relay" in use.kinds or "driver" in use.kinds]
    if not coils or len({use.gpio for use in drive}) < coils or any(_EXCLUDES.search(text) for text in _texts(board)):
        return
    lines = dict.fromkeys(use.line for use in drive)
    yield Finding(
        "DR-30",
        f"{counted(coils, 'coil')} of {counted(len(relays) or len(called), 'bistable relay')} have a GPIO each, and "
        "nothing prevents SET and RESET of one relay together",
        Severity.HIGH,
        Certainty.DEPENDS,
        (
            *(board.document.cite(line) for line in lines),
            *_coil_lines(board, relays),
            *(board.document.quote(part) for part in called),
        ),
        "Exclude it in hardware: an interlock of the two drivers, a bridge, or a decoder with one output at a "
        "time. Until then "
        "test that the firmware never overlaps them and keeps a dead time.",
        condition="a circuit that the document does not show may exclude it",
    )


@rule(
    "DR-34",
    "The LED of an optocoupler gets the current at which its transfer ratio is told, from the pin that drives it.",
)
def optocoupler_current(board: Board) -> Iterator[Finding]:
    """Compute the LED's current where a resistor is listed; say what it may be at most where none is."""
    table = electrical.loads()
    parts = [one.part for one in board.of_kind("optocoupler") if not _WATCHES.search(one.part.details)]
    known = [(part, found) for part in parts if (found := electrical.optocoupler(part.model)) is not None]
    driven = [block for block in board.blocks_of("optocoupler") if _from_controller(board, block)]
    if not known or not driven:
        return
    part, led = known[0]
    most_ohm = (table["gpio_v"] - led.forward_v) / led.rank_current_a
    listed = [
        (one.part, ohm)
        for one in board.of_kind("resistor")
        if ("optocoupler" in one.topics or re.search(r"\bled of", one.part.details, re.IGNORECASE))
        and (ohm := electrical.resistance_ohm(f"{one.part.model} {one.part.details}")) is not None
    ]
    large = [(one, ohm) for one, ohm in listed if ohm > most_ohm]
    if listed and not large:
        return
    what = (
        f"{joined(f'{one.ref} with {ohm:g} ohm' for one, ohm in large)} {'leaves' if len(large) == 1 else 'leave'} "
        f"the LEDs of the optocouplers less than {led.rank_current_a * 1e3:g} mA"
        if large
        else f"The LED resistors of {names(one.ref for one in parts)} are not listed; above {most_ohm:.0f} ohm the "
        "current "
        f"from a pin at {table['gpio_v']:g} V falls below {led.rank_current_a * 1e3:g} mA"
    )
    yield Finding(
        "DR-34",
        what,
        Severity.MED,
        Certainty.CERTAIN if large else Certainty.DEPENDS,
        (
            *(board.document.cite(block.line) for block in driven),
            board.document.quote(part),
            *(board.document.quote(one) for one, _ in large),
            Evidence(f"VF {led.forward_v:g} V, ratio told at {led.rank_current_a * 1e3:g} mA", led.source),
            electrical.cited(table, "gpio", f"{table['gpio_v']:g} V at the driving pin"),
        ),
        f"Choose {most_ohm:.0f} ohm or less, and check that the current drives the transistor into saturation at "
        "the coil's "
        "current; test the collector's voltage during a pulse.",
        condition="" if large else "on the resistors' values",
    )


def _from_controller(board: Board, block: Block) -> bool:
    """Whether arrows lead from the controller to a block."""
    return any(one.id == block.id for one in board.downstream(board.blocks_of("mcu")))
