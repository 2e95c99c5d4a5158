"""What a journal asks of the disk, and what its errors mean to a person."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "the disk is full: make room"),
    errno.EROFS: "the disk is read-only: mount it for writing",
    errno.EIO: "the disk is failing: replace it",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "the folder is read-only: give this user leave to write there"),
}


def in_words(error: OSError) -> str:
    """Return what the system said and what to do about it."""
    said = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{said}; {remedy}" if remedy else said


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; a disk that takes only some of them says why when asked for the rest."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk itself."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL or not path.is_dir():  # some network file systems have no such thing for folders
            raise
    finally:
        os.close(fd)


def same_file(path: str, known: os.stat_result) -> bool:
    """Say whether `path` still names the file or folder that it named when `known` was taken."""
    try:
        return os.path.samestat(os.stat(path), known)  # noqa: PTH116 - once a line, and three times as quick
    except (FileNotFoundError, NotADirectoryError):
        return False
