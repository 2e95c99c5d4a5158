"""The pieces of a DCC: texts, D-SI quantities, what was asked for. Ref: PTB DCC 3.2.1 and D-SI 2.1.0 [nrc]."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hil.errors import SetupError
from hil.journal.events import Measurement
from hil.metrology.decision import Verdict
from hil.reports.xml_text import clean

DCC, SI = "https://ptb.de/dcc", "https://ptb.de/si"
COVERAGE = 0.95  # of U, in every budget of hil
UNITS = {  # D-SI (BIPM SI Brochure, 9th edition)
    "%": r"\percent",
    "1": r"\one",
    "V": r"\volt",
    "A": r"\ampere",
    "W": r"\watt",
    "Wh": r"\watt\hour",
    "ohm": r"\ohm",
    "Hz": r"\hertz",
    "s": r"\second",
    "degC": r"\degreecelsius",
    "K": r"\kelvin",
    "%/K": r"\percent\kelvin\tothe{-1}",
}
AXES = {"_a": "A", "_v": "V", "_w": "W", "_s": "s", "_hz": "Hz", "_c": "degC"}  # how the number of a point ends
CONFORMITY = {  # ILAC-G8:09/2019, 4.2.3; what is not judged makes no statement
    Verdict.PASS: "pass",
    Verdict.CONDITIONAL_PASS: "conditionalPass",
    Verdict.CONDITIONAL_FAIL: "conditionalFail",
    Verdict.FAIL: "fail",
}


def dcc(parent: ET.Element, kind: str, text: object = None, /, **attributes: str) -> ET.Element:
    """Add an element of the DCC."""
    return _element(parent, DCC, kind, text, attributes)


def texts(parent: ET.Element, kind: str, said: object, /, **attributes: str) -> ET.Element:
    """Add an element that holds English text."""
    made = dcc(parent, kind, **attributes)
    dcc(made, "content", said, lang="en")
    return made


def contact(parent: ET.Element, kind: str, name: str, address: str = "", mail: str = "") -> None:
    """Add who somebody is; an address stays as it was told, for nobody told it in parts."""
    made = dcc(parent, kind)
    texts(made, "name", name or "not named")
    if mail:
        dcc(made, "eMail", mail)
    texts(dcc(made, "location"), "further", address or "not stated")


def identified(parent: ET.Element, issuer: str, value: str, name: str, kind: str = "") -> None:
    """Add an identification to a list of them."""
    made = dcc(parent, "identification", **({"refType": kind} if kind else {}))
    dcc(made, "issuer", issuer)
    dcc(made, "value", value)
    texts(made, "name", name)


def quantity(parent: ET.Element, name: str, value: float, unit: str, kind: str = "", utc: str = "") -> ET.Element:
    """Add a quantity with a real value and return the element that takes its uncertainty; `kind` is its refType."""
    made = dcc(parent, "quantity", **({"refType": kind} if kind else {}))
    texts(made, "name", name)
    real = _element(made, SI, "real", None, {})
    _element(real, SI, "value", repr(float(value)), {})
    _element(real, SI, "unit", UNITS[unit], {})
    if utc:
        _element(real, SI, "dateTime", utc, {})
    return made


def expanded(made: ET.Element, said: Measurement) -> None:
    """Add U and k to a quantity; from u and its degrees of freedom where no judgement states them (GUM, G.6.4)."""
    u, k = said.judgement.get("expanded_u"), said.judgement.get("k")
    if u is None or k is None:
        if said.u is None:
            return
        from hil.metrology.budget import coverage_factor  # scipy: 1 s, which most results need not wait for

        k = coverage_factor(said.dof)
        u = k * said.u
    real = made.find(f"{{{SI}}}real")
    assert real is not None  # quantity() made it
    told = _element(real, SI, "expandedUnc", None, {})
    for kind, number in (("uncertainty", u), ("coverageFactor", k), ("coverageProbability", COVERAGE)):
        _element(told, SI, kind, repr(float(number)), {})


def metadata(made: ET.Element, said: Measurement) -> None:
    """Add to a quantity whether it conforms, to which limits, and whose they are; nothing for what was not judged."""
    word = CONFORMITY.get(Verdict(said.verdict))
    limit = said.limit
    if word is None or not limit:
        return
    stated = dcc(dcc(made, "measurementMetaData"), "metaData", refType="basic_conformity")
    dcc(stated, "norm", f"{limit.get('standard', '')}:{limit.get('edition', '')}".strip(":"))
    dcc(stated, "reference", f"{limit.get('table', '')} [{limit.get('source_mark', '')}]")
    texts(stated, "declaration", f"decision rule {said.rule}" + (f": {said.reason}" if said.reason else ""))
    dcc(stated, "conformity", word)
    data = dcc(stated, "data")
    for name, edge in (("lower limit", said.low), ("upper limit", said.high)):
        if edge is not None:
            quantity(data, name, edge, said.unit)


def conditions_of(said: Measurement) -> list[tuple[str, float, str]]:
    """Return the numbers of a measurement's point with their units: current_a = 0.05 is 0.05 A."""
    found = []
    for key, value in said.point.items():
        unit = next((unit for end, unit in AXES.items() if key.endswith(end)), "")
        if unit and isinstance(value, int | float) and not isinstance(value, bool):
            found.append((key.rpartition("_")[0], float(value), unit))
    return found


def check_units(measured: list[Measurement]) -> None:
    """Refuse what D-SI has no unit for; raises SetupError."""
    for said in measured:
        if said.unit not in UNITS:
            what = f"a DCC has no unit for {said.base} in {said.unit!r}"
            raise SetupError(what, "take it out of [exports] dcc in the plan")


def _element(parent: ET.Element, space: str, kind: str, text: object, attributes: dict[str, str]) -> ET.Element:
    made = ET.SubElement(parent, f"{{{space}}}{kind}", {key: clean(value) for key, value in attributes.items()})
    if text is not None:
        made.text = clean(text)
    return made
