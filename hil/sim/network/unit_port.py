"""The unit's Ethernet socket: on revision A a PHY that nobody drives (DR-01), on B a W5500 with a MAC of its own [A].

Ref: facts smart-power 4. LED1 is lit while there is a link, LED2 while it runs at 100 Mbit/s.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.sim.network.lan8720 import Lan8720
from hil.sim.network.phy import Phy, Timing
from hil.sim.world import World

WITH_MAC = frozenset({"B"})
RUNS_V = 2.6  # of 3.3 V, on its way up or down [A]
CRYSTAL_PPM = 30.0  # a healthy one, at most
CRYSTAL_OFF_PPM = 500.0
DHCP_S, DHCP_SPREAD_S, DHCP_AGAIN_S = 0.5, 0.05, 4.0  # [A]


class UnitPort:
    """The link end on the board, its LEDs, and on revision B the address it was given."""

    def __init__(self, world: World, revision: str, mac: str) -> None:
        self._world, self.mac = world, mac
        self.has_mac = revision in WITH_MAC
        self.ip: str | None = None
        self.dhcp: Callable[[str], str | None] = lambda mac: None  # who answers on the network: MAC to address
        self._host = self._supplied = False
        self._asks = 0
        self._rng = world.rng("dhcp")
        who = world.individual("ethernet")
        timing = Timing(
            break_link_s=float(who.uniform(1.20, 1.30)),  # LAN8720A: about 1.2 s
            link_fail_inhibit_s=float(who.uniform(0.75, 1.0)),
            autoneg_wait_s=float(who.uniform(0.5, 1.0)),
            burst_s=float(who.uniform(14e-3, 18e-3)),
            lock_s=float(who.uniform(5e-3, 40e-3)),
            reset_s=float(who.uniform(0.025, 0.060)),  # nRST behind the supply, by an RC [A]
        )
        self._crystal_ppm = float(who.uniform(-CRYSTAL_PPM, CRYSTAL_PPM))
        # a W5500 sends on pins 1-2 for good: it has no Auto-MDIX (unverified)
        self.phy = Phy(world, "unit", timing, auto_mdix=not self.has_mac)
        self.registers = None if self.has_mac else Lan8720(world, self.phy)
        self.phy.listeners.append(self._ask)
        world.on_fault(lambda name: self._begin())
        self._begin()

    def _begin(self) -> None:
        """Take the faults that act now."""
        fault, phy = self._world.fault, self.phy
        phy.clock_ppm = CRYSTAL_OFF_PPM if fault("phy-crystal-off") else self._crystal_ppm
        if fault("phy-forced-10") and phy.autoneg:
            phy.autoneg, phy.forced = False, "10HD"  # MODE straps 000
            phy.restart()
        phy.run(self._supplied and not fault("phy-dead"))

    def set_supply(self, rail_3v3_v: float) -> None:
        """Follow the 3.3 V rail, in volts; the straps are read again at each power-up."""
        if (rail_3v3_v > RUNS_V) != self._supplied:
            self._supplied = not self._supplied
            self._begin()

    @property
    def link_led(self) -> bool:
        """Whether LED1 is lit: there is a link."""
        return self.phy.up

    @property
    def speed_led(self) -> bool:
        """Whether LED2 is lit: the link runs at 100 Mbit/s."""
        return self.phy.mode.startswith("100")

    # -- the host behind it ------------------------------------------------------------------------------------------

    def attach(self) -> None:
        """Let the firmware drive the MAC, where there is one."""
        self._host = True
        self._ask()

    def detach(self) -> None:
        """Lose the firmware: reset, or no power."""
        self._host = False
        self._ask()

    def _ask(self, after_s: float = DHCP_S) -> None:
        """Ask for an address, again and again, while there are a link and a host; without either there is none."""
        self._asks += 1
        if not (self.has_mac and self._host and self.phy.up):
            self.ip = None
            return
        asks = self._asks
        delay_s = after_s + float(self._rng.uniform(0.0, DHCP_SPREAD_S))
        self._world.at(self._world.now_s + delay_s, lambda: self._offered() if asks == self._asks else None)

    def _offered(self) -> None:
        self.ip = self.dhcp(self.mac)
        if self.ip is None:
            self._ask(DHCP_AGAIN_S)
        else:
            self._world.record("dhcp", ip=self.ip)
