"""Reports: pure functions of the journal. Same journal, same bytes. They know no instrument and no board."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError

if TYPE_CHECKING:
    from hil.journal.reader import Journal
    from hil.reports.edition import Edition

CERTIFICATE, PDF = "certificate.html", "certificate.pdf"


def make_reports(folder: Path, edition: Edition | None = None) -> list[Path]:
    """Make every report of the run in folder, its manifest last, and return their paths.

    Raises JournalDamaged or JournalVersion for a record that cannot be read, SetupError for a folder that takes none
    and for one whose manifest is signed when the edition has no key: it would lose its signature.
    """
    from hil.journal import disk
    from hil.reports.edition import Edition

    try:
        return _make_reports(folder, edition or Edition())
    except OSError as error:
        what = f"the reports of {folder} cannot be made: {disk.in_words(error)}"
        raise SetupError(what, f"mend that, then 'hil report {folder}'") from error


def make_copies(folder: Path, target: Path, edition: Edition) -> list[Path]:
    """Make the certificate of the run in folder again, in another folder; the record and its manifest stay as they are.

    Raises what `make_reports` raises, and SetupError for a target inside this record or any other.
    """
    from hil.journal import disk
    from hil.journal.reader import read_journal
    from hil.reports import manifest

    refuse_inside(target)
    journal = read_journal(folder)
    manifest.check_before(journal, folder)
    certificates = _certificates(journal, folder, edition)
    try:
        target.mkdir(parents=True, exist_ok=True)
        return _put_certificates(target, certificates)
    except OSError as error:
        raise SetupError(f"{target} takes no reports: {disk.in_words(error)}", "name another folder") from error


def _make_reports(folder: Path, edition: Edition) -> list[Path]:
    from hil.journal.reader import read_journal
    from hil.reports import allure, allure_html, attest, junit, manifest

    refuse_inside(folder.resolve().parent)  # a run in an evidence bundle stays as it is
    journal = read_journal(folder)
    manifest.check_before(journal, folder)
    envelope = folder / manifest.ENVELOPE
    if edition.signer is None and envelope.exists():
        raise SetupError(
            f"the reports of {folder} are signed, and made again they would not be",
            "name the key with --key, or another folder for them with --out",
        )
    certificates, results = _certificates(journal, folder, edition), junit.render(journal, folder)
    envelope.unlink(missing_ok=True)  # not before all that can be refused was made: what is there stays signed
    made = _put_certificates(folder, certificates)
    made.append(_put(folder / "junit.xml", results))
    made.append(allure.write(journal, folder))
    page = allure_html.write(journal, made[-1], folder, allure_html.find_allure())
    if page is not None:
        made.append(page)
    listed = manifest.render(journal, folder)
    made.append(_put(folder / manifest.NAME, listed))
    if edition.signer is not None:
        made.append(_put(envelope, attest.envelope(journal, listed, edition.signer)))
    return made


def refuse_inside(target: Path) -> None:
    """Refuse to write into a run or an evidence bundle; raises SetupError."""
    from hil.reports import manifest

    whole = target.resolve()
    for folder in (whole, *whole.parents):
        if manifest.is_record(folder):
            raise SetupError(f"{target} lies inside the record {folder}", "name a folder outside it")


def without_pdf(edition: Edition, name: str = PDF) -> str:
    """Say why there is no PDF of that name where one was wanted, or nothing."""
    from hil.reports import pdf

    why = pdf.missing() if edition.pdf else ""
    return f"no {name} was made: {why}" if why else ""


def _certificates(journal: Journal, folder: Path, edition: Edition) -> dict[str, bytes]:
    from hil.reports import certificate

    made = {CERTIFICATE: certificate.render(journal, folder, edition)}
    if edition.pdf and not without_pdf(edition):
        made[PDF] = _pdf(journal, folder, edition)
    return made


def _put_certificates(target: Path, made: dict[str, bytes]) -> list[Path]:
    if PDF not in made:
        (target / PDF).unlink(missing_ok=True)  # of another edition: it may say something else
    return [_put(target / name, data) for name, data in made.items()]


def _pdf(journal: Journal, folder: Path, edition: Edition) -> bytes:
    """Make the PDF with the record inside: what it is worth can be checked with nothing but the file."""
    from hil.journal.reader import JOURNAL_NAME
    from hil.reports import attest, manifest, pdf

    record = manifest.record(journal, folder)
    attached = {JOURNAL_NAME: (folder / JOURNAL_NAME).read_bytes(), manifest.RECORD: record}
    if edition.signer is not None:
        attached[manifest.RECORD_ENVELOPE] = attest.envelope(journal, record, edition.signer)
    made = pdf.render(journal, folder, edition, attached)
    return edition.seal(made) if edition.seal is not None else made


def _put(path: Path, data: bytes) -> Path:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # a new file: a link that waits there in a record from elsewhere leads nowhere
            file.write(data)
        part.replace(path)
    except BaseException:  # an interruption too: what is left behind would be on the manifest
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return path
