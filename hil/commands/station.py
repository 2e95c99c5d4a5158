"""hil station: what is configured, and does each instrument answer as itself?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hil.commands.tables import print_table
from hil.station.config import StationConfig, load_stations, pick_station

BENCH_FAULT = 3


def run(asked: argparse.Namespace) -> int:
    """List the stations, or check one."""
    stations = load_stations(Path(asked.stations))
    if asked.action == "list":
        return _list(stations, as_json=asked.json)
    return _check(pick_station(stations, asked.name), as_json=asked.json)


def _list(stations: dict[str, StationConfig], *, as_json: bool) -> int:
    rows = [
        {
            "station": station.name,
            "role": role,
            "driver": one.driver,
            "resource": one.resource or f"launched: {station.launch}",
            "serial": one.serial or "any",
            "calibration_due": one.calibration.due.isoformat() if one.calibration else "none",
        }
        for station in stations.values()
        for role, one in station.instruments.items()
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        print_table([name.replace("_", " ") for name in rows[0]], [list(row.values()) for row in rows])
    return 0


def _check(config: StationConfig, *, as_json: bool) -> int:
    from hil.station.check import check_station

    answers = check_station(config)
    ill = [one for one in answers if one.error]
    if as_json:
        rows = [{"role": o.role, "driver": o.driver, "identity": o.identity, "error": o.error} for o in answers]
        print(json.dumps({"station": config.name, "ok": not ill, "instruments": rows}, indent=1))
    else:
        rows_ = [[one.role, "bad" if one.error else "ok", one.error or one.identity] for one in answers]
        print_table(("role", "", "what it says"), rows_)
        print(
            f"{config.name}: " + (f"{len(ill)} of {len(answers)} do not answer as themselves" if ill else "all answer")
        )
    return BENCH_FAULT if ill else 0
