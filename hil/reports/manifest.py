"""manifest.json: the digest of every file of a record, and the proof that none was altered, removed or added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.journal.events import Attachment, RunFinished
from hil.journal.reader import (
    ATTACHMENTS_NAME,
    JOURNAL_NAME,
    Journal,
    JournalDamaged,
    JournalEmpty,
    JournalVersion,
    parse_journal,
)
from hil.reports import tree
from hil.reports.tree import FolderTree, Tree

NAME, ENVELOPE = "manifest.json", "manifest.dsse.json"
RECORD, RECORD_ENVELOPE = "record.json", "record.dsse.json"  # inside the PDF: the manifest of the record alone
FORMAT = 2  # 1 said nothing of what it is a manifest
RUN, RECORD_ALONE, EVIDENCE = "run", "record", "evidence"
SUBJECTS = {RUN: NAME, RECORD_ALONE: RECORD, EVIDENCE: NAME}  # under which name each is signed


class ManifestBroken(SetupError):
    """What is called manifest.json is none, so that nothing can be compared with it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A record against its manifest: the first difference, or nothing; and what was read."""

    difference: str
    raw: bytes  # of the manifest
    journal: Journal | None = None
    manifest: Mapping[str, Any] | None = None

    @property
    def subjects(self) -> dict[str, str]:
        """Return what a signature of it must name: SHA-256 by file."""
        assert self.manifest is not None
        return subjects(self.manifest, self.raw)


def render(journal: Journal, folder: Path) -> bytes:
    """Return manifest.json for the files that lie in folder now; write it last."""
    return text(_of_run(journal, listing(FolderTree(folder)), FORMAT))


def record(journal: Journal, folder: Path) -> bytes:
    """Return record.json, the manifest of the journal in folder and the attachments it names."""
    return _record(journal, tree.measure(FolderTree(folder), JOURNAL_NAME))


def check_record(raw: bytes, journal_raw: bytes) -> Checked:
    """Compare record.json with a journal that came with it, its attachments left apart."""
    manifest = load(raw, RECORD)
    try:
        journal = parse_journal(journal_raw, Path())
    except JournalDamaged as error:
        return Checked(str(error), raw)
    of_file = {"sha256": hashlib.sha256(journal_raw).hexdigest(), "bytes": len(journal_raw)}
    same = _record(journal, of_file) == raw
    return Checked("" if same else f"{JOURNAL_NAME}: it is not the one that {RECORD} lists", raw, journal, manifest)


def text(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as the bytes of its file; there is one spelling."""
    return json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"


def listing(files: Tree) -> list[dict[str, Any]]:
    """Return path, digest and length of every file but the manifest and its envelope.

    Raises SetupError for what leads out of the folder, or has no end.
    """
    found = []
    for name in _names(files):
        if why := files.strange(name):
            raise SetupError(f"{files}/{name}: {why}", "remove it, or put the file itself in its place")
        found.append({"path": name, **tree.measure(files, name)})
    return found


def subjects(manifest: Mapping[str, Any], raw: bytes) -> dict[str, str]:
    """Return the SHA-256 of what is signed with a manifest, by name: itself, and its journal where it has one."""
    signed = {SUBJECTS[manifest.get("of", RUN)]: hashlib.sha256(raw).hexdigest()}
    return signed | {one["path"]: one["sha256"] for one in manifest["files"] if one["path"] == JOURNAL_NAME}


def verify(folder: Path) -> str | None:
    """Name the first difference between a run's folder and its manifest, or return None; who signed is not asked."""
    return check(FolderTree(folder)).difference or None


def is_record(folder: Path) -> bool:
    """Say whether the folder is a run or an evidence bundle, so that whatever lies in it is on its manifest."""
    if (folder / JOURNAL_NAME).exists():
        return True
    try:
        load((folder / NAME).read_bytes(), NAME)
    except (OSError, SetupError):  # another program's file may be called so
        return False
    return True


def check_before(journal: Journal, folder: Path) -> None:
    """Refuse to make reports again of a record that is not the one its manifest lists: it would be whole once more.

    Raises SetupError that names the difference. What a dead run's guard wrote after the manifest is no difference.
    """
    files, remedy = FolderTree(folder), "restore it from a copy; reports made now would hide it"
    here = files.names()
    if NAME not in here:
        if ENVELOPE in here:
            raise SetupError(f"{folder} is ALTERED: {NAME}: missing, but {ENVELOPE} was signed for it", remedy)
        return
    manifest = load(tree.read(files, NAME), f"{files}/{NAME}")
    listed = {one["path"]: one for one in manifest["files"] if one["path"].startswith(f"{ATTACHMENTS_NAME}/")}
    difference = "" if _continues(journal, folder, manifest) else f"{JOURNAL_NAME}: not the one the manifest lists"
    present = [name for name in here if name.startswith(f"{ATTACHMENTS_NAME}/")]
    if difference := difference or _files(files, present, listed):
        raise SetupError(f"{folder} is ALTERED: {difference}", remedy)


def check(files: Tree) -> Checked:
    """Compare a record with its manifest, to the last byte of both.

    Raises ManifestBroken, JournalEmpty, JournalVersion, or SetupError for what cannot be read.
    """
    here = files.names()
    if NAME not in here:
        return _without(files, here)
    raw = tree.read(files, NAME)
    manifest = load(raw, f"{files}/{NAME}")
    listed = {one["path"]: one for one in manifest["files"]}
    journal, difference = None, ""
    if manifest.get("of", RUN) != EVIDENCE:
        journal, difference = _journal(files, here, manifest, listed)
    elif JOURNAL_NAME in here:
        difference = f"{NAME}: altered, it is one of an evidence bundle, and this is a run"
    difference = difference or _files(files, here, listed)
    if not difference and journal is not None:
        difference = _attachments(listed, journal)
    if not difference:
        again = [{key: listed[name][key] for key in ("path", "sha256", "bytes")} for name in _names(files)]
        whole = {**manifest, "files": again} if journal is None else _of_run(journal, again, manifest["manifest"])
        difference = "" if text(whole) == raw else f"{NAME}: altered, it is not spelled as hil spells it"
    return Checked(difference, raw, journal, manifest)


def load(raw: bytes, where: str) -> dict[str, Any]:
    """Read a manifest; raises ManifestBroken for what is none, SetupError for one of another format."""
    try:
        manifest = json.loads(raw)
        number, kind = manifest["manifest"], manifest.get("of", RUN)
        texts = [one[key] for one in manifest["files"] for key in ("path", "sha256")]
        numbers = [number, *(one["bytes"] for one in manifest["files"])]
        if kind not in SUBJECTS:
            raise ValueError(f"of {kind!r}")
        if kind != EVIDENCE:
            texts.append(manifest["journal"]["last_sha256"])
            numbers.append(manifest["journal"]["lines"])
        if not all(isinstance(one, str) for one in texts):
            raise TypeError("a path or digest is no text")
        if not all(type(one) is int for one in numbers):
            raise TypeError("a length is no number")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestBroken(f"{where} is no manifest of a run ({error})", "restore it from a copy") from error
    if number not in {1, FORMAT}:
        raise ManifestBroken(f"{where} is a manifest of format {number}, this program reads 1 and {FORMAT}")
    found: dict[str, Any] = manifest
    return found


def _of_run(journal: Journal, files: list[dict[str, Any]], number: int) -> dict[str, Any]:
    of = {"signed": None} if number == 1 else {"of": RUN}
    return {"manifest": number, **of, **_of_journal(journal), "files": files}


def _of_journal(journal: Journal) -> dict[str, Any]:
    return {
        "run_id": journal.run_id,
        "serial": journal.started.serial,
        "journal": {"lines": len(journal.entries), "last_sha256": journal.last_hash, "torn": journal.torn},
    }


def _record(journal: Journal, of_file: Mapping[str, Any]) -> bytes:
    named = {one.sha256: one.bytes for one in journal.of(Attachment)}
    files = [{"path": f"{ATTACHMENTS_NAME}/{sha256}", "sha256": sha256, "bytes": n} for sha256, n in named.items()]
    files.append({"path": JOURNAL_NAME, **of_file})
    files.sort(key=lambda one: str(one["path"]))
    return text({"manifest": FORMAT, "of": RECORD_ALONE, **_of_journal(journal), "files": files})


def _continues(journal: Journal, folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Say whether the journal is the one a manifest was made of, or that of a dead run with more lines behind it."""
    if manifest.get("of", RUN) == EVIDENCE:
        return False
    lines, last = manifest["journal"]["lines"], manifest["journal"]["last_sha256"]
    if (len(journal.entries), journal.last_hash) == (lines, last):
        return True
    known = journal.entries[:lines] if 0 < lines < len(journal.entries) else ()
    if not known or any(isinstance(one.event, RunFinished) for one in known):
        return False
    line = (folder / JOURNAL_NAME).read_bytes().split(b"\n")[lines - 1]
    return hashlib.sha256(line).hexdigest() == str(last)


def _without(files: Tree, here: list[str]) -> Checked:
    """Say of a record without a manifest what its journal alone shows."""
    try:
        journal = parse_journal(_journal_bytes(files, here), Path())
    except JournalEmpty:
        raise
    except JournalDamaged as error:
        return Checked(str(error), b"")
    cut = ", the last cut short" if journal.torn else ""
    raise SetupError(
        f"{files}/{NAME} does not exist; the chain of the journal is whole ({len(journal.entries)} lines{cut})",
        "make the manifest with 'hil report'",
    )


def _journal(
    files: Tree, here: list[str], manifest: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]]
) -> tuple[Journal | None, str]:
    if JOURNAL_NAME not in here and JOURNAL_NAME in listed:
        return None, f"{JOURNAL_NAME}: missing"
    try:
        journal = parse_journal(_journal_bytes(files, here), Path())
    except JournalDamaged as error:
        return None, str(error)
    except JournalVersion as error:
        if tree.measure(files, JOURNAL_NAME)["sha256"] == listed.get(JOURNAL_NAME, {}).get("sha256"):
            raise  # whole, but for another hil to read
        return None, str(error)
    said = manifest["journal"]
    if (len(journal.entries), journal.last_hash) != (said["lines"], said["last_sha256"]):
        return journal, (
            f"{JOURNAL_NAME}: {len(journal.entries)} lines, the last with SHA-256 {journal.last_hash[:12]}...,"
            f" the manifest was made from {said['lines']}, the last with {said['last_sha256'][:12]}..."
        )
    return journal, ""


def _journal_bytes(files: Tree, here: list[str]) -> bytes:
    if JOURNAL_NAME not in here:
        raise SetupError(
            f"{files}/{JOURNAL_NAME}: there is no journal", "name the folder of a run; 'hil runs' lists them"
        )
    return tree.read(files, JOURNAL_NAME)


def _files(files: Tree, here: Iterable[str], listed: Mapping[str, Mapping[str, Any]]) -> str:
    beside = set(here) - {NAME, ENVELOPE}
    for name in sorted(beside | listed.keys()):
        if name not in beside:
            return f"{name}: missing"
        if name not in listed:
            return f"{name}: not in the manifest"
        if why := tree.differs(files, name, listed[name]["sha256"], listed[name]["bytes"]):
            return f"{name}: {why}"
    return ""


def _attachments(listed: Mapping[str, Mapping[str, Any]], journal: Journal) -> str:
    """Check that each attachment of the record lies under its digest; a manifest made later cannot know that."""
    for one in journal.of(Attachment):
        name = f"{ATTACHMENTS_NAME}/{one.sha256}"
        if name not in listed:
            return f"{name}: missing, but the journal names it ({one.name!r})"
        if listed[name]["sha256"] != one.sha256:  # the file is as the manifest says, that is proven
            return f"{name}: its bytes are not those of its name"
    return ""


def _names(files: Tree) -> list[str]:
    return sorted((name for name in files.names() if name not in {NAME, ENVELOPE}), key=lambda name: name.split("/"))
