"""One table of limits, laid out for one meter: rows are ranges of current, columns power factors; as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hil.errors import SetupError
from hil.metrology.influence import current_ratios, reference_conditions
from hil.metrology.limit_tables import (
    check_class,
    check_connection,
    check_references,
    currents_named,
    for_connection,
    load_table,
    provenance,
)
from hil.metrology.limits import Point, row_at, row_in_words, starting_current_a
from hil.metrology.metering import pulse_interval_s, register_change_limit
from hil.metrology.no_load import no_load_test

NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True)
class Meter:
    """What the limits are asked for: reference currents in A, voltage in V, meter constant in pulses per kWh."""

    accuracy_class: str
    connection: str
    references_a: Mapping[str, float]
    un_v: float | None = None
    pulses_per_kwh: float | None = None
    elements: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """What holds in one range and column: half the width of the limits in %, None: not covered; its factor, if any."""

    limit_pct: float | None
    scale: str = ""

    def __str__(self) -> str:
        if self.limit_pct is None:
            return NOT_COVERED
        return f"±{self.limit_pct:g} %{' x ' if self.scale else ''}{self.scale}"


@dataclass(frozen=True, slots=True)
class Range:
    """A range of current in multiples and in amperes, and what each column says there; a point where both are equal."""

    current: str
    from_a: float
    to_a: float
    with_from: bool
    with_to: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A table of limits of error with the source of its figures."""

    name: str
    title: str
    clause: str
    source_mark: str
    columns: tuple[str, ...]
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line beside the tables: what is asked for, how much, where it stands, where the figure comes from."""

    what: str
    value: str
    clause: str
    source_mark: str


@dataclass(frozen=True, slots=True)
class Change:
    """One permitted change of error: with what, by how much of it, at which current and angle, the limit."""

    quantity: str
    what: str
    condition: str
    at: str
    limit: str
    clause: str
    source_mark: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything a packaged file says about one meter."""

    table: str
    standard: str
    edition: str
    meter: Meter
    blocks: tuple[Block, ...]
    facts: tuple[Fact, ...]
    influence: tuple[Change, ...]
    conditions: tuple[Fact, ...]
    unverified: tuple[str, ...] = field(default=())  # the parts whose figures nobody compared with their source


def sheet(file_name: str, meter: Meter, only: str = "") -> Sheet:
    """Lay a file out for a meter; only: the one table of errors wanted. Raises SetupError as the look-ups do."""
    data = load_table(file_name)
    check_class(data, meter.accuracy_class)
    check_connection(meter.connection)
    blocks = tuple(_block(data, name, table, meter) for name, table in data["tables"].items() if only in {"", name})
    facts = tuple(_facts(file_name, data, meter))
    influence = tuple(_influence(data, meter))
    conditions = tuple(_conditions(file_name, data, meter))
    marks = {block.name: block.source_mark for block in blocks if block.ranges}
    marks |= {one.what: one.source_mark for one in (*facts, *conditions)} | {c.what: c.source_mark for c in influence}
    unverified = tuple(name for name, mark in marks.items() if mark != "checked")
    return Sheet(file_name, data["standard"], data["edition"], meter, blocks, facts, influence, conditions, unverified)


def _block(data: Mapping[str, Any], name: str, table: Mapping[str, Any], meter: Meter) -> Block:
    rows = [r for r in for_connection(table["rows"], meter.connection) if meter.accuracy_class in r["lim"]]
    check_references(data, currents_named(rows), meter.references_a)
    columns = _columns(table, rows)

    def cells(current_a: float) -> tuple[Cell, ...]:
        return tuple(_cell(data, table, meter, current_a, angle, band) for angle, band in columns.values())

    ranges = tuple(_ranges(rows, meter.references_a, cells))
    mark = provenance(data, table)["source_mark"]
    return Block(name, table["table"], table.get("clause", ""), mark, tuple(columns), ranges)


def _columns(table: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, int | None]]:
    """Return each column's heading with an angle that stands for it, and the number of its band of temperature."""
    if "bands_c" in table:
        return {_band_in_words(band): ("1", number) for number, band in enumerate(table["bands_c"])}
    found: dict[str, tuple[Any, int | None]] = {}
    for row in rows:
        star = "*" if row.get("on_request") else ""
        found |= {f"PF {pf}{star}": (pf.partition("..")[0], None) for pf in row.get("pf", ())}
        found |= {f"sin(phi) {sine:g}{star}": (sine, None) for sine in row.get("sin", ())}
    return found


def _cell(
    data: Mapping[str, Any], table: Mapping[str, Any], meter: Meter, current_a: float, angle: Any, band: int | None
) -> Cell:
    sine, pf = (angle, "") if isinstance(angle, float) else (None, angle)
    point = Point(meter.accuracy_class, meter.connection, current_a, meter.references_a, pf, sine)
    row = row_at(data, table, point)
    if row is None:
        return Cell(None)
    figure = row["lim"][meter.accuracy_class]
    return Cell(float(figure if band is None else figure[band]), row.get("scale", ""))


def _ranges(
    rows: Sequence[Mapping[str, Any]],
    references_a: Mapping[str, float],
    cells: Callable[[float], tuple[Cell, ...]],
) -> Iterator[Range]:
    """Cut the currents at every bound of a row, ask what holds at each cut and between two, and join what is equal."""
    bounds = _bounds(rows, references_a)
    pieces: list[tuple[int, bool, int, bool, tuple[Cell, ...]]] = []  # bound, included, bound, included, cells
    for number, (amperes, _) in enumerate(bounds):
        pieces.append((number, True, number, True, cells(amperes)))
        if number + 1 < len(bounds):
            pieces.append((number, False, number + 1, False, cells(math.sqrt(amperes * bounds[number + 1][0]))))
    joined: list[tuple[int, bool, int, bool, tuple[Cell, ...]]] = []
    for piece in pieces:
        if joined and joined[-1][4] == piece[4]:
            joined[-1] = (*joined[-1][:2], *piece[2:])
        else:
            joined.append(piece)
    for first, with_first, last, with_last, said in joined:
        if all(cell.limit_pct is None for cell in said):
            continue
        (low_a, low), (high_a, high) = bounds[first], bounds[last]
        text = f"{low} {'≤' if with_first else '<'} I {'≤' if with_last else '<'} {high}"
        yield Range(f"I = {low}" if first == last else text, low_a, high_a, with_first, with_last, said)


def _bounds(rows: Sequence[Mapping[str, Any]], references_a: Mapping[str, float]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    named = {tuple(row[key]) for row in rows if "from" in row for key in ("from", "to")}
    for factor, name in sorted(named, key=lambda bound: (bound[0] * references_a[bound[1]], bound[0] != 1.0)):
        amperes = factor * references_a[name]
        if not found or not math.isclose(found[-1][0], amperes, rel_tol=1e-9):
            found.append((amperes, _times(factor, name)))
    return found


def _facts(file_name: str, data: Mapping[str, Any], meter: Meter) -> Iterator[Fact]:
    if "starting_current" in data:
        yield _fact(data, "starting_current", _starting(file_name, data, meter))
    if "no_load" in data:
        yield _fact(data, "no_load", _no_load(file_name, data["no_load"], meter))
    if "meter_constant" in data:
        share = data["meter_constant"]["share_of_limit"]
        yield _fact(data, "meter_constant", f"at least 100 r / ({share:g} L) kWh: register step r in kWh, limit L in %")
    if "initial_startup" in data:
        yield _fact(data, "initial_startup", f"within {data['initial_startup']['seconds']:g} s of the voltage")
    if "repeatability" in data:
        part = data["repeatability"]
        yield _fact(
            data,
            "repeatability",
            f"spread of {part['readings']} readings at most {part['share_of_limit']:g} of the limit",
        )
    if "difference" in data:
        for row in _of_class(data["difference"]["rows"], meter):
            where = _where(row, meter)
            yield _fact(data, "difference", f"at most {row['lim'][meter.accuracy_class]:g} % at {where}")
    if "register_change" in data:
        yield _fact(data, "register_change", _register(file_name, meter))
    if "rated_operating" in data:
        part = data["rated_operating"]
        volts, hertz = ("{:g} to {:g}".format(*part[key]) for key in ("voltage", "frequency"))
        yield _fact(data, "rated_operating", f"at least {volts} Un, {hertz} fn, PF {part['power_factor']}")
    if "current_ratios" in data:
        yield from _ratios(file_name, data, meter)


def _starting(file_name: str, data: Mapping[str, Any], meter: Meter) -> str:
    multiple = data["starting_current"].get(meter.connection, {}).get(meter.accuracy_class)
    if multiple is None:
        return NOT_COVERED
    name = multiple[1]
    if name not in meter.references_a:
        return f"{_times(*multiple)}; give --{name.lower()}"
    amperes = starting_current_a(
        file_name,
        accuracy_class=meter.accuracy_class,
        connection=meter.connection,
        references_a=meter.references_a,
    )
    text = f"{_times(*multiple)} = {amperes:.4g} A"
    if meter.un_v is None or meter.pulses_per_kwh is None:
        return text
    interval_s = pulse_interval_s(
        pulses_per_kwh=meter.pulses_per_kwh,
        nominal_voltage_v=meter.un_v,
        current_a=amperes,
        elements=meter.elements,
    )
    return f"{text}, a pulse each {interval_s:.1f} s"


def _no_load(file_name: str, part: Mapping[str, Any], meter: Meter) -> str:
    where = f"at {part['voltage'][0]:.2f} Un" if "voltage" in part else "voltage: see the text"
    wanted = {"Imax": "Imax", "Ist": "Ist", "b Imin": "Imin"}[part["formula"]]
    missing = [option for option, value in (("--un", meter.un_v), ("--constant", meter.pulses_per_kwh)) if not value]
    missing += [] if wanted in meter.references_a else [f"--{wanted.lower()}"]
    if meter.un_v is None or meter.pulses_per_kwh is None or missing:
        return f"{where}, at most {part['pulses']} pulse; for the time give {', '.join(missing)}"
    test = no_load_test(
        file_name,
        accuracy_class=meter.accuracy_class,
        pulses_per_kwh=meter.pulses_per_kwh,
        nominal_voltage_v=meter.un_v,
        elements=meter.elements,
        maximum_current_a=meter.references_a.get("Imax"),
        starting_current_a=meter.references_a.get("Ist"),
        minimum_current_a=meter.references_a.get("Imin"),
    )
    volts = "" if test.voltage_v is None else f" = {test.voltage_v:.1f} V"
    minutes = f"at least {test.seconds / 60.0:.3f} min ({test.seconds:.0f} s)"
    return f"{where}{volts}, {minutes}, at most {part['pulses']} pulse"


def _register(file_name: str, meter: Meter) -> str:
    if meter.un_v is None or "Imax" not in meter.references_a:
        return "m Un Imax 1e-6 kWh; give --un and --imax"
    limit = register_change_limit(
        file_name,
        nominal_voltage_v=meter.un_v,
        maximum_current_a=meter.references_a["Imax"],
        elements=meter.elements,
    )
    return f"at most {limit.high:.4g} kWh"


def _ratios(file_name: str, data: Mapping[str, Any], meter: Meter) -> Iterator[Fact]:
    rows = data["current_ratios"][meter.connection]
    missing = sorted({name for row in rows for name in row["ratio"]} - set(meter.references_a))
    if missing:
        options = ", ".join(f"--{name.lower()}" for name in missing)
        yield _fact(data, "current_ratios", f"to compare them give {options}")
        return
    for ratio in current_ratios(
        file_name,
        accuracy_class=meter.accuracy_class,
        connection=meter.connection,
        references_a=meter.references_a,
    ):
        met = "met" if ratio.met else "NOT met"
        yield _fact(data, "current_ratios", f"{ratio.text}: {met}, it is {ratio.value:.4g}")


def _influence(data: Mapping[str, Any], meter: Meter) -> Iterator[Change]:
    known = data.get("influence", {})
    for name, part in known.items():
        if not isinstance(part, Mapping):
            continue
        mark = provenance(data, part)["source_mark"]
        source = (part.get("clause", known.get("clause", "")), mark)
        what = (name, part["table"], part["condition"])
        if "bounds" in part:
            low, high = part["bounds"]
            yield Change(*what, "any current", f"{low:+g} to {high:+g} {part['unit']}", *source)
            continue
        rows = _of_class(known[part["of"]]["rows"] if "of" in part else part["rows"], meter)
        for row in rows:
            figure = round(part.get("factor", 1.0) * row["lim"][meter.accuracy_class], 9)
            yield Change(*what, _where(row, meter), f"±{figure:g} {part['unit']}", *source)
        if not rows:
            yield Change(*what, "", NOT_COVERED, *source)


def _conditions(file_name: str, data: Mapping[str, Any], meter: Meter) -> Iterator[Fact]:
    if "reference_conditions" not in data:
        return
    for one in reference_conditions(file_name, meter.accuracy_class):
        span = f"at most {one.high:g}" if one.low is None else f"{one.low:g} to {one.high:g}"
        clause = data["reference_conditions"].get("clause", "")
        yield Fact(one.what, f"{span} {one.unit}", clause, one.source_mark)


def _fact(data: Mapping[str, Any], name: str, value: str) -> Fact:
    part = data[name]
    return Fact(part["table"], value, part.get("clause", ""), provenance(data, part)["source_mark"])


def _of_class(rows: Sequence[Mapping[str, Any]], meter: Meter) -> list[Mapping[str, Any]]:
    return [row for row in for_connection(rows, meter.connection) if meter.accuracy_class in row["lim"]]


def _where(row: Mapping[str, Any], meter: Meter) -> str:
    if "from" not in row:
        angle = f"{row_in_words(row)}, " if "pf" in row or "sin" in row else ""
        return f"{angle}where the error has a limit"
    if row["from"] != row["to"]:
        return row_in_words(row).replace("<=", "≤")
    factor, name = row["from"]
    if name not in meter.references_a:
        raise SetupError(f"the table speaks of {name}, which is not given", f"give --{name.lower()}")
    return f"{row_in_words(row)} ({factor * meter.references_a[name]:.4g} A)"


def _times(factor: float, name: str) -> str:
    return name if factor == 1.0 else f"{factor:g} {name}"


def _band_in_words(band: Sequence[Sequence[float]]) -> str:
    return " or ".join(f"{low:+g}..{high:+g} °C" for low, high in band)
