"""Indicators, inputs and network of the board: what is called, and what the answers mean."""

from __future__ import annotations

import pytest

from hil.dut.smart_power.network import Network
from hil.dut.smart_power.panel import Inputs, Panel


def test_indicators_are_driven_by_factory_commands(rpc):
    """Both LEDs by their colour, and the buzzer."""
    calls = rpc(
        ("Factory.Led", {"colour": "red", "on": True}, {"colour": "red", "on": True}),
        ("Factory.Buzzer", {"on": False}, {"on": False}),
    )
    panel = Panel(calls)
    panel.set_led("red", True)
    panel.set_buzzer(False)

    calls.assert_all_sent()


def test_inputs_are_what_the_firmware_senses(rpc):
    """True is the healthy state of each; millivolts beside it are not asked for."""
    answer = {"neutral": False, "earth": True, "wifi_switch": True, "neutral_mv": 2800, "earth_mv": 500}
    panel = Panel(rpc(("Factory.Inputs", None, answer)))

    assert panel.inputs() == Inputs(neutral=False, earth=True, wifi_switch=True)


@pytest.mark.parametrize(("status", "connected"), [("got ip", True), ("connecting", False), ("disconnected", False)])
def test_wifi_is_connected_when_it_has_an_address(rpc, status, connected):
    """The words are Shelly's."""
    assert Network(rpc(("Wifi.GetStatus", None, {"status": status}))).wifi_connected() is connected


def test_no_address_is_no_text(rpc):
    """Null, until DHCP has answered."""
    network = Network(rpc(("Eth.GetStatus", None, {"ip": None}), ("Eth.GetStatus", None, {"ip": "192.0.2.61"})))

    assert [network.ethernet_address(), network.ethernet_address()] == ["", "192.0.2.61"]


def test_the_mac_is_spelt_as_link_partners_spell_it(rpc):
    """Without colons, in capitals."""
    network = Network(rpc(("Shelly.GetDeviceInfo", None, {"mac": "7c:df:a1:00:00:0a"})))

    assert network.mac() == "7CDFA100000A"
