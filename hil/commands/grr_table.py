"""Finds the study in a table: one reading a line, or trials in columns, or parts in columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hil.commands.csv_table import BadTable, Row, Table, listed, shown

PART = ("part", "board", "unit", "sample", "serial", "dut")
FACTOR = ("operator", "appraiser", "inspector", "station", "fixture", "slot")
TRIAL = ("trial", "repeat", "repetition", "replicate", "reseat", "run")
VALUE = ("value", "measurement", "measured", "reading", "result")
_EXAMPLE = "give columns part, operator (or station, fixture), trial and value; see 'hil stats grr --help'"
_LABEL = re.compile(r"(?P<factor>.*?[^\d\s_-])[\s_-]*(?P<trial>\d+)")


@dataclass(frozen=True, slots=True)
class Study:
    """A balanced study: values by part, second factor and trial. `factor` is its name, empty where there is none."""

    parts: list[str]
    factors: list[str]
    factor: str
    values: list[list[list[float]]]


def find_study(table: Table, part: str = "", factor: str = "", value: str = "") -> Study:
    """Return the study; part, factor and value name columns that are not found by themselves. Raises BadTable."""
    columns = {
        "part": _column(table, part, PART),
        "factor": _column(table, factor, FACTOR),
        "trial": _column(table, "", TRIAL),
        "value": _column(table, value, VALUE),
    }
    at_part, at_factor, at_trial, at_value = columns.values()
    rest = [n for n in range(len(table.columns)) if n not in columns.values()]
    name = _factor_name(table, at_factor)
    if at_part is not None and at_value is None and len(rest) == 1:
        at_value = rest[0]
    if at_part is not None and at_value is not None:
        return _long(table, name, at_part, at_factor, at_trial, at_value)
    if at_part is not None and at_trial is None and len(rest) >= 2:
        return _trials_in_columns(table, name, at_part, at_factor, rest)
    if at_part is None and at_value is None and len(rest) >= 2:
        if at_factor is not None:
            return _parts_in_columns(table, name, lambda row: table.text(row, at_factor), rest)
        label = at_trial if at_trial is not None else rest.pop(0)
        return _parts_in_columns(table, "operator", lambda row: _factor_of(table, row, label), rest)
    raise BadTable(f"{table.file}: no study can be seen in columns {listed(table.columns)}", _EXAMPLE)


def _column(table: Table, asked: str, words: tuple[str, ...]) -> int | None:
    """Return the column that was asked for, or the one whose name has one of the words in it."""
    if asked:
        return table.find(asked)
    found = [
        number
        for number, column in enumerate(table.columns)
        if not {re.sub("s$", "", word) for word in re.findall(r"[a-z]+", column.casefold())}.isdisjoint(words)
    ]
    exact = [number for number in found if table.columns[number].casefold() in words]
    found = exact or found
    if len(found) > 1 and words not in (TRIAL, PART):
        names = listed(table.columns[number] for number in found)
        raise BadTable(f"{table.file}: {names} could each be the {words[0]}", "name one with --factor or --value")
    return found[0] if len(found) == 1 else None


def _factor_name(table: Table, at: int | None) -> str:
    return "" if at is None else table.columns[at].casefold()


def _factor_of(table: Table, row: Row, label: int) -> str:
    """Return the operator of a label such as A1 or Ana-2."""
    text = table.text(row, label)
    found = _LABEL.fullmatch(text)
    if not found:
        raise table.wrong(row.line, label, f"is {shown(text)}, not an operator and a trial such as A1", _EXAMPLE)
    return found["factor"].strip()


def _long(table: Table, name: str, part: int, factor: int | None, trial: int | None, value: int) -> Study:
    cells: dict[tuple[str, str], list[float]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for row in table.rows:
        key = (table.text(row, part), "" if factor is None else table.text(row, factor))
        if trial is not None:
            where = (*key, table.text(row, trial))
            if where in seen:
                why = f"is {shown(where[2])}, as in line {seen[where]}, for the same {_cell(key, name)}"
                raise table.wrong(row.line, trial, why, "number the trials of a part 1, 2, 3")
            seen[where] = row.line
        cells.setdefault(key, []).append(table.number(row, value))
    return _balanced(table, name, cells)


def _trials_in_columns(table: Table, name: str, part: int, factor: int | None, trials: list[int]) -> Study:
    cells: dict[tuple[str, str], list[float]] = {}
    for row in table.rows:
        key = (table.text(row, part), "" if factor is None else table.text(row, factor))
        if key in cells:
            raise table.wrong(row.line, part, f"has {_cell(key, name)} a second time", "give each one line")
        cells[key] = [table.number(row, trial) for trial in trials]
    return _balanced(table, name, cells)


def _parts_in_columns(table: Table, name: str, factor_of: Callable[[Row], str], parts: list[int]) -> Study:
    cells: dict[tuple[str, str], list[float]] = {}
    for row in table.rows:
        for part in parts:
            cells.setdefault((table.columns[part], factor_of(row)), []).append(table.number(row, part))
    return _balanced(table, name, cells)


def _balanced(table: Table, name: str, cells: dict[tuple[str, str], list[float]]) -> Study:
    parts = list(dict.fromkeys(part for part, _ in cells))
    factors = list(dict.fromkeys(factor for _, factor in cells))
    trials = max(len(values) for values in cells.values())
    for key in ((part, factor) for part in parts for factor in factors):
        if (count := len(cells.get(key, ()))) != trials:
            what = f"{table.file}: {_cell(key, name)} has {count} values, others have {trials}"
            raise BadTable(
                what, "every part needs as many trials at each; measure what is missing, or leave the part out"
            )
    return Study(parts, factors, name, [[cells[part, factor] for factor in factors] for part in parts])


def _cell(key: tuple[str, str], name: str) -> str:
    return f"part {shown(key[0])}" + (f" of {name} {shown(key[1])}" if name else "")
