"""Connectors: how many there are for one thing, what they bring out, what they feed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from hil.review.board import Board, Connector
from hil.review.document import Part
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.kinds import kinds_of
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.wording import counted, joined, names

_COMMAND = re.compile(r"^(RELAY|RLY|RL|K)_?\d+(_(SET|RESET|ON|OFF))?$")
_SELECT = re.compile(r"(^|_)N?CS\d*(_|$)|_CS_?\w*$|^CS\w*$")


def _named(connector: Connector, pattern: re.Pattern[str]) -> frozenset[str]:
    return frozenset(pin.net for pin in connector.pins if pattern.search(pin.net))


def _count(connector: Connector, pattern: re.Pattern[str], kind: str) -> int:
    """How many signals of a kind a connector carries, by its pins or by what is said of it."""
    return len(_named(connector, pattern)) or connector.carries.get(kind, 0)


@rule("DR-15", "What goes to one place has one connector: a coil, a set of relay commands, a set of chip selects.")
def repeated_connectors(board: Board) -> Iterator[Finding]:
    """Group the connectors by the coil they lead to, and by the selects or commands they must have in common."""
    coils = {coil.net for coil in board.coils}
    at_coil: dict[str, list[Part]] = defaultdict(list)
    for connector in board.connectors:
        for net in {pin.net for pin in connector.pins} & coils:
            at_coil[net].append(connector.part)
    twice = {net: parts for net, parts in at_coil.items() if len(parts) > 1}
    selects = len({use.gpio for use in board.gpios if "chip select" in use.kinds})
    relays = len({coil.relay for coil in board.coils})
    several = {
        **_alike(board, _SELECT, "chip select", selects),
        **_alike(board, _COMMAND, "relay", relays, "relay command"),
    }
    if not twice and not several:
        return
    if len(power := [one.part for one in board.connectors if _only_power(board, one)]) > 1:
        several["nothing but supply and ground"] = power  # evidence only: power may well be brought out twice
    said = [f"{counted(len(parts), 'connector')} with {what}" for what, parts in several.items()]
    if twice:
        said.insert(0, f"{counted(sum(map(len, twice.values())), 'coil connector')} for {counted(len(twice), 'coil')}")
    yield Finding(
        "DR-15",
        joined(said),
        Severity.MED,
        Certainty.CERTAIN,
        (
            *(
                Evidence(f"{names(part.ref for part in parts)}: all on {net}", _lines(parts))
                for net, parts in twice.items()
            ),
            *(
                Evidence(f"{joined(f'{part.ref} ({part.model})' for part in parts)}: {what}", _lines(parts))
                for what, parts in several.items()
            ),
        ),
        "Say which of them is fitted, and delete the others from schematic, list and layout.",
    )


def _alike(board: Board, pattern: re.Pattern[str], kind: str, there_are: int, name: str = "") -> dict[str, list[Part]]:
    """Connectors that carry the same signals: by their names, or so many of all there are that they must share some."""
    groups: dict[str, list[Part]] = defaultdict(list)
    for connector in board.connectors:
        count = _count(connector, pattern, kind)
        if count and 2 * count > there_are:
            groups[f"the {counted(count, name or kind)}" if count > 1 else f"the {name or kind}"].append(connector.part)
        elif named := _named(connector, pattern):
            groups[joined(sorted(named))].append(connector.part)
    return {what: parts for what, parts in groups.items() if len(parts) > 1}


def _lines(parts: list[Part]) -> str:
    return f"lines {joined(str(part.details_line) for part in parts)}"


def _only_power(board: Board, connector: Connector) -> bool:
    kinds = {board.nets[pin.net].kind for pin in connector.pins if pin.net in board.nets}
    carried = set(connector.carries)
    return bool(kinds | carried) and kinds <= {"supply", "ground"} and carried <= {"supply", "ground"}


@rule("DR-18", "Connectors that command relays carry a signal for every coil.")
def too_few_commands(board: Board) -> Iterator[Finding]:
    """Compare the commands on the connectors with the coils of the board."""
    coils = len(board.coils) or max((block.count for block in board.blocks_of("coil")), default=0)
    all_named = frozenset(net for one in board.connectors for net in _named(one, _COMMAND))
    short = [(one, count) for one in board.connectors if 0 < (count := _count(one, _COMMAND, "relay")) < coils]
    if not short or len(all_named) >= coils:
        return
    most = max(count for _, count in short)
    one_only = len(short) == 1
    yield Finding(
        "DR-18",
        f"The relay {'connector' if one_only else 'connectors'} {names(one.part.ref for one, _ in short)} "
        f"{'carries' if one_only else 'carry'} {counted(most, 'signal')}, and the board has {counted(coils, 'coil')}",
        Severity.HIGH,
        Certainty.CERTAIN,
        (
            *(board.document.quote(one.part) for one, _ in short),
            *(board.document.cite(block.line) for block in board.blocks_of("coil")),
        ),
        "Define the signals: a command that the board turns into SET and RESET, with its levels and timing, or one "
        "line a coil.",
        condition="of the count; what the signals mean is not stated",
    )


@rule("DR-19", "A connector does not bring a chip's bus together with a supply above the chip's absolute maximum.")
def supply_beside_bus(board: Board) -> Iterator[Finding]:
    """Look at the supply pins of connectors that carry the chip selects of known chips."""
    beside: list[tuple[Connector, frozenset[str]]] = []
    reached: list[tuple[Part, electrical.SuppliedChip]] = []
    for connector in board.connectors:
        chips = _selected(board, connector)
        volts = {
            pin.net: net.volts
            for pin in connector.pins
            if (net := board.nets.get(pin.net)) is not None and net.kind == "supply" and net.volts is not None
        }
        above = frozenset(net for net, value in volts.items() if any(value > chip.absolute_max_v for _, chip in chips))
        if above and len(above) == len(volts):  # with a right supply beside it, the other may be for something else
            beside.append((connector, above))
            reached += [pair for pair in chips if pair not in reached]
    if not beside:
        return
    part, chip = min(reached, key=lambda pair: pair[1].absolute_max_v)
    rails = sorted({net for _, above in beside for net in above})
    right = [net.name for net in board.rails() if net.volts is not None and chip.low_v <= net.volts <= chip.high_v]
    instead = joined(right, "or") or f"{chip.low_v:g} V to {chip.high_v:g} V"
    yield Finding(
        "DR-19",
        f"{names(one.part.ref for one, _ in beside)} brings out {joined(rails)} beside the bus of "
        f"{names(one.ref for one, _ in reached)} ({part.model}), whose supply is {chip.low_v:g} V to "
        f"{chip.high_v:g} V and "
        f"{chip.absolute_max_v:g} V at the very most",
        Severity.HIGH,
        Certainty.CERTAIN,
        (*(board.document.quote(one.part) for one, _ in beside), Evidence(f"supply of the {chip.what}", chip.source)),
        f"Bring out {instead} there, or write beside the connector that what is plugged in needs "
        "a regulator "
        "of its own.",
    )


def _selected(board: Board, connector: Connector) -> list[tuple[Part, electrical.SuppliedChip]]:
    """The known chips whose chip select a connector carries: by their designator, or by what the connector is for."""
    words = {word for net in _named(connector, _SELECT) for word in net.split("_")}
    if not words:
        return []
    known = [(one, chip) for one in board.parts if (chip := electrical.chip(one.part.model)) is not None]
    by_name = [(one.part, chip) for one, chip in known if one.ref.upper() in words]
    topics = kinds_of(connector.part.details.partition(":")[0])
    return by_name or [(one.part, chip) for one, chip in known if one.kinds & topics]
