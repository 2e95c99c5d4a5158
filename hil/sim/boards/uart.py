"""The unit's UART0: bytes take their time on the wire, 115200 8N1. The wire to the tester may be a bad one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from hil.sim.world import World

BYTE_S = 10 / 115200
FRAME = b'"""'
NOISE, HALF_FRAME, REBOOTS = "console-noise", "console-half-frame", "console-reboots"
NOISE_EVERY_S = 0.1  # on the average
NOISE_BYTES = 24  # at most
DISTURBING = b'"{}\x00\x04\xff\xfe\r\n'  # half of the noise is made of these


class Uart:
    """Both directions of the console; `received` is called with bytes when they have arrived at the MCU."""

    def __init__(self, world: World, received: Callable[[bytes], None], reset: Callable[[], None]) -> None:
        self._world = world
        self._received, self._reset = received, reset
        self._out: deque[tuple[float, bytes]] = deque()  # start on the wire, bytes
        self._out_busy_s = 0.0
        self._in_busy_s = 0.0
        self._happened: set[str] = set()  # faults that act once
        self._rng = world.rng("console", "noise")
        self._noisy = False
        world.on_fault(self._fault_began)
        self._fault_began(NOISE)

    def send(self, data: bytes) -> None:
        """Queue bytes from the MCU."""
        start_s, middle = self._place(len(data)), len(data) // 2
        if data.startswith(FRAME) and self._once(REBOOTS):
            self._world.at(start_s + middle * BYTE_S, self._reset)
        if data.startswith(FRAME) and self._once(HALF_FRAME):
            data = data[:middle]
        self._out.append((start_s, data))

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

    def _place(self, count: int) -> float:
        """Reserve the wire for so many bytes, behind what is on it; return when they begin."""
        start_s = max(self._world.now_s, self._out_busy_s)
        self._out_busy_s = start_s + count * BYTE_S
        return start_s

    def _complete(self, start_s: float, data: bytes) -> int:
        return max(0, min(len(data), int((self._world.now_s - start_s) / BYTE_S + 1e-6)))

    # -- a bad wire --------------------------------------------------------------------------------------------------

    def _once(self, fault: str) -> bool:
        """Return whether a fault acts now; it acts once."""
        acts = fault not in self._happened and self._world.fault(fault)
        if acts:
            self._happened.add(fault)
        return acts

    def _fault_began(self, name: str) -> None:
        if name == NOISE and self._world.fault(NOISE) and not self._noisy:
            self._noisy = True
            self._burst()

    def _burst(self) -> None:
        """Pick up noise when the line is idle next, and again some time later."""
        data = self._noise(int(self._rng.integers(1, NOISE_BYTES + 1)))
        self._out.append((self._place(len(data)), data))
        self._world.at(self._world.now_s + float(self._rng.exponential(NOISE_EVERY_S)), self._burst)

    def _noise(self, count: int) -> bytes:
        any_byte = self._rng.integers(256, size=count)
        disturbing = self._rng.choice(list(DISTURBING), size=count)
        return bytes(np.where(self._rng.random(count) < 0.5, any_byte, disturbing).astype(np.uint8))
