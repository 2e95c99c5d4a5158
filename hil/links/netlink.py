"""A network interface of this computer by rtnetlink and ethtool netlink, through pyroute2; its errors become ours.

Ref: Linux Documentation/networking/ethtool-netlink.rst (LINKMODES_GET, LINKMODES_SET, bit sets), rtnetlink(7), and
ETHTOOL_GSTATS of ethtool's ioctl for what a driver counts beyond the rest. Settings need CAP_NET_ADMIN.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from hil.errors import BadAnswer, InstrumentRefused, NotConnected, SetupError

IFF_UP = 1
ARPHRD_ETHER = 1
UNKNOWN_SPEEDS = {0, 0xFFFF, 0xFFFF_FFFF}  # SPEED_UNKNOWN is -1
DUPLEX = {0: "HD", 1: "FD"}  # 255: unknown
SET_LINKMODES = 5  # ETHTOOL_MSG_LINKMODES_SET, which pyroute2 has no method for
NUD_LEARNT = 0x02 | 0x04 | 0x08 | 0x10  # reachable, stale, delay, probe: somebody answered from there
RIGHTS = "run as root, or give the Python interpreter the capability cap_net_admin"

Message = Mapping[str, Any]  # what pyroute2 decodes: fixed fields, and "attrs", a list of (name, value)


@dataclass(frozen=True, slots=True)
class Interface:
    """What rtnetlink says of an interface."""

    index: int
    ethernet: bool
    kind: str  # of a virtual one, e.g. veth; else ""
    mac: str
    enabled: bool  # administratively up
    carrier: bool  # there is a link
    statistics: dict[str, int]  # rtnl_link_stats64


@dataclass(frozen=True, slots=True)
class LinkModes:
    """What ethtool says of a link; bits by their names there, such as 100baseT/Full."""

    negotiates: bool
    speed: int | None  # Mbit/s
    duplex: str  # HD, FD, or "" where the driver does not say
    peer: frozenset[str] | None  # what the partner advertises; None where the driver does not say


class Kernel(Protocol):
    """The six things that are asked of the kernel; what comes back is pyroute2's decoding, not yet believed."""

    def link(self, name: str) -> Message: ...
    def modes(self, name: str) -> Message: ...
    def statistics(self, name: str) -> Sequence[tuple[str, int]]: ...
    def neighbours(self, index: int) -> Sequence[Message]: ...
    def set_up(self, index: int, up: bool) -> None: ...
    def set_modes(self, name: str, modes: Sequence[tuple[str, int]]) -> None: ...
    def close(self) -> None: ...


class NicLink:
    """One interface of this computer, by its name."""

    def __init__(self, who: str, name: str, kernel: Kernel | None = None) -> None:
        self.who, self.where, self.name = who, f"nic://{name}", name
        with self._errors("open"):
            self._kernel = kernel or LinuxKernel()

    def interface(self) -> Interface:
        """Ask rtnetlink for the interface and its counters."""
        with self._errors("RTM_GETLINK"):
            return decode_interface(self.who, self._kernel.link(self.name))

    def modes(self) -> LinkModes:
        """Ask ethtool for speed, duplex and what the partner advertises."""
        with self._errors("LINKMODES_GET"):
            return decode_modes(self._kernel.modes(self.name))

    def statistics(self) -> dict[str, int]:
        """Ask ethtool for what this driver counts, as `ethtool -S` lists it; the names are the driver's own."""
        with self._errors("ETHTOOL_GSTATS"):
            return dict(self._kernel.statistics(self.name))

    def neighbours(self) -> frozenset[str]:
        """Return the MAC addresses of IP neighbours that have answered, as 7CDFA1000000."""
        index = self.interface().index
        with self._errors("RTM_GETNEIGH"):
            return decode_neighbours(self._kernel.neighbours(index))

    def set_up(self, up: bool) -> None:
        """Enable or disable the interface."""
        index = self.interface().index
        with self._errors(f"set {self.name} {'up' if up else 'down'}"):
            self._kernel.set_up(index, up)

    def negotiate(self) -> None:
        """Switch auto-negotiation on, with the modes that were advertised before."""
        with self._errors("LINKMODES_SET autoneg on"):
            self._kernel.set_modes(self.name, [("ETHTOOL_A_LINKMODES_AUTONEG", 1)])

    def force(self, speed: int, duplex: str) -> None:
        """Switch auto-negotiation off and fix speed (Mbit/s) and duplex (HD or FD)."""
        numbers = {name: number for number, name in DUPLEX.items()}
        with self._errors(f"LINKMODES_SET autoneg off speed {speed} duplex {duplex}"):
            self._kernel.set_modes(
                self.name,
                [
                    ("ETHTOOL_A_LINKMODES_AUTONEG", 0),
                    ("ETHTOOL_A_LINKMODES_SPEED", speed),
                    ("ETHTOOL_A_LINKMODES_DUPLEX", numbers[duplex]),
                ],
            )

    def close(self) -> None:
        """Close the sockets; the interface stays as it is. Safe any number of times."""
        self._kernel.close()

    @contextmanager
    def _errors(self, asked: str) -> Iterator[None]:
        """The one place where errors of netlink and ethtool become ours."""
        try:
            yield
        except OSError as error:
            raise self._translate(error.errno, error.strerror or str(error), asked) from error
        except ImportError as error:  # not Linux
            raise SetupError(f"{self.who}: netlink cannot be used here: {error}", "use a managed switch") from error
        except Exception as error:
            code = getattr(error, "code", None)  # NetlinkError is no OSError
            if isinstance(error, LookupError | TypeError | ValueError | AttributeError):
                raise BadAnswer(self.who, asked, repr(error), "not what the kernel's documents describe") from error
            if not isinstance(code, int):
                raise
            raise self._translate(code, str(error), asked) from error

    def _translate(self, code: int | None, words: str, asked: str) -> Exception:
        if code in {errno.EPERM, errno.EACCES}:
            return SetupError(f"{self.who} at {self.where}: {asked} needs CAP_NET_ADMIN", RIGHTS)
        if code in {errno.EOPNOTSUPP, errno.EINVAL, errno.EBUSY, errno.ENETDOWN}:
            return InstrumentRefused(self.who, f"{asked} of {self.name}", f"the interface's driver says: {words}")
        if code == errno.ENODEV:
            return NotConnected(self.who, self.where, f"{asked}: this computer has no such interface, or it is down")
        return NotConnected(self.who, self.where, f"{asked}: {words}")


class LinuxKernel:
    """Sockets to the kernel, in the network namespace of the thread that opens them."""

    def __init__(self) -> None:
        from pyroute2 import IPRoute
        from pyroute2.ethtool.ioctl import IoctlEthtool
        from pyroute2.netlink.generic.ethtool import NlEthtool

        self._route = IPRoute()
        self._ethtool = NlEthtool()
        self._counts = IoctlEthtool()

    def link(self, name: str) -> Message:
        return next(iter(self._route.link("get", ifname=name)), {})

    def modes(self, name: str) -> Message:
        return next(iter(self._ethtool.get_linkmode(name)), {})

    def statistics(self, name: str) -> Sequence[tuple[str, int]]:
        from pyroute2.ethtool.ioctl import NoSuchDevice, NotSupportedError

        self._counts.change_ifname(name)
        try:
            return [(str(key), int(value)) for key, value in self._counts.get_statistics()]
        except NotSupportedError:
            return []
        except NoSuchDevice as error:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                return []
            raise

    def neighbours(self, index: int) -> Sequence[Message]:
        return list(self._route.get_neighbours(ifindex=index))

    def set_up(self, index: int, up: bool) -> None:
        self._route.link("set", index=index, state="up" if up else "down")

    def set_modes(self, name: str, modes: Sequence[tuple[str, int]]) -> None:
        from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST
        from pyroute2.netlink.generic.ethtool import ETHTOOL_GENL_NAME, ETHTOOL_GENL_VERSION, ethtool_linkmode_msg

        message = ethtool_linkmode_msg()
        message["cmd"], message["version"] = SET_LINKMODES, ETHTOOL_GENL_VERSION
        header = {"attrs": [["ETHTOOL_A_HEADER_DEV_NAME", name]]}
        message["attrs"] += [("ETHTOOL_A_LINKMODES_HEADER", header), *modes]
        self._ethtool.bind(ETHTOOL_GENL_NAME, ethtool_linkmode_msg)
        list(self._ethtool.nlm_request(message, msg_type=self._ethtool.prid, msg_flags=NLM_F_REQUEST | NLM_F_ACK))

    def close(self) -> None:
        self._route.close()
        self._ethtool.close()
        self._counts.close()


def decode_interface(who: str, message: Message) -> Interface:
    """Read an RTM_NEWLINK."""
    found = attributes(message)
    if "index" not in message or "IFLA_STATS64" not in found:
        raise BadAnswer(who, "RTM_GETLINK", str(dict(message)), "no interface with statistics")
    return Interface(
        index=int(message["index"]),
        ethernet=message.get("ifi_type") == ARPHRD_ETHER,
        kind=str(attributes(found.get("IFLA_LINKINFO", {})).get("IFLA_INFO_KIND", "")),
        mac=_mac(found.get("IFLA_PERM_ADDRESS") or found.get("IFLA_ADDRESS", "")),
        enabled=bool(int(message.get("flags", 0)) & IFF_UP),
        carrier=bool(found.get("IFLA_CARRIER", 0)),
        statistics={str(key): int(value) for key, value in found["IFLA_STATS64"].items()},
    )


def decode_modes(message: Message) -> LinkModes:
    """Read a LINKMODES_GET reply; the partner's bits are those that it lists (no mask)."""
    found = attributes(message)
    peer = found.get("ETHTOOL_A_LINKMODES_PEER")
    speed = found.get("ETHTOOL_A_LINKMODES_SPEED")
    return LinkModes(
        negotiates=found.get("ETHTOOL_A_LINKMODES_AUTONEG") == 1,
        speed=None if speed is None or speed in UNKNOWN_SPEEDS else int(speed),
        duplex=DUPLEX.get(found.get("ETHTOOL_A_LINKMODES_DUPLEX", -1), ""),
        peer=None if peer is None else decode_bits(peer),
    )


def decode_bits(bitset: Message) -> frozenset[str]:
    """Return the names of the bits that are set: listed, and, where there is a mask, with their value."""
    found = attributes(bitset)
    bits = [attributes(bit) for _, bit, *_ in found.get("ETHTOOL_A_BITSET_BITS", {}).get("attrs", [])]
    listed = "ETHTOOL_A_BITSET_NOMASK" in found
    return frozenset(
        str(bit["ETHTOOL_A_BITSET_BIT_NAME"]) for bit in bits if listed or bit.get("ETHTOOL_A_BITSET_BIT_VALUE")
    )


def decode_neighbours(messages: Sequence[Message]) -> frozenset[str]:
    """Return the link-layer addresses of neighbours that have answered: neither configured, multicast nor failed."""
    return frozenset(
        _mac(attributes(message)["NDA_LLADDR"])
        for message in messages
        if int(message.get("state", 0)) & NUD_LEARNT and attributes(message).get("NDA_LLADDR")
    )


def attributes(message: Message) -> dict[str, Any]:
    """Return a message's attributes by name; of one that comes twice, the first."""
    found: dict[str, Any] = {}
    for name, value, *_ in message.get("attrs", []):
        found.setdefault(name, value)
    return found


def _mac(text: str) -> str:
    return text.replace(":", "").upper()
