"""An ATM90E26 energy meter on an SPI bus that it shares with others, each with a chip select of its own.

Ref: Atmel-46002B, M90E26 datasheet [DS26] chapters 4 and 5; Atmel-46102B, application note [AN26] 4.3 (LastData).
Every word read is checked against LastData, which holds the last word that crossed the bus: a clear-on-read register
has forgotten its value by then, LastData has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hil.clock import Clock
from hil.dut.atm90e26 import registers as reg
from hil.dut.atm90e26.calibration import Calibration
from hil.dut.atm90e26.registers import Register
from hil.errors import UnitError
from hil.links.spi import SpiRead, SpiWrite

RESET_S = 0.005  # power-on reset holds at least 5 ms [DS26 6.3]; assumed for SoftReset too [A]

SNAPSHOT = (
    reg.U_RMS,
    reg.I_RMS,
    reg.P_MEAN,
    reg.Q_MEAN,
    reg.S_MEAN,
    reg.FREQ,
    reg.POWER_F,
    reg.P_ANGLE,
    reg.EN_STATUS,
)


class SpiBus(Protocol):
    """What a meter needs of a bus: run the steps, in order, and return one answer for each SpiRead."""

    def transfer(self, steps: Sequence[SpiRead | SpiWrite]) -> list[bytes]: ...


class MeterBusFault(UnitError):
    """What a meter wrote or read back does not agree with what crossed the bus."""

    def __init__(self, who: str, register: str, expected: int, got: int, what: str) -> None:
        super().__init__(who, register, expected, got, what)
        self.who, self.register, self.expected, self.got, self.what = who, register, expected, got, what

    def __str__(self) -> str:
        return (
            f"meter {self.who}: {self.what} {self.register}: expected {self.expected:04X}, got {self.got:04X}; "
            f"look at MISO, the chip select and the meter's supply"
        )


class MeterRejectedCalibration(UnitError):
    """The chip found its checksum wrong and stopped metering."""

    def __init__(self, who: str, sys_status: int) -> None:
        super().__init__(who, sys_status)
        self.who, self.sys_status = who, sys_status

    def __str__(self) -> str:
        blocks = [
            name
            for name, bits in (("CS1 (metering)", reg.CAL_ERROR), ("CS2 (measurement)", reg.ADJ_ERROR))
            if self.sys_status & bits
        ]
        return f"meter {self.who}: SysStatus {self.sys_status:04X}: {' and '.join(blocks)} wrong, the chip stopped"


@dataclass(frozen=True, slots=True)
class MeterSnapshot:
    """What one meter showed at one time, to 1/65536 of a count where the chip offers it."""

    voltage_v: float
    current_a: float
    power_w: float
    reactive_var: float
    apparent_va: float
    frequency_hz: float
    power_factor: float
    angle_deg: float
    en_status: int

    @property
    def no_load(self) -> bool:
        """Whether the chip holds its active energy back as no-load (EnStatus bit 14)."""
        return bool(self.en_status & 0x4000)


@dataclass(frozen=True, slots=True)
class MeterEnergy:
    """Counts of 0.1 pulse since the last read, which cleared them."""

    forward: int
    reverse: int
    absolute: int
    inductive: int
    capacitive: int
    absolute_reactive: int


class Atm90e26:
    """One meter: words, values and the start-up sequence. It knows no limit and no reference."""

    def __init__(self, bus: SpiBus, cs: int, name: str = "") -> None:
        self.bus, self.cs, self.name = bus, cs, name or f"CS{cs}"

    def read(self, *registers: Register, verify: bool = True) -> tuple[int, ...]:
        """Return the words of registers, read in one batch; verify checks each against LastData."""
        if not verify:
            answers = self.bus.transfer([self._read_step(register) for register in registers])
            return tuple(int.from_bytes(answer) for answer in answers)
        steps = [self._read_step(step) for register in registers for step in (register, reg.LAST_DATA)]
        words = [int.from_bytes(answer) for answer in self.bus.transfer(steps)]
        return tuple(
            self._agreed(register, word, last)
            for register, word, last in zip(registers, words[::2], words[1::2], strict=True)
        )

    def read_value(self, register: Register) -> float:
        """Return the value of one register in its unit, with its LSB word where it has one."""
        words = self.bus.transfer([self._read_step(step) for step in _with_lsb((register,))])
        return _decode((register,), words)[0]

    def write(self, register: Register, word: int) -> None:
        """Write one word and check that LastData shows it."""
        self.write_all({register: word})

    def write_all(self, words: Mapping[Register, int]) -> None:
        """Write words in order, in one batch, and check each against LastData; raises MeterBusFault."""
        steps: list[SpiRead | SpiWrite] = []
        for register, word in words.items():
            steps += [SpiWrite(self.cs, register.write_frame(word)), self._read_step(reg.LAST_DATA)]
        for (register, word), answer in zip(words.items(), self.bus.transfer(steps), strict=True):
            if (got := int.from_bytes(answer)) != word:
                raise MeterBusFault(self.name, str(register), word, got, "LastData after writing")

    def snapshot(self) -> MeterSnapshot:
        """Return all measurements in one batch."""
        return snapshot_all([self])[0]

    def take_energy(self) -> MeterEnergy:
        """Return the energy counts and clear them; a word disturbed on the bus is recovered from LastData."""
        return MeterEnergy(*self.read(*reg.ENERGIES))

    def prove_bus(self) -> None:
        """Write two complementary words to SagTh, read them back, restore it. Sag detection is off by default."""
        (before,) = self.read(reg.SAG_TH)
        for word in (0x5AA5, 0xA55A):
            self.write(reg.SAG_TH, word)
            (got,) = self.read(reg.SAG_TH)
            if got != word:
                raise MeterBusFault(self.name, str(reg.SAG_TH), word, got, "read back of")
        self.write(reg.SAG_TH, before)

    def start(self, calibration: Calibration, clock: Clock, func_en: int = 0x000C, sag_threshold: int = 0x1D6A) -> None:
        """Reset the chip, load calibration and start it with both checksums watched (facts 3.6.1)."""
        self.bus.transfer([SpiWrite(self.cs, reg.SOFT_RESET.write_frame(reg.SOFT_RESET_KEY))])
        clock.sleep(RESET_S)  # LastData is reset too, so the key cannot be verified there
        self.write_all({reg.FUNC_EN: func_en, reg.SAG_TH: sag_threshold})
        self.load(calibration)

    def load(self, calibration: Calibration) -> None:
        """Load calibration into a running chip, without a reset, and check that the chip accepts both checksums."""
        words = calibration.words()
        self.write_all({reg.CAL_START: reg.LOAD_DEFAULTS} | {register: words[register] for register in reg.METERING})
        self.write(reg.CS1, calibration.cs1)
        self.write_all({reg.ADJ_START: reg.LOAD_DEFAULTS} | {register: words[register] for register in reg.MEASUREMENT})
        self.write(reg.CS2, calibration.cs2)
        self.write_all({reg.CAL_START: reg.CHECK_SUM, reg.ADJ_START: reg.CHECK_SUM})
        self.check_calibration()

    def check_calibration(self) -> None:
        """Raise MeterRejectedCalibration when SysStatus says that a checksum is wrong."""
        (status,) = self.read(reg.SYS_STATUS)
        if status & (reg.CAL_ERROR | reg.ADJ_ERROR):
            raise MeterRejectedCalibration(self.name, status)

    def read_calibration(self) -> Calibration:
        """Return the calibration words that the chip holds now."""
        return Calibration(*self.read(*reg.METERING, *reg.MEASUREMENT))

    def _read_step(self, register: Register) -> SpiRead:
        return SpiRead(self.cs, register.read_command, 2)

    def _agreed(self, register: Register, word: int, last: int) -> int:
        """Return the word that two of three reads agree on: the register, LastData, and LastData again [AN26 4.3]."""
        if word == last:
            return word
        again = int.from_bytes(self.bus.transfer([self._read_step(reg.LAST_DATA)])[0])
        if again not in {word, last}:
            raise MeterBusFault(self.name, str(register), last, word, "LastData after reading")
        return again


def snapshot_all(meters: Sequence[Atm90e26]) -> tuple[MeterSnapshot, ...]:
    """Return a snapshot of every meter, all in one batch; the meters share one bus."""
    if not meters:
        return ()
    plan = _with_lsb(SNAPSHOT)
    steps = [SpiRead(meter.cs, register.read_command, 2) for meter in meters for register in plan]
    answers = meters[0].bus.transfer(steps)
    snapshots = []
    for index in range(len(meters)):
        values = _decode(SNAPSHOT, answers[index * len(plan) : (index + 1) * len(plan)])
        snapshots.append(_snapshot(dict(zip(SNAPSHOT, values, strict=True))))
    return tuple(snapshots)


def _snapshot(values: Mapping[Register, float]) -> MeterSnapshot:
    return MeterSnapshot(
        voltage_v=values[reg.U_RMS],
        current_a=values[reg.I_RMS],
        power_w=values[reg.P_MEAN],
        reactive_var=values[reg.Q_MEAN],
        apparent_va=values[reg.S_MEAN],
        frequency_hz=values[reg.FREQ],
        power_factor=values[reg.POWER_F],
        angle_deg=values[reg.P_ANGLE],
        en_status=int(values[reg.EN_STATUS]),
    )


def _with_lsb(registers: Sequence[Register]) -> list[Register]:
    """Return registers with LSB behind each one that latches it: the latch lasts until the next such read."""
    return [step for register in registers for step in ((register, reg.LSB) if register.codec.fine else (register,))]


def _decode(registers: Sequence[Register], answers: Sequence[bytes]) -> list[float]:
    words = iter(int.from_bytes(answer) for answer in answers)
    return [
        register.codec.decode(next(words), next(words) if register.codec.fine else 0)  # arguments go left to right
        for register in registers
    ]
