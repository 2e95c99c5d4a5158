"""The certificate's languages: nothing of ours stays English, figures follow, and what is English is marked."""

import re
from pathlib import Path

import catalogue
import pytest
from certificate_sample import Scenario, make_run
from jinja2 import Environment, nodes
from test_certificate import Page

from hil.errors import SetupError
from hil.reports.certificate import render
from hil.reports.edition import Edition
from hil.reports.figures import Figures
from hil.reports.language import language

GERMAN = language("de")
# what is the same in every language: symbols, names of files and programs, keys of the record
NO_WORDS = re.compile(
    r"U \(k\)|SHA-256|journal\.jsonl|head -n|tail -n|tr -d|sha256sum|hil\b|Python|&\w+;|\b[SukU]\b|\\n|1\b|\bv\b"
)


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("de"), Scenario(bad_meter=2, stuck_relay="K2", retried=True))


@pytest.fixture(scope="module")
def german(journal):
    return render(journal, journal.folder, Edition(language="de")).decode()


@pytest.fixture(scope="module")
def texts():
    return catalogue.everything()


def test_every_text_of_ours_is_in_the_catalogue(texts):
    """Of templates, modules and the shipped plan: a new sentence needs its German."""
    assert [text for text in texts if not GERMAN.knows(text)] == []
    assert len(texts) > 500


def test_a_translation_has_the_places_of_its_sentence(texts):
    """A value that is missing in one language would be missing on its certificates only."""

    def places(text):
        return sorted(re.findall(r"\{(\w*)(?:![rs])?\}", text))

    assert [text for text in texts if places(text) != places(GERMAN.text(text))] == []


def test_figures_in_sentences_have_the_decimal_comma(texts):
    """2.5 % is 2,5 % in German; numbers of clauses and files are left alone."""
    said = [GERMAN.text(text) for text in texts]

    assert [text for text in said if re.search(r"\d\.\d+ ?(%|V|A|s|K|kOhm|Un|Ib|Imax)\b", text)] == []


@pytest.mark.parametrize(
    "path", sorted((catalogue.REPORTS / "templates").glob("*.html.j2")), ids=lambda path: path.name
)
def test_a_template_has_no_words_outside_the_catalogue(path: Path):
    """Text between tags goes through `t`; what stands there as it is has no words."""
    tree = Environment(trim_blocks=True).parse(path.read_text())
    plain = "\0".join(one.data for one in tree.find_all(nodes.TemplateData))
    words = NO_WORDS.sub(" ", re.sub(r"<[^>]*>|<[^>]*\Z|[^<>]*>", " ", plain.replace("\0", "")))

    assert re.findall(r"[A-Za-z]{2,}", words) == []


def test_the_page_is_german(german):
    """Title, headings, verdict, methods, areas; and its language is declared."""
    page = Page(german.encode())

    assert page.all("html")[0]["lang"] == "de"
    for said in (
        "Prüfbericht Nr.", "NICHT BESTANDEN", "Erweiterte Messunsicherheit U, k = 2,14", "Entscheidungsregel",
        "Risiko.", "Ende des Prüfberichts",
        "Die Ergebnisse beziehen sich ausschließlich auf den geprüften Gegenstand", "SIMULIERT", "Messmittel",
    ):  # fmt: skip
        assert said in page.text


def test_numbers_and_dates_are_german(german):
    """Decimal comma, date by day, month, year; not one number of a result keeps its point."""
    cells = re.findall(r'<td data-label="(?:Messwert|U \(k\)|Grenzwert|Abstand)"[^>]*>(.*?)</td>', german, re.DOTALL)
    shown = [re.sub(r"<a .*?</a>|<[^>]+>", "", cell) for cell in cells]

    assert len(shown) > 200
    assert any(re.search(r"\d,\d", cell) for cell in shown)
    assert [cell for cell in shown if re.search(r"\d\.\d", cell)] == []
    assert "21.11.2026 14:02:11 UTC" in german
    assert 'content: "Seite " counter(page) " von " counter(pages)' in german


@pytest.mark.parametrize(
    ("shown", "german"),
    [
        (("qty", 1234567.25, "V"), "1,23457\u202fMV"),
        (("qty", 12345.0, "count"), "12\u202f345"),
        (("bounds", -0.5, 1.0, "%"), "\u22120,5 bis 1\u202f%"),
        (("bounds", 1.0, 1.0, "yes"), "ja"),
        (("qty", 0.0, "yes"), "nein"),
        (("risk", 0.0), "<\u202f0,01\u202f%"),
        (("date", "2026-03-02"), "02.03.2026"),
        (("date", "no date"), "no date"),
    ],
)
def test_a_figure_is_written_the_german_way(shown, german):
    """DIN 1333 and DIN 5008: comma, groups of three, day before month."""
    name, *given = shown

    assert getattr(Figures(GERMAN), name)(*given) == german


def test_what_stays_english_is_marked(german):
    """A remark on record is as it was written, and a screen reader is told its language."""
    assert '<span lang="en">Window of the energy test: 212 s, from the register&#39;s 0.1 Wh' in german


def test_the_same_journal_gives_the_same_german_bytes(journal, german):
    """A language changes the words and nothing of the record."""
    assert render(journal, journal.folder, Edition(language="de")).decode() == german


def test_an_unknown_language_is_refused():
    """And the known ones are named."""
    with pytest.raises(SetupError, match=r"there is no language 'fr'.*known: en, de"):
        language("fr")
