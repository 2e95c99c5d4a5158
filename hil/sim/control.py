"""The control socket: bench time, addresses, the world's event log, and what an operator does with his hands.

One JSON object a line, one answer a line: {"do": "now"} -> {"ok": true, "now_s": 1.5}.
{"do": "advance", "s": 5} lets time pass; with "stirs", the number that the last one returned, it ends early when a hand
or a defect changes something meanwhile: that is how somebody sleeps who keeps an eye on the lid.
{"do": "state"} tells the truth of the physics: what is live and where, not what an instrument says about it.
What hands do ("lid", "emergency_stop") is done at once, or at the bench time "at_s"; {"do": "fault", "name": ...}
lets a defect begin in mid-run.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from hil.sim.faults import UnknownFault
from hil.sim.transports.server import Server

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

MOST_EVENTS = 1e15  # that any run could have
LONGEST_S = 400 * 86400.0  # one advance; longer is a slip of the pen


class Refused(ValueError):
    """A request that cannot be done; its text goes back as "why"."""


class ControlServer(Server):
    """Answers control requests; several clients may be connected, time is one for all."""

    def __init__(
        self,
        world: World,
        bench: Bench,
        addresses: Callable[[], dict[str, Any]],
        acted: Callable[[str], bool | None] = lambda name: None,
    ) -> None:
        """Serve a world; `acted` tells whether a fault has met an answer yet, None where nobody counts."""
        super().__init__()
        self._world, self._bench, self._addresses, self._acted = world, bench, addresses, acted

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                answer = {"ok": True, **await self._do(line)}
            except Refused as refused:
                answer = {"ok": False, "why": str(refused)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

    async def _do(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Refused(f"not JSON: {error}") from error
        if not isinstance(request, dict):
            raise Refused("a request is an object")
        world, fixture = self._world, self._bench.fixture
        match request.get("do"):
            case "hello":
                return {"time": "real" if world.real_time else "bench"}
            case "now":
                return {"now_s": world.now_s}
            case "advance":
                duration_s = _number(request, "s", 0.0, LONGEST_S)
                stirs = request.get("stirs")
                if isinstance(stirs, int):
                    duration_s = await world.wait_unless_stirred(duration_s, stirs)
                else:
                    await world.wait(duration_s)
                return {"now_s": world.now_s, "waited_s": duration_s, "stirs": world.stirs}
            case "addresses":
                return self._addresses()
            case "events":
                since = round(_number(request, "since", 0.0, MOST_EVENTS)) if "since" in request else 0
                return {"events": world.events[since:]}
            case "state":
                return self._state()
            case "lid":
                self._when(request, partial(fixture.set_lid, _flag(request, "closed")))
                return {}
            case "emergency_stop":
                self._when(request, partial(fixture.set_emergency_stop, _flag(request, "released")))
                return {}
            case "fault":
                self._begin_fault(request)
                return {}
            case "faults":
                return {
                    "faults": [
                        {"name": fault.name, "from_s": fault.from_s, "acted": self._acted(fault.name)}
                        for fault in world.faults
                    ]
                }
            case other:
                raise Refused(f"unknown request {other!r}")

    def _when(self, request: dict[str, Any], hand: Callable[[], None]) -> None:
        """Do what a hand does, now or at the bench time asked for."""
        if "at_s" in request:
            self._world.at(_number(request, "at_s", self._world.now_s, self._world.now_s + LONGEST_S), hand)
        else:
            hand()

    def _begin_fault(self, request: dict[str, Any]) -> None:
        """Let a defect begin, now."""
        try:
            self._world.begin_fault(str(request.get("name")))
        except UnknownFault as error:
            raise Refused(str(error)) from error

    def _state(self) -> dict[str, Any]:
        """Return what electricity does now, whatever the instruments believe or say."""
        bench = self._bench
        unit, steady = bench.unit, bench.steady
        return {
            "now_s": self._world.now_s,
            "mains_on": bench.ac.on,
            "mains_v": math.sqrt(steady.source.u2),  # at J2 of the unit
            "mains_a": math.sqrt(steady.source.i2),
            "load_on": bench.load.on,
            "load_a": math.sqrt(steady.load.i2),
            "dc_outputs_v": [bench.dc_readback(output)[0] for output in sorted(bench.dc)],
            "surge_charged": bench.surge_charged,
            "high_voltage_v": bench.hipot.output_v,
            "chamber_on": bench.chamber.target_c is not None,
            "resistor_connected": bench.resistor.connected,
            "contacts": {relay.name: relay.contact_ohm is not None for relay in unit.relays},
            "mcu_running": unit.mcu_drives_bus,
            "held_in_reset": unit.held_in_reset,
            "closed_channels": sorted(bench.routes),
            "lid_closed": bench.fixture.lid_closed,
            "emergency_stop_released": bench.fixture.emergency_stop_released,
        }


def _number(request: dict[str, Any], key: str, low: float, high: float) -> float:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(f"{key!r} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _flag(request: dict[str, Any], key: str) -> bool:
    value = request.get(key)
    if not isinstance(value, bool):
        raise Refused(f"{key!r} must be true or false, not {value!r}")
    return value
