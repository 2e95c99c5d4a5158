"""The mains side: fuse, varistor, earth, which conductor is switched, snubbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hil.review import circuit
from hil.review.board import Block, Board
from hil.review.finding import CannotJudge, Certainty, Evidence, Finding, Severity
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.wording import counted, joined, names


def _mains_v(board: Board) -> tuple[float, Evidence]:
    """The mains voltage that the document names, or the usual one."""
    for block in board.blocks:
        if volts := electrical.mains_v(block.label):
            return volts, board.document.cite(block.line, f"mains: {block.label!r}")
    for part in board.document.parts:
        if volts := electrical.mains_v(part.details):
            return volts, board.document.quote(part)
    table = electrical.mains()
    return table["nominal_v"], electrical.cited(table, "nominal", f"mains of {table['nominal_v']:g} V")


def _socket_fuses(board: Board) -> Iterator[tuple[Block, float, int]]:
    """Each fuse on the way to sockets: its block, its rating in amperes, and how many sockets share one fuse."""
    outlets = circuit.sockets(board, circuit.LIVE)
    for fuse in board.blocks_of("fuse"):
        behind = {block.id for block in board.downstream([fuse])}
        fed = sum(block.count for block in outlets if block.id in behind)
        if not fed:
            continue
        rated_a = electrical.current_a(fuse.label)
        if rated_a is None:
            said = (electrical.current_a(f"{one.part.model} {one.part.details}") for one in board.of_kind("fuse"))
            rated_a = next((value for value in said if value is not None), None)
        if rated_a is None:
            raise CannotJudge(f"the rating of {fuse.label!r} is not stated")
        yield fuse, rated_a, math.ceil(fed / fuse.count)


@rule(
    "DR-23",
    "A fuse that sockets share carries the current of a small plug for each of them, and never less than the smallest "
    "rating of a socket.",
)
def shared_fuse(board: Board) -> Iterator[Finding]:
    """Compare the fuse on the way to the sockets with what sockets are for."""
    table = electrical.mains()
    for fuse, rated_a, fed in _socket_fuses(board):
        needed_a = max(table["socket_a"], fed * table["plug_a"])
        if rated_a >= needed_a:
            continue
        volts, said = _mains_v(board)
        power_w = rated_a * volts
        yield Finding(
            "DR-23",
            f"One {rated_a:g} A fuse in the live path limits {counted(fed, 'socket')} together to "
            f"{rated_a:g} A x {volts:g} V = {power_w:.1f} W, {power_w / fed:.0f} W each",
            Severity.CRITICAL,
            Certainty.CERTAIN,
            (
                board.document.cite(fuse.line),
                said,
                electrical.cited(table, "plug", f"the smallest plug draws up to {table['plug_a']:g} A"),
                electrical.cited(table, "socket", f"the smallest socket is rated {table['socket_a']:g} A"),
            ),
            "State what the fuse is for. If for the supply alone, take it out of the sockets' path and protect "
            "that path "
            f"for what its contacts, tracks and terminals carry; if for all, label the strip {rated_a:g} A in total.",
        )


@rule("DR-24", "What is metered behind a fuse can be metered at a standard basic current, without end.")
def metering_above_fuse(board: Board) -> Iterator[Finding]:
    """Compare the fuse with the smallest standard basic current of a meter."""
    if not board.of_kind("meter"):
        return
    table = electrical.mains()
    basic_a = table["basic_a"]
    for fuse, rated_a, _ in _socket_fuses(board):
        if rated_a >= basic_a:
            continue
        volts, said = _mains_v(board)
        yield Finding(
            "DR-24",
            f"A metering point of {basic_a * volts:.0f} W, {basic_a:.3f} A is {basic_a / rated_a:.3f} x the fuse's "
            "rating: "
            "outside any continuous rating",
            Severity.HIGH,
            Certainty.CERTAIN,
            (
                board.document.cite(fuse.line),
                said,
                electrical.cited(table, "basic", f"the smallest standard basic current is {basic_a:g} A"),
            ),
            f"Declare a basic current below it, meter and certify at {math.floor(rated_a):g} A and less, or lead the "
            "metered current past the fuse for the test.",
        )


@rule(
    "DR-25",
    "A varistor lies across the line behind the fuse, and elements lead to earth: never in series with a conductor.",
)
def series_varistor(board: Board) -> Iterator[Finding]:
    """Look for a varistor with the same conductor before and behind it."""
    varistors = board.blocks_of("mov")
    for varistor in varistors:
        ends = {
            block.id: (conductor, block)
            for step in (board.before, board.after)
            for conductor, block in circuit.nearest(board, varistor, step)
        }
        met = {conductor for conductor, _ in ends.values()}
        if len(ends) < 2 or len(met) != 1 or circuit.EARTH in met:
            continue
        to_earth = any(
            circuit.mains(board, near) == circuit.EARTH
            for one in (*varistors, *board.blocks_of("tvs"))
            for near in (*board.before(one), *board.after(one))
        )
        none = () if to_earth else (Evidence("no element from live or neutral to earth is drawn", "the chart"),)
        yield Finding(
            "DR-25",
            f"{varistor.label!r} is drawn in series with {met.pop()}, "
            f"between {joined(block.label for _, block in ends.values())}",
            Severity.HIGH,
            Certainty.DEPENDS,
            (board.document.cite(varistor.line), *none),
            "Put it from live to neutral behind the fuse, so that the fuse opens when it fails short, and decide "
            "whether "
            "elements to earth are wanted.",
            condition="the chart may mean an order of parts, not a series circuit: the schematic decides",
        )


@rule("DR-26", "Each socket with earth has its earth terminal, and earth enters the board where mains does.")
def earth_terminals(board: Board) -> Iterator[Finding]:
    """Count the terminals of the sockets by conductor, and look for earth at the input."""
    terminals = {
        conductor: [
            one.part
            for one in board.of_kind("connector")
            if "socket" in one.topics and conductor in _said(one.part.details)
        ]
        for conductor in (circuit.LIVE, circuit.NEUTRAL, circuit.EARTH)
    }
    earths = terminals[circuit.EARTH]
    outlets = max(
        len(terminals[circuit.LIVE]),
        len(terminals[circuit.NEUTRAL]),
        *(block.count for block in board.blocks_of("socket")),
        0,
    )
    drawn = circuit.sockets(board, circuit.EARTH)
    if not outlets or not (earths or drawn):
        return  # two-pole sockets have no earth
    few = any(terminals.values()) and len(earths) < outlets  # sockets whose terminals are not listed say nothing
    inputs = [
        one.part
        for one in board.of_kind("connector")
        if "socket" not in one.topics and circuit.LIVE in _said(one.part.details) and _enters(one.part.details)
    ]
    bare = [part for part in inputs if circuit.EARTH not in _said(part.details)]
    elsewhere = any(
        circuit.EARTH in _said(one.part.details) and _enters(one.part.details) for one in board.of_kind("connector")
    )
    unearthed = bool(bare) and not elsewhere
    if not (few or unearthed):
        return
    what = [f"{counted(len(earths), 'earth terminal')} for {counted(outlets, 'socket')}"] if few else []
    what += [f"no earth at the input {names(part.ref for part in bare)}"] if unearthed else []
    poles = {len(part.pins) for part in earths}
    shared = few and bool(poles) and max(poles) * len(earths) >= outlets
    yield Finding(
        "DR-26",
        joined(what)[0].upper() + joined(what)[1:],
        Severity.HIGH,
        Certainty.CERTAIN,
        (
            *(board.document.cite(block.line) for block in drawn),
            *(board.document.quote(part) for part in earths),
            *(board.document.quote(part) for part in (bare if unearthed else ())),
        ),
        "Give each socket its own earth terminal and the input an earth pole, and show earth entering the board; "
        "then test the "
        "bond from each of them.",
        condition="of the list" + ("; the earth terminals have poles enough to be shared" if shared else ""),
    )


def _said(details: str) -> frozenset[str]:
    return circuit.conductors(details)


def _enters(details: str) -> bool:
    return bool(circuit.words(details) & {"INPUT", "INLET", "IN", "SUPPLY", "MAINS"})


@rule("DR-28", "A socket that can be plugged in either way is switched in both its conductors.")
def single_pole_switching(board: Board) -> Iterator[Finding]:
    """Look for one conductor that goes through a contact to the sockets, and another that does not."""
    for conductor, other in ((circuit.LIVE, circuit.NEUTRAL), (circuit.NEUTRAL, circuit.LIVE)):
        switched = [one for one in circuit.sockets(board, conductor) if _way(board, one, conductor) == "contact"]
        straight = [one for one in circuit.sockets(board, other) if _way(board, one, other) == "straight"]
        if not (switched and straight):
            continue
        when = "with live and neutral swapped in the plug, " if conductor == circuit.LIVE else ""
        said = [one.part for one in board.parts if "contacts" in one.topics and conductor in _said(one.part.details)]
        yield Finding(
            "DR-28",
            f"Only {conductor} is switched: {when}a socket stays live when it is off",
            Severity.MED,
            Certainty.CERTAIN,
            (
                *(board.document.cite(line) for block in (*switched, *straight) for line in _lines_to(board, block)),
                *(board.document.quote(part) for part in said[:1]),
            ),
            "Switch both conductors, or keep to plugs that cannot be swapped; otherwise say it in the manual, and "
            "let the "
            "firmware refuse to switch on when it sees them swapped.",
        )


def _way(board: Board, outlet: Block, conductor: str) -> str:
    """How the conductor comes to an outlet: straight, through a contact, or not that one could see ("")."""
    nets = [block for block in board.blocks if circuit.mains(board, block) == conductor]
    free = board.downstream(nets, stop=frozenset({"contacts"}))
    if outlet.id in {block.id for block in free}:
        return "straight"
    return "contact" if outlet.id in {block.id for block in board.downstream(nets)} else ""


def _lines_to(board: Board, block: Block) -> tuple[int, ...]:
    return tuple(dict.fromkeys(flow.line for flow in board.flows if flow.target.id == block.id))


@rule("DR-38", "Whether a socket is off is shown by a load, where a snubber lies across the open contact.")
def leaking_snubber(board: Board) -> Iterator[Finding]:
    """Compute what a snubber across an open contact lets through."""
    shown = [
        block
        for block in board.blocks_of("snubber")
        if any(
            "contacts" in near.kinds or "relay" in near.kinds for near in (*board.before(block), *board.after(block))
        )
    ]
    listed = [one.part for one in board.of_kind("snubber")]
    if not shown and not listed:
        return
    table = electrical.mains()
    told = [
        electrical.capacitance_f(text)
        for text in (*(b.label for b in shown), *(f"{p.model} {p.details}" for p in listed))
    ]
    farads = next((value for value in told if value is not None), None)
    volts, said = _mains_v(board)
    used_f = farads or table["snubber_f"]
    hertz = table["low_frequency_hz"] if volts < table["low_v"] else table["frequency_hz"]
    leaks_a = volts * 2 * math.pi * hertz * used_f
    figure = (
        Evidence(f"{used_f * 1e9:g} nF, as stated", "the document")
        if farads
        else electrical.cited(table, "snubber", f"a capacitance is not stated; {used_f * 1e9:g} nF taken")
    )
    yield Finding(
        "DR-38",
        f"A snubber across an open contact leaks {leaks_a * 1e3:.1f} mA into a socket that is off",
        Severity.INFO,
        Certainty.CERTAIN,
        (
            *(board.document.cite(block.line) for block in shown),
            *(board.document.quote(part) for part in listed),
            figure,
            said,
        ),
        "Test 'off' with a load that draws more than this, never with a voltmeter at an open socket; say in the "
        "manual that "
        "an LED lamp may glimmer.",
        condition="" if farads else "that there are snubbers; not their capacitance",
    )
