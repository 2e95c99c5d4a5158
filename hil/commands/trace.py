"""hil trace: from each requirement of a run to the calibration of the instruments behind it."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from hil.commands.find import find_run
from hil.errors import SetupError
from hil.journal.reader import Journal, read_journal
from hil.names import one_line
from hil.reports.exports.table import defused
from hil.reports.trace import COLUMNS, NONE, NOT_ON_RECORD, READING, SPOKEN_TO, USES, TraceRow, matrix


def run(asked: argparse.Namespace) -> int:
    """Print the matrix of one run: in words, as CSV or as JSON."""
    if asked.csv and asked.json:
        raise SetupError("--csv and --json at once", "take one of them")
    journal = read_journal(find_run(Path(asked.runs), asked.run))
    rows = _of(matrix(journal), asked.requirement)
    if asked.json:
        print(json.dumps({**_head(journal), "rows": [row.to_dict() for row in rows]}, indent=1))
    elif asked.csv:
        head = _head(journal)
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow([*head, *COLUMNS])
        cells = ([*head.values(), *row.to_dict().values()] for row in rows)
        table.writerows([defused(one) if isinstance(one, str) else one for one in row] for row in cells)
    else:
        print("\n".join(map(one_line, in_words(journal, rows, points=bool(asked.requirement)))))
    return 0


def _of(rows: list[TraceRow], requirement: str) -> list[TraceRow]:
    known = dict.fromkeys(row.requirement for row in rows)
    if requirement and requirement not in known:
        from hil.station.suggest import did_you_mean

        raise SetupError(f"this run has no requirement {requirement!r}", did_you_mean(requirement, known))
    return [row for row in rows if requirement in {"", row.requirement}]


def _head(journal: Journal) -> dict[str, Any]:
    started = journal.started
    return {
        "run": journal.run_id,
        "unit": started.serial,
        "simulated": started.simulated,
        "release": str(started.release.get("status", NOT_ON_RECORD)),
    }


def in_words(journal: Journal, rows: Sequence[TraceRow], *, points: bool) -> Iterator[str]:
    """Tell the matrix requirement by requirement, its points one by one where `points` says so."""
    head = _head(journal)
    simulated = ", SIMULATED" if head["simulated"] else ""
    released = {"released": f"released plan {journal.started.release.get('id', '')}", NOT_ON_RECORD: ""}
    said = released.get(head["release"], f"plan NOT RELEASED ({head['release']})")
    yield f"{head['unit']}, run {head['run']}{simulated}" + (f", {said}" if said else "")
    for _, of_one in groupby(rows, lambda row: row.requirement):
        mine = list(of_one)
        first = mine[0]
        asked = "" if first.required else ", not required"
        yield ""
        yield f"{first.requirement or 'no requirement'} {first.requirement_verdict}{asked}: {first.title}".rstrip(": ")
        for kind in dict.fromkeys(map(_kind, mine)):
            if kind[0]:
                yield from _of_kind([row for row in mine if _kind(row) == kind], points=points)
    if any(row.use == NOT_ON_RECORD for row in rows):
        yield ""
        yield f"instruments {NOT_ON_RECORD}: {USES[NOT_ON_RECORD]}"


def _kind(row: TraceRow) -> tuple[str, ...]:
    """What stands together: the points of one base name against one clause, in one test function."""
    base, test = row.measurement.partition("[")[0], row.test.partition("[")[0]
    return base, row.standard, row.edition, row.table, test


def _of_kind(rows: Sequence[TraceRow], *, points: bool) -> Iterator[str]:
    first = rows[0]
    verdicts = {row.measurement: row.verdict for row in rows}
    yield f"  {_kind(first)[0]}, {_counted(verdicts.values())}"
    if points:
        yield from (f"      {name} {verdict}" for name, verdict in verdicts.items() if "[" in name)
    clause = ", ".join(part for part in (first.standard, first.edition, first.table) if part)
    mark = f" ({first.source_mark})" if first.source_mark else ""
    if not first.test:
        return
    yield f"    clause: {clause + mark if clause else 'no limit covers it'}"
    yield f"    test: {first.test.partition('[')[0].rpartition('/')[2]}"
    read = list(dict.fromkeys(_instrument(row) for row in rows if row.use == READING))
    yield from (f"    reading of {one}" for one in read)
    if spoken := list(dict.fromkeys(row.role for row in rows if row.use == SPOKEN_TO)):
        yield f"    no reading of an instrument; the test spoke to {', '.join(spoken)}"
    if any(row.use == NONE for row in rows):
        yield "    no reading of an instrument; the test spoke to none"
    if any(row.use == NOT_ON_RECORD for row in rows):
        yield f"    instruments: {NOT_ON_RECORD}"


def _counted(verdicts: Iterable[str]) -> str:
    return ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in Counter(verdicts).items())


def _instrument(row: TraceRow) -> str:
    if not row.model:
        return f"{row.role}, which did not identify itself"
    serial = f", serial {row.serial}" if row.serial else ""
    if not row.calibration:
        return f"{row.role}: {row.model}{serial}; no calibration on record"
    made = f"calibration {row.calibration} of {row.calibrated_on}, {row.laboratory}"
    return f"{row.role}: {row.model}{serial}; {made}, due {row.due}, {row.status}"
