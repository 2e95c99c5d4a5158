"""A record in which every free text is an attack makes the same reports as a harmless one, with more text in them."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hil.cli import main
from hil.commands.tables import print_table
from hil.errors import InstrumentRefused
from hil.journal.reader import read_journal
from hil.journal.summary import conclude
from hil.reports import make_reports
from hil.reports.allure_files import waveform_csv
from hil.run.words import counted, headline, stands_out
from tests.security import evil, evil_run

sys.path.append(str(Path(__file__).parents[1] / "reports"))  # its tests have no package
SERIAL = "SP-000042"
HARMLESS = " and more [of it],\nas text = it is"  # with what names are cut at


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.values: list[tuple[str, str, str]] = []
        self.text = ""
        self.style = ""
        self._within = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *sorted(name for name, _ in attrs)))
        self.values += [(tag, name, value or "") for name, value in attrs]
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "style":
            self.style += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("!--",))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same run twice, with its reports."""
    import certificate_sample

    folder = tmp_path_factory.mktemp("runs")
    scenario = certificate_sample.Scenario(bad_meter=2, stuck_relay="K2", retried=True, waived=True, faults=("x",))
    sample = certificate_sample.make_run(folder / "sample", scenario).folder
    made = {}
    for name, added in (("harmless", HARMLESS), ("evil", evil.ALL)):
        made[name] = evil_run.write(folder / name / SERIAL / "20261121T140211.204117Z-7f3a", sample, added)
        make_reports(made[name])
    return made


def pages(runs: dict[str, Path]) -> dict[str, Page]:
    return {name: Page((folder / "certificate.html").read_text()) for name, folder in runs.items()}


def test_the_certificate_has_the_elements_of_its_template_and_no_other(runs: dict[str, Path]):
    """Tag by tag the page of the harmless record: nothing that was text has become markup."""
    both = pages(runs)

    assert len(both["harmless"].elements) > 2000
    assert both["evil"].elements == both["harmless"].elements
    assert "script" not in {one[0] for one in both["evil"].elements}


def test_the_certificate_shows_the_attack_as_text(runs: dict[str, Path]):
    """Braces are braces, and what could not be seen is spelled out."""
    page = pages(runs)["evil"]

    for text in (evil.HTML, "{{7*7}}{%raw%}${7*7}", "\\x00\\x07\\x08\\x1b[31m", "\\u202eevil\\u2066\\u200b\\ufeff"):
        assert page.text.count(text) > 50, text
    assert "javascript:" not in "".join(value[:20] for _, name, value in page.values if name in {"href", "src"})
    assert all(value.startswith("#") for _, name, value in page.values if name == "href")


def test_the_style_sheet_is_the_same_but_for_its_strings(runs: dict[str, Path]):
    """Text in CSS cannot end its string."""
    without_strings = {name: re.sub(r'"[^"]*"', '""', page.style) for name, page in pages(runs).items()}

    assert without_strings["evil"] == without_strings["harmless"]


def test_no_report_holds_a_character_that_acts_or_hides(runs: dict[str, Path]):
    """Certificate, JUnit, Allure's files, the manifest; attachments stay as they were attached."""
    for path in runs["evil"].rglob("*"):
        if path.suffix == ".pdf":
            assert not [text for text in _strings(path) if evil.ACTS.search(text)]
        elif path.is_file() and path.parent.name != "attachments" and path.name != "journal.jsonl":
            attached = "-attachment." in path.name and path.suffix not in {".csv", ".svg"}
            assert attached or not evil.ACTS.search(path.read_text(encoding="utf-8")), path


def _strings(path: Path) -> list[str]:
    """Return what a PDF says of itself, in its bookmarks and on its pages' links: all its text but the drawn one."""
    import pikepdf

    with pikepdf.open(path) as pdf:
        found = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary)]
        shown = ("/Title", "/Subject", "/Author", "/Keywords", "/Creator", "/Desc", "/UF", "/F", "/Contents", "/Alt")
        texts = [str(one[key]) for one in found for key in shown if isinstance(one.get(key), pikepdf.String)]
        assert len(texts) > 20
        return [*texts, pdf.Root.Metadata.read_bytes().decode()]


def test_the_xml_reports_have_the_same_elements(runs: dict[str, Path]):
    """junit.xml and the drawings of waveforms parse, and are the same but for their text."""
    found: dict[str, list[Counter[tuple[str, ...]]]] = {}
    for name, folder in runs.items():
        drawings = (folder / "allure-results").glob("*.svg")
        kinds = [Counter((one.tag, *sorted(one.attrib)) for one in ET.parse(folder / "junit.xml").iter())]
        kinds += sorted(
            (Counter((one.tag, *one.attrib) for one in ET.parse(path).iter()) for path in drawings),
            key=lambda counted_: sorted(counted_.items()),
        )
        found[name] = kinds

    assert len(found["evil"]) > 2
    assert found["evil"] == found["harmless"]


def test_allure_results_are_the_same_but_for_their_text(runs: dict[str, Path]):
    """The same objects with the same keys, and no property of the environment more."""

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__

    shapes, properties = {}, {}
    for name, folder in runs.items():
        results = [json.loads(path.read_text()) for path in (folder / "allure-results").glob("*.json")]
        shapes[name] = sorted(json.dumps(shape(one), sort_keys=True) for one in results if isinstance(one, dict))
        text = (folder / "allure-results/environment.properties").read_text()
        properties[name] = [re.split(r"(?<!\\)[=:]", line)[0][:3] for line in text.splitlines()]

    assert shapes["evil"] == shapes["harmless"]
    assert properties["evil"] == properties["harmless"]


def test_no_cell_of_a_table_is_a_formula(runs: dict[str, Path]):
    """A spreadsheet takes what begins with =, +, - or @ for one."""
    tables = list((runs["evil"] / "allure-results").glob("*.csv"))
    cells = [cell for path in tables for row in csv.reader(StringIO(path.read_text())) for cell in row]
    names = [cell for cell in cells if not re.fullmatch(r"-?[0-9.e+-]+", cell)]
    wave = {
        "traces": [{"name": name, "unit": " @SUM(1)", "time_s": [-1.0], "value": [-2.0]} for name in ("-1+1", "+1")]
    }

    assert f"'{evil.FORMULA}" in names
    assert not [cell for cell in names if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert waveform_csv(wave).decode().splitlines()[1:] == ["'-1+1,' @SUM(1),-1.0,-2.0", "'+1,' @SUM(1),-1.0,-2.0"]


def test_the_journal_keeps_what_was_said(runs: dict[str, Path]):
    """Reports spell out; the record does not: a line is JSON, and a newline in a text does not end it."""
    journal = read_journal(runs["evil"])

    assert journal.started.operator.endswith(evil.ALL)
    assert b"\x1b" not in (runs["evil"] / "journal.jsonl").read_bytes()


def test_nothing_acts_on_the_terminal(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]):
    """The list of runs, the summary of a run, the answers of instruments, an error with an instrument's own words."""
    summary = conclude(read_journal(runs["evil"]).events)
    summary_lines = [headline(SERIAL, summary), *counted(summary), *stands_out(summary)]
    main(["runs", "--runs", str(runs["evil"].parents[1])])
    print_table(("role", "what it says"), [["Dmm", f"Maker,{evil.ALL},1,1"]])
    shown = capsys.readouterr().out

    assert "owned" in shown
    assert all("\\u202eevil" in line for line in stands_out(summary)[:3])
    assert not evil.ACTS.search(shown + "".join(summary_lines))
    assert not any("\n" in line for line in summary_lines)


def test_an_error_in_an_instruments_words_is_harmless(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Whatever stands in its error queue."""

    def refuse(asked: object) -> int:
        raise InstrumentRefused("Dmm", "CONF", f'-113,"{evil.TERMINAL}{evil.UNSEEN}"')

    monkeypatch.setattr("hil.commands.runs.run", refuse)

    assert main(["runs"]) == 3
    assert not evil.ACTS.search(capsys.readouterr().err)
