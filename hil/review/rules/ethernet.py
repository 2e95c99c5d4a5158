"""Ethernet: is there a MAC for the PHY, does its clock have one direction, is it reset, and what may drive it."""

from __future__ import annotations

from collections.abc import Iterator

from hil.review.board import Board, BoardPart
from hil.review.finding import CannotJudge, Certainty, Evidence, Finding, Severity
from hil.review.kinds import kinds_of
from hil.review.knowledge import Chip, Ethernet
from hil.review.rule import rule
from hil.review.wording import names


def known_chip(board: Board) -> tuple[BoardPart, Chip]:
    """The controller and what is known of it; raise CannotJudge where either is missing."""
    if board.controller is None:
        raise CannotJudge("the list has no one microcontroller, or more than one")
    if board.chip is None:
        raise CannotJudge(f"nothing is known of {board.controller.part.model}")
    return board.controller, board.chip


def phys(board: Board) -> list[tuple[BoardPart, Ethernet]]:
    """Ethernet PHYs that need a MAC with RMII; raise CannotJudge where a PHY is listed that nothing is known of."""
    known = [(part, ethernet) for part, ethernet in board.ethernet if ethernet.bus == "rmii"]
    judged = {id(part.part) for part, _ in board.ethernet}
    strange = [part for part in board.of_kind("phy") if id(part.part) not in judged]
    if strange and not known:
        raise CannotJudge(f"nothing is known of the PHY {strange[0].ref} ({strange[0].part.model})")
    return known


def drawn(board: Board, kind: str) -> tuple[Evidence, ...]:
    """The lines of the chart that show blocks of this kind."""
    return tuple(board.document.cite(line) for line in dict.fromkeys(block.line for block in board.blocks_of(kind)))


@rule("DR-01", "A PHY on RMII needs a controller with an Ethernet MAC; a chip without one needs MAC and PHY on SPI.")
def mac_for_the_phy(board: Board) -> Iterator[Finding]:
    """Judge whether each PHY has a MAC to talk to."""
    for part, phy in phys(board):
        controller, chip = known_chip(board)
        if not chip.emac:
            yield Finding(
                "DR-01",
                f"{chip.name} has no Ethernet MAC and no RMII: {controller.ref} cannot exchange frames through "
                f"{part.ref}",
                Severity.BLOCKER,
                Certainty.CERTAIN,
                (
                    board.document.quote(controller.part),
                    board.document.quote(part.part),
                    *drawn(board, "rmii"),
                    chip.sources["emac"],
                    phy.sources["rmii"],
                ),
                "use Ethernet with MAC and PHY on SPI (W5500 class), or a controller with an Ethernet MAC",
            )


@rule("DR-02", "Whatever says which way a clock runs between controller and PHY says the same.")
def one_clock_direction(board: Board) -> Iterator[Finding]:
    """Judge the document's statements on each clock against each other."""
    for gpio in sorted({statement.gpio for statement in board.clocks}):
        said = [statement for statement in board.clocks if statement.gpio == gpio]
        if len({statement.into_controller for statement in said}) == 1:
            continue
        into = next(statement for statement in said if statement.into_controller)
        outof = next(statement for statement in said if not statement.into_controller)
        yield Finding(
            "DR-02",
            f"the direction of the clock at GPIO{gpio} contradicts itself: into the controller in one place, "
            "out of it in another",
            Severity.BLOCKER,
            Certainty.CERTAIN,
            (
                into.evidence,
                outof.evidence,
                *(phy.sources["clock"] for _, phy in board.ethernet if "clock" in phy.sources),
            ),
            "decide who drives the clock, strap the PHY for it, and say the same in chart and list",
        )


@rule("DR-12", "A part whose data sheet demands a reset after power-up has its reset pin driven.")
def phy_reset(board: Board) -> Iterator[Finding]:
    """Judge whether something drives the reset of each Ethernet part that needs one."""
    for part, ethernet in board.ethernet:
        if reset_is_driven(board, part):
            continue
        if not ethernet.reset_rule and ethernet.bus == "rmii":
            raise _not_known(part, "the reset")
        if not ethernet.reset_rule:
            continue
        pin = next((pin for pin in part.part.pins if pin.name.upper() in ethernet.reset_pins), None)
        yield Finding(
            "DR-12",
            f"nothing drives the reset of {part.ref} ({ethernet.name}): {ethernet.reset_rule}",
            Severity.MED,
            Certainty.CERTAIN,
            (
                board.document.cite(pin.line, f"{part.ref} pin {pin.name}") if pin else board.document.quote(part.part),
                Evidence("no GPIO, net or role details name its reset", board.document.name),
                ethernet.sources["reset"],
            ),
            "give the reset a GPIO, or an RC network or supervisor that meets the timing, and say so in the list",
        )


def _not_known(part: BoardPart, what: str) -> CannotJudge:
    return CannotJudge(f"nothing is known of {what} of {part.ref} ({part.part.model})")


def reset_is_driven(board: Board, part: BoardPart) -> bool:
    """Whether the part's own details, a GPIO's function or a block of the chart speak of this part's reset."""
    if "reset" in part.topics:
        return True
    words = ("phy", "ethernet", part.part.model.lower()[:7], part.ref.lower())
    said = [(use.function, use.kinds) for use in board.gpios] + [(block.label, block.kinds) for block in board.blocks]
    return any("reset" in kinds and any(word in text.lower() for word in words) for text, kinds in said)


@rule("DR-37", "No signal above what a part's digital pins tolerate can reach them.")
def nothing_drives_it_too_high(board: Board) -> Iterator[Finding]:
    """Judge whether connectors offer outside logic a supply that an Ethernet part's pins would not stand."""
    for part, ethernet in board.ethernet:
        limit = ethernet.io_max_v
        if limit is None:
            raise _not_known(part, "what voltage the digital pins stand")
        offered = [
            (connector, pin)
            for connector in board.connectors
            for pin in connector.pins
            if "coil" not in kinds_of(connector.part.details)
            and (board.nets[pin.net].volts or 0.0) > limit
            and any(board.nets[other.net].kind == "signal" and "." not in other.net for other in connector.pins)
        ]
        if not offered:
            continue
        connectors = tuple({id(connector.part): connector.part for connector, _ in offered}.values())
        yield Finding(
            "DR-37",
            f"{part.ref} ({ethernet.name}) stands at most {limit:g} V at its digital pins, and "
            f"{names(connector.ref for connector in connectors)} offer{'s' if len(connectors) == 1 else ''} "
            f"{max(board.nets[pin.net].volts or 0.0 for _, pin in offered):g} V to outside logic beside signals: "
            "no such device may drive it",
            Severity.MED,
            Certainty.CERTAIN,
            (
                board.document.quote(part.part),
                *(board.document.quote(connector) for connector in connectors),
                ethernet.sources["io"],
            ),
            f"supply what is connected with at most {limit:g} V, or put level shifters between",
            "of the part's limit; whether a signal of theirs reaches it is in the schematic",
        )
