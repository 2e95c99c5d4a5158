"""hil limits: the tables of standards, laid out for one meter as a person would write them down."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from hil.commands.tables import print_table, say
from hil.errors import SetupError
from hil.metrology.limit_tables import CONNECTIONS, load_table, table_names, title

CURRENTS = ("Ist", "Imin", "Itr", "Ib", "In", "Imax")  # from the smallest to the largest
_PLAIN = {"±": "+/-", "≤": "<=", "°": ""}  # for a terminal that has no such signs


def run(asked: argparse.Namespace) -> int:
    """List the tables, or show one."""
    return _list(asked) if asked.action == "list" else _show(asked)


def _list(asked: argparse.Namespace) -> int:
    rows = []
    for name in table_names():
        data = load_table(name)
        tables = {table: len(part["rows"]) for table, part in data["tables"].items()}
        rows.append(
            {
                "table": name,
                "standard": title(data),
                "classes": data["classes"],
                "rows_of_limits": tables,
                "influence": [
                    quantity for quantity, part in data.get("influence", {}).items() if isinstance(part, dict)
                ],
                "source_marks": sorted({data["source_mark"], *_marks(data)}),
            }
        )
    if asked.json:
        print(json.dumps(rows, indent=1))
        return 0
    columns = ("table", "classes", "rows of limits", "influences", "source")
    print_table(columns, [_in_columns(row) for row in rows], whole=1)
    _say("source: checked = compared with the text; nrc = from general knowledge, not compared; nrc? = low confidence")
    return 0


def _in_columns(row: dict[str, Any]) -> list[str]:
    tables = ", ".join(f"{name.replace('_', ' ')} {count or 'none'}" for name, count in row["rows_of_limits"].items())
    many = str(len(row["influence"]) or "none")
    return [row["table"], ", ".join(row["classes"]), tables, many, ", ".join(row["source_marks"])]


def _marks(part: Any) -> list[str]:
    """Return every source mark in a part of a file."""
    if isinstance(part, dict):
        own = [part["source_mark"]] if "source_mark" in part else []
        return own + [mark for inner in part.values() for mark in _marks(inner)]
    return [mark for inner in part for mark in _marks(inner)] if isinstance(part, list) else []


def _show(asked: argparse.Namespace) -> int:
    from hil.commands.limits_sheet import Meter, sheet

    file_name, only = _find(asked.table)
    data = load_table(file_name)
    if not asked.accuracy_class:
        raise SetupError("no class is given", f"give --class: {title(data)} has {', '.join(data['classes'])}")
    given = {name: value for name in CURRENTS if (value := getattr(asked, f"{name.lower()}_a")) is not None}
    for (smaller, at_most_a), (larger, value) in pairwise(given.items()):
        if at_most_a > value:
            raise SetupError(f"{smaller} {at_most_a:g} A is above {larger} {value:g} A", "were they mixed up?")
    meter = Meter(
        accuracy_class=asked.accuracy_class,
        connection=asked.connection or _usual_connection(data),
        references_a=given,
        un_v=asked.un,
        pulses_per_kwh=asked.constant,
        elements=asked.elements,
    )
    shown = sheet(file_name, meter, only)
    if asked.json:
        print(json.dumps(asdict(shown), indent=1))
    else:
        _print(shown)
    return 0


def _find(asked: str) -> tuple[str, str]:
    """Return file and table for what was typed: a file's name, a standard as it is cited, file.table."""
    from hil.station.suggest import did_you_mean

    names = {_squeezed(name): name for name in table_names()}
    names |= {_squeezed(title(load_table(name))): name for name in names.values()}
    whole, (head, _, tail) = names.get(_squeezed(asked), ""), asked.partition(".")
    file_name = whole or names.get(_squeezed(head), "")
    if not file_name:
        raise SetupError(f"there is no limit table {asked!r}", did_you_mean(head, table_names()))
    tables = load_table(file_name)["tables"]
    if not whole and tail not in tables:
        raise SetupError(f"{file_name} has no table {tail!r}", did_you_mean(tail, tables))
    return file_name, "" if whole else tail


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _usual_connection(data: Any) -> str:
    """Return direct, or ct where the file has rows for transformer operated meters only."""
    named = {row.get("conn", "direct") for table in data["tables"].values() for row in table["rows"]}
    return next((one for one in CONNECTIONS if one in named), "direct")


def _print(shown: Any) -> None:
    meter = shown.meter
    currents = ", ".join(f"{name} {value:g} A" for name, value in meter.references_a.items())
    how = {"direct": "direct connected", "ct": "transformer operated"}[meter.connection]
    what = f"{shown.standard}:{shown.edition}, class {meter.accuracy_class}, {how}"
    _say(f"{what}; {currents}" if currents else what)
    for block in shown.blocks:
        _print_block(block)
    _print_rows(
        "Beside the limits of error",
        ("what", "limit", "source"),
        [(fact.what, fact.value, _source(fact)) for fact in shown.facts],
        whole=0,
    )
    if shown.influence:
        _print_rows(
            f"Permitted change of the error ({_source(shown.influence[0])})",
            ("with", "by", "limit", "at"),
            [(_quantity(one), one.condition, one.limit, one.at) for one in shown.influence],
        )
    if shown.conditions:
        _print_rows(
            f"Reference conditions ({_source(shown.conditions[0])})",
            ("what", "range"),
            [(one.what, one.value) for one in shown.conditions],
        )
    if shown.unverified:
        mixed = any(block.source_mark == "checked" for block in shown.blocks)
        which = "the figures marked nrc" if mixed else "these figures"
        _say(f"\nWARNING: nobody has compared {which} with the bought text; nrc? says that confidence is low as well.")
        _say("Have them compared before a certificate relies on them.")


def _print_block(block: Any) -> None:
    title_ = f"{block.title[0].upper()}{block.title[1:]} ({_source(block)})"
    if not block.ranges:
        _say(f"\n{title_}\n  not covered: no row of this table is known for this class and connection")
        return
    rows = [(one.current, _amperes(one), *map(str, one.cells)) for one in block.ranges]
    _print_rows(title_, ("current", "in A", *block.columns), rows, whole=2)
    if any("*" in column for column in block.columns):
        _say("* only where it is asked for")
    _say("Any other current or power factor is not covered: it has no limit, hence no pass.")


def _print_rows(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]], whole: int = 1) -> None:
    if rows:
        _say(f"\n{heading}")
        print_table(columns, [[_plain(cell) for cell in row] for row in rows], whole=whole)


def _source(one: Any) -> str:
    return f"{one.clause}; {one.source_mark}" if one.clause else str(one.source_mark)


def _quantity(one: Any) -> str:
    return str(one.quantity).replace("_", " ")


def _amperes(one: Any) -> str:
    return f"{one.from_a:.4g}" if one.from_a == one.to_a else f"{one.from_a:.4g} to {one.to_a:.4g}"


def _say(text: str) -> None:
    say(_plain(line) for line in text.split("\n"))


def _plain(text: str) -> str:
    encoding = sys.stdout.encoding or "ascii"
    for sign, plain in _PLAIN.items():
        try:
            sign.encode(encoding)
        except UnicodeEncodeError:
            text = text.replace(sign, plain)
    return text
