"""What a text says a thing is, by the words of knowledge/kinds.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from hil.review.document import Part

_SPACES = re.compile(r"[\s_~-]+")
_HEAD_ENDS = re.compile(
    r"\b(?:for|with|on|to|from|of|driven|powered|representing|across|between|using|via|in|if)\b|[,;:(]"
)


@cache
def _tables() -> Mapping[str, Any]:
    text = (resources.files("hil.review") / "knowledge" / "kinds.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _words() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (kind, re.compile(rf"(?<![\w+])(?:{'|'.join(words)})(?!\w)", re.IGNORECASE))
        for kind, words in _tables()["words"].items()
    )


@cache
def _models() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile("|".join(models), re.IGNORECASE)) for kind, models in _tables()["models"].items())


def buses() -> Mapping[str, int]:
    """How many signals each kind of bus needs, its chip selects not counted."""
    return dict(_tables()["buses"])


@cache
def conductor_words() -> Mapping[str, frozenset[str]]:
    """How texts call live, neutral and earth, in capitals."""
    return {name: frozenset(spelled) for name, spelled in _tables()["conductors"].items()}


@cache
def kinds_of(text: str) -> frozenset[str]:
    """Every kind that a word of this text is of: what the text is about."""
    spaced = _SPACES.sub(" ", text)
    return frozenset(kind for kind, pattern in _words() if pattern.search(spaced))


@cache
def head_kinds(text: str) -> frozenset[str]:
    """The kinds of the last word of a text's first noun phrase: what it is ("Relay coil connector": connector)."""
    head = _SPACES.sub(" ", _HEAD_ENDS.split(text, maxsplit=1)[0]).strip(" .")
    found = {kind: match for kind, pattern in _words() for match in pattern.finditer(head) if match.end() == len(head)}
    return frozenset(found)


def model_kinds(model: str) -> frozenset[str]:
    """The kinds a manufacturer's part number tells."""
    return frozenset(kind for kind, pattern in _models() if pattern.match(model))


def part_kinds(part: Part) -> frozenset[str]:
    """What a part is: by its model, its type, its role, and the head of its role details."""
    kinds = model_kinds(part.model) | head_kinds(part.part_type) | head_kinds(part.role) | head_kinds(part.details)
    return kinds | ({"connector"} if "terminal block" in part.part_type.lower() else frozenset())


def part_topics(part: Part) -> frozenset[str]:
    """What a part's role and details speak of, what it is itself included."""
    return part_kinds(part) | kinds_of(f"{part.role} ; {part.details}")
