"""hil station import-dcc: turn a Digital Calibration Certificate into the TOML form that people can read."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from hil.errors import SetupError
from hil.names import one_line
from hil.station.config import CALIBRATIONS, find_stations_file, load_stations, pick_station


def run(asked: argparse.Namespace) -> int:
    """Write calibrations/STATION/ROLE.toml from an XML file; say what of it could not be used."""
    from hil.station.calibration_file import to_toml
    from hil.station.dcc import certificate_of
    from hil.station.suggest import did_you_mean

    stations_file = find_stations_file(Path(asked.stations))
    config = pick_station(load_stations(stations_file), asked.station)
    if asked.role not in config.instruments:
        raise SetupError(f"{config.name} has no {asked.role!r}", did_you_mean(asked.role, config.instruments))
    instrument = config.instruments[asked.role]
    if instrument.calibration is not None:
        what = f"{config.name} has a calibration of {asked.role}: {instrument.calibration.certificate}"
        ending = {"toml": "toml", "dcc": "xml"}.get(instrument.calibration.source)
        where = f"{CALIBRATIONS}/{config.name}/{asked.role}.{ending}" if ending else stations_file.name
        raise SetupError(what, f"take it away first, from {where}")
    source = Path(asked.file)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise SetupError(f"{one_line(asked.file)} cannot be read: {error.strerror}", "name the XML file") from error
    certificate = certificate_of(
        data,
        driver=instrument.driver,
        serial=instrument.serial,
        due=_date(asked.due),
        schema=Path(asked.schema) if asked.schema else None,
    )
    comments = (f"imported from {source.name}, SHA-256 {certificate.sha256}", *certificate.notes)
    target = stations_file.parent / CALIBRATIONS / config.name / f"{asked.role}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(to_toml(certificate, comments), encoding="utf-8")
    points = sum(len(table.points) for table in certificate.tables)
    print(
        f"{target}: {certificate.certificate}, {len(certificate.tables)} tables, {points} points, due {certificate.due}"
    )
    for note in certificate.notes:
        print(f"  {one_line(note)}")
    return 0


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise SetupError(f"{text!r} is no date", "write it as 2027-03-31") from error
