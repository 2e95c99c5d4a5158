"""Limits from the tables of standards, resolved for one point and carrying where they come from.

A row holds from its lower bound, inclusive, to its upper bound, exclusive, except that Imax, and the upper bound of a
row that is `closed`, is included. A point outside every row has no limit: it is not covered, which is never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hil.errors import SetupError
from hil.metrology.limit_tables import (
    by_class,
    check_class,
    check_connection,
    check_references,
    currents_named,
    for_connection,
    load_table,
    provenance,
    reference_a,
    section,
    title,
)

TOLERANCE = 1e-9  # relative, so that 0.05 x 5 A falls into the row that begins at 0.25 A


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value must not leave, in `unit`, both bounds inclusive; None is an open side."""

    low: float | None
    high: float | None
    unit: str
    standard: str
    edition: str
    table: str
    source_mark: str  # checked, nrc, nrc?, datasheet, design, assumption
    verified_by: str = ""
    verified_on: str = ""
    clause: str = ""
    row: str = ""  # which row of the table, in words: "0.1 Ib <= I <= Imax, PF 1, class 1"

    def source(self) -> dict[str, str]:
        """Return what the journal records as a measurement's `limit`; clause and row only where they are known."""
        source = {
            "standard": self.standard,
            "edition": self.edition,
            "table": self.table,
            "source_mark": self.source_mark,
            "verified_by": self.verified_by,
            "verified_on": self.verified_on,
        }
        return source | {key: text for key, text in (("clause", self.clause), ("row", self.row)) if text}


@dataclass(frozen=True, slots=True)
class Point:
    """A load point as a table is asked for it: current in A, power factor or sin(phi), ambient temperature in C."""

    accuracy_class: str
    connection: str
    current_a: float
    references_a: Mapping[str, float]
    power_factor: str = ""
    sin_phi: float | None = None
    temperature_c: float | None = None


def lookup(
    limits_table: str,
    *,
    accuracy_class: str,
    connection: str,
    current_a: float,
    references_a: Mapping[str, float],
    power_factor: str = "",
    sin_phi: float | None = None,
    temperature_c: float | None = None,
) -> Limit | None:
    """Return the limit of percentage error at current_a amperes; None: the table does not cover the point.

    limits_table is file.table, such as "iec62053_21_2003.balanced"; connection is "direct" or "ct"; power_factor is
    "1", "0.5i" (inductive), "0.8c" (capacitive), for reactive energy sin_phi in its place; references_a gives the
    reference currents the edition speaks of (Ib, In, Itr, Imin, Ist, Imax) in A; temperature_c, in C, is for tables
    with bands of temperature, and at a boundary the tighter band holds. Bounds are compared with a relative tolerance
    of 1e-9. Raises SetupError for an unknown table, class or connection, for a power factor that is none, and for
    reference currents that are missing or another edition's; OutOfRange for one that is no positive number.
    """
    data, table = find_table(limits_table)
    point = Point(accuracy_class, connection, current_a, references_a, power_factor, sin_phi, temperature_c)
    return limit_at(data, table, point)


def find_table(limits_table: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the loaded file and the table in it; raises SetupError naming those there are."""
    file_name, _, table_name = limits_table.partition(".")
    data = load_table(file_name)
    tables = section(data, "tables")
    if table_name not in tables:
        raise SetupError(f"{file_name} has no table {table_name!r}", f"it has {', '.join(tables)}")
    return data, tables[table_name]


def limit_at(data: Mapping[str, Any], table: Mapping[str, Any], point: Point) -> Limit | None:
    """Return the limit that one table of a loaded file gives for a point, or None; raises as lookup does."""
    row = row_at(data, table, point)
    if row is None:
        return None
    figure = row["lim"][point.accuracy_class]
    if "bands_c" in table:
        band = _band(table["bands_c"], point.temperature_c, title(data))
        if band is None:
            return None
        figure = figure[band]
    if "scale" in row:  # below Imin the error may grow as Imin/I
        figure *= point.references_a[row["scale"].partition("/")[0]] / point.current_a
    return sourced(data, table, -figure, figure, row, row=f"{row_in_words(row)}, class {point.accuracy_class}")


def row_at(data: Mapping[str, Any], table: Mapping[str, Any], point: Point) -> Mapping[str, Any] | None:
    """Return the row that holds at a point; one that names its power factor comes before one that gives a range."""
    check_class(data, point.accuracy_class)
    check_connection(point.connection)
    rows = for_connection(table["rows"], point.connection)
    check_references(data, currents_named(rows), point.references_a)
    _check_kind(data, rows, point)
    matches = [row for row in rows if point.accuracy_class in row["lim"] and _inside(row, point)]
    for matched in (_names_angle, _spans_angle):
        for row in matches:
            if matched(row, point):
                return row
    return None


def starting_current_a(
    file_name: str, *, accuracy_class: str, connection: str, references_a: Mapping[str, float]
) -> float:
    """Return the current, in amperes, at which the meter must start (PF 1, reference voltage); raises SetupError."""
    data = load_table(file_name)
    multiple = by_class(data, "starting_current", connection, accuracy_class)
    return reference_a(data, multiple, references_a)


def section_limit(file_name: str, name: str, low: float | None, high: float | None, unit: str) -> Limit:
    """Return a limit, in `unit`, on what a section (starting_current, no_load) asks for, with that section's source."""
    data = load_table(file_name)
    return sourced(data, section(data, name), low, high, unit=unit)


def sourced(
    data: Mapping[str, Any],
    part: Mapping[str, Any],
    low: float | None,
    high: float | None,
    *inner: Mapping[str, Any],
    unit: str = "",
    row: str = "",
) -> Limit:
    """Make a limit of a part of a loaded file (unit: the part's own unless given); inner: its row, if it has one."""
    return Limit(
        low,
        high,
        unit or part["unit"],
        data["standard"],
        data["edition"],
        part["table"],
        **provenance(data, *inner, part),
        clause=part.get("clause", ""),
        row=row,
    )


def row_in_words(row: Mapping[str, Any]) -> str:
    """Say for which currents and power factors a row holds: "0.1 Ib <= I <= Imax, PF 0.5i, 0.8c"."""
    parts = []
    if "from" in row:
        low, high = _multiple(row["from"]), _multiple(row["to"])
        parts.append(f"I = {low}" if low == high else f"{low} <= I {'<=' if _closed(row) else '<'} {high}")
    if "pf" in row:
        parts.append(f"PF {', '.join(row['pf'])}")
    if "sin" in row:
        parts.append(f"sin(phi) {', '.join(f'{value:g}' for value in row['sin'])}")
    return ", ".join(parts) or "any current"


@cache
def phase_rad(power_factor: str) -> float:
    """Return the angle of "1", "0.5i" (positive: the current lags) or "0.8c", in rad; raises SetupError."""
    number, letter = (power_factor[:-1], power_factor[-1]) if power_factor[-1:] in ("i", "c") else (power_factor, "")
    try:
        cosine = float(number)
    except ValueError:
        cosine = math.nan
    if not 0.0 <= cosine <= 1.0 or (not letter and cosine != 1.0):
        raise SetupError(f"{power_factor!r} is no power factor", "write 1, 0.5i (inductive) or 0.8c (capacitive)")
    return -math.acos(cosine) if letter == "c" else math.acos(cosine)


def _check_kind(data: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], point: Point) -> None:
    """Refuse a power factor where the table goes by sin(phi), and the other way round."""
    reactive = any("sin" in row for row in rows)
    if point.power_factor:
        phase_rad(point.power_factor)
    if reactive and (point.sin_phi is None or point.power_factor):
        raise SetupError(f"{title(data)} goes by sin(phi), for reactive energy", "give sin_phi, not a power factor")
    if rows and not reactive and (point.sin_phi is not None or not point.power_factor):
        raise SetupError(f"{title(data)} goes by power factor", "give power_factor, not sin_phi")


def _inside(row: Mapping[str, Any], point: Point) -> bool:
    if "from" not in row:
        return True
    low_a, high_a = (float(factor) * point.references_a[name] for factor, name in (row["from"], row["to"]))
    if point.current_a < low_a * (1.0 - TOLERANCE):
        return False
    if _closed(row):
        return point.current_a <= high_a * (1.0 + TOLERANCE)
    return point.current_a < high_a * (1.0 - TOLERANCE)


def _closed(row: Mapping[str, Any]) -> bool:
    return bool(row.get("closed")) or row["to"][1] == "Imax"


def _names_angle(row: Mapping[str, Any], point: Point) -> bool:
    if "sin" in row:
        return any(math.isclose(abs(point.sin_phi or 0.0), sine, rel_tol=TOLERANCE) for sine in row["sin"])
    angle_rad = phase_rad(point.power_factor)
    return any(math.isclose(angle_rad, phase_rad(pf), abs_tol=TOLERANCE) for pf in row.get("pf", ()) if ".." not in pf)


def _spans_angle(row: Mapping[str, Any], point: Point) -> bool:
    if "pf" not in row and "sin" not in row:
        return True
    return any(low - TOLERANCE <= phase_rad(point.power_factor) <= high + TOLERANCE for low, high in _spans(row))


def _spans(row: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    for span in row.get("pf", ()):
        first, dots, last = span.partition("..")
        if dots:
            yield phase_rad(last), phase_rad(first)  # "0.5i..0.8c": capacitive angles are the negative ones


def _band(bands_c: Sequence[Any], temperature_c: float | None, who: str) -> int | None:
    """Return the number of the first band, the tightest limits first, that has the temperature."""
    if temperature_c is None:
        raise SetupError(f"{who} has limits for bands of temperature", "give temperature_c")
    for number, ranges in enumerate(bands_c):
        if any(low <= temperature_c <= high for low, high in ranges):
            return number
    return None


def _multiple(bound: Sequence[Any]) -> str:
    factor, name = bound
    return str(name) if factor == 1.0 else f"{factor:g} {name}"
