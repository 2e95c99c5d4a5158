"""A surge, and the unit before and after it: what it remembers, which sockets are closed, and how bad a difference is.

Ref: facts standards 2.5. Criterion A: nothing happened; B: it recovered by itself, no state and no data changed; C: it
needs a command; worse: data or protection are lost.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hil.dut.atm90e26 import Calibration
from hil.dut.smart_power.board import Life, SmartPower
from hil.errors import UnitSilent
from hil.instruments.probe import Probed
from hil.instruments.roles import SurgeShot
from hil.station.station import Station
from hil.tests.smart_power.loadpoint import VOLTAGE_RANGE_V, switch

SOCKETS = (1, 2, 3, 4)
CLOSED = (1, 3)  # before a surge; the others are open
PROOF_A = 0.5  # proves a closed contact; through an open one a snubber leaks 7 mA (DR-38)
SETTLE_S = 0.3
COUNTED_S = 2.2  # the firmware counts energy every second [A]
RECOVER_S = 3.0  # time to come back by itself from a reset: it boots in 1 s
UPTIME_SLACK_S = 2.0  # whole seconds, and the time it takes to ask
PROBE = 2  # oscilloscope channel of the high-voltage probe
RECORD_S, PRE_TRIGGER_S = 100e-6, 10e-6
COMPLETE_S = 0.01
GOOD, RECOVERED, HELPED, DAMAGED = 1, 2, 3, 4  # criteria A, B, C, and none of them
LETTERS = {GOOD: "A", RECOVERED: "B", HELPED: "C", DAMAGED: "none of A, B and C"}


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit at a moment of bench time. What concerns sockets is in their order."""

    at_s: float
    closed: tuple[bool, ...]
    energy_wh: tuple[float, ...]
    calibrations: tuple[Calibration, ...]
    life: Life
    errors: tuple[tuple[str, ...], ...]

    @property
    def digest(self) -> str:
        """A short name of what must not change: contacts, calibration, reset reason, trips."""
        kept = (self.closed, [c.to_registers() for c in self.calibrations], self.life.reset_reason, self.errors)
        return hashlib.sha256(repr(kept).encode()).hexdigest()[:8]

    def same(self, after: UnitState) -> dict[str, bool]:
        """Say, by the names of the plan, what is the same afterwards."""
        lasted_s = after.at_s - self.at_s
        return {
            "relays": after.closed == self.closed,
            "calibration": after.calibrations == self.calibrations,
            "uptime": after.life.uptime_s >= self.life.uptime_s + lasted_s - UPTIME_SLACK_S,
            "reset_reason": after.life.reset_reason == self.life.reset_reason,
            "no_trip": after.errors == self.errors,
        }

    def drifts_wh(self, after: UnitState) -> tuple[float, ...]:
        """Return by how much each energy register has moved."""
        return tuple(b - a for a, b in zip(self.energy_wh, after.energy_wh, strict=True))

    def criterion(self, after: UnitState, drift_wh: float) -> int:
        """Judge the difference; drift_wh is how far an energy register may move."""
        same = self.same(after)
        closed_by_itself = any(b and not a for a, b in zip(self.closed, after.closed, strict=True))
        counted = max(abs(drift) for drift in self.drifts_wh(after)) <= drift_wh
        if not (same["calibration"] and counted) or closed_by_itself:
            return DAMAGED
        if not (same["relays"] and same["no_trip"]):
            return HELPED
        return GOOD if same["uptime"] and same["reset_reason"] else RECOVERED


@dataclass(frozen=True, slots=True)
class Surges:
    """A unit on mains with its firmware up, and the generator coupled into its mains."""

    bench: Station
    board: SmartPower

    def prepare(self) -> None:
        """Close CLOSED and open the other sockets."""
        self.bench.power_meter.set_ranges(VOLTAGE_RANGE_V, 2 * PROOF_A)
        switch(self.bench, self.board, CLOSED)

    def before(self) -> UnitState:
        """Look at the unit; the load's energy is counted before its registers are read."""
        closed = self._closed()
        self.bench.clock.sleep(COUNTED_S)
        return self._state(closed=closed)

    def after(self) -> UnitState:
        """Look at the unit again, its registers first."""
        self.bench.clock.sleep(COUNTED_S)
        return self._state(closed=None)

    def fire(self, level_v: float, angle_deg: float) -> SurgeShot:
        """Fire one surge; the sign of the level is its polarity."""
        with self.bench.armed_surge(level_v, angle_deg) as fire:
            return fire()

    def watch(self, level_v: float, angle_deg: float, low_v: float, high_v: float) -> tuple[SurgeShot, Probed]:
        """Fire one positive surge and return what the high-voltage probe saw behind fuse and varistor."""
        scope, probe = self.bench.scope, self.bench.probe("scope2.hv")
        with self.bench.route("scope2.hv"):
            probe.set_channel(scope, PROBE, low_v, high_v)
            scope.set_timebase(RECORD_S, PRE_TRIGGER_S)
            with self.bench.armed_surge(level_v, angle_deg) as fire:
                probe.arm(scope, PROBE, high_v / 3, rising=True)
                shot = fire()
            self.bench.clock.sleep(COMPLETE_S)  # the generator may tell of its shot while the record still goes on
            return shot, probe.read(scope, PROBE, allow_overdrive=True)

    def judge(self, before: UnitState, drift_wh: float) -> tuple[int, UnitState]:
        """Give the unit time to recover, look at it, and judge; return what the next surge is compared with."""
        self.bench.clock.sleep(RECOVER_S)
        try:
            after = self.after()
        except UnitSilent:
            return DAMAGED, before
        return before.criterion(after, drift_wh), after

    def _state(self, closed: tuple[bool, ...] | None) -> UnitState:
        board = self.board
        at_s, life = self.bench.clock.now_s(), board.life()
        status = [board.socket_status(socket) for socket in SOCKETS]
        calibrations = tuple(board.stored_calibration(socket) for socket in SOCKETS)
        return UnitState(
            at_s=at_s,
            closed=self._closed() if closed is None else closed,
            energy_wh=tuple(float(one["aenergy"]["total"]) for one in status),
            calibrations=calibrations,
            life=life,
            errors=tuple(tuple(one["errors"]) for one in status),
        )

    def _closed(self) -> tuple[bool, ...]:
        return tuple(self._carries(socket) for socket in SOCKETS)

    def _carries(self, socket: int) -> bool:
        with self.bench.loaded(socket) as load:
            load.set_current(PROOF_A)
            load.on()
            self.bench.clock.sleep(SETTLE_S)
            return self.bench.power_meter.measure().current_a > PROOF_A / 2
