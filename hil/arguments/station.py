"""hil station: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_stations


def add(commands: Any) -> None:
    """Add the arguments."""
    station = commands.add_parser(
        "station",
        help="list the stations, let their instruments identify themselves, or make one safe",
        epilog="example: hil station list",
    )
    actions = station.add_subparsers(metavar="ACTION", required=True, dest="action")
    listing = add_command(actions, "list", "station", "list the stations of stations.toml", "hil station list")
    check = add_command(
        actions, "check", "station", "let each instrument of a station say who it is", "hil station check bench-1"
    )
    what = "switch a station off in the order of its safe state, and read it back"
    safe = add_command(actions, "safe", "station", what, "hil station safe bench-1")
    for command in (check, safe):
        command.add_argument("name", metavar="NAME", nargs="?", default="sim", help="the station (default: sim)")
        command.add_argument(
            "--attach", default="", metavar="HOST:PORT", help="a simulated station that is open already"
        )
    what = "write the calibration of an instrument from its Digital Calibration Certificate"
    example = "hil station import-dcc certificate.xml --station bench-1 --role PowerMeter"
    importing = add_command(actions, "import-dcc", "calibration", what, example, json=False)
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
        add_stations(command)
