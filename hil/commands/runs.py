"""hil runs: what has been run, and how it ended, from the first and last lines of each journal."""

from __future__ import annotations

import argparse
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from hil.commands.find import JOURNAL, all_runs
from hil.commands.tables import print_table

_TAIL_BYTES = 1 << 16  # the last words, and what a guard may have added after them


def run(asked: argparse.Namespace) -> int:
    """List the runs, oldest first."""
    folders = [one for one in all_runs(Path(asked.runs)) if asked.serial in {"", one.parent.name}]
    rows = [_row(folder) for folder in folders[-asked.last :] if asked.last >= 0]
    if asked.json:
        print(json.dumps(rows, indent=1))
    elif not rows:
        print(
            f"no runs{f' of {asked.serial}' if asked.serial else ''} in {asked.runs}; start one: hil certify SP-000123"
        )
    else:
        columns = ("run", "serial", "stage", "station", "verdict", "seconds", "reason")
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])
    return 0


def _row(folder: Path) -> dict[str, Any]:
    first, last = _ends(folder / JOURNAL)
    died = last.get("event") != "run_finished"
    row = {
        "run": folder.name,
        "serial": folder.parent.name,
        "board": first.get("board", ""),
        "stage": first.get("stage", ""),
        "station": first.get("station", ""),
        "simulated": first.get("simulated"),
        "operator": first.get("operator", ""),
        "verdict": "aborted" if died else last["verdict"],
        "exit_code": 3 if died else last["exit_code"],
        "reason": "the run died: its record has no end" if died else last["reason"],
        "seconds": "",
        "record": str(folder),
    }
    if not died:
        lasted = datetime.fromisoformat(last["utc"]) - datetime.fromisoformat(first["utc"])
        row["seconds"] = round(lasted.total_seconds(), 1)
    return row


def _ends(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first line and the run_finished near the end, each empty where it cannot be read."""
    with path.open("rb") as file:
        first = _line(file.readline())
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        tail = file.read().split(b"\n")
    said = (_line(line) for line in reversed(tail) if b'"run_finished"' in line)
    return first, next(said, {})


def _line(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
