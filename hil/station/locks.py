"""One bench, one run: a locked file for each instrument and slot, which also remembers how the bench was left.

The lock is flock's: it ends with the last process that holds it, the run's or its guard's. The words in the file are
for the next run: who has the bench; or, when nobody holds the lock any more, who died with it, or left it unsafe. An
empty or missing file is a bench left in good order. Ref: flock(2); files are opened without O_CREAT where they exist,
since Linux refuses it for another user's file in a folder that everybody may write to (fs.protected_regular).
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from hil.errors import BenchError, SetupError
from hil.station.address import same_address

FOLDER = Path("/var/tmp/hil-bench")  # survives a restart of the computer, as the state of a bench does
SECOND_FOLDER = Path("/tmp/hil-bench")  # where that cannot be made, as in a container that is read-only
FOLDER_VARIABLE = "HIL_LOCKS"  # another folder for it
TRIES = 10


def user_name() -> str:
    """Return who is logged in, and where."""
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, OSError):
        return f"user {os.getuid()}@{platform.node()}"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a bench, in words for whoever wants it next."""

    operator: str = ""
    serial: str = ""
    station: str = ""
    record: str = ""  # the run's folder
    user: str = field(default_factory=user_name)
    pid: int = field(default_factory=os.getpid)
    since: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))

    def __str__(self) -> str:
        who = f"{self.operator} ({self.user})" if self.operator else self.user
        what = f" with {self.serial}" if self.serial else ""
        return f"{who}, process {self.pid}, since {self.since}{what}"


class BenchBusy(SetupError):
    """Another run has the bench."""

    def __init__(self, what: str, owner: str) -> None:
        super().__init__(f"{what} is in use by {owner}", "wait for it, or end it")
        self.args = (what, owner)


class BenchUnsafe(BenchError):
    """The bench could not be proven safe, so nothing is energised on it."""

    def __init__(self, station: str, why: str) -> None:
        super().__init__(station, why)
        self.station, self.why = station, why

    def __str__(self) -> str:
        return (
            f"station {self.station} was NOT left safe: {self.why}; look at it, switch off by hand what is on, "
            f"then run 'hil station check {self.station}'"
        )


class BenchLock:
    """The locks of one bench, held. End with `release` when it is proven safe, else with `leave_unsafe`."""

    def __init__(self, station: str, held: dict[Path, int]) -> None:
        self.station = station
        self.died: Owner | None = None  # who had the bench before and did not give it back
        self.unsafe = ""  # how it was left
        self._held = held

    @property
    def files(self) -> list[tuple[str, int]]:
        """Paths and descriptors, for the guard that inherits them."""
        return [(str(path), fd) for path, fd in self._held.items()]

    @classmethod
    def adopt(cls, station: str, files: list[tuple[str, int]]) -> Self:
        """Hold what was inherited."""
        return cls(station, {Path(path): fd for path, fd in files})

    def write(self, owner: Owner | None, unsafe: str = "") -> None:
        """Say in every file who has the bench, or how it was left."""
        words = json.dumps({"owner": asdict(owner) if owner else None, "unsafe": unsafe}) if owner or unsafe else ""
        for fd in self._held.values():
            os.ftruncate(fd, 0)
            os.pwrite(fd, words.encode(), 0)

    def release(self) -> None:
        """Give a safe bench back. Safe any number of times."""
        self.write(None)
        for path in self._held:
            with suppress(OSError):  # another user's file in a shared folder stays, empty
                path.unlink()
        self._close()

    def abandon(self) -> None:
        """Give it back as it was found: nothing was done to the bench."""
        if self.died or self.unsafe:
            self.write(self.died, self.unsafe)
            self._close()
        else:
            self.release()

    def leave_unsafe(self, why: str, owner: Owner | None = None) -> None:
        """Give back a bench that is not proven safe: the next run is refused until somebody has looked."""
        self.write(owner, why)
        self._close()

    def _close(self) -> None:
        for fd in self._held.values():
            fcntl.flock(fd, fcntl.LOCK_UN)  # for whoever inherited it as well
            os.close(fd)
        self._held = {}


def take(station: str, resources: Mapping[str, str], owner: Owner, *, unsafe: bool = False) -> BenchLock:
    """Lock every resource (name -> address) of a station, all or none; raises BenchBusy, or BenchUnsafe.

    With unsafe, a bench that was left unsafe is taken as well, to be looked at.
    """
    held: dict[Path, int] = {}
    lock = BenchLock(station, held)
    try:
        for name, path in sorted(_paths(resources), key=lambda pair: pair[1]):
            held[path] = _lock(path, name)
        lock.died, lock.unsafe = _left(held)
        if lock.unsafe and not unsafe:
            raise BenchUnsafe(station, lock.unsafe)
    except BaseException:
        for fd in held.values():
            os.close(fd)
        raise
    lock.write(owner, lock.unsafe)
    return lock


def folder() -> Path:
    """Return the folder of the locks: one for all users of this computer; raises SetupError."""
    named = os.environ.get(FOLDER_VARIABLE)
    for path in (Path(named),) if named else (FOLDER, SECOND_FOLDER):
        try:
            if not path.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(0o1777)
        except OSError as error:
            why = f"{path}, where the bench is locked, cannot be made: {error.strerror}"
        else:
            return path
    raise SetupError(why, f"name another in {FOLDER_VARIABLE}")


def _paths(resources: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    here = folder()
    for name, resource in resources.items():
        digest = hashlib.sha256(same_address(resource).encode()).hexdigest()[:16]
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
        yield name, here / f"{plain}-{digest}.lock"


def _lock(path: Path, name: str) -> int:
    for _ in range(TRIES):
        try:
            fd = _open(path)
        except OSError as error:
            raise SetupError(f"the lock {path} of {name} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner, _ = _read(fd)
            os.close(fd)
            raise BenchBusy(name, str(owner or "somebody who has not said a name")) from None
        with suppress(FileNotFoundError):
            if os.fstat(fd).st_ino == path.stat().st_ino:
                return fd
        os.close(fd)  # it was given back, and removed, between opening and locking
    raise BenchBusy(name, "runs that come and go")


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(TRIES):
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        with suppress(FileExistsError):
            fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(fd, 0o666)  # whatever the umask: the next user must be able to lock it
            return fd
    raise OSError(None, "it comes and goes")


def _left(held: Mapping[Path, int]) -> tuple[Owner | None, str]:
    """Return who died with the bench, and how it was left unsafe, where that is so."""
    died, unsafe = None, ""
    for fd in held.values():
        owner, why = _read(fd)
        died, unsafe = died or owner, unsafe or why
    return died, unsafe


def _read(fd: int) -> tuple[Owner | None, str]:
    """Read a lock's words; words that make no sense were cut off by a crash, and are taken for a death."""
    raw = os.pread(fd, 1 << 16, 0)
    if not raw.strip():
        return None, ""
    try:
        said: dict[str, Any] = json.loads(raw)
        owner = Owner(**said["owner"]) if said["owner"] else None
        return owner, str(said["unsafe"])
    except (ValueError, TypeError, KeyError, RecursionError):  # any user of this computer can write there
        return Owner(operator="somebody unknown", user="unknown", pid=0, since="an unknown time"), ""
