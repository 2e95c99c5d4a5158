"""Fixtures of the scenes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.run.measure import Measurer
from hil.station.station import Station
from tests.reliability.scenes.live import Teller, draw, measure_some, powered


@pytest.fixture
def teller(pytestconfig: pytest.Config) -> Teller:
    """Tells what the scene does."""
    return Teller(pytestconfig.getoption("attach"))


@pytest.fixture
def live(bench: Station, board: SmartPower, measure: Measurer, teller: Teller) -> Iterator[None]:
    """1 A flows through a relay of the unit, and there is something on record."""
    with powered(bench, board), bench.loaded(1):
        draw(bench)
        measure_some(bench, measure, teller)
        teller.holds()
        yield


@pytest.fixture
def charged(bench: Station, board: SmartPower, measure: Measurer, teller: Teller) -> Iterator[None]:
    """Whatever a bench can energise is: mains, load, an output of the DC supply, a charged surge generator."""
    with powered(bench, board), bench.loaded(1):
        draw(bench)
        measure_some(bench, measure, teller)
        with bench.armed_surge(1000.0, 90.0):
            bench.dc_supply.set_output(3, 12.0, 0.1)
            bench.dc_supply.on(3)
            teller.holds()
            yield
