"""hil report: make the reports of a run again. The same journal gives the same bytes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hil.commands.find import find_run
from hil.errors import SetupError
from hil.journal.reader import is_going_on, read_journal
from hil.names import one_line


def run(asked: argparse.Namespace) -> int:
    """Make every report of the run anew and print the paths; say what the record lacks."""
    folder = find_run(Path(asked.runs), asked.run)
    if is_going_on(folder):
        raise SetupError(f"the run in {folder} is going on: its journal is being written", "wait for its end")
    journal = read_journal(folder)
    from hil.reports import make_reports

    made = make_reports(folder)
    died = journal.finished is None
    if asked.json:
        said = {"record": str(folder), "reports": [str(path) for path in made], "died": died, "torn": journal.torn}
        print(json.dumps(said, indent=1))
        return 0
    if died or journal.torn:
        cut = "; its last line was cut short and is left out" if journal.torn else ""
        print(f"hil: this run died, the reports hold what it left: {len(journal.entries)} lines{cut}", file=sys.stderr)
    print("\n".join(one_line(str(path)) for path in made))
    return 0
