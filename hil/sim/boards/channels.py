"""The persistent RPC channels of the firmware: each gets its answers, and is told what changes.

Ref: Shelly Gen2 API, Notifications (facts smart-power 6.5): a channel is told of changes once it has named itself by
the "src" of a request. Complete status on connect (NotifyFullStatus) is for outbound channels, which this unit lacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.sim.boards.firmware import Firmware

MOST = 6  # facts smart-power 6.5

Frame = dict[str, Any]


class Channel:
    """One peer that stays connected, over "wifi" or "ethernet"."""

    def __init__(self, channels: Channels, via: str, send: Callable[[str], None], hang_up: Callable[[], None]) -> None:
        self._channels, self._send, self._hang_up = channels, send, hang_up
        self.via = via
        self.peer: str | None = None  # what it calls itself

    def received(self, text: str) -> None:
        """Answer a frame; one that comes over a network that is no more ends the channel."""
        try:
            frame = json.loads(text)
        except ValueError:
            frame = None
        self._channels.answer(self, frame)

    def send(self, frame: Frame) -> None:
        """Send a frame."""
        self._send(json.dumps(frame, separators=(",", ":")))

    def end(self) -> None:
        """Let it go."""
        self._channels.forget(self)
        self._hang_up()


class Channels:
    """All of them; `look` tells them what has changed since it last did."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware
        self._open: list[Channel] = []
        self._told: dict[str, Any] = {}

    def open(self, via: str, send: Callable[[str], None], hang_up: Callable[[], None]) -> Channel | None:
        """Take a peer; None when nobody is there, or no channel is free."""
        if len(self._open) >= MOST or not self._firmware.reachable(via):
            return None
        channel = Channel(self, via, send, hang_up)
        self._open.append(channel)
        return channel

    def answer(self, channel: Channel, frame: Any) -> None:
        """Answer a request on a channel."""
        if channel not in self._open or not self._firmware.reachable(channel.via):
            channel.end()
            return
        if isinstance(frame, dict) and isinstance(frame.get("src"), str):
            if not self._told:
                self._told = self._seen()
            channel.peer = frame["src"]
        channel.send(self._firmware.rpc.answer(frame))

    def forget(self, channel: Channel) -> None:
        """Take a channel off the list."""
        if channel in self._open:
            self._open.remove(channel)

    def close(self) -> None:
        """End them all: the firmware goes."""
        for channel in list(self._open):
            channel.end()

    def look(self) -> None:
        """Tell every channel what changed."""
        for channel in list(self._open):
            if not self._firmware.reachable(channel.via):
                channel.end()
        listening = [channel for channel in self._open if channel.peer is not None]
        if not listening:
            self._told = {}
            return
        now = self._seen()
        changed = {key: _difference(self._told.get(key, {}), status) for key, status in now.items()}
        params = {key: status for key, status in changed.items() if status}
        self._told = now
        if params:
            notice = {
                "src": self._firmware.device_id,
                "method": "NotifyStatus",
                "params": {"ts": self._firmware.uptime_s(), **params},  # no clock on the board: seconds since reset
            }
            for channel in listening:
                channel.send({**notice, "dst": channel.peer})

    def _seen(self) -> dict[str, Any]:
        """Return what is worth telling: neither the seconds that pass nor every tenth of a degree."""
        status = self._firmware.rpc.call("Shelly.GetStatus", None)
        return {
            key: {name: value for name, value in part.items() if name != "temperature"}
            for key, part in status.items()
            if key != "sys" and not key.startswith("temperature:")
        }


def _difference(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in now.items() if before.get(key) != value and key != "id"}
    return {"id": now["id"], **changed} if changed and "id" in now else changed
