"""How the ATM90E26 writes numbers into 16-bit words: unsigned, two's complement, and sign-magnitude.

Ref: Atmel-46002B, M90E26 datasheet [DS26] chapter 5; the mixture of signs is the trap public drivers fall into.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from hil.errors import OutOfRange

WORD = 0x10000


class Sign(Enum):
    """Where a word keeps its sign."""

    UNSIGNED = "unsigned"
    TWOS_COMPLEMENT = "two's complement"
    SIGN_MAGNITUDE = "sign-magnitude"


def signed(word: int) -> int:
    """Return the word read as two's complement, -32768 .. 32767."""
    return word - WORD if word & 0x8000 else word


def twos_complement(value: int) -> int:
    """Return the two's complement word of -32768 .. 32767."""
    if not -0x8000 <= value <= 0x7FFF:
        raise OutOfRange("16-bit two's complement", value, -0x8000, 0x7FFF)
    return value & 0xFFFF


@dataclass(frozen=True, slots=True)
class Codec:
    """A word's scale and sign: value = counts * lsb, in unit."""

    sign: Sign
    lsb: float
    unit: str
    fine: bool = False  # its low 16 bits are latched in register LSB (08H) when it is read

    @property
    def low(self) -> float:
        """The lowest value that a word can hold, in unit."""
        return {Sign.UNSIGNED: 0, Sign.TWOS_COMPLEMENT: -0x8000, Sign.SIGN_MAGNITUDE: -0x7FFF}[self.sign] * self.lsb

    @property
    def high(self) -> float:
        """The highest value that a word can hold, in unit."""
        return (0xFFFF if self.sign is Sign.UNSIGNED else 0x7FFF) * self.lsb

    def decode(self, word: int, lsb_word: int = 0) -> float:
        """Return the value of word, in unit; lsb_word refines it to 1/65536 of a count [DS26 08H]."""
        if not 0 <= word < WORD:
            raise OutOfRange("16-bit word", word, 0, WORD - 1)
        if self.sign is Sign.SIGN_MAGNITUDE:
            magnitude = word & 0x7FFF
            return (-magnitude if word & 0x8000 else magnitude) * self.lsb
        counts = signed(word) if self.sign is Sign.TWOS_COMPLEMENT else word
        # word and LSB together are one 32-bit number, so the fraction adds upwards for negative words too [A]
        return (counts + lsb_word / WORD) * self.lsb

    def encode(self, value: float) -> int:
        """Return the nearest word for value, in unit."""
        if not self.low - self.lsb / 2 <= value <= self.high + self.lsb / 2:
            raise OutOfRange(f"{self.sign.value} word, {self.unit or 'counts'}", value, self.low, self.high)
        counts = round(value / self.lsb)
        if self.sign is Sign.SIGN_MAGNITUDE:
            return abs(counts) | (0x8000 if counts < 0 else 0)
        return counts & 0xFFFF

    def encode_fine(self, value: float) -> tuple[int, int]:
        """Return (word, LSB word) for value, in unit; bits 7-0 of the LSB word are always 0 [DS26 08H]."""
        counts = math.floor(value / self.lsb * 256 + 1e-5)  # the chip cuts off; the rest is only floating point
        return (counts >> 8) & 0xFFFF, (counts & 0xFF) << 8


WORD_CODEC = Codec(Sign.UNSIGNED, 1.0, "")
CURRENT = Codec(Sign.UNSIGNED, 1e-3, "A", fine=True)
VOLTAGE = Codec(Sign.UNSIGNED, 1e-2, "V", fine=True)
ACTIVE_POWER = Codec(Sign.TWOS_COMPLEMENT, 1.0, "W", fine=True)
REACTIVE_POWER = Codec(Sign.TWOS_COMPLEMENT, 1.0, "var", fine=True)
APPARENT_POWER = Codec(Sign.TWOS_COMPLEMENT, 1.0, "VA", fine=True)  # bit 15 always 0
FREQUENCY = Codec(Sign.UNSIGNED, 1e-2, "Hz")
POWER_FACTOR = Codec(Sign.SIGN_MAGNITUDE, 1e-3, "")
ANGLE = Codec(Sign.SIGN_MAGNITUDE, 0.1, "deg")
ENERGY = Codec(Sign.UNSIGNED, 0.1, "pulse")
OFFSET = Codec(Sign.TWOS_COMPLEMENT, 1.0, "")
GAIN = Codec(Sign.TWOS_COMPLEMENT, 2.0**-15, "")
