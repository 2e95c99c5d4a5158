"""Read a run's journal back and prove that its chain is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from hil.errors import SetupError
from hil.journal.events import READABLE, Event, RunFinished, RunStarted, from_dict

JOURNAL_NAME = "journal.jsonl"
ATTACHMENTS_NAME = "attachments"
GENESIS = "0" * 64  # `prev` of the first line

_E = TypeVar("_E", bound=Event)
_LINE_FIELDS = ("seq", "utc", "bench_s", "event", "prev")


class JournalDamaged(SetupError):
    """A line is not what was written: altered, missing, out of order or unreadable. Lines count from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"journal line {line}: {why}")
        self.args = (line, why)  # so that it survives pickling
        self.line, self.why = line, why


class JournalEmpty(JournalDamaged):
    """There is not one whole line: the run died before its record began."""


class JournalVersion(SetupError):
    """The journal was written in a format this program does not know."""

    def __init__(self, found: object) -> None:
        super().__init__(
            f"this journal has format {found!r}, this program reads {', '.join(map(str, sorted(READABLE)))}",
            "read it with the hil that wrote it",
        )
        self.args = (found,)
        self.found = found


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its number, when it was written (UTC text and bench time in seconds), and its event."""

    seq: int
    utc: str
    bench_s: float
    event: Event


@dataclass(frozen=True)
class Journal:
    """A run's record whose chain is proven; `torn` says that the last line was cut short and left out."""

    folder: Path
    entries: tuple[Entry, ...]
    torn: bool
    last_hash: str

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the events in their order."""
        return tuple(entry.event for entry in self.entries)

    @property
    def started(self) -> RunStarted:
        """Return the first line's event."""
        first = self.entries[0].event
        assert isinstance(first, RunStarted)  # read_journal proved it
        return first

    @property
    def finished(self) -> RunFinished | None:
        """Return the last word of a run that ended in good order, else None."""
        return next(iter(self.of(RunFinished)), None)

    @property
    def run_id(self) -> str:
        """Return the run's id; it stands in the record, so that a renamed folder changes nothing."""
        return self.started.run_id or self.folder.name

    def of(self, kind: type[_E]) -> tuple[_E, ...]:
        """Return the events of one kind, in their order."""
        return tuple(self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> dict[type, list[Any]]:
        found: dict[type, list[Any]] = {}
        for entry in self.entries:
            found.setdefault(type(entry.event), []).append(entry.event)
        return found

    def attachment(self, sha256: str) -> bytes:
        """Return an attachment's bytes; raises SetupError when it is missing or not what was recorded."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):  # it names a file, and comes from whoever wrote the journal
            raise SetupError(f"attachment {sha256!r} is no SHA-256", "restore the run's folder")
        path = self.folder / ATTACHMENTS_NAME / sha256
        if path.exists() and not path.is_file():
            raise SetupError(f"attachment {sha256} is no file", "restore the run's folder")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SetupError(
                f"attachment {sha256} cannot be read: {error.strerror}", "restore the run's folder"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SetupError(f"attachment {sha256} was altered", "restore the run's folder")
        return data


def read_journal(folder: Path) -> Journal:
    """Read folder/journal.jsonl; raises JournalDamaged(line, why), JournalVersion, or SetupError when there is none."""
    return parse_journal(read_bytes(folder / JOURNAL_NAME), folder)


def read_bytes(path: Path) -> bytes:
    """Return what is in the file of a journal; raises SetupError when there is none."""
    try:
        if path.exists() and not path.is_file():
            raise SetupError(f"{path} is no file", "restore the run's folder")
        return path.read_bytes()
    except OSError as error:
        why = "there is no journal" if isinstance(error, FileNotFoundError) else error.strerror
        raise SetupError(f"{path}: {why}", "name the folder of a run; 'hil runs' lists them") from error


def parse_journal(raw: bytes, folder: Path) -> Journal:
    """Parse the bytes of a journal; a last line without its newline is torn, any other flaw is damage."""
    *lines, rest = raw.split(b"\n")
    if not lines:
        cut = f"its only line was cut short after {len(rest)} bytes" if rest else "nothing was written"
        raise JournalEmpty(1, f"{cut}: the run died before its record began")
    entries, prev = [], GENESIS
    for number, line in enumerate(lines, 1):
        entries.append(parse_entry(number, line, prev))
        prev = hashlib.sha256(line).hexdigest()
    return Journal(folder, tuple(entries), torn=bool(rest), last_hash=prev)


def parse_entry(number: int, line: bytes, prev: str) -> Entry:
    """Parse one line, counted from 1, that must name `prev`; raises JournalDamaged or JournalVersion."""
    data = _object(number, line)
    if missing := [name for name in _LINE_FIELDS if name not in data]:
        raise JournalDamaged(number, f"it lacks {', '.join(missing)}")
    seq, utc, bench_s, name, said = (data.pop(field) for field in _LINE_FIELDS)
    if number == 1:
        _check_first(name, data)
    if said != prev:
        raise JournalDamaged(number, "the chain is broken: this line, or the one before it, was altered or removed")
    if type(seq) is not int or seq != number - 1:
        raise JournalDamaged(number, f"its number is {seq!r}, not {number - 1}")
    try:
        if datetime.fromisoformat(utc).utcoffset() is None:
            raise ValueError(f"its time {utc!r} states no zone")
        if type(bench_s) not in {int, float}:
            raise TypeError(f"its bench time {bench_s!r} is no number")
        return Entry(seq, utc, float(bench_s), from_dict(name, data))
    except (SetupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise JournalDamaged(number, str(error)) from error


def is_going_on(folder: Path) -> bool:
    """Say whether some process holds the journal open for writing: the run, or the guard after it."""
    try:
        fd = os.open(folder / JOURNAL_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # gone in microseconds, and the writer waits longer than that
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(fd)
    return False


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        data = _DECODER.decode(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise JournalDamaged(number, f"it is not JSON ({error})") from error
    if not isinstance(data, dict):
        raise JournalDamaged(number, "it is not a JSON object")
    return data


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # 1e999: the writer writes no such number
        raise ValueError(f"{text} is no number that can be kept")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)  # json.loads makes one a line


def _check_first(name: object, data: Mapping[str, Any]) -> None:
    if name != RunStarted.EVENT:
        raise JournalDamaged(1, f"it is {name!r}, but a record begins with {RunStarted.EVENT}")
    if "journal" not in data:
        raise JournalDamaged(1, "it does not state its format")
    # by type as well: true is no format, though Python takes it for 1
    if type(data["journal"]) is not int or data["journal"] not in READABLE:
        raise JournalVersion(data["journal"])
