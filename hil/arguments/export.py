"""hil export: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_runs


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "write runs for other tools: JUnit, ATML, STDF, CSV, Parquet, DCC"
    example = "hil export SP-000123 --format atml,csv --out exports"
    export = add_command(commands, "export", "export", what, example)
    export.add_argument(
        "run", metavar="RUN", nargs="+", help="a run's folder or id, or a serial number for its newest run"
    )
    export.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="F",
        help="junit, atml, stdf, csv, parquet, dcc; several with commas between, or repeated",
    )
    what = "a folder, or the file where one is made; default: here. csv and parquet put all the runs into one file"
    export.add_argument("--out", default="", metavar="PATH", help=what)
    export.add_argument(
        "--schema", default="", metavar="FILE", help="IEEE's TestResults.xsd, to check the ATML with it as well"
    )
    add_runs(export)
