"""hil station: what is configured, does each instrument answer as itself, is the bench off; switch it off."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from hil.commands.tables import print_table
from hil.names import one_line, without_secrets
from hil.station.config import StationConfig, load_stations, pick_station

BENCH_FAULT = 3


def run(asked: argparse.Namespace) -> int:
    """List the stations, check one, or make one safe."""
    stations = load_stations(Path(asked.stations))
    if asked.action == "list":
        return _list(stations, as_json=asked.json)
    config = pick_station(stations, asked.name)
    return _look(config, asked.attach, switch_off=asked.action == "safe", as_json=asked.json)


def _list(stations: dict[str, StationConfig], *, as_json: bool) -> int:
    today = datetime.now(UTC).date()
    rows = [
        {
            "station": station.name,
            "role": role,
            "driver": one.driver,
            "resource": without_secrets(one.resource) or f"launched: {station.launch}",
            "serial": one.serial or "any",
            "calibration_due": one.calibration.due.isoformat() if one.calibration else "none",
            "calibration": one.calibration.status(today) if one.calibration else "",
        }
        for station in stations.values()
        for role, one in station.instruments.items()
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        print_table([name.replace("_", " ") for name in rows[0]], [list(row.values()) for row in rows])
    return 0


def _look(config: StationConfig, attach: str, *, switch_off: bool, as_json: bool) -> int:
    from hil.plans.calibration import CalibrationRules
    from hil.run.calibrations import troubles
    from hil.station.check import check_station

    checked = check_station(config, attach, switch_off=switch_off)
    ill = [one for one in checked.answers if one.error]
    on = [one.role for one in checked.answers if one.state == "ON"]
    bad = bool(ill) or ((bool(checked.was) or switch_off) and not checked.safe)
    if as_json:
        rows = [asdict(one) for one in checked.answers]
        print(
            json.dumps(
                {"station": config.name, "ok": not bad, "safe": checked.safe, "was": checked.was, "instruments": rows},
                indent=1,
            )
        )
        return BENCH_FAULT if bad else 0
    table = [[one.role, "bad" if one.error else "ok", one.state, one.error or one.identity] for one in checked.answers]
    print_table(("role", "", "state", "what it says"), table)
    print(f"{config.name}: " + (f"{len(ill)} of {len(table)} do not answer as themselves" if ill else "all answer"))
    for _, trouble in troubles(config, CalibrationRules(), datetime.now(UTC).date()):
        print(f"{config.name}: {one_line(trouble)}")
    if on:
        print(f"{config.name}: ON: {', '.join(on)}; switch off: hil station safe {config.name}")
    if checked.was:
        how = "every instrument reads back off: the bench is free again" if checked.safe else "it stays locked"
        print(f"{config.name} was not left in good order ({one_line(checked.was)}); {how}")
    return BENCH_FAULT if bad else 0
