"""A calibration certificate of an instrument: what it corrects, how well, and whether it still holds.

Ref: VIM (JCGM 200:2012) 2.39 calibration, 2.53 correction; ISO/IEC 17025:2017, 7.8.4; JCGM 100:2008, 4.3.3 (U / k).
A correction is added to what the instrument shows. Between two calibrated points it is interpolated on a straight
line, and the larger of the two uncertainties holds. Outside the calibrated span nothing is corrected and nothing
claimed: the reading keeps the maker's specification alone, and says so (NotCalibrated).
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from typing import Any, Literal

from hil.errors import SetupError

UNITS = {  # of each quantity that can be calibrated
    "ac_voltage": "V",
    "ac_current": "A",
    "active_power": "W",
    "dc_voltage": "V",
    "dc_current": "A",
    "resistance": "ohm",
    "temperature": "degC",
    "frequency": "Hz",
    "time_interval": "s",
    "peak_voltage": "V",
    "insulation_resistance": "ohm",
    "earth_bond_resistance": "ohm",
}
WARN_DAYS = 30
Status = Literal["valid", "due soon", "overdue", "none"]


class NotCalibrated(SetupError):
    """A certificate says nothing about a reading: another quantity, another range, outside the calibrated span."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be added to a reading, in its unit, with the expanded uncertainty U = k u of that."""

    correction: float
    expanded_u: float
    k: float

    @property
    def u(self) -> float:
        """Return the standard uncertainty U / k, in the unit of the reading (JCGM 100, 4.3.3)."""
        return self.expanded_u / self.k


@dataclass(frozen=True, slots=True)
class Point:
    """One calibrated point: at what the instrument shows, the correction and its U = k u, all in one unit."""

    value: float
    correction: float
    expanded_u: float
    k: float = 2.0


@dataclass(frozen=True, slots=True)
class Table:
    """The points of one quantity and one range, in rising order. range_ is empty where the instrument has one only."""

    quantity: str
    range_: str
    unit: str
    points: tuple[Point, ...]

    @property
    def span(self) -> tuple[float, float]:
        """Return the lowest and the highest calibrated value, in `unit`."""
        return self.points[0].value, self.points[-1].value

    def at(self, value: float) -> Correction:
        """Return the correction at a value, in `unit`; raises NotCalibrated outside the calibrated span."""
        low, high = self.span
        for point in self.points:
            if math.isclose(value, point.value, rel_tol=1e-9):
                return Correction(point.correction, point.expanded_u, point.k)
        if not low < value < high:
            raise NotCalibrated(f"calibrated from {low:g} to {high:g} {self.unit} only")
        right = next(index for index, point in enumerate(self.points) if point.value > value)
        below, above = self.points[right - 1], self.points[right]
        share = (value - below.value) / (above.value - below.value)
        worse = max(below, above, key=lambda point: point.expanded_u / point.k)
        correction = below.correction + share * (above.correction - below.correction)
        return Correction(correction, worse.expanded_u, worse.k)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A calibration certificate. Without tables only its identity is known: it corrects nothing."""

    certificate: str  # its number
    laboratory: str
    date: datetime.date
    due: datetime.date
    tables: tuple[Table, ...] = ()
    serial: str = ""  # of the instrument that was calibrated; "" where the certificate was entered without
    source: str = "stations.toml"  # or "toml", "dcc"
    sha256: str = ""  # of the file
    notes: tuple[str, ...] = ()  # what of the file could not be used, and why; what it was checked against

    def at(self, quantity: str, range_: str, value: float) -> Correction:
        """Return the correction of a reading, in its unit; raises NotCalibrated."""
        for table in self.tables:
            if (table.quantity, table.range_) == (quantity, range_):
                return table.at(value)
        where = f" in the range {range_}" if range_ else ""
        raise NotCalibrated(f"no {quantity.replace('_', ' ')}{where} in it")

    def days_left(self, today: datetime.date) -> int:
        """Return the days until it is due; negative where it is overdue. On the day itself it still holds."""
        return (self.due - today).days

    def status(self, today: datetime.date, warn_days: int = WARN_DAYS) -> Status:
        """Say whether it holds on a day."""
        left = self.days_left(today)
        if left < 0:
            return "overdue"
        return "due soon" if left <= warn_days else "valid"

    def overdue(self, today: datetime.date) -> bool:
        """Say whether the certificate no longer holds."""
        return today > self.due

    def to_dict(self) -> dict[str, Any]:
        """Return its identity as the journal carries it, dates as ISO 8601."""
        return {
            "certificate": self.certificate,
            "laboratory": self.laboratory,
            "date": self.date.isoformat(),
            "due": self.due.isoformat(),
            "source": self.source,
            **({"sha256": self.sha256} if self.sha256 else {}),
        }
