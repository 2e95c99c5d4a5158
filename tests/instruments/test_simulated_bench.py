"""All drivers at once, over the real links, against the simulated bench."""

import importlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from hil.clock import BenchClock, StationControl
from hil.dut.atm90e26 import snapshot_all
from hil.dut.smart_power.board import SmartPower, parse_banner
from hil.dut.smart_power.revisions import REVISION_A
from hil.errors import NoReading
from hil.links import remote_usb
from hil.links.rpc import HttpRpc
from hil.links.visa import VisaLink

MODULES = {
    "AcSource": "chroma_61500",
    "PowerMeter": "yokogawa_wt310e",
    "AcLoad": "itech_it8615",
    "Scope": "keysight_dsox",
    "DcSupply": "keysight_e36312a",
    "Dmm": "keysight_34465a",
    "Switch": "keysight_daq970a",
}


class Bench:
    """Every driver by its role, the unit and the clock."""

    def __init__(self, info):
        host, port = info["control"].split(":")
        self.control = StationControl(host, int(port))
        self.clock = BenchClock(self.control)
        self.drivers = {}
        for role, module in MODULES.items():
            driver = importlib.import_module(f"hil.instruments.{module}").DRIVER
            link = VisaLink(role, info["instruments"][role]["resource"], **driver.LINK)
            self.drivers[role] = driver(link, self.clock)
        fixture = importlib.import_module("hil.instruments.ftdi_ft4232h").DRIVER
        remote_usb.use(info["usb"])
        self.drivers["Fixture"] = self.fixture = fixture.open(info["instruments"]["Fixture"]["resource"], self.clock)
        self.rpc = HttpRpc(info["unit"]["http"])
        self.board = SmartPower(REVISION_A, self.rpc, self.fixture, self.fixture.spi, self.clock)

    def close(self):
        for driver in self.drivers.values():
            driver.close()
        self.rpc.close()
        self.control.close()
        remote_usb.stop_using()


@pytest.fixture(scope="module")
def bench():
    command = [sys.executable, "-m", "hil.sim", "--serial", "SP-000123", "--seed", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        bench = Bench(json.loads(process.stdout.readline()))
        for driver in bench.drivers.values():
            driver.identify()
        yield bench
        bench.close()
        process.terminate()


@pytest.fixture(autouse=True)
def safe(bench):
    """Every test begins and ends with everything off."""
    for driver in bench.drivers.values():
        driver.off()
    yield
    for driver in bench.drivers.values():
        driver.off()
        assert driver.is_off()


def test_the_reference_and_the_units_meter_see_the_same_mains(bench):
    """230 V, 1 A at 0.5 lagging and 0.8 leading through socket 1, read over SPI with the ESP32 in reset."""
    source, meter, load = bench.drivers["AcSource"], bench.drivers["PowerMeter"], bench.drivers["AcLoad"]
    source.set_output(230.0, 50.0, 4.0)
    source.on()
    bench.board.restart()
    bench.drivers["Switch"].close_channels([305])
    bench.board.relays[0].set()
    bench.clock.sleep(0.2)
    meter.set_ranges(230.0, 1.0)
    load.set_current(1.0, 0.5)
    load.on()
    with bench.board.meters() as meters:
        for power_factor in (0.5, -0.8):
            load.set_current(1.0, power_factor)
            bench.clock.sleep(1.0)

            reference, ours = meter.measure(), snapshot_all(meters)
            assert reference.power_factor == pytest.approx(abs(power_factor), abs=0.01)
            assert ours[0].power_w == pytest.approx(reference.power_w, rel=0.03)
            assert math.copysign(1.0, ours[0].reactive_var) == math.copysign(1.0, power_factor)
            assert ours[1].power_w == pytest.approx(0.0, abs=0.1)
        load.off()
        bench.clock.sleep(1.0)
        assert meter.measure().current_a == 0.0
    bench.board.relays[0].reset()
    bench.clock.sleep(0.2)


def test_energy_is_integrated_as_power_times_time(bench):
    """A minute at 230 W."""
    source, meter, load = bench.drivers["AcSource"], bench.drivers["PowerMeter"], bench.drivers["AcLoad"]
    source.set_output(230.0, 50.0, 4.0)
    source.on()
    bench.board.restart()
    bench.drivers["Switch"].close_channels([306])
    bench.board.relays[1].set()
    meter.set_ranges(230.0, 1.0)
    load.set_current(1.0)
    load.on()
    bench.clock.sleep(1.0)
    power_w = meter.measure().power_w

    meter.start_integration()
    bench.clock.sleep(60.0)
    energy = meter.stop_integration()
    assert energy.duration_s == pytest.approx(60.0, abs=0.01)
    assert energy.energy_wh == pytest.approx(power_w * energy.duration_s / 3600.0, rel=1e-3)
    meter.set_ranges(230.0, 0.2)
    with pytest.raises(NoReading):
        meter.measure()


def test_a_relay_is_seen_on_three_scope_channels_and_by_the_fixture(bench):
    """Collector, the other collector and the contact, with the unit fed from the DC supply."""
    supply, switch, scope = bench.drivers["DcSupply"], bench.drivers["Switch"], bench.drivers["Scope"]
    for output, voltage_v, current_a in ((1, 5.0, 2.0), (3, 5.0, 0.1)):
        supply.set_output(output, voltage_v, current_a)
        supply.on(output)
    bench.board.restart()
    bench.fixture.console.read(0.1)
    banner = parse_banner("\n".join(line.text for line in bench.fixture.console.lines))
    assert banner is not None
    assert banner.boot_mode == "SPI_FAST_FLASH_BOOT"
    switch.close_channels([105, 113, 203])
    scope.set_timebase(0.1, 0.01)
    for channel in (1, 2, 3):
        scope.set_channel(channel, -2.0, 8.0)
    scope.arm(1, 2.5, rising=False)
    assert not scope.triggered()

    bench.board.relays[2].set()
    bench.clock.sleep(0.2)
    assert scope.triggered()
    set_coil, contact = scope.read_waveform(1), scope.read_waveform(3)
    pulled = set_coil.time_s[set_coil.voltage_v < 2.5]
    touched = contact.time_s[contact.voltage_v < 2.5]
    assert np.ptp(pulled) == pytest.approx(0.05, rel=0.1)
    assert 0.001 < touched[0] - pulled[0] < 0.02
    assert bench.fixture.contact_closed(3)


def test_coil_contact_rail_and_air_are_measured(bench):
    """By the routes of the bench, each with its accuracy."""
    supply, switch, meter = bench.drivers["DcSupply"], bench.drivers["Switch"], bench.drivers["Dmm"]
    supply.set_output(1, 5.0, 2.0)
    supply.on(1)
    bench.board.restart()
    switch.close_channels([205])
    assert meter.measure_dc_voltage_v(5.0).value == pytest.approx(5.0, abs=0.1)
    switch.open_channels([205])
    bench.board.relays[3].set()
    bench.clock.sleep(0.2)
    supply.set_output(2, 5.0, 1.0)
    switch.close_channels([304, 218])
    supply.on(2)
    drop, current_a = meter.measure_dc_voltage_v(0.5), supply.measure_current_a(2)
    assert 0.005 < drop.value / current_a < 0.1
    supply.off()
    switch.open_all()

    switch.close_channels([207])
    assert meter.measure_resistance_ohm(42.0).value == pytest.approx(42.0, rel=0.1)
    switch.open_all()
    switch.close_channels([219])
    assert 15.0 < meter.measure_temperature_c().value < 35.0
