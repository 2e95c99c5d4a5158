"""Pins of port 2 through unmodified pyftdi."""

import pytest

from hil.errors import BadAnswer, NotConnected, OutOfRange
from hil.links.gpio import GpioPort

from .conftest import RESOURCE


@pytest.fixture
def gpio(station):
    """Two outputs, the second one high."""
    gpio = GpioPort("Fixture", RESOURCE, directions=0b11, initial=0b10)
    yield gpio
    gpio.close()


def test_outputs_begin_as_asked(gpio, station):
    """Opening drives the outputs to their initial levels, low until then."""
    assert station.fixture.gpio_written[-1] == (0b10, 0b11)
    assert (0b11, 0b11) not in station.fixture.gpio_written


def test_only_masked_outputs_change(gpio, station):
    """A write leaves the other outputs as they are, without reading them first."""
    gpio.write(0b01, 0b01)
    gpio.write(0b10, 0b00)

    assert station.fixture.gpio_written[-1] == (0b01, 0b11)


def test_inputs_are_read_as_they_are_now(gpio, station):
    """Lid and emergency stop come from the pins, not from a buffer of old samples."""
    assert gpio.read() == 0b1111_1110

    station.fixture.gpio_inputs = 0b0000_0100

    assert gpio.read() == 0b0000_0110


def test_an_input_cannot_be_written(gpio):
    """The lid is not ours to close."""
    with pytest.raises(OutOfRange):
        gpio.write(0b100, 0b100)


def test_an_output_that_does_not_follow_is_found(gpio, station, monkeypatch):
    """A pin shorted to ground is read back: the reset line is not believed."""
    wires = station.server.chip.ports[1]._wires
    monkeypatch.setattr(wires, "read", lambda _: 0b1111_1100)

    with pytest.raises(BadAnswer, match="does not take its level"):
        gpio.write(0b01, 0b01)


def test_closing_leaves_the_pins(station):
    """The unit stays in reset, or out of it, when the run ends; and closing twice is fine."""
    gpio = GpioPort("Fixture", RESOURCE, directions=0b11, initial=0b11)
    gpio.close()
    gpio.close()

    assert station.fixture.gpio_written[-1] == (0b11, 0b11)


def test_another_port_has_its_own_pins(gpio, station):
    """Port 4 is written and read without touching port 2, which stays open beside it."""
    other = GpioPort("Fixture", RESOURCE, directions=0b11 << 5, initial=0b01 << 5, port=4)
    before = list(station.fixture.gpio_written)
    other.write(0b10 << 5, 0b10 << 5)

    assert station.fixture.panel_written[-1] == (0b11 << 5, 0b11 << 5)
    assert station.fixture.gpio_written == before
    other.close()


def test_an_unplugged_fixture_is_not_connected(gpio, station):
    """Reading the lid from a fixture that is gone is an error, not an open lid."""
    station.do(station.server.unplug)

    with pytest.raises(NotConnected):
        gpio.read()
    with pytest.raises(NotConnected):
        gpio.write(1, 1)
