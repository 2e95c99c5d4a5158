"""hil runs: what has been run, and how it ended; what cannot be read is listed with what is wrong with it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from hil.commands.find import all_runs
from hil.commands.tables import print_table
from hil.errors import HilError
from hil.journal.glance import glance
from hil.journal.reader import JournalDamaged, JournalEmpty, JournalVersion, is_going_on
from hil.journal.summary import ending
from hil.names import one_line

_COLUMNS = ("run", "serial", "stage", "station", "verdict", "seconds", "reason")


def run(asked: argparse.Namespace) -> int:
    """List the runs, oldest first."""
    folders = [one for one in all_runs(Path(asked.runs)) if asked.serial in {"", one.parent.name}]
    rows = [_row(folder) for folder in folders[-asked.last :] if asked.last >= 0]
    if asked.json:
        print(json.dumps(rows, indent=1))
    elif not rows:
        whose = f" of {asked.serial}" if asked.serial else ""
        print(one_line(f"no runs{whose} in {asked.runs}; start one: hil certify SP-000123"))
    else:
        print_table(_COLUMNS, [[_printable(row[name]) for name in _COLUMNS] for row in rows])
    return 0


def _row(folder: Path) -> dict[str, Any]:
    row: dict[str, Any] = {
        "run": folder.name,
        "serial": folder.parent.name,
        "board": "",
        "stage": "",
        "station": "",
        "simulated": None,
        "operator": "",
        "verdict": "broken",
        "exit_code": None,
        "reason": "",
        "seconds": None,
        "torn": False,
        "record": str(folder),
    }
    try:
        return row | _told(folder)
    except (HilError, ValueError, TypeError) as error:  # the last two: a sound chain of nonsense
        return row | {"reason": _what_is_wrong(error)}


def _told(folder: Path) -> dict[str, Any]:
    seen = glance(folder)
    started, ended = seen.started, ending(seen.events)
    if is_going_on(folder):
        now: dict[str, Any] = {"verdict": "running", "reason": "its journal is being written"}
    else:
        now = {
            "verdict": str(ended.verdict),
            "exit_code": ended.exit_code,
            "reason": ended.reason + ("; its last line was cut short" if seen.torn else ""),
        }
    return {
        "board": started.board,
        "stage": started.stage,
        "station": started.station,
        "simulated": started.simulated,
        "operator": started.operator,
        "seconds": round(seen.lasted_s, 1),
        "torn": seen.torn,
        **now,
    }


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, JournalVersion):
        return f"broken: format {error.found!r}; {error.what}; {error.remedy}"
    if isinstance(error.__cause__, FileNotFoundError):
        return "no journal"
    if isinstance(error, JournalEmpty):
        return f"empty: {error.why}"
    if isinstance(error, JournalDamaged):
        return f"damaged: line {error.line}: {error.why}"
    return f"broken: {error}"


def _printable(value: object) -> str:
    """Return text for a terminal: whatever bytes a folder's name has."""
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
