"""hil doctor: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_runs, add_stations


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "say what is missing on this computer, with the line that mends it"
    doctor = add_command(commands, "doctor", "doctor", what, "hil doctor --station bench-1")
    doctor.add_argument("--station", default="", metavar="NAME", help="also ask whether its instruments answer")
    add_stations(doctor)
    add_runs(doctor)
