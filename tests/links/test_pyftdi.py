"""Defects of pyftdi 0.57.2 that hil.links works round. When one of these fails, an upgrade has mended it."""

import pytest
from pyftdi.ftdi import Ftdi, FtdiError
from pyftdi.spi import SpiController
from pyftdi.usbtools import UsbTools
from usb.core import USBError

from .conftest import RESOURCE


@pytest.fixture
def controller(station):
    """pyftdi's own SPI controller on port 1, four chip selects."""
    controller = SpiController(cs_count=4)
    controller.configure(RESOURCE + "/1", frequency=100e3)
    yield controller
    controller.close()


def test_pyftdis_own_spi_works_on_the_virtual_chip(controller, station):
    """Somebody else's driver reads a register: the chip is not made for ours alone."""
    station.fixture.meters[1].registers[0x49] = 0x59E7

    assert bytes(controller.get_port(1, freq=100e3, mode=0).exchange(b"\xc9", 2)) == b"\x59\xe7"


def test_its_mode_2_does_not_read_the_meter(controller, station):
    """A wrong mode fails on the virtual chip as it does on a real one."""
    station.fixture.meters[1].registers[0x49] = 0x59E7

    assert bytes(controller.get_port(1, freq=100e3, mode=2).exchange(b"\xc9", 2)) != b"\x59\xe7"


def test_a_short_read_is_silent_and_shifts_the_next(controller, station):
    """Data that comes late is returned by the next exchange, without an error."""
    station.fixture.meters[0].registers.update({0x49: 0x1111, 0x4A: 0x2222})
    port = controller.get_port(0, freq=100e3, mode=0)
    fetch = station.server.chip.bulk_in
    station.server.chip.bulk_in = lambda endpoint, size: fetch(endpoint, 2)
    assert bytes(port.exchange(b"\xc9", 2)) == b""
    station.server.chip.bulk_in = fetch

    assert bytes(port.exchange(b"\xca", 2)) == b"\x11\x11"


def test_the_reported_frequency_is_the_wish(controller):
    """99 kHz cannot be made, and is reported all the same."""
    port = controller.get_port(0, freq=99e3, mode=0)
    port.exchange(b"\xc9", 2)

    assert port.frequency == 99e3
    assert 30e6 / round(30e6 / 99e3) != 99e3


def test_a_bad_mpsse_command_is_never_detected(station):
    """validate_mpsse compares a number with a character."""
    chip = Ftdi()
    chip.open_mpsse_from_url(RESOURCE + "/1")
    chip.write_data(b"\xaa")

    chip.validate_mpsse()  # it should raise

    chip.close()


def test_the_default_latency_is_16_ms(station):
    """open_mpsse without an argument makes every short answer wait."""
    chip = Ftdi()
    chip.open_mpsse_from_url(RESOURCE + "/1")

    assert chip.get_latency_timer() == 16
    chip.close()


def test_an_unplugged_device_stays_connected_and_breaks_the_next_listing(station):
    """is_connected goes on being true; list_devices fails on its own cache."""
    chip = Ftdi()
    chip.open_from_url(RESOURCE + "/3")
    station.do(station.server.unplug)

    with pytest.raises(FtdiError):
        chip.read_data_bytes(1, 1)
    assert chip.is_connected
    with pytest.raises(USBError):
        Ftdi.list_devices()

    chip.close()
    UsbTools.flush_cache()
    assert Ftdi.list_devices() == []


def test_opening_resets_a_port_before_it_is_claimed(station):
    """Two processes on one port disturb each other: which is why FtdiPort claims first."""
    chip = Ftdi()

    chip.open_from_url(RESOURCE + "/1")

    assert station.server.claims == {}
    chip.close()
