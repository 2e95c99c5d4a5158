"""What the switch's SNMP agent shows: its objects by number, how each is read, and which can be set.

Ref: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), EtherLike-MIB (RFC 3635), MAU-MIB (RFC 4836, IANA-MAU-MIB),
BRIDGE-MIB (RFC 4188). Deprecated columns are left out, as a present-day agent does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1905 import endOfMibView, noSuchInstance, noSuchObject

from hil.sim.network.phy import Kind, Phy, Signal, State
from hil.sim.network.switch import AGEING_S, BASE_MAC, ManagedSwitch, Port

Oid = tuple[int, ...]
Read = Callable[[], Any]

MIB2: Oid = (1, 3, 6, 1, 2, 1)
SYSTEM, INTERFACES, DOT3, BRIDGE = (*MIB2, 1), (*MIB2, 2), (*MIB2, 10, 7), (*MIB2, 17)
IF_ENTRY, IFX_ENTRY, DOT3_ENTRY = (*INTERFACES, 2, 1), (*MIB2, 31, 1, 1, 1), (*DOT3, 2, 1)
MAU_ENTRY, AUTONEG_ENTRY = (*MIB2, 26, 2, 1, 1), (*MIB2, 26, 5, 1, 1)
BASE_PORT_ENTRY, FDB_ENTRY = (*BRIDGE, 1, 4, 1), (*BRIDGE, 4, 3, 1)
ENTERPRISE: Oid = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1)  # netSnmpPlaypen: nobody's product
DESCRIPTION = "hil simulated managed switch, 1 x 10/100BASE-TX, 1 x 1000BASE-T"
MAU_TYPE: Oid = (*MIB2, 26, 4)
MAU_TYPES = {"10HD": 10, "10FD": 11, "100HD": 15, "100FD": 16, "1000FD": 30}  # dot3MauType; TypeListBits the same
CAPABILITY_BITS = {"10HD": 1, "10FD": 2, "100HD": 4, "100FD": 5, "1000FD": 15}  # IANAifMauAutoNegCapBits
FDX_PAUSE = 8
TRUE, FALSE, UP, DOWN = 1, 2, 1, 2

NO_ACCESS, WRONG_TYPE, WRONG_LENGTH, WRONG_VALUE, NO_CREATION, NOT_WRITABLE = 6, 7, 8, 10, 11, 17  # RFC 3416, 3


class SetError(Exception):
    """A value cannot be set; status is SNMP's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of an object: how it is read, and what setting it would do. `set` raises SetError, or returns it."""

    read: Read
    set: Callable[[Any], Callable[[], None]] | None = None


def bits(*numbers: int) -> bytes:
    """Return a BITS value: bit 0 is the top bit of the first octet."""
    octets = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        octets[number // 8] |= 0x80 >> number % 8
    return bytes(octets)


def bit_numbers(value: bytes) -> set[int]:
    """Return the bits that are set in a BITS value."""
    return {8 * index + bit for index, octet in enumerate(value) for bit in range(8) if octet & 0x80 >> bit}


class Mib:
    """All objects of a switch, in order."""

    def __init__(self, switch: ManagedSwitch) -> None:
        self._switch = switch
        self._instances: dict[Oid, Instance] = {}
        self._objects: set[Oid] = set()
        self._order: list[Oid] = []
        self._learnt: dict[str, int] | None = None
        self._fixed: list[tuple[Oid, Oid, Instance]] = [
            *self._scalars(),
            *(entry for port in switch.ports.values() for entry in self._port(port)),
        ]

    # -- access ------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        learnt = self._switch.addresses()
        if learnt == self._learnt:
            return
        self._learnt = learnt
        everything = [*self._fixed, *self._fdb(learnt)]
        self._objects = {column for column, _, _ in everything}
        self._instances = {(*column, *index): instance for column, index, instance in everything}
        self._order = sorted(self._instances)

    def get(self, oid: Oid) -> Any:
        """Return an object's value, or the exception value that says what is missing."""
        self._refresh()
        instance = self._instances.get(oid)
        if instance is not None:
            return instance.read()
        return noSuchInstance if self._column(oid) else noSuchObject

    def next(self, oid: Oid) -> tuple[Oid, Any]:
        """Return the first object after oid, or oid itself with the value that ends a walk."""
        self._refresh()
        place = bisect_right(self._order, oid)
        if place == len(self._order):
            return oid, endOfMibView
        found = self._order[place]
        return found, self._instances[found].read()

    def prepare(self, oid: Oid, value: Any) -> Callable[[], None]:
        """Check a value for an object and return what sets it; raises SetError."""
        self._refresh()
        instance = self._instances.get(oid)
        if instance is None:
            raise SetError(NO_CREATION if self._column(oid) else NOT_WRITABLE)
        if instance.set is None:
            raise SetError(NOT_WRITABLE)
        return instance.set(value)

    def _column(self, oid: Oid) -> bool:
        return any(oid[:length] in self._objects for length in range(len(SYSTEM), len(oid) + 1))

    # -- objects -----------------------------------------------------------------------------------------------------

    def _scalars(self) -> Iterator[tuple[Oid, Oid, Instance]]:
        switch = self._switch
        found: list[tuple[Oid, Instance]] = [
            ((*SYSTEM, 1), Instance(lambda: v2c.OctetString(DESCRIPTION))),
            ((*SYSTEM, 2), Instance(lambda: v2c.ObjectIdentifier(ENTERPRISE))),
            ((*SYSTEM, 3), Instance(lambda: _ticks(switch.uptime_s))),
            ((*SYSTEM, 4), _text(switch, "contact")),
            ((*SYSTEM, 5), _text(switch, "name")),
            ((*SYSTEM, 6), _text(switch, "location")),
            ((*SYSTEM, 7), Instance(lambda: v2c.Integer32(2))),  # sysServices: datalink
            ((*INTERFACES, 1), Instance(lambda: v2c.Integer32(len(switch.ports)))),
            ((*MIB2, 31, 1, 5), Instance(lambda: _ticks(0.0))),  # ifTableLastChange
            ((*BRIDGE, 1, 1), Instance(lambda: v2c.OctetString(BASE_MAC))),
            ((*BRIDGE, 1, 2), Instance(lambda: v2c.Integer32(len(switch.ports)))),
            ((*BRIDGE, 1, 3), Instance(lambda: v2c.Integer32(2))),  # dot1dBaseType: transparent only
            ((*BRIDGE, 4, 1), Instance(lambda: v2c.Counter32(0))),  # dot1dTpLearnedEntryDiscards
            ((*BRIDGE, 4, 2), Instance(lambda: v2c.Integer32(round(AGEING_S)))),
        ]
        for oid, instance in found:
            yield oid, (0,), instance

    def _port(self, port: Port) -> Iterator[tuple[Oid, Oid, Instance]]:
        tables = (
            (IF_ENTRY, (port.index,), _if_row(port)),
            (IFX_ENTRY, (port.index,), _ifx_row(port)),
            (DOT3_ENTRY, (port.index,), _dot3_row(port)),
            (MAU_ENTRY, (port.index, 1), _mau_row(port)),
            (AUTONEG_ENTRY, (port.index, 1), _autoneg_row(port)),
            (BASE_PORT_ENTRY, (port.index,), _base_port_row(port)),
        )
        for entry, index, row in tables:
            for column, instance in row.items():
                yield (*entry, column), index, instance

    def _fdb(self, learnt: dict[str, int]) -> Iterator[tuple[Oid, Oid, Instance]]:
        for mac, port in learnt.items():
            octets = bytes.fromhex(mac)
            row = (v2c.OctetString(octets), v2c.Integer32(port), v2c.Integer32(3))  # learned
            for column, value in enumerate(row, start=1):
                yield (*FDB_ENTRY, column), tuple(octets), Instance(_constant(value))


# -- rows ------------------------------------------------------------------------------------------------------------


def _if_row(port: Port) -> dict[int, Instance]:
    counters = port.counters

    def set_admin(value: Any) -> Callable[[], None]:
        state = _integer(value, (UP, DOWN))
        return lambda: port.enable(state == UP)

    return {
        1: _number(lambda: port.index),
        2: Instance(lambda: v2c.OctetString(port.name)),
        3: _number(lambda: 6),  # ethernetCsmacd
        4: _number(lambda: 1500),
        5: Instance(lambda: v2c.Gauge32(_bit_per_s(port.mode or _best(port)))),
        6: Instance(lambda: v2c.OctetString(port.mac)),
        7: _number(lambda: UP if port.enabled else DOWN, set_admin),
        8: _number(lambda: UP if port.mode else DOWN),
        9: Instance(lambda: _ticks(port.changed_s)),
        10: _counter(lambda: counters.in_octets),
        11: _counter(lambda: counters.in_unicast),
        13: _counter(lambda: 0),
        14: _counter(lambda: counters.in_errors),
        15: _counter(lambda: 0),
        16: _counter(lambda: counters.out_octets),
        17: _counter(lambda: counters.out_unicast),
        19: _counter(lambda: counters.out_discards),
        20: _counter(lambda: counters.late_collisions),
    }


def _ifx_row(port: Port) -> dict[int, Instance]:
    counters = port.counters
    in_counts: tuple[Callable[[], int], ...] = (
        lambda: counters.in_octets,
        lambda: counters.in_unicast,
        lambda: counters.in_multicast,
        lambda: counters.in_broadcast,
    )
    out_counts: tuple[Callable[[], int], ...] = (
        lambda: counters.out_octets,
        lambda: counters.out_unicast,
        lambda: counters.out_multicast,
        lambda: counters.out_broadcast,
    )
    return {
        1: Instance(lambda: v2c.OctetString(port.name)),
        **{column: _counter(count) for column, count in zip((2, 3), in_counts[2:], strict=True)},
        **{column: _counter(count) for column, count in zip((4, 5), out_counts[2:], strict=True)},
        **{column: _counter64(count) for column, count in enumerate((*in_counts, *out_counts), start=6)},
        14: _number(lambda: DOWN),  # ifLinkUpDownTrapEnable
        15: Instance(lambda: v2c.Gauge32(_bit_per_s(port.mode or _best(port)) // 1_000_000)),
        16: _number(lambda: FALSE),
        17: _number(lambda: TRUE),
        18: _text(port, "alias"),
        19: Instance(lambda: _ticks(0.0)),
    }


def _dot3_row(port: Port) -> dict[int, Instance]:
    counters = port.counters
    still = (4, 5, 6, 7, 9, 10, 11, 13, 16)  # collisions, SQE, deferred, excessive, MAC errors, carrier sense, too long
    return {
        1: _number(lambda: port.index),
        2: _counter(lambda: counters.alignment),
        3: _counter(lambda: counters.fcs),
        **{column: _counter(lambda: 0) for column in still},
        8: _counter(lambda: counters.late_collisions),
        18: _counter(lambda: counters.symbol),
        19: _number(lambda: {"HD": 2, "FD": 3}.get(port.mode[-2:], 1)),
        20: _number(lambda: FALSE),
        21: _number(lambda: 1),
    }


def _mau_row(port: Port) -> dict[int, Instance]:
    def set_default(value: Any) -> Callable[[], None]:
        oid = _oid(value)
        mode = next((mode for mode in port.modes if (*MAU_TYPE, MAU_TYPES[mode]) == oid), None)
        if mode is None:
            raise SetError(WRONG_VALUE)
        return lambda: port.configure(forced=mode)

    return {
        1: _number(lambda: port.index),
        2: _number(lambda: 1),
        3: Instance(lambda: _mau_oid(port.mode)),
        4: _number(lambda: 3 if port.enabled else 5),  # operational, shutdown
        5: _number(lambda: 3 if port.mode else 4),  # available, notAvailable
        6: _counter(lambda: 0),
        7: _number(lambda: 2 if port.modes & {"10HD"} else 1),  # ifMauJabberState: other, unknown
        8: _counter(lambda: 0),
        9: _counter(lambda: port.counters.false_carriers),
        11: Instance(lambda: _mau_oid(port.phy.forced if port.phy else port.mode), set_default),
        12: _number(lambda: TRUE),
        13: Instance(lambda: v2c.OctetString(bits(*(MAU_TYPES[mode] for mode in port.modes)))),
        14: _counter64(lambda: port.counters.false_carriers),
    }


def _autoneg_row(port: Port) -> dict[int, Instance]:
    phy = port.phy

    def set_admin(value: Any) -> Callable[[], None]:
        enabled = _integer(value, (1, 2)) == 1
        return lambda: port.configure(autoneg=enabled)

    def set_restart(value: Any) -> Callable[[], None]:
        wanted = _integer(value, (1, 2)) == 1
        return lambda: phy.restart() if wanted and phy and phy.autoneg else None

    def set_advertised(value: Any) -> Callable[[], None]:
        if not isinstance(value, v2c.OctetString):
            raise SetError(WRONG_TYPE)
        numbers = bit_numbers(bytes(value)) - {FDX_PAUSE}
        known = {CAPABILITY_BITS[mode]: mode for mode in port.modes}
        if not numbers or numbers - set(known):
            raise SetError(WRONG_VALUE)
        return lambda: port.configure(advertised=frozenset(known[number] for number in numbers))

    def config() -> int:
        if phy is None:
            return 3
        if not phy.autoneg:
            return 4  # disabled
        return 3 if phy.up else 2  # complete, configuring

    return {
        1: _number(lambda: 1 if phy is None or phy.autoneg else 2, set_admin),
        2: _number(lambda: 1 if phy is None or _remote(phy).kind is Kind.FLP else 2),
        4: _number(config),
        8: _number(lambda: 2, set_restart),
        9: Instance(lambda: _capabilities(port.modes, True)),
        10: Instance(lambda: _capabilities(phy.advertised if phy else port.modes, True), set_advertised),
        11: Instance(lambda: _capabilities(*_received(port))),
        12: _number(lambda: 1),  # no error
        13: _number(lambda: 1),
    }


def _base_port_row(port: Port) -> dict[int, Instance]:
    return {
        1: _number(lambda: port.index),
        2: _number(lambda: port.index),
        3: Instance(lambda: v2c.ObjectIdentifier((0, 0))),
        4: _counter(lambda: 0),
        5: _counter(lambda: 0),
    }


def _remote(phy: Phy | None) -> Signal:
    """Return what the partner says, while it is there; a partner that is only heard says nothing."""
    if phy is None or not phy.autoneg or phy.state in {State.BREAK, State.DETECT, State.PARALLEL}:
        return Signal()
    return phy.partner


def _received(port: Port) -> tuple[frozenset[str], bool]:
    if port.phy is None:
        return (port.modes if port.enabled else frozenset()), True
    remote = _remote(port.phy)
    return (remote.modes, remote.pause) if remote.kind is Kind.FLP else (frozenset(), False)


# -- values ----------------------------------------------------------------------------------------------------------


def _capabilities(modes: frozenset[str], pause: bool) -> Any:
    numbers = [CAPABILITY_BITS[mode] for mode in modes]
    return v2c.OctetString(bits(*numbers, *([FDX_PAUSE] if pause and modes else [])))


def _mau_oid(mode: str) -> Any:
    return v2c.ObjectIdentifier((*MAU_TYPE, MAU_TYPES[mode]) if mode else (0, 0))


def _best(port: Port) -> str:
    return max(port.modes, key=lambda mode: (_bit_per_s(mode), mode.endswith("FD")))


def _bit_per_s(mode: str) -> int:
    return 1_000_000 * int(mode[:-2])


def _ticks(time_s: float) -> Any:
    return v2c.TimeTicks(int(time_s * 100 + 1e-6) % (1 << 32))


def _constant(value: Any) -> Read:
    return lambda: value


def _number(read: Callable[[], int], set_to: Callable[[Any], Callable[[], None]] | None = None) -> Instance:
    return Instance(lambda: v2c.Integer32(read()), set_to)


def _counter(read: Callable[[], int]) -> Instance:
    return Instance(lambda: v2c.Counter32(read() % (1 << 32)))


def _counter64(read: Callable[[], int]) -> Instance:
    return Instance(lambda: v2c.Counter64(read()))


def _text(owner: object, name: str) -> Instance:
    """A DisplayString that can be set."""

    def set_text(value: Any) -> Callable[[], None]:
        if not isinstance(value, v2c.OctetString):
            raise SetError(WRONG_TYPE)
        if len(value) > 255:
            raise SetError(WRONG_LENGTH)
        text = bytes(value)
        if not text.isascii():
            raise SetError(WRONG_VALUE)
        return lambda: setattr(owner, name, text.decode())

    return Instance(lambda: v2c.OctetString(getattr(owner, name)), set_text)


def _integer(value: Any, allowed: tuple[int, ...]) -> int:
    if type(value) not in (v2c.Integer32, v2c.Integer):
        raise SetError(WRONG_TYPE)
    if int(value) not in allowed:
        raise SetError(WRONG_VALUE)
    return int(value)


def _oid(value: Any) -> Oid:
    if not isinstance(value, v2c.ObjectIdentifier):
        raise SetError(WRONG_TYPE)
    return tuple(int(arc) for arc in value)
