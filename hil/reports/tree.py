"""The files of a record, in a folder or in a ZIP archive, without unpacking it; links and what has no end are named."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from hil.errors import SetupError

_BLOCK = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)  # of archives
LARGEST_TEXT = 1 << 30  # bytes that are read as one: a journal; 20,000 measurements are 20 MB


class Tree(Protocol):
    """Files by their path with slashes, in order."""

    def names(self) -> list[str]: ...

    def strange(self, name: str) -> str:
        """Say why what lies there is no file of a record, or nothing."""
        ...

    def size(self, name: str) -> int:
        """Return the length in bytes that the file claims."""
        ...

    def open(self, name: str) -> IO[bytes]: ...


class FolderTree:
    """The files beneath a folder. Satisfies Tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def names(self) -> list[str]:
        return sorted(self._walk(str(self._folder), ""))

    def strange(self, name: str) -> str:
        if why := _strange_name(name):
            return why
        mode = os.lstat(self._path(name)).st_mode
        if stat.S_ISLNK(mode):
            return "it is a link, and what it leads to is no part of the record"
        return "" if stat.S_ISREG(mode) else "it is no file"

    def size(self, name: str) -> int:
        return os.lstat(self._path(name)).st_size

    def open(self, name: str) -> IO[bytes]:
        return open(self._path(name), "rb")  # noqa: PTH123 - as below

    def _path(self, name: str) -> str:
        """Join text: a record has hundreds of files, and a Path for each takes longer than to read it."""
        return f"{self._folder}/{name}"

    def _walk(self, folder: str, before: str) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(entry.path, f"{before}{entry.name}/")
                else:
                    yield before + entry.name


class ZipTree:
    """The files in an archive, as its directory names them. Satisfies Tree."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, *_BROKEN) as error:
            raise SetupError(f"{path} cannot be read as an archive: {error}", "copy it again") from error
        self._path = path
        entries = [one for one in self._archive.infolist() if not one.is_dir()]
        tops = {one.filename.partition("/")[0] for one in entries if "/" in one.filename}
        alone = len(tops) == 1 and all("/" in one.filename for one in entries)
        top = f"{tops.pop()}/" if alone else ""  # all of it packed in one folder
        self._entries = {one.filename.removeprefix(top): one for one in entries}
        counted = Counter(one.filename.removeprefix(top) for one in entries)
        self._twice = {name for name, count in counted.items() if count > 1}

    def __str__(self) -> str:
        return str(self._path)

    def names(self) -> list[str]:
        return sorted(self._entries)

    def strange(self, name: str) -> str:
        entry = self._entries[name]
        if name in self._twice:
            return "it is in the archive twice"
        if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return "it is encrypted, or packed in a way of its own"
        mode = entry.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            return "it is no file"
        return _strange_name(name)

    def size(self, name: str) -> int:
        return self._entries[name].file_size

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._entries[name])


def read(tree: Tree, name: str) -> bytes:
    """Return what is in a file that is no link; raises SetupError for what cannot be read as one."""
    if why := tree.strange(name):
        raise SetupError(f"{tree}: {name}: {why}", "restore it from a copy")
    if tree.size(name) > LARGEST_TEXT:
        raise SetupError(f"{tree}: {name} has {tree.size(name)} bytes: no record has", "restore it from a copy")
    try:
        with tree.open(name) as file:
            return file.read(LARGEST_TEXT)
    except (OSError, *_BROKEN) as error:
        raise SetupError(f"{tree}: {name} cannot be read: {_why(error)}", "restore it from a copy") from error


def measure(tree: Tree, name: str) -> dict[str, Any]:
    """Return the file's SHA-256 and length; of what the archive ends early, or pretends, what there is."""
    digest, size = hashlib.sha256(), 0
    with tree.open(name) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}


def differs(tree: Tree, name: str, sha256: str, length: int) -> str:
    """Say how the file is not the one of that digest and length in bytes, or nothing; a long one is not read for it."""
    if why := tree.strange(name):
        return why
    if tree.size(name) != length:
        return f"{tree.size(name)} bytes, the manifest says {length}"
    try:
        found = measure(tree, name)
    except _BROKEN as error:  # the archive says so itself
        return f"altered: {_why(error)}"
    except OSError as error:
        raise SetupError(f"{tree}: {name}: {error.strerror}", "give this user leave to read it") from error
    return "" if found["sha256"] == sha256 else f"altered, its SHA-256 is not {sha256[:12]}... any more"


def _strange_name(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        return "its name leads out of the record"
    return "" if name.isprintable() else "its name cannot be printed"


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
