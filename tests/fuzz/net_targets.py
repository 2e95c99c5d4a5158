"""What comes by UDP and netlink: SNMP answers, echoed frames, and the kernel's messages."""

from __future__ import annotations

import json

from fuzz.registry import only, target
from hil.errors import BadAnswer, Blame, SetupError
from hil.instruments.snmp_switch import mac_address
from hil.links.netlink import NicLink
from hil.links.snmp import Answer, SnmpAddress, bits, decode, dotted, parse_oid
from hil.links.udp_echo import HEAD, _Flow


@target(
    tokens=(
        bytes.fromhex("06082b06010201010100"),
        b"\x02\x01\x01",
        b"\xa2",
        b"\x30\x80",
        b"\x00\x00",
        b"\x82\x00",
        b"\x46\x09",
    )
)
def snmp_answer(data: bytes) -> None:
    """An answer holds only kinds that drivers know, and object names that can be written and read."""
    with only(BadAnswer, blame=Blame.BENCH) as refused:
        answer = decode("switch", "get", data)
    if refused:
        return
    assert isinstance(answer, Answer)
    assert isinstance(answer.request.request_id, int)
    assert isinstance(answer.request.community, bytes)
    assert answer.error
    for oid, value in answer.objects:
        assert parse_oid(dotted(oid)) == oid
        assert value is None or isinstance(value, int | bytes | tuple)
        if isinstance(value, bytes):
            assert all(0 <= bit < 8 * len(value) for bit in bits(value))
        with only(BadAnswer) as no_mac:
            mac = mac_address("switch", oid)
        assert no_mac or len(mac) == 12


@target(wire=False, tokens=(b"snmp://", b"@", b":", b"/3", b"?write=", b"[::1]", b"#", b"%zz"))
def snmp_address(data: bytes) -> None:
    with only(SetupError, blame=Blame.SETUP) as refused:
        address = SnmpAddress.parse(data.decode("utf-8", "replace"))
    if not refused:
        assert 0 < address.port < 65536
        assert 0 < address.index < 1 << 31, "an ifIndex is an Integer32 (RFC 2863)"
        assert address.host


@target(tokens=(b"\x00\x00\x00\x00",))
def echoed_frames(data: bytes) -> None:
    """Frames cut at 64 octets come back: each counts once, none that was not sent, and none that was changed."""
    with _Flow(("127.0.0.1", 9), 64, 3) as flow:
        flow.sent = 3
        good = HEAD.pack(flow._trial, 1) + flow._fill
        parts = data.split(b"|")
        for part in parts:
            flow._count(part.replace(b"GOOD", good).replace(b"HEAD", good[: HEAD.size]))
    assert flow.echoed <= {0, 1, 2}
    assert len(flow.echoed) + flow.duplicated <= len(parts)
    assert (1 in flow.echoed) or b"GOOD" not in parts


@target(
    wire=False, tokens=(b'"attrs"', b"[]", b"null", b'"ETHTOOL_A_BITSET_BITS"', b'"IFLA_STATS64"', b"1", b'"x"', b"{}")
)
def kernel_messages(data: bytes) -> None:
    """Messages as pyroute2 decodes them, with attributes missing, twice, or of another kind."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(message, dict):
        return
    nic = NicLink("nic", "eth1", Kernel(message))
    with only(BadAnswer, blame=Blame.BENCH) as refused:
        found = nic.interface()
    if not refused:
        assert all(isinstance(count, int) for count in found.statistics.values())
        assert isinstance(found.carrier, bool)
        assert isinstance(found.index, int)
    with only(BadAnswer, blame=Blame.BENCH) as refused:
        modes = nic.modes()
    if not refused:
        assert modes.speed is None or modes.speed > 0
        assert modes.peer is None or all(isinstance(name, str) for name in modes.peer)
    with only(BadAnswer, blame=Blame.BENCH):
        assert all(isinstance(mac, str) for mac in nic.neighbours())


class Kernel:
    """Answers everything with one message."""

    def __init__(self, message: dict[str, object]) -> None:
        self._message = message

    def link(self, name: str) -> dict[str, object]:
        return self._message

    modes = link

    def neighbours(self, index: int) -> list[dict[str, object]]:
        return [self._message]
