"""The results of a DCC as tables of corrections. The package says how they are told; nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import mul
from xml.etree.ElementTree import Element

from hil.metrology.calibration import UNITS, Point, Table
from hil.station.dcc.document import DCC, SI

QUANTITIES = {  # words of a result's name, any case: exactly one must fit
    "ac_voltage": r"\bac voltage\b|\bvoltage,? ac\b",
    "ac_current": r"\bac current\b|\bcurrent,? ac\b",
    "active_power": r"\bactive power\b",
    "dc_voltage": r"\bdc voltage\b|\bvoltage,? dc\b",
    "dc_current": r"\bdc current\b|\bcurrent,? dc\b",
    "insulation_resistance": r"\binsulation resistance\b",
    "earth_bond_resistance": r"\bearth bond resistance\b|\bground bond resistance\b",
    "resistance": r"(?<!insulation )(?<!bond )\bresistance\b",
    "temperature": r"\btemperature\b",
    "frequency": r"\bfrequency\b",
    "time_interval": r"\btime interval\b",
    "peak_voltage": r"\bpeak voltage\b",
}
LONGEST_NAME = 80
RANGE = re.compile(r"\brange:?\s+(?P<range>.+)$", re.IGNORECASE)
SHOWN = ("basic_measuredValue", "basic_nominalValue")
REFERENCE = ("basic_referenceValue",)
ERROR = {"basic_measurementError": -1.0, "basic_measurementError_error": -1.0, "basic_measurementError_correction": 1.0}
BEFORE = {"beforeAdjustment", "beforeRepair"}
UNIT_WORDS = {  # D-SI (BIPM SI Brochure, 9th edition)
    "V": "volt", "A": "ampere", "W": "watt", "ohm": "ohm", "Hz": "hertz", "s": "second", "degC": "degreecelsius",
    "K": "kelvin",
}  # fmt: skip
PREFIXES = {"": 1.0, "giga": 1e9, "mega": 1e6, "kilo": 1e3, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9}
UNIT = re.compile(r"(\\(?P<prefix>giga|mega|kilo|milli|micro|nano))?\\(?P<unit>[a-z]+)")


class Skipped(Exception):
    """A result cannot be mapped; the text says why."""


@dataclass(frozen=True, slots=True)
class _Values:
    """A quantity's values in the base unit, with U and k where the DCC states them."""

    values: tuple[float, ...]
    expanded_u: tuple[float, ...] = ()
    k: tuple[float, ...] = ()


def tables_of(root: Element) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """Return the tables of a valid DCC, and a note for each result that was left out."""
    tables, notes = [], []
    for measured in root.iter(f"{DCC}measurementResult"):
        before = _before(measured)
        for result in measured.iterfind(f"{DCC}results/{DCC}result"):
            name = text_of(result.find(f"{DCC}name"))
            try:
                if before or _before(result):
                    raise Skipped("found before an adjustment or repair")
                tables.append(_table(name, text_of(measured.find(f"{DCC}name")), result))
            except Skipped as why:
                notes.append(f"result {name[:LONGEST_NAME]!r} is left out: {why}")
    return tuple(tables), tuple(notes)


def text_of(text: Element | None) -> str:
    """Return a textType in English, or in its first language; "" where there is none."""
    contents = [] if text is None else text.findall(f"{DCC}content")
    english = [one for one in contents if one.get("lang") == "en"]
    return " ".join("".join((english or contents)[0].itertext()).split()) if contents else ""


def _before(element: Element) -> bool:
    conditions = element.iterfind(f"{DCC}influenceConditions/{DCC}influenceCondition/{DCC}status")
    inner = () if element.tag.endswith("measurementResult") else element.iter(f"{DCC}status")
    return any(status.text in BEFORE for status in (*conditions, *inner))


def _table(name: str, around: str, result: Element) -> Table:
    """Return the table of a result; `around` names the measurement around it, where its own name is mute."""
    fitting = _named(name) or _named(around)
    if len(fitting) != 1:
        raise Skipped(f"its name says {'several quantities' if fitting else 'no quantity'} that hil knows")
    quantity, unit = fitting[0], UNITS[fitting[0]]
    found = RANGE.search(name)
    quantities = list(_quantities(result))
    shown = _only(quantities, SHOWN, unit)
    error, sign = _error(quantities, unit)
    if not (len(shown.values) == len(error.values) == len(error.expanded_u) == len(error.k)):
        raise Skipped(
            f"{len(shown.values)} values, {len(error.values)} errors and {len(error.expanded_u)} uncertainties"
        )
    if min(error.expanded_u) <= 0.0:
        raise Skipped("an uncertainty of nothing")
    references = [one for kind, one in quantities if kind & set(REFERENCE)]
    if references:
        _check_signs(shown, error, sign, _values(references[0], unit))
    points = sorted(
        (
            Point(v, sign * e, u, k)
            for v, e, u, k in zip(shown.values, error.values, error.expanded_u, error.k, strict=True)
        ),
        key=lambda point: point.value,
    )
    return Table(quantity, found["range"].strip() if found else "", unit, tuple(points))


def _named(name: str) -> list[str]:
    return [quantity for quantity, words in QUANTITIES.items() if re.search(words, name, re.IGNORECASE)]


def _quantities(element: Element) -> Iterator[tuple[set[str], Element]]:
    """Yield each quantity of a result or list with its refTypes; what stands in remarks about one is not looked at."""
    for inner in element:
        if inner.tag == f"{DCC}quantity":
            yield set((inner.get("refType") or "").split()), inner
        elif inner.tag in {f"{DCC}data", f"{DCC}list"}:
            yield from _quantities(inner)


def _only(quantities: Iterable[tuple[set[str], Element]], kinds: Iterable[str], unit: str) -> _Values:
    found = [one for kind, one in quantities if kind & set(kinds)]
    if len(found) != 1:
        raise Skipped(f"{len(found)} quantities with a refType of {', '.join(kinds)}, not one")
    return _values(found[0], unit)


def _error(quantities: Iterable[tuple[set[str], Element]], unit: str) -> tuple[_Values, float]:
    found = [(one, ERROR[kind]) for kinds, one in quantities for kind in sorted(kinds & set(ERROR))]
    if len(found) != 1:
        raise Skipped(f"{len(found)} errors or corrections (refType {', '.join(ERROR)}), not one")
    return _values(found[0][0], unit, "K" if unit == "degC" else unit), found[0][1]


def _check_signs(shown: _Values, error: _Values, sign: float, reference: _Values) -> None:
    if len(reference.values) != len(shown.values):
        raise Skipped(f"{len(shown.values)} values, but {len(reference.values)} references")
    for value, e, u, true in zip(shown.values, error.values, error.expanded_u, reference.values, strict=True):
        if abs(true - value - sign * e) > u:
            raise Skipped(f"at {value:g} its error is not what was shown minus the reference {true:g}")


def _values(quantity: Element, *units: str) -> _Values:
    """Return the values of the one form that is in a wanted unit: a list, a single one, or of a hybrid's several."""
    forms = [*quantity.iterfind(f"{SI}realListXMLList"), *quantity.iterfind(f"{SI}hybrid/{SI}realListXMLList")]
    forms += [*quantity.iterfind(f"{SI}real"), *quantity.iterfind(f"{SI}hybrid/{SI}real")]
    read = [one for one in (_form(form, unit) for form in forms for unit in units) if one is not None]
    if not read:
        raise Skipped(f"no values in {units[0]}")
    return read[0]


def _form(form: Element, unit: str) -> _Values | None:
    listed = "XMLList" if form.tag.endswith("realListXMLList") else ""
    values = _numbers(form.find(f"{SI}value{listed}"))
    units = (form.findtext(f"{SI}unit{listed}") or "").split()
    factors = [_factor(one, unit) for one in units]
    if not values or len(factors) not in {1, len(values)} or None in factors:
        return None
    scale = [factor for factor in factors if factor is not None] * (len(values) if len(factors) == 1 else 1)
    expanded = form.find(f"{SI}expandedUnc{listed}")
    u = _each(expanded, f"{SI}uncertainty{listed}", len(values))
    k = _each(expanded, f"{SI}coverageFactor{listed}", len(values))
    if len(u) not in {0, len(values)}:
        raise Skipped(f"{len(values)} values and {len(u)} uncertainties")
    return _Values(_finite(map(mul, values, scale)), _finite(map(mul, u, scale)), k)


def _each(parent: Element | None, tag: str, count: int) -> tuple[float, ...]:
    """Return one number for each value; a single one holds for all (D-SI)."""
    numbers = () if parent is None else _numbers(parent.find(tag))
    return numbers * count if len(numbers) == 1 else numbers


def _numbers(element: Element | None) -> tuple[float, ...]:
    numbers = () if element is None else tuple(float(word) for word in (element.text or "").split())
    return _finite(numbers)


def _finite(numbers: Iterable[float]) -> tuple[float, ...]:
    known = tuple(numbers)
    if not all(math.isfinite(number) for number in known):
        raise Skipped("a number that is none")
    return known


def _factor(text: str, unit: str) -> float | None:
    found = UNIT.fullmatch(text)
    if found is None or found["unit"] != UNIT_WORDS[unit]:
        return None
    return PREFIXES[found["prefix"] or ""]
