"""Did you mean ...?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a clause that names the closest known word, or lists all of them when none is close; may be empty."""
    words = sorted(known)
    close = closest(word, words)
    if close is not None:
        return f"did you mean {close!r}?"
    return f"known: {', '.join(words)}" if words else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest in spelling, whatever its case, or None when none is near."""
    by_folded = {known_word.casefold(): known_word for known_word in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
