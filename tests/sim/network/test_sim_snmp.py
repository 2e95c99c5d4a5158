"""The switch's SNMP agent: walked, read and set by clients that are not ours."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from link_rig import Rig
from pyasn1.codec.ber import decoder, encoder
from pysnmp.hlapi.v3arch import asyncio as client
from pysnmp.proto.api import v2c
from serving import Loop

from hil.sim.network.mib import Mib, bit_numbers, bits
from hil.sim.network.snmp_agent import LARGEST_ANSWER, SnmpAgent

MIB2 = "1.3.6.1.2.1"
OPER, ADMIN, LAST_CHANGE = f"{MIB2}.2.2.1.8.1", f"{MIB2}.2.2.1.7.1", f"{MIB2}.2.2.1.9.1"
MAU_TYPE, DEFAULT_TYPE = f"{MIB2}.26.2.1.1.3.1.1", f"{MIB2}.26.2.1.1.11.1.1"
AUTONEG, RESTART, RECEIVED = f"{MIB2}.26.5.1.1.1.1.1", f"{MIB2}.26.5.1.1.8.1.1", f"{MIB2}.26.5.1.1.11.1.1"
ADVERTISED, REMOTE, CONFIG = f"{MIB2}.26.5.1.1.10.1.1", f"{MIB2}.26.5.1.1.2.1.1", f"{MIB2}.26.5.1.1.4.1.1"
ALL_FOUR = bits(1, 2, 4, 5)
TABLES = ("1", "2.2", "31.1.1", "10.7.2", "26.2.1", "26.5.1", "17.1.4", "17.4.3")


def snmpwalk(address: str) -> list[str]:
    """Walk with Debian's net-snmp."""
    done = subprocess.run(
        ["snmpwalk", "-v2c", "-c", "public", "-On", "-t", "5", address, ".1.3"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "No Such" not in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith(".1.") and "No more variables" not in line]
    return [line.split(" = ")[0].removeprefix(".") for line in lines]


def pysnmp_walk(address: str) -> list[str]:
    """Walk with pysnmp's own engine, by GETBULK."""

    async def walk() -> list[str]:
        host, _, port = address.partition(":")
        engine = client.SnmpEngine()
        found = []
        try:
            async for failed, status, _, rows in client.bulk_walk_cmd(
                engine, client.CommunityData("public"), await client.UdpTransportTarget.create((host, int(port))),
                client.ContextData(), 0, 25, client.ObjectType(client.ObjectIdentity("1.3")), lookupMib=False,
            ):  # fmt: skip
                assert not failed
                assert not status
                found += [str(oid) for oid, _ in rows]
        finally:
            engine.close_dispatcher()
        return found

    return asyncio.run(walk())


# net-snmp is not on every machine; pysnmp is, so that somebody else always walks
WALKS = [pysnmp_walk, *([snmpwalk] if shutil.which("snmpwalk") else [])]


class Agent(Rig):
    """A linked unit of revision B, and its switch's agent."""

    def __init__(self, revision: str = "B", *faults: str) -> None:
        super().__init__(revision, *faults)
        self.linked()
        self.agent = SnmpAgent(Mib(self.network.switch))

    def ask(self, pdu: Any, *bindings: tuple[str, Any], community: str = "public") -> Any:
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_varbinds(pdu, [(oid, value) for oid, value in bindings])
        return self.exchange(pdu, community)

    def exchange(self, pdu: Any, community: str = "public", version: int = 1) -> Any:
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_version(message, version)
        v2c.apiMessage.set_community(message, community)
        v2c.apiMessage.set_pdu(message, pdu)
        answer = self.agent.answer(encoder.encode(message))
        if answer is None:
            return None
        found, rest = decoder.decode(answer, asn1Spec=v2c.Message())
        assert not rest
        reply = v2c.apiMessage.get_pdu(found)
        assert v2c.apiPDU.get_request_id(reply) == v2c.apiPDU.get_request_id(pdu)
        return reply

    def get(self, oid: str) -> Any:
        ((_, value),) = v2c.apiPDU.get_varbinds(self.ask(v2c.GetRequestPDU(), (oid, v2c.null)))
        return value

    def set(self, *bindings: tuple[str, Any], community: str = "private") -> tuple[int, int]:
        reply = self.ask(v2c.SetRequestPDU(), *bindings, community=community)
        return int(v2c.apiPDU.get_error_status(reply)), int(v2c.apiPDU.get_error_index(reply))


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def address(loop: Loop, agent: Agent) -> Iterator[str]:
    """The agent on a real socket."""
    loop.run(agent.agent.start())
    yield agent.agent.address
    loop.run(agent.agent.stop())


@pytest.mark.parametrize("walk", WALKS)
def test_other_peoples_clients_walk_it(walk: Callable[[str], list[str]], address: str, agent: Agent):
    """All of it, in order, each object once; every table that a link partner's driver needs is there."""
    found = walk(address)
    numbers = [tuple(int(arc) for arc in oid.split(".")) for oid in found]

    assert numbers == sorted(set(numbers))
    assert len(numbers) == len(agent.agent._mib._order)
    for table in TABLES:
        assert any(oid.startswith(f"{MIB2}.{table}.") for oid in found), table


def test_two_clients_at_once(address: str):
    """Answers go where the requests came from."""

    async def both() -> list[list[str]]:
        return await asyncio.gather(*(asyncio.to_thread(pysnmp_walk, address) for _ in range(2)))

    first, second = asyncio.run(both())

    assert first == second


def test_a_dead_switch_says_nothing(address: str, agent: Agent):
    """The port stays, the answers do not."""
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, "public")
    v2c.apiMessage.set_pdu(message, pdu)
    host, _, port = address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((host, int(port)))
        asking.settimeout(0.3)
        asking.send(encoder.encode(message))
        assert asking.recv(2048)
        agent.agent.die()
        asking.send(encoder.encode(message))

        with pytest.raises(TimeoutError):
            asking.recv(2048)


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_negotiated_link(agent):
    """100FD, all four abilities received, the unit's MAC in the table."""
    assert agent.get(OPER) == 1
    assert tuple(agent.get(MAU_TYPE)) == (1, 3, 6, 1, 2, 1, 26, 4, 16)
    assert bytes(agent.get(RECEIVED)) == ALL_FOUR
    assert (agent.get(AUTONEG), agent.get(REMOTE), agent.get(CONFIG)) == (1, 1, 3)
    assert agent.get(f"{MIB2}.10.7.2.1.19.1") == 3
    assert agent.get(f"{MIB2}.2.2.1.5.1") == 100_000_000
    assert agent.get(f"{MIB2}.31.1.1.1.15.1") == 100
    assert agent.get(f"{MIB2}.31.1.1.1.15.2") == 1000
    mac = ".".join(str(octet) for octet in bytes.fromhex(agent.unit.ethernet.mac))
    assert agent.get(f"{MIB2}.17.4.3.1.2.{mac}") == 1
    assert agent.get(LAST_CHANGE) == int(agent.port.changed_s * 100)
    assert agent.get(f"{MIB2}.1.3.0") == int(agent.world.now_s * 100)


def test_a_link_that_is_down(agent):
    """Nothing known of it, and the time when it went."""
    agent.cable()
    agent.world.advance(1.0)

    assert agent.get(OPER) == 2
    assert tuple(agent.get(MAU_TYPE)) == (0, 0)
    assert agent.get(f"{MIB2}.10.7.2.1.19.1") == 1
    assert bytes(agent.get(RECEIVED)) == b"\x00"
    assert (agent.get(REMOTE), agent.get(CONFIG)) == (2, 2)
    assert 90 < agent.get(f"{MIB2}.1.3.0") - agent.get(LAST_CHANGE) <= 100


def test_a_partner_found_in_parallel():
    """It signals nothing, so nothing is received."""
    agent = Agent("A", "phy-forced-10")

    assert tuple(agent.get(MAU_TYPE))[-1] == 10
    assert agent.get(REMOTE) == 2
    assert bytes(agent.get(RECEIVED)) == b"\x00"


def test_counters_count(agent):
    """32 and 64 bits wide the same, errors in EtherLike-MIB."""
    agent.network.from_unit(200)
    for short, wide in (("2.2.1.10", "31.1.1.1.6"), ("2.2.1.11", "31.1.1.1.7"), ("31.1.1.1.3", "31.1.1.1.9")):
        count = agent.get(f"{MIB2}.{short}.1")
        assert count == agent.get(f"{MIB2}.{wide}.1")
        assert count > 0
    off = Agent("B", "phy-crystal-off")
    off.network.from_unit(1518)
    off.world.advance(5.0)

    assert off.get(f"{MIB2}.10.7.2.1.3.1") == off.get(f"{MIB2}.2.2.1.14.1") == 1
    assert off.get(f"{MIB2}.10.7.2.1.18.1") == off.get(f"{MIB2}.26.2.1.1.9.1.1") > 5


def test_what_is_not_there(agent):
    """noSuchObject, noSuchInstance, endOfMibView: values, not errors."""
    for oid, tag in ((f"{MIB2}.1.99.0", 0), (f"{MIB2}.2.2.1.8.7", 1), (f"{MIB2}.1.1.1", 1), ("1.3.6.1.4.1.9", 0)):
        assert agent.get(oid).tagSet[-1].tagId == tag, oid
    reply = agent.ask(v2c.GetNextRequestPDU(), ("1.3.6.1.6", v2c.null))
    ((oid, value),) = v2c.apiPDU.get_varbinds(reply)

    assert str(oid) == "1.3.6.1.6"
    assert value.tagSet[-1].tagId == 2


def test_bulk_fills_one_datagram_at_most(agent):
    """Non-repeaters once, then rows, cut where the frame is full; nothing is left out between."""
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_non_repeaters(pdu, 1)
    v2c.apiBulkPDU.set_max_repetitions(pdu, 1000)
    v2c.apiBulkPDU.set_varbinds(pdu, [(f"{MIB2}.1.3", v2c.null), (f"{MIB2}.2.2.1", v2c.null)])
    reply = agent.exchange(pdu)
    oids = [str(oid) for oid, _ in v2c.apiPDU.get_varbinds(reply)]

    assert len(encoder.encode(reply)) <= LARGEST_ANSWER
    assert oids[0] == f"{MIB2}.1.3.0"
    assert oids[1:4] == [f"{MIB2}.2.2.1.1.1", f"{MIB2}.2.2.1.1.2", f"{MIB2}.2.2.1.2.1"]
    assert len(oids) > 30


def test_an_answer_too_long_is_an_error(agent):
    """tooBig, and no values."""
    reply = agent.ask(v2c.GetRequestPDU(), *[(f"{MIB2}.1.1.0", v2c.null)] * 40)

    assert v2c.apiPDU.get_error_status(reply) == 1
    assert v2c.apiPDU.get_varbinds(reply) == []


@pytest.mark.parametrize("junk", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"hello", bytes(1000)])
def test_junk_gets_no_answer(agent, junk):
    """Nor does another version, or an unknown community."""
    assert agent.agent.answer(junk) is None
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)

    assert agent.exchange(pdu, community="secret") is None
    assert agent.exchange(pdu, version=0) is None
    assert agent.exchange(pdu) is not None


# -- setting -----------------------------------------------------------------------------------------------------------


def test_a_port_is_switched(agent):
    """Down at once for itself; up again it negotiates."""
    assert agent.set((ADMIN, v2c.Integer32(2))) == (0, 0)
    assert (agent.get(ADMIN), agent.get(OPER)) == (2, 2)
    assert agent.set((ADMIN, v2c.Integer32(1))) == (0, 0)
    agent.world.advance(3.0)

    assert agent.get(OPER) == 1


@pytest.mark.parametrize(("number", "mode"), [(10, "10HD"), (11, "10FD"), (15, "100HD"), (16, "100FD")])
def test_a_mode_is_forced(agent, number, mode):
    """By its default type with negotiation disabled, in one PDU; and back."""
    forced = (1, 3, 6, 1, 2, 1, 26, 4, number)
    assert agent.set((DEFAULT_TYPE, v2c.ObjectIdentifier(forced)), (AUTONEG, v2c.Integer32(2))) == (0, 0)
    agent.world.advance(5.0)
    assert tuple(agent.get(MAU_TYPE)) == forced
    assert (agent.port.mode, agent.get(CONFIG), agent.get(REMOTE)) == (mode, 4, 2)

    assert agent.set((AUTONEG, v2c.Integer32(1))) == (0, 0)
    agent.world.advance(5.0)
    assert tuple(agent.get(MAU_TYPE))[-1] == 16


def test_abilities_are_chosen_and_negotiation_restarted(agent):
    """Only 10FD offered: 10FD resolved. Pause may be offered with it."""
    assert agent.set((ADVERTISED, v2c.OctetString(bits(2, 8)))) == (0, 0)
    agent.world.advance(5.0)
    assert agent.port.mode == "10FD"
    assert bit_numbers(bytes(agent.get(ADVERTISED))) == {2, 8}
    before_s = agent.port.changed_s
    assert agent.set((RESTART, v2c.Integer32(1))) == (0, 0)
    agent.world.advance(5.0)

    assert agent.port.changed_s > before_s
    assert agent.get(RESTART) == 2


@pytest.mark.parametrize(
    ("oid", "value", "status"),
    [
        (ADMIN, v2c.OctetString("2"), 7),
        (ADMIN, v2c.Integer32(7), 10),
        (OPER, v2c.Integer32(1), 17),
        (f"{MIB2}.2.2.1.7.9", v2c.Integer32(1), 11),
        (f"{MIB2}.99.1.0", v2c.Integer32(1), 17),
        (DEFAULT_TYPE, v2c.ObjectIdentifier((1, 3, 6, 1, 2, 1, 26, 4, 30)), 10),
        (DEFAULT_TYPE, v2c.Integer32(16), 7),
        (ADVERTISED, v2c.OctetString(b""), 10),
        (ADVERTISED, v2c.OctetString(bits(15)), 10),
        (f"{MIB2}.1.5.0", v2c.OctetString("x" * 256), 8),
    ],
)
def test_a_bad_value_is_refused(agent, oid, value, status):
    """With RFC 3416's own word for it, and nothing of the request is done."""
    assert agent.set((f"{MIB2}.1.6.0", v2c.OctetString("moved")), (oid, value)) == (status, 2)
    assert str(agent.get(f"{MIB2}.1.6.0")) == "simulated station"
    assert agent.get(OPER) == 1


def test_public_may_not_write(agent):
    """noAccess; texts may be set with the other community."""
    assert agent.set((ADMIN, v2c.Integer32(2)), community="public") == (6, 1)
    assert agent.set((f"{MIB2}.1.6.0", v2c.OctetString("bench 7"))) == (0, 0)
    assert str(agent.get(f"{MIB2}.1.6.0")) == "bench 7"
