"""Append events to a run's journal: one JSON object a line, each carrying the SHA-256 of the line before it.

A line leaves this process in one write() and is not buffered here, so a run that is killed leaves a valid prefix.
What must outlive a power cut (the end of a test, of the run, a safe state) is also synchronised to the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.clock import Clock
from hil.errors import BenchError, SetupError
from hil.journal.events import (
    Attachment,
    Event,
    Measurement,
    Note,
    RunFinished,
    RunStarted,
    SafeState,
    TestFinished,
    to_dict,
)
from hil.journal.reader import ATTACHMENTS_NAME, GENESIS, JOURNAL_NAME, parse_journal

_SYNCED = (TestFinished, SafeState, RunFinished)
_AFTER_THE_END = (SafeState, Note, Attachment)  # the guard may still have something to say


class NotJournaled(BenchError):
    """An event could not be put on record, so the run must not go on."""

    def __init__(self, event: str, why: str) -> None:
        super().__init__(event, why)
        self.event, self.why = event, why

    def __str__(self) -> str:
        return f"journal: {self.event} was not recorded: {self.why}"


class DuplicateMeasurement(SetupError):
    """Two measurements of one run have the same name and attempt."""

    def __init__(self, name: str, attempt: int) -> None:
        super().__init__(
            f"measurement {name!r}, attempt {attempt}, is on record already", "give each point a name of its own"
        )
        self.args = (name, attempt)
        self.name, self.attempt = name, attempt


class UnitChanged(SetupError):
    """Two points of one measurement have different units."""

    def __init__(self, base: str, was: str, now: str) -> None:
        super().__init__(
            f"measurement {base!r} is in {was!r} elsewhere in this run, and in {now!r} here", "use one unit"
        )
        self.args = (base, was, now)
        self.base, self.was, self.now = base, was, now


def utc_now() -> datetime:
    """Return the wall time."""
    return datetime.now(UTC)


def new_run_folder(root: Path, serial: str, now: Callable[[], datetime] = utc_now) -> Path:
    """Make root/<serial>/<run-id>; the id is the UTC start and a random suffix, so it sorts by time."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", serial):
        raise SetupError(
            f"serial number {serial!r} cannot name a folder",
            "use up to 64 letters, digits, '.', '_', '+' and '-', beginning with a letter or a digit",
        )
    run_id = f"{now().astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"
    folder = root / serial / run_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror}", "choose another folder for runs") from error
    return folder


class JournalWriter:
    """The only thing that writes during a run. One process at a time; threads may share it."""

    def __init__(self, folder: Path, clock: Clock, now: Callable[[], datetime] = utc_now) -> None:
        """Begin folder/journal.jsonl, which must not exist; `clock` is the bench's, `now` the wall's."""
        self._start(folder, clock, now, os.O_EXCL)

    @classmethod
    def resume(cls, folder: Path, clock: Clock, now: Callable[[], datetime] = utc_now) -> Self:
        """Go on with the journal of a run that died, as the guard does; a torn last line is cut off and noted."""
        writer = cls.__new__(cls)
        writer._start(folder, clock, now, 0)
        try:
            writer._catch_up()
        except BaseException:
            writer.close()
            raise
        return writer

    def _start(self, folder: Path, clock: Clock, now: Callable[[], datetime], flags: int) -> None:
        self.folder = folder
        self._clock, self._now = clock, now
        self._path = folder / JOURNAL_NAME
        self._lock = threading.Lock()
        self._seq, self._prev, self._bytes = 0, GENESIS, 0
        self._names: set[tuple[str, int]] = set()
        self._units: dict[str, str] = {}
        self._finished = False
        # ensure_ascii=False keeps °C and Ω readable; allow_nan=False is what keeps NaN and infinity out
        self._encode = json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
        ).encode
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | flags, 0o644)
        except FileExistsError:
            raise SetupError(f"{self._path} exists", "a run is recorded once: start a new one") from None
        except OSError as error:
            raise SetupError(f"{self._path}: {error.strerror}", "choose another folder for runs") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise SetupError(f"{self._path} is being written by another process", "wait for it, or end it") from None
        if flags:
            self._sync_folder()

    def _catch_up(self) -> None:
        raw = self._path.read_bytes()
        journal = parse_journal(raw, self.folder)
        self._bytes = raw.rfind(b"\n") + 1
        self._seq, self._prev = len(journal.entries), journal.last_hash
        for event in journal.of(Measurement):
            self._names.add((event.name, event.attempt))
            self._units[event.base] = event.unit
        self._finished = journal.finished is not None
        if torn := raw[self._bytes :]:
            os.ftruncate(self._fd, self._bytes)
            digest = hashlib.sha256(torn).hexdigest()
            self.write(Note("", f"the last line was torn: {len(torn)} bytes, SHA-256 {digest}, were cut off"))

    def write(self, event: Event) -> None:
        """Put one event on record; raises NotJournaled (NaN, a full disk), DuplicateMeasurement or UnitChanged."""
        with self._lock:
            if self._finished and not isinstance(event, _AFTER_THE_END):
                raise NotJournaled(event.EVENT, "the run is finished")
            if isinstance(event, Measurement):
                self._check(event)
            elif isinstance(event, RunStarted):
                self._check_start(event)
            data = to_dict(event)
            if isinstance(event, RunStarted) and not event.run_id:
                data["run_id"] = self.folder.name
            self._append(event.EVENT, data)
            if isinstance(event, Measurement):
                self._names.add((event.name, event.attempt))
                self._units.setdefault(event.base, event.unit)
            elif isinstance(event, _SYNCED):
                os.fsync(self._fd)
                self._finished = self._finished or isinstance(event, RunFinished)

    def attach(self, test: str, name: str, data: bytes, media_type: str) -> str:
        """Keep data as attachments/<sha256> and put it on record; return the SHA-256, in hex."""
        sha256 = hashlib.sha256(data).hexdigest()
        folder = self.folder / ATTACHMENTS_NAME
        path = folder / sha256
        try:
            folder.mkdir(exist_ok=True)
            if not path.exists():  # the same bytes twice are one file
                part = folder / f".{sha256}.part"
                part.write_bytes(data)
                part.replace(path)
        except OSError as error:
            raise NotJournaled(f"attachment {name!r}", str(error.strerror)) from error
        self.write(Attachment(test, name, sha256, media_type, len(data)))
        return sha256

    def _check(self, event: Measurement) -> None:
        if (event.name, event.attempt) in self._names:
            raise DuplicateMeasurement(event.name, event.attempt)
        was = self._units.get(event.base, event.unit)
        if was != event.unit:
            raise UnitChanged(event.base, was, event.unit)
        if event.value is None and event.verdict != "refused":
            raise NotJournaled(f"measurement {event.name!r}", f"it has no value, so it cannot be {event.verdict!r}")

    def _check_start(self, event: RunStarted) -> None:
        if self._seq:
            raise NotJournaled(event.EVENT, "the run has started already")

    def _append(self, name: str, data: dict[str, Any]) -> None:
        if not self._seq and name != RunStarted.EVENT:
            raise NotJournaled(name, f"a record begins with {RunStarted.EVENT}")
        head = {
            "seq": self._seq,
            "utc": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "bench_s": self._clock.now_s(),
            "event": name,
            "prev": self._prev,
        }
        try:
            line = self._encode(head | data).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise NotJournaled(f"{name} {data.get('name', '')!r}", f"{error}; {_culprit(data)}") from error
        self._put(name, line + b"\n")
        self._seq += 1
        self._prev = hashlib.sha256(line).hexdigest()

    def _put(self, name: str, line: bytes) -> None:
        """Write a whole line or nothing: half a line in the middle would be damage."""
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(None, f"only {written} of {len(line)} bytes fitted")
        except OSError as error:
            os.ftruncate(self._fd, self._bytes)
            raise NotJournaled(name, f"{error.strerror}; is the disk full?") from error
        self._bytes += len(line)

    def _sync_folder(self) -> None:
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close the file; safe any number of times."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _culprit(data: dict[str, Any]) -> str:
    """Name the first field that JSON cannot hold."""
    for key, value in data.items():
        try:
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError, RecursionError):
            return f"{key} = {value!r:.120}"
    return "no single field is at fault"
