"""A fixture that somebody wrote badly switches mains on, breaks in its teardown, and switches nothing off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.run.measure import Measurer
from hil.station.station import Station
from tests.reliability.scenes.live import RELAY_S, Teller, draw, measure_some


@pytest.fixture
def careless(bench: Station, board: SmartPower, teller: Teller) -> Iterator[None]:
    """Mains and load on, by hand."""
    bench.check_interlocks()
    bench.source.set_output(230.0, 50.0, 5.0)
    bench.source.on()
    board.boot()
    board.relays[0].set()
    bench.clock.sleep(RELAY_S)
    bench.switch.close_channels(bench.channels("load.socket1"))
    draw(bench)
    yield
    teller.deed()
    raise ZeroDivisionError("a flaw of this fixture")


def test_teardown(careless: None, bench: Station, measure: Measurer, teller: Teller) -> None:
    """Nothing is wrong with the test itself."""
    measure_some(bench, measure, teller)
    teller.holds()
