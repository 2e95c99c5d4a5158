"""The board's two ways into a network, as its firmware reports them.

Ref: Shelly Gen2 API, Wifi.GetStatus, Eth.GetStatus, Shelly.GetDeviceInfo (facts smart-power 6.5).
"""

from __future__ import annotations

from hil.dut.smart_power.answers import ask
from hil.links.rpc import Rpc

CONNECTED = "got ip"  # Wifi.GetStatus status, the last of its words


class Network:
    """Wi-Fi and Ethernet, asked over whatever carries the RPC."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def wifi_connected(self) -> bool:
        """Say whether Wi-Fi is associated and has an address."""
        return ask(self._rpc, "Wifi.GetStatus").text("status", "") == CONNECTED

    def ethernet_address(self) -> str:
        """Return the IP address that the Ethernet port was given; "" while it has none."""
        return ask(self._rpc, "Eth.GetStatus").text("ip", "")

    def mac(self) -> str:
        """Return the MAC address by which the unit is known, as 7CDFA1000000."""
        return ask(self._rpc, "Shelly.GetDeviceInfo").text("mac").replace(":", "").upper()
