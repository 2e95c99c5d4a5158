"""ATM90E26 single-phase energy meter: supply, registers, checksums, metering and measurement, at its pins.

Ref: Atmel-46002B, M90E26 datasheet [DS26], chapters 3 to 6; Atmel-46102B application note [AN26] chapters 2 to 4.
The N line has no sensor on this board: its registers stay at zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hil.sim.chips.atm90e26_metering import UPDATE_S, Correction, EnergyCounter, InputHistory, Inputs
from hil.sim.chips.atm90e26_spi import SpiSlave

# Reset values of what can be written [DS26 ch. 5].
CONFIGURATION = {0x02: 0x000C, 0x03: 0x1D6A, 0x04: 0x0000, 0x20: 0x6886, 0x30: 0x6886, 0x2C: 0x0000, 0x3B: 0x0000}
METERING = {
    0x21: 0x0015, 0x22: 0xD174, 0x23: 0x0000, 0x24: 0x0000, 0x25: 0x0000, 0x26: 0x0000,
    0x27: 0x08BD, 0x28: 0x0000, 0x29: 0x0AEC, 0x2A: 0x0000, 0x2B: 0x9422,
}  # fmt: skip
MEASUREMENT = {
    0x31: 0x6720, 0x32: 0x7A13, 0x33: 0x7530, 0x34: 0x0000, 0x35: 0x0000,
    0x36: 0x0000, 0x37: 0x0000, 0x38: 0x0000, 0x39: 0x0000, 0x3A: 0x0000,
}  # fmt: skip
ENERGY = {0x40: 0, 0x41: 1, 0x42: 2, 0x43: 0, 0x44: 1, 0x45: 2}
WITH_LSB = frozenset((0x48, 0x49, 0x4A, 0x4B, 0x4F, 0x68, 0x6A, 0x6B, 0x6F))
SOFT_RESET, SMALL_POWER, LOAD_DEFAULTS, CHECK, POWER_ON = 0x789A, 0xA987, 0x5678, 0x8765, 0x6886
L_GAIN = {0b000: 4, 0b001: 8, 0b010: 16, 0b011: 24}  # 2BH bits 15-13; 1xx is 1
CYCLE_S = 0.02  # a sag lasts at least so long
RISE_V, FALL_V, RESET_S = 2.5, 2.3, 5e-3  # power-on reset VH, VL, T1 [DS26 6.3]
# How much the registers show per millivolt at default gains: not documented, set for the nominal front end [A].
VOLTS_PER_MV = 230 / 273.484
AMPS_PER_MV = 1 / 4.8
NOISE_ROWS = 4099


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter of one update (standard deviations) and the floor of the current channel [A]."""

    relative: float = 20e-6
    u_v: float = 2e-3
    i_a: float = 0.05e-3
    p_w: float = 0.2e-3
    i_floor_a: float = 0.8e-3  # rms of the converter's own noise: adds in quadrature


class Atm90e26:
    """One meter chip. Times are the world's; they may run ahead of the last event, never behind it."""

    def __init__(
        self,
        noise_source: np.random.Generator,
        noise: Noise | None = None,
        mmd: int = 0b00,
        violation: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._noise = noise or Noise()
        self._rows = noise_source.standard_normal((NOISE_ROWS, 4)).tolist()
        self._mmd = mmd
        self._inputs = InputHistory()
        self.spi = SpiSlave(self, violation)
        self._powered = False
        self._ready_s = math.inf
        self._settled_s = 0.0
        self._reset(0.0)

    # -- pins ------------------------------------------------------------------------------------------------------

    def set_supply(self, t_s: float, supply_v: float) -> None:
        """Follow the supply: below VL everything is lost, above VH the chip starts T1 later."""
        if self._powered and supply_v < FALL_V:
            self._powered, self._ready_s = False, math.inf
            self.spi.reset()
        elif not self._powered and supply_v > RISE_V:
            self._powered, self._ready_s = True, t_s + RESET_S
            self._reset(t_s)
            self._updated = math.floor(self._ready_s / UPDATE_S)

    def set_inputs(self, t_s: float, inputs: Inputs) -> None:
        """Let new steady signals stand at the analog pins from t_s on."""
        self._settle(t_s)
        self._refresh(t_s)
        self._watch_sag(t_s)
        self._inputs.begin(t_s, inputs)
        self._watch_sag(t_s)

    def ready(self, t_s: float) -> bool:
        """Return whether the chip listens to its pins."""
        return t_s >= self._ready_s

    def exchange(self, t_s: float, frame: int) -> int | None:
        """Do one whole well-timed 24-bit frame; return the word of a read, None when nobody drives SDO."""
        if not self.ready(t_s):
            return None
        address, word = frame >> 16 & 0x7F, frame & 0xFFFF
        if frame & 0x800000:
            word = self.fetch(t_s, address)
            self.read_done(t_s, address, word)
            return word
        self.write(t_s, address, word)
        return None

    # -- the register file -----------------------------------------------------------------------------------------

    def fetch(self, t_s: float, address: int) -> int:
        """Return a register's word, without the side effects of a complete read."""
        if address in self._words:
            return self._checksum(METERING) if address == 0x2C else self._words[address]
        if address == 0x3B:
            return self._checksum(MEASUREMENT)
        if address in ENERGY:
            self._settle(t_s)
            return self._energy(address).word(ENERGY[address])
        if address == 0x01:
            self._watch_sag(t_s)
            return self._status | self._alarm()
        if address == 0x06:
            return self._last_data
        if address == 0x08:
            return self._lsb
        if address == 0x46:
            self._settle(t_s)
            return self._energy_status()
        self._refresh(t_s)
        return (self._measured.get(address, 0) >> 16) & 0xFFFF

    def read_done(self, t_s: float, address: int, word: int) -> None:
        """Do what a complete read does: LastData, LSB latch, clear-on-read."""
        self._last_data = word
        if address in WITH_LSB:
            self._lsb = self._measured.get(address, 0) & 0xFF00  # bits 7-0 are always 0 [DS26 08H]
        elif address in ENERGY:
            self._energy(address).take(ENERGY[address], word)
        elif address == 0x01:
            self._status = 0

    def write(self, t_s: float, address: int, word: int) -> None:
        """Perform a write; read-only and invalid addresses ignore it."""
        self._settle(t_s)
        self._refresh(t_s)
        self._last_data = word
        if address == 0x00:
            if word == SOFT_RESET:
                self._reset(t_s)
                self._last_data = word
            return
        if address not in self._words and address != 0x3B:
            return
        if address == 0x21:
            self._pl_high = word  # takes effect with the low word [DS26 21H]
        elif address == 0x22:
            self._words[0x21] = self._pl_high
        elif word == LOAD_DEFAULTS and address == 0x20:
            self._words.update(METERING)
            self._pl_high = METERING[0x21]
        elif word == LOAD_DEFAULTS and address == 0x30:
            self._words.update(MEASUREMENT)
        if address == 0x3B:
            self._cs2 = word
        elif address == 0x2C:
            self._cs1 = word
        elif address != 0x21:
            self._words[address] = word
        if address >= 0x20:
            self._compile()
        self._watch_sag(t_s)

    def _reset(self, t_s: float) -> None:
        self._words = CONFIGURATION | METERING | MEASUREMENT
        del self._words[0x3B]  # what is read there is computed, like CS1
        self._cs1 = self._cs2 = 0
        self._pl_high = METERING[0x21]
        self._status = self._last_data = self._lsb = 0
        self._low_since_s = math.inf
        self._active, self._reactive = EnergyCounter(), EnergyCounter()
        self._measured: dict[int, int] = {}  # register -> word << 16 | LSB
        self._updated = math.floor(t_s / UPDATE_S)
        self._settled_s = t_s
        self._compile()

    def _compile(self) -> None:
        """Turn the words into numbers, and decide what runs."""
        words = self._words
        self._metering = words[0x20] == LOAD_DEFAULTS or (words[0x20] == CHECK and self._checks(METERING, self._cs1))
        self._measuring = words[0x30] == LOAD_DEFAULTS or (
            words[0x30] == CHECK and self._checks(MEASUREMENT, self._cs2)
        )
        self._amplifier = L_GAIN.get(words[0x2B] >> 13, 1)
        self._u_gain, self._i_gain = words[0x31], words[0x32]
        self._watts_per_mv2 = VOLTS_PER_MV * AMPS_PER_MV
        # Small-power word to watts: Ugain Igain / (100000 x 2^22) [AN26]; Poffset has the same unit.
        self._small_power_w = self._u_gain * self._i_gain / (100000 * 2**22)
        phi = words[0x24] & 0x3FF
        self._correction = Correction(
            1 + _signed(words[0x23]) / 2**15,
            -phi if words[0x24] & 0x8000 else phi,
            _signed(words[0x37]) * self._small_power_w / self._watts_per_mv2,
            _signed(words[0x38]) * self._small_power_w / self._watts_per_mv2,
        )

    def _checksum(self, block: dict[int, int]) -> int:
        total = parity = 0
        for address in block:
            word = self._words[address]
            total += (word >> 8) + (word & 0xFF)
            parity ^= (word >> 8) ^ (word & 0xFF)
        return parity << 8 | total & 0xFF

    def _checks(self, block: dict[int, int], checksum: int) -> bool:
        return self._checksum(block) == checksum

    def _alarm(self) -> int:
        """CalErr and AdjErr stand as long as their cause does."""
        calibration = not self._metering and self._words[0x20] != POWER_ON
        adjustment = not self._measuring and self._words[0x30] != POWER_ON
        return 0xC000 * calibration | 0x3000 * adjustment

    def _energy_status(self) -> int:
        active, reactive = self._active, self._reactive
        flags = reactive.no_load << 15 | active.no_load << 14 | reactive.reversed << 13 | active.reversed << 12
        return flags | 1 << 11 | self._mmd

    def _energy(self, address: int) -> EnergyCounter:
        return self._active if address <= 0x42 else self._reactive

    # -- metering --------------------------------------------------------------------------------------------------

    def _settle(self, t_s: float) -> None:
        """Count the energy since the last event: inputs and registers were steady."""
        duration_s, self._settled_s = t_s - self._settled_s, max(t_s, self._settled_s)
        if not self._metering or t_s < self._ready_s:
            return
        words = self._words
        p, q = self._correction.apply(self._inputs.last)
        constant = words[0x21] << 16 | words[0x22]
        gain = self._amplifier
        if self._active.accumulate(duration_s, p * gain, constant, words[0x27], words[0x28]) and words[0x02] & 4:
            self._status |= 1 << 5  # RevPchg
        if self._reactive.accumulate(duration_s, q * gain, constant, words[0x29], words[0x2A]) and words[0x02] & 8:
            self._status |= 1 << 6  # RevQchg

    def _watch_sag(self, t_s: float) -> None:
        """SagTh holds 100 x peak volts over 4 Ugain / 32768 [AN26 2.3.2]; a sag is a cycle that stays below it."""
        words = self._words
        peak_v = words[0x03] * 4 * self._u_gain / 32768 / 100
        watched = words[0x02] & 0x20 and self._measuring
        if not (watched and self._volts(self._inputs.last.u2) * math.sqrt(2) < peak_v):
            self._low_since_s = math.inf
            return
        self._low_since_s = min(self._low_since_s, t_s)
        if t_s - self._low_since_s >= CYCLE_S - 1e-9:
            self._status |= 1 << 1

    # -- measurement -----------------------------------------------------------------------------------------------

    def _volts(self, u2: float) -> float:
        ratio = self._u_gain / MEASUREMENT[0x31]
        return math.sqrt(u2) * VOLTS_PER_MV * ratio + _signed(self._words[0x34]) * 256 / max(1, self._u_gain) / 100

    def _refresh(self, t_s: float) -> None:
        """Bring registers 48H-4FH to the last update instant, with the settings of that time."""
        update = math.floor(t_s / UPDATE_S)
        if update <= self._updated or t_s < self._ready_s:
            return
        self._updated = update
        if not self._measuring:
            return  # frozen: what was measured stays
        mean = self._inputs.mean((update - 1) * UPDATE_S, update * UPDATE_S)
        noise, row = self._noise, self._rows[update % NOISE_ROWS]
        words = self._words
        u_v = self._volts(mean.u2)
        u_v = max(0.0, u_v * (1 + noise.relative * row[0]) + noise.u_v * row[0])
        raw_a = math.hypot(math.sqrt(mean.i2) * AMPS_PER_MV * self._amplifier, noise.i_floor_a)
        i_a = raw_a * self._i_gain / MEASUREMENT[0x32] + _signed(words[0x35]) * 0.256 / max(1, self._i_gain)
        i_a = max(0.0, i_a * (1 + noise.relative * row[1]) + noise.i_a * row[1])
        p, q = self._correction.apply(mean)
        scale = self._watts_per_mv2 * self._amplifier
        p_w = p * scale * (1 + noise.relative * row[2]) + noise.p_w * row[2]
        q_var = q * scale * (1 + noise.relative * row[3]) + noise.p_w * row[3]
        product = math.sqrt(mean.u2 * mean.i2)
        seen = product * scale > 0.05  # below this the chip has no angle to show [A]
        factor = max(-1.0, min(1.0, p / product / (self._correction.gain or 1.0))) if seen else 0.0
        angle_deg = math.degrees(math.atan2(q, p)) if seen else 0.0
        small = words[0x04] == SMALL_POWER
        power_lsb = max(1e-9, self._small_power_w) if small else 1.0
        self._measured = {
            0x48: _unsigned(i_a * 1000),
            0x49: _unsigned(u_v * 100),
            0x4A: _complement(p_w / power_lsb),
            0x4B: _complement(q_var / power_lsb),
            0x4C: _unsigned(min(65.0, max(45.0, mean.frequency_hz)) * 100 + 0.5) if mean.u2 > 1.0 else 0,
            0x4D: _sign_magnitude(factor * 1000),
            0x4E: _sign_magnitude(angle_deg * 10),
            0x4F: _unsigned(min(32767.0, u_v * i_a)),
        }


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def _unsigned(value: float) -> int:
    return int(min(65535.99, max(0.0, value)) * 65536)


def _complement(value: float) -> int:
    return math.floor(min(32767.99, max(-32768.0, value)) * 65536) & 0xFFFFFFFF


def _sign_magnitude(value: float) -> int:
    magnitude = round(abs(value))
    return (magnitude | (0x8000 if value < 0 and magnitude else 0)) << 16
