"""Where each key of a TOML document stands: tomllib gives the values, but not their lines.

The scanner reads documents that tomllib accepts. It knows keys, strings and brackets, and skips the rest.
Ref: TOML 1.0.0, sections Keys, String, Array, Table, Inline Table, Array of Tables
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_BLANK = " \t"
_BLANK_LINES = " \t\r\n"


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, on which each key, table and array element of the document first stands."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over the text; `_at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        self._lines: dict[KeyPath, int] = {}
        self._array_lengths: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK_LINES)
        while self._at < len(self._text):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK_LINES)
        return self._lines

    def _peek(self, width: int = 1) -> str:
        return self._text[self._at : self._at + width]

    def _skip(self, blanks: str) -> None:
        """Pass over blanks and, where lines may break, comments."""
        while self._at < len(self._text):
            if self._text[self._at] in blanks:
                self._at += 1
            elif self._text[self._at] == "#" and "\n" in blanks:
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _note(self, path: KeyPath, at: int) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, at))

    def _header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]` and return the path of the table that it opens."""
        start, is_array = self._at, self._peek(2) == "[["
        self._at += 2 if is_array else 1
        keys = self._dotted_key()
        self._at += 2 if is_array else 1
        path = (*self._resolve((), keys[:-1], start), keys[-1])
        self._note(path, start)
        if is_array:
            index = self._array_lengths.get(path, 0)
            self._array_lengths[path] = index + 1
            path = (*path, index)
            self._note(path, start)
        return path

    def _resolve(self, base: KeyPath, keys: tuple[str, ...], start: int) -> KeyPath:
        """Go down keys from base, into the newest element of each array of tables on the way."""
        path = base
        for key in keys:
            path = (*path, key)
            self._note(path, start)
            if path in self._array_lengths:
                path = (*path, self._array_lengths[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        keys = self._dotted_key()
        path = (*self._resolve(table, keys[:-1], start), keys[-1])
        self._note(path, start)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _dotted_key(self) -> tuple[str, ...]:
        keys = []
        while True:
            self._skip(_BLANK)
            keys.append(self._simple_key())
            self._skip(_BLANK)
            if self._peek() != ".":
                return tuple(keys)
            self._at += 1

    def _simple_key(self) -> str:
        start = self._at
        if self._peek() in {'"', "'"}:
            self._string()
            key = tomllib.loads(f"key = {self._text[start : self._at]}")["key"]
            assert isinstance(key, str)
            return key
        while self._peek() and (self._peek() in "-_" or self._peek().isalnum()):
            self._at += 1
        if self._at == start:
            raise ValueError(f"no key at offset {start}: the document is not TOML")
        return self._text[start : self._at]

    def _string(self) -> None:
        """Pass over a string of any of the four kinds."""
        quote = self._peek()
        delimiter = quote * 3 if self._peek(3) == quote * 3 else quote
        self._at += len(delimiter)
        while self._at < len(self._text) and self._peek(len(delimiter)) != delimiter:
            self._at += 2 if quote == '"' and self._peek() == "\\" else 1
        self._at += len(delimiter)
        while len(delimiter) == 3 and self._peek() == quote:  # up to two quotes may stand before the closing three
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        character = self._peek()
        if character in {'"', "'"}:
            self._string()
        elif character == "[":
            for index in self._elements("]"):
                self._note((*path, index), self._at)
                self._value((*path, index))
        elif character == "{":
            for _ in self._elements("}"):
                self._pair(path)
        else:
            while self._peek() and self._peek() not in ",]}#\n":
                self._at += 1

    def _elements(self, closing: str) -> Iterator[int]:
        """Yield at the start of each element of an array or inline table; pass over the closing bracket at the end."""
        self._at += 1
        index = 0
        self._skip(_BLANK_LINES)
        while self._peek() not in {closing, ""}:
            yield index
            index += 1
            self._skip(_BLANK_LINES)
            if self._peek() == ",":
                self._at += 1
            self._skip(_BLANK_LINES)
        self._at += 1
