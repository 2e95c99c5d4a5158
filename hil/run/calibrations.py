"""The calibrations of a run's instruments, on its day: what the plan refuses, what the record says of them."""

from __future__ import annotations

import calendar
import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.instruments.accuracy import load
from hil.metrology.calibration import Certificate
from hil.plans.calibration import CalibrationRules
from hil.station.calibrations import MEASURING, file_of
from hil.station.config import InstrumentConfig, StationConfig


class NotTraceable(SetupError):
    """Calibrations are overdue or missing, and the plan does not measure without them at this stage."""


def check(config: StationConfig, rules: CalibrationRules, stage: str, today: datetime.date) -> None:
    """Raise NotTraceable, with every instrument, where the plan refuses this stage on this day.

    A calibration dated after that day is refused at every stage: the bench's clock is wrong, or the certificate's date,
    and with a wrong clock no calibration is ever overdue.
    """
    calibrated = [(role, one.calibration) for role, one in config.instruments.items() if one.calibration is not None]
    if early := [f"{one.certificate} of {role}, {one.date}" for role, one in calibrated if today < one.date]:
        raise NotTraceable(
            f"it is {today}, before the calibration {'; '.join(early)}", "set the clock, or mend the date"
        )
    told = []
    if rules.overdue[stage] == "refuse":
        told += [what for role, what in troubles(config, rules, today) if _state(config, role, today) == "overdue"]
    if rules.missing[stage] == "refuse":
        told += [what for role, what in troubles(config, rules, today) if _state(config, role, today) == "none"]
    if told:
        raise NotTraceable(
            f"stage {stage} is refused by the plan: {'; '.join(told)}",
            f"bring the calibration to calibrations/{config.name}, then: hil station list",
        )


def troubles(config: StationConfig, rules: CalibrationRules, today: datetime.date) -> Iterator[tuple[str, str]]:
    """Yield the role and a sentence for each calibration that is overdue, due soon or, on a real bench, missing."""
    for role, one in config.instruments.items():
        calibration = one.calibration
        if calibration is None:
            if role in MEASURING and not config.launch:
                yield role, f"{role} has no calibration: its readings are not traceable"
            continue
        status, left = calibration.status(today, rules.warn_days), calibration.days_left(today)
        named = f"calibration {calibration.certificate} of {role}"
        if status == "overdue":
            yield role, f"{named} was due on {calibration.due}, {-left} days ago"
        elif status == "due soon":
            yield role, f"{named} is due on {calibration.due}, in {left} days"
        if status != "overdue" and (until := _specified_until(one, calibration)) is not None and today > until:
            why = "the maker states no accuracy for so long"
            yield role, f"{named} is of {calibration.date}, and {why}: that of {until} is in the budgets"


def _specified_until(one: InstrumentConfig, calibration: Certificate) -> datetime.date | None:
    """Return the last day on which the maker's accuracy holds after a calibration; None where none is known."""
    try:
        months = calibration.date.month - 1 + load(one.driver).valid_months
    except SetupError:
        return None
    year, month = calibration.date.year + months // 12, months % 12 + 1
    return datetime.date(year, month, min(calibration.date.day, calendar.monthrange(year, month)[1]))


def files(config: StationConfig, folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield the calibrations that stand in files, for the record: name, content, media type.

    folder is `calibrations` beside stations.toml. Raises SetupError for a file that is not what was read before.
    """
    for role, one in config.instruments.items():
        if one.calibration is None or not one.calibration.sha256:  # none, or a line of stations.toml
            continue
        path = file_of(folder, config.name, role)
        if path is None:
            raise SetupError(f"the calibration of {role} is gone from {folder / config.name}", "bring it back")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SetupError(f"{path} cannot be read any more: {error.strerror}", "mend its rights") from error
        if hashlib.sha256(data).hexdigest() != one.calibration.sha256:
            raise SetupError(f"{path} was changed while the run began", "begin it again")
        media_type = "application/xml" if path.suffix == ".xml" else "application/toml"
        yield f"calibration {path.name}", data, media_type


def on_record(calibration: Certificate | None, rules: CalibrationRules, today: datetime.date) -> dict[str, Any] | None:
    """Return a calibration as the journal carries it; None where there is none."""
    if calibration is None:
        return None
    status, days_left = calibration.status(today, rules.warn_days), calibration.days_left(today)
    return {**calibration.to_dict(), "status": status, "days_left": days_left}


def _state(config: StationConfig, role: str, today: datetime.date) -> str:
    calibration = config.instruments[role].calibration
    return "none" if calibration is None else calibration.status(today, 0)
