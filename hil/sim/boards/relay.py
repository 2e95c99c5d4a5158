"""A dual-coil latching relay with its two drivers: armature, contact, coil currents, collectors.

Ref: facts smart-power 2.2 (PC817C and BC817-40 drive chain) and 5 (latching relays). All figures are [A] within those.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hil.sim.history import KEEP_S, Steps
from hil.sim.world import World

COIL_20C_OHM = 42.0  # RT1 / HFE20 class at 5 V
COPPER_PER_K = 0.0039
COIL_H = 60e-3  # [A]
PULL_IN_V = 3.5  # below it the armature does not move
DRIVER_ON_S = 10e-6  # optocoupler and transistor [A]
DRIVER_OFF_S = 35e-6  # saturated turn-off [A]
DIODE_V = 0.8
BREAKDOWN_V = 60.0  # typical V(BR)CEO of a BC817, the least is 45 V
SLOW_S = 18e-3
WORN_MOVES, STICKS_EVERY = 150, 9  # a worn pivot: from so many movements on, it sticks at each of these [A]
BURNT_OHM = 0.25

Samples = NDArray[np.float64]


@dataclass
class CoilPulse:
    """One time that a collector pulled: exponential rise, then decay through the diode or into breakdown."""

    on_s: float
    rail_v: float
    final_a: float  # where the current tends
    tau_s: float
    ohm: float
    clamp_v: float  # above the rail, once the driver is off
    off_s: float = math.inf
    end_s: float = math.inf  # when the current is gone

    def release(self, t_s: float) -> None:
        """Let go at t_s; the coil drives its current on until it is gone."""
        self.off_s = t_s
        left_a = self.final_a * -math.expm1(-(t_s - self.on_s) / self.tau_s)
        self.end_s = t_s + self.tau_s * math.log1p(left_a * self.ohm / self.clamp_v)

    def current_a(self, t_s: Samples) -> Samples:
        """Return the coil current at these times."""
        rising = self.final_a * -np.expm1(-np.clip(t_s - self.on_s, 0.0, None) / self.tau_s)
        if self.off_s == math.inf:
            return rising
        left_a = self.final_a * -math.expm1(-(self.off_s - self.on_s) / self.tau_s)
        against_a = self.clamp_v / self.ohm
        falling = (left_a + against_a) * np.exp(-np.clip(t_s - self.off_s, 0.0, None) / self.tau_s) - against_a
        return np.where(t_s < self.off_s, rising, np.clip(falling, 0.0, None))


@dataclass
class Coil:
    """One coil and its driver."""

    name: str
    ohm_20c: float
    vce_v: float
    vce_ohm: float
    energised: bool = False
    pulses: list[CoilPulse] = field(default_factory=list)
    generation: int = 0


class Relay:
    """One of K1-K4. Its armature remembers; nothing reads it back."""

    def __init__(
        self,
        world: World,
        number: int,
        temp_c: Callable[[], float],
        rail_v: Callable[[], tuple[float, float]],
        changed: Callable[[], None],
    ) -> None:
        self.name = f"K{number}"
        self._key = f"k{number}"
        self._world = world
        self._temp_c = temp_c
        self._rail_v = rail_v  # the rail without coils, and the resistance behind it
        self._changed = changed
        who = world.individual("relay", self.name)
        self._operate_s = {"SET": who.uniform(3.8e-3, 7.2e-3), "RESET": who.uniform(3.5e-3, 6.5e-3)}
        self._contact_ohm = float(who.uniform(10e-3, 40e-3))
        self.coils = {
            action: Coil(
                f"{self.name}.{action}",
                COIL_20C_OHM * float(who.uniform(0.96, 1.04)),
                float(who.uniform(0.12, 0.20)),
                float(who.uniform(0.2, 0.8)),
            )
            for action in ("SET", "RESET")
        }
        self._scatter = world.rng("relay", self.name)
        self.armature_set = False  # shipped in RESET [A]
        self._bouncing = self._moves = 0
        self._closed = False
        self.contact: Steps[bool] = Steps(False)
        self._touch(False)
        world.on_fault(lambda _: self._touch(self.armature_set))

    # -- what can be measured ----------------------------------------------------------------------------------------

    @property
    def contact_ohm(self) -> float | None:
        """The contact's resistance; None when it is open."""
        if not self._closed:
            return None
        return BURNT_OHM if self._world.fault(f"{self._key}-contact-resistance") else self._contact_ohm

    def coil_ohm(self, action: str) -> float:
        """Return the coil's resistance at its temperature; infinite when it is open."""
        if self._world.fault(f"{self._key}-{action.lower()}-open"):
            return math.inf
        return self.coils[action].ohm_20c * (1 + COPPER_PER_K * (self._temp_c() - 20.0))

    def coil_current_a(self, t_s: Samples) -> Samples:
        """Return the current of both coils from the rail at these ascending times; flyback circulates in the diode."""
        total = np.zeros_like(t_s)
        for coil in self.coils.values():
            for pulse in coil.pulses:
                if pulse.on_s <= t_s[-1] and pulse.off_s > t_s[0]:
                    driven = slice(*np.searchsorted(t_s, (pulse.on_s, pulse.off_s)))
                    total[driven] += pulse.current_a(t_s[driven])
        return total

    def collector_v(self, action: str, t_s: Samples, rail_v: Samples) -> Samples:
        """Return the collector's voltage at these times: the rail, VCE(sat) in a pulse, flyback after it."""
        coil = self.coils[action]
        volts = rail_v.copy()
        if math.isinf(self.coil_ohm(action)):
            volts[:] = 0.0  # nothing pulls it up; the scope's input pulls it down
        for pulse in coil.pulses:
            if pulse.on_s > t_s[-1] or pulse.end_s < t_s[0]:
                continue
            current = pulse.current_a(t_s)
            driven = (t_s >= pulse.on_s) & (t_s < pulse.off_s)
            volts = np.where(driven, np.minimum(coil.vce_v + coil.vce_ohm * current, rail_v), volts)
            flying = (t_s >= pulse.off_s) & (t_s < pulse.end_s)
            volts = np.where(flying, rail_v + pulse.clamp_v, volts)
        return volts

    def coil_events_s(self, after_s: float, before_s: float) -> list[float]:
        """Return the instants at which a coil's signals jump, in (after_s, before_s]."""
        instants = [
            t_s
            for coil in self.coils.values()
            for pulse in coil.pulses
            for t_s in (pulse.on_s, pulse.off_s, pulse.end_s)
        ]
        return [t_s for t_s in instants if after_s < t_s <= before_s]

    # -- what drives it ----------------------------------------------------------------------------------------------

    def drive(self, action: str, on: bool) -> None:
        """Follow the MCU's pin of SET or RESET; the driver's delays come on top."""
        if self._world.fault(f"{self._key}-coils-swapped"):
            action = "RESET" if action == "SET" else "SET"
        delay_s = DRIVER_ON_S if on else DRIVER_OFF_S
        self._world.at(self._world.now_s + delay_s, lambda: self._collector(action, on))

    def _collector(self, action: str, on: bool) -> None:
        coil, now_s = self.coils[action], self._world.now_s
        if coil.energised == on:
            return
        coil.energised = on
        coil.generation += 1
        self._world.record("coil", coil=coil.name, on=on)
        if on:
            self._energise(action, coil)
        elif coil.pulses and coil.pulses[-1].off_s == math.inf:
            coil.pulses[-1].release(now_s)
        self._changed()

    def _energise(self, action: str, coil: Coil) -> None:
        now_s, ohm = self._world.now_s, self.coil_ohm(action)
        rail_v, behind_ohm = self._rail_v()
        coil.pulses = [pulse for pulse in coil.pulses if pulse.end_s > now_s - KEEP_S]
        open_coil = math.isinf(ohm)
        series_ohm = (COIL_20C_OHM if open_coil else ohm) + coil.vce_ohm + behind_ohm
        final_a = 0.0 if open_coil else max(0.0, rail_v - coil.vce_v) / series_ohm
        no_diode = self._world.fault(f"{self._key}-no-flyback")
        clamp_v = BREAKDOWN_V - rail_v if no_diode else DIODE_V
        coil.pulses.append(CoilPulse(now_s, rail_v, final_a, COIL_H / series_ohm, series_ohm, clamp_v))
        coil_v = 0.0 if open_coil else final_a * ohm
        if coil_v < PULL_IN_V:
            return
        moves_s = self._operate_s[action] * (5.0 / coil_v) ** 1.2 + float(self._scatter.normal(0.0, 80e-6))
        if self._world.fault(f"{self._key}-slow"):
            moves_s += SLOW_S
        generation = coil.generation
        self._world.at(now_s + moves_s, lambda: self._arrive(action, coil, generation))

    def _arrive(self, action: str, coil: Coil, generation: int) -> None:
        if coil.generation != generation:
            return  # the pulse was too short: the armature falls back
        wanted = action == "SET"
        other = self.coils["RESET" if wanted else "SET"]
        if other.energised:
            self._world.record("violation", what=f"{self.name}: SET and RESET driven together")
            wanted = bool(self._scatter.integers(2))  # both coils: where it ends is chance
        if wanted == self.armature_set or self._sticks():
            return
        self.armature_set = wanted
        self._bouncing += 1
        episode, now_s = self._bouncing, self._world.now_s
        self._touch(wanted)
        pairs = int(self._scatter.integers(0, 3 if wanted else 2))
        spread_s = float(self._scatter.uniform(1e-3, 3e-3) if wanted else self._scatter.uniform(0.2e-3, 0.8e-3))
        edges_s = np.sort(self._scatter.uniform(0.1 * spread_s, spread_s, 2 * pairs))
        for index, edge_s in enumerate(edges_s.tolist()):
            state = wanted == bool(index % 2)
            self._world.at(now_s + edge_s, partial(self._bounce, episode, state))

    def _sticks(self) -> bool:
        """Say whether a worn pivot holds the armature this time."""
        self._moves += 1
        worn = self._moves > WORN_MOVES and self._world.fault(f"{self._key}-worn")
        return worn and self._moves % STICKS_EVERY == 0

    def _bounce(self, episode: int, closed: bool) -> None:
        if episode == self._bouncing:
            self._touch(closed)

    def _touch(self, closed: bool) -> None:
        closed = closed or self._world.fault(f"{self._key}-welded")
        if closed != self._closed:
            self._world.record("contact", relay=self.name, closed=closed)
            self._closed = closed
            self.contact.set(self._world.now_s, closed)
            self._changed()
