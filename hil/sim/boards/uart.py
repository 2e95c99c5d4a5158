"""The unit's UART0: bytes take their time on the wire, 115200 8N1."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hil.sim.world import World

BYTE_S = 10 / 115200


class Uart:
    """Both directions of the console; `received` is called with bytes when they have arrived at the MCU."""

    def __init__(self, world: World, received: Callable[[bytes], None]) -> None:
        self._world = world
        self._received = received
        self._out: deque[tuple[float, bytes]] = deque()  # start on the wire, bytes
        self._out_busy_s = 0.0
        self._in_busy_s = 0.0

    def send(self, data: bytes) -> None:
        """Queue bytes from the MCU."""
        start_s = max(self._world.now_s, self._out_busy_s)
        self._out.append((start_s, data))
        self._out_busy_s = start_s + len(data) * BYTE_S

    def cut(self) -> None:
        """Lose what is not on the wire yet: the MCU was reset."""
        kept = deque((start_s, data[: self._complete(start_s, data)]) for start_s, data in self._out)
        self._out = deque((start_s, data) for start_s, data in kept if data)
        self._out_busy_s = self._world.now_s

    def take(self) -> bytes:
        """Return the bytes that completed on the wire since the last call."""
        taken = bytearray()
        while self._out:
            start_s, data = self._out[0]
            count = self._complete(start_s, data)
            taken += data[:count]
            if count < len(data):
                if count:
                    self._out[0] = (start_s + count * BYTE_S, data[count:])
                break
            self._out.popleft()
        return bytes(taken)

    def put(self, data: bytes) -> None:
        """Put bytes from the tester on the wire; they arrive together when the last one has."""
        if not data:
            return
        self._in_busy_s = max(self._world.now_s, self._in_busy_s) + len(data) * BYTE_S
        self._world.at(self._in_busy_s, lambda: self._received(data))

    def _complete(self, start_s: float, data: bytes) -> int:
        return max(0, min(len(data), int((self._world.now_s - start_s) / BYTE_S + 1e-6)))
