"""Limits from the tables of standards, resolved for one point and carrying where they come from.

The tables are TOML files in `limits/`, one a standard and edition, with a source mark on each: `nrc` says that the
figures were not compared with the text of the standard. Editions are never mixed: a table answers from its own file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hil.errors import OutOfRange, SetupError

TOLERANCE = 1e-9  # relative, so that 0.05 x 5 A falls into the row that begins at 0.25 A
_FOLDER = Path(__file__).with_suffix("")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value must not leave, in `unit`, both bounds inclusive; None is an open side."""

    low: float | None
    high: float | None
    unit: str
    standard: str
    edition: str
    table: str
    source_mark: str  # checked, nrc, datasheet, assumption
    verified_by: str = ""
    verified_on: str = ""

    def source(self) -> dict[str, str]:
        """Return what the journal records as a measurement's `limit`."""
        return {
            "standard": self.standard,
            "edition": self.edition,
            "table": self.table,
            "source_mark": self.source_mark,
            "verified_by": self.verified_by,
            "verified_on": self.verified_on,
        }


def lookup(
    limits_table: str,
    *,
    accuracy_class: str,
    connection: str,
    current_a: float,
    power_factor: str,
    references_a: Mapping[str, float],
) -> Limit | None:
    """Return the limit of percentage error at current_a amperes; None: the table does not cover the point.

    limits_table is file.table, such as "iec62053_21_2003.balanced"; connection is "direct" or "ct"; power_factor is
    "1", "0.5i" (inductive), "0.8c" (capacitive); references_a gives Ib or In, and Imax. A row holds from its lower
    bound, inclusive, to its upper bound, exclusive, except that Imax itself is included; bounds are compared with a
    relative tolerance of 1e-9. Raises SetupError for an unknown table or a current the references lack.
    """
    file_name, _, table_name = limits_table.partition(".")
    data = load_table(file_name)
    tables = _section(data, "tables")
    if table_name not in tables:
        raise SetupError(f"{file_name} has no table {table_name!r}", f"it has {', '.join(tables)}")
    table = tables[table_name]
    for row in table["rows"]:
        if row["conn"] != connection or power_factor not in row["pf"] or not _inside(row, current_a, references_a):
            continue
        half_width = row["lim"].get(accuracy_class)
        if half_width is not None:
            return _limit(data, row, -half_width, half_width, table["unit"], table["table"])
    return None


def starting_current_a(
    file_name: str, *, accuracy_class: str, connection: str, references_a: Mapping[str, float]
) -> float:
    """Return the current, in amperes, at which the meter must start (PF 1, reference voltage)."""
    multiple = _by_class(load_table(file_name), "starting_current", connection, accuracy_class)
    return _current_a(multiple, references_a)


def no_load_s(
    file_name: str,
    *,
    accuracy_class: str,
    pulses_per_kwh: float,
    nominal_voltage_v: float,
    maximum_current_a: float,
    elements: int = 1,
) -> float:
    """Return the shortest no-load test, in seconds: K 1e6 / (k m Un Imax) minutes, at 1.15 Un; one pulse is allowed."""
    product = pulses_per_kwh * elements * nominal_voltage_v * maximum_current_a
    if not product > 0.0:
        raise OutOfRange("k m Un Imax", product, 0.0, float("inf"))
    millions = float(_by_class(load_table(file_name), "no_load", "minutes_e6", accuracy_class))
    return millions * 1e6 / product * 60.0


def section_limit(file_name: str, section: str, low: float | None, high: float | None, unit: str) -> Limit:
    """Return a limit, in `unit`, on what a section (starting_current, no_load) asks for, with that section's source."""
    data = load_table(file_name)
    part = _section(data, section)
    return _limit(data, part, low, high, unit, part["table"])


def table_names() -> list[str]:
    """Return the names of the packaged files."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load_table(file_name: str) -> Mapping[str, Any]:
    """Load a packaged file such as "iec62053_21_2003"; raises SetupError naming those that exist."""
    if file_name not in table_names():
        raise SetupError(f"there is no limit table {file_name!r}", f"there are {', '.join(table_names())}")
    return tomllib.loads((_FOLDER / f"{file_name}.toml").read_text(encoding="utf-8"))


def _limit(
    data: Mapping[str, Any], row: Mapping[str, Any], low: float | None, high: float | None, unit: str, table: str
) -> Limit:
    mark, who, when = (str(row.get(key, data[key])) for key in ("source_mark", "verified_by", "verified_on"))
    return Limit(low, high, unit, data["standard"], data["edition"], table, mark, who, when)


def _inside(row: Mapping[str, Any], current_a: float, references_a: Mapping[str, float]) -> bool:
    low_a, high_a = _current_a(row["from"], references_a), _current_a(row["to"], references_a)
    if current_a < low_a * (1.0 - TOLERANCE):
        return False
    if row["to"][1] == "Imax":
        return current_a <= high_a * (1.0 + TOLERANCE)
    return current_a < high_a * (1.0 - TOLERANCE)


def _current_a(multiple: Sequence[Any], references_a: Mapping[str, float]) -> float:
    factor, name = multiple
    if name not in references_a:
        raise SetupError(
            f"the table speaks of {name}, which is not given", f"give {name} beside {', '.join(references_a)}"
        )
    return float(factor) * references_a[name]


def _section(data: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    if section not in data:
        raise SetupError(f"{data['standard']}:{data['edition']} has no {section}")
    found: Mapping[str, Any] = data[section]
    return found


def _by_class(data: Mapping[str, Any], section: str, key: str, accuracy_class: str) -> Any:
    found = _section(data, section).get(key, {}).get(accuracy_class)
    if found is None:
        raise SetupError(
            f"{data['standard']}:{data['edition']}: {section} says nothing of class {accuracy_class}, {key}"
        )
    return found
