"""A calibration as a person enters it, `calibrations/<station>/<Role>.toml`: check it, and write one.

certificate = "WT-2026-0042"
laboratory = "Example Calibration Ltd"
date = 2026-03-02
due = 2027-03-02
serial = "C3UB12345E"       # of the instrument; a calibration of another one is refused

[[corrections.ac_voltage]]  # one table a quantity and range, as the driver's accuracy specification names them
range = "300 V"             # left out where the instrument has one range only
unit = "V"
points = [{ value = 230.0, correction = -0.012, expanded_u = 0.02, k = 2.0 }]  # at what it shows; add this; U, k
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from hil.errors import SetupError
from hil.instruments.accuracy import Specification, load
from hil.metrology.calibration import UNITS, Certificate, Point, Table
from hil.names import one_line
from hil.station.config import Mistake
from hil.station.suggest import did_you_mean
from hil.station.toml_lines import key_lines
from hil.station.toml_recovery import loads_all
from hil.station.toml_shape import Flaw, Strict, Text, as_mistakes, parse

FEW = 12  # ranges that are all told


class _Point(Strict):
    value: float
    correction: float
    expanded_u: Annotated[float, Field(gt=0.0)]
    k: Annotated[float, Field(ge=1.0, le=20.0)] = 2.0


class _Table(Strict):
    range: Text | None = None
    unit: Text
    points: Annotated[list[_Point], Field(min_length=1)]


class _File(Strict):
    certificate: Text
    laboratory: Text
    date: datetime.date
    due: datetime.date
    serial: Text
    corrections: dict[str, Annotated[list[_Table], Field(min_length=1)]] = Field(default_factory=dict)


_KEYS = (
    ((), _File),
    (("corrections", "*", "*"), _Table),
    (("corrections", "*", "*", "points", "*"), _Point),
)


def check(text: str, file: str, driver: str, serial: str) -> tuple[Certificate | None, list[Mistake]]:
    """Return the calibration of a role's instrument, and every mistake in the order of the lines.

    The instrument is of that driver, and stations.toml wants that serial number of it; "": any.
    """
    readable, values, torn = loads_all(text)
    lines = key_lines(readable)
    parsed, flaws = parse(_File, {k: v for k, v in values.items() if not k.startswith("unreadable-")}, _KEYS)
    unreadable = {one.key.rpartition(".")[2] for one in torn}
    flaws = [flaw for flaw in flaws if not (flaw[1].endswith("is missing") and flaw[0][-1] in unreadable)]
    if parsed is None:
        return None, as_mistakes(file, lines, torn, flaws)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    certificate = _certificate(parsed, digest)
    flaws += contradictions(certificate, driver, serial)
    mistakes = as_mistakes(file, lines, torn, flaws)
    return (None if mistakes else certificate), mistakes


def contradictions(certificate: Certificate, driver: str, serial: str) -> Iterator[Flaw]:
    """Yield (path, what, hint) for what no type can say of a calibration; the path is that of the TOML form."""
    c = certificate
    if c.due <= c.date:
        yield ("due",), f"{c.due} is not after the calibration of {c.date}", "are the two swapped?"
    if serial and c.serial != serial:
        yield ("serial",), f"this is a calibration of {c.serial}", f"stations.toml wants serial {serial}"
    specification = _specification(driver)
    seen: dict[str, int] = {}
    taken = set()
    for table in c.tables:
        here = ("corrections", table.quantity, seen.setdefault(table.quantity, 0))
        seen[table.quantity] += 1
        if (table.quantity, table.range_) in taken:
            yield here, "this quantity and range stand here twice", ""
        taken.add((table.quantity, table.range_))
        yield from _quantity(here, table, driver, specification)
        values = [point.value for point in table.points]
        if any(right <= left for left, right in pairwise(values)):
            yield (*here, "points"), "the points are not in rising order of their value", ""


def _quantity(
    here: tuple[str | int, ...], table: Table, driver: str, specification: Specification | None
) -> Iterator[Flaw]:
    known = list(specification.rows) if specification else list(UNITS)
    if table.quantity not in UNITS or (specification and table.quantity not in known):
        what = f"{driver} measures no {table.quantity!r}" if specification else "there is no such quantity"
        yield here[:2], what, did_you_mean(table.quantity, known)
        return
    if table.unit != UNITS[table.quantity]:
        yield (*here, "unit"), f"{table.quantity} is in {UNITS[table.quantity]}, not in {table.unit}", "convert it"
    ranges = specification.range_names(table.quantity) if specification else [""]
    if table.range_ not in ranges:
        where = f"{driver} has no range {table.range_!r}" if table.range_ else "the range is missing"
        yield (*here, "range"), where, _known(ranges)


def _known(ranges: Sequence[str]) -> str:
    if list(ranges) == [""]:
        return "it has one only: leave the key out"
    return f"it has {', '.join(ranges)}" if len(ranges) <= FEW else f"as {ranges[0]!r}"


def _specification(driver: str) -> Specification | None:
    try:
        return load(driver)
    except SetupError:
        return None


def _certificate(file: _File, sha256: str) -> Certificate:
    return Certificate(
        certificate=file.certificate,
        laboratory=file.laboratory,
        date=file.date,
        due=file.due,
        serial=file.serial,
        source="toml",
        sha256=sha256,
        tables=tuple(
            Table(quantity, one.range or "", one.unit, tuple(Point(**point.model_dump()) for point in one.points))
            for quantity, tables in file.corrections.items()
            for one in tables
        ),
    )


def to_toml(certificate: Certificate, comments: tuple[str, ...] = ()) -> str:
    """Return a calibration in the form that `check` reads, numbers to the last digit."""
    c = certificate
    lines = [f"# {one_line(comment)}" for comment in comments]
    lines += [f"{key} = {_quoted(value)}" for key, value in _head(c).items()]
    lines += [f"date = {c.date.isoformat()}", f"due = {c.due.isoformat()}"]
    for table in c.tables:
        lines += ["", f"[[corrections.{table.quantity}]]"]
        lines += [f"range = {_quoted(table.range_)}"] if table.range_ else []
        lines += [f"unit = {_quoted(table.unit)}", "points = ["]
        lines += [
            f"  {{ value = {p.value!r}, correction = {p.correction!r}, expanded_u = {p.expanded_u!r}, k = {p.k!r} }},"
            for p in table.points
        ]
        lines.append("]")
    return "\n".join(lines) + "\n"


def _head(certificate: Certificate) -> Mapping[str, str]:
    c = certificate
    return {"certificate": c.certificate, "laboratory": c.laboratory, "serial": c.serial}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
