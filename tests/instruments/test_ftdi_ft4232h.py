"""The fixture driver over unmodified pyftdi, against the virtual FT4232H."""

import sys
from pathlib import Path

import pytest

from hil.errors import NotConnected, OutOfRange, SetupError
from hil.instruments.ftdi_ft4232h import EN, GPIO0, VENT_BLOCKED, WIFI_SWITCH, Ft4232hFixture
from hil.instruments.roles import Fixture
from hil.links import remote_usb

RESOURCE = "ftdi://ftdi:4232h:HILFIX01"
LID, STOP, CONTACT_2 = 1 << 2, 1 << 3, 1 << 5


@pytest.fixture
def station(monkeypatch):
    """A running virtual fixture that FTDI devices of this process are looked for on."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent.parent / "sim")])
    from usb_bench import Station

    station = Station()
    remote_usb.use(station.address)
    yield station
    remote_usb.stop_using()
    station.close()


@pytest.fixture
def fixture(station):
    """The driver, open; it satisfies its role."""
    driver: Fixture = Ft4232hFixture.open(RESOURCE, station)
    yield driver
    driver.close()


def outputs(station):
    """What the driven pins of port 2 show now."""
    value, direction = station.fixture.gpio_written[-1]
    return value & direction


def test_a_fixture_opens_with_the_unit_in_reset(station, fixture):
    """EN low, GPIO0 high: the unit is held, and would boot from flash."""
    assert outputs(station) == GPIO0
    assert fixture.is_off()
    assert str(fixture.identify()) == "FTDI FT4232H, serial HILFIX01"


def test_reset_is_held_long_enough_and_released(station, fixture):
    """100 ms for the reset network; then EN goes high with GPIO0 high."""
    before_s = station.now_s()
    fixture.hold_in_reset()
    assert station.now_s() - before_s >= 0.1

    fixture.release_reset()
    assert outputs(station) == EN | GPIO0
    assert not fixture.is_off()
    fixture.off()
    assert fixture.is_off()


def test_download_mode_needs_gpio0_low_at_the_release(station, fixture):
    """GPIO0 falls before EN rises, and is let go afterwards."""
    station.fixture.gpio_written.clear()
    fixture.release_reset(download=True)

    levels = [value & direction & (EN | GPIO0) for value, direction in station.fixture.gpio_written]
    assert levels[0] == 0
    assert EN in levels
    assert levels[-1] == EN | GPIO0


def test_the_interlocks_are_read_from_their_pins(station, fixture):
    """Lid and emergency stop are independent; a 1 is safe."""
    station.fixture.gpio_inputs = LID
    assert (fixture.lid_closed(), fixture.emergency_stop_released()) == (True, False)

    station.fixture.gpio_inputs = STOP
    assert (fixture.lid_closed(), fixture.emergency_stop_released()) == (False, True)


def test_contacts_are_sensed_one_by_one(station, fixture):
    """Bit 4 is K1; there are four."""
    station.fixture.gpio_inputs = CONTACT_2

    assert [fixture.contact_closed(socket) for socket in (1, 2, 3, 4)] == [False, True, False, False]
    with pytest.raises(OutOfRange):
        fixture.contact_closed(5)


def senses(station):
    """What the driven pins of port 4 show now."""
    value, direction = station.fixture.panel_written[-1]
    return value & direction


@pytest.mark.parametrize(("name", "bit"), [("green", 0), ("red", 1), ("link", 3), ("speed", 4)])
def test_each_light_is_seen_by_its_own_eye(station, fixture, name, bit):
    """1 is lit, and no other light is taken for it."""
    station.fixture.panel_inputs = 1 << bit

    assert [light for light in ("green", "red", "link", "speed") if fixture.light(light)] == [name]
    assert not fixture.sounds()
    station.fixture.panel_inputs = 0
    assert not fixture.light(name)


def test_the_buzzer_is_heard(station, fixture):
    """Bit 2 of port 4."""
    station.fixture.panel_inputs = 1 << 2

    assert fixture.sounds()


def test_a_light_that_nobody_watches_is_a_mistake_of_the_test(fixture):
    """The ones that are watched are named."""
    with pytest.raises(SetupError, match="known: green, red, link, speed"):
        fixture.light("blue")


def test_the_wifi_switch_is_moved_and_the_vents_are_freed_by_off(station, fixture):
    """The switch is on at first and stays where it is; blocked vents are not a safe state."""
    assert senses(station) == WIFI_SWITCH

    fixture.set_wifi_switch(False)
    fixture.block_ventilation(True)
    assert senses(station) == VENT_BLOCKED
    assert not fixture.is_off()
    fixture.off()
    assert senses(station) == 0
    assert fixture.is_off()
    fixture.set_wifi_switch(True)
    assert senses(station) == WIFI_SWITCH


def test_a_fixture_that_is_not_there_leaves_no_port_open(station):
    """The wrong serial number is an error, and the right one can still be opened."""
    with pytest.raises(NotConnected, match="HILFIX99"):
        Ft4232hFixture.open("ftdi://ftdi:4232h:HILFIX99", station)

    Ft4232hFixture.open(RESOURCE, station).close()
