"""Strapping pins: what the controller reads at reset must not be what the application happens to put there."""

from __future__ import annotations

from collections.abc import Iterator

from hil.review.board import Board, GpioUse
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.gpio_uses import is_clock
from hil.review.knowledge import Chip, Strap, chip_named
from hil.review.rule import rule
from hil.review.rules.ethernet import known_chip

_HARMLESS = frozenset({"boot", "programming", "jtag"})
_PULLS = frozenset({"pull-up", "pull-down"})


def only_a_pull(use: GpioUse) -> bool:
    """Whether this is a resistor that holds the pin, and no function of it."""
    return bool(use.kinds & _PULLS) and not use.kinds - _PULLS - {"resistor", "supply", "ground"}


def loads(board: Board, strap: Strap) -> list[GpioUse]:
    """Uses of a strapping pin by the application: not its boot button, not programming, not its pull."""
    return [
        use
        for use in board.gpio(strap.gpio)
        if not only_a_pull(use)
        and not use.kinds & _HARMLESS
        and not ("button" in use.kinds and strap.selects == "boot mode")
    ]


def _held(board: Board, strap: Strap, used: list[GpioUse]) -> bool:
    """Whether the document says what holds the pin at reset: a pull to its level, or a clock that waits."""
    stated = frozenset().union(*(use.kinds for use in board.gpio(strap.gpio)))
    levels = {strap.normal, strap.download} - {"any"}
    if levels == {"low"}:
        return "pull-down" in stated
    if levels == {"high"}:
        return "pull-up" in stated
    if not levels:
        return bool(stated & {"pull-down", "pull-up"})
    return all(is_clock(use.function) for use in used) and _clock_waits(board, strap.gpio)


def _straps(board: Board, *selects: str) -> Iterator[tuple[Chip, Strap, list[GpioUse]]]:
    """Straps of these kinds (all without any) that the application loads and nothing is said to hold."""
    _, chip = known_chip(board)
    for strap in chip.straps:
        used = loads(board, strap)
        if used and (not selects or strap.selects in selects) and not _held(board, strap, used):
            yield chip, strap, used


def cited(board: Board, used: list[GpioUse]) -> tuple[Evidence, ...]:
    """The lines that give these uses, each once."""
    return tuple(board.document.cite(line) for line in dict.fromkeys(use.line for use in used))


def named(gpio: int, used: list[GpioUse]) -> str:
    """A GPIO with its first function, for a title."""
    return f"GPIO{gpio} ({used[0].function})"


@rule("DR-03", "No clock that runs by itself stands at the pin that selects the boot mode while the controller resets.")
def clock_at_the_boot_strap(board: Board) -> Iterator[Finding]:
    """Judge whether a clock into the controller is at a boot strap and nothing stops it until after reset."""
    for chip, strap, used in _straps(board, "boot mode"):
        running = [use for use in used if is_clock(use.function)]
        if not running or _clock_waits(board, strap.gpio):
            continue
        yield Finding(
            "DR-03",
            f"a clock runs at {named(strap.gpio, running)}, the strapping pin of the boot mode, and can be sampled at "
            f"either level: {strap.effect}",
            Severity.HIGH,
            Certainty.CERTAIN,
            (
                *cited(board, running),
                strap.source,
                chip.sources.get("clock") or _same_hazard(),
            ),
            "take the clock to another pin, or hold the oscillator or PHY silent until the program has started",
        )


def _same_hazard() -> Evidence:
    """The hazard as documented for the chip of the family that takes its clock at a strap."""
    chip = chip_named("ESP32")
    assert chip is not None
    return chip.sources["clock"]


def _clock_waits(board: Board, gpio: int) -> bool:
    """Whether no clock is there at reset: the controller drives it, or a GPIO holds its oscillator or PHY."""
    said = [statement.into_controller for statement in board.clocks if statement.gpio == gpio]
    if said and not any(said):
        return True
    drawn = [block for block in board.blocks if gpio in block.gpios and "clock" in block.kinds]
    oscillator = any("crystal" in near.kinds for block in drawn for near in (block, *board.before(block)))
    holds = frozenset({"crystal", "clock"}) if oscillator else frozenset({"crystal", "clock", "phy", "ethernet"})
    for use in board.gpios:
        if use.kinds & holds and use.kinds & {"enable", "reset", "supply"} and use.gpio != gpio:
            return True
    return False


@rule("DR-04", "Strapping pins carry nothing of the application, or it is said what holds them at reset.")
def loaded_straps(board: Board) -> Iterator[Finding]:
    """Name all strapping pins with application loads, in one finding."""
    straps = list(_straps(board))
    if not straps:
        return
    chip = straps[0][0]
    used = [use for _, _, uses in straps for use in uses]
    pins = ", ".join(named(strap.gpio, uses) for _, strap, uses in straps)
    number = "a strapping pin carries an application load" if len(straps) == 1 else (
        f"{len(straps)} strapping pins carry application loads"
    )  # fmt: skip
    yield Finding(
        "DR-04",
        f"{number}: {pins}",
        Severity.HIGH,
        Certainty.CERTAIN,
        (*cited(board, used), *(strap.source for _, strap, _ in straps), chip.sources["gpio"]),
        "move the loads to pins that are not read at reset, or show for each the level at reset that the load leaves",
    )


@rule("DR-05", "What hangs at the pin that selects the flash voltage cannot pull it to the wrong level at reset.")
def flash_voltage(board: Board) -> Iterator[Finding]:
    """Judge loads on straps that select the supply of the flash."""
    for _, strap, used in _straps(board, "flash voltage"):
        yield Finding(
            "DR-05",
            f"{named(strap.gpio, used)}: {strap.effect}",
            Severity.HIGH,
            Certainty.CERTAIN,
            (*cited(board, used), strap.source),
            f"keep the pin {strap.normal} at reset: a transistor's base with a pull-{_pull(strap.normal)} is safe, a "
            "pull the other way or leakage through the load is not; else burn the eFuse that forces the voltage",
            "of the rule; on this board it depends on the pull and the load's leakage",
        )


def _pull(level: str) -> str:
    return "down" if level == "low" else "up"


@rule("DR-06", "What hangs at a pin that must have a level to enter the download mode can rest at that level.")
def download_strap(board: Board) -> Iterator[Finding]:
    """Judge loads on the second strap of the download mode."""
    for _, strap, used in _straps(board, "download"):
        other = "high" if strap.download == "low" else "low"
        yield Finding(
            "DR-06",
            f"{named(strap.gpio, used)} {strap.effect}: resting {other} it blocks programming",
            Severity.HIGH,
            Certainty.CERTAIN,
            (*cited(board, used), strap.source),
            f"make sure that it rests {strap.download} or floats at reset, or move it to another pin",
            "of the rule; on this board it depends on the level at which it rests",
        )


@rule("DR-07", "A pin that selects the JTAG source has a defined level at reset.")
def jtag_strap(board: Board) -> Iterator[Finding]:
    """Judge loads on the strap of the JTAG source whose level nothing defines at reset."""
    for _, strap, used in _straps(board, "jtag source"):
        kind = next((use for use in used if use.kinds & {"sense", "analog", "mains"}), used[0])
        what = "a level from outside is not a defined strap" if kind.kinds & {"sense", "analog", "mains"} else (
            "its level at reset is whatever the load leaves"
        )  # fmt: skip
        yield Finding(
            "DR-07",
            f"{named(strap.gpio, used)} {strap.effect}: {what}",
            Severity.MED,
            Certainty.CERTAIN,
            (*cited(board, used), strap.source),
            "leave the eFuse unburned, or move the function, or pull the pin to a level that the load cannot overcome",
            "of the rule; on this board it depends on the eFuses and the circuit",
        )


@rule("DR-08", "A pin that is input only drives nothing; what was input only on an earlier chip is judged by this one.")
def input_only(board: Board) -> Iterator[Finding]:
    """Judge outputs on input-only pins, and say of pins that only look input-only that they are not."""
    _, chip = known_chip(board)
    earlier = chip_named(chip.predecessor) if chip.predecessor else None
    for gpio in sorted({use.gpio for use in board.gpios}):
        used = list(board.gpio(gpio))
        driving = [use for use in used if use.direction == "out"]
        if gpio in chip.input_only and driving:
            yield Finding(
                "DR-08",
                f"{named(gpio, driving)} is to drive, and GPIO{gpio} of the {chip.name} is input only",
                Severity.BLOCKER,
                Certainty.CERTAIN,
                (*cited(board, driving), chip.sources["gpio"]),
                "move the function to a pin that can drive",
            )
        elif earlier is not None and gpio in earlier.input_only and gpio not in chip.input_only:
            yield Finding(
                "DR-08",
                f"{named(gpio, used)}: GPIO{gpio} is input only on the {earlier.name} and not on the {chip.name}; it "
                "can serve either way here",
                Severity.INFO,
                Certainty.CERTAIN,
                (*cited(board, used), chip.sources["gpio"], earlier.sources["gpio"]),
                "none needed on this account; what counts here is whether it is a strapping pin"
                if chip.strap(gpio)
                else "none needed",
            )
