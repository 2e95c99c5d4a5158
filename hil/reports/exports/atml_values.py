"""The values of ATML: typed data with units, limits, the outcome of a verdict. Ref: IEEE 1671, Common; IEEE 1636.1."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from hil.journal.events import Measurement
from hil.metrology.decision import ACCEPTED, REJECTED, Verdict
from hil.reports.exports.lines import Line
from hil.reports.xml_text import clean

TR, C = "urn:IEEE-1671:2009.04:TestResults", "urn:IEEE-1671:2010:Common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
CONFIDENCE = 0.95  # of U, in every budget of hil
STANDARD_UNITS = frozenset({"V", "A", "W", "ohm", "Hz", "s", "K", "F", "H", "J", "VA", "var"})
NOTHING = frozenset({"", "1"})  # units of what is a plain number


def element(
    parent: ET.Element, kind: str, text: object = None, /, *, space: str = TR, **attributes: object
) -> ET.Element:
    """Add an element; an attribute of None or "" is left out, for ATML knows no blank text."""
    kept = {key: clean(value) for key, value in attributes.items() if value is not None and value != ""}
    made = ET.SubElement(parent, f"{{{space}}}{kind}", kept)
    if text is not None:
        made.text = clean(text)
    return made


def common(parent: ET.Element, kind: str, text: object = None, /, **attributes: object) -> ET.Element:
    """Add an element of the common namespace."""
    return element(parent, kind, text, space=C, **attributes)


def datum(parent: ET.Element, value: object, unit: str = "", *, expanded_u: float | None = None) -> ET.Element:
    """Add a value by its own type; U is told as limits of its error, with the confidence that belongs to it."""
    made = common(parent, "Datum", **_unit(unit))
    if isinstance(value, bool):
        kind, text = "boolean", "true" if value else "false"
    elif isinstance(value, int) and abs(value) < 2**31:
        kind, text = "integer", str(value)
    elif isinstance(value, int | float):
        kind, text = "double", number(float(value))
    else:
        kind, text = "string", ""
        common(made, "Value", value)
    made.set(f"{{{XSI}}}type", f"c:{kind}")
    if text:
        made.set("value", text)
    if expanded_u is not None:
        pair = common(common(made, "ErrorLimits"), "LimitPair", operator="AND")
        _single(pair, "Limit", "GE", -expanded_u, unit)
        _single(pair, "Limit", "LE", expanded_u, unit)
        common(made, "Confidence", number(CONFIDENCE))
    return made


def number(value: float) -> str:
    """Return a double as XML Schema writes it, in full."""
    return {float("inf"): "INF", float("-inf"): "-INF"}.get(value) or repr(value)


def is_truth(said: Measurement) -> bool:
    """Say whether a measurement is a yes or no, and not a number."""
    return said.unit == "yes" and all(one in {None, 0.0, 1.0} for one in (said.value, said.low, said.high))


def limits(parent: ET.Element, said: Measurement) -> None:
    """Add the limits of a measurement and where they come from; nothing where it has none."""
    if said.low is None and said.high is None:
        return
    made = element(element(parent, "TestLimits"), "Limits")
    if is_truth(said) and said.low == said.high:
        datum(common(made, "Expected", comparator="EQ"), bool(said.low))
    elif said.low is not None and said.high is not None:
        pair = common(made, "LimitPair", operator="AND")
        _single(pair, "Limit", "GE", said.low, said.unit)
        _single(pair, "Limit", "LE", said.high, said.unit)
    elif said.low is not None:
        _single(made, "SingleLimit", "GE", said.low, said.unit)
    elif said.high is not None:
        _single(made, "SingleLimit", "LE", said.high, said.unit)
    source = said.limit or {}
    told = [str(source[key]) for key in ("standard", "edition", "table") if source.get(key)]
    if told:
        mark = f" [{source['source_mark']}]" if source.get("source_mark") else ""
        common(made, "Description", ", ".join(told) + mark)


def outcome(parent: ET.Element, verdict: Verdict, qualifiers: Iterable[str] = ()) -> None:
    """Add the outcome: Passed, Failed, or Aborted where neither was shown; the rest qualifies it."""
    value = "Passed" if verdict in ACCEPTED else "Failed" if verdict in REJECTED else "Aborted"
    own = () if verdict in {Verdict.PASS, Verdict.FAIL, Verdict.ABORTED} else (camel(verdict),)
    element(parent, "Outcome", value=value, qualifier="; ".join([*own, *qualifiers]))


def outcome_of(parent: ET.Element, line: Line) -> None:
    """Add the outcome of an attempt: by what it stands for, with its verdict where the screen says otherwise."""
    stands = line.standing
    screened = () if stands == line.said.verdict else (f"ScreenedOut, by its rule {camel(line.said.verdict)}",)
    outcome(parent, stands, (*screened, *(() if line.last else ("Superseded",))))


def camel(words: str) -> str:
    """Return ConditionalPass for conditional_pass."""
    return "".join(word.capitalize() for word in str(words).split("_"))


def stable_uuid(*parts: str) -> str:
    """Return the same UUID for the same thing (RFC 9562, version 5)."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(("hil", *parts))))


def _single(parent: ET.Element, name: str, comparator: str, value: float, unit: str) -> None:
    datum(common(parent, name, comparator=comparator), float(value), unit)


def _unit(unit: str) -> dict[str, str]:
    if unit in NOTHING or unit == "yes":
        return {}
    return {"standardUnit" if unit in STANDARD_UNITS else "nonStandardUnit": unit}
