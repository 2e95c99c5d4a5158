"""junit.xml for CI, in pytest's `xunit2` family: one suite of tests, one of requirements.

A failure is the unit's, an error is the bench's or the set-up's. The second suite is there because a requirement that
nobody measured fails no test, and CI must not show it green.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from hil.journal.events import Measurement
from hil.journal.reader import Journal
from hil.journal.summary import RequirementSummary, RunSummary, summarise
from hil.metrology.decision import Verdict
from hil.reports.cases import BAD, Case, cases
from hil.reports.exports.lines import marks, release_status
from hil.reports.xml_text import clean

_SKIPPED = frozenset({Verdict.NOT_COVERED, Verdict.REFUSED, Verdict.WAIVED})


def render(journal: Journal, folder: Path) -> bytes:
    """Return junit.xml; `folder` is not needed, for nothing of it stands outside the journal."""
    del folder
    tests = cases(journal)
    summary = summarise(journal.events)
    facts = journal.started
    root = ET.Element("testsuites", name=clean(" ".join(("hil", facts.board, facts.serial, *marks(facts)))))
    _tests_suite(root, journal, summary, tests)
    _requirements_suite(root, journal, summary)
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _tests_suite(root: ET.Element, journal: Journal, summary: RunSummary, tests: tuple[Case, ...]) -> None:
    suite = _suite(root, "tests", journal, sum(case.duration_s for case in tests))
    facts = journal.started
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("run_id", journal.run_id),
        ("serial", facts.serial),
        ("board", facts.board),
        ("revision", facts.revision),
        ("stage", facts.stage),
        ("station", facts.station),
        ("simulated", facts.simulated),
        ("release", release_status(facts)),
        ("marks", "; ".join(marks(facts))),
        ("operator", facts.operator),
        ("faults", " ".join(facts.faults)),
        ("seed", facts.seed),
        ("plan", f"{facts.plan.get('path', '')} {facts.plan.get('version', '')}".strip()),
        ("plan_sha256", facts.plan.get("sha256", "")),
        ("software", facts.software.get("version", "")),
        ("commit", facts.software.get("commit", "")),
        ("verdict", summary.verdict),
        ("exit_code", summary.exit_code),
        ("reason", summary.reason),
    ):
        ET.SubElement(properties, "property", name=name, value=clean(value))
    for case in tests:
        element = ET.SubElement(
            suite,
            "testcase",
            classname=clean(case.module),
            name=clean(case.name),
            time=f"{case.duration_s:.6f}",
        )
        _outcome(element, case.verdict, case.blame, case.reason)
        lines = [_line(entry.event) for entry in case.entries if isinstance(entry.event, Measurement)]
        if lines:
            ET.SubElement(element, "system-out").text = clean("\n".join(lines))
    _count(suite)


def _requirements_suite(root: ET.Element, journal: Journal, summary: RunSummary) -> None:
    suite = _suite(root, "requirements", journal, 0.0)
    for one in summary.requirements:
        area = re.sub(r"\W+", "_", one.area) or "none"
        element = ET.SubElement(
            suite, "testcase", classname=f"requirements.{area}", name=clean(f"{one.id} {one.title}"), time="0.000000"
        )
        if one.required or one.verdict is Verdict.PASS:
            _outcome(element, one.verdict, "" if one.verdict in BAD else _blame(one), one.reason)
        else:
            ET.SubElement(element, "skipped", message=clean(one.reason))
    _count(suite)


def _blame(one: RequirementSummary) -> str:
    return "" if one.verdict is Verdict.WAIVED else "not proven"  # required, and yet nobody could judge it


def _outcome(element: ET.Element, verdict: Verdict, blame: str, reason: str) -> None:
    message = clean(reason or verdict)
    if verdict in BAD and blame in {"", "unit"}:
        ET.SubElement(element, "failure", type="unit", message=message).text = message
    elif verdict in BAD or verdict is Verdict.ABORTED or (blame == "not proven" and verdict in _SKIPPED):
        ET.SubElement(element, "error", type=clean(blame or "aborted"), message=message).text = message
    elif verdict in _SKIPPED:
        ET.SubElement(element, "skipped", message=message)


def _line(one: Measurement) -> str:
    """Return a measurement with its numbers as the journal has them, so that a script can read them."""
    value = "no value" if one.value is None else f"{float(one.value)!r} {one.unit}"
    u = "" if one.u is None else f", u = {float(one.u)!r}"
    again = f", attempt {one.attempt}" if one.attempt > 1 else ""
    return f"{one.name} = {value}{u}, limits {_edge(one.low)} to {_edge(one.high)}: {one.verdict}{again}"


def _edge(limit: float | None) -> str:
    return "none" if limit is None else repr(float(limit))


def _suite(root: ET.Element, name: str, journal: Journal, time_s: float) -> ET.Element:
    return ET.SubElement(
        root,
        "testsuite",
        name=name,
        errors="0",
        failures="0",
        skipped="0",
        tests="0",
        time=f"{time_s:.6f}",
        timestamp=clean(journal.entries[0].utc.removesuffix("Z") + "+00:00"),
        hostname=clean(journal.started.station),
    )


def _count(suite: ET.Element) -> None:
    found = suite.findall("testcase")
    suite.set("tests", str(len(found)))
    for key, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in found)))
