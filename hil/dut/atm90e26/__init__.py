"""ATM90E26 single-phase energy meter chip (Microchip's name; the Atmel documents say M90E26)."""

from hil.dut.atm90e26.calibration import Calibration, CalibrationIncomplete, CalibrationOutOfRange
from hil.dut.atm90e26.device import (
    Atm90e26,
    MeterBusFault,
    MeterEnergy,
    MeterRejectedCalibration,
    MeterSnapshot,
    SpiBus,
    snapshot_all,
)

__all__ = [
    "Atm90e26",
    "Calibration",
    "CalibrationIncomplete",
    "CalibrationOutOfRange",
    "MeterBusFault",
    "MeterEnergy",
    "MeterRejectedCalibration",
    "MeterSnapshot",
    "SpiBus",
    "snapshot_all",
]
