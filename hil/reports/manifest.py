"""manifest.json: the digest of every file of a run, and the proof that none was altered, removed or added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.journal.events import Attachment
from hil.journal.reader import (
    ATTACHMENTS_NAME,
    JOURNAL_NAME,
    Journal,
    JournalDamaged,
    JournalEmpty,
    JournalVersion,
    read_journal,
)

NAME = "manifest.json"
FORMAT = 1
_BLOCK = 1 << 20


def render(journal: Journal, folder: Path) -> bytes:
    """Return manifest.json for the files that lie in folder now; write it last."""
    manifest = {
        "manifest": FORMAT,
        "run_id": journal.run_id,
        "serial": journal.started.serial,
        "journal": {"lines": len(journal.entries), "last_sha256": journal.last_hash, "torn": journal.torn},
        "files": [{"path": path, **_measure(folder / path)} for path in _own_files(folder)],
        "signed": None,
    }
    return json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"


def verify(folder: Path) -> str | None:
    """Name the first difference between a run's folder and its record, or return None."""
    if not (folder / NAME).exists():
        try:
            journal = read_journal(folder)
        except JournalEmpty:
            raise
        except JournalDamaged as error:
            return str(error)
        cut = ", the last cut short" if journal.torn else ""
        raise SetupError(
            f"{folder / NAME} does not exist; the chain of the journal is whole ({len(journal.entries)} lines{cut})",
            "make the manifest with 'hil report'",
        )
    manifest = _load(folder)
    listed = {one["path"]: one for one in manifest["files"]}
    try:
        journal = read_journal(folder)
    except JournalDamaged as error:
        return str(error)
    except JournalVersion as error:
        if _measure(folder / JOURNAL_NAME)["sha256"] == listed.get(JOURNAL_NAME, {}).get("sha256"):
            raise  # whole, but for another hil to read
        return str(error)
    said = manifest["journal"]
    if (len(journal.entries), journal.last_hash) != (said["lines"], said["last_sha256"]):
        return (
            f"journal.jsonl: {len(journal.entries)} lines, the last with SHA-256 {journal.last_hash[:12]}...,"
            f" the manifest was made from {said['lines']}, the last with {said['last_sha256'][:12]}..."
        )
    here = set(_files(folder))
    for path in sorted(here | listed.keys()):
        if path not in here:
            return f"{path}: missing"
        if path not in listed:
            return f"{path}: not in the manifest"
        if why := _strange(folder, path):
            return f"{path}: {why}"
        found = _measure(folder / path)
        if found["bytes"] != listed[path]["bytes"]:
            return f"{path}: {found['bytes']} bytes, the manifest says {listed[path]['bytes']}"
        if found["sha256"] != listed[path]["sha256"]:
            return f"{path}: altered, its SHA-256 is not {listed[path]['sha256'][:12]}... any more"
    return _attachments(journal, here)


def _attachments(journal: Journal, here: set[str]) -> str | None:
    """Check that each attachment of the record lies under its digest; a manifest made later cannot know that."""
    for one in journal.of(Attachment):
        path = f"{ATTACHMENTS_NAME}/{one.sha256}"
        if path not in here:
            return f"{path}: missing, but the journal names it ({one.name!r})"
        if why := _strange(journal.folder, path):
            return f"{path}: {why}"
        if _measure(journal.folder / path)["sha256"] != one.sha256:
            return f"{path}: its bytes are not those of its name"
    return None


def _load(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    if path.exists() and not path.is_file():
        raise SetupError(f"{path} is no file", "restore it from a copy")
    try:
        manifest = json.loads(path.read_bytes())
        whole = manifest["manifest"] == FORMAT
        texts = [one[key] for one in manifest["files"] for key in ("path", "sha256")]
        numbers = [manifest["journal"]["lines"], *(one["bytes"] for one in manifest["files"])]
        if not all(isinstance(one, str) for one in (*texts, manifest["journal"]["last_sha256"])):
            raise TypeError("a path or digest is no text")
        if not all(type(one) is int for one in numbers):
            raise TypeError("a length is no number")
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}", "make it with 'hil report'") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SetupError(f"{path} is no manifest of a run ({error})", "restore it from a copy") from error
    if not whole:
        raise SetupError(f"{path} has format {manifest['manifest']!r}, this program reads {FORMAT}")
    found: dict[str, Any] = manifest
    return found


def _files(folder: Path) -> Iterator[str]:
    """Yield every file but the manifest, by its path with slashes, in order."""
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        if name != NAME:
            yield name


def _own_files(folder: Path) -> Iterator[str]:
    """Yield what a manifest may vouch for; raises SetupError for what leads out of the folder, or has no end."""
    for path in _files(folder):
        if why := _strange(folder, path):
            raise SetupError(f"{folder / path}: {why}", "remove it, or put the file itself in its place")
        yield path


def _strange(folder: Path, path: str) -> str:
    """Say why what lies there is no file of a record, or nothing."""
    if (folder / path).is_symlink():
        return "it is a link, and what it leads to is no part of the record"
    if not (folder / path).is_file():
        return "it is no file"
    return "" if path.isprintable() else "its name cannot be printed"


def _measure(path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}
