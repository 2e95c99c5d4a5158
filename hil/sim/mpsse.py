"""The multi-protocol synchronous serial engine of an FTDI H-series chip, edge by edge.

Ref: FTDI AN_108 (MPSSE command processor), AN_114 (SPI example: one 80 command keeps its pins for 0.2 us)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Protocol

FIFO_BYTES = 2048  # FT4232H: 2 KiB each way, each port
COMMAND_S = 0.2e-6  # a command that shifts nothing (AN_114)
SK, DO, DI, TMS, GPIOL1 = 0x01, 0x02, 0x04, 0x08, 0x20  # ADBUS0..3 and 5
BAD_COMMAND = 0xFA

WRITE_NEGATIVE, BIT_MODE, READ_NEGATIVE, LSB_FIRST, WRITES, READS, TMS_MODE = (1 << bit for bit in range(7))

Blocked = Generator[None, None, None]
BlockedByte = Generator[None, None, int]


class Pins(Protocol):
    """What the eight pins of a port are soldered to."""

    def drive(self, t_s: float, levels: int, direction: int) -> None:
        """Put levels on the pins whose direction bit is set; the others are inputs."""
        ...

    def read(self, t_s: float) -> int:
        """Return the levels at the pads."""
        ...


class Mpsse:
    """Executes MPSSE commands at their true times; stops while a FIFO is empty or full, as the chip does."""

    def __init__(self, pins: Pins, on_time: Callable[[float], None], fifo_bytes: int = FIFO_BYTES) -> None:
        self.answers = bytearray()
        self.answer_now = False  # command 87: do not wait for the latency timer
        self.t_s = 0.0  # how far the engine has come
        self._pins, self._on_time, self._fifo_bytes = pins, on_time, fifo_bytes
        self._commands: deque[int] = deque()
        self._levels = self._direction = 0
        self._divisor, self._divide_by_5, self._three_phase, self._loop_back = 0, True, False, False
        self._program = self._run()
        next(self._program)

    @property
    def waiting_bytes(self) -> int:
        """Return how many command bytes are not executed yet."""
        return len(self._commands)

    @property
    def half_period_s(self) -> float:
        """Return half a clock period: 60 MHz (12 MHz behind the divide-by-5) / (2 (1 + divisor)), halved."""
        return (1 + self._divisor) / (12e6 if self._divide_by_5 else 60e6)

    def feed(self, data: bytes, t_s: float) -> None:
        """Execute data from t_s on, as far as the answers fit."""
        self._commands.extend(data)
        self.resume(t_s)

    def resume(self, t_s: float) -> None:
        """Go on after the host has made room."""
        self.t_s = max(self.t_s, t_s)
        next(self._program)

    def forget_commands(self) -> None:
        """Drop what is not executed yet."""
        self._commands.clear()

    def cut_off(self, nothing: Pins) -> None:
        """Lose power: the rest of a transfer reaches no pin any more."""
        self._pins = nothing
        self.forget_commands()

    # -- the program: a generator that yields wherever the chip would stop ---------------------------------------------

    def _run(self) -> Blocked:
        while True:
            code = yield from self._next_byte()
            if code & 0x80:
                yield from self._execute(code)
            elif code & TMS_MODE and code & BIT_MODE and code & LSB_FIRST and not code & WRITES:
                yield from self._shift_tms(code)
            elif code & (WRITES | READS) and not code & TMS_MODE:
                yield from self._shift(code)
            else:
                yield from self._refuse(code)

    def _next_byte(self) -> BlockedByte:
        while not self._commands:
            yield
        return self._commands.popleft()

    def _answer(self, value: int) -> Blocked:
        while len(self.answers) >= self._fifo_bytes:
            yield
        self.answers.append(value)

    def _refuse(self, code: int) -> Blocked:
        yield from self._answer(BAD_COMMAND)
        yield from self._answer(code)
        self.answer_now = True

    def _execute(self, code: int) -> Blocked:
        match code:
            case 0x80:
                levels = yield from self._next_byte()
                direction = yield from self._next_byte()
                if (levels, direction) != (self._levels, self._direction):  # said again, it only takes time
                    self._on_time(self.t_s)
                    self._levels, self._direction = levels, direction
                    self._pins.drive(self.t_s, levels, direction)
            case 0x81:
                yield from self._answer(self._pins.read(self.t_s))
            case 0x82:  # an FT4232H port has no high byte: taken, without effect
                yield from self._next_byte()
                yield from self._next_byte()
            case 0x83:
                yield from self._answer(0xFF)
            case 0x84 | 0x85:
                self._loop_back = code == 0x84
            case 0x86:
                low = yield from self._next_byte()
                self._divisor = low | (yield from self._next_byte()) << 8
            case 0x87:
                self.answer_now = True
            case 0x88 | 0x89 | 0x94 | 0x95:  # wait for GPIOL1 high / low; 94, 95 clock meanwhile
                while bool(self._pins.read(self.t_s) & GPIOL1) != (code in {0x88, 0x94}):
                    yield
            case 0x8A | 0x8B:
                self._divide_by_5 = code == 0x8B
            case 0x8C | 0x8D:
                self._three_phase = code == 0x8C
            case 0x8E:
                self._clocks(1 + (yield from self._next_byte()))
                return
            case 0x8F:
                low = yield from self._next_byte()
                self._clocks(8 * (1 + (low | (yield from self._next_byte()) << 8)))
                return
            case 0x96 | 0x97:  # adaptive clocking: nothing returns a clock on this fixture
                pass
            case _:
                yield from self._refuse(code)
        self.t_s += COMMAND_S

    def _shift(self, code: int) -> Blocked:
        low = yield from self._next_byte()
        if code & BIT_MODE:
            byte = (yield from self._next_byte()) if code & WRITES else 0
            got = self._byte(code, byte, bits=1 + (low & 7))
            if code & READS:
                yield from self._answer(got)
            return
        for _ in range(1 + (low | (yield from self._next_byte()) << 8)):
            byte = (yield from self._next_byte()) if code & WRITES else 0
            got = self._byte(code, byte, bits=8)
            if code & READS:
                yield from self._answer(got)

    def _shift_tms(self, code: int) -> Blocked:
        bits = 1 + ((yield from self._next_byte()) & 7)
        byte = yield from self._next_byte()
        self._levels = self._levels & ~DO | (DO if byte & 0x80 else 0)
        got = self._byte(code | WRITES | LSB_FIRST, byte, bits, pin=TMS)
        if code & READS:
            yield from self._answer(got)

    # -- edges ---------------------------------------------------------------------------------------------------------

    def _byte(self, code: int, byte: int, bits: int, pin: int = DO) -> int:
        """Shift up to eight bits out and in; return what came in, placed as the chip places it."""
        order = range(bits) if code & LSB_FIRST else range(7, 7 - bits, -1)
        outs = [pin if byte >> bit & 1 else 0 for bit in order] if code & WRITES else [self._levels & pin] * bits
        idle_low = not self._levels & SK
        writes_leading = (bool(code & WRITE_NEGATIVE) != idle_low) and not self._three_phase and bool(code & WRITES)
        samples_leading = bool(code & READ_NEGATIVE) != idle_low if code & READS else None
        got = 0
        for index, out in enumerate(outs):
            # Data that changes on an edge changes WITH it: a slave that samples there sees the new bit, its hold time
            # is violated, and a wrong mode fails. Sampling is the other way round: the level just before the edge.
            following = outs[index + 1] if index + 1 < bits and not writes_leading else out
            sample = self._cycle(pin, out, following, writes_leading, samples_leading)
            got = got >> 1 | sample << 7 if code & LSB_FIRST else (got << 1 | sample) & 0xFF
        return got

    def _cycle(self, pin: int, out: int, following: int, writes_leading: bool, samples_leading: bool | None) -> int:
        """Make one clock period; return the bit sampled on its leading or trailing edge (None: on neither)."""
        half_s, start_s, direction = self.half_period_s, self.t_s, self._direction
        levels = self._levels
        if not writes_leading and levels & pin != out:
            levels = levels & ~pin | out
            self._pins.drive(start_s, levels, direction)
        sample = self._sample(start_s + half_s, levels) if samples_leading else 0
        if writes_leading:
            levels = levels & ~pin | out
        levels ^= SK
        self._pins.drive(start_s + half_s, levels, direction)
        if samples_leading is False:
            sample = self._sample(start_s + 2 * half_s, levels)
        levels ^= SK
        if not self._three_phase:
            levels = levels & ~pin | following
        self._pins.drive(start_s + 2 * half_s, levels, direction)
        self._levels = levels
        self.t_s = start_s + (3 if self._three_phase else 2) * half_s
        return sample

    def _sample(self, t_s: float, levels: int) -> int:
        if self._loop_back:
            return 1 if levels & DO else 0
        return 1 if self._pins.read(t_s) & DI else 0

    def _clocks(self, count: int) -> None:
        """Let the clock run without data."""
        half_s = self.half_period_s
        for _ in range(2 * count):
            self.t_s += half_s
            self._levels ^= SK
            self._pins.drive(self.t_s, self._levels, self._direction)
