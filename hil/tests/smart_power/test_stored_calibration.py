"""Calibration is stored in the unit and stays: the chips forget, the unit loads its words at each boot."""

from __future__ import annotations

import pytest

from hil.dut.atm90e26 import Calibration
from hil.dut.atm90e26.device import Atm90e26, MeterRejectedCalibration
from hil.dut.smart_power.board import SmartPower
from hil.run.measure import Measurer
from hil.station.station import Station

OFF_S = 2.0
SOCKETS = (1, 2, 3, 4)


@pytest.mark.requirement("MET-04")
def test_calibration_survives_a_power_cycle(
    bench: Station, board: SmartPower, mains: None, measure: Measurer, calibrations: dict[int, Calibration]
) -> None:
    """Stored through Factory.CalStore; after two seconds without mains the chips run on the same words again."""
    ready = [n for n in SOCKETS if measure.ready("calibration.survives_power_cycle", socket=n)]
    if not ready:
        return
    for number in ready:
        board.store_calibration(number, calibrations[number])
    bench.source.off()
    bench.clock.sleep(OFF_S)
    bench.source.on()
    board.wait_for_boot()
    with board.meters() as meters:
        kept = {number: _runs_on(meters[number - 1], calibrations[number]) for number in ready}
    for number, same in kept.items():
        measure.check("calibration.survives_power_cycle", same, socket=number)


def _runs_on(meter: Atm90e26, calibration: Calibration) -> bool:
    """Say whether a chip runs on these words and accepts both checksums."""
    try:
        meter.check_calibration()
    except MeterRejectedCalibration:
        return False
    return meter.read_calibration() == calibration
