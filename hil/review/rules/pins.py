"""Pins that are not free: memory inside the module, JTAG, the converter that Wi-Fi uses, and the budget of them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hil.review.board import Board, BoardPart
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.gpio_uses import is_clock
from hil.review.kinds import buses, kinds_of
from hil.review.knowledge import Chip
from hil.review.rule import rule
from hil.review.rules.ethernet import known_chip, phys, reset_is_driven
from hil.review.rules.straps import cited, named, only_a_pull
from hil.review.wording import joined, names

_DIGITAL = frozenset({"switch", "button", "optocoupler", "isolator"})  # whatever they sense, they say yes or no
_CONTROL = frozenset({"reset", "interrupt"})
_GPIO_NAME = re.compile(r"(?:GPIO|IO)_?(\d{1,2})(?!\d)", re.IGNORECASE)


def brought_out(controller: BoardPart, chip: Chip) -> frozenset[int]:
    """The GPIOs at the controller's pins: as its entry lists them, else as knowledge has its model."""
    listed: set[int] = set()
    for pin in controller.part.pins:
        names = re.split(r"[/,\s]", pin.name)
        numbers = [int(match[1]) for name in names if (match := _GPIO_NAME.match(name))]
        numbers = numbers or [chip.aliases[name.upper()] for name in names if name.upper() in chip.aliases]
        listed.update(number for number in numbers[:1] if number in chip.gpios)
    return frozenset(listed) or chip.module_gpios(controller.part.model)


@dataclass(frozen=True, slots=True)
class Budget:
    """The controller's GPIOs counted: what it has, what is given away, and what the document still asks for."""

    brought_out: frozenset[int]
    used: frozenset[int]
    uart0: frozenset[int]
    memory: frozenset[int]
    needed: tuple[tuple[str, int, tuple[Evidence, ...]], ...]  # buses without a GPIO: name, signals, lines

    @property
    def left(self) -> int:
        """GPIOs that nothing has yet."""
        return len(self.brought_out - self.used - self.uart0 - self.memory)

    @property
    def spare(self) -> int:
        """What remains when the buses have theirs; negative where they do not fit."""
        return self.left - sum(count for _, count, _ in self.needed)


def budget(board: Board) -> Budget:
    """Count the GPIOs; raise CannotJudge where the controller is not known."""
    controller, chip = known_chip(board)
    out = brought_out(controller, chip)
    memory = frozenset().union(*(taken.gpios for taken in chip.taken(controller.part.model)))
    return Budget(
        out,
        frozenset(use.gpio for use in board.gpios) & out,
        frozenset(chip.uart0) & out,
        memory & out,
        tuple(_needed(board)),
    )


def _needed(board: Board) -> Iterator[tuple[str, int, tuple[Evidence, ...]]]:
    """Buses that the document names and gives no GPIO."""
    clock_given = any("clock" in use.kinds for use in board.gpios)
    for bus, signals in buses().items():
        blocks = [block for block in board.blocks_of(bus) if not block.gpios]
        parts = [part for part in board.parts if bus in part.topics and "connector" not in part.kinds]
        has = _given(board, bus)
        if (blocks or parts) and has < signals:
            lines = [block.line for block in blocks] or [parts[0].part.details_line]
            yield bus.upper(), signals - has, tuple(board.document.cite(line) for line in dict.fromkeys(lines))
    for part, phy in phys(board):
        has = _given(board, "rmii")
        clock = 1 if phy.clock and not clock_given else 0
        if has < len(phy.signals):
            count = len(phy.signals) + clock - has
            yield "RMII with management", count, (board.document.quote(part.part), phy.sources["rmii"])


def _given(board: Board, bus: str) -> int:
    """How many GPIOs are named for a bus; a clock that runs by itself is counted apart."""
    return len({use.gpio for use in board.gpios if bus in use.kinds and not is_clock(use.function)})


@rule("DR-09", "Pins that the memory inside the module takes are given no other function.")
def memory_pins(board: Board) -> Iterator[Finding]:
    """Judge module pins that PSRAM or flash takes: used, or possibly used by signals that no GPIO is named for."""
    controller, chip = known_chip(board)
    counted = budget(board)
    for taken in chip.taken(controller.part.model):
        used = [use for use in board.gpios if use.gpio in taken.gpios]
        pins = sorted(taken.gpios & (counted.brought_out | {use.gpio for use in used}))
        if not pins or not (used or counted.needed):
            continue
        yield Finding(
            "DR-09",
            f"{taken.memory} inside {controller.part.model} takes {joined(f'GPIO{pin}' for pin in pins)}: no signal "
            f"can use {'it' if len(pins) == 1 else 'these'}"
            + (f", and {named(used[0].gpio, used)} does" if used else ""),
            Severity.HIGH,
            Certainty.CERTAIN,
            (
                board.document.quote(controller.part),
                *cited(board, used),
                *(pin for _, _, lines in counted.needed[:1] for pin in lines[:1] if not used),
                taken.source,
            ),
            "assign no signal to them, or choose a module whose memory leaves them free",
        )


@rule("DR-10", "The pins of JTAG are free for a debugger, or the document says what is given up.")
def jtag_pins(board: Board) -> Iterator[Finding]:
    """Judge application loads on JTAG pins."""
    _, chip = known_chip(board)
    used = [use for use in board.gpios if use.gpio in chip.jtag.values() and "jtag" not in use.kinds]
    used = [use for use in used if not only_a_pull(use)]
    if not used:
        return
    signals = {gpio: name for name, gpio in chip.jtag.items()}
    pins = ", ".join(
        f"GPIO{gpio} {signals[gpio]} ({next(use.function for use in used if use.gpio == gpio)})"
        for gpio in sorted({use.gpio for use in used})
    )
    free_usb = chip.usb_jtag and not any(use.gpio in chip.usb for use in board.gpios)
    rest = (
        f"only the USB JTAG at GPIO{chip.usb[0]} and GPIO{chip.usb[1]} would remain"
        if free_usb
        else "no other way to debug remains"
    )
    yield Finding(
        "DR-10",
        f"JTAG pins carry loads of the application: {pins}. An external debugger and these exclude each other; {rest}",
        Severity.MED,
        Certainty.CERTAIN,
        (*cited(board, used), chip.sources["jtag"]),
        "move the loads, or bring out USB JTAG and say that external JTAG is given up",
    )


def _control_pins(board: Board) -> Iterator[str]:
    """Reset and interrupt pins of the listed parts that no GPIO is said to serve: "RESET, IRQ of U1"."""
    served = frozenset().union(*(use.kinds for use in board.gpios)) & {"reset", "interrupt"}
    parts: dict[str, list[str]] = {}
    for part in board.parts:
        if part is board.controller or "connector" in part.kinds:
            continue
        pins = [pin.name for pin in part.part.pins if (kinds_of(pin.name.replace("/", " ")) & _CONTROL) - served]
        if pins:
            parts.setdefault(joined(pins), []).append(part.ref)
    for pins_of_it, refs in parts.items():
        yield f"{pins_of_it} of {names(refs)}"


@rule("DR-11", "The controller has GPIOs for all that the document asks for, and for the control pins of its parts.")
def pin_budget(board: Board) -> Iterator[Finding]:
    """Judge the sum of the GPIOs."""
    controller, chip = known_chip(board)
    counted = budget(board)
    required = [part for part, ethernet in board.ethernet if ethernet.reset_rule and not reset_is_driven(board, part)]
    wanted = list(_control_pins(board))
    if counted.spare >= len(required) and (counted.spare > 0 or not (counted.needed or wanted)):
        return
    needs = " + ".join(f"{count} for {bus}" for bus, count, _ in counted.needed) or "nothing more"
    usb = [gpio for gpio in chip.usb if gpio in counted.brought_out and gpio not in counted.used]
    left_out = "; ".join(wanted)
    yield Finding(
        "DR-11",
        f"the pin budget is {'exhausted' if counted.spare <= 0 else 'too small'}: {len(counted.brought_out)} GPIOs - "
        f"{len(counted.used)} used - {len(counted.uart0 - counted.used)} UART0 - "
        f"{len(counted.memory - counted.used)} taken by memory = {counted.left} left; asked for: {needs}; "
        f"{counted.spare} remain" + (f", none for {left_out}" if left_out and counted.spare <= 0 else ""),
        Severity.HIGH,
        Certainty.CERTAIN,
        (
            board.document.quote(controller.part),
            *(line for _, _, lines in counted.needed for line in lines),
            *cited(board, list(board.gpios)),
            chip.sources["gpio"],
        ),
        "free pins (an expander, Ethernet on SPI instead of RMII), or choose a controller with more of them"
        + (f"; the count leaves nothing of USB (GPIO{usb[0]}, GPIO{usb[1]})" if len(usb) == 2 else ""),
    )


@rule("DR-13", "Analogue inputs stand on a converter that Wi-Fi leaves alone.")
def adc_and_wifi(board: Board) -> Iterator[Finding]:
    """Judge analogue inputs against the converter that Wi-Fi shares, and say so where the trap was avoided."""
    _, chip = known_chip(board)
    if not chip.adc2_shared_with_wifi:
        return
    analogue = [use for use in board.gpios if use.kinds & {"analog", "sense"} and not use.kinds & _DIGITAL]
    for use in analogue:
        if use.gpio in chip.adc2:
            certain = "analog" in use.kinds
            yield Finding(
                "DR-13",
                f"{named(use.gpio, [use])} stands on ADC2 of the {chip.name}, which Wi-Fi uses too",
                Severity.HIGH,
                Certainty.CERTAIN if certain else Certainty.DEPENDS,
                (*cited(board, [use]), chip.sources["adc"]),
                "move it to a pin of ADC1",
                "" if certain else "if it is read by the converter, which the document does not say",
            )
    if analogue and all(use.gpio in chip.adc1 for use in analogue):
        pins = ", ".join(f"GPIO{use.gpio} ({use.function})" for use in analogue)
        stand = "stands" if len(analogue) == 1 else "stand"
        yield Finding(
            "DR-13",
            f"the conflict of ADC2 with Wi-Fi does not apply: {pins} {stand} on ADC1",
            Severity.NONE,
            Certainty.CERTAIN,
            (*cited(board, analogue), chip.sources["adc"]),
            "none needed",
        )
