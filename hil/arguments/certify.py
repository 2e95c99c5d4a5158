"""hil certify: what a person may type behind it."""

from __future__ import annotations

import argparse
from typing import Any

from hil.arguments.common import EXIT_HELP, add_command, add_edition, add_runs, add_stations, add_unit


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "test one unit and leave its certificate"
    example = 'hil certify SP-000123 --stage production --operator "A. Person"'
    certify = add_command(commands, "certify", "certify", what, f"{example}\n\n{EXIT_HELP}")
    certify.add_argument("serial", metavar="SERIAL", help="serial number of the unit, e.g. SP-000123")
    certify.add_argument("--stage", choices=("production", "release", "type"), default="production", help="how deep")
    certify.add_argument("--station", default="sim", metavar="NAME", help="a station of stations.toml (default: sim)")
    certify.add_argument("--operator", default="", metavar="NAME", help="who tests, and arms high voltage")
    add_unit(certify)
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
    add_stations(certify)
    add_runs(certify)
    _add_order(certify)
    add_edition(certify)


def _add_order(certify: argparse.ArgumentParser) -> None:
    group = certify.add_argument_group("the order, for the certificate")
    group.add_argument("--customer", default="", metavar="TEXT", help="for whom the unit is tested: name and address")
    group.add_argument("--contact", default="", metavar="TEXT", help="how to reach the customer")
    group.add_argument("--order", default="", metavar="NUMBER", help="its number")
    group.add_argument("--received", default="", metavar="DATE", help="when the unit came, e.g. 2026-11-21")
    group.add_argument("--condition", default="", metavar="TEXT", help="in which condition it came")
