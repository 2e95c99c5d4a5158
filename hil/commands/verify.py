"""hil verify: is this record whole and unaltered?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hil.commands.find import find_run
from hil.errors import SetupError
from hil.journal.reader import is_going_on, read_journal
from hil.names import one_line

WHOLE, ALTERED = 0, 1


def run(asked: argparse.Namespace) -> int:
    """Check the journal's chain, the manifest and every file; name the first difference."""
    folder = find_run(Path(asked.runs), asked.run)
    if is_going_on(folder):
        raise SetupError(f"the run in {folder} is going on: its journal is being written", "wait for its end")
    from hil.reports import manifest

    difference = manifest.verify(folder)
    journal = read_journal(folder) if difference is None else None
    lines, torn = (len(journal.entries), journal.torn) if journal else (0, False)
    signed = False  # a signature comes with keys of the laboratory; until then the manifest says null
    if asked.json:
        whole = difference is None
        print(
            json.dumps(
                {"record": str(folder), "whole": whole, "why": difference, "signed": signed, "torn": torn}, indent=1
            )
        )
    elif difference is not None:
        print(f"ALTERED: {one_line(str(folder))}: {one_line(difference)}")
    else:
        end = "; the run died" if journal and journal.finished is None else ""
        end += "; its last line was cut short" if torn else ""
        where = one_line(str(folder))
        print(f"whole and unaltered: {where}: {lines} lines, each with the digest of the one before{end}; not signed")
    return WHOLE if difference is None else ALTERED
