"""A network interface of this computer as the unit's link partner: rtnetlink, ethtool.

Ref: Linux Documentation/networking/ethtool-netlink.rst and statistics.rst. Resource nic://eth1. Settings need
CAP_NET_ADMIN. off() disables the interface: never name the one this computer is reached by.
Tried on a virtual Ethernet pair in a network namespace (up, down, speed, statistics, neighbours, refused settings). Not
tried: a real PHY. There it is unverified that the driver reports the partner's abilities, keeps a forced mode set while
the interface is down, takes the PHY's link down with the interface, and counts symbol errors under one of these names.
"""

from __future__ import annotations

import os
import re

from hil.clock import Clock
from hil.errors import InstrumentRefused, NoReading, SetupError, WrongInstrument
from hil.instruments.roles import Identity, LinkCounters, LinkPartner, LinkState
from hil.links.netlink import NicLink

RESOURCE = re.compile(r"nic://(?P<name>[^/\s?#]{1,15})")  # IFNAMSIZ is 16, its last octet 0
MODES = {"10HD": (10, "HD"), "10FD": (10, "FD"), "100HD": (100, "HD"), "100FD": (100, "FD")}
AUTO = "auto"
ABILITY = re.compile(r"(?P<speed>[0-9]+)baseT/(?P<duplex>Half|Full)")  # twisted pair; 100baseT1 is another thing
NEGOTIATES = "Autoneg"  # among the partner's bits: it answered with link code words; parallel detection has none
# names that drivers give IEEE 802.3 counters (tg3, macb, mlx5, b53, r8169; unverified); then rtnl_link_stats64, defined
FCS_ERRORS = ("rx_crc_errors", "rx_fcs_errors", "rx_frame_check_sequence_errors", "rx_crc_errors_phy", "RxFCSErrors")
ALIGNMENT_ERRORS = ("rx_align_errors", "rx_alignment_errors", "align_errors", "RxAlignmentErrors")
SYMBOL_ERRORS = ("rx_symbol_errors", "rx_symbol_err_phy", "RxSymbolErrors")
SETTLE_S, STEP_S = 1.0, 0.05  # until a setting reads back [A]


class LinuxNic:
    """An Ethernet interface of this computer. Satisfies the LinkPartner role; every setting is read back."""

    ROLE = "LinkPartner"
    MODEL = "Linux network interface"

    def __init__(self, link: NicLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._forced = False

    @classmethod
    def open(cls, resource: str, clock: Clock) -> LinuxNic:
        """Take e.g. nic://eth1; it stays as it is."""
        match = RESOURCE.fullmatch(resource.strip())
        if not match:
            raise SetupError(f"{resource!r} names no network interface", "write it like nic://eth1")
        return cls(NicLink(f"{cls.MODEL} ({cls.ROLE})", match["name"]), clock)

    def identify(self) -> Identity:
        """Return the interface by name and MAC address; the firmware is the kernel."""
        found = self._link.interface()
        if not found.ethernet:
            raise WrongInstrument(
                self._link.who, self._link.where, "an Ethernet interface", found.kind or "another kind"
            )
        kind = f" ({found.kind})" if found.kind else ""
        return Identity("Linux", f"interface {self._link.name}{kind}", found.mac, os.uname().release)

    def set_port(self, up: bool) -> None:
        """Enable or disable the interface."""
        self._link.set_up(up)
        end_s = self._clock.now_s() + SETTLE_S
        while self._link.interface().enabled is not up:
            if self._clock.now_s() >= end_s:
                raise InstrumentRefused(
                    self._link.who, f"set {self._link.name} {'up' if up else 'down'}", "it is not so"
                )
            self._clock.sleep(STEP_S)

    def set_mode(self, mode: str) -> None:
        """Force 10HD, 10FD, 100HD or 100FD, or negotiate: auto, which changes nothing where it does already."""
        if mode == AUTO:
            if not self._link.modes().negotiates:
                self._link.negotiate()
                self._check(mode, self._link.modes().negotiates)
            self._forced = False
            return
        if mode not in MODES:
            raise SetupError(f"the link partner cannot be set to {mode!r}", f"use {', '.join(MODES)} or {AUTO}")
        speed, duplex = MODES[mode]
        self._link.force(speed, duplex)
        self._forced = True
        found = self._link.modes()  # while there is no link, some drivers do not say
        as_told = found.speed in {None, speed} and found.duplex in {"", duplex}
        self._check(mode, as_told and not found.negotiates)

    def link(self) -> LinkState:
        """Return the link as the driver tells it; other speeds are spelt likewise, such as 1000FD."""
        if not self._link.interface().carrier:
            return LinkState(False, "", False, frozenset())
        modes = self._link.modes()
        if modes.speed is None or not modes.duplex:
            raise self._missing("speed and duplex", "unknown", "the driver does not say")
        if not modes.negotiates:
            return LinkState(True, f"{modes.speed}{modes.duplex}", False, frozenset())
        if modes.peer is None:
            raise self._missing(
                "the partner's link modes", "none", "this driver does not report what the unit advertises"
            )
        abilities = frozenset(
            f"{found['speed']}{'FD' if found['duplex'] == 'Full' else 'HD'}"
            for found in map(ABILITY.fullmatch, modes.peer)
            if found
        )
        negotiated = NEGOTIATES in modes.peer
        return LinkState(True, f"{modes.speed}{modes.duplex}", negotiated, abilities if negotiated else frozenset())

    def counters(self) -> LinkCounters:
        """Return the interface's counters; symbol errors exist only where the driver counts them, else NoReading."""
        common, own = self._link.interface().statistics, self._link.statistics()
        symbol = next((own[name] for name in SYMBOL_ERRORS if name in own), None)
        if symbol is None:
            raise self._missing("symbol errors", ", ".join(own) or "no statistics", "this driver does not count them")
        return LinkCounters(
            frames_in=common["rx_packets"],
            frames_out=common["tx_packets"],
            fcs_errors=next((own[name] for name in FCS_ERRORS if name in own), common["rx_crc_errors"]),
            alignment_errors=next((own[name] for name in ALIGNMENT_ERRORS if name in own), common["rx_frame_errors"]),
            symbol_errors=symbol,
            discards=common["rx_dropped"] + common["rx_missed_errors"],
        )

    def addresses(self) -> frozenset[str]:
        """Return the MAC addresses of those who spoke IP with this computer on the interface, as 7CDFA1000000."""
        return self._link.neighbours()

    def off(self) -> None:
        """Disable the interface; one that was forced here negotiates when it is enabled again. Safe in any state."""
        try:
            if self._forced:
                self.set_mode(AUTO)  # first: some drivers refuse it while the interface is down
        finally:
            self.set_port(False)

    def is_off(self) -> bool:
        return not self._link.interface().enabled

    def close(self) -> None:
        self._link.close()

    def _check(self, mode: str, done: bool) -> None:
        if not done:
            raise InstrumentRefused(self._link.who, f"set_mode {mode}", f"read back as {self._link.modes()}")

    def _missing(self, what: str, got: str, why: str) -> NoReading:
        return NoReading(self._link.who, f"{what} of {self._link.name}", got, why)


DRIVER: type[LinkPartner] = LinuxNic
