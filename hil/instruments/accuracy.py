"""Accuracy specifications of instruments: data in `accuracy/<driver>.toml`, evaluated for one reading.

A file has `model`, `valid_months` and `temperature_c` (within which the maker's figures hold), then for each quantity
one or more rows `[[active_power]]`. The half-width of a row, in `unit`, is the sum

    of_reading |reading| + of_range range + absolute + sum of influences: factor x product of each `of` to its power

with fractions, not percent. `ranges` lists the fixed ranges by their unit: `ranges.V = [15.0, 30.0]`, two axes for
power, `ranges.output = [1]` where a range is a terminal. `span` bounds the reading itself, `frequency_hz` the
frequency. `of` names `reading`, `range` (the product of the axes), or what the driver passes by that name. `mark` is
"checked", "unverified" or "assumption"; the last two are told with every half-width. There are no defaults for what is
not covered: another range, reading or frequency is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import OutOfRange, SetupError

if TYPE_CHECKING:
    from hil.instruments.roles import Accuracy

_FOLDER = Path(__file__).with_suffix("")
MARKS = {"checked": "", "unverified": " (unverified)", "assumption": " [A]"}
TERMINALS = ("output",)  # axes that are no physical quantity
TOLERANCE = 1e-9


class NotSpecified(SetupError):
    """The accuracy specification says nothing about a quantity or range."""


@dataclass(frozen=True, slots=True)
class Influence:
    """A term of the half-width: factor x product of named quantities, each to a power."""

    what: str
    factor: float
    of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """The specification of one quantity in some ranges; fractions and `unit`."""

    unit: str
    ranges: Mapping[str, tuple[float, ...]]
    span: tuple[float, float]
    frequency_hz: tuple[float, float] | None
    of_reading: float
    of_range: float
    absolute: float
    influences: tuple[Influence, ...]
    manual: str  # and page
    mark: str

    def covers(self, at: Mapping[str, float]) -> bool:
        """Say whether the row has this range."""
        return set(at) == set(self.ranges) and all(
            any(math.isclose(value, known, rel_tol=TOLERANCE) for known in self.ranges[axis])
            for axis, value in at.items()
        )

    def range_names(self) -> list[str]:
        """Return its ranges as a calibration names them: "300 V, 1 A"; [""] where it has one only."""
        names = [""]
        for axis, values in self.ranges.items():
            names = [f"{name}, {_spelled(axis, v)}".removeprefix(", ") for name in names for v in values]
        return names


@dataclass(frozen=True, slots=True)
class Specification:
    """All rows of one driver's instrument, and how long and where they hold."""

    model: str
    valid_months: int
    temperature_c: tuple[float, float]
    rows: Mapping[str, tuple[Row, ...]]

    def range_names(self, quantity: str) -> list[str]:
        """Return the names of the ranges of a quantity; empty where it has no such quantity."""
        return [name for row in self.rows.get(quantity, ()) for name in row.range_names()]


def specified(
    driver: str, quantity: str, value: float, at: Mapping[str, float] | None = None, **conditions: float
) -> Accuracy:
    """Return a reading with the half-width of its specification, both in the unit of the quantity.

    `at` is the range by axis, as {"V": 300.0, "A": 1.0}; conditions are what influences name, and frequency_hz where
    the row is bound to a band. Raises NotSpecified for a quantity or range, OutOfRange for a reading or frequency,
    that the specification does not cover.
    """
    from hil.instruments.roles import Accuracy

    at = at or {}
    name = ", ".join(_spelled(axis, number) for axis, number in at.items())
    specification = load(driver)
    rows = [row for row in specification.rows.get(quantity, ()) if row.covers(at)]
    if not rows:
        where = f" in the range {name}" if name else ""
        known = ", ".join(filter(None, specification.range_names(quantity))) or ", ".join(specification.rows)
        raise NotSpecified(f"{specification.model}: no accuracy of {quantity}{where}", f"it is known for {known}")
    row = next((row for row in rows if row.span[0] <= value <= row.span[1]), None)
    if row is None:
        low, high = min(row.span[0] for row in rows), max(row.span[1] for row in rows)
        raise OutOfRange(f"{specification.model} {quantity} (accuracy table)", value, low, high)
    if row.frequency_hz is not None:
        frequency_hz = conditions.pop("frequency_hz", math.nan)
        if not row.frequency_hz[0] <= frequency_hz <= row.frequency_hz[1]:
            raise OutOfRange(f"{specification.model} frequency_hz (accuracy table)", frequency_hz, *row.frequency_hz)
    known_by = {"reading": abs(value), "range": math.prod(at.values()), **conditions}
    half_width = row.of_reading * abs(value) + row.of_range * known_by["range"] + row.absolute
    for influence in row.influences:
        if missing := set(influence.of) - set(known_by):
            raise NotSpecified(f"{specification.model} {quantity}: {influence.what}", f"give {', '.join(missing)}")
        half_width += influence.factor * math.prod(known_by[key] ** power for key, power in influence.of.items())
    source = f"{row.manual}, {specification.valid_months} months" + (f", {name}" if name else "") + MARKS[row.mark]
    return Accuracy(value, half_width, source, quantity, name, row.unit)


@cache
def load(driver: str, folder: Path | None = None) -> Specification:
    """Return a driver's specification; raises SetupError, with every mistake in the file, or where there is none."""
    path = (folder or _FOLDER) / f"{driver}.toml"
    if not path.is_file():
        raise NotSpecified(f"{driver} has no accuracy specification", f"write {path.name} beside the others")
    from hil.instruments.accuracy_file import read  # pydantic: only a bench that measures pays for it

    return read(path)


def _spelled(axis: str, value: float) -> str:
    return f"{axis} {value:g}" if axis in TERMINALS else f"{value:g} {axis}"
