"""What a plan names under [exports] as a Digital Calibration Certificate (PTB DCC, schema 3.2.1) of the unit.

    [exports]
    dcc = ["metering.active_power_error"]            # base names of measurements
    conditions = ["bench.ambient_temperature"]       # measured, and told as influence conditions

A run of hil is a test; a DCC is a calibration's. So it is made only where the plan says which results are one, and it
claims traceability only where the record shows it: a real bench, each instrument behind each result named, and each of
them within its calibration. Else it says `traceable` false and why. The certificate stays the report; this is its data.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from xml.etree import ElementTree as ET

from hil.errors import SetupError
from hil.journal.events import Attachment, Instrument, Measurement
from hil.journal.reader import Journal
from hil.reports.exports.dcc_values import (
    DCC,
    SI,
    check_units,
    conditions_of,
    contact,
    dcc,
    expanded,
    identified,
    metadata,
    quantity,
    texts,
)
from hil.reports.exports.lines import NOT_RELEASED, SIMULATED, Line, lines, marks

SCHEMA = "3.2.1"
_MARKS = {
    SIMULATED: "every instrument was a program and no unit was measured. This calibrates nothing.",
    NOT_RELEASED: "the run was not made from a released plan.",
}
_ERROR = re.compile(r"[._]error$")  # how the base name of an error ends
UNKNOWN_COUNTRY = "ZZ"  # ISO 3166-1 leaves it to its users


def render(journal: Journal) -> bytes:
    """Return the DCC; raises SetupError where the plan asks for none, or nothing that it names has a value."""
    bases, conditions = _asked(journal)
    last = [line for line in lines(journal) if line.last and line.said.value is not None]
    results = [line for line in last if line.said.base in bases]
    around = [line for line in last if line.said.base in conditions]
    if not results:
        raise SetupError(f"this run measured nothing that makes a DCC: {', '.join(bases)}", "export another run")
    check_units([line.said for line in (*results, *around)])
    for prefix, space in (("dcc", DCC), ("si", SI)):
        ET.register_namespace(prefix, space)
    root = ET.Element(f"{{{DCC}}}digitalCalibrationCertificate", schemaVersion=SCHEMA)
    equipment = _equipment_of(journal, results)
    _administration(root, journal, results, equipment)
    measured = dcc(root, "measurementResults")
    for base in bases:
        _measured(measured, journal, [line for line in results if line.said.base == base], around, equipment)
    texts(root, "comment", _comment(journal))
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _asked(journal: Journal) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the plan of this run, as it lies in the record, names for a DCC and as its conditions."""
    digest = str(journal.started.plan.get("sha256", ""))
    none = SetupError(
        f"the plan of run {journal.run_id} asks for no DCC", 'name measurements in it: [exports] dcc = ["..."]'
    )
    if not any(one.sha256 == digest for one in journal.of(Attachment)):
        raise none
    try:
        plan = tomllib.loads(journal.attachment(digest).decode())
    except ValueError as error:
        raise SetupError(f"the plan in the record cannot be read: {error}", "restore the run's folder") from error
    table = plan.get("exports") or {}
    bases, conditions = tuple(table.get("dcc") or ()), tuple(table.get("conditions") or ())
    if not bases:
        raise none
    return bases, conditions


def _administration(
    root: ET.Element, journal: Journal, results: Sequence[Line], equipment: Sequence[Instrument]
) -> None:
    facts = journal.started
    made = dcc(root, "administrativeData")
    software = dcc(dcc(made, "dccSoftware"), "software")
    texts(software, "name", "hil")
    dcc(software, "release", facts.software.get("version") or "unknown")
    _core(made, journal)
    item = dcc(dcc(made, "items"), "item")
    texts(item, "name", f"{facts.board}, revision {facts.revision}")
    dcc(item, "model", facts.board)
    identified(dcc(item, "identifications"), "manufacturer", facts.serial, "Serial number", "basic_serialNumber")
    laboratory = facts.unit_facts.get("laboratory") or {}
    name, address = str(laboratory.get("name", "")), str(laboratory.get("address", ""))
    contact(dcc(made, "calibrationLaboratory"), "contact", name, address)
    person = dcc(dcc(made, "respPersons"), "respPerson")
    texts(dcc(person, "person"), "name", facts.operator or "not named")
    dcc(person, "role", "operator")
    contact(made, "customer", str(facts.order.get("customer", "")), str(facts.order.get("contact", "")))
    _statements(made, journal, results, equipment)


def _core(made: ET.Element, journal: Journal) -> None:
    facts = journal.started
    laboratory = facts.unit_facts.get("laboratory") or {}
    country = str(laboratory.get("country", ""))
    core = dcc(made, "coreData")
    dcc(core, "countryCodeISO3166_1", country if re.fullmatch("[A-Z]{2}", country) else UNKNOWN_COUNTRY)
    dcc(core, "usedLangCodeISO639_1", "en")
    dcc(core, "mandatoryLangCodeISO639_1", "en")
    dcc(core, "uniqueIdentifier", f"{facts.serial} {journal.run_id}")
    if facts.order.get("number"):
        identified(dcc(core, "identifications"), "customer", str(facts.order["number"]), "Order")
    if received := _day(facts.order.get("received")):
        dcc(core, "receiptDate", received)
    first, last = journal.entries[0].utc[:10], journal.entries[-1].utc[:10]
    dcc(core, "beginPerformanceDate", first)
    dcc(core, "endPerformanceDate", last)
    dcc(core, "performanceLocation", "laboratory")
    dcc(core, "issueDate", last)


def _statements(made: ET.Element, journal: Journal, results: Sequence[Line], equipment: Sequence[Instrument]) -> None:
    stated = dcc(made, "statements")
    for mark in marks(journal.started):
        _statement(stated, mark, f"{mark}: {_MARKS[mark]}")
    why = _untraceable(journal, results, equipment)
    said = "Each instrument behind these results was within its calibration; see the measuring equipment."
    _statement(stated, "metrological traceability", why or said, traceable=not why)
    rule = journal.started.decision
    if rule.get("rule_text"):
        says = f"{rule['rule_text']} {rule.get('risk_text', '')}"
        _statement(stated, "decision rule", says, str(rule.get("clause", "")))
    _statement(stated, "scope", "The results relate only to the item named here.")


def _statement(parent: ET.Element, name: str, said: str, norm: str = "", traceable: bool | None = None) -> None:
    made = dcc(parent, "statement")
    texts(made, "name", name)
    if traceable is not None:
        dcc(made, "traceable", "true" if traceable else "false")
    if norm:
        dcc(made, "norm", norm)
    texts(made, "declaration", said)


def _untraceable(journal: Journal, results: Sequence[Line], equipment: Sequence[Instrument]) -> str:
    """Return why the record shows no traceability to the SI; "" where it does (ISO/IEC 17025:2017, 6.5)."""
    if journal.started.simulated:
        return "No traceability: the bench was simulated."
    if any(not line.said.instruments for line in results):
        return "No traceability is shown: the record does not name the instruments behind each result."
    first, last = journal.entries[0].utc[:10], journal.entries[-1].utc[:10]
    missing = {role for line in results for role in line.said.instruments} - {one.role for one in equipment}
    for one in equipment:
        known = one.calibration or {}
        if not (str(known.get("date") or "9") <= first and last <= str(known.get("due", ""))):
            missing.add(one.role)
    if missing:
        return f"No traceability: no valid calibration on record of {', '.join(sorted(missing))}."
    return ""


def _equipment_of(journal: Journal, results: Iterable[Line]) -> list[Instrument]:
    """Return the instruments behind the results; all of the bench where the record does not say which."""
    roles = {role for line in results for role in line.said.instruments}
    return [one for one in journal.of(Instrument) if not roles or one.role in roles]


def _measured(
    parent: ET.Element,
    journal: Journal,
    results: Sequence[Line],
    around: Sequence[Line],
    equipment: Sequence[Instrument],
) -> None:
    if not results:
        return
    base = results[0].said.base
    made = dcc(parent, "measurementResult")
    texts(made, "name", base)
    _methods(made, journal, [line.said for line in results])
    if equipment:
        _equipment(made, equipment)
    if around:
        _conditions(made, around)
    listed = dcc(made, "results")
    for line in results:
        one = dcc(listed, "result")
        texts(one, "name", line.said.name)
        data = dcc(one, "data")
        for name, value, unit in conditions_of(line.said):
            quantity(data, name, value, unit, "basic_nominalValue")
        assert line.said.value is not None  # render() left the others out
        kind = "basic_measurementError" if _ERROR.search(base) else "basic_measuredValue"
        said = quantity(data, base, line.said.value, line.said.unit, kind, line.utc)
        expanded(said, line.said)
        metadata(said, line.said)


def _methods(made: ET.Element, journal: Journal, measured: Sequence[Measurement]) -> None:
    """Tell the methods of the requirements that were answered, as the plan has them."""
    answered = {one.requirement for one in measured}
    asked = [one for one in journal.started.requirements if one["id"] in answered and one.get("method")]
    if not asked:
        return
    listed = dcc(made, "usedMethods")
    for one in asked:
        method = dcc(listed, "usedMethod")
        texts(method, "name", f"{one['id']} {one.get('title', '')}")
        texts(method, "description", one["method"])


def _equipment(made: ET.Element, equipment: Sequence[Instrument]) -> None:
    listed = dcc(made, "measuringEquipments")
    for one in equipment:
        item = dcc(listed, "measuringEquipment")
        texts(item, "name", f"{one.role}: {one.identity}")
        known = one.calibration or {}
        told = [f"{key} {known[key]}" for key in ("certificate", "laboratory", "date", "due") if known.get(key)]
        texts(item, "description", ", ".join(told) or "no calibration on record")
        dcc(item, "model", one.driver)
        identified(dcc(item, "identifications"), "manufacturer", one.serial or "not told", "Serial number")


def _conditions(made: ET.Element, around: Sequence[Line]) -> None:
    listed = dcc(made, "influenceConditions")
    for line in around:
        assert line.said.value is not None  # render() left the others out
        one = dcc(listed, "influenceCondition")
        texts(one, "name", line.said.name)
        data = dcc(one, "data")
        said = quantity(data, line.said.base, line.said.value, line.said.unit, "basic_measuredValue", line.utc)
        expanded(said, line.said)


def _comment(journal: Journal) -> str:
    seen = "; ".join(marks(journal.started))
    return f"{seen + ': ' if seen else ''}made from journal.jsonl, SHA-256 of its last line {journal.last_hash}"


def _day(text: object) -> str:
    try:
        return date.fromisoformat(str(text)).isoformat()
    except ValueError:
        return ""
