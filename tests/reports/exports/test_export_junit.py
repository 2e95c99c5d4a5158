"""junit.xml, read back by junitparser, which knows nothing of us: counts, outcomes, and every number."""

import re

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from hil.reports.exports import render

LINE = re.compile(
    r"(?P<name>.*?) = (?:no value|(?P<value>\S+) (?P<unit>\S+))(?:, u = (?P<u>\S+))?, "
    r"limits (?P<low>\S+) to (?P<high>\S+): (?P<verdict>\w+)(?:, attempt (?P<attempt>\d+))?"
)


@pytest.fixture
def suites(journal):
    return {suite.name: suite for suite in JUnitXml.fromstring(render("junit", [journal]))}


def number(text):
    return None if text in {None, "none"} else float(text)


def test_every_measurement_stands_in_the_output_of_its_test(suites, told):
    """Value, unit, u, limits, verdict and attempt, in full precision."""
    lines = [line for case in suites["tests"] for line in (case.system_out or "").splitlines()]

    assert len(lines) == len(told)
    for line, (_, _, said) in zip(lines, told, strict=True):
        found = LINE.fullmatch(line)
        assert found["name"] == said["name"]
        assert [number(found[key]) for key in ("value", "u", "low", "high")] == [
            said[key] for key in ("value", "u", "low", "high")
        ]
        assert found["unit"] == (None if said["value"] is None else said["unit"])
        assert (found["verdict"], int(found["attempt"] or 1)) == (said["verdict"], said["attempt"])


def test_counts_are_what_the_reader_counts(suites):
    """tests, failures, errors and skipped of each suite."""
    for suite in suites.values():
        kinds = [type(one) for case in suite for one in case.result]
        assert suite.tests == len(list(suite))
        assert (suite.failures, suite.errors, suite.skipped) == (
            kinds.count(Failure),
            kinds.count(Error),
            kinds.count(Skipped),
        )


def test_outcomes_of_tests_and_requirements(full, good, died):
    """A failed unit is a failure, a dead run an error, and a waiver is skipped."""
    found = {}
    for name, journal in (("full", full), ("good", good), ("died", died)):
        suites = {suite.name: suite for suite in JUnitXml.fromstring(render("junit", [journal]))}
        found[name] = {
            suite: [(case.name.split()[0], [type(one).__name__ for one in case.result]) for case in suites[suite]]
            for suite in ("tests", "requirements")
        }

    assert found["full"]["tests"] == [("test_power", ["Failure"]), ("test_other[a-b]", ["Failure"])]
    assert dict(found["full"]["requirements"])["SU-01"] == ["Skipped"]
    assert dict(found["full"]["requirements"])["MET-05"] == ["Failure"]
    assert found["good"]["tests"] == [("test_power", [])]
    assert found["died"]["tests"] == [("test_power", ["Error"])]


def test_marks_are_properties(full, good):
    """SIMULATED and NOT RELEASED, and nothing for a released run on a bench."""
    for journal, name, marks in ((full, "hil smart-power SP-000123 SIMULATED NOT RELEASED", "SIMULATED; NOT RELEASED"),
                                 (good, "hil smart-power SP-000123", "")):  # fmt: skip
        document = JUnitXml.fromstring(render("junit", [journal]))
        suite = next(one for one in document if one.name == "tests")

        assert document.name == name
        assert {one.name: one.value for one in suite.properties()}["marks"] == marks
