"""Calibration of the ATM90E26: the arithmetic of the application note, and the set of words it ends in.

Ref: Atmel-46102B, M90E26 application note [AN26] chapter 3. Its "int" rounds to nearest: its own examples miss by
one count when truncated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from hil.dut.atm90e26.checksums import checksum
from hil.dut.atm90e26.codecs import signed, twos_complement
from hil.dut.atm90e26.registers import MEASUREMENT, METERING, Register
from hil.errors import UnitError

DEFAULT_U_GAIN = 26400
DEFAULT_I_GAIN_L = 31251
DEFAULT_I_GAIN_N = 30000
MAX_GAIN = 0.5  # L and N gain reach -50 % .. +50 % [AN26 3]
MAX_PHI = 0x3FF  # bits 9-0 of Lphi; the sign is bit 15


class CalibrationOutOfRange(UnitError):
    """The unit's error is larger than the meter chip can correct: its sense path is wrong."""

    def __init__(self, what: str, value: float, low: float, high: float) -> None:
        super().__init__(what, value, low, high)
        self.what, self.value, self.low, self.high = what, value, low, high

    def __str__(self) -> str:
        return (
            f"{self.what} = {self.value:g} is needed, but the chip takes {self.low:g} .. {self.high:g}; "
            f"look at divider, current transformer and burden"
        )


class CalibrationIncomplete(UnitError):
    """A stored calibration does not name every register that a meter needs."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return f"the stored calibration lacks the registers {', '.join(self.missing)}; calibrate the unit again"


def _nearest(what: str, value: float, low: int, high: int) -> int:
    if not math.isfinite(value) or not low <= (word := math.floor(value + 0.5)) <= high:
        raise CalibrationOutOfRange(what, value, low, high)
    return word


def pl_constant(
    gain_l: float, current_input_mv: float, voltage_input_mv: float, imp_per_kwh: float, un_v: float, ib_a: float
) -> int:
    """Return the 32-bit PL constant; the inputs are the millivolts at the chip's pins at Ib and Un."""
    value = 838860800 * gain_l * current_input_mv * voltage_input_mv / (imp_per_kwh * un_v * ib_a)
    return _nearest("PL constant", value, 0, 0xFFFFFFFF)


def gain_word(error: float, old_word: int = 0) -> int:
    """Return Lgain that takes out an energy error (0.01 = 1 %) found at PF 1 with old_word in the register."""
    shown = 1 + error  # as a fraction of the truth; a dead meter shows 0
    gain = (1 + signed(old_word) / 2**15) / shown - 1 if shown else math.inf
    if not -MAX_GAIN <= gain <= MAX_GAIN:
        raise CalibrationOutOfRange("Lgain", gain, -MAX_GAIN, MAX_GAIN)
    return twos_complement(_nearest("Lgain", gain * 2**15, -0x4000, 0x4000))


def phi_word(error: float, old_word: int = 0) -> int:
    """Return Lphi that takes out an energy error (0.01 = 1 %) found at PF 0.5 inductive, 50 Hz."""
    counts = _nearest("Lphi", phi_counts(old_word) + error * 3763.74, -MAX_PHI, MAX_PHI)
    return abs(counts) | (0x8000 if counts < 0 else 0)


def phi_counts(word: int) -> int:
    """Return the signed counts of an Lphi word: bit 15 is the sign, bits 9-0 the magnitude."""
    return -(word & MAX_PHI) if word & 0x8000 else word & MAX_PHI


def threshold_word(gain_l: float, current_input_mv: float, voltage_input_mv: float, fraction: float) -> int:
    """Return PStartTh, PNolTh, QStartTh or QNolTh for a power of fraction (0.004 = 0.4 %) of Un x Ib."""
    value = 93.2067556 * gain_l * current_input_mv * voltage_input_mv * fraction
    return _nearest("start-up threshold", value, 0, 0xFFFF)


def u_gain_word(true_v: float, read_v: float, old_word: int = DEFAULT_U_GAIN) -> int:
    """Return Ugain that makes read_v read as true_v; bit 15 must stay 0 [DS26 31H]."""
    return _ratio("Ugain", old_word, true_v, read_v, 0x7FFF)


def i_gain_word(true_a: float, read_a: float, old_word: int = DEFAULT_I_GAIN_L) -> int:
    """Return IgainL that makes read_a read as true_a; start from 30000 for the N line."""
    return _ratio("Igain", old_word, true_a, read_a, 0xFFFF)


def _ratio(what: str, old_word: int, true: float, read: float, high: int) -> int:
    return _nearest(what, old_word * true / read if read > 0 else math.inf, 1, high)


def i_offset_word(zero_counts: float, i_gain: int) -> int:
    """Return Ioffset from the Irms counts (1 mA each) that the meter shows at zero current."""
    return twos_complement(_nearest("Ioffset", -zero_counts * i_gain / 2**16 * 2**8, -0x8000, 0x7FFF))


def p_offset_word(mean_word: int) -> int:
    """Return Poffset or Qoffset from the mean small-power word at zero current."""
    return twos_complement(_nearest("Poffset", -signed(mean_word), -0x8000, 0x7FFF))


def small_power_w(word: int, u_gain: int = DEFAULT_U_GAIN, i_gain: int = DEFAULT_I_GAIN_L) -> float:
    """Return the power, in watts, of a word read in small-power mode (2^22 of [AN26]; [DS26] prints 2^42)."""
    return signed(word) * u_gain * i_gain / (100000 * 2**22)


def sag_threshold_word(un_v: float, fraction: float, u_gain: int = DEFAULT_U_GAIN) -> int:
    """Return SagTh for fraction (0.78 = 78 %) of un_v; it depends on Ugain [AN26 2.3.2]."""
    return _nearest("SagTh", 100 * un_v * math.sqrt(2) * fraction / (4 * u_gain / 32768), 0, 0xFFFF)


def energy_lsb_wh(imp_per_kwh: float) -> float:
    """Return the watt-hours of one count (0.1 pulse) of an energy register."""
    return 100.0 / imp_per_kwh


def cf_period_s(power_w: float, imp_per_kwh: float) -> float:
    """Return the time between two CF pulses, in seconds."""
    return 3.6e6 / (imp_per_kwh * power_w)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All words a meter needs; the defaults are the chip's. Fields are in address order: 21H-2BH, then 31H-3AH."""

    pl_const_h: int = 0x0015
    pl_const_l: int = 0xD174
    l_gain: int = 0x0000
    l_phi: int = 0x0000
    n_gain: int = 0x0000
    n_phi: int = 0x0000
    p_start_th: int = 0x08BD
    p_nol_th: int = 0x0000
    q_start_th: int = 0x0AEC
    q_nol_th: int = 0x0000
    m_mode: int = 0x9422
    u_gain: int = 0x6720
    i_gain_l: int = 0x7A13
    i_gain_n: int = 0x7530
    u_offset: int = 0x0000
    i_offset_l: int = 0x0000
    i_offset_n: int = 0x0000
    p_offset_l: int = 0x0000
    q_offset_l: int = 0x0000
    p_offset_n: int = 0x0000
    q_offset_n: int = 0x0000

    def __post_init__(self) -> None:
        for register, word in self.words().items():
            if not 0 <= word <= 0xFFFF:
                raise CalibrationOutOfRange(register.name, word, 0, 0xFFFF)
        if self.u_gain & 0x8000:
            raise CalibrationOutOfRange("Ugain", self.u_gain, 0, 0x7FFF)

    def words(self) -> dict[Register, int]:
        """Return register -> word, in address order."""
        values = [getattr(self, field.name) for field in fields(self)]
        return dict(zip((*METERING, *MEASUREMENT), values, strict=True))

    @property
    def cs1(self) -> int:
        """The checksum of 21H-2BH."""
        words = self.words()
        return checksum(words[register] for register in METERING)

    @property
    def cs2(self) -> int:
        """The checksum of 31H-3AH."""
        words = self.words()
        return checksum(words[register] for register in MEASUREMENT)

    @property
    def pl_constant(self) -> int:
        """The 32-bit PL constant."""
        return self.pl_const_h << 16 | self.pl_const_l

    def with_pl_constant(self, value: int) -> Calibration:
        """Return the same calibration with another PL constant."""
        return replace(self, pl_const_h=value >> 16, pl_const_l=value & 0xFFFF)

    def to_registers(self) -> dict[str, int]:
        """Return {"21": word, ...}: two hex digits of address, as Factory.CalStore takes it."""
        return {f"{register.address:02X}": word for register, word in self.words().items()}

    @classmethod
    def from_registers(cls, registers: Mapping[str, int]) -> Calibration:
        """Return the calibration of {"21": word, ...}; checksums and other registers in it are ignored."""
        by_address = {address.upper(): word for address, word in registers.items()}
        expected = [f"{register.address:02X}" for register in (*METERING, *MEASUREMENT)]
        if missing := [address for address in expected if address not in by_address]:
            raise CalibrationIncomplete(tuple(missing))
        return cls(*(int(by_address[address]) for address in expected))
