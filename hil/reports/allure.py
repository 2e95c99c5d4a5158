"""Allure results, made from the journal after the run: the same journal gives the same files.

allure-pytest writes while the tests run, under random names and with this computer's clock, so only Allure's data model
is used here. Measurements are steps; a requirement that no test answers gets a result of its own, never a green one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid5

from allure_commons.model2 import (
    Globals,
    Label,
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

from hil.journal.events import (
    Attachment,
    Event,
    Finding,
    Instrument,
    Measurement,
    Note,
    RunStarted,
    SafeState,
    Step,
    Waiver,
)
from hil.journal.lasted import lasted_s
from hil.journal.reader import Journal
from hil.journal.summary import RequirementSummary, RunSummary, summarise
from hil.metrology.budget import coverage_factor
from hil.metrology.decision import Verdict
from hil.names import printable
from hil.reports.allure_files import attach
from hil.reports.allure_labels import CATEGORIES, SPACE, STATUS, identity, links, severity, stories, suites
from hil.reports.allure_time import lasted, stamps_ms
from hil.reports.cases import Case, cases
from hil.reports.qty import bounds, qty

FOLDER = "allure-results"


def name(facts: RunStarted, verdict: str) -> str:
    """Return what the report is called: the unit, how deep it was tested, how that ended, and what it is not."""
    not_real = " SIMULATED" if facts.simulated else ""
    return f"{facts.serial} {facts.board} {facts.revision}, {facts.stage}: {verdict.upper()}{not_real}"


def outlines(journal: Journal) -> list[TestResult]:
    """Return the results of a run without their steps, for the history of later runs."""
    return _Results(journal, Path()).outlines()


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
        self._areas = tuple(dict.fromkeys(one.area for one in self._summary.requirements))
        self._spoken: list[Finding | Waiver] = [*journal.of(Finding), *journal.of(Waiver)]
        self._stamps = stamps_ms(journal)

    def write(self) -> None:
        tests = cases(self._journal)
        children = []
        for case in tests:
            result = self._case(case)
            self._contents(case, result)
            self._put(f"{result.uuid}-result.json", result)
            children.append(str(result.uuid))
        for one in self._unanswered(tests):
            self._put(f"{one.uuid}-result.json", one)
        self._bench(children)
        self._globals()
        self._environment()
        self._put("executor.json", self._executor())
        self._put("categories.json", list(CATEGORIES))

    def outlines(self) -> list[TestResult]:
        """Return the results without what happened in them; nothing is written."""
        tests = cases(self._journal)
        return [*map(self._case, tests), *self._unanswered(tests)]

    def _case(self, case: Case) -> TestResult:
        found = re.search(r"\[(.*)\]$", case.name)
        name = (case.title or case.name) + (f" [{found[1]}]" if found and case.title else "")
        result = self._result(f"{case.node}#{case.nth}", case.node, name, case.requirement, found[1] if found else "")
        result.fullName = f"{case.module}#{case.name}"
        result.titlePath = case.module.split(".")
        result.status = STATUS[case.verdict]
        result.start, result.stop = self._stamps[case.first], self._stamps[case.last]
        points = [entry.event for entry in case.entries if isinstance(entry.event, Measurement)]
        retried = any(one.attempt > 1 for one in points)
        message = _message(case, points)
        if message or retried:
            result.statusDetails = StatusDetails(message=message or None, flaky=retried or None)
        result.labels += [
            Label(name="testClass", value=case.module),
            Label(name="thread", value=f"slot {self._facts.slot}"),  # with the host it makes a lane of the timeline
        ]
        return result

    def _contents(self, case: Case, result: TestResult) -> None:
        """Put into a result what happened in it: steps and attachments."""
        for number, entry in enumerate(case.entries):
            if isinstance(entry.event, Attachment):
                uuid = self._uuid(f"{case.node}#{case.nth}", str(number))
                result.attachments += attach(self._journal, self._target, entry.event, uuid)
            elif step := step_of(entry.event):
                step.stage, step.start = "finished", self._stamps[entry.seq]
                step.stop = step.start
                result.steps.append(step)

    def _unanswered(self, tests: Sequence[Case]) -> list[TestResult]:
        """Return a result for each requirement that the plan lists and no test answered in full."""
        answered = {name for case in tests for name in case.requirement}
        return [self._gap(one) for one in self._summary.requirements if one.missing or one.id not in answered]

    def _gap(self, one: RequirementSummary) -> TestResult:
        key = f"requirement {one.id}"
        result = self._result(key, key, f"{one.id}: {one.title}", (one.id,))
        result.fullName = f"requirements#{one.id}"
        result.titlePath = ["requirements", one.area]
        if one.verdict is Verdict.WAIVED:
            result.status, message = Status.SKIPPED, f"waived: {one.reason}"
        elif one.verdict is Verdict.NOT_COVERED or not one.required:
            result.status, message = Status.SKIPPED, f"not covered: {one.reason or one.verdict}"
        else:
            result.status, message = Status.BROKEN, f"not measured: {', '.join(one.missing) or one.reason}"
        result.statusDetails = StatusDetails(message=message)
        result.start = result.stop = self._stamps[-1]
        return result

    def _result(self, key: str, history: str, name: str, requirements: tuple[str, ...], case: str = "") -> TestResult:
        facts = self._facts
        known = [self._requirements[one] for one in requirements if one in self._requirements]
        parameters = [("case", case)] if case else []
        labels = [
            ("epic", f"{facts.board} revision {facts.revision}"),
            *stories(known),
            *suites(known, self._areas),
            ("severity", severity(known)),
            ("tag", facts.stage),
            *((("tag", "simulated"),) if facts.simulated else ()),
            ("host", facts.station),
            ("framework", "hil"),
            ("language", "python"),
        ]
        history_id, case_id = identity(facts, history, parameters)
        answers = {one.id for one in known}
        return TestResult(
            uuid=self._uuid(key),
            historyId=history_id,
            testCaseId=case_id,
            name=name,
            stage="finished",
            labels=[Label(name=label, value=value) for label, value in labels],
            parameters=[Parameter(name=one, value=value) for one, value in parameters],
            links=links(known, (one for one in self._spoken if one.requirement in answers)),
        )

    def _bench(self, children: list[str]) -> None:
        """Write what stands around all tests: the instruments before, the safe states after."""
        before = TestBeforeResult(name="bench opened", status=Status.PASSED, start=self._stamps[0])
        before.stop = before.start
        before.steps = [_about(one) for one in self._of(Instrument)]
        for step in before.steps:
            step.start = step.stop = before.start
        after = []
        for entry in self._journal.entries:
            if isinstance(entry.event, SafeState):
                state = entry.event
                one = TestAfterResult(name=f"safe state by {state.by}: {state.why}", start=self._stamps[entry.seq])
                one.stop, one.status = one.start, Status.PASSED if state.safe else Status.BROKEN
                one.parameters = [Parameter(name=role, value=_text(value)) for role, value in state.readback.items()]
                after.append(one)
        container = TestResultContainer(
            uuid=self._uuid("bench"), name="bench", children=children, befores=[before], afters=after
        )
        container.start, container.stop = self._stamps[0], self._stamps[-1]
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
            "reason": summary.reason,
            "serial": facts.serial,
            "board": f"{facts.board} revision {facts.revision}",
            "stage": facts.stage,
            "station": facts.station + (" SIMULATED" if facts.simulated else ""),
            "slot": str(facts.slot),
            "operator": facts.operator,
            **{f"order {key}": str(value) for key, value in facts.order.items()},
            "began": self._journal.entries[0].utc,
            "times": self._times(),
            "plan": f"{facts.plan.get('path', '')} {facts.plan.get('version', '')} {facts.plan.get('sha256', '')}",
            "plan release": _released(facts),
            "software": f"hil {facts.software.get('version', '')} {facts.software.get('commit', '')}",
            "python": facts.python,
            "seed": str(facts.seed),
            "faults": " ".join(facts.faults),
            **{one.role: f"{one.identity} at {one.resource}" for one in self._of(Instrument)},
        }
        lines = [f"{_property(key)}={_property(value, value=True)}" for key, value in rows.items() if value.strip()]
        (self._target / "environment.properties").write_bytes(("\n".join(lines) + "\n").encode())

    def _times(self) -> str:
        """Say by which clock this report tells the time, and how far the other one is from it."""
        facts, entries = self._facts, self._journal.entries
        bench = lasted((self._stamps[-1] - self._stamps[0]) / 1000.0)
        if not facts.simulated:
            return f"{bench}, by the bench's clock"
        wall = lasted(lasted_s([(entry.utc, entry.bench_s) for entry in entries], simulated=True))
        return f"of the simulated bench: {bench}; by the wall clock {wall}"

    def _executor(self) -> dict[str, Any]:
        return {
            "name": f"hil on {self._facts.station}",
            "type": "hil",
            "buildName": self._journal.run_id,
            "reportName": name(self._facts, self._summary.verdict),
        }

    def _of(self, kind: type[Any]) -> tuple[Any, ...]:
        return self._journal.of(kind)

    def _uuid(self, *parts: str) -> str:
        return str(uuid5(SPACE, "\n".join((self._journal.run_id, *parts))))

    def _put(self, name: str, item: Any) -> None:
        data = (
            asdict(item, filter=lambda _, value: value or value is False) if hasattr(item, "__attrs_attrs__") else item
        )
        text = json.dumps(_visible(data), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
        (self._target / name).write_bytes(text.encode() + b"\n")


def step_of(event: Event) -> TestStepResult | None:
    """Turn a line of a test into a step; attachments are files, its beginning and end are the result itself."""
    if isinstance(event, Measurement):
        return _measurement(event)
    if isinstance(event, Step):
        return TestStepResult(name=event.text, status=Status.PASSED)
    if isinstance(event, Waiver | Finding):
        about = " ".join(part for part in (event.EVENT, event.finding) if part)
        return TestStepResult(name=f"{about}: {event.text}", status=Status.PASSED)
    if isinstance(event, Note):
        return TestStepResult(name=f"note: {event.text}", status=Status.PASSED)
    return None


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
    step.parameters = _rows(rows)
    return step


def _rows(told: Mapping[str, Any]) -> list[Parameter]:
    """Return what is known; Allure shows nothing as a riddle."""
    return [Parameter(name=key, value=_text(value)) for key, value in told.items() if value is not None and value != ""]


def _about(one: Instrument) -> TestStepResult:
    about = f"{one.role}: {one.identity} at {one.resource}"
    step = TestStepResult(name=about, status=Status.PASSED, stage="finished")
    step.parameters = _rows({"driver": one.driver, "serial": one.serial, **(one.calibration or {})})
    return step


def _message(case: Case, points: Sequence[Measurement]) -> str:
    """Return why a test did not pass, its kind first; empty for one that passed."""
    if case.message or STATUS[case.verdict] is Status.PASSED:
        return case.message
    notes = [entry.event.text.partition(" not covered: ")[2] for entry in case.entries if isinstance(entry.event, Note)]
    why = dict.fromkeys(part for part in (*(one.reason for one in points), *notes) if part)
    return ": ".join([str(case.verdict).replace("_", " "), *(["; ".join(why)] if why else [])])


def _released(facts: RunStarted) -> str:
    told = facts.release
    if told.get("status") == "released":
        return f"{told.get('id', '')} released by {told.get('by', '')} on {told.get('on', '')}"
    changed = len(told.get("differences", ()))
    return "NOT RELEASED" + (f", {changed} differences" if changed else "")


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
