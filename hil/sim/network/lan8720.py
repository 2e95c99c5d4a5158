"""The management registers of a LAN8720A, as its MCU would read them over SMI; on this board nobody can (DR-01).

Ref: facts smart-power 4.1, 4.2. MODE straps 111 (all capable), address 0.
"""

from __future__ import annotations

from hil.sim.network.phy import ALL_MODES, Kind, Phy, State
from hil.sim.world import World

BMCR, BMSR, ID1, ID2, ANAR, ANLPAR, ANER = range(7)
MODE_CONTROL, SPECIAL_MODES, SYMBOL_ERRORS, INDICATIONS, INTERRUPT, INTERRUPT_MASK, SPECIAL = 17, 18, 26, 27, 29, 30, 31
ABILITY_BITS = {"10HD": 0x0020, "10FD": 0x0040, "100HD": 0x0080, "100FD": 0x0100}
SELECTOR, PAUSE, ACKNOWLEDGED = 0x0001, 0x0400, 0x4000
RESET, SPEED, NEGOTIATE, POWER_DOWN, RESTART, DUPLEX = 0x8000, 0x2000, 0x1000, 0x0800, 0x0200, 0x0100
CAPABLE, COMPLETE, LINKED = 0x7809, 0x0020, 0x0004
SPEEDS = {"": 0x0000, "10HD": 0x0004, "10FD": 0x0014, "100HD": 0x0008, "100FD": 0x0018}
LINK_DOWN, NEGOTIATED, ENERGY = 0x0010, 0x0040, 0x0080
ENERGY_HOLD_S = 0.256
KEPT = {MODE_CONTROL: 0x2A40, INTERRUPT_MASK: 0x00FE}  # what can be written of those that only remember


class Lan8720:
    """Reads and writes of one link end."""

    def __init__(self, world: World, phy: Phy) -> None:
        self._world, self._phy = world, phy
        self._words = dict.fromkeys(KEPT, 0)
        self._lost = True  # BMSR's link bit latches low
        self._pending = 0
        self._pages = 0
        phy.listeners.append(self._link_changed)

    def _link_changed(self) -> None:
        up = self._phy.up
        self._lost = self._lost or not up
        self._pending |= (NEGOTIATED if self._phy.negotiated else 0) | ENERGY if up else LINK_DOWN

    @property
    def _negotiated(self) -> bool:
        return self._phy.autoneg and self._phy.state is State.CHECK

    def read(self, register: int) -> int:
        """Read a register 0..31; what does not exist reads FFFFh."""
        phy = self._phy
        match register:
            case 0:
                word = (NEGOTIATE if phy.autoneg else 0) | (0 if phy.running else POWER_DOWN)
                return word | (SPEED * phy.forced.startswith("100")) | (DUPLEX * phy.forced.endswith("FD"))
            case 1:
                linked = phy.up and not self._lost
                self._lost = not phy.up
                return CAPABLE | (COMPLETE if self._negotiated else 0) | (LINKED if linked else 0)
            case 2:
                return 0x0007
            case 3:
                return 0xC0F1
            case 4:
                return SELECTOR | _abilities(phy.advertised) | (PAUSE if phy.pause else 0)
            case 5:
                word = _abilities(phy.partner.modes)
                if phy.partner.kind is Kind.FLP:
                    word |= SELECTOR | ACKNOWLEDGED | (PAUSE if phy.partner.pause else 0)
                return word
            case 6:
                received, self._pages = phy.pages != self._pages, phy.pages
                return (0x0001 if phy.partner.kind is Kind.FLP else 0) | (0x0002 if received else 0)
            case 17:
                return self._words[17] | (0x0002 if self._energy else 0)
            case 18:
                return 0x40E0
            case 26:
                return phy.symbol_errors & 0xFFFF
            case 27:
                return (0 if phy.auto_mdix else 0x8000) | (0x2000 if phy.swapped else 0)
            case 29:
                pending, self._pending = self._pending, 0
                return pending
            case 30:
                return self._words[30]
            case 31:
                return (0x1000 if self._negotiated else 0) | SPEEDS[phy.mode]
        return 0xFFFF

    @property
    def _energy(self) -> bool:
        heard = self._phy.hears.kind is not Kind.SILENT
        return heard or self._world.now_s - self._phy.silent_s < ENERGY_HOLD_S

    def write(self, register: int, word: int) -> None:
        """Write a register; what cannot be written stays."""
        phy = self._phy
        if register in KEPT:
            self._words[register] = word & KEPT[register]
        elif register == ANAR:
            phy.advertised = frozenset(mode for mode, bit in ABILITY_BITS.items() if word & bit)
            phy.pause = bool(word & PAUSE)
        elif register == BMCR and word & RESET:
            phy.autoneg, phy.advertised, phy.pause, phy.forced = True, ALL_MODES, False, "100FD"
            self._words = dict.fromkeys(KEPT, 0)
            phy.run(True)
            phy.restart()
        elif register == BMCR:
            before = (phy.autoneg, phy.forced)
            phy.autoneg = bool(word & NEGOTIATE)
            phy.forced = f"{100 if word & SPEED else 10}{'FD' if word & DUPLEX else 'HD'}"
            phy.run(not word & POWER_DOWN)
            if word & RESTART or (phy.autoneg, phy.forced) != before:
                phy.restart()


def _abilities(modes: frozenset[str]) -> int:
    return sum(ABILITY_BITS[mode] for mode in modes)
