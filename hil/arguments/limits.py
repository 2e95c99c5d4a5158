"""hil limits: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, positive


def add(commands: Any) -> None:
    """Add the arguments."""
    limits = commands.add_parser(
        "limits",
        help="show the limits of a standard for one meter, or list the tables",
        epilog="example: hil limits list",
    )
    actions = limits.add_subparsers(metavar="ACTION", required=True, dest="action")
    add_command(
        actions, "list", "limits", "list the tables of limits, and where their figures come from", "hil limits list"
    )
    example = "hil limits show iec62053_21_2003 --class 1 --ib 1 --imax 3 --un 230 --constant 3200"
    show = add_command(actions, "show", "limits", "lay a table of limits out for one meter", example)
    show.add_argument("table", metavar="TABLE", help="a file of tables, or one table of it: iec62053_21_2003.balanced")
    show.add_argument("--class", dest="accuracy_class", default="", metavar="C", help="accuracy class, e.g. 1, 0.5S, B")
    show.add_argument("--connection", choices=("direct", "ct"), default="", help="default: as the table has it")
    for name in ("Ib", "In", "Itr", "Imin", "Ist", "Imax"):
        option = f"--{name.lower()}"
        show.add_argument(option, dest=f"{option[2:]}_a", type=positive, metavar="A", help=f"{name}, in amperes")
    show.add_argument("--un", type=positive, metavar="V", help="reference voltage, in volts")
    show.add_argument("--constant", type=positive, metavar="K", help="meter constant, in pulses per kWh")
    show.add_argument("--elements", type=int, choices=(1, 2, 3), default=1, help="measuring elements (default: 1)")
