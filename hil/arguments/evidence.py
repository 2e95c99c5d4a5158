"""hil evidence: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_edition, add_runs, add_stations


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "put runs of several units into one package for an assessor"
    example = "hil evidence --board smart-power --revision A --out evidence SP-000123 SP-000124"
    evidence = add_command(commands, "evidence", "evidence", what, example)
    evidence.add_argument(
        "run", metavar="RUN", nargs="+", help="a run's folder or id, or a serial number for its newest run"
    )
    evidence.add_argument("--board", default="smart-power", metavar="B", help="type of board (default: smart-power)")
    evidence.add_argument("--revision", default="A", metavar="R", help="its revision (default: A)")
    evidence.add_argument("--out", required=True, metavar="DIR", help="a new folder")
    evidence.add_argument("--zip", action="store_true", help="also pack the folder into one file, DIR.zip")
    evidence.add_argument(
        "--trust", default="", metavar="PATH", help="keys to believe the runs from: a .pub file, or a folder of them"
    )
    add_edition(evidence)
    add_stations(evidence)
    evidence.add_argument("--station", default="", metavar="NAME", help="whose key signs (default: nobody's)")
    add_runs(evidence)
