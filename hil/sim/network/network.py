"""Unit, cable box and switch together: the link between them, and the frames that cross it.

The relay box in the cable is on channels 311 (straight) and 312 (crossed) of the bench; both closed count as straight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hil.sim.network.link import PINS_36, Cable, Link
from hil.sim.network.switch import UNIT, UPLINK, Counters, ManagedSwitch

if TYPE_CHECKING:
    from hil.sim.bench import Bench

STRAIGHT, CROSSED = 311, 312
LEASE = "192.0.2.61"  # of the DHCP server behind the uplink (RFC 5737)
ELASTIC_BITS = 2.0  # how far two clocks may drift apart within a frame [A]
TOLERANCE_PPM = 200.0  # between two ends, 100 each; beyond it a receiver slips
SLIPS_PER_PPM_S = 1 / 60.0  # [A]
COLLISIONS = 0.1  # of the frames that meet a partner of the other duplex [A]
SEGMENT, TCP_HEADERS = 1460, 14 + 20 + 20 + 4  # octets; Ethernet, IP, TCP, check sequence
SMALLEST = 64  # octets of a frame, with its check sequence
DISCOVER, OFFER, REQUEST, ACKNOWLEDGE, ANNOUNCE = 346, 346, 358, 346, SMALLEST  # octets of DHCP frames and an ARP [A]


class Network:
    """Watches the bench's routes, and joins the unit's socket to port 1 of the switch."""

    def __init__(self, bench: Bench) -> None:
        self._world, self._unit = bench.world, bench.unit.ethernet
        self.switch = ManagedSwitch(self._world)
        self.link = Link(self._world, (self._unit.phy, self.switch.unit_phy))
        self._rng = self._world.rng("network")
        self._up = self._slipping = False
        self._unit.dhcp = self._lease
        for phy in self.link.ends:
            phy.listeners.append(self._link_changed)
        bench.on_routes(self._routed)
        self._world.on_fault(lambda name: self._take_faults())
        self._take_faults()

    def _take_faults(self) -> None:
        if self._world.fault("phy-pair-open"):
            self.link.open(frozenset({PINS_36}))
        self._slip_later()

    def _routed(self, routes: frozenset[int]) -> None:
        if STRAIGHT in routes:
            self.link.plug(Cable.STRAIGHT)
        else:
            self.link.plug(Cable.CROSSED if CROSSED in routes else Cable.OUT)

    # -- the link ----------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether both ends have a link."""
        return all(phy.up for phy in self.link.ends)

    def _link_changed(self) -> None:
        if self.up == self._up:
            return
        self._up = self.up
        unit, switch = self.link.ends
        self._world.record("link", up=self._up, mode=unit.mode if self._up else "", partner=switch.mode)
        self._slip_later()

    @property
    def _offset_ppm(self) -> float:
        unit, switch = self.link.ends
        return abs(unit.clock_ppm - switch.clock_ppm)

    def _slip_later(self) -> None:
        """Have both receivers slip now and then, when one clock runs too far from the other."""
        rate_per_s = max(0.0, self._offset_ppm - TOLERANCE_PPM) * SLIPS_PER_PPM_S
        if self._slipping or not rate_per_s or not (self.up and self._unit.speed_led):
            return
        self._slipping = True
        self._world.at(self._world.now_s + float(self._rng.exponential(1 / rate_per_s)), self._slip)

    def _slip(self) -> None:
        self._slipping = False
        if self.up:
            counters = self.switch.ports[UNIT].counters
            counters.symbol += 1
            counters.false_carriers += 1  # an idle line seems to begin a frame
            self._unit.phy.symbol_errors += 1
        self._slip_later()

    # -- frames ------------------------------------------------------------------------------------------------------

    @property
    def bit_per_s(self) -> float:
        """The link's speed; 0 while there is none."""
        mode = self._unit.phy.mode if self.up else ""
        return 1e6 * float(mode[:-2]) if mode else 0.0

    def to_unit(self, octets: int, broadcast: bool = False) -> bool:
        """Carry a frame from the uplink to the unit; say whether it got there. octets: header to check sequence."""
        port, uplink = self.switch.ports[UNIT], self.switch.ports[UPLINK]
        uplink.counters.in_octets += octets
        _count(uplink.counters, "in", broadcast)
        if not port.mode:
            port.counters.out_discards += 1
            return False
        port.counters.out_octets += octets
        _count(port.counters, "out", broadcast)
        unit, switch = self.link.ends
        if not self.up or self._drifts(octets):
            return False
        if unit.mode[-2:] != switch.mode[-2:] and self._rng.random() < COLLISIONS:
            port.counters.late_collisions += switch.mode.endswith("HD")
            return False
        return True

    def from_unit(self, octets: int, broadcast: bool = False) -> bool:
        """Carry a frame from the unit to the uplink; say whether the switch took it."""
        port, uplink = self.switch.ports[UNIT], self.switch.ports[UPLINK]
        unit, switch = self.link.ends
        if not (self.up and self._unit.has_mac):
            return False
        collided = unit.mode[-2:] != switch.mode[-2:] and self._rng.random() < COLLISIONS
        if collided or self._drifts(octets):
            port.counters.fcs += 1
            port.counters.in_errors += 1
            return False
        self.switch.learn(self._unit.mac, UNIT)
        port.counters.in_octets += octets
        _count(port.counters, "in", broadcast)
        uplink.counters.out_octets += octets
        _count(uplink.counters, "out", broadcast)
        return True

    def converse(self, asked: int, answered: int) -> None:
        """Carry a request and its answer over TCP, octets of payload each way, every segment acknowledged."""
        for octets, there, back in ((asked, self.to_unit, self.from_unit), (answered, self.from_unit, self.to_unit)):
            for start in range(0, octets, SEGMENT):
                there(max(SMALLEST, min(SEGMENT, octets - start) + TCP_HEADERS))
                back(SMALLEST)

    def _drifts(self, octets: int) -> bool:
        return 8 * (octets + 8) * self._offset_ppm * 1e-6 > ELASTIC_BITS

    def _lease(self, mac: str) -> str | None:
        """Answer the unit's DHCP; None when a frame was lost."""
        there: list[Callable[[], bool]] = [
            lambda: self.from_unit(DISCOVER, broadcast=True),
            lambda: self.to_unit(OFFER),
            lambda: self.from_unit(REQUEST, broadcast=True),
            lambda: self.to_unit(ACKNOWLEDGE),
            lambda: self.from_unit(ANNOUNCE, broadcast=True),
        ]
        return LEASE if all(frame() for frame in there) else None


def _count(counters: Counters, way: str, broadcast: bool) -> None:
    name = f"{way}_{'broadcast' if broadcast else 'unicast'}"
    setattr(counters, name, getattr(counters, name) + 1)
