"""hil verify: is this record whole and unaltered?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hil.commands.find import find_run

WHOLE, ALTERED = 0, 1


def run(asked: argparse.Namespace) -> int:
    """Check the journal's chain, the manifest and every file; name the first difference."""
    folder = find_run(Path(asked.runs), asked.run)
    from hil.journal.reader import read_journal
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
        print(f"ALTERED: {folder}: {difference}")
    else:
        end = "; the run died: its last line was cut short" if torn else ""
        print(f"whole and unaltered: {folder}: {lines} lines, each with the digest of the one before{end}; not signed")
    return WHOLE if difference is None else ALTERED
