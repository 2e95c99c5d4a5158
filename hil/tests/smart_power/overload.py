"""Sockets that carry more than they should: the load routed to them, the reference in the circuit, and what follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from hil.dut.smart_power.board import SmartPower
from hil.instruments.probe import Probed
from hil.instruments.roles import AcLoad, PowerReading
from hil.metrology.budget import rectangular
from hil.metrology.propagation import Input
from hil.station.station import Station
from hil.tests.smart_power.loadpoint import VOLTAGE_RANGE_V
from hil.tests.smart_power.scoped import SCOPE

MOST_A = 4.5  # no test here draws more: the fuse carries it for as long as it takes (facts 6.3), and so does the load
RELAY_WAIT_S = 0.25  # pulse and dead time of the firmware, with room
SETTLE_S = 0.3
PROOF_A = 1.0  # proves that a socket carries current, far from any trip
FLOWS = 0.5  # of what was set: more than half is current, less is a snubber's leakage
LOAD_CURRENT = 1  # oscilloscope channel
SCREEN_A = 8.0  # either way; 4.5 A has a crest of 6.4 A
QUIET_S = 0.05  # so long without current, it has ended
SEEN_A = 1.0  # less is noise, or near a zero crossing
PRE_TRIGGER_S = 0.1
T = TypeVar("T")
LOADS: dict[str, tuple[int, ...]] = {f"socket{n}": (n,) for n in (1, 2, 3, 4)} | {"all": (1, 2, 3, 4)}


@dataclass(frozen=True, slots=True)
class Burst:
    """A current by oscilloscope: first and last moment at which it was seen; not ended where it outlived the record."""

    wave: Probed
    first_s: float
    last_s: float
    ended: bool

    @property
    def lasted_s(self) -> float:
        """From first to last seen; a lower bound where it did not end."""
        return self.last_s - self.first_s

    def lasted(self, bench: Station, frequency_hz: float) -> Input:
        """Return how long it lasted, in seconds, with what is uncertain about that.

        Around each zero crossing the current is too small to be seen. Onset and end may each lie in there, and what is
        seen is then shorter, never longer: by up to two such gaps, whose bounds add up. The value is the middle of what
        is possible (GUM, 4.3.8).
        """
        peak_a = float(np.abs(self.wave.value).max())
        gap_s = math.asin(min(1.0, SEEN_A / peak_a)) / (math.pi * frequency_hz)
        seen = bench.traceable(SCOPE, bench.scope.time_accuracy_s(self.lasted_s), "time base")
        ends = rectangular(f"onset and end: near zero, below {SEEN_A:g} A, nothing is seen", gap_s)
        raw = None if seen.raw is None else seen.raw + gap_s
        return replace(seen, value=seen.value + gap_s, raw=raw).plus(ends)


@dataclass(frozen=True, slots=True)
class Overload:
    """Sockets with the load routed to them. The firmware runs, and may trip."""

    bench: Station
    board: SmartPower
    load: AcLoad
    sockets: tuple[int, ...]

    def close(self) -> None:
        """Re-arm, and close these sockets; the others are not in the load's way."""
        self.board.protection.rearm()
        close(self.bench, self.board, self.sockets)

    def draw(self, current_a: float) -> PowerReading:
        """Draw a current, wait until it has settled, and read the reference."""
        self.load.set_current(current_a)
        self.load.on()
        self.bench.clock.sleep(SETTLE_S)
        return self.bench.power_meter.measure()

    def stop(self) -> None:
        """Draw nothing; the firmware forgets how long it was too much."""
        self.load.off()
        self.bench.clock.sleep(1.0)

    def flows(self) -> bool:
        """Say whether PROOF_A flows where it is drawn; then stop."""
        seen = self.draw(PROOF_A)
        self.stop()
        return seen.current_a > FLOWS * PROOF_A

    def inrush(self, current_a: float, on_s: float) -> None:
        """Draw a current for so long, and no more."""
        self.load.set_current(current_a)
        self.load.on()
        self.bench.clock.sleep(on_s)
        self.load.off()

    def record(self, record_s: float, draw: Callable[[], T]) -> tuple[T, Burst]:
        """Watch by oscilloscope what is drawn, from its onset on, and return both; afterwards nothing is."""
        bench, scope, probe = self.bench, self.bench.scope, self.bench.probe("scope1.load_current")
        with bench.route("scope1.load_current"):
            scope.set_timebase(record_s, PRE_TRIGGER_S)
            probe.set_channel(scope, LOAD_CURRENT, -SCREEN_A, SCREEN_A)
            probe.arm(scope, LOAD_CURRENT, SEEN_A, rising=True)
            end_s = bench.clock.now_s() + record_s + SETTLE_S
            drawn = draw()
            bench.clock.sleep(end_s - bench.clock.now_s())
            self.load.off()
            wave = probe.read(scope, LOAD_CURRENT)
        seen = np.flatnonzero(np.abs(wave.value) > SEEN_A)
        first_s, last_s = float(wave.time_s[seen[0]]), float(wave.time_s[seen[-1]])
        return drawn, Burst(wave, first_s, last_s, ended=float(wave.time_s[-1]) - last_s > QUIET_S)


@contextmanager
def overloaded(bench: Station, board: SmartPower, sockets: Sequence[int]) -> Iterator[Overload]:
    """Close these sockets and route the load to them; afterwards nothing flows, and nothing is tripped."""
    bench.power_meter.set_ranges(VOLTAGE_RANGE_V, MOST_A)
    close(bench, board, sockets)
    with bench.loaded(*sockets) as load:
        try:
            yield Overload(bench, board, load, tuple(sockets))
        finally:
            load.off()
            board.protection.rearm()


def close(bench: Station, board: SmartPower, sockets: Sequence[int]) -> None:
    """Close these sockets, one after another."""
    for socket in sockets:
        board.relays[socket - 1].set()
        bench.clock.sleep(RELAY_WAIT_S)
