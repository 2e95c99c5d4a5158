"""What a person sees and touches: LEDs, buzzer, Wi-Fi switch and input pins, through the firmware and the fixture."""

from __future__ import annotations

import pytest
from physics_rig import Rig

from hil.sim.boards.panel import DEAD
from hil.sim.faults import parse_fault
from hil.sim.ftdi_chip import Ft4232h

WIFI_SWITCH, VENT_BLOCKED = 0x20, 0x40


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.rails()
    return rig


def senses(rig: Rig) -> int:
    """Return the five sensed bits of port 4."""
    return rig.bench.fixture.panel_read() & 0x1F


def wifi_switch(rig: Rig, on: bool) -> None:
    rig.bench.fixture.panel_write(WIFI_SWITCH if on else 0, WIFI_SWITCH | VENT_BLOCKED)


def test_factory_commands_drive_the_pins(rig):
    """Each lights or sounds alone, by its command."""
    seen = [senses(rig)]
    for method, given in (
        ("Factory.Led", {"colour": "red", "on": True}),
        ("Factory.Led", {"colour": "green", "on": False}),
        ("Factory.Buzzer", {"on": True}),
        ("Factory.Led", {"colour": "red", "on": False}),
        ("Factory.Buzzer", {"on": False}),
    ):
        rig.rpc(method, **given)
        seen.append(senses(rig) & 0x07)

    assert seen == [0b001, 0b011, 0b010, 0b110, 0b100, 0b000]


def test_green_comes_with_the_application_and_goes_in_reset():
    """Dark while it boots, lit when it runs, dark in reset and without power."""
    rig = Rig()
    seen = [senses(rig)]
    rig.bench.set_dc(1, voltage_v=5.0, current_limit_a=1.5, on=True)
    rig.world.advance(0.5)
    seen.append(senses(rig))
    rig.world.advance(1.0)
    seen.append(senses(rig))
    rig.hold()
    seen.append(senses(rig))
    rig.release()
    rig.world.advance(1.5)
    seen.append(senses(rig))
    rig.bench.set_dc(1, on=False)
    rig.world.advance(0.5)
    seen.append(senses(rig))

    assert seen == [0, 0, 1, 0, 1, 0]


def test_wifi_follows_the_switch(rig):
    """HTTP over Wi-Fi ends with the switch and comes back some 2 s after it; the pin can be asked all the while."""
    on = rig.rpc("Wifi.GetStatus")
    wifi_switch(rig, False)
    rig.world.advance(0.3)
    off_http = rig.unit.http("GET", "/shelly", b"")
    wifi_switch(rig, True)
    rig.world.advance(0.5)
    joining = rig.unit.joining("wifi"), rig.unit.http("GET", "/shelly", b"")
    rig.world.advance(2.0)

    assert (on["status"], bool(on["sta_ip"])) == ("got ip", True)
    assert off_http is None
    assert joining == (True, None)
    assert not rig.unit.joining("wifi")
    assert rig.rpc("Wifi.GetStatus") == on
    assert rig.rpc("Factory.Inputs")["wifi_switch"] is True


def test_the_console_tells_that_wifi_is_off(rig):
    """Wifi.GetStatus over the serial line: disconnected, then connecting, then an address."""
    words = []
    for on, wait_s in ((False, 0.5), (True, 0.5), (True, 2.5)):
        wifi_switch(rig, on)
        rig.world.advance(wait_s)
        rig.bench.fixture.uart_read()
        rig.bench.fixture.uart_write(b'"""{"id":1,"src":"t","method":"Wifi.GetStatus"}"""')
        rig.world.advance(0.1)
        words.append(rig.bench.fixture.uart_read().decode().split('"status":"')[1].split('"')[0])

    assert words == ["disconnected", "connecting", "got ip"]


def test_a_bounce_of_the_switch_between_two_looks_is_not_seen(rig):
    """Shorter than 0.1 s: the network stays."""
    for _ in range(20):
        rig.world.advance(0.101)
        wifi_switch(rig, False)
        wifi_switch(rig, True)

    assert rig.rpc("Wifi.GetStatus")["status"] == "got ip"


def test_ethernet_carries_http_only_with_a_mac(rig):
    """Revision A has none: nobody listens, and the firmware cannot ask the PHY."""
    assert rig.unit.http("GET", "/shelly", b"", "ethernet") is None
    assert rig.rpc("Eth.GetStatus") == {"ip": None, "link": None}


def test_the_mains_wiring_is_sensed():
    """Neutral swapped or open, earth open: each is told from healthy wiring, and without mains nothing is reported."""
    rig = Rig()
    rig.rails()
    told = {}
    for name, routes in (("none", ()), ("healthy", ()), ("swapped", (313,)), ("open", (314,)), ("earth", (315,))):
        rig.bench.set_ac(on=False)
        rig.bench.set_routes(frozenset(routes))
        rig.bench.set_ac(voltage_v=230.0, frequency_hz=50.0, on=name != "none")
        rig.world.advance(1.0)
        inputs = rig.rpc("Factory.Inputs")
        told[name] = (inputs["neutral"], inputs["earth"])

    assert told["none"] == told["healthy"] == (True, True)
    assert told["swapped"][0] is told["open"][0] is False
    assert told["earth"] == (True, False)


def test_the_pins_of_port_4_through_the_chip(rig):
    """Bit-bang like port 2: undriven, the switch is on and the vents are free; the outputs read back."""
    port = Ft4232h(rig.world, rig.bench.fixture, "X").ports[3]
    undriven = port.read_pins()
    port.set_mode(WIFI_SWITCH | VENT_BLOCKED, 0x01)
    port.write(bytes((VENT_BLOCKED,)), rig.world.now_s)
    driven = port.read_pins()
    states = rig.unit.panel.wifi_switch, rig.unit.ventilation_blocked

    assert undriven & 0x7F == WIFI_SWITCH | 0x01
    assert driven & 0x7F == VENT_BLOCKED | 0x01
    assert states == (False, True)
    port.set_mode(0, 0x00)
    assert (rig.unit.panel.wifi_switch, rig.unit.ventilation_blocked) == (True, False)


def test_every_dead_indicator_is_a_known_fault():
    """The panel asks for faults that exist."""
    assert all(parse_fault(name) for name in DEAD.values())
