"""ATML test results, validated by hil's own subset of the schema and read back by lxml and xmlschema."""

from dataclasses import replace
from pathlib import Path

import pytest
from export_sample import started
from lxml import etree
from sample_run import Standing, Ticking
from xmlschema import XMLSchema

import hil.reports.exports
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter
from hil.reports.exports import render

TR, C = "{urn:IEEE-1671:2009.04:TestResults}", "{urn:IEEE-1671:2010:Common}"
NAMES = {"tr": TR[1:-1], "c": C[1:-1]}
XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
SCHEMA = Path(hil.reports.exports.__file__).parent / "schema" / "atml_results_subset.xsd"
OUTCOMES = {
    "pass": ("Passed", ""),
    "conditional_pass": ("Passed", "ConditionalPass"),
    "fail": ("Failed", ""),
    "conditional_fail": ("Failed", "ConditionalFail"),
    "not_covered": ("Aborted", "NotCovered"),
    "refused": ("Aborted", "Refused"),
}


@pytest.fixture(scope="module")
def schema():
    return XMLSchema(str(SCHEMA))


@pytest.fixture
def root(journal):
    return etree.fromstring(render("atml", [journal]))


def measured(root):
    """Return the tests that are attempts of measurements, in their order."""
    return root.xpath("//tr:Test[starts-with(@ID, 'm')]", namespaces=NAMES)


def datum(element):
    """Return a typed value and its unit."""
    one = element.find(f"{C}Datum")
    kind = one.get(XSI).removeprefix("c:")
    value = {"boolean": lambda t: float(t == "true"), "double": float, "integer": int}[kind](one.get("value"))
    return value, one.get("standardUnit") or one.get("nonStandardUnit") or "", kind


def bounds(test):
    """Return the limits of a test, whatever their form, and the units they are in."""
    found = test.find(f".//{TR}Limits")
    if found is None:
        return None, None, set()
    if (equal := found.find(f"{C}Expected")) is not None:
        assert equal.get("comparator") == "EQ"
        return datum(equal)[0], datum(equal)[0], {datum(equal)[1]}
    sides = {one.get("comparator"): datum(one) for one in found.iter(f"{C}SingleLimit", f"{C}Limit")}
    assert sides.keys() <= {"GE", "LE"}
    edges = (sides[one][0] if one in sides else None for one in ("GE", "LE"))
    return (*edges, {one[1] for one in sides.values()})


def test_it_is_valid_by_the_schema(journal, schema):
    """Each document, with nothing that the subset does not name."""
    schema.validate(render("atml", [journal]).decode())


def test_each_attempt_is_a_test_with_its_numbers(root, told, stands):
    """Value, type, unit, u, limits, outcome and count are the journal's."""
    tests = measured(root)

    assert len(tests) == len(told)
    for test, (seq, utc, said) in zip(tests, told, strict=True):
        assert (test.get("ID"), test.get("name")) == (f"m{seq + 1}", said["name"])
        assert (test.get("testReferenceID"), test.get("startDateTime")) == (said["requirement"], utc)
        results = {one.get("name"): one for one in test.findall(f"{TR}TestResult")}
        unit = "" if said["unit"] in {"1", "yes"} else said["unit"]
        assert ("value" in results) == (said["value"] is not None)
        if said["value"] is not None:
            kind = "boolean" if said["unit"] == "yes" else "double"
            assert datum(results["value"].find(f"{TR}TestData")) == (said["value"], unit, kind)
            assert datum(results["standard uncertainty"].find(f"{TR}TestData")) == (said["u"], unit, "double")
            dof = float("inf") if said["dof"] is None else said["dof"]
            assert datum(results["degrees of freedom"].find(f"{TR}TestData"))[0] == dof
        low, high, units = bounds(test)
        assert (low, high) == (said["low"], said["high"])
        assert units <= {unit}


def test_verdicts_are_outcomes_with_qualifiers(root, told, stands):
    """Conditional verdicts, refusals, what the screen rejects and what a later attempt supersedes are qualified."""
    last = {said["name"]: said["attempt"] for _, _, said in told}
    for test, (_, _, said) in zip(measured(root), told, strict=True):
        value, qualifier = OUTCOMES[stands(said)]
        parts = [qualifier] if qualifier else []
        if stands(said) != said["verdict"]:
            parts.append("ScreenedOut, by its rule Pass")
        if said["attempt"] < last[said["name"]]:
            parts.append("Superseded")
        outcome = test.find(f"{TR}Outcome")

        assert (outcome.get("value"), outcome.get("qualifier", "")) == (value, "; ".join(parts)), said["name"]


def test_uncertainty_is_told_as_limits_of_the_error(full):
    """U with its confidence stands with the value it belongs to."""
    test = measured(etree.fromstring(render("atml", [full])))[0]
    value = test.xpath("tr:TestResult[@name='value']/tr:TestData/c:Datum", namespaces=NAMES)[0]
    edges = [float(one.get("value")) for one in value.iterfind(f"{C}ErrorLimits//{C}Datum")]

    assert edges == [-0.1388, 0.1388]
    assert float(value.findtext(f"{C}Confidence")) == 0.95


def test_requirements_are_a_group_of_their_own(full):
    """What nobody measured is not passed, what was waived says so, what is not asked for is left out."""
    root = etree.fromstring(render("atml", [full]))
    found = {
        one.get("testReferenceID"): tuple(one.find(f"{TR}Outcome").get(key) for key in ("value", "qualifier"))
        for one in root.xpath("//tr:TestGroup[@ID='requirements']/tr:Test", namespaces=NAMES)
    }

    assert found["MET-05"] == ("Failed", None)
    assert found["SU-01"] == ("Aborted", "Waived")
    assert "ETH-01" not in found


def test_simulated_stands_on_every_action(full, good):
    """And, like NOT RELEASED, at the head; on a real bench nowhere."""
    simulated, real = (etree.fromstring(render("atml", [one])) for one in (full, good))
    actions = simulated.xpath("//tr:ResultSet | //tr:TestGroup | //tr:Test", namespaces=NAMES)

    assert all(one.get("simulated") == "true" for one in actions)
    assert simulated.find(f"{TR}ResultSet/{TR}Outcome").get("qualifier") == "SIMULATED; NOT RELEASED"
    assert not real.xpath("//*[@simulated]")
    assert real.find(f"{TR}ResultSet/{TR}Outcome").attrib == {"value": "Passed"}


def test_a_dead_run_is_aborted(died):
    """The run and the test it died in."""
    root = etree.fromstring(render("atml", [died]))
    groups = root.xpath("//tr:TestGroup[starts-with(@ID, 't')]/tr:Outcome/@value", namespaces=NAMES)

    assert root.find(f"{TR}ResultSet/{TR}Outcome").get("value") == "Aborted"
    assert groups == ["Aborted"]


def test_a_run_that_began_and_no_more_is_valid(tmp_path, schema):
    """Nobody named, nothing described, nothing measured: ATML knows no blank text."""
    with JournalWriter(tmp_path, Standing(), Ticking()) as journal:
        nothing = {"requirements": (), "operator": "", "unit_facts": {}, "decision": {}, "station": ""}
        journal.write(replace(started(b""), plan={}, software={}, **nothing))

    schema.validate(render("atml", [read_journal(tmp_path)]).decode())


def test_who_where_and_with_what(good):
    """Operator, customer, station, instruments with their calibration, unit, program and order."""
    root = etree.fromstring(render("atml", [good]))

    assert root.find(f"{TR}Personnel/{TR}SystemOperator").get("name") == "+Ana & Bö <x>"
    assert root.find(f"{TR}Personnel/{TR}CustomerRepresentative").get("affiliation") == "Kunde AG"
    assert root.findtext(f"{TR}UUT/{C}SerialNumber") == "SP-000123"
    assert root.findtext(f"{TR}UUT/{C}Definition/{C}Identification/{C}ModelName") == "smart-power"
    assert root.findtext(f"{TR}TestStation/{C}SerialNumber") == "bench-1"
    parts = root.findall(f".//{C}Component/{C}Definition")
    assert [one.findtext(f"{C}SerialNumber") for one in parts] == ["C3", "MY6"]
    assert "PM-7" in parts[0].findtext(f"{C}Definition/{C}Description")
    assert "no calibration on record" in parts[1].findtext(f"{C}Definition/{C}Description")
    assert root.find(f"{TR}Site").get("name") == "Prüflabor Nord"
    assert root.findtext(f"{TR}WorkOrder/{C}WorkOrderNumber") == "PO-7"


def test_the_same_journal_gives_the_same_bytes(journal):
    """UUIDs too: they are made from what they name."""
    once, again = (render("atml", [journal]) for _ in range(2))

    assert once == again
    assert b"\x1b" not in once


def test_the_schema_refuses_what_hil_must_not_write(full, schema):
    """A time without a zone, NaN and an outcome of our own are found: the subset is no rubber stamp."""
    good = render("atml", [full]).decode()
    for old, new in (
        ('startDateTime="2026-11-21T08:30:00.010000Z"', 'startDateTime="2026-11-21T08:30:00.010000"'),
        ('value="38.125"', 'value="NaN"'),
        ('value="Failed"', 'value="ConditionalFail"'),
        ("<tr:Personnel>", "<tr:Persons/><tr:Personnel>"),
    ):
        assert old in good
        assert not schema.is_valid(good.replace(old, new, 1)), new
