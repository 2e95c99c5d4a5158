"""hil stats: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command

_GRR_HELP = """hil stats grr study.csv --lsl -1 --usl 1

study.csv, one reading a line:        or trials in columns:       or parts in columns:
    part;station;trial;value              part,operator,1,2,3         trial,1,2,3
    SP-1;east;1;0,29                      1,Ana,0.29,0.41,0.64        A1,0.29,-0.56,1.34
    SP-1;east;2;0,41                      2,Ana,-0.56,-0.68,-0.58     A2,0.41,-0.68,1.17

operator, station or fixture: the same thing here. Without such a column only
repeatability is studied.
exit codes: 0 acceptable or marginal, 1 unacceptable,
            4 the file or the command line is wrong"""
_CPK_HELP = """hil stats cpk power.csv --column error_pct --lsl -1 --usl 1

power.csv, units in the order they were made:
    serial,batch,error_pct
    SP-1,1,0.12
    SP-2,1,-0.05

exit codes: 0 the lower confidence limit of Ppk reaches --minimum, 1 not,
            4 the file or the command line is wrong"""


def add(commands: Any) -> None:
    """Add the arguments."""
    stats = commands.add_parser(
        "stats",
        help="Gauge R&R or capability of a table that you have",
        epilog="example: hil stats cpk power.csv --column error_pct --lsl -1 --usl 1",
    )
    kinds = stats.add_subparsers(metavar="STATISTIC", required=True, dest="statistic")
    what = "say whether a measurement is good enough to tell units apart (Gauge R&R)"
    grr = add_command(kinds, "grr", "stats", what, _GRR_HELP)
    grr.add_argument("--tolerance", type=float, metavar="T", help="distance between the limits, for %% of tolerance")
    grr.add_argument("--method", choices=("anova", "range"), default="anova", help="default: anova")
    grr.add_argument("--part", default="", metavar="COLUMN", help="column of the parts, where it is not found")
    grr.add_argument("--factor", default="", metavar="COLUMN", help="column of operators, stations or fixtures")
    grr.add_argument("--value", default="", metavar="COLUMN", help="column of the values, where it is not found")
    cpk = add_command(kinds, "cpk", "stats", "say whether units fit between their limits (Cp, Cpk, Pp, Ppk)", _CPK_HELP)
    cpk.add_argument("--column", default="", metavar="COLUMN", help="column of the values, where there are several")
    cpk.add_argument("--subgroup", default="", metavar="COLUMN", help="column of batches, for sigma within them")
    cpk.add_argument("--target", type=float, metavar="X", help="the value wanted, for Cpm")
    cpk.add_argument("--minimum", type=float, default=1.33, metavar="PPK", help="Ppk to be shown (default: 1.33)")
    for command, confidence in ((grr, 0.90), (cpk, 0.95)):
        command.add_argument("file", metavar="FILE", help="CSV: comma, semicolon or tab; decimal point or comma")
        command.add_argument("--lsl", type=float, metavar="X", help="lower limit")
        command.add_argument("--usl", type=float, metavar="X", help="upper limit")
        command.add_argument(
            "--confidence", type=float, default=confidence, metavar="C", help=f"of the limits (default: {confidence:g})"
        )
