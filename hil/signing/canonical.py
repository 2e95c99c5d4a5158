"""JSON with one spelling: what has another was written by somebody else, or changed."""

from __future__ import annotations

import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Return a value as JSON: sorted keys, no blanks, ASCII, a newline at its end."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def read_canonical(raw: bytes) -> Any:
    """Return the value of canonical JSON; raises ValueError for any other spelling, as of a key twice."""
    try:
        value = json.loads(raw)
        same = canonical(value) == raw
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not same:
        raise ValueError("its spelling is not the one that is signed")
    return value
