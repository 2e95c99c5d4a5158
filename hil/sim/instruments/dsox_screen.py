"""The scope's screen as a PNG: a grid and the traces, nothing else.

Ref: Portable Network Graphics (PNG) specification, second edition, chapter 5
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 800, 480
DIVISIONS_X, DIVISIONS_Y = 10, 8
COLOURS = {1: (255, 220, 0), 2: (0, 220, 0), 3: (80, 140, 255), 4: (255, 90, 160)}  # as the channels' keys


def draw(divisions: Mapping[int, NDArray[np.float64]]) -> bytes:
    """Return a PNG of the traces: by channel, (n,) float64 divisions above the middle, evenly spread."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:: HEIGHT // DIVISIONS_Y, :, :] = 60
    pixels[:, :: WIDTH // DIVISIONS_X, :] = 60
    for channel, trace in divisions.items():
        columns = np.linspace(0, WIDTH - 1, len(trace)).astype(np.intp)
        rows = np.rint(HEIGHT / 2 - trace * HEIGHT / DIVISIONS_Y).astype(np.intp)
        seen = (rows >= 0) & (rows < HEIGHT)
        pixels[rows[seen], columns[seen]] = COLOURS[channel]
    lines = np.concatenate([np.zeros((HEIGHT, 1), dtype=np.uint8), pixels.reshape(HEIGHT, -1)], axis=1)
    header = struct.pack("!2I5B", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(lines.tobytes()))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
