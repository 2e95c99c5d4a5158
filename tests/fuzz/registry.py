"""What is fuzzed: functions from bytes to nothing, each with its invariants as asserts, by name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hil.errors import Blame, HilError

CORPUS = Path(__file__).parent / "corpus"
Check = Callable[[bytes], None]
TARGETS: dict[str, Target] = {}
# what breaks parsers of text: digits beyond Python's limit, digits that are none, infinities, depth, halves of UTF-8
NASTY = (
    b"9" * 4400, b"\xb2", b"1E999", b"-0", b"9.9E+37", b"NAN", b"Infinity", b"[" * 2000, b'{"a":' * 2000, b"\xff\xfe",
    b"\x00", b"\n", b"\r\n", b",", b";", b'"', b'"""', b"\xc3", b"\\ud800", b" " * 300, b"null", b"1e400", b"\t",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under its invariants. `wire`: what it reads comes from a peer; `tokens` are words of its language."""

    name: str
    check: Check
    wire: bool
    tokens: tuple[bytes, ...]

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """Valid inputs, from corpus/NAME.jsonl; its first line says where they come from."""
        return read_corpus(self.name)


def target(*, wire: bool = True, tokens: tuple[bytes, ...] = ()) -> Callable[[Check], Check]:
    """Register a check under its function's name."""

    def register(check: Check) -> Check:
        name = check.__name__
        assert name not in TARGETS
        TARGETS[name] = Target(name, check, wire, tokens)
        return check

    return register


@cache
def read_corpus(name: str) -> tuple[bytes, ...]:
    lines = [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert "source" in lines[0], f"the first line of {name}.jsonl says where its inputs come from"
    return tuple(_bytes(line) for line in lines[1:])


def _bytes(line: dict[str, str]) -> bytes:
    if "file" in line:
        return (Path(__file__).parents[2] / line["file"]).read_bytes()
    return bytes.fromhex(line["hex"]) if "hex" in line else line["text"].encode("utf-8")


@contextmanager
def only(*kinds: type[HilError], blame: Blame | None = None):
    """Let a parser refuse its input with these errors, blamed as said, that print and survive pickling; nothing else.

    Yields a list that is empty after a success and holds the error after a refusal.
    """
    refused: list[HilError] = []
    try:
        yield refused
    except kinds as error:
        refused.append(error)
    for error in refused:
        assert blame is None or error.blame is blame, f"{error!r} blames {error.blame}"
        str(error).encode("utf-8")  # it goes into the journal and onto the terminal
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.args) == (type(error), error.args)
