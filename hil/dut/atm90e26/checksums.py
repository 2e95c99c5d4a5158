"""CS1 and CS2: what the chip compares its calibration with.

Ref: [DS26] pages of 2CH and 3BH: low byte = sum of all bytes modulo 256, high byte = XOR of the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable


def checksum(words: Iterable[int]) -> int:
    """Return the checksum of the given register words: of 21H-2BH it is CS1, of 31H-3AH it is CS2."""
    total = parity = 0
    for word in words:
        for byte in (word >> 8, word & 0xFF):
            total += byte
            parity ^= byte
    return parity << 8 | total & 0xFF
