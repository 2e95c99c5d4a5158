"""What temperature does to a meter: its reference, the divider, the current transformer and its burden.

Ref: Atmel-46002B [DS26] 6.1: the reference drifts by 15 ppm/K typically, 40 ppm/K at most. The other coefficients, and
how far the current path warms the transformer, are [A]. What was drawn as a tolerance of the parts is their value at
the temperature of the unit's room, without load: there nothing is added.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.sim.air import Air
from hil.sim.boards.heat import Heat
from hil.sim.circuit import Phasors
from hil.sim.world import World

METERS = 4

REFERENCE_TYPICAL, REFERENCE_MOST = 15e-6, 40e-6  # per kelvin [DS26 6.1]
DIVIDER_PER_K = 15e-6  # its resistors track each other
TRANSFORMER_PER_K = 30e-6  # magnetising error and burden
PHASE_DEG_PER_K = 1e-3
BAD_BURDEN_PER_K = 1.5e-3  # a resistor of the wrong material
WARMS_K_PER_A2 = 0.9  # terminals, contact and conductor through the transformer: 8 K at 3 A
WARMS_S = 600.0
STEP_K = 0.15  # what a temperature may move until the meters are told again
SOONEST_S, LATEST_S = 5.0, 120.0


@dataclass(frozen=True, slots=True)
class Drift:
    """How one meter's front end and reference change, per kelvin."""

    voltage_per_k: float
    current_per_k: float
    phase_deg_per_k: float
    burden_per_k: float  # of the transformer alone: what the current's own warmth acts on

    @classmethod
    def of(cls, world: World, number: int) -> Drift:
        """Draw the coefficients of a unit's meter; a fault changes its burden."""
        who = world.individual("drift", f"U{number}")
        reference = max(-REFERENCE_MOST, min(REFERENCE_MOST, float(who.normal(0.0, REFERENCE_TYPICAL))))
        divider = float(who.uniform(-DIVIDER_PER_K, DIVIDER_PER_K))
        burden = float(who.uniform(-TRANSFORMER_PER_K, TRANSFORMER_PER_K))
        phase = float(who.uniform(-PHASE_DEG_PER_K, PHASE_DEG_PER_K))
        if world.fault(f"u{number}-burden-drifts"):
            burden += BAD_BURDEN_PER_K
        return cls(divider - reference, burden - reference, phase, burden)

    def factors(self, board_k: float, current_k: float) -> tuple[float, complex]:
        """Return what multiplies voltage and current, the board and its current path so much above the room."""
        voltage = 1.0 + self.voltage_per_k * board_k
        current = 1.0 + self.current_per_k * board_k + self.burden_per_k * current_k
        turn_deg = self.phase_deg_per_k * (board_k + current_k)
        return voltage, current * cmath.rect(1.0, math.radians(turn_deg))


class Warmth:
    """How much warmer than the board a socket's current has made its transformer."""

    def __init__(self) -> None:
        self._from_s = self._start_k = self.end_k = 0.0

    def carry(self, t_s: float, i2: float) -> None:
        """Carry a mean square current from t_s on, in A^2."""
        end_k = WARMS_K_PER_A2 * i2
        if end_k != self.end_k:
            self._start_k, self._from_s, self.end_k = self.rise_k(t_s), t_s, end_k

    def rise_k(self, t_s: float) -> float:
        """Return the rise at t_s."""
        return self.end_k + (self._start_k - self.end_k) * math.exp(-max(0.0, t_s - self._from_s) / WARMS_S)

    def next_step_s(self, t_s: float) -> float:
        """Return in how long it will have moved by a step; infinite where it hardly moves any more."""
        return steps_in_s(self.end_k - self.rise_k(t_s), WARMS_S)


def steps_in_s(left_k: float, tau_s: float) -> float:
    """Return in how long an exponential that has left_k to go will have moved by a step."""
    if abs(left_k) <= STEP_K:
        return math.inf
    return min(LATEST_S, max(SOONEST_S, tau_s * STEP_K / abs(left_k)))


class Climate:
    """What the four meters feel, and when they must be told again: only while a temperature moves does time tick."""

    def __init__(self, world: World, air: Air, heat: Heat, feed: Callable[[], None]) -> None:
        self._world, self._air, self._heat, self._feed = world, air, heat, feed
        self._warmths = tuple(Warmth() for _ in range(METERS))
        self._due_s = math.inf
        self.look()

    def look(self) -> None:
        """Look at the parts again."""
        self._drifts = tuple(Drift.of(self._world, number) for number in range(1, METERS + 1))

    def carry(self, currents: Sequence[Phasors]) -> None:
        """Let the sockets carry these currents from now on."""
        for warmth, amps in zip(self._warmths, currents, strict=True):
            warmth.carry(self._world.now_s, sum(abs(value) ** 2 for value in amps.values()))

    def factors(self) -> list[tuple[float, complex]]:
        """Return what multiplies voltage and current of each meter now; sees to it that it is asked again in time."""
        now_s = self._world.now_s
        board_k = self._heat.body_c(now_s) - self._air.room_c
        left_k = max((self._air.temp_c(now_s) - board_k - self._air.room_c, self._still_k(board_k)), key=abs)
        waits = [warmth.next_step_s(now_s) for warmth in self._warmths]
        self._ask_in(min(*waits, steps_in_s(left_k, self._heat.tau_s)))
        return [
            drift.factors(board_k, warmth.rise_k(now_s))
            for drift, warmth in zip(self._drifts, self._warmths, strict=True)
        ]

    def _still_k(self, board_k: float) -> float:
        """Return how far the board will go at last, slowly as long as the air does."""
        return STEP_K * 2.0 if abs(self._air.end_c - self._air.room_c - board_k) > STEP_K else 0.0

    def _ask_in(self, wait_s: float) -> None:
        due_s = self._world.now_s + wait_s
        if due_s < self._due_s or self._due_s <= self._world.now_s:
            self._due_s = due_s
            if not math.isinf(due_s):
                self._world.at(due_s, lambda: self._feed() if self._due_s == due_s else None)
