"""Two link ends with a cable between them, and a whole unit at the simulated switch, without wires."""

from __future__ import annotations

from hil.sim.bench import Bench
from hil.sim.network.link import Cable, Link
from hil.sim.network.network import CROSSED, STRAIGHT, Network
from hil.sim.network.phy import ALL_MODES, Phy, Timing
from hil.sim.network.switch import UNIT
from hil.sim.world import World

__all__ = ["CROSSED", "STRAIGHT", "Ends", "Rig"]


class Ends:
    """Ends "near" (MDI) and "far" (MDI-X); both run and negotiate, the cable is out."""

    def __init__(self, seed: int = 0) -> None:
        self.world = World("SP-000123", seed)
        self.near = Phy(self.world, "near", Timing(break_link_s=1.22, burst_s=15e-3))
        self.far = Phy(self.world, "far", Timing(), swapped=True)
        self.link = Link(self.world, (self.near, self.far))
        for end in (self.near, self.far):
            end.run(True)
        self.world.advance(5.0)

    def force(self, mode: str) -> None:
        """Force the far end, as a switch does: without Auto-MDIX."""
        self.far.autoneg, self.far.forced, self.far.auto_mdix = False, mode, False
        self.far.restart()

    def offer(self, end: Phy, *modes: str) -> None:
        end.advertised = frozenset(modes) or ALL_MODES
        end.restart()

    def plug(self, cable: Cable = Cable.STRAIGHT, wait_s: float = 5.0) -> float:
        """Put a cable in and wait; return how long the link took, or infinity."""
        began_s = self.world.now_s
        self.link.plug(cable)
        self.world.advance(wait_s)
        both = self.near.up and self.far.up
        return max(self.near.changed_s, self.far.changed_s) - began_s if both else float("inf")


class Rig:
    """A unit on the bench, powered from J43, with the switch."""

    def __init__(self, revision: str = "A", *faults: str, serial: str = "SP-000123") -> None:
        self.world = World(serial, 0, faults)
        self.bench = Bench(self.world, revision)
        self.network = Network(self.bench)
        self.port = self.network.switch.ports[UNIT]
        self.unit = self.bench.unit
        self.power(True)
        self.world.advance(3.0)

    def power(self, on: bool) -> None:
        self.bench.set_dc(1, voltage_v=5.0, current_limit_a=3.0, on=on)

    def cable(self, *channels: int) -> None:
        self.bench.set_routes(frozenset(channels))

    def linked(self, wait_s: float = 5.0) -> Rig:
        """Put the straight cable in and wait."""
        self.cable(STRAIGHT)
        self.world.advance(wait_s)
        return self

    def events(self, kind: str) -> list[dict[str, object]]:
        return [event for event in self.world.events if event["kind"] == kind]
