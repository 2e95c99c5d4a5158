"""The bench is live, and the test measures as fast as it can: what comes, comes in the middle of something."""

from __future__ import annotations

from hil.metrology.budget import rectangular
from hil.metrology.propagation import direct
from hil.run.measure import Measurer
from hil.station.station import Station
from tests.reliability.scenes.live import Teller

LID, RAIL = "interlock.lid_closed", "rail.voltage"


def test_busy(live: None, bench: Station, measure: Measurer, teller: Teller) -> None:
    """Measure one point over and over, each attempt on record."""
    for attempt in range(1, 1_000_000):
        measure.check(LID, bench.fixture.lid_closed(), attempt=attempt)
        teller.measured(LID, attempt)


def test_busy_with_the_multimeter(live: None, bench: Station, measure: Measurer, teller: Teller) -> None:
    """The same over VISA."""
    with bench.route("dmm.rail_3v3"):
        for attempt in range(1, 1_000_000):
            voltage = bench.dmm.measure_dc_voltage_v(3.3)
            budget = direct(voltage.value, "V", [rectangular(f"DMM: {voltage.source}", voltage.half_width)])
            measure(RAIL, budget.reading, attempt=attempt, rail="3V3")
            teller.measured(f"{RAIL}[rail=3V3]", attempt)
