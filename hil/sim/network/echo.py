"""The unit's UDP echo on its wired port (RFC 862): as fast as its SPI Ethernet is, and no faster.

All times are bench times: a datagram comes onto the unit's wire behind the one before it, at the link's speed, waits in
the MAC's buffer, and its echo leaves when the firmware has carried it in and out over SPI.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hil.sim.network.datagrams import DatagramServer
from hil.sim.network.network import SMALLEST, Network

if TYPE_CHECKING:
    from hil.sim.bench import Bench

CAPACITY_BIT_PER_S = 12e6  # of frames echoed, W5500 on a 20 MHz SPI [A]
QUEUE = 16  # frames waiting [A]
HEADERS = 14 + 20 + 8 + 4  # Ethernet, IP, UDP, check sequence
GAP = 8 + 12  # octets of preamble and gap around a frame


class EchoServer(DatagramServer):
    """Sends back what arrives, late, or not at all."""

    def __init__(self, bench: Bench, network: Network) -> None:
        super().__init__()
        self._world, self._unit, self._network = bench.world, bench.unit, network
        self._wire_free_s = self._done_s = 0.0
        self._waiting: deque[float] = deque()  # when each frame in the buffer will have been carried
        self.lost = 0
        self._world.on_wait(self.drain)

    def received(self, data: bytes, peer: tuple[str, int]) -> None:
        octets = max(SMALLEST, len(data) + HEADERS)
        if not self._network.to_unit(octets) or not self._unit.reachable("ethernet"):
            return
        arrives_s = max(self._world.now_s, self._wire_free_s) + 8 * (octets + GAP) / self._network.bit_per_s
        self._wire_free_s = arrives_s
        while self._waiting and self._waiting[0] <= arrives_s:
            self._waiting.popleft()
        if len(self._waiting) >= QUEUE:
            self.lost += 1
            return
        self._done_s = max(arrives_s, self._done_s) + 8 * octets / CAPACITY_BIT_PER_S
        self._waiting.append(self._done_s)
        self._world.at(self._done_s, lambda: self._echo(data, octets, peer))

    def _echo(self, data: bytes, octets: int, peer: tuple[str, int]) -> None:
        if self._unit.reachable("ethernet") and self._network.from_unit(octets) and not self.dead:
            self.send(data, peer)
