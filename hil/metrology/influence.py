"""How far the error may change with an influence quantity, and what else a standard asks for beside limits of error.

Ref: IEC 62053-2x:2003, 8.2; EN 50470-3:2006; Directive 2014/32/EU, Annex V, points 2 and 4 (nrc, as the tables say).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hil.errors import SetupError
from hil.metrology.limit_tables import check_class, check_connection, check_references, load_table, section, title
from hil.metrology.limits import TOLERANCE, Limit, Point, limit_at, lookup, sourced


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of declared currents, what the standard asks of it, and whether it is met."""

    text: str  # Imax/Itr >= 50
    value: float
    met: bool
    limit: Limit


@dataclass(frozen=True, slots=True)
class Condition:
    """A reference condition, in `unit`, both bounds inclusive; None is an open side."""

    what: str
    unit: str
    low: float | None
    high: float | None
    source_mark: str


def quantities(file_name: str) -> dict[str, str]:
    """Return the influence quantities a file knows, by name, and in words; empty where it knows none."""
    known = load_table(file_name).get("influence", {})
    return {name: f"{part['table']}: {part['condition']}" for name, part in known.items() if isinstance(part, dict)}


def influence_limit(
    file_name: str,
    quantity: str,
    *,
    accuracy_class: str,
    connection: str,
    current_a: float,
    references_a: Mapping[str, float],
    power_factor: str = "",
    sin_phi: float | None = None,
    temperature_c: float = 23.0,
) -> Limit | None:
    """Return the permitted change of the percentage error with an influence quantity, in % (temperature: %/K).

    None: not covered. quantity is one of quantities(file_name); currents in A; power_factor and sin_phi as in lookup;
    temperature_c, in C, matters only where the limits of error themselves go by temperature. A row without currents
    holds where the file's own table for balanced load has a limit. "voltage_low" bounds the error itself, not a change.
    Raises SetupError for an unknown quantity, and as lookup does.
    """
    data = load_table(file_name)
    known = section(data, "influence")
    part = known.get(quantity)
    if not isinstance(part, dict):
        names = ", ".join(quantities(file_name))
        raise SetupError(f"{title(data)} knows no influence quantity {quantity!r}", f"it knows {names}")
    part = {"clause": known.get("clause", ""), **part}
    point = Point(accuracy_class, connection, current_a, references_a, power_factor, sin_phi, temperature_c)
    if "bounds" in part:
        check_class(data, accuracy_class)
        check_connection(connection)
        return sourced(data, part, *part["bounds"])
    rows_of = known[part["of"]] if "of" in part else part
    limit = limit_at(data, {**part, "rows": rows_of["rows"]}, point)
    if limit is None or (not _has_currents(rows_of) and not _covered(data, point)):
        return None
    factor = part.get("factor", 1.0)
    high = round(factor * (limit.high or 0.0), 9)  # 3 x 0.7 is 2.1
    return replace(limit, low=-high, high=high)


def limit_by_name(name: str, **point: Any) -> Limit | None:
    """Return the limit that a plan names; None: not covered.

    Names: file.table, file.influence.quantity, file.difference, or file.composite.table, which bounds from above only,
    for a composite error has no sign. point: what lookup, influence_limit or difference_limit asks for. Raises
    SetupError as they do.
    """
    file_name, _, rest = name.partition(".")
    kind, _, quantity = rest.partition(".")
    if kind == "influence":
        return influence_limit(file_name, quantity, **point)
    if kind == "difference":
        return difference_limit(file_name, **point)
    if kind == "composite":
        limit = lookup(f"{file_name}.{quantity}", **point)
        return limit and replace(limit, low=None)
    return lookup(name, **point)


def difference_limit(
    file_name: str,
    *,
    accuracy_class: str,
    connection: str,
    current_a: float,
    references_a: Mapping[str, float],
    power_factor: str = "",
    sin_phi: float | None = None,
    temperature_c: float | None = None,
) -> Limit | None:
    """Return how far, in %, the error with one phase loaded may be from that with balanced load; None: not covered."""
    data = load_table(file_name)
    point = Point(accuracy_class, connection, current_a, references_a, power_factor, sin_phi, temperature_c)
    return limit_at(data, section(data, "difference"), point)


def current_ratios(
    file_name: str, *, accuracy_class: str, connection: str, references_a: Mapping[str, float]
) -> list[Ratio]:
    """Compare a maker's declared currents, in A, with what MID Table 1 or OIML R 46 asks of their ratios.

    Raises SetupError for a file without such ratios, and for a current that is not given.
    """
    data = load_table(file_name)
    check_class(data, accuracy_class)
    check_connection(connection)
    part = section(data, "current_ratios")
    ratios = []
    for row in part[connection]:
        check_references(data, row["ratio"], references_a)
        upper, lower = row["ratio"]
        value = references_a[upper] / references_a[lower]
        low = (row.get("at_least") or row.get("equal") or {}).get(accuracy_class)
        high = (row.get("at_most") or row.get("equal") or {}).get(accuracy_class)
        sign = "=" if "equal" in row else ">=" if low is not None else "<="
        met = (low is None or value >= low * (1.0 - TOLERANCE)) and (high is None or value <= high * (1.0 + TOLERANCE))
        text = f"{upper}/{lower} {sign} {low if low is not None else high:g}"
        ratios.append(Ratio(text, value, met, sourced(data, part, low, high, row, unit="1", row=text)))
    return ratios


def reference_conditions(file_name: str, accuracy_class: str) -> list[Condition]:
    """Return the conditions under which the limits of error hold; raises SetupError where the file knows none."""
    data = load_table(file_name)
    check_class(data, accuracy_class)
    part = section(data, "reference_conditions")
    mark = part.get("source_mark", data["source_mark"])
    found = []
    for row in part["rows"]:
        most = row.get("at_most_by_class", {}).get(accuracy_class, row.get("at_most"))
        off = row.get("tolerance_by_class", {}).get(accuracy_class, row.get("tolerance"))
        low = None if off is None else row["value"] - off
        found.append(Condition(row["what"], row["unit"], low, most if off is None else row["value"] + off, mark))
    return found


def _has_currents(part: Mapping[str, Any]) -> bool:
    return any("from" in row for row in part["rows"])


def _covered(data: Mapping[str, Any], point: Point) -> bool:
    tables = section(data, "tables")
    return limit_at(data, next(iter(tables.values())), point) is not None
