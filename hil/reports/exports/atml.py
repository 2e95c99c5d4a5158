"""A run as ATML test results, IEEE 1636.1, in the namespace urn:IEEE-1671:2009.04:TestResults (schema 3.06).

A test of the run is a TestGroup, each attempt of a measurement in it a Test, each requirement a Test of a group of
their own. Outcomes are Passed, Failed or Aborted; conditional verdicts, waivers and what was not judged are qualifiers.
`simulated` stands on every action of a simulated run. Times are UTC; the same journal gives the same UUIDs and bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from hil.journal.events import Attachment, Finding, Instrument, Note, Waiver
from hil.journal.reader import Entry, Journal
from hil.journal.summary import RunSummary, summarise
from hil.metrology.decision import Verdict
from hil.reports.cases import Case, cases
from hil.reports.exports.atml_values import (
    TR,
    XSI,
    C,
    camel,
    common,
    datum,
    element,
    is_truth,
    limits,
    outcome,
    outcome_of,
    stable_uuid,
)
from hil.reports.exports.lines import Line, lines, marks
from hil.reports.xml_text import clean

NOT_NAMED = "not named"
INFORMATION, WARNING = 1, 3  # severity of an event, 0 to 4


def render(journal: Journal) -> bytes:
    """Return the run as ATML test results."""
    for prefix, space in (("tr", TR), ("c", C), ("xsi", XSI)):
        ET.register_namespace(prefix, space)
    facts, summary = journal.started, summarise(journal.events)
    root = ET.Element(f"{{{TR}}}TestResults", uuid=stable_uuid(facts.serial, journal.run_id))
    root.set("name", clean(f"{facts.board} {facts.serial} {journal.run_id}"))
    _personnel(root, journal)
    _references(root, journal)
    _result_set(root, journal, summary)
    laboratory = facts.unit_facts.get("laboratory") or {}
    if laboratory.get("name"):
        element(root, "Site", name=laboratory["name"])
    _described(element(root, "TestDescription"), str(facts.plan.get("path", "")), str(facts.plan.get("version", "")))
    program = element(root, "TestProgram")
    _described(program, "hil", str(facts.software.get("version", "")))
    common(program, "SerialNumber", facts.software.get("commit") or NOT_NAMED)
    _station(root, journal)
    unit = element(root, "UUT")
    _described(unit, facts.board, facts.revision)
    common(unit, "SerialNumber", facts.serial)
    if facts.order.get("number"):
        common(element(root, "WorkOrder"), "WorkOrderNumber", facts.order["number"])
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _personnel(root: ET.Element, journal: Journal) -> None:
    people, order = element(root, "Personnel"), journal.started.order
    if told := order.get("contact") or order.get("customer"):
        element(people, "CustomerRepresentative", ID=told, affiliation=order.get("customer"))
    name = journal.started.operator
    element(people, "SystemOperator", ID=name or NOT_NAMED, name=name)


def _references(root: ET.Element, journal: Journal) -> None:
    """List the journal and what it names by digest, for a reader who has the run's folder."""
    found = element(root, "References")
    journalled = stable_uuid("journal", journal.last_hash)
    text = f"SHA-256 of its last line {journal.last_hash}"
    common(element(found, "Reference", uuid=journalled, name="journal.jsonl"), "Text", text)
    for one in journal.of(Attachment):
        made = element(found, "Reference", uuid=stable_uuid("attachment", one.sha256), name=one.name or NOT_NAMED)
        common(made, "Text", f"SHA-256 {one.sha256}, {one.media_type}, {one.bytes} bytes")


def _result_set(root: ET.Element, journal: Journal, summary: RunSummary) -> None:
    facts, seen = journal.started, marks(journal.started)
    whole = _action(root, "ResultSet", journal, "run", journal.entries[0].utc, journal.entries[-1].utc)
    whole.set("name", clean(f"{facts.board} {facts.revision}, {facts.stage}"))
    if summary.reason:
        element(whole, "Description", summary.reason)
    _events(whole, "run", [entry for entry in journal.entries if getattr(entry.event, "test", None) == ""], seen)
    told = {
        "stage": facts.stage,
        "slot": facts.slot,
        "plan sha256": facts.plan.get("sha256", ""),
        "release": facts.release.get("status") or "none",
        "decision rule": facts.decision.get("rule", ""),
        "decision rule text": facts.decision.get("rule_text", ""),
        "python": facts.python,
        "seed": facts.seed,
        "faults": ", ".join(facts.faults),
        "journal sha256": journal.last_hash,
    }
    _parameters(whole, "run", told)
    outcome(whole, summary.verdict, seen)
    by_seq = {line.seq: line for line in lines(journal)}
    for number, case in enumerate(cases(journal), 1):
        _case(whole, journal, case, number, by_seq)
    for line in by_seq.values():  # of no test: none should be left
        _measurement(whole, journal, line)
    _requirements(whole, journal, summary)


def _case(whole: ET.Element, journal: Journal, case: Case, number: int, by_seq: dict[int, Line]) -> None:
    name = f"t{number}"
    group = _action(whole, "TestGroup", journal, name, case.start, case.stop)
    group.set("name", clean(case.name))
    group.set("testReferenceID", clean(case.node))
    if said := ". ".join(part for part in (case.title, case.message) if part):
        element(group, "Description", said)
    _events(group, name, list(case.entries))
    if case.requirement:
        _parameters(group, name, {"requirement": ", ".join(case.requirement)})
    verdict = Verdict.ABORTED if case.blame not in {"", "unit"} and case.verdict is Verdict.FAIL else case.verdict
    outcome(group, verdict, [camel(case.blame)] if case.blame not in {"", "unit"} else [])
    for entry in case.entries:
        if entry.seq in by_seq:
            _measurement(group, journal, by_seq.pop(entry.seq))


def _measurement(parent: ET.Element, journal: Journal, line: Line) -> None:
    said, name = line.said, f"m{line.seq + 1}"
    test = _action(parent, "Test", journal, name, line.utc, "")
    test.set("name", clean(said.name))
    if said.requirement:
        test.set("testReferenceID", clean(said.requirement))
    if said.reason:
        element(test, "Description", said.reason)
    at = {f"at {key}": value for key, value in said.point.items()}
    _parameters(test, name, {"attempt": said.attempt, "rule": said.rule, **at})
    outcome_of(test, line)
    if said.value is None:
        limits(test, said)
        return
    result = element(test, "TestResult", ID=f"{name}.value", name="value")
    data = element(result, "TestData", acquisitionTimeStamp=line.utc)
    if is_truth(said):
        datum(data, bool(said.value))
    else:
        datum(data, float(said.value), said.unit, expanded_u=said.judgement.get("expanded_u"))
    limits(result, said)
    if said.u is not None:
        for what, value, unit in (("standard uncertainty", said.u, said.unit), ("degrees of freedom", said.dof, "")):
            known = element(test, "TestResult", ID=f"{name}.{what.replace(' ', '-')}", name=what)
            datum(element(known, "TestData"), float(value), "" if unit == "yes" else unit)


def _requirements(whole: ET.Element, journal: Journal, summary: RunSummary) -> None:
    """Add what became of each requirement: one that nobody measured fails no test, and must not look fulfilled."""
    asked = [one for one in summary.requirements if one.required or one.verdict is not Verdict.NOT_COVERED]
    if not asked:
        return
    start, end = journal.entries[0].utc, journal.entries[-1].utc
    group = _action(whole, "TestGroup", journal, "requirements", start, end)
    group.set("name", "requirements")
    outcome(group, summary.verdict)
    for number, one in enumerate(asked, 1):
        test = _action(group, "Test", journal, f"r{number}", start, end)
        test.set("name", clean(f"{one.id} {one.title}"))
        test.set("testReferenceID", clean(one.id))
        if one.reason:
            element(test, "Description", one.reason)
        outcome(test, one.verdict, () if one.required else ("NotRequired",))


def _action(parent: ET.Element, kind: str, journal: Journal, name: str, start: str, end: str) -> ET.Element:
    simulated = "true" if journal.started.simulated else ""
    return element(parent, kind, ID=name, simulated=simulated, startDateTime=start, endDateTime=end)


def _events(parent: ET.Element, name: str, entries: list[Entry], seen: tuple[str, ...] = ()) -> None:
    """Add the marks of a run, then its notes, waivers and findings, with their times."""
    told = [(WARNING, mark, mark, "") for mark in seen]
    told += [one for entry in entries if (one := _told(entry)) is not None]
    if not told:
        return
    events = element(parent, "Events")
    for number, (severity, title, text, utc) in enumerate(told, 1):
        made = element(
            events, "Event", ID=f"{name}.e{number}", name=title, severity=severity, source="hil", timeStamp=utc
        )
        element(made, "Message", text or title)


def _told(entry: Entry) -> tuple[int, str, str, str] | None:
    event = entry.event
    if isinstance(event, Note):
        return INFORMATION, "note", event.text, entry.utc
    if isinstance(event, Waiver | Finding):
        title = " ".join(part for part in (event.EVENT, event.finding, event.requirement) if part)
        return WARNING, title, event.text, entry.utc
    return None


def _parameters(parent: ET.Element, name: str, told: dict[str, object]) -> None:
    kept = {key: value for key, value in told.items() if value not in {None, ""}}
    if not kept:
        return
    made = element(parent, "Parameters")
    for number, (key, value) in enumerate(kept.items(), 1):
        one = element(made, "Parameter", ID=f"{name}.p{number}", name=key)
        datum(element(one, "Data"), value)


def _station(root: ET.Element, journal: Journal) -> None:
    facts = journal.started
    station = element(root, "TestStation")
    _described(station, facts.station, "", f"slot {facts.slot}{', simulated' if facts.simulated else ''}")
    common(station, "SerialNumber", facts.station or NOT_NAMED)
    instruments = journal.of(Instrument)
    if not instruments:
        return
    components = common(station, "Components")
    for one in instruments:
        made = common(common(components, "Component"), "Definition")
        _described(made, one.driver, "", "; ".join(_of_instrument(one)))
        common(made, "SerialNumber", one.serial or NOT_NAMED)


def _of_instrument(one: Instrument) -> Iterator[str]:
    yield f"{one.role}: {one.identity}"
    known = one.calibration
    if not known:
        yield "no calibration on record"
        return
    for key in ("certificate", "laboratory", "date", "due", "status"):
        if known.get(key):
            yield f"{key} {known[key]}"


def _described(parent: ET.Element, model: str, version: str, text: str = "") -> None:
    """Add what an item is; the element is `Definition` of an ItemDescriptionReference."""
    made = common(parent, "Definition")
    if text:
        common(made, "Description", text)
    one = common(made, "Identification")
    if version:
        common(one, "Version", version)
    common(one, "ModelName", model or NOT_NAMED)
