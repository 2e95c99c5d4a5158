"""One port of an FT4232H: its mode, its FIFOs, its latency timer.

Ref: FTDI AN232B-04 (packets, status bytes, latency timer), AN_108 (MPSSE), DS_FT4232H (2 KiB FIFOs)
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from hil.sim.ftdi_wires import Buffers, Wires
from hil.sim.mpsse import FIFO_BYTES, Mpsse

PACKET_BYTES, STATUS_BYTES = 512, 2  # high speed; every packet begins with two status bytes
LATENCY_S = 16e-3  # until told otherwise
MICRO_FRAME_S = 125e-6  # a transfer takes at least one
MODEM_STATUS, LINE_STATUS, OVERRUN = 0x32, 0x60, 0x02  # idle lines, transmitter empty; receiver overrun
CONSOLE_BAUD, BAUD_TOLERANCE = 115_200, 0.03
EIGHT_N_ONE = 0x0008
EIGHTHS = (0, 4, 2, 1, 3, 5, 6, 7)  # fraction code of the baud divisor -> eighths


class BenchTime(Protocol):
    """The part of the world that a USB device needs."""

    real_time: bool

    @property
    def now_s(self) -> float: ...
    def advance_to(self, t_s: float) -> None: ...


class Mode(IntEnum):
    """What SET_BITMODE selects."""

    UART = 0x00
    BIT_BANG = 0x01
    MPSSE = 0x02
    SYNC_BIT_BANG = 0x04


class Port:
    """One interface of the chip."""

    def __init__(self, world: BenchTime, wires: Wires, has_mpsse: bool) -> None:
        self.latency_s = LATENCY_S
        self._world, self._wires, self._has_mpsse = world, Buffers(wires), has_mpsse
        self._mode = Mode.UART
        self._mpsse: Mpsse | None = None
        self._fifo = bytearray()
        self._direction = self._latch = 0
        self._last_packet_s = 0.0
        self._baud, self._line, self._overrun = float(CONSOLE_BAUD), EIGHT_N_ONE, False

    # -- control requests ----------------------------------------------------------------------------------------------

    def set_mode(self, direction: int, mode: int) -> None:
        """Select what the pins do. In UART mode the fixture's buffers keep the other pins released [A]."""
        known = mode in set(Mode) and (mode != Mode.MPSSE or self._has_mpsse)
        self._mode = Mode(mode) if known else Mode.UART
        self._fifo.clear()
        self._mpsse = Mpsse(self._wires, self._on_time) if self._mode is Mode.MPSSE else None
        self._direction = direction if self._mode is not Mode.UART else 0
        if self._mode is Mode.UART:
            self._latch = 0
        self._wires.drive(self._world.now_s, self._latch, self._direction)

    def power(self, on: bool) -> None:
        """Get USB power, or lose it: the pins let go, the FIFOs and all settings are as after a reset."""
        if self._mpsse:
            self._mpsse.cut_off(Wires())
        self._wires.power(self._world.now_s, on)
        self.set_mode(0, 0)
        self.latency_s, self._last_packet_s = LATENCY_S, 0.0
        self._baud, self._line, self._overrun = float(CONSOLE_BAUD), EIGHT_N_ONE, False

    def purge(self, to_host: bool) -> None:
        """Empty one FIFO."""
        if not to_host:
            if self._mpsse:
                self._mpsse.forget_commands()
            return
        if self._mode is Mode.UART:
            self._wires.receive()
        self._answers().clear()
        if self._mpsse:
            self._mpsse.answer_now = False
        self._overrun = False

    def set_baud(self, value: int, index: int) -> None:
        """Decode the divisor: 14 bits and eighths, of 12 MHz or 3 MHz."""
        high = index >> 8
        clock = 12e6 if high & 2 else 3e6
        eighths = EIGHTHS[value >> 14 | (high & 1) << 2]
        divisor = (value & 0x3FFF) + eighths / 8
        self._baud = clock / (divisor if divisor > 1 else 1.0 + divisor / 2)  # codes 0 and 1 mean 1 and 1.5

    def set_line(self, value: int) -> None:
        """Data bits, parity, stop bits, as in SET_DATA."""
        self._line = value

    def read_pins(self) -> int:
        """Return the levels at the pads now."""
        return self._wires.read(self._world.now_s)

    # -- bulk transfers ------------------------------------------------------------------------------------------------

    def write(self, data: bytes, start_s: float) -> float | None:
        """Take data from start_s on; return when the transfer ends, or None when it never does (FIFO full)."""
        if mpsse := self._mpsse:
            mpsse.feed(data, start_s)  # takes its time: the port may be without power, or another's, when it returns
            return mpsse.t_s if mpsse.waiting_bytes <= FIFO_BYTES else None
        if self._mode is Mode.UART:
            self._wires.send(data if self._line_fits() else b"\xff" * len(data))
            return start_s
        for level in data:
            if self._mode is Mode.SYNC_BIT_BANG and len(self._fifo) < FIFO_BYTES:
                self._fifo.append(self._wires.read(start_s))
            self._latch = level
            self._wires.drive(start_s, level, self._direction)
        return start_s

    def ready_s(self, now_s: float) -> float:
        """Return when a packet can be fetched: at once when full or flushed, else when the latency timer runs out."""
        soon_s = now_s + MICRO_FRAME_S
        self._poll()
        flushed = self._mpsse is not None and self._mpsse.answer_now and bool(self._mpsse.answers)
        if flushed or len(self._answers()) >= PACKET_BYTES - STATUS_BYTES:
            return soon_s
        return max(soon_s, self._last_packet_s + self.latency_s)

    def fetch(self, size: int) -> bytes:
        """Return up to size bytes: full packets, then one that is not, each with its status bytes."""
        self._poll()
        answers = self._answers()
        out = bytearray()
        while size - len(out) >= STATUS_BYTES:
            count = min(len(answers), PACKET_BYTES - STATUS_BYTES, size - len(out) - STATUS_BYTES)
            out += bytes((MODEM_STATUS, LINE_STATUS | (OVERRUN if self._overrun else 0)))
            out += answers[:count]
            del answers[:count]
            self._overrun = False
            if count < PACKET_BYTES - STATUS_BYTES:
                break
        self._last_packet_s = self._world.now_s
        if self._mpsse:
            self._mpsse.answer_now = self._mpsse.answer_now and bool(answers)
            self._mpsse.resume(self._world.now_s)
        return bytes(out)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _answers(self) -> bytearray:
        return self._mpsse.answers if self._mpsse else self._fifo

    def _poll(self) -> None:
        """Move what the serial line brought, or what bit-bang sampled, into the FIFO."""
        if self._mode is Mode.UART:
            came = self._wires.receive()
            self._fifo += came if self._line_fits() else b"\xff" * len(came)
            if len(self._fifo) > FIFO_BYTES:
                del self._fifo[FIFO_BYTES:]  # the newest are lost
                self._overrun = True
        elif self._mode is Mode.BIT_BANG:  # a sample at every tick of the baud clock: always full
            self._fifo[:] = bytes((self.read_pins(),)) * (PACKET_BYTES - STATUS_BYTES)

    def _line_fits(self) -> bool:
        return abs(self._baud / CONSOLE_BAUD - 1) <= BAUD_TOLERANCE and self._line == EIGHT_N_ONE

    def _on_time(self, t_s: float) -> None:
        if not self._world.real_time:  # in real time the world keeps its own pace; the transfer waits for it
            self._world.advance_to(t_s)
