"""A bench for the virtual FT4232H alone: four SPI slaves written from the datasheet, pins that remember, a console.

Ref: M90E26 datasheet Atmel-46002B, 4.1 (frame, edges), Table 8 (how many clocks), Table 11 (times, T = 122 ns)
"""

import asyncio
import threading
from collections import defaultdict
from concurrent.futures import Future

from hil.sim.usb import UsbServer
from hil.sim.world import World

T_S = 122e-9
CS_HIGH_S = CS_HOLD_S = CLOCK_HIGH_S = 30 * T_S + 10e-9
CS_SETUP_S = DATA_SETUP_S = 3 * T_S + 10e-9
CLOCK_LOW_S = 16 * T_S + 10e-9
OUTPUT_DELAY_S = 15 * T_S + 20e-9
DATA_HOLD_S = 22 * T_S + 10e-9
IDLE_S = 6e-3


class Meter:
    """One ATM90E26 as far as its bus goes; notes every violated time."""

    def __init__(self):
        self.registers = defaultdict(int)
        self.violations = []
        self.frames = []
        self._cs = self._mosi = True
        self._sclk = False
        self._since = {"cs": -1.0, "sclk": -1.0, "mosi": -1.0, "rise": -1.0}
        self._bits, self._out, self._sdo, self._next = [], [], None, None

    def pins(self, t_s, cs, sclk, mosi):
        """Take the levels at t_s; return SDO, or None while it floats."""
        if self._next and t_s >= self._next[0]:
            self._sdo, self._next = self._next[1], None
        if cs != self._cs:
            self._cs_edge(t_s, cs)
        elif not cs and sclk != self._sclk:
            self._clock_edge(t_s, sclk, mosi)
        if mosi != self._mosi:
            if not cs and self._bits and len(self._bits) < 24 and t_s > 0:
                self._at_least("tDIH", t_s - self._since["rise"], DATA_HOLD_S)
            self._since["mosi"] = t_s
        if sclk != self._sclk:
            self._since["sclk"] = t_s
        self._cs, self._sclk, self._mosi = cs, sclk, mosi
        return self._sdo

    def _cs_edge(self, t_s, cs):
        if cs:
            self._at_least("tCSD", t_s - self._since["sclk"], CS_HOLD_S)
            self.frames.append(len(self._bits))
            if len(self._bits) == 24 and not self._bits[0] and t_s - self._since["sclk"] < IDLE_S:
                self.registers[_number(self._bits[1:8])] = _number(self._bits[8:])
            self._sdo = self._next = None
        else:
            self._at_least("tCSH", t_s - self._since["cs"], CS_HIGH_S)
            self._bits, self._out = [], []
        self._since["cs"] = t_s

    def _clock_edge(self, t_s, sclk, mosi):
        held_s = t_s - max(self._since["sclk"], self._since["cs"])
        if held_s > IDLE_S:
            self._bits = [None] * 99  # given up
            return
        if sclk:
            self._at_least("tCSS", t_s - self._since["cs"], CS_SETUP_S)
            self._at_least("tDIS", t_s - self._since["mosi"], DATA_SETUP_S)
            if self._bits:
                self._at_least("tCLL", t_s - self._since["sclk"], CLOCK_LOW_S)
            self._bits.append(int(mosi))
            self._since["rise"] = t_s
            if len(self._bits) == 8 and self._bits[0]:
                value = self.registers[_number(self._bits[1:])]
                self._out = [value >> bit & 1 for bit in range(15, -1, -1)]
        else:
            self._at_least("tCLH", t_s - self._since["sclk"], CLOCK_HIGH_S)
            if self._out:
                self._next = (t_s + OUTPUT_DELAY_S, self._out.pop(0))

    def _at_least(self, what, time_s, least_s):
        if time_s < least_s - 1e-12:
            self.violations.append(f"{what} {time_s * 1e6:.3f} us < {least_s * 1e6:.3f} us")


def _number(bits):
    return int("".join(map(str, bits)), 2)


class Fixture:
    """What stands behind the chip's pins."""

    def __init__(self, world):
        self.world = world
        self.meters = [Meter() for _ in range(4)]
        self.edges = []
        self.gpio_inputs, self.gpio_written = 0b1111_1100, []
        self.panel_inputs, self.panel_written = 0b0010_0000, []
        self.sent, self.to_host = bytearray(), bytearray()
        self.answer = None  # a program on the unit: bytes in, bytes out

    def spi_pins(self, t_s, sclk, mosi, cs):
        self.edges.append((t_s, sclk, mosi, cs))
        outs = [meter.pins(t_s, select, sclk, mosi) for meter, select in zip(self.meters, cs, strict=True)]
        driven = [out for out in outs if out is not None]
        return bool(driven[0]) if driven else True

    def gpio_write(self, value, direction):
        self.gpio_written.append((value, direction))

    def gpio_read(self):
        return self.gpio_inputs

    def panel_write(self, value, direction):
        self.panel_written.append((value, direction))

    def panel_read(self):
        return self.panel_inputs

    def uart_write(self, data):
        self.sent += data
        if self.answer:
            self.to_host += self.answer(data)

    def uart_read(self):
        data = bytes(self.to_host)
        self.to_host.clear()
        return data


class Bench:
    def __init__(self, world):
        self.fixture = Fixture(world)


class Station:
    """A UsbServer in a thread of its own, with its own event loop."""

    def __init__(self, real_time=False):
        self.world = World(real_time=real_time)
        self.fixture = Fixture(self.world)
        self.server = UsbServer(self.world, self)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.address = f"127.0.0.1:{self.run(self.server.start())}"
        if real_time:
            self.do(self.world.start_ticker)

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def do(self, action, *args):
        """Call action in the station's thread."""
        future = Future()

        def call():
            future.set_result(action(*args))

        self._loop.call_soon_threadsafe(call)
        return future.result(10)

    def close(self):
        async def stop():
            await self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self.run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # the station is a Clock as well: its bench time
    def now_s(self):
        return self.world.now_s

    def sleep(self, duration_s):
        self.do(self.world.advance, duration_s)
