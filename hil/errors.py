"""Every error states whose fault it is, because that decides FAIL against ERROR.

Fields go to the constructor, positionally, so that an error survives pickling; the sentence is made from them.
"""

from __future__ import annotations

from enum import Enum


class Blame(Enum):
    """Whose fault an error is. A bench fault never fails a unit."""

    UNIT = "unit"
    BENCH = "bench"
    SETUP = "setup"


class HilError(Exception):
    """The root of all errors raised by hil on purpose."""

    blame: Blame = Blame.SETUP


class OutOfRange(HilError, ValueError):
    """A value was refused before it reached the wire."""

    def __init__(self, what: str, value: float, low: float, high: float) -> None:
        super().__init__(what, value, low, high)
        self.what, self.value, self.low, self.high = what, value, low, high

    def __str__(self) -> str:
        return f"{self.what} = {self.value:g} is outside {self.low:g} .. {self.high:g}; nothing was sent"


class BenchError(HilError):
    """Something on the bench, not the unit, is at fault: mend it and test the unit again."""

    blame = Blame.BENCH


class NoAnswer(BenchError):
    """An instrument stayed silent past its deadline."""

    def __init__(self, who: str, sent: str, deadline_s: float) -> None:
        super().__init__(who, sent, deadline_s)
        self.who, self.sent, self.deadline_s = who, sent, deadline_s

    def __str__(self) -> str:
        return (
            f"{self.who}: no answer to {self.sent!r} within {self.deadline_s:g} s; "
            f"check its power and cable, then run 'hil station check'"
        )


class NotConnected(BenchError):
    """The link could not be opened, or broke while in use."""

    def __init__(self, who: str, where: str, why: str) -> None:
        super().__init__(who, where, why)
        self.who, self.where, self.why = who, where, why

    def __str__(self) -> str:
        return f"{self.who} at {self.where}: {self.why}; check its power and cable, then run 'hil station check'"


class BadAnswer(BenchError):
    """An answer came that is not what the manual says: empty, stale, garbled or short."""

    def __init__(self, who: str, sent: str, got: str, why: str) -> None:
        super().__init__(who, sent, got, why)
        self.who, self.sent, self.got, self.why = who, sent, got, why

    def __str__(self) -> str:
        return f"{self.who}: asked {self.sent!r}, got {self.got[:80]!r}: {self.why}"


class NoReading(BenchError):
    """The instrument says that it has no valid value: over-range, no data, not a number."""

    def __init__(self, who: str, sent: str, got: str, why: str) -> None:
        super().__init__(who, sent, got, why)
        self.who, self.sent, self.got, self.why = who, sent, got, why

    def __str__(self) -> str:
        return f"{self.who}: no valid reading for {self.sent!r} ({self.got!r}: {self.why}); check range and wiring"


class InstrumentRefused(BenchError):
    """The instrument's own error queue names a mistake."""

    def __init__(self, who: str, sent: str, errors: str) -> None:
        super().__init__(who, sent, errors)
        self.who, self.sent, self.errors = who, sent, errors

    def __str__(self) -> str:
        return f"{self.who}: refused {self.sent!r}: {self.errors}"


class WrongInstrument(BenchError):
    """Another model or serial number answers at this address."""

    def __init__(self, who: str, where: str, expected: str, got: str) -> None:
        super().__init__(who, where, expected, got)
        self.who, self.where, self.expected, self.got = who, where, expected, got

    def __str__(self) -> str:
        return (
            f"{self.who} at {self.where}: expected {self.expected}, but {self.got!r} answers; "
            f"mend stations.toml or swap the cable"
        )


class UnitError(HilError):
    """The unit under test did not do what it must."""

    blame = Blame.UNIT


class UnitSilent(UnitError):
    """The unit's firmware did not answer in time."""

    def __init__(self, who: str, asked: str, deadline_s: float) -> None:
        super().__init__(who, asked, deadline_s)
        self.who, self.asked, self.deadline_s = who, asked, deadline_s

    def __str__(self) -> str:
        return f"{self.who}: no answer to {self.asked} within {self.deadline_s:g} s; is it powered and out of reset?"


class UnitRefused(UnitError):
    """The unit's firmware answered with an error of its own."""

    def __init__(self, who: str, asked: str, code: int, message: str) -> None:
        super().__init__(who, asked, code, message)
        self.who, self.asked, self.code, self.message = who, asked, code, message

    def __str__(self) -> str:
        return f"{self.who}: {self.asked} was refused: {self.message} (code {self.code})"


class SetupError(HilError):
    """The set-up or the command line is wrong; nothing was energised."""

    blame = Blame.SETUP

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


class InterlockOpen(HilError):
    """A safety condition does not hold: lid open, emergency stop pressed, isolator not declared."""

    blame = Blame.SETUP

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return f"interlock: {self.what}; {self.remedy}"
