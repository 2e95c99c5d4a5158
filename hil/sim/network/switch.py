"""A managed switch of two ports: port 1 is the unit's, 10/100 Mbit/s; port 2 the uplink, always 1000 Mbit/s and up.

Ref: IEEE 802.3 clause 30, IEEE 802.1D (learning, ageing). Its own timers are typical ones [A].
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.sim.network.phy import ALL_MODES, Phy, Timing
from hil.sim.world import World

UNIT, UPLINK = 1, 2
UPLINK_MODE = "1000FD"
AGEING_S = 300.0
CLOCK_PPM = 8.0  # [A]
BASE_MAC = bytes.fromhex("02485F000100")  # locally administered


@dataclass
class Counters:
    """What a port counted since the switch was powered; it never is not."""

    in_octets: int = 0
    in_unicast: int = 0
    in_multicast: int = 0
    in_broadcast: int = 0
    in_errors: int = 0
    out_octets: int = 0
    out_unicast: int = 0
    out_multicast: int = 0
    out_broadcast: int = 0
    out_discards: int = 0
    alignment: int = 0
    fcs: int = 0
    symbol: int = 0
    false_carriers: int = 0
    late_collisions: int = 0


class Port:
    """A port; without a link end of its own it is the uplink."""

    def __init__(self, world: World, index: int, phy: Phy | None = None) -> None:
        self._world, self.index, self.phy = world, index, phy
        self.name = f"Gi0/{index}" if phy is None else f"Fa0/{index}"
        self.alias = "uplink" if phy is None else "unit under test"
        self.mac = BASE_MAC[:-1] + bytes([index])
        self.counters = Counters()
        self.enabled = True
        self.changed_s = 0.0
        if phy is not None:
            phy.listeners.append(self._link_changed)
            phy.clock_ppm = CLOCK_PPM
            phy.pause = True
            phy.run(True)

    def _link_changed(self) -> None:
        self.changed_s = self._world.now_s

    @property
    def mode(self) -> str:
        """The link's mode; empty while there is none."""
        if self.phy is not None:
            return self.phy.mode
        return UPLINK_MODE if self.enabled else ""

    @property
    def modes(self) -> frozenset[str]:
        """What it can do."""
        return ALL_MODES if self.phy is not None else frozenset({UPLINK_MODE})

    def enable(self, on: bool) -> None:
        """Set its administrative state."""
        if on == self.enabled:
            return
        self.enabled = on
        if self.phy is not None:
            self.phy.run(on)
        else:
            self._link_changed()

    def configure(
        self, *, autoneg: bool | None = None, forced: str | None = None, advertised: frozenset[str] | None = None
    ) -> None:
        """Change how it negotiates, or what it is forced to; Auto-MDIX works while it negotiates only [A]."""
        phy = self.phy
        if phy is None:
            return
        before = (phy.autoneg, phy.advertised if phy.autoneg else phy.forced)
        phy.autoneg = phy.autoneg if autoneg is None else autoneg
        phy.forced = phy.forced if forced is None else forced
        phy.advertised = phy.advertised if advertised is None else advertised
        phy.auto_mdix = phy.autoneg
        if not phy.autoneg:
            phy.swapped = phy.natively_swapped
        if (phy.autoneg, phy.advertised if phy.autoneg else phy.forced) != before:
            phy.restart()


class ManagedSwitch:
    """Ports, names and the table of addresses learnt."""

    def __init__(self, world: World) -> None:
        self._world = world
        phy = Phy(world, "switch", Timing(), swapped=True)
        self.unit_phy = phy
        self.ports = {UNIT: Port(world, UNIT, phy), UPLINK: Port(world, UPLINK)}
        self.contact, self.name, self.location = "", "sim-switch", "simulated station"
        self._learnt: dict[str, tuple[int, float]] = {}
        phy.listeners.append(self._forget)

    def _forget(self) -> None:
        if not self.unit_phy.up:
            self._learnt = {mac: entry for mac, entry in self._learnt.items() if entry[0] != UNIT}

    @property
    def uptime_s(self) -> float:
        """How long it has been running."""
        return self._world.now_s

    def learn(self, mac: str, port: int) -> None:
        """Take the sender of a frame."""
        self._learnt[mac] = (port, self._world.now_s)

    def addresses(self) -> dict[str, int]:
        """Return the addresses learnt and not too old, with their ports."""
        oldest_s = self._world.now_s - AGEING_S
        return {mac: port for mac, (port, seen_s) in sorted(self._learnt.items()) if seen_s >= oldest_s}
