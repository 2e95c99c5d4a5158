"""All measurements of one or several runs as a table: one row an attempt, the columns always these and in this order.

CSV is RFC 4180 in UTF-8: a header, a decimal point, times in ISO 8601, true and false; an empty cell is no value.
A spreadsheet takes a cell that begins with =, +, - or @ for a formula: in text, an apostrophe is put before it.
"""

from __future__ import annotations

import csv as csv_module
import io
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hil.journal.reader import Journal
from hil.journal.summary import summarise
from hil.names import one_line
from hil.reports.exports.lines import Line, lines, marks, release_status

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "real", "whole", "truth", "time"]
OWN_UNIT = "as in the column unit"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what its cells are, their unit where they have one, and what they say."""

    name: str
    kind: Kind
    unit: str
    says: str


COLUMNS: tuple[Column, ...] = tuple(
    Column(*one)
    for one in (
        ("run_id", "text", "", "the run; it sorts by time"),
        ("marks", "text", "", "SIMULATED, NOT RELEASED, both or nothing"),
        ("simulated", "truth", "", "whether the bench was simulated"),
        ("release", "text", "", "of the plan: released, changed or none"),
        ("serial", "text", "", "the unit"),
        ("board", "text", "", "its type"),
        ("revision", "text", "", "and the revision of that"),
        ("stage", "text", "", "production, release or type"),
        ("station", "text", "", "the bench"),
        ("slot", "whole", "", "of its fixture"),
        ("operator", "text", "", "who tested"),
        ("plan_version", "text", "", "version of the plan"),
        ("plan_sha256", "text", "", "its digest"),
        ("software_version", "text", "", "of hil"),
        ("run_start_utc", "time", "UTC", "when the run began"),
        ("run_verdict", "text", "", "pass, fail or aborted"),
        ("journal_line", "whole", "", "the measurement's line in the journal, counted from 1"),
        ("utc", "time", "UTC", "when it was put on record"),
        ("test", "text", "", "the test that made it"),
        ("measurement", "text", "", "full name, base[key=value,...]"),
        ("base", "text", "", "the name without its point"),
        ("point", "text", "", "the point, a JSON object"),
        ("requirement", "text", "", "of the plan, which it answers"),
        ("attempt", "whole", "", "counted from 1"),
        ("last_attempt", "truth", "", "whether this attempt is the one that counts"),
        ("value", "real", OWN_UNIT, "the reading, corrected; empty where nothing was measured"),
        ("unit", "text", "", "of the value; yes is 1 for true and 0 for false"),
        ("u", "real", OWN_UNIT, "standard uncertainty"),
        ("dof", "real", "", "its degrees of freedom; inf where they are infinite"),
        ("expanded_u", "real", OWN_UNIT, "expanded uncertainty U at 95 %"),
        ("k", "real", "", "coverage factor of U"),
        ("low", "real", OWN_UNIT, "lower limit; empty where there is none"),
        ("high", "real", OWN_UNIT, "upper limit; empty where there is none"),
        ("acceptance_low", "real", OWN_UNIT, "lower limit with its guard band"),
        ("acceptance_high", "real", OWN_UNIT, "upper limit with its guard band"),
        ("tur", "real", "", "test uncertainty ratio"),
        ("risk", "real", "", "probability that the statement is wrong, 0 to 1"),
        ("risk_kind", "text", "", "whose risk that is"),
        ("rule", "text", "", "decision rule"),
        ("verdict", "text", "", "by that rule"),
        ("screen_verdict", "text", "", "by the stage's screen, where there is one"),
        ("standing", "text", "", "what counts for the unit: the verdict, unless the screen rejects"),
        ("reason", "text", "", "why the verdict is what it is"),
        ("limit_standard", "text", "", "where the limits come from"),
        ("limit_edition", "text", "", "its edition"),
        ("limit_table", "text", "", "its table or clause"),
        ("limit_source_mark", "text", "", "what stands behind the figures: checked, nrc, assumption, ..."),
        ("raw", "real", OWN_UNIT, "the reading before corrections of calibrations, where there were any"),
        ("instruments", "text", "", "roles whose readings are inputs, with semicolons between"),
        ("readings", "whole", "", "how many were taken, where that was counted"),
        ("took_s", "real", "s", "time on the bench, where that was counted"),
    )
)
NAMES = tuple(column.name for column in COLUMNS)
_TYPES = {"text": "str", "real": "float64", "whole": "Int64", "truth": "bool", "time": "datetime64[us, UTC]"}
# at the beginning, and where a spreadsheet that parts cells at semicolons would begin one; full-width signs act as well
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@＝＋－＠])")


def measurements(journals: Iterable[Journal]) -> pd.DataFrame:
    """Return the table of all runs, in their order; dtypes are the same whatever the runs hold, even with no row."""
    import pandas as pd

    found = list(rows(journals))
    columns = {}
    for column in COLUMNS:
        cells = [row[column.name] for row in found]
        if column.kind == "time":
            columns[column.name] = pd.Series(pd.to_datetime(cells, utc=True, format="ISO8601"), dtype=_TYPES["time"])
        else:
            columns[column.name] = pd.Series(cells, dtype=_TYPES[column.kind])
    return pd.DataFrame(columns)


def rows(journals: Iterable[Journal]) -> Iterator[dict[str, Any]]:
    """Yield the table row by row, cells by column; None is no value, times are ISO 8601 text."""
    for journal in journals:
        of_run = _of_run(journal)
        for line in lines(journal):
            yield {**of_run, **_of_line(line)}


def csv(journals: Iterable[Journal]) -> bytes:
    """Return the table as CSV; numbers in full precision, with a decimal point."""
    text = io.StringIO(newline="")
    writer = csv_module.writer(text, lineterminator="\r\n")
    writer.writerow(NAMES)
    kinds = [(column.name, column.kind) for column in COLUMNS]
    writer.writerows([_cell(row[name], kind) for name, kind in kinds] for row in rows(journals))
    return text.getvalue().encode()


def defused(text: str) -> str:
    """Return text on one line that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1\2'", one_line(text))


def _of_run(journal: Journal) -> dict[str, Any]:
    started = journal.started
    return {
        "run_id": journal.run_id,
        "marks": "; ".join(marks(started)),
        "simulated": started.simulated,
        "release": release_status(started),
        "serial": started.serial,
        "board": started.board,
        "revision": started.revision,
        "stage": started.stage,
        "station": started.station,
        "slot": started.slot,
        "operator": started.operator,
        "plan_version": str(started.plan.get("version", "")),
        "plan_sha256": str(started.plan.get("sha256", "")),
        "software_version": str(started.software.get("version", "")),
        "run_start_utc": journal.entries[0].utc,
        "run_verdict": str(summarise(journal.events).verdict),
    }


def _of_line(line: Line) -> dict[str, Any]:
    said = line.said
    judged, limit = said.judgement, said.limit or {}
    return {
        "journal_line": line.seq + 1,
        "utc": line.utc,
        "test": said.test,
        "measurement": said.name,
        "base": said.base,
        "point": json.dumps(said.point, ensure_ascii=False),
        "requirement": said.requirement,
        "attempt": said.attempt,
        "last_attempt": line.last,
        "value": said.value,
        "unit": said.unit,
        "u": said.u,
        "dof": None if said.u is None else said.dof,
        "expanded_u": judged.get("expanded_u"),
        "k": judged.get("k"),
        "low": said.low,
        "high": said.high,
        "acceptance_low": judged.get("acceptance_low"),
        "acceptance_high": judged.get("acceptance_high"),
        "tur": judged.get("tur"),
        "risk": judged.get("risk"),
        "risk_kind": str(judged.get("risk_kind") or ""),
        "rule": said.rule,
        "verdict": str(said.verdict),
        "screen_verdict": str((judged.get("screen") or {}).get("verdict", "")),
        "standing": str(line.standing),
        "reason": said.reason,
        "limit_standard": str(limit.get("standard", "")),
        "limit_edition": str(limit.get("edition", "")),
        "limit_table": str(limit.get("table", "")),
        "limit_source_mark": str(limit.get("source_mark", "")),
        "raw": said.raw,
        "instruments": "; ".join(said.instruments),
        "readings": said.effort.get("readings"),
        "took_s": said.effort.get("took_s"),
    }


def _cell(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "truth":
        return "true" if value else "false"
    if kind == "real":
        return "inf" if value == math.inf else repr(float(value))
    return defused(str(value))
