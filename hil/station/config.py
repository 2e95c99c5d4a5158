"""stations.toml, parsed once into frozen classes. Every mistake in it is reported in one go; nothing is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError
from hil.instruments.probe import Probe
from hil.metrology.calibration import Certificate
from hil.names import one_line

if TYPE_CHECKING:
    from hil.station.signing_table import SigningConfig

FILE_NAME = "stations.toml"
CALIBRATIONS = "calibrations"  # the folder beside it


@dataclass(frozen=True, slots=True)
class InstrumentConfig:
    """One instrument of a station. An empty resource means that the launched station says where it is."""

    role: str
    driver: str  # a module in hil/instruments
    resource: str = ""
    serial: str = ""  # the serial number that must answer; empty: any
    calibration: Certificate | None = None


@dataclass(frozen=True, slots=True)
class StationConfig:
    """One bench, as stations.toml describes it."""

    name: str
    launch: str  # the module that is the simulated station, or empty for a real bench
    slots: int
    unit_http: str  # where the unit serves RPC over HTTP by Wi-Fi; empty: the launched station says
    unit_ethernet: str  # the same over its wired port, on boards that have a MAC; empty: none, or it says
    unit_echo: str  # host:port of the unit's echo service on the wired port, for throughput and loss; empty likewise
    isolators: tuple[str, ...]  # fitted and declared (DR-20)
    safe_state: tuple[str, ...]  # roles, in the order in which they are made safe
    laboratory: Mapping[str, str]
    instruments: Mapping[str, InstrumentConfig]  # by role
    wiring: Mapping[str, int]  # switch channels by named point
    probes: Mapping[str, Probe]  # what stands between a point and the oscilloscope for good
    operator: str = ""  # who answers for a run in which --operator names nobody
    signing: SigningConfig | None = None  # keys of its own; None: what it records is not signed


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in stations.toml or a calibration, at a line, about a key."""

    file: str
    line: int
    key: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return one_line(f"{self.file}:{self.line}: {key}{self.what}" + (f"; {self.hint}" if self.hint else ""))


class StationsInvalid(SetupError):
    """stations.toml, or a calibration beside it, has mistakes; all of them are listed, one a line."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.args = (mistakes,)
        self.mistakes = mistakes


def find_stations_file(path: Path = Path(FILE_NAME)) -> Path:
    """Return path; where the plain default name is not in this folder, the one of the checkout hil runs from."""
    of_checkout = Path(__file__).resolve().parents[2] / FILE_NAME
    if path == Path(FILE_NAME) and not path.exists() and of_checkout.exists():
        return of_checkout
    return path


def load_stations(path: Path = Path(FILE_NAME)) -> dict[str, StationConfig]:
    """Return the stations by name, with their calibrations; raises StationsInvalid, or SetupError for no such file."""
    from hil.station.stations_file import check

    file = find_stations_file(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"{one_line(str(file))} cannot be read: {error.strerror}", "name the file with --stations"
        ) from error
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise StationsInvalid((Mistake(str(file), line, "", "this is not UTF-8 text", "save it as UTF-8"),)) from error
    stations, mistakes = check(text, str(file))
    folder = file.parent / CALIBRATIONS
    if not mistakes and folder.is_dir():
        from hil.station.calibrations import with_calibrations

        stations, mistakes = with_calibrations(stations, folder)
    if mistakes:
        raise StationsInvalid(tuple(mistakes))
    return stations


def pick_station(stations: Mapping[str, StationConfig], name: str) -> StationConfig:
    """Return the station of that name; raises SetupError that names the closest one."""
    from hil.station.suggest import did_you_mean

    if name not in stations:
        raise SetupError(f"there is no station {name!r}", did_you_mean(name, stations))
    return stations[name]
