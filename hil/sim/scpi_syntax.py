"""The grammar of SCPI messages: units, headers with short and long forms, parameters with suffixes, channel lists.

Ref: IEEE 488.2-1992, chapter 7; SCPI-1999, volume 1, chapters 6 to 8
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

# SCPI-1999, volume 2, chapter 21: the texts are part of the standard
ERROR_TEXTS = {
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -121: "Invalid character in number",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -141: "Invalid character data",
    -151: "Invalid string data",
    -161: "Invalid block data",
    -170: "Expression error",
    -171: "Invalid expression",
    -200: "Execution error",
    -203: "Command protected",
    -211: "Trigger ignored",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -241: "Hardware missing",
    -310: "System error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -400: "Query error",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    -440: "Query UNTERMINATED after indefinite response",
}

_HEADER = re.compile(r"(?:\*[A-Za-z]+|:?[A-Za-z]\w*(?::[A-Za-z]\w*)*)\??$")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:\s*[eE]\s*[+-]?[0-9]+)?)\s*([A-Za-z%/]*)$")
_BASES = {"H": 16, "Q": 8, "B": 2}
_MULTIPLIERS = {
    "EX": 1e18,
    "PE": 1e15,
    "T": 1e12,
    "G": 1e9,
    "MA": 1e6,
    "K": 1e3,
    "M": 1e-3,
    "U": 1e-6,
    "N": 1e-9,
    "P": 1e-12,
}
_OPENING, _CLOSING = "([", ")]"
MOST_DIGITS = 9  # of a suffix or a channel: no instrument counts further


class ScpiError(Exception):
    """An entry for the instrument's error queue."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text or ERROR_TEXTS.get(code, "Device-specific error")


def split_outside(text: str, separator: str) -> list[str]:
    """Split at separator, but not inside quotes or parentheses."""
    if separator not in text:
        return [text]
    parts, start, depth, quote = [], 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == separator and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def split_unit(unit: str) -> tuple[str, list[str]]:
    """Split one message unit into its header and its parameters."""
    header, _, rest = unit.strip().partition(" ") if " " in unit.strip() else (unit.strip(), "", "")
    if "\t" in header:
        header, _, more = header.partition("\t")
        rest = f"{more} {rest}"
    rest = rest.strip()
    if not _HEADER.match(header):
        raise ScpiError(-102 if header[:1].isalpha() or header[:1] in ":*" else -101)
    return header, [part.strip() for part in split_outside(rest, ",")] if rest else []


def short_form(mnemonic: str) -> str:
    """Return the short form of a mnemonic in manual notation: VOLTage -> VOLT."""
    return "".join(char for char in mnemonic if not char.islower())


def is_form_of(word: str, mnemonic: str) -> bool:
    """Return whether word is the short or the long form of mnemonic (manual notation), in any case."""
    return word.upper() in {short_form(mnemonic), mnemonic.upper()}


@dataclass(slots=True)
class Node:
    """One node of the command tree; forms holds each child under its short and its long form."""

    forms: dict[str, Node] = field(default_factory=dict)
    suffix: bool = False
    command: Any = None
    query: Any = None

    def add(self, pattern: str, handler: Any) -> None:
        """Hang handler at pattern in manual notation: optional nodes in [], # for a numeric suffix, ? for a query."""
        path, query = pattern.removesuffix("?"), pattern.endswith("?")
        for nodes in _variants(path):
            node = self
            for mnemonic in nodes:
                node = node._child(mnemonic)
            if query:
                node.query = node.query or handler
            else:
                node.command = node.command or handler

    def _child(self, mnemonic: str) -> Node:
        name = mnemonic.removesuffix("#")
        child = self.forms.get(name.upper()) or self.forms.get(short_form(name)) or Node()
        child.suffix = child.suffix or mnemonic.endswith("#")
        self.forms[name.upper()] = self.forms[short_form(name)] = child
        return child

    def find(self, words: Sequence[str]) -> tuple[Node, tuple[int, ...]] | None:
        """Return the node those words lead to and the numeric suffixes on the way (1 where none was sent)."""
        node, suffixes = self, []
        for word in words:
            child = node.forms.get(word)
            if child is not None:
                if child.suffix:
                    suffixes.append(1)
            else:
                stem = word.rstrip("0123456789")
                child = node.forms.get(stem)
                if child is None or stem == word:
                    return None
                if not child.suffix:
                    raise ScpiError(-114)
                if len(word) - len(stem) > MOST_DIGITS:
                    raise ScpiError(-114)
                suffixes.append(int(word[len(stem) :]))
            node = child
        return node, tuple(suffixes)


def _variants(path: str) -> Iterator[list[str]]:
    """Yield every spelling of a path with optional nodes: first with all of them, last without."""
    at = path.find("[")
    if at < 0:
        yield [name for name in path.split(":") if name]
        return
    depth, end = 0, at
    for end in range(at, len(path)):
        depth += {"[": 1, "]": -1}.get(path[end], 0)
        if depth == 0:
            break
    yield from _variants(path[:at] + path[at + 1 : end] + path[end + 1 :])
    yield from _variants(path[:at] + path[end + 1 :])


@dataclass(slots=True)
class Call:
    """One command or query as it came: suffixes of its header, parameters as text, and how to read them."""

    header: str
    suffixes: tuple[int, ...]
    args: list[str]

    @property
    def query(self) -> bool:
        return self.header.endswith("?")

    def text(self, index: int) -> str:
        """Return a parameter as it was sent; raises -109 when it is missing."""
        if index >= len(self.args) or not self.args[index]:
            raise ScpiError(-109)
        return self.args[index]

    def has(self, index: int) -> bool:
        """Return whether the parameter was sent."""
        return index < len(self.args) and bool(self.args[index])

    def string(self, index: int) -> str:
        """Return a quoted string without its quotes."""
        text = self.text(index)
        if len(text) < 2 or text[0] not in "\"'" or text[-1] != text[0]:
            raise ScpiError(-151)
        return text[1:-1].replace(text[0] * 2, text[0])

    def boolean(self, index: int) -> bool:
        """Read ON, OFF or a number."""
        text = self.text(index).upper()
        if text in {"ON", "OFF"}:
            return text == "ON"
        return abs(to_number(text)) >= 0.5  # decimals are rounded (IEEE 488.2, 7.7.2)

    def number(self, index: int, low: float, high: float, unit: str = "", default: float | None = None) -> float:
        """Read a number within low .. high; MIN, MAX and DEF stand for low, high and default."""
        value = to_number(self.text(index), unit, low=low, high=high, default=default)
        if not low <= value <= high:
            raise ScpiError(-222)
        return value

    def integer(self, index: int, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number within low .. high; decimals are rounded (IEEE 488.2, 7.7.2)."""
        return round(self.number(index, low, high, default=default))

    def choice(self, index: int, names: Sequence[str]) -> str:
        """Read one of the names (manual notation) and return its short form."""
        text = self.text(index).strip("\"'")
        for name in names:
            if is_form_of(text, name):
                return short_form(name)
        raise ScpiError(-224 if re.match(r"[A-Za-z]", text) else -104)

    def channels(
        self, index: int, valid: Sequence[int], unknown: Callable[[int], ScpiError] | None = None
    ) -> list[int]:
        """Read a channel list; a range takes the valid channels between its ends."""
        return channel_list(self.text(index), valid, unknown)


def to_number(
    text: str, unit: str = "", low: float | None = None, high: float | None = None, default: float | None = None
) -> float:
    """Read a number in any of SCPI's forms; M is milli, but mega before HZ and OHM (SCPI-1999, 7.2)."""
    for name, value in (("MINimum", low), ("MAXimum", high), ("DEFault", default)):
        if is_form_of(text, name):
            if value is None:
                raise ScpiError(-224)
            return value
    if is_form_of(text, "INFinity"):
        return 9.9e37
    if is_form_of(text, "NINFinity"):
        return -9.9e37
    if text[:1] == "#" and text[1:2].upper() in _BASES:
        try:
            return float(int(text[2:], _BASES[text[1].upper()]))
        except (ValueError, OverflowError) as error:
            raise ScpiError(-121) from error
    found = _NUMBER.match(text)
    if not found:
        raise ScpiError(-121 if text[:1].isdigit() else -104)
    return float("".join(found[1].split())) * _multiplier(found[2].upper(), unit.upper())


def _multiplier(suffix: str, unit: str) -> float:
    if not suffix or suffix == unit:
        return 1.0
    if not unit:
        raise ScpiError(-138)
    prefix = suffix.removesuffix(unit)
    if prefix == suffix or prefix not in _MULTIPLIERS:
        raise ScpiError(-131)
    if prefix == "M" and unit in {"HZ", "OHM"}:
        return 1e6
    return _MULTIPLIERS[prefix]


def channel_list(text: str, valid: Sequence[int], unknown: Callable[[int], ScpiError] | None = None) -> list[int]:
    """Read (@101,103:105) against the channels that exist; order and repeats are kept."""
    inner = text.replace(" ", "")
    if not (inner.startswith("(@") and inner.endswith(")")):
        raise ScpiError(-104)
    known = set(valid)
    channels: list[int] = []
    for part in inner[2:-1].split(","):
        found = re.fullmatch(r"([0-9]{1,9})(?::([0-9]{1,9}))?", part)
        if not found:
            raise ScpiError(-171)
        first, last = int(found[1]), int(found[2] or found[1])
        for end in (first, last):
            if end not in known:
                raise unknown(end) if unknown else ScpiError(-222)
        between = [channel for channel in valid if min(first, last) <= channel <= max(first, last)]
        channels += between if first <= last else between[::-1]
    if not channels:
        raise ScpiError(-109)
    return channels


def definite_block(payload: bytes, digits: int = 8) -> bytes:
    """Wrap payload in an IEEE 488.2 definite-length block; InfiniiVision always writes eight digits."""
    return b"#%d%0*d" % (digits, digits, len(payload)) + payload
