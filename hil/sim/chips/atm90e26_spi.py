"""The SPI pins of an ATM90E26, edge by edge, four-wire.

Ref: Atmel-46002B [DS26] section 4.1, Tables 8 and 11. T is the crystal period, 122 ns; minima below are its sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

CS_HIGH_S = 3.67e-6  # tCSH, between frames
CS_SETUP_S = 0.376e-6  # tCSS
CS_HOLD_S = 3.67e-6  # tCSD, from the last rising SCLK [A]
CLOCK_HIGH_S = 3.67e-6  # tCLH
CLOCK_LOW_S = 1.962e-6  # tCLL
DATA_SETUP_S = 0.376e-6  # tDIS
DATA_HOLD_S = 2.694e-6  # tDIH
OUTPUT_DELAY_S = 1.85e-6  # tPD
IDLE_TIMEOUT_S = 6e-3
SLACK_S = 2e-9  # edge times are floats: a minimum met exactly must pass
NEVER_S = -1.0


class Registers(Protocol):
    """What the pins need of the chip behind them."""

    def fetch(self, t_s: float, address: int) -> int:
        """Return the word that a read shifts out."""
        ...

    def read_done(self, t_s: float, address: int, word: int) -> None:
        """Take note that all 24 clocks of a read came."""
        ...

    def write(self, t_s: float, address: int, word: int) -> None:
        """Perform a write."""
        ...


class SpiSlave:
    """Samples SDI on rising SCLK, changes SDO on falling SCLK; drives SDO in the data phase of a read only."""

    def __init__(self, registers: Registers, violation: Callable[[str], None]) -> None:
        self._registers = registers
        self._violation = violation
        self.selected = False
        self._bits = 0
        self._shifted = 0
        self._word = 0
        self._garbled = ""
        self._timed_out = False
        self._cs_s = NEVER_S
        self._rise_s = self._fall_s = self._data_s = NEVER_S
        self._edge_s = NEVER_S
        self._sdo: bool | None = None
        self._sdo_before: bool | None = None

    def reset(self) -> None:
        """Forget a frame in flight, as a power-on does."""
        self.selected = False
        self._sdo = self._sdo_before = None

    def select(self, t_s: float) -> None:
        """Begin a frame: CS falls."""
        self._garbled = "tCSH" if self._cs_s >= 0 and t_s - self._cs_s < CS_HIGH_S - SLACK_S else ""
        self.selected, self._cs_s, self._edge_s = True, t_s, t_s
        self._bits = self._shifted = self._word = 0
        self._timed_out = False
        self._rise_s = self._fall_s = NEVER_S
        self._sdo = self._sdo_before = None

    def deselect(self, t_s: float) -> None:
        """End a frame: CS rises; this is when a write of exactly 24 clocks is performed."""
        self.selected = False
        self._sdo = self._sdo_before = None
        if t_s - self._edge_s > IDLE_TIMEOUT_S:
            self._timed_out = True
        if self._rise_s >= 0 and t_s - self._rise_s < CS_HOLD_S - SLACK_S:
            self._garbled = self._garbled or "tCSD"
        if self._garbled and self._bits:
            self._violation(self._garbled)
        self._cs_s = t_s
        is_write = not self._shifted >> max(0, self._bits - 1) & 1
        if is_write and self._bits == 24 and not self._timed_out and not self._garbled:
            self._registers.write(t_s, self._shifted >> 16 & 0x7F, self._shifted & 0xFFFF)

    def garble(self, why: str) -> None:
        """Spoil the frame in flight: somebody else drives the bus too."""
        self._garbled = self._garbled or why

    def data_changed(self, t_s: float) -> None:
        """Note an edge of SDI."""
        self._data_s = t_s
        if self._rise_s >= 0 and t_s - self._rise_s < DATA_HOLD_S - SLACK_S:
            self._garbled = self._garbled or "tDIH"

    def rise(self, t_s: float, sdi: bool) -> None:
        """Sample SDI."""
        if t_s - self._edge_s > IDLE_TIMEOUT_S:
            self._timed_out = True
        if self._bits == 0:
            if t_s - self._cs_s < CS_SETUP_S - SLACK_S:
                self._garbled = self._garbled or "tCSS"
        elif t_s - self._fall_s < CLOCK_LOW_S - SLACK_S:
            self._garbled = self._garbled or "tCLL"
        if self._bits < 24 and t_s - self._data_s < DATA_SETUP_S - SLACK_S:
            self._garbled = self._garbled or "tDIS"
            sdi = not sdi
        self._edge_s = self._rise_s = t_s
        self._bits += 1
        bits = self._bits
        if bits <= 24:
            self._shifted = self._shifted << 1 | sdi
            if bits == 8 and self._shifted & 0x80:
                self._word = self._registers.fetch(t_s, self._shifted & 0x7F)
            elif bits == 24 and self._shifted & 0x800000 and not self._garbled:
                self._registers.read_done(t_s, self._shifted >> 16 & 0x7F, self._word)

    def fall(self, t_s: float) -> None:
        """Change SDO."""
        if t_s - self._edge_s > IDLE_TIMEOUT_S:
            self._timed_out = True
        if self._rise_s >= 0 and t_s - self._rise_s < CLOCK_HIGH_S - SLACK_S:
            self._garbled = self._garbled or "tCLH"
        self._edge_s = self._fall_s = t_s
        bits = self._bits
        if 8 <= bits < 24 and self._shifted >> (bits - 1) & 1:
            word = self._word if not self._garbled else self._word ^ 0x5AA5  # what comes out is not the register
            self._sdo_before, self._sdo = self._sdo, bool(word >> (23 - bits) & 1)
        else:
            self._sdo_before = self._sdo if bits >= 24 else None
            self._sdo = None

    def output(self, t_s: float) -> bool | None:
        """Return the level that SDO drives, or None when it is high-impedance."""
        return self._sdo if t_s - self._fall_s >= OUTPUT_DELAY_S - SLACK_S else self._sdo_before
