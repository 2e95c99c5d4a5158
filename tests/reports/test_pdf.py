"""The certificate as PDF/A-3b: it conforms, carries the record, says what the HTML says, and is the same every time."""

import hashlib
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from certificate_sample import RUN_ID, Scenario, make_run

from hil.errors import SetupError
from hil.reports import pdf, typeset
from hil.reports.edition import Edition
from hil.reports.language import language
from hil.reports.sheets import flow
from hil.reports.sheets.drawing import operators
from hil.reports.sheets.face import faces, shown
from hil.reports.sheets.results import joined

AGAIN = """
import hashlib, sys
from pathlib import Path
from hil.journal.reader import read_journal
from hil.reports import pdf
from hil.reports.edition import Edition
folder = Path(sys.argv[1])
made = pdf.render(read_journal(folder), folder, Edition(), {"journal.jsonl": b"{}"})
print(hashlib.sha256(made).hexdigest())
"""
ODD = {
    "operator": "王伟 Łukasz \u202eevil \U0001f600 Ünïcödé",
    "laboratory": {"name": "实验室 <b>& Söhne</b> " + "W" * 150, "address": "Straße " * 20},
    "calibration": {"certificate": "9" * 70, "laboratory": "Ж" * 80, "date": "2025-01-01", "due": "2025-12-01"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that fails, with a retry, a waiver and a waveform."""
    root = tmp_path_factory.mktemp("pdf")
    return make_run(root, Scenario(bad_meter=2, stuck_relay="K3", retried=True, waived=True))


@pytest.fixture(scope="module")
def made(run):
    """Its certificate, with two files inside."""
    inside = {"journal.jsonl": (run.folder / "journal.jsonl").read_bytes(), "record.json": b'{"of": "the record"}'}
    return pdf.render(run, run.folder, Edition(), inside)


def text_of(data):
    """What a reader gets of each page: the sheets' text by their fonts' own maps, in the order of the operators."""
    pages = []
    with pikepdf.open(io.BytesIO(data)) as opened:
        for page in opened.pages:
            maps = {name: _characters(font) for name, font in page.Resources.Font.items()}
            face, said = {}, []
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    face = maps[str(operands[0])]
                elif str(operator) in {"Tj", "TJ"}:
                    parts = operands[0] if str(operator) == "TJ" else operands
                    said.append("".join(_read(bytes(part), face) for part in parts if isinstance(part, pikepdf.String)))
            pages.append(" ".join(said))
    return pages


def _characters(font):
    pairs = re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]+)>", font.ToUnicode.read_bytes())
    return {int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be") for glyph, code in pairs}


def _read(data, face):
    return "".join(face[int.from_bytes(data[at : at + 2], "big")] for at in range(0, len(data), 2))


def test_it_is_pdf_a_3b(made):
    """pikepdf's gate, which approves only what it knows to conform, finds nothing."""
    assert pdf.check(made) == []


def test_the_files_inside_come_back_whole(run, made):
    """Byte for byte, each with what it is to the document, and dated by the run and not by today."""
    with pikepdf.open(io.BytesIO(made)) as opened:
        inside = {name: opened.attachments[name] for name in opened.attachments}
        journal = inside["journal.jsonl"].get_file()

        assert journal.read_bytes() == (run.folder / "journal.jsonl").read_bytes()
        assert inside["record.json"].get_file().read_bytes() == b'{"of": "the record"}'
        assert [str(one.AFRelationship) for one in opened.Root.AF] == ["/Source", "/Data"]
        assert journal.creation_date.isoformat() == run.entries[-1].utc[:19] + "+00:00"


def test_every_font_is_embedded(made):
    """Each font of each page has its program inside."""
    with pikepdf.open(io.BytesIO(made)) as opened:
        fonts = [font for page in opened.pages for font in page.Resources.Font.values()]

        assert fonts
        assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in fonts)


def test_it_says_what_it_must_on_every_page(run, made):
    """Its number, page x of y, and that it is simulated; the last page ends it."""
    pages = text_of(made)

    for number, said in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in said
        assert f"Certificate no. {RUN_ID}" in said
        assert "SIMULATED" in said
    assert run.last_hash in pages[-1].replace(" ", "")
    assert f"End of certificate {RUN_ID}" in pages[-1]


def test_every_measured_point_and_every_requirement_is_there(run, made):
    """A row of a result reads from left to right, and the record's requirements are all named."""
    said = " ".join(text_of(made)).replace("\u202f", " ").replace("\u00a0", " ")

    assert all(str(one["id"]) in said for one in run.started.requirements)
    assert re.search(r"socket 3 · i Ib · pf 1 1\.31 % 0\.15 % 2\.\d+ ±1 % S2† −31 % Fail attempt 1, repeated", said)
    assert "passed at attempt 2" in said
    assert "Waveform: " in said
    assert "K2 contact" in said  # it is drawn, not only named


def test_the_same_journal_gives_the_same_bytes_in_another_process(run):
    """With another seed of Python's hashes, another time zone and no home."""
    inside = {"journal.jsonl": b"{}"}
    here = hashlib.sha256(pdf.render(run, run.folder, Edition(), inside)).hexdigest()
    around = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "HOME": "/nonexistent"}

    there = subprocess.run(
        [sys.executable, "-c", AGAIN, str(run.folder)],
        env=around,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )

    assert there.stdout.strip() == here
    assert there.stderr == ""


def test_odd_names_and_a_run_that_died_give_a_german_pdf_too(tmp_path):
    """No name breaks out of its place; letters that no font has are spelled; figures have a comma."""
    run = make_run(tmp_path, Scenario(simulated=False, dies=True, **ODD))

    data = pdf.render(run, run.folder, Edition(language="de"), {})

    said = " ".join(text_of(data))
    assert pdf.check(data) == []
    assert r"\u738b\u4f1f Łukasz \u202eevil \U0001f600 Ünïcödé" in said
    assert "mit ihren Unicode-Nummern" in said
    assert "<b>& Söhne</b>" in said
    assert language("de").text("Aborted").upper() in said
    assert re.search(r"−?\d,\d+\s%", said)
    assert "SIMULIERT" not in said


def test_a_run_with_nothing_measured_gives_a_pdf(run):
    """The first line alone is a record; from no released plan, and every page says so."""
    first = replace(run.entries[0], event=replace(run.started, release={}))
    begun = replace(run, entries=(first,))

    pages = text_of(pdf.render(begun, run.folder, Edition(), {}))

    assert all("SIMULATED · NOT RELEASED" in re.sub(r"\s+", " ", one) for one in pages)
    said = " ".join(pages)

    assert "No instrument was opened in this run." in said
    assert "No uncertainty budget is on record." in said
    assert "The record has no end" in said


def test_words_wider_than_their_column_break():
    """None of their letters is lost, and no line is wider."""
    style = flow.Style()

    lines = flow.wrap("because " + "x" * 400, style, 180.0)

    assert "".join(lines).replace(" ", "") == "because" + "x" * 400
    assert max(style.width(line) for line in lines) <= 180.0


def test_nothing_outside_is_fetched():
    """A document that names a file or a network address gets neither, and is not made without saying so."""
    for address in ("http://127.0.0.1:9/x.png", "file:///etc/hostname"):
        html = f'<html><body><div id="sheets"></div><img src="{address}"></body></html>'
        with pytest.raises(SetupError, match="cannot be made"):
            typeset.write(html, "", "2026-11-21T14:02:11Z", [], lambda document, pdf: None)


def test_points_of_one_kind_are_named_once():
    """Keys that all points have stand before their values."""
    assert joined(["socket\u00a01", "socket\u00a02"]) == "socket\u00a01, 2"
    assert joined(["relay\u00a0K1 · action\u00a0SET", "relay\u00a0K2 · action\u00a0SET"]) == (
        "relay, action: K1\u00a0SET, K2\u00a0SET"
    )
    assert joined(["a\u00a01", "b\u00a02"]) == "a\u00a01; b\u00a02"


def test_a_drawing_lands_where_it_is_put():
    """Paths, rectangles and circles keep their size and turn upside down, as PDF counts from below."""
    drawn = operators(
        '<svg viewBox="0 0 10 10"><path d="M1 2h3v4L0 0Z" stroke="#fff"/><rect x="1" y="1" width="2" height="3" '
        'fill="#000000"/></svg>',
        100.0,
        200.0,
        2.0,
    )

    assert "102.00 196.00 m 108.00 196.00 l 108.00 188.00 l 100.00 200.00 l h S" in drawn
    assert "102.00 192.00 4.00 6.00 re f" in drawn


def test_the_fonts_have_the_letters_of_both_languages():
    """No fixed word of the catalogue is spelled for want of a letter, and widths are the fonts' own."""
    catalogue = language("de").catalogue

    assert all(shown(text) == re.sub("[\n\t]", " ", text) for text in catalogue.values())
    assert faces()["regular"].width("0000", 10.0) == pytest.approx(4 * 4.97)


def test_what_is_missing_is_said(monkeypatch):
    """A machine without the packages gets a sentence, not a traceback."""
    monkeypatch.setitem(sys.modules, "pikepdf", None)

    assert pdf.missing() == "pikepdf is not installed; install it: pip install 'hil[pdf]'"


def test_the_german_of_the_sheets_is_whole():
    """Every fixed English sentence of the sheets has its German."""
    words, folder = language("de"), Path(flow.__file__).parent
    source = "\n".join(re.sub(r'"\n\s+"', "", path.read_text()) for path in sorted(folder.glob("*.py")))
    fixed = set(re.findall(r'(?:text|say|heading)\(\s*"([^"]+)"', source))
    fixed |= set(re.findall(r'Column\([^"]*"([^"]{2,})"', source)) | {
        one for pair in re.findall(r'text\("([^"]+)" if [^)]* else "([^"]+)"\)', source) for one in pair
    }

    assert len(fixed) > 60
    assert sorted(one for one in fixed if not words.knows(one)) == []
