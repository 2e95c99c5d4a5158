"""hil trace: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_runs


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "trace each requirement of a run to clause, test, measurement, instrument and calibration"
    trace = add_command(commands, "trace", "trace", what, "hil trace SP-000123 --requirement MET-04")
    trace.add_argument("run", metavar="RUN", help="a run's folder or id, or a serial number for its newest run")
    trace.add_argument("--requirement", default="", metavar="ID", help="only this one, each point of it")
    trace.add_argument("--csv", action="store_true", help="print the matrix as CSV, one instrument of a value a line")
    add_runs(trace)
