"""The board's two ways into a network, as its firmware reports them.

Ref: Shelly Gen2 API, Wifi.GetStatus, Eth.GetStatus, Shelly.GetDeviceInfo (facts smart-power 6.5).
"""

from __future__ import annotations

from hil.links.rpc import Rpc

CONNECTED = "got ip"  # Wifi.GetStatus status, the last of its words


class Network:
    """Wi-Fi and Ethernet, asked over whatever carries the RPC."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def wifi_connected(self) -> bool:
        """Say whether Wi-Fi is associated and has an address."""
        return bool(self._rpc.call("Wifi.GetStatus")["status"] == CONNECTED)

    def ethernet_address(self) -> str:
        """Return the IP address that the Ethernet port was given; "" while it has none."""
        return str(self._rpc.call("Eth.GetStatus")["ip"] or "")

    def mac(self) -> str:
        """Return the MAC address by which the unit is known, as 7CDFA1000000."""
        return str(self._rpc.call("Shelly.GetDeviceInfo")["mac"]).replace(":", "").upper()
