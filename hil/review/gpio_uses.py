"""What a document uses the controller's GPIOs for, and which way it says that clocks run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hil.review.board import Block, BoardPart, ClockStatement, Flow, GpioUse
from hil.review.document import Document
from hil.review.finding import Evidence
from hil.review.kinds import kinds_of
from hil.review.phrases import GpioList, gpio_lists

_EDGES = re.compile(
    r"^(?:(?:to|from|on|at|via|using|by|in|is|for|and|through|drives?)\b|[=:,;>()-])+\s*"
    r"|\s*(?:\b(?:to|from|on|at|via|using|by|in|is|for|and|through)|[=:,;>(-])+$",
    re.IGNORECASE,
)
_OUTPUTS = frozenset({"coil", "relay", "led", "buzzer", "driver", "chip select", "reset", "enable"})
_DRIVERS, _DRIVEN = frozenset({"driver", "transistor", "optocoupler"}), frozenset({"coil", "relay"})
_INPUTS = frozenset({"switch", "button", "analog", "sense", "interrupt"})


def uses(
    parts: tuple[BoardPart, ...], blocks: tuple[Block, ...], flows: tuple[Flow, ...], controller: BoardPart | None
) -> tuple[GpioUse, ...]:
    """Every use of a GPIO, from the chart's labels first, then from role details, in the document's order."""
    found = [use for block in blocks for use in _of_block(block, flows)]
    for part in parts:
        found += _of_controller(part) if part is controller else _of_part(part)
    return tuple(found)


def _of_block(block: Block, flows: tuple[Flow, ...]) -> Iterator[GpioUse]:
    named = list(gpio_lists(block.label))
    for number, gpios in enumerate(named):
        words = _clean(gpios.before)
        last = number == len(named) - 1
        if last or not words:
            words = " ".join(filter(None, (words, gpios.after if words else _clean(gpios.after))))
        kinds = kinds_of(f"{words} {block.id}")
        if not words:
            further = _further(block, flows)
            words = ", ".join(target.label for target in further) or block.id
            kinds = kinds.union(*(target.kinds for target in further)) if further else kinds
        elif kinds & _DRIVERS:  # what it drives may stand behind it
            kinds = kinds.union(*(target.kinds & _DRIVEN for target in _further(block, flows)))
        for gpio in gpios.gpios:
            yield GpioUse(gpio, words, kinds, _direction(kinds), block.line)


def _further(block: Block, flows: tuple[Flow, ...]) -> list[Block]:
    """Blocks up to three arrows after one that names nothing but GPIOs: nets and the controller left out."""
    found: dict[str, Block] = {}
    reached = {block.id}
    for _ in range(3):
        targets = [flow.target for flow in flows if flow.source.id in reached]
        found |= {target.id: target for target in targets if not target.kinds & {"net", "mcu"}}
        reached = {target.id for target in targets if not target.kinds & {"net", "mcu"}}
    found.pop(block.id, None)
    return list(found.values())


def _of_part(part: BoardPart) -> Iterator[GpioUse]:
    own = {pin.name.upper() for pin in part.part.pins}
    for gpios in gpio_lists(part.part.details):
        if part.part.details[gpios.start].upper() == "I" and f"IO{gpios.gpios[0]}" in own:
            continue  # pins of its own, as an expander has
        words = _clean(re.split(r"[,;:()]", gpios.before)[-1]) or _clean(gpios.after)
        kinds = kinds_of(words)
        if not kinds:
            kinds, words = part.kinds, f"{words} {part.part.role or part.part.name}".strip()
        kinds |= part.topics & {"pull-down", "pull-up", "programming", "boot", "jtag"}
        for gpio in gpios.gpios:
            yield GpioUse(gpio, words, kinds, _direction(kinds), part.part.details_line)


def _of_controller(part: BoardPart) -> Iterator[GpioUse]:
    for gpios in gpio_lists(part.part.details):
        before = _clean(re.split(r"[,;:()]", gpios.before)[-1])
        words = before or _clean(re.split(r"[,;]", gpios.after)[0]) or "named, without a function"
        for gpio in gpios.gpios:
            kinds = kinds_of(words)
            yield GpioUse(gpio, words, kinds, _direction(kinds), part.part.details_line)


def _clean(words: str) -> str:
    words = words.strip()
    while (shorter := _EDGES.sub("", words).strip()) != words:
        words = shorter
    return words


def _direction(kinds: frozenset[str]) -> str:
    if kinds & _INPUTS and not kinds & _OUTPUTS:
        return "in"
    return "out" if kinds & _OUTPUTS and not kinds & _INPUTS else ""


def is_clock(text: str) -> bool:
    """Whether a text speaks of a clock that runs by itself: not the clock of a serial bus."""
    kinds = kinds_of(text)
    return "clock" in kinds and not kinds & {"spi", "i2c", "i2s"}


def clocks(
    document: Document,
    parts: tuple[BoardPart, ...],
    blocks: tuple[Block, ...],
    flows: tuple[Flow, ...],
    controller: BoardPart | None,
) -> tuple[ClockStatement, ...]:
    """Every statement that says which way a clock runs at a GPIO of the controller."""
    found = []
    for block in blocks:
        for gpios in gpio_lists(block.label):
            if not is_clock(f"{gpios.before} {gpios.after}"):
                continue
            into = _stated(gpios, at_controller=True)
            into = _drawn(block, flows) if into is None else into
            found += _statements(gpios, into, document.cite(block.line))
    for part in parts:
        for gpios in gpio_lists(part.part.details):
            clause = re.split(r"[,;:()]", gpios.before)[-1]
            if is_clock(clause) or is_clock(re.split(r"[,;]", gpios.after)[0]):
                into = _stated(gpios, at_controller=part is controller)
                found += _statements(gpios, into, document.quote(part.part))
    return tuple(found)


def _statements(gpios: GpioList, into: bool | None, evidence: Evidence) -> list[ClockStatement]:
    if into is None:
        return []
    words = _clean(re.split(r"[,;:()]", gpios.before)[-1]) or _clean(gpios.after)
    return [ClockStatement(words, gpio, into, evidence) for gpio in gpios.gpios]


def _stated(gpios: GpioList, *, at_controller: bool) -> bool | None:
    """Whether the words say that the clock goes into the controller; None where they do not say.

    "to GPIO0" and "from GPIO0" are plain. "input" and "output" are seen from the part whose details they stand in.
    """
    before = re.split(r"[,;:()]", gpios.before)[-1].rstrip()
    if preposition := re.search(r"\b(to|into|from)$", before, re.IGNORECASE):
        return preposition[1].lower() != "from"
    around = f"{before} {re.split(r'[,;]', gpios.after)[0]}"
    takes = re.search(r"\b(?:in|input)\b", around, re.IGNORECASE) is not None
    gives = re.search(r"\b(?:out|output)\b", around, re.IGNORECASE) is not None
    if takes == gives:
        return None
    return takes if at_controller else gives


def _drawn(block: Block, flows: tuple[Flow, ...]) -> bool | None:
    """Whether the arrows say it: from a PHY or an oscillator through this block, or from the controller to a PHY."""
    before = [flow.source.kinds for flow in flows if flow.target.id == block.id]
    after = [flow.target.kinds for flow in flows if flow.source.id == block.id]
    outside = frozenset({"phy", "crystal"})
    if any(kinds & outside for kinds in before):
        return True
    if any("mcu" in kinds for kinds in before) and any(kinds & outside for kinds in after):
        return False
    return None
