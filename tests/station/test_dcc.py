"""Digital Calibration Certificates: what of one becomes a calibration, what is left out, and what is refused.

The fixture is ours, written from the structure of the format. The schema of SCHEMA_OF_ANOTHER, too, is ours: it stands
for PTB's, which a laboratory downloads and this project does not carry.
"""

from __future__ import annotations

import datetime
import hashlib
import shutil
from pathlib import Path

import pytest

from hil.cli import main
from hil.errors import Blame, SetupError
from hil.metrology.calibration import Point
from hil.station.config import load_stations
from hil.station.dcc import DccRefused, certificate_of
from hil.station.dcc import document as document_module

ROOT = Path(__file__).parents[2]
FIXTURE = Path(__file__).parent / "dcc" / "power_meter.xml"
SCHEMA_OF_ANOTHER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    targetNamespace="https://ptb.de/dcc">
  <xs:import namespace="https://ptb.de/si" schemaLocation="https://192.0.2.1/si/SI_Format.xsd"/>
  <xs:import namespace="http://www.w3.org/2000/09/xmldsig#" schemaLocation="https://192.0.2.1/xmldsig-core-schema.xsd"/>
  <xs:element name="digitalCalibrationCertificate">
    <xs:complexType>
      <xs:sequence>
        <xs:any processContents="lax" maxOccurs="2"/>
        <xs:element ref="ds:Signature" minOccurs="0"/>
      </xs:sequence>
      <xs:attribute name="schemaVersion" fixed="3.2.1"/>
    </xs:complexType>
  </xs:element>
</xs:schema>"""
SI_OF_ANOTHER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="https://ptb.de/si">
  <xs:element name="real"/>
</xs:schema>"""
SIGNATURE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></dcc:digitalCalibrationCertificate>'


def read(*changes: tuple[str, str], serial: str = "C3UB12345E", driver: str = "yokogawa_wt310e"):
    """Return the certificate in the fixture after some changes."""
    text = FIXTURE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return certificate_of(text.encode(), driver=driver, serial=serial)


def test_a_certificate_is_read_whole():
    """Identity, points in base units with the sign of a correction, and what was left out, each with its reason."""
    certificate = read()
    voltage, power = certificate.tables

    assert (certificate.certificate, certificate.laboratory) == ("WT-2026-0042", "Example Calibration Ltd")
    assert (certificate.date, certificate.due) == (datetime.date(2026, 3, 2), datetime.date(2027, 3, 2))
    assert (certificate.serial, certificate.source) == ("C3UB12345E", "dcc")
    assert (voltage.quantity, voltage.range_, voltage.unit) == ("ac_voltage", "300 V", "V")
    assert voltage.points[1] == Point(230.0, -0.020, 0.015, 2.0)
    assert (power.quantity, power.range_, power.points) == ("active_power", "300 V, 1 A", (Point(230.0, 0.046, 0.03),))
    assert certificate.notes == (
        "result 'Crest factor' is left out: its name says no quantity that hil knows",
        "result 'AC current, range 1 A' is left out: found before an adjustment or repair",
        "it was checked against hil's own subset of the DCC schema, not against PTB's (import-dcc --schema)",
    )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<si:valueXMLList>-4 20 30", "<si:valueXMLList>4 -20 -30", "its error is not what was shown minus the ref"),
        ("\\milli\\volt", "\\milli\\ampere", "no values in V"),
        ("-4 20 30", "-4 20", "2 values and 3 uncertainties"),
        ("<si:uncertaintyXMLList>5 15 20", "<si:uncertaintyXMLList>5 15 20 25", "3 values and 4 uncertainties"),
        ("30.0 230.0 300.0", "30.0 1e999 300.0", "a number that is none"),
        ("basic_measuredValue", "basic_shownValue", "0 quantities with a refType of basic_measuredValue"),
        ('refType="basic_measurementError"', "", "0 errors or corrections"),
        ("<si:uncertaintyXMLList>5 15 20", "<si:uncertaintyXMLList>0 15 20", "an uncertainty of nothing"),
        ("AC voltage, 50 Hz", "AC voltage and frequency", "its name says several quantities"),
    ],
)
def test_a_result_that_cannot_be_mapped_is_left_out_with_its_reason(old, new, why):
    """The others are used; nothing is guessed."""
    certificate = read((old, new))

    assert [table.quantity for table in certificate.tables] == ["active_power"]
    assert any(why in note for note in certificate.notes), certificate.notes


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([("C3UB12345E", "C3UB00000E")], "this is a calibration of C3UB00000E; stations.toml wants serial C3UB12345E"),
        (
            [("range 300 V<", "range 310 V<")],
            "yokogawa_wt310e has no range '310 V'; it has 15 V, 30 V, 60 V, 150 V, 300 V",
        ),
        ([('refType="basic_serialNumber"', ""), ("Serial number", "Number")], "it names no serial number of its item"),
        ([("<dcc:uniqueIdentifier>WT-2026-0042</dcc:uniqueIdentifier>", "")], "coreData: Unexpected child"),
        ([('schemaVersion="3.2.1"', 'schemaVersion="2.4.0"')], "a DCC of schema '2.4.0', not 3.x"),
        ([("<dcc:endPerformanceDate>2026", "<dcc:endPerformanceDate>-2026")], "is no date of this age"),
        ([("Example Calibration Ltd", "Example\u202eLtd")], "cannot be printed"),
        ([("<si:value>0.23</si:value>", "<si:value>a lot</si:value>")], "quantity[1]/real/value: "),
    ],
)
def test_what_is_no_certificate_of_this_instrument_is_refused(changes, why):
    """By the set-up's fault, in one line."""
    with pytest.raises(DccRefused) as caught:
        read(*changes)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.blame is Blame.SETUP


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "<dcc:beginPerformanceDate>2026-03-01",
            "<dcc:beginPerformanceDate>1 March",
            "Invalid datetime string '1 March'",
        ),
        ("<dcc:endPerformanceDate>2026-03-02</dcc:endPerformanceDate>", "", "endPerformanceDate' expected"),
        ("<dcc:uniqueIdentifier>WT-2026-0042", "<dcc:uniqueIdentifier> ", "uniqueIdentifier"),
        (
            "</dcc:uniqueIdentifier>",
            "</dcc:uniqueIdentifier><dcc:uniqueIdentifier>2</dcc:uniqueIdentifier>",
            "Unexpected",
        ),
        ("<dcc:items>", "<dcc:customer/><dcc:items>", "Unexpected child with tag 'customer'"),
        ("<dcc:issuer>manufacturer", "<dcc:issuer>maker", "issuer"),
        ("<dcc:value>C3UB12345E</dcc:value>", "", "'dcc:value' expected"),
        ("<dcc:status>beforeAdjustment", "<dcc:status>before", "status"),
        ("<dcc:data>", "<dcc:data></dcc:data><dcc:data>", "data[1]: The content of element 'data' is not complete"),
        ("<si:unit>\\kilo\\watt</si:unit>", "", "'si:unit' expected"),
        ("<si:unit>\\kilo\\watt", "<si:unit>kilo watt", "unit"),
        ("<si:value>0.23", "<si:value>0,23", "value"),
        ("<si:value>0.23", "<si:value>1_0", "value"),
        ("<si:valueXMLList>30.0 230.0 300.0", "<si:valueXMLList>", "valueXMLList"),
        ("<si:coverageFactor>2.0", "<si:coverageFactor>0.5", "coverageFactor"),
        ("<si:coverageFactorXMLList>2.0", "<si:coverageFactorXMLList>0.5", "coverageFactorXMLList"),
        ("<si:uncertainty>0.03", "<si:uncertainty>-0.03", "uncertainty"),
        (
            "</si:real>",
            "</si:real><si:real><si:value>1</si:value><si:unit>\\watt</si:unit></si:real>",
            "Unexpected child",
        ),
    ],
)
def test_the_subset_is_strict_about_what_is_read(old, new, why):
    """Types, order, number and required elements; the refusal names the place."""
    with pytest.raises(DccRefused, match="no DCC that hil can read") as caught:
        read((old, new))
    assert why in str(caught.value)


def test_the_subset_lets_through_what_is_not_read():
    """Comments, documents, signatures, elements of a later version, quantities in other forms; and says of some so."""
    changes = [
        ('schemaVersion="3.2.1"', 'schemaVersion="3.3.0"'),
        ("<dcc:beginPerformanceDate>", "<dcc:issueDate>2026-03-03</dcc:issueDate><dcc:beginPerformanceDate>"),
        (
            "</dcc:list>",
            "<dcc:quantity><si:complex><si:valueReal>1</si:valueReal></si:complex></dcc:quantity></dcc:list>",
        ),
        ("<si:realListXMLList>", "<si:realListXMLList><si:labelXMLList>a b c</si:labelXMLList>"),
        ("</dcc:digitalCalibrationCertificate>", f"<dcc:comment><x/></dcc:comment><dcc:document/>{SIGNATURE}"),
    ]
    certificate = read(*changes)

    assert certificate.tables == read().tables
    assert "its electronic signature was not verified" in certificate.notes


def test_a_stated_recalibration_date_is_the_due_date():
    """As the customer had agreed with the laboratory; else the maker's interval counts."""
    statement = (
        '</dcc:customer><dcc:statements><dcc:statement refType="basic_recalibration"><dcc:date>2026-09-02</dcc:date>'
        "</dcc:statement></dcc:statements>"
    )

    assert read(("</dcc:customer>", statement)).due == datetime.date(2026, 9, 2)
    assert read(("2026-03-02", "2024-02-29")).due == datetime.date(2025, 2, 28)


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd"><x/>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (LAUGHS, "a DOCTYPE or an entity"),
        (OUTSIDE, "a DOCTYPE or an entity"),
        (FILE, "a DOCTYPE or an entity"),
        ("<a>" * 100, "more than 60 elements deep"),
        ("<x/>", "its root is 'x'"),
        ("no XML", "this is no XML"),
        ("", "this is no XML"),
        ('<?xml version="1.0" encoding="nobody"?><x/>', "this is no XML"),
    ],
)
def test_what_could_hurt_is_refused_before_it_is_read(data, why):
    """No entity is expanded, no address opened, no depth followed."""
    with pytest.raises(DccRefused, match=why):
        certificate_of(data.encode(), driver="yokogawa_wt310e", serial="")


def test_a_huge_file_is_refused_unread(monkeypatch):
    """Its size is said."""
    monkeypatch.setattr(document_module, "LARGEST_BYTES", 100)
    with pytest.raises(DccRefused, match="this file has 101 bytes, a DCC has 100 at most"):
        certificate_of(b" " * 101, driver="yokogawa_wt310e", serial="")


@pytest.fixture
def stations_file(tmp_path):
    """A copy of the shipped stations, without their calibrations folder."""
    return Path(shutil.copy(ROOT / "stations.toml", tmp_path / "stations.toml"))


def test_a_certificate_in_the_folder_is_read_as_it_came(stations_file):
    """calibrations/bench-1/PowerMeter.xml, or the TOML that the import writes from it: the same corrections."""
    folder = stations_file.parent / "calibrations" / "bench-1"
    folder.mkdir(parents=True)
    shutil.copy(FIXTURE, folder / "PowerMeter.xml")
    direct = load_stations(stations_file)["bench-1"].instruments["PowerMeter"].calibration
    (folder / "PowerMeter.xml").unlink()
    words = ["station", "import-dcc", str(FIXTURE), "--station", "bench-1", "--role", "PowerMeter"]
    exit_code = main([*words, "--stations", str(stations_file)])
    imported = load_stations(stations_file)["bench-1"].instruments["PowerMeter"].calibration

    assert exit_code == 0
    assert imported.tables == direct.tables
    assert (imported.certificate, imported.due, imported.source) == (direct.certificate, direct.due, "toml")
    assert "Crest factor" in (folder / "PowerMeter.toml").read_text(encoding="utf-8")


def test_an_import_replaces_nothing(stations_file, capsys):
    """What is there already must be taken away by a person; an unknown role is told."""
    for role, why in (("Dmm", "take it away first"), ("Dmn", "did you mean 'Dmm'?")):
        words = ["station", "import-dcc", str(FIXTURE), "--station", "bench-1", "--role", role]
        assert main([*words, "--stations", str(stations_file)]) == 4
        assert why in capsys.readouterr().err


@pytest.fixture
def schema_of_another(tmp_path):
    """A folder as a laboratory downloads it: a dcc.xsd that names what it imports by addresses of a network."""
    (tmp_path / "dcc.xsd").write_text(SCHEMA_OF_ANOTHER, encoding="utf-8")
    (tmp_path / "SI_Format.xsd").write_text(SI_OF_ANOTHER, encoding="utf-8")
    return tmp_path


def test_a_schema_that_is_given_is_used_as_well(schema_of_another, stations_file, capsys):
    """From the folder or the file, by local names alone; the TOML says which, and a document it forbids is refused."""
    words = ["station", "import-dcc", str(FIXTURE), "--station", "bench-1", "--role", "PowerMeter"]
    digest = hashlib.sha256(SCHEMA_OF_ANOTHER.encode()).hexdigest()
    assert main([*words, "--stations", str(stations_file), "--schema", str(schema_of_another)]) == 0
    written = (stations_file.parent / "calibrations/bench-1/PowerMeter.toml").read_text(encoding="utf-8")
    assert f"# it is valid by dcc.xsd, SHA-256 {digest}, too\n" in written
    assert f"dcc.xsd, SHA-256 {digest}" in capsys.readouterr().out

    text = FIXTURE.read_text(encoding="utf-8")
    for other, why in (
        (text.replace('"3.2.1"', '"3.2.0"', 1), "schemaVersion"),
        (text.replace("</dcc:digitalCalibrationCertificate>", SIGNATURE), "SignedInfo"),
    ):
        with pytest.raises(DccRefused, match=f"not valid by dcc.xsd.*{why}"):
            certificate_of(other.encode(), driver="dmm", serial="", schema=schema_of_another / "dcc.xsd")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("dcc.xsd", None, "dcc.xsd cannot be read: No such file"),
        ("dcc.xsd", "<no", "is no schema that can be used"),
        ("dcc.xsd", "<x/>", "is no schema that can be used: 'x' is not an element of the schema"),
        ("dcc.xsd", FILE, "is no schema that can be used"),
        ("dcc.xsd", SI_OF_ANOTHER, "is a schema of 'https://ptb.de/si', not of a DCC"),
        ("SI_Format.xsd", None, "dcc.xsd needs 'SI_Format.xsd'; download it too, and put it beside"),
    ],
)
def test_a_schema_that_cannot_be_used_is_the_set_ups_fault(schema_of_another, name, text, why):
    """In one line; nothing is looked for elsewhere."""
    (schema_of_another / name).unlink()
    if text is not None:
        (schema_of_another / name).write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as caught:
        certificate_of(FIXTURE.read_bytes(), driver="dmm", serial="", schema=schema_of_another)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
