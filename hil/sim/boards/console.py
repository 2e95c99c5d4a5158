"""RPC frames and human log lines on one serial line.

Ref: mongoose-os-libs/rpc-uart: three double quotes, JSON, 8 hex digits of CRC32, three double quotes; 0x04 handshakes;
logging pauses while a frame is in flight (facts smart-power 6.5). The CRC may be missing in what the firmware receives;
it is in everything that the firmware sends.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

QUOTES = b'"""'
HANDSHAKE = b"\x04"
FRAME_TIMEOUT_S = 3.0  # a frame that does not end is given up [A]
MAX_BYTES = 8192
CHECKED = re.compile(rb"(?s)(.*\})\s*([0-9a-fA-F]{8})?\s*")


class ConsoleFrames:
    """Finds frames in what is received, answers them, and lets log lines wait meanwhile."""

    def __init__(
        self,
        now_s: Callable[[], float],
        transmit: Callable[[bytes], None],
        answer: Callable[[Any], dict[str, Any]],
    ) -> None:
        self._now_s, self._transmit, self._answer = now_s, transmit, answer
        self._buffer = b""
        self._opened_s: float | None = None
        self._waiting: list[bytes] = []

    def log(self, line: bytes) -> None:
        """Print for humans, now or after the frame in flight."""
        if self._opened_s is not None and self._now_s() - self._opened_s < FRAME_TIMEOUT_S:
            self._waiting.append(line)
            return
        self._close()
        self._transmit(line)

    def feed(self, data: bytes) -> None:
        """Take received bytes; outside a frame, a handshake is answered and everything else is ignored."""
        if self._opened_s is not None and self._now_s() - self._opened_s >= FRAME_TIMEOUT_S:
            self._close()
        parts = data.split(HANDSHAKE)
        self._take(parts[0])
        for part in parts[1:]:
            self._close()  # it ends whatever came before it
            self._transmit(HANDSHAKE)
            self._take(part)

    def _take(self, data: bytes) -> None:
        self._buffer += data
        while (opening := self._buffer.find(QUOTES)) >= 0:
            if self._opened_s is None:
                self._opened_s = self._now_s()
            body, found, rest = self._buffer[opening + 3 :].partition(QUOTES)
            if not found:
                if len(self._buffer) > MAX_BYTES:
                    self._close()
                return
            self._buffer = rest
            self._reply(body)
            self._opened_s = None
            self._flush()
        self._buffer = self._buffer[-2:]

    def _reply(self, body: bytes) -> None:
        match = CHECKED.fullmatch(body.strip())
        if not match or (match[2] and int(match[2], 16) != zlib.crc32(match[1])):
            return  # a damaged frame gets no answer: nobody knows who sent it
        try:
            request = json.loads(match[1])
        except (ValueError, RecursionError):
            return
        text = json.dumps(self._answer(request), separators=(",", ":")).encode()
        self._transmit(QUOTES + text + b"%08x" % zlib.crc32(text) + QUOTES + b"\r\n")

    def _close(self) -> None:
        self._buffer, self._opened_s = b"", None
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._transmit(line)
