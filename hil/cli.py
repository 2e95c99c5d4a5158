"""`hil`: what a person types. Each command is a module in hil/commands, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import hil
from hil.errors import Blame, HilError
from hil.names import one_line, printable

EXIT_CODES = {Blame.UNIT: 1, Blame.BENCH: 3, Blame.SETUP: 4}
INTERRUPTED, SETUP_FAULT = 2, 4
EXIT_HELP = """exit codes: 0 the unit passed, 1 it failed, 2 interrupted,
            3 the bench is at fault (test the unit again),
            4 the set-up or the command line is wrong, 5 nothing was tested"""

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        command = importlib.import_module(f"hil.commands.{asked.module}")
        exit_code: int = command.run(asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain(asked, "interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except HilError as error:
        return _complain(asked, str(error), EXIT_CODES[error.blame])
    except ModuleNotFoundError as error:
        return _complain(asked, f"the package {error.name} is not installed; run 'hil doctor'", SETUP_FAULT)
    except Exception as error:  # noqa: BLE001 - the last stop: a person gets one line, --debug the rest
        what = f"this should not have happened: {type(error).__name__}: {error}"
        return _complain(asked, f"{what}; show a maintainer what --debug prints", SETUP_FAULT)
    return exit_code


def _complain(asked: argparse.Namespace, what: str, exit_code: int) -> int:
    """Print an error as a person wants it, or as it is with --debug."""
    if asked.debug and not isinstance(sys.exception(), KeyboardInterrupt):
        raise  # noqa: PLE0704 - called while an exception is handled
    print(f"hil: {printable(what)}", file=sys.stderr)
    return exit_code


class _Parser(argparse.ArgumentParser):
    """argparse, with exit code 4 for a wrong command line: 2 means interrupted."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **fields)

    def error(self, message: str) -> NoReturn:
        choice = re.search(r"invalid choice: '?(?P<word>.*?)'? \(choose from (?P<known>.*)\)", message)
        if choice:
            from hil.station.suggest import did_you_mean

            hint = did_you_mean(choice["word"], re.findall(r"[\w-]+", choice["known"]))
            message = f"{choice['word']!r} means nothing here; {hint}"
        message = re.sub(r"invalid int value: (.*)", r"\1 is no whole number", message)
        message = re.sub(r"invalid float value: (.*)", r"\1 is no number; write it with a decimal point", message)
        self.exit(SETUP_FAULT, f"{self.prog}: {one_line(message)}; see '{self.prog} --help'\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hil",
        description=hil.__doc__,
        epilog=f"example: hil certify SP-000123\n\n{EXIT_HELP}",
    )
    parser.add_argument("--version", action="version", version=f"hil {hil.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    _add_certify(commands)
    _add_records(commands)
    _add_station(commands)
    _add_limits(commands)
    _add_statistics(commands)
    _add_sim(commands)
    _add_doctor(commands)
    return parser


def _add(
    commands: Any, name: str, module: str, what: str, example: str, *, json: bool = True
) -> argparse.ArgumentParser:
    """Add a command with what every command has."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"example: {example}"
    )
    command.add_argument("--debug", action="store_true", help="print the traceback of an error")
    if json:
        command.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
    command.set_defaults(module=module)
    return command


def _add_certify(commands: Any) -> None:
    what = "test one unit and leave its certificate"
    example = 'hil certify SP-000123 --stage production --operator "A. Person"'
    certify = _add(commands, "certify", "certify", what, f"{example}\n\n{EXIT_HELP}")
    certify.add_argument("serial", metavar="SERIAL", help="serial number of the unit, e.g. SP-000123")
    certify.add_argument("--stage", choices=("production", "release", "type"), default="production", help="how deep")
    certify.add_argument("--station", default="sim", metavar="NAME", help="a station of stations.toml (default: sim)")
    certify.add_argument("--operator", default="", metavar="NAME", help="who tests, and arms high voltage")
    _add_unit(certify)
    certify.add_argument(
        "--sync",
        choices=("test", "measurement"),
        default="test",
        help="write the record through to the disk at the end of each test (default), or at each measurement",
    )
    certify.add_argument(
        "--monte-carlo", action="store_true", help="check every uncertainty by Monte Carlo as well (JCGM 101)"
    )
    certify.add_argument("--attach", default="", metavar="HOST:PORT", help="a simulated station that is open already")
    _add_stations(certify)
    _add_runs(certify)


def _add_records(commands: Any) -> None:
    report = _add(
        commands, "report", "report", "make the reports of a run again, from its journal", "hil report SP-000123"
    )
    verify = _add(
        commands, "verify", "verify", "say whether the record of a run is whole and unaltered", "hil verify SP-000123"
    )
    for command in (report, verify):
        command.add_argument("run", metavar="RUN", help="a run's folder or id, or a serial number for its newest run")
        _add_runs(command)
    runs = _add(commands, "runs", "runs", "list what has been run, and how it ended", "hil runs SP-000123 --last 5")
    runs.add_argument("serial", metavar="SERIAL", nargs="?", default="", help="only the runs of this unit")
    runs.add_argument("--last", type=_count, default=0, metavar="N", help="only the newest N")
    _add_runs(runs)


def _add_station(commands: Any) -> None:
    station = commands.add_parser(
        "station",
        help="list the stations, let their instruments identify themselves, or make one safe",
        epilog="example: hil station list",
    )
    actions = station.add_subparsers(metavar="ACTION", required=True, dest="action")
    listing = _add(actions, "list", "station", "list the stations of stations.toml", "hil station list")
    check = _add(
        actions, "check", "station", "let each instrument of a station say who it is", "hil station check bench-1"
    )
    what = "switch a station off in the order of its safe state, and read it back"
    safe = _add(actions, "safe", "station", what, "hil station safe bench-1")
    for command in (check, safe):
        command.add_argument("name", metavar="NAME", nargs="?", default="sim", help="the station (default: sim)")
        command.add_argument(
            "--attach", default="", metavar="HOST:PORT", help="a simulated station that is open already"
        )
    what = "write the calibration of an instrument from its Digital Calibration Certificate"
    example = "hil station import-dcc certificate.xml --station bench-1 --role PowerMeter"
    importing = _add(actions, "import-dcc", "calibration", what, example, json=False)
    importing.add_argument("file", metavar="FILE", help="the certificate, XML (PTB DCC 3.x)")
    importing.add_argument("--station", required=True, metavar="NAME", help="the station")
    importing.add_argument(
        "--role", required=True, metavar="ROLE", help="what the instrument is there: PowerMeter, Dmm"
    )
    importing.add_argument("--due", default="", metavar="DATE", help="when it is due (default: as its maker specifies)")
    importing.add_argument(
        "--schema", default="", metavar="PATH", help="PTB's own dcc.xsd, or its folder (default: hil's subset alone)"
    )
    for command in (listing, check, safe, importing):
        _add_stations(command)


def _add_limits(commands: Any) -> None:
    limits = commands.add_parser(
        "limits",
        help="show the limits of a standard for one meter, or list the tables",
        epilog="example: hil limits list",
    )
    actions = limits.add_subparsers(metavar="ACTION", required=True, dest="action")
    _add(actions, "list", "limits", "list the tables of limits, and where their figures come from", "hil limits list")
    example = "hil limits show iec62053_21_2003 --class 1 --ib 1 --imax 3 --un 230 --constant 3200"
    show = _add(actions, "show", "limits", "lay a table of limits out for one meter", example)
    show.add_argument("table", metavar="TABLE", help="a file of tables, or one table of it: iec62053_21_2003.balanced")
    show.add_argument("--class", dest="accuracy_class", default="", metavar="C", help="accuracy class, e.g. 1, 0.5S, B")
    show.add_argument("--connection", choices=("direct", "ct"), default="", help="default: as the table has it")
    for name in ("Ib", "In", "Itr", "Imin", "Ist", "Imax"):
        option = f"--{name.lower()}"
        show.add_argument(option, dest=f"{option[2:]}_a", type=_positive, metavar="A", help=f"{name}, in amperes")
    show.add_argument("--un", type=_positive, metavar="V", help="reference voltage, in volts")
    show.add_argument("--constant", type=_positive, metavar="K", help="meter constant, in pulses per kWh")
    show.add_argument("--elements", type=int, choices=(1, 2, 3), default=1, help="measuring elements (default: 1)")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 up")
    return int(text)


def _add_statistics(commands: Any) -> None:
    stats = commands.add_parser(
        "stats",
        help="Gauge R&R or capability of a table that you have",
        epilog="example: hil stats cpk power.csv --column error_pct --lsl -1 --usl 1",
    )
    kinds = stats.add_subparsers(metavar="STATISTIC", required=True, dest="statistic")
    what = "say whether a measurement is good enough to tell units apart (Gauge R&R)"
    grr = _add(kinds, "grr", "stats", what, _GRR_HELP)
    grr.add_argument("--tolerance", type=float, metavar="T", help="distance between the limits, for %% of tolerance")
    grr.add_argument("--method", choices=("anova", "range"), default="anova", help="default: anova")
    grr.add_argument("--part", default="", metavar="COLUMN", help="column of the parts, where it is not found")
    grr.add_argument("--factor", default="", metavar="COLUMN", help="column of operators, stations or fixtures")
    grr.add_argument("--value", default="", metavar="COLUMN", help="column of the values, where it is not found")
    cpk = _add(kinds, "cpk", "stats", "say whether units fit between their limits (Cp, Cpk, Pp, Ppk)", _CPK_HELP)
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


def _add_sim(commands: Any) -> None:
    what = "keep the simulated station open, in real time, for other tools"
    sim = _add(commands, "sim", "sim", what, "hil sim --serial SP-000123 --fault k2-set-open")
    sim.add_argument("--serial", default="SP-000123", metavar="SN", help="the unit on the fixture (default: SP-000123)")
    _add_unit(sim)
    sim.add_argument("--bench-time", action="store_true", help="let time stand still until the control socket moves it")
    sim.add_argument("--list-faults", action="store_true", help="list the faults there are, and where each one sits")


def _add_doctor(commands: Any) -> None:
    what = "say what is missing on this computer, with the line that mends it"
    doctor = _add(commands, "doctor", "doctor", what, "hil doctor --station bench-1")
    doctor.add_argument("--station", default="", metavar="NAME", help="also ask whether its instruments answer")
    _add_stations(doctor)
    _add_runs(doctor)


def _add_unit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--board", default="smart-power", metavar="B", help="type of board (default: smart-power)")
    command.add_argument("--revision", default="A", metavar="R", help="revision of the board (default: A)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the simulated noise (default: 0)")
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="F",
        help="of the simulated unit; repeatable (hil sim --list-faults)",
    )


def _add_stations(command: argparse.ArgumentParser) -> None:
    command.add_argument("--stations", default="stations.toml", metavar="FILE", help="default: stations.toml")


def _add_runs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--runs", default="runs", metavar="DIR", help="where the records are (default: runs)")


if __name__ == "__main__":
    sys.exit(main())
