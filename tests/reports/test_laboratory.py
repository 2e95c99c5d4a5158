"""A laboratory's letterhead: its facts, its logo, its templates; and what none of them may do."""

import struct

import pytest
from certificate_sample import Scenario, make_run

from hil.errors import SetupError
from hil.reports.certificate import render
from hil.reports.edition import Edition
from hil.reports.laboratory import load

WHOLE = """
name = "Prüflabor Süd"
address = "Am Werk 1, München"
place = "Halle 7"
contact = "labor@example.org"
accreditation = { body = "Beispielstelle", number = "D-PL-00000-01-00", scope = "Anlage 3" }
authorised_by = { name = "A. Beispiel", function = "Laborleitung" }
"""
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="url(#g)"/></svg>'


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "laboratory.toml").write_text(WHOLE)
    return folder


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("house"), Scenario())


def page(journal, house):
    return render(journal, journal.folder, Edition(template=house)).decode()


def test_the_letterhead_is_the_laboratorys(journal, house):
    """Name, address, place, contact, accreditation, who authorises, logo; and that the record names another."""
    (house / "logo.svg").write_text(LOGO)
    data = page(journal, house)

    for said in ("Prüflabor Süd", "Am Werk 1, München", "Halle 7", "D-PL-00000-01-00", "A. Beispiel, Laborleitung"):
        assert said in data
    assert 'src="data:image/svg+xml;base64,' in data
    assert "names &#39;Prüflabor Nord&#39; as the laboratory" in data
    assert "Authorised by: signature" in data


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "A"\n', "address is missing"),
        (WHOLE + 'adress = "x"\n', "adress: there is no such key; did you mean 'address'"),
        (WHOLE.replace("number", "nummer"), "accreditation.nummer: there is no such key; did you mean 'number'"),
        (WHOLE.replace('"Halle 7"', "7"), "place: text in double quotes is wanted here"),
        (WHOLE.replace("Halle 7", "H" * 201), "place: it is 201 characters long"),
        (WHOLE.replace("Halle 7", "\\u202e7"), "place: its character 1, U.202E, cannot be printed"),
        (WHOLE.replace('"Halle 7"', '"Halle'), "is no TOML: .*line 4"),
        ("x" * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_mistake_in_laboratory_toml_is_named(house, text, says):
    """File, key, and what to do."""
    (house / "laboratory.toml").write_text(text)
    with pytest.raises(SetupError, match=f"laboratory.toml.*{says}"):
        load(house)


def test_a_folder_without_laboratory_toml_is_refused(tmp_path):
    """It is no laboratory's folder."""
    with pytest.raises(SetupError, match=r"laboratory\.toml cannot be read: No such file"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("<script>alert(1)</script>", "element 'script'"),
        ("<foreignObject/>", "element 'foreignObject'"),
        ('<image href="a.png"/>', "element 'image'"),
        ('<path onclick="alert(1)"/>', "attribute 'onclick'"),
        ('<use href="http://example.org/a.svg#b"/>', "outside itself"),
        ('<path fill="url(http://example.org/a)"/>', "outside itself"),
        ('<path style="fill:u\\72l(//example.org/a)"/>', "outside itself"),
        ("<style>@import 'a.css';</style>", "outside itself"),
        ("<style>@im/**/port 'a.css';</style>", "outside itself"),
        ('<animate attributeName="href"/>', "element 'animate'"),
        ("<path", "is no SVG"),
    ],
)
def test_a_logo_that_could_act_or_fetch_is_refused(house, inside, says):
    """Every certificate carries it, to readers who trust the laboratory."""
    (house / "logo.svg").write_text(LOGO.replace("</svg>", inside + "</svg>"))
    with pytest.raises(SetupError, match=says):
        load(house)


def test_a_logo_with_entities_is_refused_before_it_is_read(house):
    """A few lines of entities would fill the memory."""
    (house / "logo.svg").write_text('<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + LOGO)
    with pytest.raises(SetupError, match="document type"):
        load(house)


def test_a_png_is_checked_by_its_head(house):
    """By what it is, not by its name; and its size is bounded."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    (house / "logo.png").write_bytes(head + struct.pack(">II", 300, 80) + bytes(5))
    assert load(house).logo.startswith("data:image/png;base64,")
    (house / "logo.png").write_bytes(head + struct.pack(">II", 30_000, 80) + bytes(5))
    with pytest.raises(SetupError, match="30000 x 80 pixels"):
        load(house)
    (house / "logo.png").write_bytes(b"GIF89a")
    with pytest.raises(SetupError, match="is no PNG"):
        load(house)


def test_a_template_of_the_laboratory_stands_in_for_ours(journal, house):
    """By its file's name; the others stay."""
    (house / "certificate.css").write_text("body { color: navy }")

    assert "body { color: navy }" in page(journal, house)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("<p>\n{{ page.nothing }}</p>", r"summary\.html\.j2, line 2: .*nothing"),
        ("<p>\n{% if %}</p>", r"summary\.html\.j2, line 2: "),
        ("{{ ''.__class__.__mro__ }}", r"summary\.html\.j2, line 1: .*unsafe"),
        ("{% from 'parts.html.j2' import nothing %}{{ nothing(1) }}", r"summary\.html\.j2, line 1: .*nothing"),
        ("{{ 1 / 0 }}", r"summary\.html\.j2, line 1: division by zero"),
        ("<script>1</script>", "would act or fetch something: '<script'"),
        ('<img src="https://example.org/a.png">', "would act or fetch something"),
    ],
)
def test_what_a_template_must_not_do_is_refused(journal, house, template, says):
    """Each error names the file and its line."""
    (house / "summary.html.j2").write_text(template)
    with pytest.raises(SetupError, match=says):
        page(journal, house)


def test_a_template_cannot_leave_out_what_must_be_said(journal, house):
    """SIMULATED above all."""
    (house / "front.html.j2").write_text("<h1>Certificate</h1>")
    (house / "certificate.html.j2").write_text('{% set s = page.started %}{% include "front.html.j2" %}')
    with pytest.raises(SetupError, match=r"leaves out .*'SIMULATED'"):
        page(journal, house)
