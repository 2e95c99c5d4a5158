"""hil report, verify, runs: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_runs, count


def add(commands: Any) -> None:
    """Add the arguments."""
    report = add_command(
        commands, "report", "report", "make the reports of a run again, from its journal", "hil report SP-000123"
    )
    verify = add_command(
        commands, "verify", "verify", "say whether the record of a run is whole and unaltered", "hil verify SP-000123"
    )
    for command in (report, verify):
        command.add_argument("run", metavar="RUN", help="a run's folder or id, or a serial number for its newest run")
        add_runs(command)
    runs = add_command(
        commands, "runs", "runs", "list what has been run, and how it ended", "hil runs SP-000123 --last 5"
    )
    runs.add_argument("serial", metavar="SERIAL", nargs="?", default="", help="only the runs of this unit")
    runs.add_argument("--last", type=count, default=0, metavar="N", help="only the newest N")
    add_runs(runs)
