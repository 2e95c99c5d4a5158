"""The simulated world: one clock, one event log, and everything drawn from the serial number and a seed."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import simpy

from hil.sim.faults import ActiveFault, parse_fault

TICK_S = 1e-3  # real-time mode advances the world this often


class World:
    """Everything that happens, in order. The same serial, seed, faults and requests give the same history."""

    def __init__(
        self, serial: str = "SP-000001", seed: int = 0, faults: Iterable[str] = (), real_time: bool = False
    ) -> None:
        self.serial = serial
        self.seed = seed
        self.real_time = real_time
        self.faults: tuple[ActiveFault, ...] = tuple(parse_fault(text) for text in faults)
        self.env = simpy.Environment()
        self.events: list[dict[str, Any]] = []
        self._fault_listeners: list[Callable[[str], None]] = []
        self._fault_from_s = {fault.name: fault.from_s for fault in self.faults}
        self._ticker: asyncio.Task[None] | None = None
        self._wait_listeners: list[Callable[[], None]] = []
        self.stirs = 0  # how often a hand or a defect has changed what a watchful eye would see
        for fault in self.faults:
            if fault.from_s > 0.0:
                self.at(fault.from_s, partial(self._announce, fault.name))

    @property
    def now_s(self) -> float:
        """Return the world's time, in seconds since it began."""
        return float(self.env.now)

    # -- time ------------------------------------------------------------------------------------------------------

    def advance(self, dt_s: float) -> None:
        """Let dt_s seconds pass, with every event that falls in them."""
        self.advance_to(self.env.now + dt_s)

    def advance_to(self, t_s: float) -> None:
        """Run every event up to and including t_s; a time already past does nothing."""
        env = self.env
        while env.peek() <= t_s:
            env.step()
        if t_s > env.now:
            env.run(until=t_s)

    async def wait(self, dt_s: float) -> None:
        """Wait dt_s seconds of bench time: at once when bench time is free, asleep when it is real."""
        await self.wait_until(self.env.now + dt_s)

    async def wait_until(self, t_s: float) -> None:
        """Wait until t_s seconds of bench time; other tasks run meanwhile only when time is real."""
        for listener in self._wait_listeners:
            listener()
        if not self.real_time:
            self.advance_to(t_s)
            return
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._tick())
        while self.env.now < t_s:
            await asyncio.sleep(max(TICK_S, t_s - self.env.now))

    async def wait_unless_stirred(self, dt_s: float, stirs: int) -> float:
        """Wait dt_s seconds of bench time, or less when `stirs` is, or comes to be, another; return what passed."""
        began_s = self.now_s
        if self.real_time:
            await self.wait(dt_s)
            return self.now_s - began_s
        for listener in self._wait_listeners:
            listener()
        until_s = began_s + dt_s
        while self.stirs == stirs and self.env.peek() <= until_s:
            self.env.step()
        if self.stirs == stirs:
            self.advance_to(until_s)
        return self.now_s - began_s

    def stir(self) -> None:
        """Note that something changed that a watchful eye would see: whoever sleeps with one eye open wakes up."""
        self.stirs += 1

    def on_wait(self, listener: Callable[[], None]) -> None:
        """Call listener before somebody's wait begins: what he sent before it arrives before time passes."""
        self._wait_listeners.append(listener)

    def start_ticker(self) -> None:
        """Tie the world to the wall clock, when it is in real-time mode; needs a running event loop."""
        if self.real_time and self._ticker is None:
            self._ticker = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        start_s = time.monotonic() - self.env.now
        while True:
            self.advance_to(time.monotonic() - start_s)
            await asyncio.sleep(TICK_S)

    def at(self, t_s: float, action: Callable[[], None]) -> simpy.Event:
        """Do action at t_s seconds (now, if that is past)."""
        event = self.env.timeout(max(0.0, t_s - self.env.now))
        event.callbacks.append(lambda _: action())
        return event

    # -- chance ----------------------------------------------------------------------------------------------------

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator of that name for this seed and serial: always the same one from its start."""
        return _generator("run", str(self.seed), self.serial, *names)

    def individual(self, *names: str) -> np.random.Generator:
        """Return the generator of who this unit is: it depends on the serial number alone."""
        return _generator("unit", self.serial, *names)

    # -- faults and the log ----------------------------------------------------------------------------------------

    def fault(self, name: str) -> bool:
        """Return whether this fault acts now."""
        from_s = self._fault_from_s.get(name)
        return from_s is not None and self.env.now >= from_s

    def amount(self, name: str) -> float:
        """Return the number that comes with a fault, 0 while it does not act."""
        acting = [fault for fault in self.faults if fault.name == name] if self.fault(name) else []
        return acting[-1].amount or 0.0 if acting else 0.0

    def begin_fault(self, name: str) -> None:
        """Let a fault begin now that was not foreseen at the start; raises UnknownFault."""
        fault = replace(parse_fault(name), from_s=self.now_s)
        self.faults = (*self.faults, fault)
        self._fault_from_s[fault.name] = fault.from_s
        self._announce(fault.name)

    def on_fault(self, listener: Callable[[str], None]) -> None:
        """Call listener with a fault's name when one begins during the run."""
        self._fault_listeners.append(listener)

    def _announce(self, name: str) -> None:
        self.stir()
        self.record("fault", name=name)
        for listener in self._fault_listeners:
            listener(name)

    def record(self, kind: str, **detail: Any) -> None:
        """Add an event to the world's own log."""
        self.events.append({"t_s": self.now_s, "kind": kind, **detail})


def _generator(*names: str) -> np.random.Generator:
    """Seed by SHA-256: Python's own hash differs from process to process."""
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
