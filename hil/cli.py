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
from hil.arguments import (
    certify,
    doctor,
    evidence,
    export,
    keys,
    limits,
    plan,
    records,
    review,
    sim,
    station,
    statistics,
    trace,
)
from hil.arguments.common import EXIT_HELP
from hil.errors import Blame, HilError
from hil.names import one_line, printable

EXIT_CODES = {Blame.UNIT: 1, Blame.BENCH: 3, Blame.SETUP: 4}
INTERRUPTED, SETUP_FAULT = 2, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    exit_code: int = 0
    try:
        command = importlib.import_module(f"hil.commands.{asked.module}")
        exit_code = command.run(asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain(asked, "interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return exit_code  # what was found is as true when only its first lines were read
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
    for group in (
        certify,
        records,
        keys,
        export,
        evidence,
        trace,
        plan,
        review,
        station,
        limits,
        statistics,
        sim,
        doctor,
    ):
        group.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
