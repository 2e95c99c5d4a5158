"""The control socket: bench time, addresses, the world's event log, and what an operator does with his hands.

One JSON object a line, one answer a line: {"do": "now"} -> {"ok": true, "now_s": 1.5}.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hil.sim.transports.server import Server

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

LONGEST_S = 400 * 86400.0  # one advance; longer is a slip of the pen


class Refused(ValueError):
    """A request that cannot be done; its text goes back as "why"."""


class ControlServer(Server):
    """Answers control requests; several clients may be connected, time is one for all."""

    def __init__(self, world: World, bench: Bench, addresses: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._world, self._bench, self._addresses = world, bench, addresses

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
        except ValueError as error:
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
                await world.wait(_number(request, "s", 0.0, LONGEST_S))
                return {"now_s": world.now_s}
            case "addresses":
                return self._addresses()
            case "events":
                since = round(_number(request, "since", 0.0, math.inf)) if "since" in request else 0
                return {"events": world.events[since:]}
            case "lid":
                fixture.set_lid(_flag(request, "closed"))
                return {}
            case "emergency_stop":
                fixture.set_emergency_stop(_flag(request, "released"))
                return {}
            case "faults":
                return {"faults": [{"name": fault.name, "from_s": fault.from_s} for fault in world.faults]}
            case other:
                raise Refused(f"unknown request {other!r}")


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
