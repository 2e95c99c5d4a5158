"""The first page of a bundle, as HTML and as PDF: what the runs say together, and what lies in the folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.reports.bundle.collect import Evidence, Line
from hil.reports.edition import Edition
from hil.reports.filters import environment
from hil.reports.laboratory import Laboratory

TEMPLATES = Path(__file__).parents[1] / "templates"
_ON_PAPER = 40  # points in the PDF: those nearest to their limits
_REPORTS = ("certificate.html", "certificate.pdf", "journal.jsonl")


@dataclass(frozen=True, slots=True)
class Files:
    """What lies in the folder: names, and what they are; and the calibrations that runs kept."""

    listed: tuple[tuple[tuple[str, ...], str], ...]
    calibrations: tuple[str, ...]


def html(e: Evidence, files: Files, laboratory: Laboratory, edition: Edition, *, paper: bool = False) -> str:
    """Return the page; paper leaves out links and all but the points that come nearest to their limits."""
    env = environment(edition.language, TEMPLATES).overlay()
    env.filters |= {"groupby_area": _by_area, "reports": _reports}
    measured = [one for one in e.spreads if one.unit != "yes"]
    nearest = sorted(measured, key=lambda one: one.nearness)[:_ON_PAPER]
    fields: Mapping[str, Any] = {
        "e": e,
        "files": files,
        "laboratory": laboratory,
        "signer": edition.signer,
        "paper": paper,
        "shown": nearest if paper else measured,
    }
    return env.get_template("bundle/index.html.j2").render(fields)


def _by_area(lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    for area in dict.fromkeys(one.area for one in lines):
        yield area, [one for one in lines if one.area == area]


def _reports(folder: Path) -> list[str]:
    return [name for name in _REPORTS if (folder / name).is_file()]
