"""A simulated station in a thread, with its unit under power, and the fixture reached by the real pyftdi."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from hil.clock import BenchClock, StationControl
from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.connect import connect
from hil.instruments.ftdi_ft4232h import Ft4232hFixture
from hil.links import remote_usb
from hil.sim.station import FIXTURE_SERIAL, Station
from tests.sim.serving import Loop

T = TypeVar("T")


class FixtureRig:
    """The unit runs from the DC supply. What a test does by `do` crosses no wire."""

    def __init__(self, *faults: str) -> None:
        self._loop = Loop()
        self.station = self._loop.run(_created(faults))
        addresses = self._loop.run(self.station.start())
        self.resource: str = addresses["instruments"]["Fixture"]["resource"]
        host, port = addresses["control"].split(":")
        self._control = StationControl(host, int(port))
        self.clock = BenchClock(self._control)
        remote_usb.use(addresses["usb"])
        self.do(lambda: self.station.bench.set_dc(1, voltage_v=5.0, current_limit_a=2.0, on=True))
        self._opened: list[Ft4232hFixture] = []

    def close(self) -> None:
        for fixture in self._opened:
            fixture.close()
        remote_usb.stop_using()
        self._control.close()
        self._loop.run(self.station.stop())
        self._loop.close()

    def open(self) -> Ft4232hFixture:
        """Open all ports; they are closed at the end."""
        self._opened.append(Ft4232hFixture.open(self.resource, self.clock))
        return self._opened[-1]

    def board(self, fixture: Ft4232hFixture) -> SmartPower:
        """Return the unit, which has booted."""
        board = connect(fixture, self.clock, "A")
        board.boot()
        return board

    def do(self, action: Callable[[], T]) -> T:
        """Do something in the station's own thread."""

        async def act() -> T:
            return action()

        return self._loop.run(act())

    def begin(self, fault: str, in_s: float = 0.0) -> None:
        """Let a fault begin so much bench time from now."""
        world = self.station.world
        begin = partial(world.begin_fault, fault)
        self.do(lambda: world.at(world.now_s + in_s, begin) if in_s else begin())

    def mend(self) -> None:
        """End every misbehaviour of the adapter: the right one is plugged in. Call it by `do`."""
        usb = self.station.usb
        usb.loses = usb.held = False
        if usb.chip.serial != FIXTURE_SERIAL:
            usb.unplug()
            usb.chip.serial = FIXTURE_SERIAL
        usb.plug()

    def state(self) -> dict[str, Any]:
        """Return what electricity does now, whatever anybody believes."""
        return self._control.ask("state")


async def _created(faults: tuple[str, ...]) -> Station:
    await asyncio.sleep(0)
    return Station("SP-000123", faults=faults)
