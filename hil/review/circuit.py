"""Ways through a board's chart: which mains conductor a block is, what conducts to what, and what stops it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from hil.review.board import Block, Board, Flow
from hil.review.kinds import conductor_words

LIVE, NEUTRAL, EARTH = "live", "neutral", "earth"
_BARRIER = re.compile(
    r"\b(isolat\w+|opto\w*|photocoupl\w*|transformers?|cts?|current transformers?|reinforced|protective impedance)\b",
    re.IGNORECASE,
)
_NO_BARRIER = re.compile(r"\b(non|not|un)[- ]?isolat\w+|\bcapacitive dropper", re.IGNORECASE)


def words(text: str) -> frozenset[str]:
    """Split a label or a net's name into words in capitals: "AC_L_BUS" is AC, L, BUS."""
    return frozenset(word.upper() for word in re.findall(r"[A-Za-z0-9]+", text))


def conductors(text: str) -> frozenset[str]:
    """Return the mains conductors that a text names: live, neutral, earth."""
    said = words(text)
    return frozenset(name for name, spelled in conductor_words().items() if said & spelled)


def mains(board: Board, block: Block) -> str:
    """Return which mains conductor a block of the chart is; "" when it is none, or a part that lies in one.

    Where nothing else speaks of mains, LINE_IN is a line of sound and PHASE_A one of a motor.
    """
    if not board.mains:
        return ""
    net = board.nets.get(block.net) if block.net else None
    return net.kind if net is not None and net.kind in {LIVE, NEUTRAL, EARTH} else ""


def sockets(board: Board, conductor: str) -> tuple[Block, ...]:
    """Return the blocks that are outlets of a conductor: "Socket_L x4"."""
    return tuple(block for block in board.blocks_of("socket") if conductor in conductors(block.label))


def is_barrier(block: Block) -> bool:
    """Whether a block parts mains from what lies behind it, as far as its words and kinds tell."""
    if _NO_BARRIER.search(block.label):
        return False
    return bool(_BARRIER.search(block.label) or block.kinds & {"optocoupler", "isolator", "smps", "contacts", "coil"})


def conducting(board: Board, start: Iterable[Block], stop: Callable[[Block], bool]) -> dict[str, tuple[Flow, ...]]:
    """Return every block that conducts to `start`, whichever way the arrows point, with the arrows in between.

    A block that stops is not reached.
    """
    ways: dict[str, tuple[Flow, ...]] = {block.id: () for block in start}
    waiting = list(ways)
    while waiting:
        here = waiting.pop(0)
        for flow in board.flows:
            for one, other in ((flow.source, flow.target), (flow.target, flow.source)):
                if one.id == here and other.id not in ways and not stop(other):
                    ways[other.id] = (*ways[here], flow)
                    waiting.append(other.id)
    return ways


def nearest(board: Board, block: Block, step: Callable[[Block], tuple[Block, ...]]) -> Iterator[tuple[str, Block]]:
    """Go from a block in one direction, and yield each first mains conductor met: (conductor, its block)."""
    seen, waiting = {block.id}, list(step(block))
    while waiting:
        here = waiting.pop(0)
        if here.id in seen:
            continue
        seen.add(here.id)
        if conductor := mains(board, here):
            yield conductor, here
        else:
            waiting += step(here)


def cite(board: Board, flows: Iterable[Flow]) -> tuple[int, ...]:
    """Return the lines of some arrows, each once, in order."""
    return tuple(dict.fromkeys(flow.line for flow in flows))
