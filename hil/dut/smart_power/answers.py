"""What the firmware's methods return, not yet believed: a key that is missing, or of another kind, is its own fault."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.errors import UnitError
from hil.links.redact import redact
from hil.links.rpc import Rpc


class UnexpectedAnswer(UnitError):
    """The unit answered, but not what its API says."""

    def __init__(self, method: str, got: str, why: str) -> None:
        super().__init__(method, got, why)
        self.method, self.got, self.why = method, got, why

    def __str__(self) -> str:
        return f"unit: {self.method} answered {self.got[:80]}: {self.why}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a call, or one table in it."""

    method: str
    got: Any

    def number(self, key: str) -> float:
        """Return a finite number; a whole one may have been sent without its point."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.unexpected(f"{key} is no number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.unexpected(f"{key} is no finite number")
        return number

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number from low to high."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.unexpected(f"{key} is no whole number from {low} to {high}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; with a default, the key may be missing or null."""
        value = self._value(key) if default is None else self.table.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.unexpected(f"{key} is no text")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.unexpected(f"{key} holds half a character")  # JSON can say it; no file can keep it
        return value

    def word(self, key: str) -> str:
        """Return a text or a whole number, as text; "" where the key is missing or null."""
        value = self.table.get(key)
        return str(value) if isinstance(value, int) and abs(value) < 1 << 64 else self.text(key, "")

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._value(key)
        if not isinstance(value, bool):
            raise self.unexpected(f"{key} is neither true nor false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        rows = self._list(key)
        return tuple(Answer(self.method, {key: row}).text(key) for row in rows)

    def rows(self, key: str) -> list[Answer]:
        """Return a list of tables."""
        return [Answer(self.method, row) for row in self._list(key)]

    def inner(self, key: str) -> Answer:
        """Return a table in it."""
        return Answer(self.method, self._value(key))

    @property
    def table(self) -> Mapping[str, Any]:
        """The whole table."""
        if not isinstance(self.got, dict):
            raise self.unexpected("no object")
        return self.got

    def unexpected(self, why: str) -> UnexpectedAnswer:
        """Return the error that says what was wrong with it."""
        return UnexpectedAnswer(self.method, redact(repr(self.got)), why)

    def _value(self, key: str) -> Any:
        if key not in self.table:
            raise self.unexpected(f"it lacks {key}")
        return self.table[key]

    def _list(self, key: str) -> list[Any]:
        value = self._value(key)
        if not isinstance(value, list):
            raise self.unexpected(f"{key} is no list")
        return value


def ask(rpc: Rpc, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Answer:
    """Call a method; its answer is believed key by key."""
    if timeout_s is None:
        return Answer(method, rpc.call(method, params))
    return Answer(method, rpc.call(method, params, timeout_s))
