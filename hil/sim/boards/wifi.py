"""The firmware's Wi-Fi station: it follows the switch on the board. All times [A]."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

JOIN_S = 2.0  # after the switch: scan, associate, DHCP
REJOIN_S = 0.3  # after a boot: channel and lease are kept in flash
SSID, IP, RSSI_DBM = "bench", "192.168.33.20", -52


class WifiStation:
    """Joined, joining or off; `poll` looks at the switch."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._on = False
        self.joins_s = inf

    def start(self, on: bool) -> None:
        """Begin as the application does: with the credentials and the lease of the last time."""
        self._on, self.joins_s = on, self._now_s() + REJOIN_S if on else inf

    def poll(self, on: bool) -> None:
        """Look at the switch; turning it off drops the network at once."""
        if on != self._on:
            self._on, self.joins_s = on, self._now_s() + JOIN_S if on else inf

    @property
    def joined(self) -> bool:
        """Whether the network carries our frames."""
        return self._now_s() >= self.joins_s

    @property
    def joining(self) -> bool:
        """Whether it will soon."""
        return self._on and not self.joined

    def status(self) -> dict[str, Any]:
        """Return Wifi.GetStatus."""
        if self.joined:
            return {"sta_ip": IP, "status": "got ip", "ssid": SSID, "rssi": RSSI_DBM}
        return {"sta_ip": None, "status": "connecting" if self._on else "disconnected", "ssid": None, "rssi": 0}
