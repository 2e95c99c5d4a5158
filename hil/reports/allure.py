"""Allure results, made from the journal after the run: the same journal gives the same files.

allure-pytest writes while the tests run, under random names and with this computer's clock, so only Allure's data model
is used here. Measurements are steps; a requirement that no test answers gets a result of its own, never a green one.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from allure_commons.model2 import (
    Globals,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestAfterResult,
    TestBeforeResult,
    TestResult,
    TestResultContainer,
    TestStepResult,
)
from attr import asdict

from hil.journal.events import Attachment, Finding, Instrument, Measurement, Note, SafeState, Step, Waiver
from hil.journal.reader import Entry, Journal
from hil.journal.summary import RequirementSummary, RunSummary, summarise
from hil.metrology.budget import coverage_factor
from hil.metrology.decision import Verdict
from hil.names import printable
from hil.reports.allure_files import attach
from hil.reports.cases import Case, cases, parse_utc
from hil.reports.qty import bounds, qty

FOLDER = "allure-results"
_SPACE = UUID("6f1c1c52-8d0a-5f2e-9a3b-0d6f3c1b7e55")  # ours; with it uuid5 makes names that nobody else makes
# `failed` is the unit's, `broken` the station's: a broken station never counts as a failed unit (Allure's own words)
STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.CONDITIONAL_PASS: Status.PASSED,
    Verdict.CONDITIONAL_FAIL: Status.FAILED,
    Verdict.FAIL: Status.FAILED,
    Verdict.NOT_COVERED: Status.SKIPPED,
    Verdict.REFUSED: Status.SKIPPED,
    Verdict.WAIVED: Status.SKIPPED,
    Verdict.ABORTED: Status.BROKEN,
}
# by blame; the expressions mean the same to Java (Allure 2, whole message) and to JavaScript (Allure 3, anywhere)
CATEGORIES = (
    {"name": "Unit: out of limits or not as it must be", "matchedStatuses": ["failed"]},
    {"name": "Bench: test the unit again", "matchedStatuses": ["broken"], "messageRegex": r"bench[\s\S]*"},
    {"name": "Set-up: mend it, then test", "matchedStatuses": ["broken"], "messageRegex": r"setup[\s\S]*"},
    {"name": "Required and not measured", "matchedStatuses": ["broken"], "messageRegex": r"not measured[\s\S]*"},
    {"name": "Not judged", "matchedStatuses": ["skipped"]},
)


def write(journal: Journal, folder: Path) -> Path:
    """Write folder/allure-results anew and return it."""
    target = folder / FOLDER
    if target.exists():
        shutil.rmtree(target)
    target.mkdir()
    _Results(journal, target).write()
    return target


class _Results:
    """The files of one run."""

    def __init__(self, journal: Journal, target: Path) -> None:
        self._journal, self._target = journal, target
        self._facts = journal.started
        self._summary: RunSummary = summarise(journal.events)
        self._requirements = {one.id: one for one in self._summary.requirements}
        self._begin, self._end = journal.entries[0].utc, journal.entries[-1].utc

    def write(self) -> None:
        tests = cases(self._journal)
        children = [self._case(case) for case in tests]
        answered = {name for case in tests for name in case.requirement}
        for one in self._summary.requirements:
            if one.missing or one.id not in answered:
                self._unanswered(one)
        self._bench(children)
        self._globals()
        self._environment()
        self._put("executor.json", self._executor())
        self._put("categories.json", list(CATEGORIES))

    def _case(self, case: Case) -> str:
        key = f"{case.node}#{case.nth}"
        result = self._result(key, case.node, case.title or case.name, case.requirement)
        result.fullName = f"{case.module}#{case.name}"
        result.titlePath = case.module.split(".")
        result.status = STATUS[case.verdict]
        result.start, result.stop = _ms(case.start), max(_ms(case.start), _ms(case.stop))
        points = [entry.event for entry in case.entries if isinstance(entry.event, Measurement)]
        retried = any(one.attempt > 1 for one in points)
        if case.message or retried:
            result.statusDetails = StatusDetails(message=case.message or None, flaky=retried or None)
        if parameters := re.search(r"\[(.*)\]$", case.name):
            result.parameters.append(Parameter(name="case", value=parameters[1]))
        for number, entry in enumerate(case.entries):
            if isinstance(entry.event, Attachment):
                result.attachments += attach(self._journal, self._target, entry.event, self._uuid(key, str(number)))
            elif step := _step(entry):
                result.steps.append(step)
        result.labels.append(Label(name="testClass", value=case.module))
        self._put(f"{result.uuid}-result.json", result)
        return str(result.uuid)

    def _unanswered(self, one: RequirementSummary) -> None:
        """Write a result for what the plan lists and no test answered in full."""
        result = self._result(f"requirement {one.id}", f"requirement {one.id}", f"{one.id}: {one.title}", (one.id,))
        result.fullName = f"requirements#{one.id}"
        result.titlePath = ["requirements", one.area]
        broken = one.required and one.verdict not in {Verdict.WAIVED, Verdict.NOT_COVERED}
        result.status = Status.BROKEN if broken else Status.SKIPPED
        named = f"not measured: {', '.join(one.missing)}" if one.missing else f"not measured: {one.reason}"
        result.statusDetails = StatusDetails(message=named if broken else one.reason or str(one.verdict))
        result.start = result.stop = max(_ms(self._begin), _ms(self._end))
        self._put(f"{result.uuid}-result.json", result)

    def _result(self, key: str, history: str, name: str, requirements: tuple[str, ...]) -> TestResult:
        facts = self._facts
        known = [self._requirements[one] for one in requirements if one in self._requirements]
        area = known[0].area if known else "other"
        labels = [
            ("epic", f"{facts.board} revision {facts.revision}"),
            ("feature", area),
            *(("story", f"{one.id} {one.title}") for one in known),
            ("parentSuite", f"{facts.board} revision {facts.revision}"),
            ("suite", area),
            ("subSuite", known[0].id if known else "no requirement"),
            ("severity", _severity(known)),
            ("tag", facts.stage),
            *((("tag", "simulated"),) if facts.simulated else ()),
            ("host", facts.station),
            ("framework", "hil"),
            ("language", "python"),
        ]
        return TestResult(
            uuid=self._uuid(key),
            historyId=str(uuid5(_SPACE, f"{facts.board} {facts.revision} {history}")),
            testCaseId=str(uuid5(_SPACE, f"{facts.board} {history.partition('[')[0]}")),
            name=name,
            stage="finished",
            labels=[Label(name=label, value=value) for label, value in labels],
            links=[
                Link(type="tms", url=f"../certificate.html#{one.id}", name=f"{one.id} {one.title}") for one in known
            ],
        )

    def _bench(self, children: list[str]) -> None:
        """Write what stands around all tests: the instruments before, the safe states after."""
        before = TestBeforeResult(name="bench opened", status=Status.PASSED, start=_ms(self._begin))
        before.steps = [_about(one, f"{one.role}: {one.identity} at {one.resource}") for one in self._of(Instrument)]
        before.stop = before.start
        after = []
        for entry in self._journal.entries:
            if isinstance(entry.event, SafeState):
                state = entry.event
                one = TestAfterResult(name=f"safe state by {state.by}: {state.why}", start=_ms(entry.utc))
                one.stop, one.status = one.start, Status.PASSED if state.safe else Status.BROKEN
                one.parameters = [Parameter(name=role, value=_text(value)) for role, value in state.readback.items()]
                after.append(one)
        container = TestResultContainer(
            uuid=self._uuid("bench"), name="bench", children=children, befores=[before], afters=after
        )
        container.start, container.stop = _ms(self._begin), max(_ms(self._begin), _ms(self._end))
        self._put(f"{container.uuid}-container.json", container)

    def _globals(self) -> None:
        """Write what belongs to the run and to no test: its attachments, and why it did not pass."""
        found = Globals()
        for number, one in enumerate(self._of(Attachment)):
            if not one.test:
                found.attachments += attach(self._journal, self._target, one, self._uuid("run", str(number)))
        if self._summary.verdict is not Verdict.PASS:
            found.errors.append(StatusDetails(message=f"{self._summary.verdict}: {self._summary.reason}"))
        if found.attachments or found.errors:
            self._put(f"{self._uuid('globals')}-globals.json", found)

    def _environment(self) -> None:
        facts, summary = self._facts, self._summary
        rows = {
            "verdict": f"{summary.verdict} (exit code {summary.exit_code})",
            "serial": facts.serial,
            "board": f"{facts.board} revision {facts.revision}",
            "stage": facts.stage,
            "station": facts.station + (" SIMULATED" if facts.simulated else ""),
            "operator": facts.operator,
            "plan": f"{facts.plan.get('path', '')} {facts.plan.get('version', '')} {facts.plan.get('sha256', '')}",
            "software": f"hil {facts.software.get('version', '')} {facts.software.get('commit', '')}",
            "python": facts.python,
            "seed": str(facts.seed),
            "faults": " ".join(facts.faults),
            **{one.role: f"{one.identity} at {one.resource}" for one in self._of(Instrument)},
        }
        lines = [f"{_property(key)}={_property(value, value=True)}" for key, value in rows.items() if value.strip()]
        (self._target / "environment.properties").write_bytes(("\n".join(lines) + "\n").encode())

    def _executor(self) -> dict[str, Any]:
        title = f"{self._facts.serial}: {self._summary.verdict}"
        return {
            "name": f"hil on {self._facts.station}",
            "type": "hil",
            "buildName": self._journal.run_id,
            "reportName": title,
        }

    def _of(self, kind: type[Any]) -> tuple[Any, ...]:
        return self._journal.of(kind)

    def _uuid(self, *parts: str) -> str:
        return str(uuid5(_SPACE, "\n".join((self._journal.run_id, *parts))))

    def _put(self, name: str, item: Any) -> None:
        data = (
            asdict(item, filter=lambda _, value: value or value is False) if hasattr(item, "__attrs_attrs__") else item
        )
        text = json.dumps(_visible(data), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
        (self._target / name).write_bytes(text.encode() + b"\n")


def _step(entry: Entry) -> TestStepResult | None:
    """Turn a line of a test into a step; attachments are files, its beginning and end are the result itself."""
    event = entry.event
    if isinstance(event, Measurement):
        step = _measurement(event)
    elif isinstance(event, Step):
        step = TestStepResult(name=event.text, status=Status.PASSED)
    elif isinstance(event, Note | Waiver | Finding):
        step = TestStepResult(name=f"{event.EVENT}: {event.text}", status=Status.PASSED)
    else:
        return None
    step.stage, step.start = "finished", _ms(entry.utc)
    step.stop = step.start
    return step


def _measurement(one: Measurement) -> TestStepResult:
    expanded = None if one.u is None else coverage_factor(one.dof) * one.u
    again = f" (attempt {one.attempt})" if one.attempt > 1 else ""
    step = TestStepResult(
        name=f"{one.name} = {qty(one.value, one.unit, expanded)}, limit {bounds(one.low, one.high, one.unit)}:"
        f" {one.verdict}{again}",
        status=STATUS[Verdict(one.verdict)],
    )
    if one.reason:
        step.statusDetails = StatusDetails(message=one.reason)
    limit = one.limit or {}
    rows = {
        "value": one.value,
        "unit": one.unit,
        "standard uncertainty u": one.u,
        "degrees of freedom": None if one.u is None else f"{one.dof:.4g}",
        "expanded uncertainty U95": expanded,
        "lower limit": one.low,
        "upper limit": one.high,
        "limit from": " ".join(str(limit[key]) for key in ("standard", "edition", "table") if limit.get(key)),
        "limit source mark": limit.get("source_mark", ""),
        "decision rule": one.rule,
        "attempt": one.attempt,
        "requirement": one.requirement,
        **{f"point {key}": value for key, value in one.point.items()},
    }
    step.parameters = [
        Parameter(name=key, value=_text(value)) for key, value in rows.items() if value not in {None, ""}
    ]
    return step


def _about(one: Instrument, name: str) -> TestStepResult:
    step = TestStepResult(name=name, status=Status.PASSED, stage="finished")
    rows = {"driver": one.driver, "serial": one.serial, **(one.calibration or {})}
    step.parameters = [Parameter(name=key, value=_text(value)) for key, value in rows.items()]
    return step


def _severity(known: list[RequirementSummary]) -> str:
    if not any(one.required for one in known):
        return "minor"
    return "blocker" if known[0].area == "before power" else "critical"  # nothing may be energised before it passes


def _ms(utc: str) -> int:
    return round(parse_utc(utc).timestamp() * 1000.0)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _visible(data: Any) -> Any:
    """Spell out, in every text of JSON's lists and dicts, what acts on a terminal or cannot be seen."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {printable(key): _visible(value) for key, value in data.items()}
    return [_visible(value) for value in data] if isinstance(data, list | tuple) else data


def _property(text: str, *, value: bool = False) -> str:
    """Escape a key or a value of a Java properties file."""
    escaped = printable(text).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return escaped if value else re.sub(r"([ :=#!])", r"\\\1", escaped)
