"""Write a bundle: copies of the runs, their measurements as tables, and a page that leads through them."""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from hil.journal.events import Attachment
from hil.reports import laboratory as laboratories
from hil.reports import manifest, trace, typeset
from hil.reports.bundle import page, sbom, sign
from hil.reports.bundle.collect import Evidence
from hil.reports.edition import Edition
from hil.reports.exports import render
from hil.reports.exports.table import defused

INDEX, PDF = "index.html", "evidence.pdf"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a file in a zip: the same bundle gives the same bytes
_WHAT = {
    PDF: "this page for paper",
    "measurements.csv": "every measurement of every run, a line an attempt",
    "measurements.parquet": "the same table, typed",
    "traceability.csv": "requirement, clause, test, measurement, instrument, calibration",
    manifest.NAME: "every file by its SHA-256",
    manifest.ENVELOPE: "its signature (DSSE, Ed25519)",
}


def write(e: Evidence, target: Path, edition: Edition, decisions: Path | None = None) -> None:
    """Write the bundle into target, a new or empty folder; the manifest is written last.

    decisions is a folder of decision records (Markdown) to take along.
    """
    target.mkdir(parents=True, exist_ok=True)
    journals = [one.journal for one in e.units]
    for one in e.units:
        shutil.copytree(one.folder, target / one.path, symlinks=True)
    made = {
        "measurements.csv": render("csv", journals),
        "measurements.parquet": render("parquet", journals),
        "traceability.csv": _traceability(e),
        **{f"plans/{name}": data for name, data in _plans(e)},
        **{f"instruments/{name}": data for name, data in _calibrations(e)},
        **{f"software/{name}": data for name, data in sbom.bills(e.units).items()},
        **{f"decisions/{path.name}": path.read_bytes() for path in sorted(decisions.glob("*.md") if decisions else ())},
    }
    house = laboratories.load(edition.template) if edition.template else _of_record(e)
    paper = edition.pdf and not typeset.missing()
    names = {*made, manifest.NAME, *([PDF] if paper else []), *([manifest.ENVELOPE] if edition.signer else [])}
    files = page.Files(_listed(names), tuple(name for name in made if name.startswith("instruments/")))
    made[INDEX] = page.html(e, files, house, edition).encode()
    if paper:
        made[PDF] = _pdf(e, files, house, edition)
    for name, data in made.items():
        path = target / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    listed = sign.listed(e, target)
    (target / manifest.NAME).write_bytes(listed)
    if edition.signer is not None:
        (target / manifest.ENVELOPE).write_bytes(sign.envelope(e, listed, edition.signer))


def pack(target: Path, packed: Path) -> None:
    """Put a bundle into one new zip file; the same bundle gives the same bytes. Raises OSError."""
    top = target.resolve().name
    try:
        with zipfile.ZipFile(packed, "x", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(one for one in target.rglob("*") if one.is_file()):
                named = zipfile.ZipInfo(f"{top}/{path.relative_to(target).as_posix()}", _EARLIEST)
                named.compress_type, named.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                file.writestr(named, path.read_bytes())
    except FileExistsError:
        raise
    except BaseException:
        packed.unlink(missing_ok=True)
        raise


def _listed(names: Iterable[str]) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return names by what they are, in order."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(_what(name), []).append(name)
    return tuple((tuple(mine), what) for what, mine in found.items())


def _what(name: str) -> str:
    folder = name.partition("/")[0]
    by_folder = {
        "plans": "a plan as it was at its run",
        "instruments": "a calibration as its run kept it",
        "software": "the software bill of materials of a station (CycloneDX)",
        "decisions": "a decision about the framework itself",
    }
    return _WHAT.get(name) or by_folder.get(folder, "")


def _of_record(e: Evidence) -> laboratories.Laboratory:
    said = e.units[0].journal.started.unit_facts.get("laboratory")
    return laboratories.of_record(said if isinstance(said, dict) else {})


def _traceability(e: Evidence) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("unit", "run_id", *trace.COLUMNS))
    for unit in e.units:
        for row in trace.matrix(unit.journal):
            rows.writerow((unit.serial, unit.journal.run_id, *(_cell(one) for one in row.to_dict().values())))
    return text.getvalue().encode()


def _cell(value: object) -> object:
    return defused(value) if isinstance(value, str) else value


def _plans(e: Evidence) -> Iterator[tuple[str, bytes]]:
    for unit in e.units:
        plan = unit.journal.started.plan
        for one in unit.journal.of(Attachment):
            if one.sha256 == plan.get("sha256"):
                yield _named(Path(one.name), one.sha256), unit.journal.attachment(one.sha256)


def _calibrations(e: Evidence) -> Iterator[tuple[str, bytes]]:
    for unit in e.units:
        for one in unit.journal.of(Attachment):
            kind, _, name = one.name.partition(" ")
            if kind == "calibration" and not one.test:
                path = Path(f"{unit.journal.started.station}-{name}")
                yield _named(path, one.sha256), unit.journal.attachment(one.sha256)


def _named(path: Path, sha256: str) -> str:
    """Return a file's name with its digest in it: a record from elsewhere may say anything."""
    stem, suffix = (re.sub(r"[^A-Za-z0-9._-]", "_", part)[:64] for part in (path.stem, path.suffix))
    return f"{stem}-{sha256[:12]}{suffix}"


def _pdf(e: Evidence, files: page.Files, house: laboratories.Laboratory, edition: Edition) -> bytes:
    from hil.reports.bundle.paper import pdf

    made = pdf(page.html(e, files, house, edition, paper=True), e.last_utc)
    return edition.seal(made) if edition.seal is not None else made
