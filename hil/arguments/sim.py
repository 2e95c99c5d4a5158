"""hil sim: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_unit


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "keep the simulated station open, in real time, for other tools"
    sim = add_command(commands, "sim", "sim", what, "hil sim --serial SP-000123 --fault k2-set-open")
    sim.add_argument("--serial", default="SP-000123", metavar="SN", help="the unit on the fixture (default: SP-000123)")
    add_unit(sim)
    sim.add_argument("--bench-time", action="store_true", help="let time stand still until the control socket moves it")
    sim.add_argument("--list-faults", action="store_true", help="list the faults there are, and where each one sits")
