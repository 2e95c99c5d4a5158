"""SPI to the four meters, mode 0, many frames in one MPSSE buffer.

Ref: M90E26 datasheet Atmel-46002B, 4.1 and Table 11 (T = 122 ns); FTDI AN_108 (opcodes), AN_114 (0.2 us per 80 command)

A frame, and why its timing holds by construction at 100 kHz (half a period is 5 us) and below:

    80 x 2        CS low, 0.4 us at least            tCSS 376 ns (3T+10); half a period more before SCLK rises
    11 00 00 cc   8 command bits, changing on the    tCLH 3.67 us, tCLL 1.96 us: half a period each. The chip samples
                  falling edge                       SDI on the rising edge, 5 us after it changed (tDIS, tDIH)
    20 01 00      16 bits in, sampled on the rising  the chip changes SDO at most 1.85 us (tPD) after the falling edge,
                  edge                               so it has stood for 3.15 us (pyftdi's own opcode 24 samples on
                                                     the very edge on which the chip changes)
    80 x 19       CS still low, 3.8 us               tCSD 3.67 us, counted from the LAST falling edge; the figure may
                                                     mean the rising one, then there are 5 us more
    80            CS high
    8E 00         one clock that nobody listens to   tCSH 3.67 us: 10 us. It costs 2 bytes; 80 commands would cost 57

All of a frame is in one buffer, so that no gap of USB falls into it (the chip gives up after 6 ms without an edge). The
pins are driven inside `transfer` only: the unit's own processor is master of this bus when it runs.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hil.errors import BadAnswer, OutOfRange
from hil.links.ftdi import LATENCY_MS, TRANSFER_S, FtdiPort, ftdi_errors

FIFO_BYTES = 2048  # FT4232H, each way
ANSWER_BYTES = 4 * 510  # what four full packets carry beside their status bytes
MAX_FREQUENCY_HZ = 136_200.0  # tCLH 3.67 us at 50 % duty; the datasheet's 160 kbit/s needs an asymmetric clock
SETUP_COMMANDS, HOLD_COMMANDS = 2, 19  # x 0.2 us
SK, MOSI, CS_ALL = 0x01, 0x02, 0x78  # ADBUS0, 1, 3..6; MISO is ADBUS2
OUTPUTS = SK | MOSI | CS_ALL
SYNC_BYTES = b"\xaa"  # no command has this code: the chip answers FA AA


@dataclass(frozen=True, slots=True)
class SpiRead:
    """One frame: CS low, command out, length bytes in, CS high."""

    cs: int
    command: bytes
    length: int


@dataclass(frozen=True, slots=True)
class SpiWrite:
    """One frame: CS low, data out, CS high."""

    cs: int
    data: bytes


SpiStep: TypeAlias = SpiRead | SpiWrite


class SpiBus:
    """The bus on port 1 of the fixture. Only while the unit is held in reset."""

    def __init__(self, who: str, resource: str, frequency_hz: float = 100_000.0) -> None:
        if not 500.0 <= frequency_hz <= MAX_FREQUENCY_HZ:
            raise OutOfRange("SPI frequency_hz", frequency_hz, 500.0, MAX_FREQUENCY_HZ)
        divisor = math.ceil(30e6 / frequency_hz) - 1  # 60 MHz / (2 (1 + divisor)): never faster than asked
        self.frequency_hz = 30e6 / (1 + divisor)
        self.transfers = 0  # USB bulk transfers asked for, for benchmarks: one per buffer out, one per packet in
        self.buffers = 0
        self._suspect = False  # something ended a transfer between question and answer
        self._lock = threading.Lock()
        self._port = FtdiPort(who, resource, 1)
        self.who, self.where = who, self._port.where
        try:
            with ftdi_errors(who, self.where):
                self._port.chip.open_mpsse_from_device(self._port.device, 1, latency=LATENCY_MS)
                self._port.allow(TRANSFER_S + 8 * FIFO_BYTES / self.frequency_hz)  # a full buffer has to be shifted out
                # 60 MHz base, no adaptive clock, no 3-phase clock, no loop-back, divisor; pins released
                setup = bytes((0x8A, 0x97, 0x8D, 0x85, 0x86, divisor & 0xFF, divisor >> 8))
                self._port.chip.write_data(setup + _pins(None, driven=False))
            self._synchronise()
        except BaseException:
            self._port.close()
            raise

    def close(self) -> None:
        """Close the port; its pins are released already."""
        self._port.close()

    def transfer(self, steps: Sequence[SpiStep]) -> list[bytes]:
        """Do all steps in order; return one entry per SpiRead. When it returns, the last frame has ended."""
        answers: list[bytes] = []
        with self._lock:
            if self._suspect:
                self._synchronise()
            for commands, lengths, clocks in batches(steps):
                data = self._exchange(commands, sum(lengths), clocks)
                at = 0
                for length in lengths:
                    answers.append(data[at : at + length])
                    at += length
        return answers

    def _exchange(self, commands: bytes, length: int, clocks: int) -> bytes:
        """Run one buffer. Its last answer is the pins themselves: proof that it was executed to the end."""
        chip = self._port.chip
        self._suspect = True
        with ftdi_errors(self.who, self.where, "SPI"):
            chip.write_data(commands)
            # the engine may still be shifting: every empty packet is one latency period of waiting
            patience = 4 + math.ceil(1e3 * clocks / self.frequency_hz / LATENCY_MS)
            data = bytes(chip.read_data_bytes(length + 1, patience))
        self.buffers += 1
        self.transfers += 1 + math.ceil((length + 1) / 510)
        if len(data) != length + 1:
            self._synchronise()
            raise BadAnswer(self.who, "SPI", data.hex(), f"{len(data)} bytes instead of {length + 1}; purged")
        self._suspect = False
        if data[-1] & CS_ALL != CS_ALL:
            raise BadAnswer(self.who, "SPI", f"{data[-1]:02x}", "a chip select stays low; look for a short on J44")
        return data[:-1]

    def _synchronise(self) -> None:
        """Purge what is late, so that it is never taken for an answer; then make the engine prove that it listens.

        A bad command must come back as FA and its code.
        """
        chip = self._port.chip
        with ftdi_errors(self.who, self.where, "MPSSE synchronisation"):
            chip.purge_buffers()
            chip.write_data(SYNC_BYTES)
            got = bytes(chip.read_data_bytes(2, 16))
        if got != b"\xfa" + SYNC_BYTES:
            raise BadAnswer(self.who, "MPSSE synchronisation", got.hex(), "expected faaa; unplug the fixture's USB")
        self._suspect = False


def batches(steps: Sequence[SpiStep]) -> list[tuple[bytes, list[int], int]]:
    """Cut steps into buffers that fit both FIFOs: commands, lengths of the answers, clocks. A frame is never cut."""
    start, end = _pins(None), _pins(None) + b"\x81" + _pins(None, driven=False) + b"\x87"
    out: list[tuple[bytes, list[int], int]] = []
    commands, lengths, clocks = bytearray(start), [0] * 0, 0
    for step in steps:
        frame = _frame(step)
        length = step.length if isinstance(step, SpiRead) else 0
        if len(start + frame + end) > FIFO_BYTES or length + 1 > ANSWER_BYTES:
            raise OutOfRange("SPI frame bytes", max(len(frame), length), 0, FIFO_BYTES - len(start + end))
        if len(commands + frame + end) > FIFO_BYTES or sum(lengths) + length + 1 > ANSWER_BYTES:
            out.append((bytes(commands + end), lengths, clocks))
            commands, lengths, clocks = bytearray(start), [], 0
        commands += frame
        lengths += [length] if isinstance(step, SpiRead) else []
        clocks += 1 + 8 * (len(step.command) + length if isinstance(step, SpiRead) else len(step.data))
    if len(commands) > len(start):
        out.append((bytes(commands + end), lengths, clocks))
    return out


def _frame(step: SpiStep) -> bytes:
    data = step.command if isinstance(step, SpiRead) else step.data
    if not 0 <= step.cs <= 3:
        raise OutOfRange("SPI chip select", step.cs, 0, 3)
    if not data or (isinstance(step, SpiRead) and step.length < 1):
        raise OutOfRange("SPI frame bytes", 0, 1, FIFO_BYTES)
    low = _pins(step.cs)
    frame = low * SETUP_COMMANDS + b"\x11" + (len(data) - 1).to_bytes(2, "little") + data
    if isinstance(step, SpiRead):
        frame += b"\x20" + (step.length - 1).to_bytes(2, "little")
    return frame + low * HOLD_COMMANDS + _pins(None) + b"\x8e\x00"


def _pins(selected: int | None, driven: bool = True) -> bytes:
    """Return the 80 command that selects one chip or none; SCLK low. Released pins are inputs, high."""
    levels = CS_ALL if selected is None else CS_ALL & ~(0x08 << selected)
    return bytes((0x80, levels, OUTPUTS if driven else 0))
