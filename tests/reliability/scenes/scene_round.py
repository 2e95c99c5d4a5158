"""The bench is live, one of its instruments begins to misbehave, and the test goes on using it: three rounds.

The misbehaviour is named in the environment; it begins when the bench holds. Each round measures a point of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import rectangular
from hil.metrology.propagation import direct
from hil.run.measure import Measurer
from hil.station.station import Station
from tests.reliability.scenes.live import FAULT, Teller

ROUNDS = 3
PROBE = 500.0  # of the high-voltage probe
PEAK_V = 230.0 * 2**0.5
Use = Callable[[Station, SmartPower], None]


def use_source(bench: Station, board: SmartPower) -> None:
    assert bench.source.measure_voltage_v() == pytest.approx(230.0, rel=0.02)


def use_power_meter(bench: Station, board: SmartPower) -> None:
    reading = bench.power_meter.measure()
    assert reading.voltage_v == pytest.approx(230.0, rel=0.02)
    assert reading.power_w == pytest.approx(230.0, rel=0.02)


def use_load(bench: Station, board: SmartPower) -> None:
    bench.load.set_current(1.0, 1.0)
    assert not bench.load.is_off()
    assert getattr(bench.load, "measure_voltage_v", lambda: 230.0)() == pytest.approx(230.0, rel=0.02)


def use_scope(bench: Station, board: SmartPower) -> None:
    bench.scope.set_timebase(0.04, 0.01)
    bench.scope.set_channel(2, -1.0, 1.0)
    bench.scope.arm(2, 0.0, rising=True)
    bench.clock.sleep(0.1)
    peak_v = float(np.abs(bench.scope.read_waveform(2).voltage_v).max()) * PROBE
    assert peak_v == pytest.approx(PEAK_V, rel=0.1)


def use_dc_supply(bench: Station, board: SmartPower) -> None:
    assert bench.dc_supply.measure_voltage_v(3) == pytest.approx(12.0, rel=0.02)


def use_switch(bench: Station, board: SmartPower) -> None:
    assert bench.switch.closed_channels() >= set(bench.channels("load.socket1"))


def use_resistor(bench: Station, board: SmartPower) -> None:
    bench.resistor.set_resistance(10e3)


def use_surge_generator(bench: Station, board: SmartPower) -> None:
    with bench.armed_surge(1000.0, 90.0) as fire:
        assert fire().peak_v > 100.0


def use_hipot_tester(bench: Station, board: SmartPower) -> None:
    assert bench.hipot.ground_bond(3.0, 0.1, 0.5).beyond  # its relay box is open


def use_chamber(bench: Station, board: SmartPower) -> None:
    bench.chamber.set_temperature(25.0)
    bench.chamber.on()
    assert 15.0 < bench.chamber.measure_temperature_c().value < 30.0


def use_link_partner(bench: Station, board: SmartPower) -> None:
    bench.link_partner.link()
    bench.link_partner.counters()


def use_fixture(bench: Station, board: SmartPower) -> None:
    assert bench.fixture.lid_closed()
    assert board.identity().serial


def use_nothing(bench: Station, board: SmartPower) -> None:
    """The multimeter is used in each round."""


USES: dict[str, Use] = {
    "bench-ac-source": use_source,
    "bench-power-meter": use_power_meter,
    "bench-ac-load": use_load,
    "bench-scope": use_scope,
    "bench-dc-supply": use_dc_supply,
    "bench-dmm": use_nothing,
    "bench-switch": use_switch,
    "bench-programmable-resistor": use_resistor,
    "bench-surge-generator": use_surge_generator,
    "bench-hipot-tester": use_hipot_tester,
    "bench-link-partner": use_link_partner,
    "bench-thermal-chamber": use_chamber,
    "bench-fixture": use_fixture,
    "console": use_fixture,
}


@pytest.fixture
def use() -> Use:
    """How to use what misbehaves."""
    return next(use for prefix, use in USES.items() if os.environ[FAULT].startswith(prefix))


@pytest.fixture
def routed(live: None, bench: Station, use: Use) -> Iterator[None]:
    """What that needs besides mains and load."""
    with ExitStack() as stack:
        if use is use_scope:
            stack.enter_context(bench.route("scope2.hv"))
        if use is use_dc_supply:
            stack.callback(bench.dc_supply.output_off, 3)
            bench.dc_supply.set_output(3, 12.0, 0.1)
            bench.dc_supply.on(3)
        if use is use_power_meter:
            bench.power_meter.set_ranges(300.0, 1.05)
            bench.clock.sleep(1.0)
        yield


def test_rounds(routed: None, use: Use, bench: Station, board: SmartPower, measure: Measurer, teller: Teller) -> None:
    """Use it, measure a rail, and again."""
    teller.deed(fault=os.environ[FAULT])
    for attempt in range(1, ROUNDS + 1):
        use(bench, board)
        with bench.route("dmm.rail_3v3"):
            voltage = bench.dmm.measure_dc_voltage_v(3.3)
        budget = direct(voltage.value, "V", [rectangular(f"DMM: {voltage.source}", voltage.half_width)])
        measure("rail.voltage", budget.reading, attempt=attempt, rail="3V3")
        teller.measured("rail.voltage[rail=3V3]", attempt)
