"""Frames of RPC over a serial console, among whatever else is printed there.

Ref: Mongoose OS rpc-uart: three double quotes, a JSON object, eight hex digits of its CRC-32, three double quotes. The
firmware adds the CRC to everything it sends and checks it where it is given. Here it is a must: without it a line that
loses two digits of a number leaves JSON that is as good as before.
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
    body = json.dumps(message, separators=(",", ":")).encode()
    return HANDSHAKE + QUOTES + body + b"%08x" % zlib.crc32(body) + QUOTES


class FrameParser:
    """Splits a byte stream into JSON objects and text; never raises, never waits for what may not come."""

    def __init__(self) -> None:
        self._buffer = b""
        self._damaged: list[str] = []
        self._ending = False  # the buffer begins with quotes that ended a damaged frame
        self._spent = 0  # the buffer begins with quotes that ended a frame: no text, but they may open the next

    def feed(self, data: bytes) -> tuple[list[dict[str, Any]], bytes]:
        """Return the frames that are complete now, and the text around them; how the stream is cut changes neither."""
        self._buffer += data
        frames: list[dict[str, Any]] = []
        text = bytearray()
        while opening := OPENING.search(self._buffer):
            text += self._take(opening.start())
            end = self._buffer.find(QUOTES, len(QUOTES))
            if end < 0 and len(self._buffer) < MAX_FRAME_BYTES + len(QUOTES):
                return frames, bytes(text)
            if not 0 <= end <= MAX_FRAME_BYTES:
                text += self._take(len(QUOTES))  # nothing is that long: it was no opening
                continue
            message = _decode(self._buffer[len(QUOTES) : end])
            if isinstance(message, str):  # cut short by a reset, or noise: what ended it may open the next one
                if not self._spent:
                    self._damaged.append(message)
                text += self._take(end)
                self._ending = True
                continue
            frames.append(message)
            self._buffer, self._spent = self._buffer[end:], len(QUOTES)
        tail = TAIL.search(self._buffer)
        text += self._take(tail.start() if tail else len(self._buffer))
        return frames, bytes(text)

    @property
    def is_open(self) -> bool:
        """Whether a frame has begun, or its quotes have, and not ended."""
        left = self._buffer.strip()
        return bool(left) and not self._spent and not (self._ending and left == QUOTES)

    def give_up(self) -> bytes:
        """Return as text what was held back for the rest of a frame."""
        return self._take(len(self._buffer))

    def take_damaged(self) -> list[str]:
        """Return what was wrong with each frame that was none, once."""
        damaged, self._damaged = self._damaged, []
        return damaged

    def _take(self, length: int) -> bytes:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        self._ending = self._ending and not length
        spent, self._spent = self._spent, max(0, self._spent - length)
        return taken[spent:]


def _decode(body: bytes) -> dict[str, Any] | str:
    """Return the message, or what is wrong with it."""
    body = body.strip()
    body, check = body[:-CRC_DIGITS].rstrip(), body[-CRC_DIGITS:]
    if not re.fullmatch(rb"[0-9a-fA-F]{8}", check) or not body.endswith(b"}"):
        return "a frame came without its CRC"
    if int(check, 16) != zlib.crc32(body):
        return "a frame came damaged: its CRC is wrong"
    try:
        message = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested to death
        return "a frame came that is no JSON"
    return message if isinstance(message, dict) else "a frame came that is no object"


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
