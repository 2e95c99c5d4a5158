"""The certificate as PDF/A-3b, with the record inside: the same page as the HTML, laid out for paper.

Flowing text is set by WeasyPrint, the long tables and the charts by our own sheets, on pages put among its own
(docs/decisions/0010).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hil.journal.reader import Journal
from hil.reports import typeset
from hil.reports.edition import Edition
from hil.reports.figures import Figures
from hil.reports.filters import environment
from hil.reports.language import Language
from hil.reports.page import Page, make_page
from hil.reports.sheets import overview, results, sure, write
from hil.reports.sheets.face import characters, spelled
from hil.reports.sheets.flow import Sheets
from hil.reports.sheets.looks import COLOURS, Section
from hil.reports.sheets.write import Running
from hil.reports.words import VERDICTS

__all__ = ["check", "missing", "render"]

missing, check = typeset.missing, typeset.check
_TEMPLATES = Path(__file__).with_name("templates") / "pdf"
_MM = 72 / 25.4
# the text's place on A4, as templates/pdf/document.css has it
_WIDTH_PT, _HEIGHT_PT, _LEFT_PT, _TOP_PT = 180 * _MM, 260 * _MM, 15 * _MM, 277 * _MM
_TOP_MARGIN_PT = 20 * _MM
_SECTIONS = (
    ("item", "Item, customer, laboratory, time"),
    ("equipment", "Equipment, software, plan"),
    ("method", "Method, decision rule, limits"),
    ("closing", "Authorisation and verification"),
)
_MOST = 40  # rows of a list on a page that flows; the attached record has them all
_SOURCE, _DATA, _SUPPLEMENT = "Source", "Data", "Supplement"
_KNOWN = {  # what a file inside is to the document (ISO 19005-3, 6.8), and in words
    "journal.jsonl": (_SOURCE, "The run’s journal, from which this certificate was made"),
    "record.json": (_DATA, "Digests of the record: journal and attachments"),
    "record.dsse.json": (_SUPPLEMENT, "Signature of the record"),
}


def render(journal: Journal, folder: Path, edition: Edition, attached: Mapping[str, bytes]) -> bytes:
    """Return certificate.pdf with the attached files inside; the attachments of the journal lie in folder.

    Raises SetupError for a language or a laboratory's folder that is none, and for a page that cannot be PDF/A.
    """
    page = make_page(replace(journal, folder=folder), edition)
    words, started = page.language, page.started
    inside = [_inside(words, name, data) for name, data in attached.items()]
    marks = _marks(page)
    running = Running(
        head=(page.laboratory.name or words.say("Station {name}", name=started.station), _title(page)),
        foot=f"{words.text('Certificate no.')} {page.run_id}",
        marks=marks,
        page_of=f"{words.text('page')} {{n}} {words.text('of')} {{total}}",
    )

    def finish(document: Any, pdf: Any) -> None:
        """Set the sheets where the text before them ends, and put them before the closing page."""
        places = {name: number for number, one in enumerate(document.pages) for name in one.anchors}
        end_px = document.pages[places["sheets"]].anchors["sheets"][1]
        sheets = _sheets(page, end_px * 0.75 - _TOP_MARGIN_PT)
        own = [(1, words.text(label), places[name]) for name, label in _SECTIONS if name in places]
        write.finish(pdf, sheets, running, places["closing"], own)
        write.name_files_once(pdf)
        write.deflate_once(pdf)

    embedded = [
        typeset.Embedded(name, data, _KNOWN.get(name, (_SUPPLEMENT, ""))[0], one[1])
        for (name, data), one in zip(attached.items(), inside, strict=True)
    ]
    style = (_TEMPLATES / "document.css").read_text("utf-8")
    return typeset.write(_html(page, inside), style, page.issued_utc, embedded, finish)


def _sheets(page: Page, down_pt: float) -> Sheets:
    """Set the long tables, which are most of the document; the first page is taken down to down_pt."""
    sheets = Sheets(_WIDTH_PT, _HEIGHT_PT, _LEFT_PT, _TOP_PT)
    sheets.begin(down_pt)
    section = Section(page, sheets, Figures(page.language))
    for part in (
        overview.sources,
        overview.summary,
        overview.charts,
        results.measurements,
        sure.remarks,
        sure.uncertainty,
    ):
        part(section)
    return sheets


def _marks(page: Page) -> tuple[str, ...]:
    """Return what must stand across every page."""
    words = page.language
    simulated = (words.text("SIMULATED"),) if page.started.simulated else ()
    return simulated if page.release.valid else (*simulated, words.text("NOT RELEASED"))


def _title(page: Page) -> str:
    return f"{page.language.text('Test certificate')} {page.started.serial}"


def _html(page: Page, inside: Sequence[tuple[str, str, int, str]]) -> str:
    words, started = page.language, page.started
    verdict = words.text(VERDICTS[page.summary.verdict].word)
    template = environment(words.code, _TEMPLATES).get_template("document.html.j2")
    said = {
        "page": page,
        "title": _title(page),
        "subject": ", ".join([f"{started.board} {started.revision}", verdict, *_marks(page)]),
        "made": page.issued_utc,
        "colours": COLOURS,
        "most": _MOST,
        "embedded": inside,
        "attachments": [(one.name, one.media_type, one.bytes, one.sha256) for one in page.attachments[:_MOST]],
    }
    html = unicodedata.normalize("NFC", template.render(said, spelled=False))
    strange = set(html) - characters() - {"\n"}
    if not strange:
        return html
    if any(spelled(one) != " " for one in strange):
        html = unicodedata.normalize("NFC", template.render(said, spelled=True))
    return html.translate({ord(one): spelled(one) for one in strange})


def _inside(words: Language, name: str, data: bytes) -> tuple[str, str, int, str]:
    """Return a file inside as the certificate lists it: name, what it is, bytes, SHA-256."""
    description = words.text(_KNOWN[name][1]) if name in _KNOWN else name
    return name, description, len(data), hashlib.sha256(data).hexdigest()
