"""Start-up: can the controller be reset and programmed, and what do its outputs do until the program runs."""

from __future__ import annotations

from collections.abc import Iterator

from hil.review.board import Board
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.kinds import kinds_of
from hil.review.rule import rule
from hil.review.rules.ethernet import known_chip
from hil.review.rules.straps import cited


def _access(board: Board) -> frozenset[str]:
    """What the list and the chart offer for reset and programming: "reset", "boot", "programming".

    A connector is what its role details say, whatever symbol it was drawn with; only one without details is judged by
    the names of its pins.
    """
    found: set[str] = set()
    entries = []
    for part in board.parts:
        said = part.topics
        if "connector" in part.kinds and not part.part.details:
            said = said | kinds_of(" ; ".join(pin.name for pin in part.part.pins)) | kinds_of(part.part.name)
        if part is not board.controller:
            entries.append((said, "connector" in part.kinds))
    entries += [(block.kinds, "connector" in block.kinds) for block in board.blocks if not block.net]
    for said, is_connector in entries:
        if is_connector and said & {"usb", "jtag", "uart", "programming"} and not said & {"rs485", "meter"}:
            found.add("programming")
            if said & {"usb", "jtag", "boot", "enable", "reset"}:
                found.update({"boot"})
            if said & {"enable", "reset"}:
                found.add("button")
        if said & {"button", "switch"} and said & {"boot", "reset", "enable"}:
            found.add("button")
            found.update(said & {"boot"})
        if "rc" in said and said & {"enable", "reset"} and not said & {"phy", "relay"}:
            found.add("rc")
    return frozenset(found)


@rule(
    "DR-32", "The controller can be reset, started in download mode and programmed; its reset rises after its supply."
)
def reset_and_programming(board: Board) -> Iterator[Finding]:
    """Judge what the list offers for reset, boot mode and programming."""
    controller, chip = known_chip(board)
    access = _access(board)
    missing = []
    if not access & {"button", "boot"}:
        missing.append("reset or boot button")
    if "rc" not in access:
        missing.append("RC delay or supervisor at the reset pin")
    if "programming" not in access:
        missing.append("programming connector (UART, USB or JTAG)")
    if not missing:
        return
    reset = chip.sources.get("reset") or Evidence(
        "an RC delay at EN is recommended", "Espressif hardware design guidelines of the chip family [GK]"
    )
    yield Finding(
        "DR-32",
        f"nothing listed for {controller.ref}: no {', no '.join(missing)}",
        Severity.MED,
        Certainty.CERTAIN,
        (
            board.document.quote(controller.part),
            Evidence(f"no entry of the list is one: {', '.join(missing)}", board.document.name),
            reset,
        ),
        "add what is missing, or list it" + (f"; {reset.text}" if "rc" not in access else ""),
        "of the list, which is headed key components; the board may have more",
    )


@rule("DR-35", "Outputs that switch relays have a defined level from power-up until the program drives them.")
def outputs_during_reset(board: Board) -> Iterator[Finding]:
    """Judge whether the document says what holds relay outputs off during reset and boot."""
    _, chip = known_chip(board)
    used = [use for use in board.gpios if use.kinds & {"coil", "relay"} and use.direction != "in"]
    stated = kinds_of(" ; ".join(use.function for use in used))
    drivers = [part for part in board.parts if part.kinds & {"driver", "transistor", "optocoupler", "relay"}]
    if not used or stated & {"pull-down", "pull-up"}:
        return
    if any(part.topics & {"pull-down", "pull-up"} for part in drivers):
        return
    if any(block.kinds & {"pull-down", "pull-up"} for block in board.blocks):
        return
    debug = {gpio: name for name, gpio in chip.jtag.items()}
    special = [
        f"GPIO{gpio} starts as {debug[gpio]}" if gpio in debug else f"GPIO{gpio} is a strapping pin"
        for gpio in sorted({use.gpio for use in used})
        if gpio in debug or chip.strap(gpio)
    ]
    gpios = ", ".join(f"GPIO{gpio}" for gpio in sorted({use.gpio for use in used}))
    yield Finding(
        "DR-35",
        f"the document does not say what holds {gpios} off during reset and boot, and "
        f"{'they switch relays' if len({use.gpio for use in used}) > 1 else 'it switches a relay'}"
        + (f"; {', '.join(special)}" if special else ""),
        Severity.MED,
        Certainty.DEPENDS,
        (*cited(board, used), chip.sources["jtag"] if special else chip.sources["gpio"]),
        "pull each driver's input to its off level, and test for pulses at every reset",
        "on the pulls at the drivers, which the document does not give",
    )
