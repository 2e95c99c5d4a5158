"""junit.xml: CI sees failures of the unit as failures, everything else as errors, and nothing missing as green."""

from xml.etree import ElementTree as ET

import pytest
from sample_run import build

from hil.reports import junit


@pytest.fixture
def journal(tmp_path):
    return build(tmp_path)


@pytest.fixture
def suites(journal):
    root = ET.fromstring(junit.render(journal, journal.folder))
    return {suite.get("name"): suite for suite in root}


def outcome(case):
    found = [child for child in case if child.tag in {"failure", "error", "skipped"}]
    return (found[0].tag, found[0].get("type")) if found else ("passed", None)


def test_blame_decides_between_failure_and_error(suites):
    """The unit's fault is a failure, the bench's an error, and a pass at the second attempt a pass."""
    cases = {case.get("name"): outcome(case) for case in suites["tests"].iter("testcase")}

    assert cases == {
        "test_power[0.05]": ("passed", None),
        "test_set_latches": ("failure", "unit"),
        "test_energy": ("error", "bench"),
    }


def test_requirements_are_a_suite_of_their_own(suites):
    """A failed one is a failure, a missing one an error, one that is not required is skipped with its reason."""
    cases = {case.get("name"): case for case in suites["requirements"].iter("testcase")}

    assert outcome(cases["MET-05 title <of> MET-05"]) == ("error", "not proven")
    assert "power[i=Ib]" in cases["MET-05 title <of> MET-05"].find("error").get("message")
    assert outcome(cases["REL-01 title <of> REL-01"]) == ("failure", "unit")
    assert "comes with the next issue" in cases["ETH-01 title <of> ETH-01"].find("skipped").get("message")


def test_the_counts_are_those_of_the_cases(suites):
    """tests, failures, errors and skipped add up."""
    for suite in suites.values():
        tags = [outcome(case)[0] for case in suite.iter("testcase")]
        assert int(suite.get("tests")) == len(tags)
        assert int(suite.get("failures")) == tags.count("failure")
        assert int(suite.get("errors")) == tags.count("error")
        assert int(suite.get("skipped")) == tags.count("skipped")


def test_the_dialect_is_xunit2(suites):
    """A test case has class name, name and time and nothing else; the file is a dotted name."""
    case = next(suites["tests"].iter("testcase"))

    assert set(case.keys()) == {"classname", "name", "time"}
    assert case.get("classname") == "hil.tests.smart_power.test_metering"
    assert float(case.get("time")) == pytest.approx(0.07)
    assert {child.tag for child in case} <= {"failure", "error", "skipped", "system-out"}


def test_properties_say_what_was_tested(suites):
    """Serial number, plan with digest, software, verdict and exit code."""
    found = {one.get("name"): one.get("value") for one in suites["tests"].iter("property")}

    assert found["serial"] == "SP-000123"
    assert found["operator"] == "Ana & Bo"
    assert found["plan_sha256"] == "ab" * 32
    assert (found["verdict"], found["exit_code"]) == ("aborted", "3")


def test_measurements_are_in_the_output(suites):
    """Value, uncertainty, limit and verdict of each attempt stand in system-out."""
    text = next(suites["tests"].iter("testcase")).find("system-out").text.splitlines()

    assert len(text) == 2
    assert text[0].startswith("power[i=0.05Ib] = 1.4")
    assert text[0].endswith(": fail")
    assert text[1].endswith(": pass, attempt 2")


def test_a_run_that_died_is_an_error_in_its_last_test(tmp_path):
    """The test the run died in is an error, although nobody wrote its end."""
    root = ET.fromstring(junit.render(build(tmp_path, died=True), tmp_path))
    cases = {case.get("name"): outcome(case)[0] for case in root.iter("testcase")}

    assert cases["test_set_latches"] == "error"


def test_the_same_journal_gives_the_same_bytes(journal):
    """And characters XML cannot carry are replaced, not written."""
    once, again = (junit.render(journal, journal.folder) for _ in range(2))

    assert once == again
    assert b"\x00" not in once
    assert "\ufffd".encode() in once
