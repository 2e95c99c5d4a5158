"""A simulated bench without servers: its hands on the settings, the pins and the firmware's RPC."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hil.sim.bench import Bench
from hil.sim.chips.atm90e26 import Atm90e26
from hil.sim.world import World

LOAD_TO_SOCKET = {1: 305, 2: 306, 3: 307, 4: 308}


class Rig:
    """World and bench of one unit."""

    def __init__(self, serial: str = "SP-000123", faults: Iterable[str] = (), seed: int = 0) -> None:
        self.world = World(serial, seed, faults)
        self.bench = Bench(self.world)
        self.unit = self.bench.unit

    def mains(self, voltage_v: float = 230.0, **changes: Any) -> None:
        """Switch the source on and wait until the firmware runs."""
        self.bench.set_ac(**{"voltage_v": voltage_v, "frequency_hz": 50.0, "on": True, **changes})
        self.world.advance(2.0)

    def rails(self) -> None:
        """Feed the unit from the DC supply and wait until the firmware runs."""
        self.bench.set_dc(1, voltage_v=5.0, current_limit_a=1.5, on=True)
        self.world.advance(2.0)

    def load(self, socket: int, **changes: Any) -> None:
        """Route the load to a socket, close its relay, switch the load on and wait."""
        self.bench.set_routes(frozenset({LOAD_TO_SOCKET[socket]}))
        self.rpc("Switch.Set", id=socket - 1, on=True)
        self.bench.set_load(**{"current_a": 1.0, "on": True, **changes})
        self.world.advance(2.0)

    def rpc(self, method: str, **params: Any) -> Any:
        """Call the firmware; return the result, or the error object."""
        answer = self.unit.http(
            "POST", "/rpc", json.dumps({"id": 7, "src": "test", "method": method, "params": params}).encode()
        )
        assert answer is not None, "nobody listens"
        frame = json.loads(answer[1])
        return frame.get("result", frame.get("error"))

    def hold(self) -> None:
        """Pull EN low, as the fixture does before it masters the bus."""
        self.bench.fixture.gpio_write(0x02, 0x03)

    def release(self) -> None:
        """Let EN rise."""
        self.bench.fixture.gpio_write(0x03, 0x03)

    def frame(self, chip_select: int, command: int, clocks: int = 24, hertz: float = 100e3, mode: int = 0) -> int:
        """Clock one frame through the fixture's pins; return the bits that came back."""
        fixture, half_s = self.bench.fixture, 0.5 / hertz
        idle = mode >= 2
        late = mode in (1, 3)  # data changes on the leading edge and is sampled on the trailing one
        t_s = self.world.now_s + 20e-6
        high = (True,) * 4
        low = tuple(number != chip_select for number in range(4))
        fixture.spi_pins(t_s, idle, False, high)
        t_s += 10e-6
        fixture.spi_pins(t_s, idle, False, low)
        back, level = 0, False
        for index in range(clocks):
            bit = bool(command >> (clocks - 1 - index) & 1)
            if not late:
                fixture.spi_pins(t_s, idle, bit, low)
            t_s += half_s
            if late:
                fixture.spi_pins(t_s, not idle, bit, low)
            else:
                level = fixture.spi_pins(t_s, not idle, bit, low)
            t_s += half_s
            sampled = fixture.spi_pins(t_s, idle, bit, low)
            back = back << 1 | (sampled if late else level)
        t_s += half_s
        fixture.spi_pins(t_s, idle, False, high)
        self.world.advance_to(t_s + 10e-6)
        return back

    def read(self, chip_select: int, address: int, **how: Any) -> int:
        """Read a meter's register through the pins."""
        return self.frame(chip_select, (0x80 | address) << 16, **how) & 0xFFFF

    def write(self, chip_select: int, address: int, word: int, **how: Any) -> None:
        """Write a meter's register through the pins."""
        self.frame(chip_select, address << 16 | word, **how)


class Pins:
    """A chip alone, clocked bit by bit in mode 0."""

    def __init__(self, chip: Atm90e26, t_s: float = 1.0) -> None:
        self.chip, self.t_s = chip, t_s

    def clock(
        self,
        frame: int,
        clocks: int = 24,
        high_s: float = 5e-6,
        low_s: float = 5e-6,
        pause_at: int = -1,
        gap_s: float = 20e-6,
    ) -> int:
        """Send the first clocks bits of a 24-bit frame; pause_at a bit for 7 ms; return what SDO drove (1 when not)."""
        spi = self.chip.spi
        self.t_s += gap_s
        spi.select(self.t_s)
        back = 0
        for index in range(clocks):
            bit = bool(frame >> (23 - index) & 1) if index < 24 else False
            spi.data_changed(self.t_s)
            self.t_s += low_s + (7e-3 if index == pause_at else 0.0)
            driven = spi.output(self.t_s)
            spi.rise(self.t_s, bit)
            back = back << 1 | (driven is not False)
            self.t_s += high_s
            spi.fall(self.t_s)
        self.t_s += 5e-6
        spi.deselect(self.t_s)
        return back

    def read(self, address: int) -> int:
        """Read a register."""
        return self.clock((0x80 | address) << 16) & 0xFFFF

    def write(self, address: int, word: int) -> None:
        """Write a register."""
        self.clock(address << 16 | word)
