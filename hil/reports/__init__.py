"""Reports: pure functions of the journal. Same journal, same bytes. They know no instrument and no board."""

from __future__ import annotations

from pathlib import Path


def make_reports(folder: Path) -> list[Path]:
    """Make every report of the run in folder and return their paths; raises JournalDamaged for a broken record."""
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
    part.write_bytes(data)
    part.replace(path)
    return path
