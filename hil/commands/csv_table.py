"""A table that a person made: comma, semicolon or tab, decimal comma, byte-order mark, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hil.errors import SetupError
from hil.names import one_line

LARGEST = 50_000_000  # bytes: a million readings; more is no table made by hand
_LONGEST_SHOWN = 40  # characters of what was found
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)


class BadTable(SetupError):
    """A file is no table that can be used; says file, line, column and what was found."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file with its cells, as many as there are columns; a missing one is empty."""

    line: int
    cells: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """The columns' names and the rows beneath them."""

    file: str
    columns: tuple[str, ...]
    rows: list[Row]
    separator: str
    _mark: str = field(default="", repr=False)

    def number(self, row: Row, column: int) -> float:
        """Return a cell as a number. Raises BadTable for a missing one, text, or a second decimal mark in the file."""
        found = row.cells[column].strip().replace("\N{MINUS SIGN}", "-")
        if not found:
            raise self.wrong(row.line, column, "is empty", "fill it in, or take the line out")
        if not _NUMBER.fullmatch(found):
            raise self.wrong(row.line, column, f"is {shown(found)}, not a number", "write digits only, without unit")
        mark = "," if "," in found else "." if "." in found else ""
        if mark and self._mark and mark != self._mark:
            why = f"is {shown(found)}, but above {self._mark!r} is the decimal mark"
            raise self.wrong(row.line, column, why, "use one mark in the whole file, and none for thousands")
        self._mark = mark or self._mark
        value = float(found.replace(",", "."))
        if not math.isfinite(value):
            raise self.wrong(row.line, column, f"is {shown(found)}, too large for a number", "mend it")
        return value

    def text(self, row: Row, column: int) -> str:
        """Return a cell as the name of something. Raises BadTable for a missing one."""
        if not row.cells[column].strip():
            raise self.wrong(row.line, column, "is empty", "fill it in, or take the line out")
        return row.cells[column].strip()

    def wrong(self, line: int, column: int, what: str, remedy: str) -> BadTable:
        """Return the error for a cell."""
        return BadTable(f"{self.file}:{line}: column {shown(self.columns[column])} {what}", remedy)

    def find(self, name: str) -> int:
        """Return the column of this name, whatever its case. Raises BadTable."""
        for number, column in enumerate(self.columns):
            if column.casefold() == name.strip().casefold():
                return number
        raise BadTable(f"{self.file}: there is no column {shown(name)}", f"it has {listed(self.columns)}")


def read_table(path: Path) -> Table:
    """Read a file. Raises BadTable."""
    name = one_line(str(path))
    name = name if len(name) <= 200 else f"{name[:200]}…"
    lines = _text(path, name).splitlines()
    if lines and lines[0].lower().startswith("sep="):
        separator = lines[0][4:5] or ","
        lines[0] = ""
    else:
        separator = _separator(lines)
    rows = list(_rows(lines, separator, name))
    if not rows:
        raise BadTable(f"{name}: is empty", "give a line of column names and lines of values")
    if all(_NUMBER.fullmatch(cell.strip()) for cell in rows[0].cells):
        columns = tuple(f"column {number}" for number in range(1, len(rows[0].cells) + 1))
    else:
        head = rows.pop(0)
        columns = tuple(cell.strip() for cell in head.cells)
        while columns and not columns[-1] and all(len(row.cells) < len(columns) or not row.cells[-1] for row in rows):
            columns = columns[:-1]
            rows = [Row(row.line, row.cells[: len(columns)]) for row in rows]
        _check_names(columns, head.line, name)
    if not rows:
        raise BadTable(f"{name}: has column names but no values", "give a line for each reading")
    return Table(name, columns, [_full(row, columns, name, separator) for row in rows], separator)


def shown(text: str) -> str:
    """Return what was found, quoted, on one line and not longer than a person reads."""
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f"'{one_line(short)}'"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names in one line, the first of them where there are many."""
    every = list(names)
    return ", ".join(map(shown, every[:most])) + (f" and {len(every) - most} more" if len(every) > most else "")


def _text(path: Path, name: str) -> str:
    data = None
    try:
        if path.is_file() or not path.exists():  # a pipe would keep us waiting
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadTable(f"{name}: cannot be read: {why}", "name a CSV file") from error
    if data is None:
        raise BadTable(f"{name}: is no file", "name a CSV file")
    if len(data) > LARGEST:
        raise BadTable(f"{name}: is larger than {LARGEST // 1_000_000} MB", "cut out the columns that are wanted")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if wide else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadTable(f"{name}: is no text", "save the table as CSV; a workbook cannot be read")


def _separator(lines: list[str]) -> str:
    for line in lines:
        if line.strip() and not line.startswith("#"):
            return next((mark for mark in ("\t", ";", ",") if mark in line), ";")
    return ","


def _rows(lines: list[str], separator: str, name: str) -> Iterable[Row]:
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
                yield Row(reader.line_num, tuple(cells))
    except csv.Error as error:
        raise BadTable(f"{name}:{reader.line_num}: {error}", "mend the line; is a quotation mark left open?") from error


def _check_names(columns: tuple[str, ...], line: int, name: str) -> None:
    for number, column in enumerate(columns, 1):
        if not column:
            raise BadTable(f"{name}:{line}: column {number} has no name", "name every column, or take it out")
        if column.casefold() in {one.casefold() for one in columns[: number - 1]}:
            raise BadTable(
                f"{name}:{line}: column {shown(column)} is there twice", "give each column a name of its own"
            )


def _full(row: Row, columns: tuple[str, ...], name: str, separator: str) -> Row:
    cells = row.cells
    while len(cells) > len(columns) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > len(columns):
        remedy = "mend the line"
        if separator == ",":
            remedy = "where the decimal mark is a comma, separate the columns by semicolons"
        raise BadTable(f"{name}:{row.line}: {len(cells)} cells under {len(columns)} column names", remedy)
    return Row(row.line, cells + ("",) * (len(columns) - len(cells)))
