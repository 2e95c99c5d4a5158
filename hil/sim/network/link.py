"""The cable between two link ends: what each hears of the other, and who changes pairs to hear at all.

Ref: IEEE 802.3 clause 40.4.5 (Auto-MDIX, which 100BASE-TX ports borrow): an end that hears nothing draws a bit every
62 ms, and changes its pairs on a one.
"""

from __future__ import annotations

from enum import Enum

from hil.sim.network.phy import SILENCE, Kind, Phy, Signal
from hil.sim.world import World

SAMPLE_S, SAMPLE_SPREAD_S = 0.062, 0.002
MOST_CHANGES = 64  # in vain, after which nobody tries until something else changes; saves the world events
PINS_12, PINS_36 = False, True  # the pairs, as `swapped` names the one that an end sends on


class Cable(Enum):
    """How the two sockets are connected."""

    OUT = "out"
    STRAIGHT = "straight"
    CROSSED = "crossed"


class Link:
    """Two ends and what is between them. An open pair is open at the first end's connector."""

    def __init__(self, world: World, ends: tuple[Phy, Phy]) -> None:
        self._world, self.ends = world, ends
        self.cable = Cable.OUT
        self.open_pairs: frozenset[bool] = frozenset()
        self._rng = world.rng("link")
        self._delivering = False
        self._searching = [False, False]
        self._changes = 0
        for end in ends:
            end.line = self

    def plug(self, cable: Cable) -> None:
        """Take the cable out, or put one in."""
        if cable is self.cable:
            return
        self.cable = cable
        self._changes = 0
        self._world.record("cable", how=cable.value)
        if cable is not Cable.OUT:
            for end in self.ends:
                end.disturb()
        self.changed()

    def open(self, pairs: frozenset[bool]) -> None:
        """Open these pairs for good."""
        self.open_pairs = pairs
        self.changed()

    def changed(self) -> None:
        """Let both ends hear the new state of the line; now, but after what is being done."""
        if not self._delivering:
            self._delivering = True
            self._world.at(self._world.now_s, self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        for listener in (0, 1):
            self.ends[listener].hear(self._arriving(listener))
        if all(end.hears.kind is not Kind.SILENT for end in self.ends) or not all(end.running for end in self.ends):
            self._changes = 0
        for listener in (0, 1):
            self._search(listener)

    def _arriving(self, listener: int) -> Signal:
        """Return what gets to an end's receiver: it listens on the pair that it does not send on."""
        near, far = self.ends[listener], self.ends[1 - listener]
        if self.cable is Cable.OUT:
            return SILENCE
        receives, sends = not near.swapped, far.swapped
        if receives != (sends ^ (self.cable is Cable.CROSSED)):
            return SILENCE
        at_first = receives if listener == 0 else sends
        return SILENCE if at_first in self.open_pairs else far.sends

    # -- who changes pairs -------------------------------------------------------------------------------------------

    def _searches(self, listener: int) -> bool:
        near, far = self.ends[listener], self.ends[1 - listener]
        if self.cable is Cable.OUT or not (near.running and near.auto_mdix) or self._changes >= MOST_CHANGES:
            return False
        return far.sends.kind is not Kind.SILENT and near.hears.kind is Kind.SILENT

    def _search(self, listener: int) -> None:
        if self._searching[listener] or not self._searches(listener):
            return
        self._searching[listener] = True
        sample_s = SAMPLE_S + float(self._rng.uniform(-SAMPLE_SPREAD_S, SAMPLE_SPREAD_S))
        self._world.at(self._world.now_s + sample_s, lambda: self._sample(listener))

    def _sample(self, listener: int) -> None:
        self._searching[listener] = False
        if not self._searches(listener):
            return
        if self._rng.integers(2):
            self._changes += 1
            self.ends[listener].swapped ^= True
            self.changed()
        else:
            self._search(listener)
