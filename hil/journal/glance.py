"""A quick look at a run: its chain is proven, but only the few lines that say how it ended are understood.

Reading a journal in full takes ten times as long; a list of runs need not wait for that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.journal.events import Event, Instrument, RunFinished, RunStarted, SafeState, TestFinished, TestStarted
from hil.journal.lasted import lasted_s
from hil.journal.reader import GENESIS, JOURNAL_NAME, Journal, JournalDamaged, parse_entry, parse_journal, read_bytes

_HEAD = re.compile(
    rb'\{"seq":(?P<seq>\d+),"utc":"(?P<utc>[^"\\]+)","bench_s":(?P<bench_s>-?\d{1,15}(?:\.\d+)?(?:e-?\d\d)?),'
    rb'"event":"(?P<event>\w+)","prev":"(?P<prev>[0-9a-f]{64})"[,}]'
)
_TELLING = (RunStarted, Instrument, TestStarted, TestFinished, SafeState, RunFinished)
_NAMES = frozenset(kind.EVENT.encode() for kind in _TELLING)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a list of runs says: `events` are those that tell how it went, in their order."""

    started: RunStarted
    events: tuple[Event, ...]
    lines: int
    torn: bool
    lasted_s: float


def glance(folder: Path) -> Glance:
    """Look at folder/journal.jsonl; raises what read_journal raises."""
    raw = read_bytes(folder / JOURNAL_NAME)
    try:
        quick = _quickly(raw)
    except (ValueError, TypeError, JournalDamaged):
        quick = None
    return quick or _slowly(parse_journal(raw, folder))  # which says what is wrong, or that nothing is


def _quickly(raw: bytes) -> Glance | None:
    *lines, rest = raw.split(b"\n")
    prev = GENESIS.encode()
    events: list[Event] = []
    times: list[tuple[str, float]] = []
    for number, line in enumerate(lines, 1):
        head = _HEAD.match(line)
        if head is None or head["prev"] != prev or int(head["seq"]) != number - 1:
            return None
        if number in {1, len(lines)} or head["event"] in _NAMES:  # no digest speaks for the last line
            event = parse_entry(number, line, prev.decode()).event
            if isinstance(event, _TELLING):
                events.append(event)
        times.append((head["utc"].decode(), float(head["bench_s"])))
        prev = hashlib.sha256(line).hexdigest().encode()
    return _glance(events, times, bool(rest)) if events else None


def _slowly(journal: Journal) -> Glance:
    events = [event for event in journal.events if isinstance(event, _TELLING)]
    return _glance(events, [(entry.utc, entry.bench_s) for entry in journal.entries], journal.torn)


def _glance(events: Sequence[Event], times: list[tuple[str, float]], torn: bool) -> Glance:
    started = events[0]
    assert isinstance(started, RunStarted)  # the reader proved it
    return Glance(started, tuple(events), len(times), torn, lasted_s(times, simulated=started.simulated))
