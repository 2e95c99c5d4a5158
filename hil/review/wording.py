"""How findings speak of several things: counts with the right plural, lists, runs of designators."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

_PLURALS = {"entry": "entries"}


def counted(number: int, what: str) -> str:
    """Return "1 coil", "8 coils"."""
    return f"{number} {what if number == 1 else _PLURALS.get(what, f'{what}s')}"


def joined(items: Iterable[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    words = list(items)
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def names(refs: Iterable[str]) -> str:
    """Return designators with their runs drawn together: "D1 to D8 and Q1", each once, in order."""
    split = sorted({(re.sub(r"\d+$", "", ref), int("0" + "".join(re.findall(r"\d+$", ref)))) for ref in refs})
    said: list[str] = []
    for _, run in groupby(enumerate(split), key=lambda at: (at[1][0], at[1][1] - at[0])):
        group = [f"{letters}{number or ''}" for _, (letters, number) in run]
        said += [f"{group[0]} to {group[-1]}"] if len(group) > 2 else group
    return joined(said)


def sentence(text: str) -> str:
    """Return text as a sentence: a capital first, a stop last."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}" if text else ""
