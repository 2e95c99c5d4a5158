"""Is a record whole, unaltered and signed by whom we trust? Of a folder, an archive, a PDF, or an envelope alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.journal.reader import JOURNAL_NAME, Journal
from hil.reports import manifest, tree
from hil.reports.manifest import Checked
from hil.reports.tree import FolderTree, Tree
from hil.signing.dsse import open_envelope
from hil.signing.errors import SignatureBad, UnknownKey
from hil.signing.statement import PAYLOAD_TYPE, read
from hil.signing.trusted import Trusted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What can be said; `difference` names the first line or file that differs, `unknown` a key nobody here trusts."""

    difference: str = ""
    unknown: str = ""
    signer: str = ""  # the name under which the key is trusted here
    keyid: str = ""
    result: str = ""  # that was signed: PASSED, WARNED, FAILED
    pages: str = ""  # who signed the pages of a PDF
    journal: Journal | None = None
    listed: Mapping[str, Any] | None = None  # the manifest, where there is one

    @property
    def whole(self) -> bool:
        """Say whether nothing differs, whoever signed."""
        return not self.difference


def verify_tree(files: Tree, trusted: Trusted) -> Outcome:
    """Check a run or an evidence bundle in a folder or an archive.

    Raises SetupError, JournalEmpty or JournalVersion where nothing can be said.
    """
    names = files.names()
    signed = manifest.ENVELOPE in names
    if signed and manifest.NAME not in names:
        return Outcome(difference=f"{manifest.NAME}: missing, but {manifest.ENVELOPE} was signed for it")
    try:
        checked = manifest.check(files)
    except manifest.ManifestBroken as error:
        if not signed:
            raise
        return Outcome(difference=str(error))  # something was signed, and this is not it
    if checked.difference or not signed:
        return Outcome(difference=checked.difference, journal=checked.journal, listed=checked.manifest)
    try:
        raw = tree.read(files, manifest.ENVELOPE)
    except SetupError as error:
        return Outcome(difference=str(error))
    return _signed(raw, manifest.ENVELOPE, checked, trusted)


def verify_signature(folder: Path, trusted: Trusted) -> Outcome | None:
    """Check who signed a run's manifest, its other files left apart; None where nobody did."""
    files = FolderTree(folder)
    if manifest.ENVELOPE not in files.names():
        return None
    if manifest.NAME not in files.names():
        return Outcome(difference=f"{manifest.NAME}: missing, but {manifest.ENVELOPE} was signed for it")
    raw = tree.read(files, manifest.NAME)
    listed = manifest.load(raw, f"{files}/{manifest.NAME}")
    checked = Checked("", raw, None, listed)
    return _signed(tree.read(files, manifest.ENVELOPE), manifest.ENVELOPE, checked, trusted)


def verify_envelope(path: Path, trusted: Trusted) -> Outcome:
    """Check an envelope without the files that it speaks of."""
    return _signed(tree.read(FolderTree(path.parent), path.name), path.name, None, trusted)


def verify_pdf(path: Path, trusted: Trusted) -> Outcome:
    """Check a PDF: the record inside and its signature, the signature of its pages, and the run's folder around it.

    Raises SetupError for pages that nobody signed and no manifest lists: nothing in the file shows what they were.
    """
    of_run = None
    if (path.parent / manifest.NAME).exists():
        of_run = verify_tree(FolderTree(path.parent), trusted)
        if of_run.difference or of_run.unknown:
            return of_run
    from hil.signing import pades

    raw = tree.read(FolderTree(path.parent), path.name)
    try:
        inside = pades.attachments(raw, path.name)
        record = _record_inside(inside, trusted)
        if record.difference or record.unknown:
            return record
        pages = pades.check_pdf(raw, trusted.certificates, path.name)
    except UnknownKey as error:
        return Outcome(unknown=str(error), keyid=error.keyid)
    except SignatureBad as error:
        return Outcome(difference=str(error))
    if of_run is not None:
        return replace(of_run, pages=str(pages or ""))
    if pages is None:
        of = f"the record inside is whole{_by(record)}" if manifest.RECORD in inside else "no record is inside"
        raise SetupError(
            f"{path}: its pages are not signed, so nothing shows that they are unaltered; {of}",
            "check the folder it belongs to, whose manifest lists this file",
        )
    return Outcome(
        signer=record.signer, keyid=record.keyid, result=record.result, pages=str(pages), journal=record.journal
    )


def _record_inside(inside: dict[str, bytes], trusted: Trusted) -> Outcome:
    if manifest.RECORD not in inside:
        kept = sorted({JOURNAL_NAME, manifest.RECORD_ENVELOPE} & inside.keys())
        return Outcome(difference=f"{kept[0]}: inside without {manifest.RECORD}" if kept else "")
    if JOURNAL_NAME not in inside:
        return Outcome(difference=f"{JOURNAL_NAME}: missing inside")
    try:
        checked = manifest.check_record(inside[manifest.RECORD], inside[JOURNAL_NAME])
    except manifest.ManifestBroken as error:
        return Outcome(difference=str(error))
    if checked.difference or manifest.RECORD_ENVELOPE not in inside:
        return Outcome(difference=checked.difference, journal=checked.journal)
    return _signed(inside[manifest.RECORD_ENVELOPE], manifest.RECORD_ENVELOPE, checked, trusted)


def _signed(raw: bytes, where: str, checked: Checked | None, trusted: Trusted) -> Outcome:
    """Check an envelope; first who signed, then what: nothing is believed that no trusted key has signed."""
    journal = checked.journal if checked is not None else None
    try:
        envelope = open_envelope(raw, where, PAYLOAD_TYPE)
        key = envelope.check(trusted.keys)
        said = read(envelope.payload, where)
    except UnknownKey as error:
        return Outcome(unknown=str(error), keyid=error.keyid, journal=journal)
    except SignatureBad as error:
        return Outcome(difference=str(error), journal=journal)
    difference = _other(said.subjects, checked, where, key.name) if checked is not None else ""
    listed = checked.manifest if checked is not None else None
    return Outcome(difference, "", key.name, key.keyid, said.result, "", journal, listed)


def _other(signed: Mapping[str, str], checked: Checked, where: str, who: str) -> str:
    """Name the file that is not the one that was signed."""
    found = checked.subjects
    if signed.keys() != found.keys():
        return f"{where}: {who} signed other files than these"
    for name, digest in found.items():
        if signed[name] != digest:
            return f"{name}: not the one that {who} signed, whose SHA-256 is {signed[name][:12]}..."
    return ""


def _by(record: Outcome) -> str:
    return f" and signed by {record.signer}" if record.signer else ", but not signed"
