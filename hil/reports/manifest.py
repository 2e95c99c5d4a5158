"""manifest.json: the digest of every file of a run, and the proof that none was altered, removed or added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.journal.events import Attachment
from hil.journal.reader import ATTACHMENTS_NAME, JOURNAL_NAME, Journal, JournalDamaged, JournalVersion, read_journal

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
        "files": [{"path": path, **_measure(folder / path)} for path in _files(folder)],
        "signed": None,
    }
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def verify(folder: Path) -> str | None:
    """Name the first difference between a run's folder and its record, or return None."""
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
        if _measure(journal.folder / path)["sha256"] != one.sha256:
            return f"{path}: its bytes are not those of its name"
    return None


def _load(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    try:
        manifest = json.loads(path.read_bytes())
        whole = manifest["manifest"] == FORMAT
        {(one["path"], one["sha256"], one["bytes"]) for one in manifest["files"]}
        manifest["journal"]["lines"], manifest["journal"]["last_sha256"]
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}", "make it with 'hil report'") from error
    except (ValueError, KeyError, TypeError) as error:
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


def _measure(path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}
