"""hil report: make the reports of a run again. The same journal gives the same bytes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hil.commands.find import find_run


def run(asked: argparse.Namespace) -> int:
    """Make every report of the run anew and print the paths."""
    folder = find_run(Path(asked.runs), asked.run)
    from hil.reports import make_reports

    made = make_reports(folder)
    if asked.json:
        print(json.dumps({"record": str(folder), "reports": [str(path) for path in made]}, indent=1))
    else:
        print("\n".join(str(path) for path in made))
    return 0
