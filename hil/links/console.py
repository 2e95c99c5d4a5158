"""The unit's serial console, 115200 baud 8N1, on port 3 of the fixture."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from hil.clock import Clock
from hil.links.frames import FrameParser
from hil.links.ftdi import LATENCY_MS, FtdiPort, ftdi_errors

BAUD = 115_200
READ_BYTES = 2048  # the chip's FIFO: it holds 178 ms of a busy line
PAUSE_S = 0.01  # between two looks: 115 bytes of a busy line
MAX_LINE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line for humans, and the bench time at which it was complete."""

    t_s: float
    text: str


class Console:
    """Reads with deadlines in bench time; keeps every human line and every RPC frame apart."""

    def __init__(self, who: str, resource: str, clock: Clock, port: int = 3) -> None:
        self.lines: list[ConsoleLine] = []
        self._clock = clock
        self._lock = threading.RLock()
        self._parser = FrameParser()
        self._frames: deque[dict[str, Any]] = deque()
        self._line = bytearray()
        self._port = FtdiPort(who, resource, port)
        self.who, self.where = who, self._port.where
        try:
            with ftdi_errors(who, self.where):
                chip = self._port.chip
                chip.open_from_device(self._port.device, self._port.number)
                chip.set_latency_timer(LATENCY_MS)
                chip.set_flowctrl("")
                chip.set_line_property(8, 1, "N")
                chip.set_baudrate(BAUD)
        except BaseException:
            self._port.close()
            raise

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def write(self, data: bytes) -> None:
        """Send data; returns when the adapter has it, not when the line is quiet."""
        with self._lock, ftdi_errors(self.who, self.where, "write"):
            self._port.chip.write_data(data)

    def read(self, deadline_s: float) -> bytes:
        """Return what comes first within deadline_s of bench time, or nothing; 0 only empties the adapter."""
        end_s = self._clock.now_s() + deadline_s if deadline_s > 0 else 0.0
        while True:
            with self._lock:
                with ftdi_errors(self.who, self.where, "read"):
                    data = bytes(self._port.chip.read_data_bytes(READ_BYTES, 1))
                if data:
                    self._keep(data)
            if data or deadline_s <= 0:
                return data
            left_s = end_s - self._clock.now_s()
            if left_s <= 0:
                return b""
            self._clock.sleep(min(PAUSE_S, left_s))

    def take_frames(self) -> list[dict[str, Any]]:
        """Return the RPC frames read so far, once."""
        with self._lock:
            frames = list(self._frames)
            self._frames.clear()
            return frames

    def _keep(self, data: bytes) -> None:
        frames, text = self._parser.feed(data)
        self._frames += frames
        self._line += text
        while (end := self._line.find(b"\n")) >= 0 or len(self._line) > MAX_LINE_BYTES:
            cut = end if end >= 0 else MAX_LINE_BYTES
            line = self._line[:cut].decode("utf-8", "replace").strip("\r\x04")
            del self._line[: cut + (end >= 0)]
            if line:
                self.lines.append(ConsoleLine(self._clock.now_s(), line))
