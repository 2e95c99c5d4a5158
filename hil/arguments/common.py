"""What the commands' arguments have in common."""

from __future__ import annotations

import argparse
from typing import Any

EXIT_HELP = """exit codes: 0 the unit passed, 1 it failed, 2 interrupted,
            3 the bench is at fault (test the unit again),
            4 the set-up or the command line is wrong, 5 nothing was tested"""


def add_command(
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


def positive(text: str) -> float:
    """Read a number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero")
    return value


def count(text: str) -> int:
    """Read a whole number from 0 up."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 up")
    return int(text)


def add_unit(command: argparse.ArgumentParser) -> None:
    """Add what says which unit it is, and what the simulated one is like."""
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


def add_stations(command: argparse.ArgumentParser) -> None:
    """Add where the stations are described."""
    command.add_argument("--stations", default="stations.toml", metavar="FILE", help="default: stations.toml")


def add_runs(command: argparse.ArgumentParser) -> None:
    """Add where the records are."""
    command.add_argument("--runs", default="runs", metavar="DIR", help="where the records are (default: runs)")


def add_edition(command: argparse.ArgumentParser) -> None:
    """Add how certificates are made: language, letterhead, key."""
    group = command.add_argument_group("the certificate")
    group.add_argument("--lang", default="en", metavar="CODE", help="its language: en or de (default: en)")
    group.add_argument("--template", default="", metavar="DIR", help="the laboratory's letterhead, logo and templates")
    group.add_argument(
        "--key", default="", metavar="KEY", help="signs it: a file, or a pkcs11: URI (default: the station's)"
    )
    group.add_argument(
        "--passphrase-file", default="", metavar="FILE", help="of the key (default: HIL_PASSPHRASE, or it is asked for)"
    )
    group.add_argument("--no-pdf", action="store_true", help="leave certificate.pdf out")
