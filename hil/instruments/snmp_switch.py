"""A port of a managed switch as the unit's link partner, by standard MIBs only: any switch that has them will do.

Ref: RFC 3418 section 2 (SNMPv2-MIB: sysDescr, sysObjectID, sysName); RFC 2863 section 6 (IF-MIB: ifTable, ifXTable);
RFC 3635 section 4 (EtherLike-MIB: dot3StatsTable); RFC 4836 (MAU-MIB: ifMauTable, ifMauAutoNegTable; IANA-MAU-MIB:
dot3MauType and IANAifMauAutoNegCapBits); RFC 4188 (BRIDGE-MIB: dot1dBasePortTable, dot1dTpFdbTable).
Community strings cross the wire in the clear: the switch belongs on the bench's own network. A switch that fills only
Q-BRIDGE-MIB (RFC 4363) learns addresses that are not seen here. Tried against net-snmp's agent; on no switch yet.
"""

from __future__ import annotations

from hil.clock import Clock
from hil.errors import BadAnswer, InstrumentRefused, NoReading, SetupError, WrongInstrument
from hil.instruments.roles import Identity, LinkCounters, LinkPartner, LinkState
from hil.links.snmp import Oid, SnmpAddress, SnmpLink, Value, bits, dotted

MIB_2 = (1, 3, 6, 1, 2, 1)
ENTERPRISES = (1, 3, 6, 1, 4, 1)
SYS_DESCR, SYS_OBJECT_ID, SYS_NAME = (*MIB_2, 1, 1, 0), (*MIB_2, 1, 2, 0), (*MIB_2, 1, 5, 0)

IF_ENTRY, IF_X_ENTRY = (*MIB_2, 2, 2, 1), (*MIB_2, 31, 1, 1, 1)
IF_TYPE, IF_ADMIN_STATUS, IF_OPER_STATUS = (*IF_ENTRY, 3), (*IF_ENTRY, 7), (*IF_ENTRY, 8)
IF_IN_DISCARDS, IF_HIGH_SPEED = (*IF_ENTRY, 13), (*IF_X_ENTRY, 15)  # ifHighSpeed in Mbit/s
UP, DOWN = 1, 2
ETHERNET_TYPES = {6, 62, 117}  # ethernetCsmacd; fastEther and gigabitEthernet, which RFC 3635 deprecates, are met still
# 64 bits and, where a port has only those (RFC 2863, 3.1.6), 32: unicast, multicast, broadcast
FRAMES_IN = {(*IF_X_ENTRY, 7): (*IF_ENTRY, 11), (*IF_X_ENTRY, 8): (*IF_X_ENTRY, 2), (*IF_X_ENTRY, 9): (*IF_X_ENTRY, 3)}
FRAMES_OUT = {
    (*IF_X_ENTRY, 11): (*IF_ENTRY, 17),
    (*IF_X_ENTRY, 12): (*IF_X_ENTRY, 4),
    (*IF_X_ENTRY, 13): (*IF_X_ENTRY, 5),
}

DOT3_ENTRY = (*MIB_2, 10, 7, 2, 1)
ALIGNMENT_ERRORS, FCS_ERRORS, SYMBOL_ERRORS = (*DOT3_ENTRY, 2), (*DOT3_ENTRY, 3), (*DOT3_ENTRY, 18)
DUPLEX_STATUS = (*DOT3_ENTRY, 19)
DUPLEX = {2: "HD", 3: "FD"}

MAU = 1  # ifMauIndex: a copper port has one MAU
MAU_TYPE, MAU_DEFAULT_TYPE = (*MIB_2, 26, 2, 1, 1, 3), (*MIB_2, 26, 2, 1, 1, 11)
AUTONEG_ENTRY = (*MIB_2, 26, 5, 1, 1)
AUTONEG_ADMIN_STATUS, AUTONEG_REMOTE, AUTONEG_RESTART = (*AUTONEG_ENTRY, 1), (*AUTONEG_ENTRY, 2), (*AUTONEG_ENTRY, 8)
AUTONEG_RECEIVED = (*AUTONEG_ENTRY, 11)
ENABLED, DISABLED, DETECTED, RESTART = 1, 2, 1, 1
TYPES = {f"{speed}{duplex}": (*MIB_2, 26, 4, number) for speed, duplex, number in (
    (10, "HD", 10), (10, "FD", 11), (100, "HD", 15), (100, "FD", 16),
)}  # fmt: skip
ABILITIES = {  # IANAifMauAutoNegCapBits: the bits that are modes
    1: "10HD", 2: "10FD", 3: "100T4", 4: "100HD", 5: "100FD", 6: "100T2HD", 7: "100T2FD", 14: "1000HD", 15: "1000FD",
}  # fmt: skip
AUTO = "auto"

BASE_PORT_IF_INDEX = (*MIB_2, 17, 1, 4, 1, 2)
FDB_PORT, FDB_STATUS = (*MIB_2, 17, 4, 3, 1, 2), (*MIB_2, 17, 4, 3, 1, 3)
LEARNED = 3
MAC_OCTETS = 6

SETTLE_S, STEP_S = 1.0, 0.05  # until a setting reads back; switches differ [A]
NAMES = {
    IF_TYPE: "ifType", IF_ADMIN_STATUS: "ifAdminStatus", IF_OPER_STATUS: "ifOperStatus", IF_HIGH_SPEED: "ifHighSpeed",
    IF_IN_DISCARDS: "ifInDiscards", ALIGNMENT_ERRORS: "dot3StatsAlignmentErrors", FCS_ERRORS: "dot3StatsFCSErrors",
    SYMBOL_ERRORS: "dot3StatsSymbolErrors", DUPLEX_STATUS: "dot3StatsDuplexStatus",
    AUTONEG_ADMIN_STATUS: "ifMauAutoNegAdminStatus", AUTONEG_REMOTE: "ifMauAutoNegRemoteSignaling",
}  # fmt: skip


class SnmpSwitch:
    """One port of a managed switch. Satisfies the LinkPartner role; every setting is read back."""

    ROLE = "LinkPartner"
    MODEL = "managed switch (SNMP)"

    def __init__(self, link: SnmpLink, index: int, clock: Clock) -> None:
        self._link, self._index, self._clock = link, index, clock

    @classmethod
    def open(cls, resource: str, clock: Clock) -> SnmpSwitch:
        """Take e.g. snmp://public@192.168.1.2:161/3?write=private; 3 is the port's ifIndex. Nothing is asked yet."""
        address = SnmpAddress.parse(resource)
        return cls(SnmpLink(f"{cls.MODEL} ({cls.ROLE})", address), address.index, clock)

    def identify(self) -> Identity:
        """Return what the switch says of itself; the MIB has no serial number: sysName stands for it."""
        described, product, name, kind = self._link.get(SYS_DESCR, SYS_OBJECT_ID, SYS_NAME, self._port(IF_TYPE))
        if kind not in ETHERNET_TYPES:
            got = f"ifType {kind!r}" if kind is not None else "no such interface"
            raise WrongInstrument(self._link.who, self._link.where, f"an Ethernet port at ifIndex {self._index}", got)
        return Identity(_maker(product), _text(described), _text(name), "")

    def set_port(self, up: bool) -> None:
        """Enable or disable the port (ifAdminStatus)."""
        self._set(self._port(IF_ADMIN_STATUS), UP if up else DOWN, "ifAdminStatus")

    def set_mode(self, mode: str) -> None:
        """Force 10HD, 10FD, 100HD or 100FD, or negotiate: auto, which starts anew only if the port was forced."""
        if mode == AUTO:
            if self._number(AUTONEG_ADMIN_STATUS, mau=True) != ENABLED:
                self._set(self._mau(AUTONEG_ADMIN_STATUS), ENABLED, "ifMauAutoNegAdminStatus")
                if not self.is_off():
                    self._link.set(self._mau(AUTONEG_RESTART), RESTART)  # it reads back as norestart
            return
        if mode not in TYPES:
            raise SetupError(f"the link partner cannot be set to {mode!r}", f"use {', '.join(TYPES)} or {AUTO}")
        # the default type first: a port that negotiates keeps it until it does no more (RFC 4836, ifMauDefaultType)
        self._set(self._mau(MAU_DEFAULT_TYPE), TYPES[mode], "ifMauDefaultType")
        self._set(self._mau(AUTONEG_ADMIN_STATUS), DISABLED, "ifMauAutoNegAdminStatus")

    def link(self) -> LinkState:
        """Return the link as the port sees it; what the unit advertises is kept only while the link is up."""
        asked = [self._port(IF_OPER_STATUS), self._port(IF_HIGH_SPEED), self._port(DUPLEX_STATUS)]
        asked += [self._mau(one) for one in (MAU_TYPE, AUTONEG_ADMIN_STATUS, AUTONEG_REMOTE, AUTONEG_RECEIVED)]
        status, speed, duplex, kind, negotiates, remote, received = self._link.get(*asked)
        if self._found(status, IF_OPER_STATUS) != UP:
            return LinkState(False, "", False, frozenset())
        mode = next((mode for mode, oid in TYPES.items() if oid == kind), "") or self._mode(speed, duplex)
        enabled = self._found(negotiates, AUTONEG_ADMIN_STATUS) == ENABLED
        negotiated = enabled and self._found(remote, AUTONEG_REMOTE) == DETECTED
        return LinkState(True, mode, negotiated, self._abilities(received) if negotiated else frozenset())

    def counters(self) -> LinkCounters:
        """Return the port's counters; one that the switch does not keep is an error, not zero."""
        wide, narrow = [*FRAMES_IN, *FRAMES_OUT], [*FRAMES_IN.values(), *FRAMES_OUT.values()]
        errors = (FCS_ERRORS, ALIGNMENT_ERRORS, SYMBOL_ERRORS, IF_IN_DISCARDS)
        values = self._link.get(*(self._port(one) for one in (*wide, *narrow, *errors)))
        frames = [
            self._found(narrow_value if wide_value is None else wide_value, column)
            for column, wide_value, narrow_value in zip(wide, values, values[len(wide) :], strict=False)
        ]
        counted = [self._found(value, one) for one, value in zip(errors, values[-len(errors) :], strict=True)]
        return LinkCounters(sum(frames[: len(FRAMES_IN)]), sum(frames[len(FRAMES_IN) :]), *counted)

    def addresses(self) -> frozenset[str]:
        """Return the MAC addresses learnt on the port, as 7CDFA1000000; they stay until the switch forgets them."""
        ports = {port for port, index in self._link.column(BASE_PORT_IF_INDEX).items() if index == self._index}
        status = self._link.column(FDB_STATUS)
        found = [
            mac
            for mac, port in self._link.column(FDB_PORT).items()
            if isinstance(port, int) and (port,) in ports and status.get(mac, LEARNED) == LEARNED
        ]
        return frozenset(mac_address(self._link.who, mac) for mac in found)

    def off(self) -> None:
        """Disable the port and let it negotiate when it is enabled again. Safe in any state, any number of times."""
        self.set_port(False)
        self.set_mode(AUTO)

    def is_off(self) -> bool:
        return self._number(IF_ADMIN_STATUS) == DOWN

    def close(self) -> None:
        self._link.close()

    # -- objects of this port ------------------------------------------------------------------------------------------

    def _port(self, column: Oid) -> Oid:
        return (*column, self._index)

    def _mau(self, column: Oid) -> Oid:
        return (*column, self._index, MAU)

    def _number(self, column: Oid, *, mau: bool = False) -> int:
        return self._found(self._link.get(self._mau(column) if mau else self._port(column))[0], column)

    def _found(self, value: Value, column: Oid) -> int:
        if value is None:
            why = f"the switch does not have it for ifIndex {self._index}"
            raise NoReading(self._link.who, NAMES.get(column, dotted(column)), "no such object", why)
        if not isinstance(value, int):
            raise BadAnswer(self._link.who, NAMES.get(column, dotted(column)), repr(value), "not a number")
        return value

    def _set(self, oid: Oid, value: int | Oid, name: str) -> None:
        """Write and read back until it is so."""
        self._link.set(oid, value)
        end_s = self._clock.now_s() + SETTLE_S
        while (got := self._link.get(oid)[0]) != value:
            if self._clock.now_s() >= end_s:
                raise InstrumentRefused(self._link.who, f"{name} = {_shown(value)}", f"read back as {_shown(got)}")
            self._clock.sleep(STEP_S)

    # -- what the values mean ------------------------------------------------------------------------------------------

    def _mode(self, speed: Value, duplex: Value) -> str:
        """Spell the mode of a MAU whose type says no duplex, or is none of ours."""
        code = self._found(duplex, DUPLEX_STATUS)
        if code not in DUPLEX:
            raise NoReading(self._link.who, "dot3StatsDuplexStatus", str(code), "neither half nor full duplex")
        return f"{self._found(speed, IF_HIGH_SPEED)}{DUPLEX[code]}"

    def _abilities(self, received: Value) -> frozenset[str]:
        if not isinstance(received, bytes):
            raise NoReading(self._link.who, "ifMauAutoNegCapReceivedBits", repr(received), "no bits")
        return frozenset(ABILITIES[bit] for bit in bits(received) if bit in ABILITIES)


def mac_address(who: str, instance: Oid) -> str:
    """Spell the instance of a dot1dTpFdbTable row, which is a MAC address, as 7CDFA1000000."""
    if len(instance) != MAC_OCTETS or max(instance) > 0xFF:
        raise BadAnswer(who, "dot1dTpFdbPort", dotted(instance), "no MAC address")
    return bytes(instance).hex().upper()


def _maker(product: Value) -> str:
    """Return whose product it is, by the number that IANA gave the maker."""
    if isinstance(product, tuple) and product[:-1][: len(ENTERPRISES)] == ENTERPRISES:
        return f"enterprise {product[len(ENTERPRISES)]}"
    return "unknown maker"


def _text(value: Value) -> str:
    return " ".join(value.decode("utf-8", "replace").split()) if isinstance(value, bytes) else ""


def _shown(value: Value) -> str:
    return dotted(value) if isinstance(value, tuple) else str(value)


DRIVER: type[LinkPartner] = SnmpSwitch
