"""Append events to a run's journal: one JSON object a line, each carrying the SHA-256 of the line before it.

A line leaves this process in one write() and is not buffered here, so a run that is killed leaves a valid prefix.
What must outlive a power cut is also synchronised to the disk: the end of a test with its attachments, the end of the
run, a safe state; with sync="measurement" each measurement too.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.clock import Clock
from hil.errors import BenchError, SetupError
from hil.journal import disk
from hil.journal.events import (
    CLOCK_SET_BACK,
    TORN,
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
from hil.journal.folders import new_run_folder, utc_now
from hil.journal.reader import ATTACHMENTS_NAME, GENESIS, JOURNAL_NAME, parse_journal

__all__ = ["DuplicateMeasurement", "JournalWriter", "NotJournaled", "UnitChanged", "new_run_folder", "utc_now"]

SYNC = ("test", "measurement")
_ENDS = (TestFinished, SafeState, RunFinished)
_AFTER_THE_END = (SafeState, Note, Attachment)  # the guard may still have something to say
_SET_BACK_S = 1.0  # less is the ordinary discipline of a clock by NTP
_PATIENCE_S = 3.0  # for a run that is just dying; of this computer, not of the bench
_POLL_S = 0.01


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


class JournalWriter:
    """The only thing that writes during a run. One process at a time; threads may share it."""

    def __init__(
        self, folder: Path, clock: Clock, now: Callable[[], datetime] = utc_now, *, sync: str = "test"
    ) -> None:
        """Begin folder/journal.jsonl, which must not exist; `clock` is the bench's, `now` the wall's."""
        self._start(folder, clock, now, sync)
        self._open(os.O_CREAT | os.O_EXCL)
        self._lock_file(_PATIENCE_S)
        try:
            disk.sync(self._folder)
        except OSError as error:
            self.close()
            raise SetupError(f"{self._path}: {disk.in_words(error)}", "or choose another --runs") from error

    @classmethod
    def resume(
        cls,
        folder: Path,
        clock: Clock,
        now: Callable[[], datetime] = utc_now,
        *,
        sync: str = "test",
        patience_s: float = _PATIENCE_S,
    ) -> Self:
        """Go on with the journal of a run that died, as the guard does; a torn last line is cut off and noted.

        A process that was killed holds its files a moment longer, so a lock is waited for.
        """
        writer = cls.__new__(cls)
        writer._start(folder, clock, now, sync)
        writer._open(0)
        writer._lock_file(patience_s)
        try:
            writer._catch_up()
        except BaseException:
            writer.close()
            raise
        return writer

    def _start(self, folder: Path, clock: Clock, now: Callable[[], datetime], sync: str) -> None:
        if sync not in SYNC:
            raise SetupError(f"the journal cannot be synchronised at each {sync!r}", f"choose {' or '.join(SYNC)}")
        self.folder = folder
        self._folder = folder.absolute()  # a test may change the working directory
        self._path = self._folder / JOURNAL_NAME
        self._places = (str(self._path), str(self._folder / ATTACHMENTS_NAME))
        self._clock, self._now = clock, now
        self._synced = (*_ENDS, Measurement) if sync == "measurement" else _ENDS
        self._lock = threading.RLock()
        self._fd = -1
        self._seq, self._prev, self._bytes = 0, GENESIS, 0
        self._told: datetime | None = None  # by the wall clock, for the last line
        self._names: set[tuple[str, int]] = set()
        self._units: dict[str, str] = {}
        self._finished = False
        self._half_written = False  # and could not be taken back
        self._attachments: os.stat_result | None = None  # their folder, once there is one
        self._unsynced: list[Path] = []  # attachments
        # ensure_ascii=False keeps °C and Ω readable; allow_nan=False is what keeps NaN and infinity out
        self._encode = json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
        ).encode

    def _open(self, flags: int) -> None:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o644)
        except FileExistsError:
            raise SetupError(f"{self._path} exists", "a run is recorded once: start a new one") from None
        except OSError as error:
            raise SetupError(f"{self._path}: {disk.in_words(error)}", "or choose another --runs") from error
        self._journal = os.fstat(self._fd)

    def _lock_file(self, patience_s: float) -> None:
        end_s = time.monotonic() + patience_s
        while True:
            try:
                return fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if time.monotonic() >= end_s or error.errno != errno.EWOULDBLOCK:
                    self.close()
                    raise SetupError(
                        f"{self._path} is being written by another process", "wait for it, or end it"
                    ) from None
            time.sleep(_POLL_S)

    def _catch_up(self) -> None:
        try:
            raw = self._path.read_bytes()
        except OSError as error:
            raise SetupError(f"{self._path}: {disk.in_words(error)}", "restore the run's folder") from error
        journal = parse_journal(raw, self.folder)
        self._bytes = raw.rfind(b"\n") + 1
        self._seq, self._prev = len(journal.entries), journal.last_hash
        self._told = datetime.fromisoformat(journal.entries[-1].utc)
        for event in journal.of(Measurement):
            self._names.add((event.name, event.attempt))
            self._units[event.base] = event.unit
        self._finished = journal.finished is not None
        with suppress(OSError):  # that there is no such folder is no news, and leftovers do no harm
            self._attachments = (self._folder / ATTACHMENTS_NAME).stat()
            for part in (self._folder / ATTACHMENTS_NAME).glob(".*.part"):
                part.unlink()
        if torn := raw[self._bytes :]:
            self._half_written = True
            digest = hashlib.sha256(torn).hexdigest()
            self.write(Note("", f"{TORN}: {len(torn)} bytes, SHA-256 {digest}, were cut off"))

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
            elif isinstance(event, RunFinished):
                self._finished = True
            if isinstance(event, self._synced):
                self._sync(event.EVENT)

    def attach(self, test: str, name: str, data: bytes, media_type: str) -> str:
        """Keep data as attachments/<sha256> and put it on record; return the SHA-256, in hex."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._folder / ATTACHMENTS_NAME / sha256
        with self._lock:
            self._check_place(f"attachment {name!r}")
            new = not path.exists()  # the same bytes twice are one file
            if new:
                self._keep(name, path, data)
            try:
                self.write(Attachment(test, name, sha256, media_type, len(data)))
            except BaseException:
                if new:  # what no line names is no part of the record
                    path.unlink(missing_ok=True)
                raise
            if new:
                self._unsynced.append(path)
        return sha256

    def _keep(self, name: str, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(exist_ok=True)
            self._attachments = self._attachments or path.parent.stat()
            part.write_bytes(data)
            part.replace(path)
        except BaseException as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise NotJournaled(f"attachment {name!r}", disk.in_words(error)) from error
            raise

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
        now = self._now().astimezone(UTC)
        if self._told is not None and now < self._told:
            back_s = (self._told - now).total_seconds()
            if back_s > _SET_BACK_S:  # the note's own time is the new one, so it stands once
                note = Note("", f"{CLOCK_SET_BACK} by {back_s:.1f} s or a little more, before this line")
                self._put_line(now, Note.EVENT, to_dict(note))
        self._put_line(now, name, data)

    def _put_line(self, now: datetime, name: str, data: dict[str, Any]) -> None:
        head = {
            "seq": self._seq,
            "utc": now.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z",
            "bench_s": self._clock.now_s(),
            "event": name,
            "prev": self._prev,
        }
        try:
            line = self._encode(head | data).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise NotJournaled(f"{name} {data.get('name', '')!r}", f"{error}; {_culprit(head | data)}") from error
        self._put(name, line + b"\n")
        self._seq += 1
        self._prev = hashlib.sha256(line).hexdigest()
        self._told = now

    def _put(self, name: str, line: bytes) -> None:
        """Write a whole line or nothing: half a line in the middle would be damage."""
        try:
            if self._half_written:
                self._take_back()
            disk.write_all(self._fd, line)
            self._check_place(name)
        except (OSError, NotJournaled) as error:
            self._half_written = True
            with suppress(OSError):  # the first error is the one to tell; the next line tries again
                self._take_back()
            if isinstance(error, OSError):
                raise NotJournaled(name, disk.in_words(error)) from error
            raise
        self._bytes += len(line)

    def _take_back(self) -> None:
        os.ftruncate(self._fd, self._bytes)
        self._half_written = False

    def _check_place(self, name: str) -> None:
        """See that what is written can be found: a file that lost its name still takes every byte."""
        for place, known in zip(self._places, (self._journal, self._attachments), strict=True):
            if known is not None and not disk.same_file(place, known):
                raise NotJournaled(name, f"{place} was removed or moved while the run went on")

    def _sync(self, name: str) -> None:
        """Bring everything so far to the disk itself; the line is written in any case."""
        try:
            if self._unsynced:
                for path in (*self._unsynced, self._folder / ATTACHMENTS_NAME, self._folder):
                    disk.sync(path)
                self._unsynced.clear()
            os.fsync(self._fd)
        except OSError as error:
            raise NotJournaled(name, f"it may not outlive a power cut: {disk.in_words(error)}") from error

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
