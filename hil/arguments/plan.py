"""hil plan: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_stations

_RELEASE_HELP = """hil plan release smart-power --revision A --by "A. Person" --note "limits agreed"

A release names by digest what decides a verdict: the plan, the tables of limits
and of accuracy, the board's tests, the code that measures and judges, and the
tables of the stations. A run from anything else says NOT RELEASED across its
certificate, and shows the difference. It is kept in releases/ beside
stations.toml, and the one before it in releases/archive/."""
_DIFF_HELP = """hil plan diff smart-power --station bench-1

exit codes: 0 as released, 1 not released or different,
            4 the set-up or the command line is wrong"""


def add(commands: Any) -> None:
    """Add the arguments."""
    plan = commands.add_parser(
        "plan",
        help="check a plan, release it, or say what is different from its release",
        epilog="example: hil plan check smart-power",
    )
    actions = plan.add_subparsers(metavar="ACTION", required=True, dest="action")
    what = "find requirements without evidence, tests without requirement, and waivers of nothing"
    check = add_command(actions, "check", "plan", what, "hil plan check smart-power")
    release = add_command(
        actions, "release", "plan", "release a plan: certificates are made from nothing else", _RELEASE_HELP
    )
    release.add_argument("--by", required=True, metavar="NAME", help="who releases it")
    release.add_argument("--note", default="", metavar="TEXT", help="what was decided, for who reads it later")
    diff = add_command(actions, "diff", "plan", "say what is different now from the release of a plan", _DIFF_HELP)
    diff.add_argument("--station", default="", metavar="NAME", help="only this station's table (default: all)")
    show = add_command(
        actions, "show", "plan", "list what a plan requires, and whether it is released", "hil plan show smart-power"
    )
    for command in (check, release, diff, show):
        command.add_argument("board", metavar="BOARD", nargs="?", default="smart-power", help="default: smart-power")
    for command in (release, diff, show):
        command.add_argument("--revision", default="A", metavar="R", help="revision of the board (default: A)")
        add_stations(command)
