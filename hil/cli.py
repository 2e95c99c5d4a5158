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
EXIT_HELP = """exit codes: 0 the unit passed, 1 it failed, 2 interrupted, 3 the bench is at fault (test the unit again),
            4 the set-up or the command line is wrong, 5 nothing was tested"""


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
        choice = re.search(r"invalid choice: '(?P<word>.*)' \(choose from (?P<known>.*)\)", message)
        if choice:
            from hil.station.suggest import did_you_mean

            hint = did_you_mean(choice["word"], re.findall(r"[\w-]+", choice["known"]))
            message = f"{choice['word']!r} means nothing here; {hint}"
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
    example = 'hil certify SP-000123 --station sim --stage production --operator "A. Person"'
    certify = _add(commands, "certify", "certify", what, f"{example}\n\n{EXIT_HELP}")
    certify.add_argument("serial", metavar="SERIAL", help="serial number of the unit, e.g. SP-000123")
    certify.add_argument("--stage", choices=("production", "release", "type"), default="production", help="how deep")
    certify.add_argument("--station", default="sim", metavar="NAME", help="a station of stations.toml (default: sim)")
    certify.add_argument("--operator", default="", metavar="NAME", help="who tests; printed on the certificate")
    _add_unit(certify)
    certify.add_argument(
        "--sync",
        choices=("test", "measurement"),
        default="test",
        help="write the record through to the disk at the end of each test (default), or at each measurement",
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
    runs.add_argument("--last", type=int, default=0, metavar="N", help="only the newest N")
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
    for command in (listing, check, safe):
        _add_stations(command)


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
