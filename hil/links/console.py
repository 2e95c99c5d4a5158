"""The unit's serial console, 115200 baud 8N1, on port 3 of the fixture. What it keeps has no secrets in it."""

from __future__ import annotations

import codecs
import re
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from hil.clock import Clock
from hil.links.frames import QUOTES, FrameParser
from hil.links.ftdi import LATENCY_MS, TRANSFER_S, FtdiPort, ftdi_errors
from hil.links.redact import Redactor

BAUD = 115_200
READ_BYTES = 2048  # the chip's FIFO: it holds 178 ms of a busy line
PAUSE_S = 0.01  # between two looks: 115 bytes of a busy line
MAX_LINE_BYTES = 4096  # what goes on behind them is dropped: half a secret would not be known for one
HALF_FRAME_S = 0.25  # so long nothing comes between two bytes of one frame
LOOKS = 16  # at an adapter that is to be emptied: four times its FIFO and what the computer holds
COLOUR = re.compile("\x1b\\[[0-9;]*m")
NOISE = re.compile("[\\x00-\\x03\\x05-\\x08\\x0b\\x0c\\x0e-\\x1a\\x1c-\\x1f\\x7f\ufffd]")
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x09), *range(0x0A, 0x20), 0x7F)}


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line for humans, and the bench time at which it was complete."""

    t_s: float
    text: str


class Console:
    """Reads with deadlines in bench time; keeps every human line and every RPC frame apart."""

    def __init__(self, who: str, resource: str, clock: Clock, port: int = 3) -> None:
        self.lines: list[ConsoleLine] = []
        self.troubles: list[ConsoleLine] = []  # what came damaged, and what was asked again because of it
        self.redactor = Redactor()
        self._clock = clock
        self._lock = threading.RLock()
        self._parser = FrameParser()
        self._frames: deque[dict[str, Any]] = deque()
        self._line = bytearray()
        self._dropping = False  # the rest of a line that is too long
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._heard_s = 0.0  # the last byte of a frame that is not over
        self._port = FtdiPort(who, resource, port)
        self.who, self.where = who, self._port.where
        try:
            with ftdi_errors(who, self.where):
                chip = self._port.chip
                chip.open_from_device(self._port.device, self._port.number)
                self._port.allow(TRANSFER_S)
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
                elif self._parser.is_open and self._clock.now_s() - self._heard_s >= HALF_FRAME_S:
                    self.end_half_frame()
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

    def forget(self) -> None:
        """Empty the adapter, and drop all frames, whole and half: they answer nothing that is asked from now on."""
        for _ in range(LOOKS):
            if not self.read(0.0):
                break
        with self._lock:
            self._frames.clear()
            if self._parser.is_open:
                self._keep_text(self._parser.give_up())

    def end_half_frame(self) -> None:
        """Take what has come of a frame for text: its rest is not waited for any more."""
        with self._lock:
            if self._parser.is_open:
                self.trouble("a frame stopped in its middle")
                self._keep_text(self._parser.give_up())

    def trouble(self, text: str) -> None:
        """Put on record that the line is not as it should be."""
        self.troubles.append(ConsoleLine(self._clock.now_s(), text))

    def _keep(self, data: bytes) -> None:
        frames, text = self._parser.feed(data)
        self._frames += frames
        damaged = self._parser.take_damaged()
        if QUOTES in text and not damaged:
            damaged = ["a frame came without its begin"]
        for what in damaged:
            self.trouble(what)
        if NOISE.search(self._decoder.decode(text)):
            self.trouble("noise came between the lines")
        self._keep_text(text)
        if self._parser.is_open:
            self._heard_s = self._clock.now_s()

    def _keep_text(self, text: bytes) -> None:
        self._line += text
        while (end := self._line.find(b"\n")) >= 0 or len(self._line) > MAX_LINE_BYTES:
            cut = min(end, MAX_LINE_BYTES) if end >= 0 else MAX_LINE_BYTES
            line = self._line[:cut].decode("utf-8", "replace").strip("\r\x04")
            del self._line[: end + 1 if end >= 0 else len(self._line)]
            dropped, self._dropping = self._dropping, end < 0
            if line and not dropped:
                shown = self.redactor.line(COLOUR.sub("", line)).translate(VISIBLE)
                self.lines.append(ConsoleLine(self._clock.now_s(), shown))
