"""The earlier runs of a unit, as Allure 3 reads them from its historyPath: one line of JSON a run.

The file is made anew from the unit's journals each time and thrown away with the rest of Allure's scratch. It cannot be
stale, cannot be edited, and the same journals give the same page.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid5

from hil.errors import SetupError
from hil.journal.reader import Journal, read_journal
from hil.journal.summary import summarise
from hil.names import printable
from hil.reports.allure import name, outlines
from hil.reports.allure_labels import SPACE
from hil.reports.cases import parse_utc

NAME = "history.jsonl"
MOST = 10  # runs; a page that shows more is read by nobody, and each costs a tenth of a second

_log = logging.getLogger(__name__)


def write(journal: Journal, folder: Path) -> Path:
    """Write the history of the unit before this run into folder, the oldest run first, and return its path."""
    path = folder / NAME
    lines = [json.dumps(_point(one), sort_keys=True, ensure_ascii=False) for one in earlier(journal)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def earlier(journal: Journal) -> list[Journal]:
    """Return the journals of the same unit that lie beside this one and began before it, the oldest first."""
    ours = journal.started
    found: list[Journal] = []
    folders = sorted((one for one in journal.folder.absolute().parent.iterdir() if one.is_dir()), reverse=True)
    for folder in folders:
        if len(found) == MOST or folder.name >= journal.run_id or not (folder / "journal.jsonl").is_file():
            continue
        try:
            other = read_journal(folder)
        except SetupError as error:  # it has been said to whoever read that record itself
            _log.warning("allure-report: %s is left out of the history: %s", folder.name, error)
            continue
        theirs = other.started
        same = (theirs.serial, theirs.board, theirs.revision) == (ours.serial, ours.board, ours.revision)
        if same and other.run_id < journal.run_id:
            found.append(other)
    return found[::-1]


def _point(journal: Journal) -> dict[str, Any]:
    results = {}
    for one in outlines(journal):
        details = one.statusDetails
        results[one.historyId] = {
            "id": str(one.uuid),
            "name": printable(one.name),
            "fullName": printable(one.fullName),
            "historyId": one.historyId,
            "status": str(one.status),
            "message": printable(details.message or "") if details else "",
            "start": one.start,
            "stop": one.stop,
            "duration": one.stop - one.start,
            "url": "",
        }
    facts = journal.started
    return {
        "uuid": str(uuid5(SPACE, journal.run_id)),
        "name": name(facts, summarise(journal.events).verdict),
        "timestamp": round(parse_utc(journal.entries[-1].utc).timestamp() * 1000.0),
        "knownTestCaseIds": [],
        "testResults": results,
        "metrics": {},
        "url": "",
    }
