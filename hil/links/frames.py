"""Frames of RPC over a serial console, among whatever else is printed there.

Ref: Mongoose OS rpc-uart: three double quotes, a JSON object, perhaps eight hex digits of CRC-32, three double quotes
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

QUOTES = b'"""'
HANDSHAKE = b"\x04"
MAX_FRAME_BYTES = 65_536
# white space between quotes and brace is bounded, so that no input makes these slow
OPENING = re.compile(rb'"""(?=\s{0,200}\{)')
TAIL = re.compile(rb'"""\s{0,200}\Z|"{1,2}\Z')  # what may yet become an opening
CRC_DIGITS = 8


def encode_frame(message: dict[str, Any]) -> bytes:
    """Wrap a message. The handshake byte in front ends whatever the unit was reading before."""
    return HANDSHAKE + QUOTES + json.dumps(message, separators=(",", ":")).encode() + QUOTES


class FrameParser:
    """Splits a byte stream into JSON objects and text; never raises, never waits for what may not come."""

    def __init__(self) -> None:
        self._buffer = b""
        self._spent = False  # the buffer begins with quotes that ended a frame: no text, but they may open the next

    def feed(self, data: bytes) -> tuple[list[dict[str, Any]], bytes]:
        """Return the frames that are complete now, and the text around them."""
        self._buffer += data
        frames: list[dict[str, Any]] = []
        text = bytearray()
        while opening := OPENING.search(self._buffer):
            if opening.start():
                text += self._take(opening.start())
            end = self._buffer.find(QUOTES, len(QUOTES))
            if end < 0:
                if len(self._buffer) <= MAX_FRAME_BYTES:
                    return frames, bytes(text)
                text += self._take(len(QUOTES))  # nothing is that long: it was no opening
                continue
            message = _decode(self._buffer[len(QUOTES) : end])
            if message is None:  # cut short by a reset, or noise: what ended it may open the next one
                text += self._take(end)
                continue
            frames.append(message)
            self._buffer, self._spent = self._buffer[end:], True
            if self._buffer[len(QUOTES) :].lstrip()[:1] not in {b"", b"{"}:
                self._take(len(QUOTES))
        tail = TAIL.search(self._buffer)
        text += self._take(tail.start() if tail else len(self._buffer))
        return frames, bytes(text)

    def _take(self, length: int) -> bytes:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        if self._spent and length:
            taken, self._spent = taken[len(QUOTES) :], False
        return taken


def _decode(body: bytes) -> dict[str, Any] | None:
    body = body.strip()
    if not body.endswith(b"}"):
        body, check = body[:-CRC_DIGITS].rstrip(), body[-CRC_DIGITS:]
        if not re.fullmatch(rb"[0-9a-fA-F]{8}", check) or int(check, 16) != zlib.crc32(body):
            return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested to death
        return None
    return message if isinstance(message, dict) else None
