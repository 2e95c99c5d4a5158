"""Isolation: what conducts from mains to the low-voltage side, and optocouplers that part nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hil.review import circuit
from hil.review.board import Block, Board
from hil.review.document import Part
from hil.review.finding import CannotJudge, Certainty, Evidence, Finding, Severity
from hil.review.kinds import kinds_of
from hil.review.rule import rule
from hil.review.wording import joined, names

_OF_MAINS = re.compile(
    r"\b(mains|ac|live|neutral|earth|pe|zero[ -]?cross\w*|(110|115|120|220|230|240) ?v(ac)?"
    r"|(line|phase) (voltage|detect\w*|sens\w+|presence))\b",
    re.IGNORECASE,
)
_CROSSING = re.compile(r"zero[ _-]?cross", re.IGNORECASE)


def _detectors(board: Board) -> tuple[Block, ...]:
    """Blocks that bring a mains conductor straight to a GPIO: "Neutral Detect GPIO3"."""
    return tuple(block for block in board.blocks if block.gpios and _watches_mains(block.label))


def _watches_mains(text: str) -> bool:
    spaced = text.replace("_", " ")
    return bool(_OF_MAINS.search(spaced)) and ("sense" in kinds_of(text) or bool(_CROSSING.search(text)))


@rule(
    "DR-20",
    "No conducting way leads from mains to the low-voltage side: a supply, transformer, optocoupler or isolator "
    "lies in "
    "each, or the whole low-voltage side is declared and built as mains.",
)
def conducting_way(board: Board) -> Iterator[Finding]:
    """Search the chart for a way from live or neutral to the controller that nothing parts."""
    controllers = board.blocks_of("mcu")
    nets = [block for block in board.blocks if circuit.mains(board, block) in {circuit.LIVE, circuit.NEUTRAL}]
    if not board.mains:
        return  # a board without mains has nothing to part
    if not controllers or not nets:
        raise CannotJudge("the chart does not show both mains and the controller")
    others = {block.id for block in _detectors(board)}  # a matter of DR-21
    ways = circuit.conducting(board, nets, lambda block: circuit.is_barrier(block) or block.id in others)
    way = next((ways[one.id] for one in controllers if one.id in ways), None)
    if way is None:
        return
    order = _order(way, controllers)
    shared = [ground for ground in board.grounds if len(ground) > 1]
    open_to = names(one.part.ref for one in board.connectors if any(_low_voltage(board, pin.net) for pin in one.pins))
    star = tuple(
        Evidence(f"{joined(sorted(ground))} are joined", f"lines {joined(map(str, _ground_lines(board, ground)))}")
        for ground in shared
    )
    yield Finding(
        "DR-20",
        f"A conducting way leads from {order[0]} to the controller ({' - '.join(order)}), so the whole low-voltage "
        "side may "
        "be referenced to mains",
        Severity.CRITICAL,
        Certainty.CERTAIN,
        (*(board.document.cite(line) for line in circuit.cite(board, way)), *star),
        "Part the metering from the controller by isolators and an isolated supply of its own, or declare the "
        "low-voltage side "
        "live and enclose it"
        + (f", {open_to} included" if open_to else "")
        + ". Until then treat it as live on every bench.",
        condition="of the chart; impedances and grounds of the board are the schematic's",
    )


def _order(way: tuple[object, ...], ends: tuple[Block, ...]) -> list[str]:
    """Return the labels along a way, beginning at mains."""
    labels: list[str] = []
    here = {block.id for block in ends}
    for flow in reversed(way):
        source, target = flow.source, flow.target  # type: ignore[attr-defined]
        near, far = (source, target) if source.id in here else (target, source)
        labels = labels or [near.label]
        labels.append(far.label)
        here = {far.id}
    return labels[::-1]


def _low_voltage(board: Board, net: str) -> bool:
    known = board.nets.get(net)
    return known is not None and known.kind in {"supply", "ground"}


def _ground_lines(board: Board, ground: frozenset[str]) -> list[int]:
    """Lines of the arrows that lead to these ground nets."""
    return list(dict.fromkeys(flow.line for flow in board.flows if flow.target.net in ground))


@rule("DR-21", "A GPIO that watches a mains conductor does so through an optocoupler or another isolator.")
def detectors_without_isolator(board: Board) -> Iterator[Finding]:
    """Look for detectors of mains at a GPIO, and for isolators that are there for them."""
    isolators = [one.part for one in (*board.of_kind("optocoupler"), *board.of_kind("isolator"))]
    theirs = {part.line for part in isolators if _watches_mains(part.details)}
    bare = [
        block
        for block in _detectors(board)
        if not circuit.is_barrier(block)
        and not any(circuit.is_barrier(near) for near in (*board.before(block), *board.after(block)) if not near.net)
    ]
    if not bare or len(theirs) >= len(bare):
        return
    purposes = dict.fromkeys(part.details for part in isolators if part.line not in theirs)
    others = tuple(
        Evidence(
            f"{names(part.ref for part in isolators if part.details == purpose)}: {purpose}",
            f"line {next(part.details_line for part in isolators if part.details == purpose)} and others",
        )
        for purpose in purposes
    )
    yield Finding(
        "DR-21",
        f"{joined(repr(block.label) for block in bare)} {'reaches' if len(bare) == 1 else 'reach'} a GPIO, and no "
        f"isolator is there for {'it' if len(bare) == 1 else 'them'}",
        Severity.CRITICAL,
        Certainty.CERTAIN,
        (
            *(board.document.cite(block.line) for block in bare),
            *(others or (Evidence("no optocoupler and no other isolator", "the list"),)),
        ),
        "Watch mains through an optocoupler for each conductor, with resistors rated for mains on its side, or "
        "treat the "
        "controller as live.",
        condition="of the chart and the list; the circuit of the detectors is the schematic's",
    )


@rule("DR-22", "The two sides of an optocoupler share neither ground nor supply, or it is there for another reason.")
def optocouplers_without_isolation(board: Board) -> Iterator[Finding]:
    """Compare the ground of the isolated side with the controller's, and where their supplies come from."""
    parts = [one.part for one in board.of_kind("optocoupler") if not _watches_mains(one.part.details)]
    drivers = [block for block in board.blocks_of("optocoupler") if _drives_coils(board, block)]
    controllers = board.blocks_of("mcu")
    if not drivers or not controllers:
        return
    near, far = _grounds(board, controllers), _grounds(board, drivers)
    if not near or not far:
        raise CannotJudge("the chart does not say which ground lies on either side of the optocouplers")
    if not near & far and not any(near & ground and far & ground for ground in board.grounds):
        return
    coils = [block for driver in drivers for block in board.downstream([driver]) if "coil" in block.kinds]
    common = _common_supply(board, controllers, (*drivers, *coils))
    yield Finding(
        "DR-22",
        f"{_called(parts)}: "
        + (f"{joined(sorted(near | far))} meet" if len(near | far) > 1 else f"{joined(near)} is on both sides")
        + (f", and both sides are fed from {common.label}" if common else ""),
        Severity.MED,
        Certainty.CERTAIN,
        (
            *(board.document.cite(block.line) for block in drivers),
            *(board.document.cite(line) for line in _ground_lines(board, near | far)),
            *(board.document.cite(flow.line) for flow in board.flows if common and flow.source.id == common.id),
        ),
        "Give the relay side a supply and a ground of its own, or leave the optocouplers out and drive the "
        "transistors from "
        "the GPIOs.",
    )


def _called(parts: list[Part]) -> str:
    if len(parts) == 1:
        return f"The optocoupler {parts[0].ref} isolates nothing"
    return f"The optocouplers {names(part.ref for part in parts)}".rstrip() + " isolate nothing"


def _drives_coils(board: Board, block: Block) -> bool:
    return any("coil" in one.kinds for one in board.downstream([block], stop=frozenset({"mcu"})))


def _grounds(board: Board, blocks: tuple[Block, ...] | list[Block]) -> frozenset[str]:
    """Ground nets drawn at some blocks."""
    at = {near.net for block in blocks for near in (*board.before(block), *board.after(block)) if near.net}
    return frozenset(net for net in at if board.nets[net].kind == "ground")


def _common_supply(board: Board, one: tuple[Block, ...], other: tuple[Block, ...]) -> Block | None:
    """The nearest supply net that both sides are fed from."""

    def sources(blocks: tuple[Block, ...]) -> list[Block]:
        seen: list[Block] = []
        waiting = [before for block in blocks for before in board.before(block)]
        while waiting:
            block = waiting.pop(0)
            if block not in seen and not circuit.mains(board, block) and not block.kinds & {"mcu", "ground"}:
                seen.append(block)
                waiting += board.before(block)
        return [block for block in seen if block.net and board.nets[block.net].kind == "supply"]

    theirs = {block.id for block in sources(other)}
    return next((block for block in sources(one) if block.id in theirs), None)
