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
    done, mistakes = dict(stations), []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in stations:
            mistakes.append(Mistake(str(path), 1, "", "there is no such station", did_you_mean(path.name, stations)))
        elif path.is_dir():
            instruments, wrong = _of_station(path, stations[path.name].instruments)
            done[path.name] = replace(stations[path.name], instruments=instruments)
            mistakes += wrong
    return done, mistakes


def _of_station(
    folder: Path, instruments: Mapping[str, InstrumentConfig]
) -> tuple[dict[str, InstrumentConfig], list[Mistake]]:
    done, mistakes = dict(instruments), []
    for path in sorted(folder.iterdir()):
        if path.suffix not in KINDS or path.name.startswith("."):
            continue
        file, role = str(path), path.stem
        if role not in instruments:
            hint = did_you_mean(role, instruments)
            mistakes.append(Mistake(file, 1, "", f"the station has no {role!r}", hint))
        elif instruments[role].calibration is not None:
            what = f"stations.toml has a calibration of {role} too"
            mistakes.append(Mistake(file, 1, "", what, "keep this file, and remove `calibration` there"))
        elif path.suffix == ".xml" and path.with_suffix(".toml").exists():
            mistakes.append(Mistake(file, 1, "", f"{role}.toml stands beside it", "keep one of the two"))
        else:
            certificate, wrong = _read(path, instruments[role])
            done[role] = replace(instruments[role], calibration=certificate)
            mistakes += wrong
    return done, mistakes


def _read(path: Path, instrument: InstrumentConfig) -> tuple[Certificate | None, list[Mistake]]:
    file = str(path)
    try:
        data = path.read_bytes()
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
