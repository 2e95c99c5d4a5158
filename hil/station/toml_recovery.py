"""Read a TOML document past its syntax errors, so that every mistake in it is reported in one go.

tomllib stops at the first error. Here the offending line is taken out and the rest is read again.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_HEADER = re.compile(r"\s*\[")
_HEADER_KEYS = re.compile(r"\s*\[+\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)")
_PAIR = re.compile(r"""\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')[^=\[\]{}"']*=""")
_KEY = re.compile(r"""[\s\["']*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)""")
_LEFT_OPEN = ("Unclosed", "Unterminated", "Invalid value")
_IN_OTHER_WORDS = {
    "Unclosed array": "the array is not closed, or a comma is missing in it",
    "Unclosed inline table": "the inline table is not closed on its line, or a comma is missing in it",
    "Illegal character '\\n'": "the string is not closed",
    "Unterminated string": "the string is not closed",
    "Invalid value": "this is no value: text stands in double quotes",
    "Invalid statement": "this is neither a [table] nor a 'key = value'",
    "Cannot overwrite a value": "this key has a value already",
}
_MISTAKES_AT_MOST = 30


@dataclass(frozen=True, slots=True)
class SyntaxMistake:
    """A line that is not TOML; key is what it seems to have been about, or empty."""

    line: int
    key: str
    what: str


def loads_all(text: str) -> tuple[str, dict[str, Any], list[SyntaxMistake]]:
    """Return the text as it was finally read, its values, and what had to be taken out."""
    lines = text.replace("\r\n", "\n").split("\n")
    mistakes: list[SyntaxMistake] = []
    while len(mistakes) < _MISTAKES_AT_MOST:
        readable = "\n".join(lines)
        try:
            return readable, tomllib.loads(readable), mistakes
        except tomllib.TOMLDecodeError as error:
            line, what = _place(str(error), lines)
        except (ValueError, RecursionError):  # a number of 5000 digits, brackets by the hundred: said without a line
            line, what = _unreadable(lines), "this is too long, or nested too deeply, to be read"
        first, last = _faulty_lines(lines, line, what)
        in_other_words = _IN_OTHER_WORDS.get(what, what[0].lower() + what[1:])
        mistakes.append(SyntaxMistake(first, _about(lines, first), in_other_words))
        _take_out(lines, first, last)
    return "", {}, mistakes


def _about(lines: list[str], line: int) -> str:
    """Guess the key path of a line that cannot be read, from it and from the table header above it."""
    key = _KEY.match(lines[line - 1])
    if key is None or _HEADER.match(lines[line - 1]):
        return key[1] if key else ""
    headers = (_HEADER_KEYS.match(text) for text in reversed(lines[: line - 1]))
    table = next((header[1] for header in headers if header), "")
    return f"{table}.{key[1]}" if table else key[1]


def _place(message: str, lines: list[str]) -> tuple[int, str]:
    """Split tomllib's message into the line it names and the rest."""
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    if place and place["line"]:
        return int(place["line"]), what
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
    return last, "Unterminated string" if what == "Expected \"'''\"" else what


def _faulty_lines(lines: list[str], line: int, what: str) -> tuple[int, int]:
    """Return the first and last line to take out: where a value was left open, tomllib gives up only further down."""
    innocent = _reads(lines[line - 1])
    if not (what.startswith(_LEFT_OPEN) and innocent) and what != "Unterminated string":
        return line, line
    above = range(line, 0, -1)
    first = next((n for n in above if _PAIR.match(lines[n - 1]) and not _reads(lines[n - 1])), line)
    if what == "Unterminated string" or first == line:
        return first, first
    return first, line - 1 if innocent else line


def _take_out(lines: list[str], first: int, last: int) -> None:
    """Blank the lines; a table's header is mended or replaced, else the keys below it would go astray."""
    if not _HEADER.match(lines[first - 1]):
        lines[first - 1 : last] = [""] * (last - first + 1)
        return
    keys = _HEADER_KEYS.match(lines[first - 1])
    mended = f"[{keys[1]}]" if keys else ""
    if mended and _reads("\n".join([*lines[: first - 1], mended])):
        lines[first - 1] = mended
    else:
        lines[first - 1] = f"[unreadable-{first}]"


def _reads(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _unreadable(lines: list[str]) -> int:
    """Return the longest line that cannot be read by itself, or the longest of all."""
    numbers = [number for number, line in enumerate(lines, 1) if line.strip() and not _reads(line)]
    return max(numbers or range(1, len(lines) + 1), key=lambda number: len(lines[number - 1]))
