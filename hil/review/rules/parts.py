"""The list of components: designators, symbols, parts that stand twice for one thing, parts that are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from hil.review.board import Board
from hil.review.document import Part, Pin
from hil.review.finding import CannotJudge, Certainty, Evidence, Finding, Severity
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.wording import counted, joined, names


@rule("DR-14", "A coil has one flyback diode: parts that repeat it on the same two nets are an error of the list.")
def repeated_flyback(board: Board) -> Iterator[Finding]:
    """Group the flyback diodes by the nets of their two ends."""
    on: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for diode in board.of_kind("diode", "flyback"):
        cathode, anode = board.net_of(diode.part, "K"), board.net_of(diode.part, "A")
        if cathode and anode:
            on[cathode, anode].append(diode.part)
    repeated = {nets: parts for nets, parts in on.items() if len(parts) > 1}
    if not repeated:
        return
    total = sum(map(len, repeated.values()))
    yield Finding(
        "DR-14",
        f"{counted(total, 'flyback diode')} for {counted(len(repeated), 'coil')}: "
        f"{names(part.ref for part in next(iter(repeated.values())))} are on the same two nets"
        + (", and so on" if len(repeated) > 1 else ""),
        Severity.MED,
        Certainty.CERTAIN,
        tuple(
            Evidence(
                f"{names(part.ref for part in parts)}: cathode on {cathode}, anode on {anode}",
                f"lines {joined(str(part.details_line) for part in parts)}",
            )
            for (cathode, anode), parts in repeated.items()
        ),
        "Keep one diode a coil, and delete the others from schematic, list and layout. In parallel they do no "
        "harm, but one "
        "set will be bought, placed and tested for nothing.",
    )


@rule("DR-16", "A designator names one part.")
def reused_designators(board: Board) -> Iterator[Finding]:
    """Count the entries of each designator."""
    by_ref: dict[str, list[Part]] = defaultdict(list)
    for part in board.document.parts:
        by_ref[part.ref].append(part)
    reused = {ref: parts for ref, parts in by_ref.items() if len(parts) > 1}
    if not reused:
        return
    total = sum(map(len, reused.values()))
    yield Finding(
        "DR-16",
        f"{counted(total, 'part')} share {counted(len(reused), 'designator')}: {joined(reused)}",
        Severity.HIGH,
        Certainty.CERTAIN,
        tuple(board.document.quote(part) for parts in reused.values() for part in parts),
        "Number the parts anew. Until then netlist, pick-and-place file and map of test points can mean either part.",
    )


@rule("DR-17", "Two pins of a symbol with different names do not go to one pad.")
def shared_pads(board: Board) -> Iterator[Finding]:
    """Look for pads that pins of different names share, and for the pad that is left over."""
    evidence, wrong, open_ = [], [], False
    for part in board.document.parts:
        pins: dict[str, list[Pin]] = defaultdict(list)
        for pin in part.pins:
            for pad in pin.pads:
                pins[pad].append(pin)
        shared = {pad: on for pad, on in pins.items() if len({pin.name for pin in on}) > 1}
        if not shared:
            continue
        wrong.append(part)
        open_ = open_ or bool(_left(pins))
        left = _left(pins)
        said = "; ".join(f"{joined(pin.name for pin in on)} go to pad {pad}" for pad, on in shared.items())
        without = f"; no pin goes to pad {joined(map(str, left))}" if left else ""
        line = next(iter(shared.values()))[0].line
        evidence.append(Evidence(f"{part.ref} ({part.model}): {said}{without}", f"line {line}"))
    if wrong:
        yield Finding(
            "DR-17",
            f"The symbol of {names(part.ref for part in wrong)} joins two pins on one pad"
            + (", so one pad stays unconnected" if open_ else ""),
            Severity.HIGH,
            Certainty.CERTAIN,
            tuple(evidence),
            "Mend the symbol: each pin its own pad. As it is, a net that the schematic shows is not on the board.",
        )


def _left(pads: Iterable[str]) -> list[int]:
    """Numbers of pads that are skipped."""
    numbers = {int(pad) for pad in pads if pad.isdigit()}
    return sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)


# what the chart may name and the list must then have, in the words of a person
_NAMED = {
    "relay": "relay",
    "regulator": "regulator",
    "ct": "current transformer",
    "burden": "burden",
    "fuse": "fuse",
    "mov": "varistor",
    "snubber": "snubber",
    "ntc": "thermistor",
    "divider": "voltage divider",
    "led": "LED",
    "switch": "switch",
}
_MADE_OF = {"divider": "resistor", "burden": "resistor", "snubber": "capacitor"}
# what a board with integrated circuits is never without
_ALWAYS = {"resistor": "resistor", "capacitor": "capacitor"}


def _is_shunt(label: str) -> bool:
    """A shunt is a resistor, and often a track."""
    return "shunt" in label.lower()


@rule("DR-31", "What the chart shows stands in the list of components, with a model that tells its ratings.")
def missing_parts(board: Board) -> Iterator[Finding]:
    """Compare the kinds of the chart with those of the list."""
    if not board.parts:
        raise CannotJudge("the document has no list of components")
    evidence, missing = [], []
    for kind, name in _NAMED.items():
        shown = [
            block
            for block in board.blocks
            if kind in block.kinds
            and not (kind == "ct" and _is_shunt(block.label))
            and not (kind == "led" and "optocoupler" in block.kinds)
        ]
        if shown and not board.of_kind(kind) and not board.of_kind(_MADE_OF.get(kind, kind)):
            missing.append(name)
            evidence.append(
                board.document.cite(shown[0].line, f"the chart shows {shown[0].label!r}, the list no {name}")
            )
    if any(part.kinds & {"mcu", "meter", "ethernet"} for part in board.parts):
        absent = [name for kind, name in _ALWAYS.items() if not board.of_kind(kind)]
        chips = [chip for one in board.parts if (chip := electrical.chip(one.part.model)) is not None]
        if any(chip.crystal for chip in chips) and not board.of_kind("crystal"):
            absent.append("crystal")
        if absent:
            missing += absent
            evidence.append(
                Evidence(f"no {' and no '.join(absent)} among {counted(len(board.parts), 'entry')}", "the list")
            )
    if missing:
        yield Finding(
            "DR-31",
            f"The list has no {joined(missing, 'or')}, so no rating of {'it' if len(missing) == 1 else 'these'} "
            "can be reviewed",
            Severity.MED,
            Certainty.CERTAIN,
            tuple(evidence),
            "Export the whole bill of materials, with models and values, and review again.",
            condition="of the list; a list of key components proves nothing about the board",
        )
