"""The calibrations of each station's instruments: `calibrations/<station>/<Role>.toml`, or `.xml`, a PTB DCC.

The folder stands beside stations.toml. Other files in it (a scanned certificate) are nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hil.errors import SetupError
from hil.metrology.calibration import Certificate
from hil.station.config import InstrumentConfig, Mistake, StationConfig
from hil.station.suggest import did_you_mean

KINDS = (".toml", ".xml")
MOST_BYTES = 16_000_000  # of one file; a DCC may hold pictures
# whose readings stand on a certificate
MEASURING = (
    "PowerMeter",
    "Scope",
    "DcSupply",
    "Dmm",
    "ProgrammableResistor",
    "SurgeGenerator",
    "HipotTester",
)


def with_calibrations(
    stations: Mapping[str, StationConfig], folder: Path
) -> tuple[dict[str, StationConfig], list[Mistake]]:
    """Return the stations with the calibrations of the folder, and every mistake in it, file after file."""
    done = dict(stations)
    paths, mistakes = _inside(folder)
    for path in paths:
        if path.is_dir() and path.name not in stations:
            mistakes.append(Mistake(str(path), 1, "", "there is no such station", did_you_mean(path.name, stations)))
        elif path.is_dir():
            instruments, wrong = _of_station(path, stations[path.name].instruments)
            done[path.name] = replace(stations[path.name], instruments=instruments)
            mistakes += wrong
    return done, mistakes


def file_of(folder: Path, station: str, role: str) -> Path | None:
    """Return the file that holds the calibration of a station's instrument, or None where stations.toml has it."""
    paths = (folder / station / f"{role}{kind}" for kind in KINDS)
    return next((path for path in paths if path.is_file()), None)


def _of_station(
    folder: Path, instruments: Mapping[str, InstrumentConfig]
) -> tuple[dict[str, InstrumentConfig], list[Mistake]]:
    done = dict(instruments)
    paths, mistakes = _inside(folder)
    for path in paths:
        if path.suffix.lower() not in KINDS:
            continue
        file, role = str(path), path.stem
        if role not in instruments:
            hint = did_you_mean(role, instruments)
            mistakes.append(Mistake(file, 1, "", f"the station has no {role!r}", hint))
        elif instruments[role].calibration is not None:
            what = f"stations.toml has a calibration of {role} too"
            mistakes.append(Mistake(file, 1, "", what, "keep this file, and remove `calibration` there"))
        elif path.suffix not in KINDS:
            mistakes.append(Mistake(file, 1, "", "nobody reads it", f"name it {role}{path.suffix.lower()}"))
        elif path.suffix == ".xml" and path.with_suffix(".toml").exists():
            mistakes.append(Mistake(file, 1, "", f"{role}.toml stands beside it", "keep one of the two"))
        else:
            certificate, wrong = _read(path, instruments[role])
            done[role] = replace(instruments[role], calibration=certificate)
            mistakes += wrong
    return done, mistakes


def _inside(folder: Path) -> tuple[list[Path], list[Mistake]]:
    """Return what lies in a folder, hidden names left out, or why nobody can tell."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".")), []
    except OSError as error:
        return [], [Mistake(str(folder), 1, "", f"it cannot be read: {error.strerror}")]


def _bytes(path: Path) -> bytes:
    """Return what a file holds; raises SetupError for what is no file, or would fill the memory."""
    if not path.is_file():  # a pipe or a device would keep us for ever
        raise SetupError("this is no regular file, or a link to nothing", "put the certificate itself here")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SetupError(f"it is larger than {MOST_BYTES // 1_000_000} MB", "no calibration is that large")
    return data


def _read(path: Path, instrument: InstrumentConfig) -> tuple[Certificate | None, list[Mistake]]:
    file = str(path)
    try:
        data = _bytes(path)
        if path.suffix == ".xml":
            from hil.station.dcc import certificate_of

            return certificate_of(data, driver=instrument.driver, serial=instrument.serial), []
        from hil.station.calibration_file import check

        return check(data.decode("utf-8"), file, instrument.driver, instrument.serial)
    except OSError as error:
        what = f"it cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        what = "this is not UTF-8 text"
    except SetupError as error:
        what = str(error)
    return None, [Mistake(file, 1, "", what)]


def check_calibrated(instrument: InstrumentConfig, serial: str) -> None:
    """Raise SetupError where the calibration is that of another instrument than the one that answers.

    An instrument that names no serial number of its own, such as the TRA3000, cannot be told from another.
    """
    calibration = instrument.calibration
    if calibration is not None and calibration.serial and serial and calibration.serial != serial:
        raise SetupError(
            f"{instrument.role}: calibration {calibration.certificate} is of serial {calibration.serial}, "
            f"but serial {serial} answers",
            "bring the calibration of this instrument, or the instrument of this calibration",
        )
