"""Read files of keys: no links, nothing that others could have put there, and for a secret nothing they can read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from hil.errors import SetupError

LONGEST = 1 << 16  # bytes; a chain of certificates has some thousand
_OTHERS_WRITE, _OTHERS_READ = 0o022, 0o077


def read_secret(path: Path, what: str) -> bytes:
    """Return the bytes of a file that only its owner can read, in a folder that only its owner can write."""
    return _read(path, what, _OTHERS_READ, "others than its owner can read it", f"chmod 600 {path}")


def read_public(path: Path, what: str) -> bytes:
    """Return the bytes of a file that only its owner can write, in a folder of which the same holds."""
    return _read(path, what, _OTHERS_WRITE, "others than its owner can write it", f"chmod go-w {path}")


def check_folder(folder: Path, what: str) -> None:
    """Refuse a folder in which others can put files in place of ours. Raises SetupError."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise SetupError(f"{what}: {folder}: {error.strerror}", "name a folder that is there") from error
    if not stat.S_ISDIR(mode):
        raise SetupError(f"{what}: {folder} is no folder", "name a folder")
    if mode & _OTHERS_WRITE:
        raise SetupError(f"{what}: others than its owner can write in {folder}", f"chmod go-w {folder}")


def _read(path: Path, what: str, refused_mode: int, why: str, remedy: str) -> bytes:
    """Check what was opened, not what the name may mean a moment later."""
    check_folder(path.parent, what)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SetupError(f"{what} {path} is a link", "name the file itself") from error
        raise SetupError(f"{what} {path} cannot be read: {error.strerror}", "name a file that is there") from error
    with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SetupError(f"{what} {path} is no file", "name a file")
        if found.st_mode & refused_mode:
            raise SetupError(f"{what} {path}: {why}", remedy)
        if found.st_size > LONGEST:
            raise SetupError(f"{what} {path} has {found.st_size} bytes, {LONGEST} are the most", "name another file")
        return file.read(LONGEST)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet, with its mode from its first moment on. Raises SetupError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    except FileExistsError as error:
        raise SetupError(f"{path} is there already", "choose another name: a key is never written over") from error
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}", "choose another folder") from error
    with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
