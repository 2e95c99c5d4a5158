"""Reports: pure functions of the journal. Same journal, same bytes. They know no instrument and no board."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hil.errors import SetupError


def make_reports(folder: Path) -> list[Path]:
    """Make every report of the run in folder and return their paths.

    Raises JournalDamaged or JournalVersion for a record that cannot be read, SetupError for a folder that takes none.
    """
    from hil.journal import disk

    try:
        return _make_reports(folder)
    except OSError as error:
        what = f"the reports of {folder} cannot be made: {disk.in_words(error)}"
        raise SetupError(what, f"mend that, then 'hil report {folder}'") from error


def _make_reports(folder: Path) -> list[Path]:
    from hil.journal.reader import read_journal
    from hil.reports import allure, allure_html, certificate, junit, manifest

    journal = read_journal(folder)
    made = []
    for name, module in (("certificate.html", certificate), ("junit.xml", junit)):
        made.append(_put(folder / name, module.render(journal, folder)))
    made.append(allure.write(journal, folder))
    page = allure_html.write(journal, made[-1], folder, allure_html.find_allure())
    if page is not None:
        made.append(page)
    made.append(_put(folder / manifest.NAME, manifest.render(journal, folder)))
    return made


def _put(path: Path, data: bytes) -> Path:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # a new file: a link that waits there in a record from elsewhere leads nowhere
            file.write(data)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return path
