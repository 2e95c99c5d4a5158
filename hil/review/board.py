"""The board model: what a document says about a board, put in terms that rules can ask. `build` in
`hil.review.build` makes it. Each fact remembers the line it comes from.

Kinds are words of `knowledge/kinds.toml` ("diode", "flyback", "fuse", "coil", "connector", "meter", ...): they
say what a part or a block of the chart IS by its type, role, model or words, and never which board it is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.review.document import Document, Part
from hil.review.finding import Evidence

if TYPE_CHECKING:
    from hil.review.knowledge import Chip, Ethernet


@dataclass(frozen=True, slots=True)
class BoardPart:
    """A part with what knowledge says it is. `topics`: what its details speak of besides (a coil's flyback: "coil")."""

    part: Part
    kinds: frozenset[str]
    topics: frozenset[str]

    @property
    def ref(self) -> str:
        """Its designator, which is not always its own (DR-16)."""
        return self.part.ref

    @property
    def line(self) -> int:
        """The line of its heading."""
        return self.part.line


@dataclass(frozen=True, slots=True)
class Connection:
    """The document says that this pin of this part is on this net.

    `pin` is the pin's name or number as the details give it. `net` is canonical (`Board.nets`): a name in capitals
    with "_" ("5V_RELAY", "+5V"), or REF.PIN ("Q9.C") for a net that has no name but that of a pin on it.
    """

    part: Part
    pin: str
    net: str
    line: int


@dataclass(frozen=True, slots=True)
class Net:
    """A net: its canonical name, other names the document uses for it, what it is, and the pins said to be on it.

    `kind`: supply | ground | live | neutral | earth | signal. `volts`: nominal, in volts, where the name says so.
    """

    name: str
    aliases: frozenset[str]
    kind: str
    volts: float | None
    pins: tuple[Connection, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GpioUse:
    """A GPIO of the controller is given a function. `direction` as the chip sees it: "in", "out" or "" (not said)."""

    gpio: int
    function: str  # the words of the document, e.g. "NTC", "Buzzer via NPN"
    kinds: frozenset[str]  # of the function: "clock", "analog", "switch", "led", "buzzer", "coil", "chip select", ...
    direction: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the chart. `count`: "4x ..." or "... x8" in its label, else 1. `gpios`: those its label names.

    `net`: the canonical net name where the block is a net ("5V_RELAY", "AC_L_BUS", "GND_LOGIC"), else empty.
    """

    id: str
    label: str
    kinds: frozenset[str]
    count: int
    gpios: tuple[int, ...]
    net: str
    group: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One arrow between blocks, as drawn."""

    source: Block
    target: Block
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector with what the details say it carries.

    `pins`: pins whose net is stated. `carries`: kinds and counts stated without a pin ("SPI + 4 CS + power/ground").
    """

    part: Part
    kinds: frozenset[str]
    pins: tuple[Connection, ...]
    carries: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Coil:
    """One relay coil: its name as the document has it ("K1 SET"), the switched net, and the lines that speak of it."""

    relay: str
    name: str
    net: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClockStatement:
    """The document says which way a clock runs between a GPIO of the controller and a part outside."""

    signal: str
    gpio: int
    into_controller: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Board:
    """A board as its document describes it."""

    document: Document
    parts: tuple[BoardPart, ...]
    blocks: tuple[Block, ...]
    flows: tuple[Flow, ...]
    nets: Mapping[str, Net]
    gpios: tuple[GpioUse, ...]
    connectors: tuple[Connector, ...]
    coils: tuple[Coil, ...]
    clocks: tuple[ClockStatement, ...]
    grounds: tuple[frozenset[str], ...]  # canonical ground nets, those the chart joins (a star point) in one set
    controller: BoardPart | None  # the one microcontroller or module; None where there is none or more than one
    chip: Chip | None  # what knowledge has of it; None where it is not known
    mains: bool  # mains is on it, as some word, model or net says that can mean nothing else
    ethernet: tuple[tuple[BoardPart, Ethernet], ...]  # PHYs and SPI controllers that knowledge has

    def of_kind(self, *kinds: str) -> tuple[BoardPart, ...]:
        """Parts that are all of these kinds, in the order of the list."""
        return tuple(part for part in self.parts if part.kinds.issuperset(kinds))

    def blocks_of(self, *kinds: str) -> tuple[Block, ...]:
        """Blocks of the chart that are all of these kinds, in the order of the chart."""
        return tuple(block for block in self.blocks if block.kinds.issuperset(kinds))

    def after(self, block: Block) -> tuple[Block, ...]:
        """Blocks an arrow leads to from this one."""
        return tuple(flow.target for flow in self.flows if flow.source.id == block.id)

    def before(self, block: Block) -> tuple[Block, ...]:
        """Blocks an arrow comes from to this one."""
        return tuple(flow.source for flow in self.flows if flow.target.id == block.id)

    def downstream(self, start: Iterable[Block], *, stop: frozenset[str] = frozenset()) -> tuple[Block, ...]:
        """Every block that arrows lead to from `start`, itself left out; not beyond a block of a kind in `stop`."""
        seen: dict[str, Block] = {}
        waiting = list(start)
        while waiting:
            block = waiting.pop(0)
            for target in self.after(block):
                if target.id not in seen:
                    seen[target.id] = target
                    if not target.kinds & stop:
                        waiting.append(target)
        return tuple(seen.values())

    def net_of(self, part: Part, pin: str) -> str:
        """The canonical net this pin of this part is said to be on; empty where nothing is said."""
        for net in self.nets.values():
            for connection in net.pins:
                if connection.part is part and connection.pin == pin:
                    return net.name
        return ""

    def rails(self) -> tuple[Net, ...]:
        """The supply nets, by name."""
        return tuple(net for _, net in sorted(self.nets.items()) if net.kind == "supply")

    def gpio(self, number: int) -> tuple[GpioUse, ...]:
        """What the document uses this GPIO for."""
        return tuple(use for use in self.gpios if use.gpio == number)
