"""Let each instrument of a station say who it is, one after another, so that one that is ill hides no other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hil.errors import HilError
from hil.station import launch
from hil.station.config import InstrumentConfig, StationConfig
from hil.station.station import open_station, simulate

# the unit that a launched station holds, since it must hold one
SERIAL, BOARD, REVISION = "SP-000000", "smart-power", "A"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered for a role, or why nobody did."""

    role: str
    driver: str
    identity: str
    error: str


def check_station(config: StationConfig) -> list[Answer]:
    """Open, identify and close each instrument. Nothing is switched on or off."""
    simulated = simulate(config, serial=SERIAL, board=BOARD, revision=REVISION)
    if simulated is None:
        return [_answer(config, one, "") for one in config.instruments.values()]
    try:
        return [_answer(config, one, str(simulated.addresses["control"])) for one in config.instruments.values()]
    finally:
        simulated.close()


def _answer(config: StationConfig, one: InstrumentConfig, attach: str) -> Answer:
    alone = replace(config, instruments={one.role: one})
    try:
        station = open_station(alone, launch.join(attach) if attach else None)
    except HilError as error:
        return Answer(one.role, one.driver, "", str(error))
    try:
        return Answer(one.role, one.driver, station.opened[0].identity, "")
    finally:
        station.close()
