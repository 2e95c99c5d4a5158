"""The ATM90E26 register map, as data.

Ref: Atmel-46002B, M90E26 datasheet [DS26] chapter 5 (addresses, access, reset values, units).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hil.dut.atm90e26 import codecs
from hil.dut.atm90e26.codecs import Codec


class Access(Enum):
    """What the bus may do with a register."""

    READ = "R"
    WRITE = "W"
    READ_WRITE = "RW"
    CLEAR_ON_READ = "R/C"


@dataclass(frozen=True, slots=True)
class Register:
    """One 16-bit register."""

    address: int
    name: str
    access: Access
    reset: int
    codec: Codec = codecs.WORD_CODEC

    def __str__(self) -> str:
        return f"{self.name} ({self.address:02X}H)"

    @property
    def read_command(self) -> bytes:
        """The byte that opens a read frame: bit 7 set, then seven address bits [DS26 4.1.1]."""
        return bytes([0x80 | self.address])

    def write_frame(self, word: int) -> bytes:
        """Return the 24-bit frame that writes word: address with bit 7 clear, then the word, MSB first."""
        return bytes([self.address, word >> 8 & 0xFF, word & 0xFF])


R, W, RW, RC = Access.READ, Access.WRITE, Access.READ_WRITE, Access.CLEAR_ON_READ

SOFT_RESET = Register(0x00, "SoftReset", W, 0x0000)
SYS_STATUS = Register(0x01, "SysStatus", RC, 0x0000)
FUNC_EN = Register(0x02, "FuncEn", RW, 0x000C)
SAG_TH = Register(0x03, "SagTh", RW, 0x1D6A)
SMALL_P_MOD = Register(0x04, "SmallPMod", RW, 0x0000)
LAST_DATA = Register(0x06, "LastData", R, 0x0000)
LSB = Register(0x08, "LSB", R, 0x0000)

CAL_START = Register(0x20, "CalStart", RW, 0x6886)
PL_CONST_H = Register(0x21, "PLconstH", RW, 0x0015)
PL_CONST_L = Register(0x22, "PLconstL", RW, 0xD174)
L_GAIN = Register(0x23, "Lgain", RW, 0x0000, codecs.GAIN)
L_PHI = Register(0x24, "Lphi", RW, 0x0000)
N_GAIN = Register(0x25, "Ngain", RW, 0x0000, codecs.GAIN)
N_PHI = Register(0x26, "Nphi", RW, 0x0000)
P_START_TH = Register(0x27, "PStartTh", RW, 0x08BD)
P_NOL_TH = Register(0x28, "PNolTh", RW, 0x0000)
Q_START_TH = Register(0x29, "QStartTh", RW, 0x0AEC)
Q_NOL_TH = Register(0x2A, "QNolTh", RW, 0x0000)
M_MODE = Register(0x2B, "MMode", RW, 0x9422)
CS1 = Register(0x2C, "CS1", RW, 0x0000)

ADJ_START = Register(0x30, "AdjStart", RW, 0x6886)
U_GAIN = Register(0x31, "Ugain", RW, 0x6720)
I_GAIN_L = Register(0x32, "IgainL", RW, 0x7A13)
I_GAIN_N = Register(0x33, "IgainN", RW, 0x7530)
U_OFFSET = Register(0x34, "Uoffset", RW, 0x0000, codecs.OFFSET)
I_OFFSET_L = Register(0x35, "IoffsetL", RW, 0x0000, codecs.OFFSET)
I_OFFSET_N = Register(0x36, "IoffsetN", RW, 0x0000, codecs.OFFSET)
P_OFFSET_L = Register(0x37, "PoffsetL", RW, 0x0000, codecs.OFFSET)
Q_OFFSET_L = Register(0x38, "QoffsetL", RW, 0x0000, codecs.OFFSET)
P_OFFSET_N = Register(0x39, "PoffsetN", RW, 0x0000, codecs.OFFSET)
Q_OFFSET_N = Register(0x3A, "QoffsetN", RW, 0x0000, codecs.OFFSET)
CS2 = Register(0x3B, "CS2", RW, 0x0000)

AP_ENERGY = Register(0x40, "APenergy", RC, 0x0000, codecs.ENERGY)
AN_ENERGY = Register(0x41, "ANenergy", RC, 0x0000, codecs.ENERGY)
AT_ENERGY = Register(0x42, "ATenergy", RC, 0x0000, codecs.ENERGY)
RP_ENERGY = Register(0x43, "RPenergy", RC, 0x0000, codecs.ENERGY)
RN_ENERGY = Register(0x44, "RNenergy", RC, 0x0000, codecs.ENERGY)
RT_ENERGY = Register(0x45, "RTenergy", RC, 0x0000, codecs.ENERGY)
EN_STATUS = Register(0x46, "EnStatus", R, 0xC800)

I_RMS = Register(0x48, "Irms", R, 0x0000, codecs.CURRENT)
U_RMS = Register(0x49, "Urms", R, 0x0000, codecs.VOLTAGE)
P_MEAN = Register(0x4A, "Pmean", R, 0x0000, codecs.ACTIVE_POWER)
Q_MEAN = Register(0x4B, "Qmean", R, 0x0000, codecs.REACTIVE_POWER)
FREQ = Register(0x4C, "Freq", R, 0x0000, codecs.FREQUENCY)
POWER_F = Register(0x4D, "PowerF", R, 0x0000, codecs.POWER_FACTOR)
P_ANGLE = Register(0x4E, "Pangle", R, 0x0000, codecs.ANGLE)
S_MEAN = Register(0x4F, "Smean", R, 0x0000, codecs.APPARENT_POWER)
I_RMS_2 = Register(0x68, "Irms2", R, 0x0000, codecs.CURRENT)
P_MEAN_2 = Register(0x6A, "Pmean2", R, 0x0000, codecs.ACTIVE_POWER)
Q_MEAN_2 = Register(0x6B, "Qmean2", R, 0x0000, codecs.REACTIVE_POWER)
POWER_F_2 = Register(0x6D, "PowerF2", R, 0x0000, codecs.POWER_FACTOR)
P_ANGLE_2 = Register(0x6E, "Pangle2", R, 0x0000, codecs.ANGLE)
S_MEAN_2 = Register(0x6F, "Smean2", R, 0x0000, codecs.APPARENT_POWER)

ALL: tuple[Register, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Register))
BY_ADDRESS = {register.address: register for register in ALL}
BY_NAME = {register.name: register for register in ALL}

METERING = tuple(BY_ADDRESS[address] for address in range(0x21, 0x2C))  # what CS1 covers
MEASUREMENT = tuple(BY_ADDRESS[address] for address in range(0x31, 0x3B))  # what CS2 covers
ENERGIES = (AP_ENERGY, AN_ENERGY, AT_ENERGY, RP_ENERGY, RN_ENERGY, RT_ENERGY)

SOFT_RESET_KEY = 0x789A  # only this word resets
POWERED_ON = 0x6886  # CalStart, AdjStart: not metering, not measuring
LOAD_DEFAULTS = 0x5678  # CalStart, AdjStart: reload the block's defaults and run
CHECK_SUM = 0x8765  # CalStart, AdjStart: run and compare with CS1, CS2
SMALL_POWER_KEY = 0xA987  # SmallPMod: power registers in small-power units

CAL_ERROR = 0xC000  # SysStatus: CS1 is wrong
ADJ_ERROR = 0x3000  # SysStatus: CS2 is wrong
