"""A DCC as the calibration of one instrument of a station."""

from __future__ import annotations

import datetime
import hashlib
import re
from pathlib import Path
from xml.etree.ElementTree import Element

from hil.errors import SetupError
from hil.instruments.accuracy import load
from hil.metrology.calibration import Certificate
from hil.names import LONGEST_TEXT, what_is_wrong
from hil.station.calibration_file import contradictions
from hil.station.dcc.document import DCC, DccRefused, tree_of
from hil.station.dcc.results import tables_of, text_of
from hil.station.dcc.schemas import SUBSET_ONLY, flaw, given

SERIAL, RECALIBRATION = "basic_serialNumber", "basic_recalibration"
SERIAL_NAME = re.compile(r"serial (number|no\.?)", re.IGNORECASE)
UNSIGNED = "its electronic signature was not verified"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def certificate_of(
    data: bytes, *, driver: str, serial: str, due: datetime.date | None = None, schema: Path | None = None
) -> Certificate:
    """Return what a DCC says of an instrument with that driver and, unless "", that serial number.

    `schema` is PTB's own, a dcc.xsd or the folder it lies in, for the full check.
    Raises DccRefused, with every contradiction, where the file is no DCC, or none of this instrument.
    """
    root = tree_of(data)
    checked = SUBSET_ONLY if schema is None else _by_given(root, schema)
    core = _in(root, "administrativeData", "coreData")
    date = _date(_text(core, "endPerformanceDate"))
    tables, notes = tables_of(root)
    certificate = Certificate(
        certificate=_readable("number", " ".join(_text(core, "uniqueIdentifier").split())),
        laboratory=_readable(
            "laboratory", text_of(_in(root, "administrativeData", "calibrationLaboratory", "contact", "name"))
        ),
        date=date,
        due=due or _stated_due(root) or _due(date, driver),
        tables=tables,
        serial=_readable("serial number", _serial(root)),
        source="dcc",
        sha256=hashlib.sha256(data).hexdigest(),
        notes=(*notes, *((UNSIGNED,) if root.find(_SIGNATURE) is not None else ()), checked),
    )
    wrong = [f"{what}; {hint}" if hint else what for _, what, hint in contradictions(certificate, driver, serial)]
    if wrong:
        raise DccRefused(". ".join(wrong), "enter the calibration as TOML, or ask the laboratory")
    return certificate


def _by_given(root: Element, path: Path) -> str:
    """Return that a document is valid by a schema that was given; raises DccRefused where it is not."""
    schema, name = given(path)
    if wrong := flaw(root, schema):
        raise DccRefused(f"not valid by {name}: {wrong}", "is it the schema of this version? then ask the laboratory")
    return f"it is valid by {name}, too"


def _readable(what: str, text: str) -> str:
    """Return text that can stand on one line of a certificate or a terminal; raises DccRefused for any other."""
    if not text or (why := what_is_wrong(text, LONGEST_TEXT)):
        raise DccRefused(
            f"its {what} {text[:40]!r} cannot be printed: {why if text else 'it is empty'}", "ask the laboratory"
        )
    return text


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError as error:  # XML knows years that no calendar has
        raise DccRefused(f"{text[:20]!r} is no date of this age", "ask the laboratory") from error


def _stated_due(root: Element) -> datetime.date | None:
    """Return the date a statement `basic_recalibration` gives, on which the customer had settled."""
    for statement in root.iterfind(f"{DCC}administrativeData/{DCC}statements/{DCC}statement"):
        if RECALIBRATION in (statement.get("refType") or "").split() and statement.find(f"{DCC}date") is not None:
            return _date(_text(statement, "date"))
    return None


def _due(date: datetime.date, driver: str) -> datetime.date:
    """Return when the maker's specification ends to hold: on the same day of the month, or on its last."""
    try:
        months = date.month - 1 + load(driver).valid_months
    except SetupError as error:
        raise DccRefused("a DCC states no due date, and this driver no accuracy", "import it, with --due") from error
    year, month = date.year + months // 12, months % 12 + 1
    for day in range(date.day, 0, -1):
        try:
            return date.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise DccRefused(f"it is of {date}", "ask the laboratory")


def _serial(root: Element) -> str:
    items = root.findall(f"{DCC}administrativeData/{DCC}items/{DCC}item")
    if len(items) != 1:
        raise DccRefused(f"it calibrates {len(items)} items", "enter the calibration of the one as TOML")
    for one in items[0].iterfind(f"{DCC}identifications/{DCC}identification"):
        named = SERIAL_NAME.fullmatch(text_of(one.find(f"{DCC}name"))) is not None
        if one.findtext(f"{DCC}issuer") == "manufacturer" and (SERIAL in (one.get("refType") or "").split() or named):
            return _text(one, "value")
    raise DccRefused("it names no serial number of its item", "enter the calibration as TOML")


def _in(element: Element, *path: str) -> Element:
    found = element.find("/".join(f"{DCC}{name}" for name in path))
    assert found is not None, "the schema demands it"
    return found


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{DCC}{name}") or "").strip()
