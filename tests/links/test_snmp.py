"""The SNMP client against Debian's agent and its recorded answers, and against agents that misbehave."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from hil.errors import BadAnswer, Blame, InstrumentRefused, NoAnswer, NotConnected, SetupError
from hil.links.snmp import SnmpAddress, SnmpLink, bits, decode, dotted, parse_oid

from .snmp_agents import AGENTS, TRANSCRIPTS, UdpServer, close_agent, open_agent

SYS_DESCR, SYS_OBJECT_ID = parse_oid("1.3.6.1.2.1.1.1.0"), parse_oid("1.3.6.1.2.1.1.2.0")
ADMIN_STATUS, OPER_STATUS = parse_oid("1.3.6.1.2.1.2.2.1.7.1"), parse_oid("1.3.6.1.2.1.2.2.1.8.1")
FRAMES_IN, RECEIVED_BITS = parse_oid("1.3.6.1.2.1.31.1.1.1.7.1"), parse_oid("1.3.6.1.2.1.26.5.1.1.11.1.1")
DEFAULT_TYPE = parse_oid("1.3.6.1.2.1.26.2.1.1.11.1.1")
FDB_PORT = parse_oid("1.3.6.1.2.1.17.4.3.1.2")
PATH = TRANSCRIPTS / "snmp.jsonl"


@pytest.fixture(params=AGENTS)
def agent(request, tmp_path):
    """Debian's snmpd where it is installed, and always its recorded answers."""
    scene = request.node.originalname
    agent = open_agent(request.param, PATH, scene, tmp_path)
    yield agent
    close_agent(agent, PATH, scene)


@pytest.fixture
def connect():
    """Open links that are closed at the end."""
    links = []

    def start(port, query="", **options):
        address = SnmpAddress.parse(f"snmp://public@127.0.0.1:{port}/1{query}")
        links.append(SnmpLink("LinkPartner", address, **{"timeout_s": 0.5, **options}))
        return links[-1]

    yield start
    for link in links:
        link.close()


@pytest.fixture
def misbehave():
    """Start agents that answer as they are told: program(request PDU, datagram) returns datagrams."""
    started = []

    def start(program):
        def answers(datagram):
            message, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
            return program(v2c.apiMessage.get_pdu(message), datagram)

        started.append(UdpServer(answers))
        return started[-1]

    yield start
    for one in started:
        one.close()


def response(request_id, objects, community="public", error=0, index=0):
    """Encode an answer."""
    pdu, message = v2c.ResponsePDU(), v2c.Message()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_error_status(pdu, error)
    v2c.apiPDU.set_error_index(pdu, index)
    v2c.apiPDU.set_varbinds(pdu, objects)
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def ident(pdu):
    return int(v2c.apiPDU.get_request_id(pdu))


def test_values_come_as_python_has_them(agent, connect):
    """A string is bytes, a number an int whatever its width, an object identifier a tuple, and what is missing None."""
    asked = (SYS_DESCR, SYS_OBJECT_ID, ADMIN_STATUS, FRAMES_IN, RECEIVED_BITS, parse_oid("1.3.6.1.2.1.99.1"))

    assert connect(agent.port).get(*asked) == [
        b"Bench switch, 8 ports, software 1.2.3",
        parse_oid("1.3.6.1.4.1.8072.3.2.10"),
        1,
        6_000_000_000,
        b"\x6c\x80",
        None,
    ]


def test_a_column_is_walked_to_its_end_and_no_further(agent, connect):
    """Instances are what follows the column."""
    rows = connect(agent.port).column(FDB_PORT)

    assert rows == {
        (2, 0, 0, 0, 0, 1): 12,
        (2, 0, 0, 0, 0, 2): 11,
        (124, 223, 161, 0, 0, 0): 11,
        (124, 223, 161, 0, 0, 255): 11,
    }


def test_a_column_that_is_not_there_is_empty(agent, connect):
    """Whatever the agent has behind it is not its content."""
    assert connect(agent.port).column(parse_oid("1.3.6.1.2.1.17.7.1.2.2.1.2")) == {}


def test_a_long_column_takes_several_requests(agent, connect):
    """sysORDescr and its neighbours: more than a get-bulk brings at once."""
    rows = connect(agent.port).column(parse_oid("1.3.6.1.2.1.2.2"))

    assert len(rows) > 20
    assert list(rows) == sorted(rows)


def test_what_is_set_reads_back(agent, connect):
    """Numbers and object identifiers, with the community for writing."""
    link = connect(agent.port)

    link.set(ADMIN_STATUS, 2)
    link.set(DEFAULT_TYPE, parse_oid("1.3.6.1.2.1.26.4.10"))

    assert link.get(ADMIN_STATUS, DEFAULT_TYPE) == [2, parse_oid("1.3.6.1.2.1.26.4.10")]


def test_a_refusal_says_which_and_why(agent, connect):
    """The agent's error-status in words and as a number."""
    with pytest.raises(InstrumentRefused, match=rf"set {dotted(OPER_STATUS)} = 2.*notWritable \(17\) at object 1"):
        connect(agent.port).set(OPER_STATUS, 2)


def test_a_wrong_community_is_silence(agent, connect):
    """An agent does not answer what it does not trust; the community is not printed."""
    with pytest.raises(NoAnswer, match=r"SNMP set .* = 1 at 127\.0\.0\.1:.* within 0\.2 s") as caught:
        connect(agent.port, "?write=sesame", timeout_s=0.2, tries=1).set(ADMIN_STATUS, 1)

    assert caught.value.blame is Blame.BENCH
    assert "sesame" not in str(caught.value)


def test_nobody_there_is_not_connected(connect):
    """The network's own refusal needs no deadline."""
    with pytest.raises(NotConnected, match="nothing listens there"):
        connect(1).get(SYS_DESCR)


def test_an_unknown_host_is_not_connected():
    """The name does not resolve."""
    with pytest.raises(NotConnected, match=r"nowhere\.invalid:161"):
        SnmpLink("LinkPartner", SnmpAddress.parse("snmp://nowhere.invalid/1"))


def test_a_late_answer_is_never_the_next_ones(misbehave, connect):
    """The answer to the first question comes after the second was asked; it is thrown away."""
    seen = []

    def late(pdu, _):
        seen.append(ident(pdu))
        if len(seen) == 1:
            return []
        words = ((seen[0], "late"), (seen[-1], "now"))
        return [response(request_id, [(SYS_DESCR, v2c.OctetString(word))]) for request_id, word in words]

    link = connect(misbehave(late).port, timeout_s=0.2, tries=1)
    with pytest.raises(NoAnswer):
        link.get(SYS_DESCR)

    assert link.get(SYS_DESCR) == [b"now"]
    assert seen[0] != seen[1]


def test_a_lost_datagram_is_sent_again(misbehave, connect):
    """With the same request id, so that the answer to either is the answer; a second answer is not the next one's."""
    seen = []

    def lossy(pdu, _):
        seen.append(ident(pdu))
        return [response(seen[-1], [(SYS_DESCR, v2c.OctetString(str(len(seen))))])] * (len(seen) > 1) * 2

    link = connect(misbehave(lossy).port, timeout_s=0.2, tries=2)

    assert link.get(SYS_DESCR) == [b"2"]
    assert link.get(SYS_DESCR) == [b"3"]
    assert seen[0] == seen[1] != seen[2]


def test_request_ids_come_round(misbehave, connect, monkeypatch):
    """Four octets for ever."""
    seen = []

    def answer(pdu, _):
        seen.append(ident(pdu))
        return [response(seen[-1], [(SYS_DESCR, v2c.Integer32(1))])]

    link = connect(misbehave(answer).port)
    monkeypatch.setattr(link, "_request_id", 0x7FFF_FFFE)
    link.get(SYS_DESCR)
    link.get(SYS_DESCR)

    assert seen == [0x7FFF_FFFF, 0x0100_0000]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (lambda pdu, datagram: [b"hello"], "no SNMP message"),
        (lambda pdu, datagram: [datagram], "no SNMP v2c response"),
        (lambda pdu, datagram: [response(ident(pdu), [(ADMIN_STATUS, v2c.Integer32(1))])], "not the objects"),
        (lambda pdu, datagram: [response(ident(pdu), [])], "not the objects"),
    ],
    ids=["garbage", "an echo", "another object", "no object"],
)
def test_what_is_no_answer_is_a_bad_answer(misbehave, connect, program, why):
    """It says what came."""
    with pytest.raises(BadAnswer, match=why) as caught:
        connect(misbehave(program).port, timeout_s=0.1, tries=1).get(SYS_DESCR)

    assert caught.value.sent == f"get {dotted(SYS_DESCR)}"


def test_an_answer_for_another_community_is_not_ours(misbehave, connect):
    """Community and request id together make it the answer."""
    server = misbehave(lambda pdu, _: [response(ident(pdu), [(SYS_DESCR, v2c.Integer32(1))], "other")])

    with pytest.raises(NoAnswer):
        connect(server.port, timeout_s=0.1, tries=1).get(SYS_DESCR)


@pytest.mark.parametrize(("status", "words"), [(1, r"tooBig \(1\)"), (5, r"genErr \(5\)"), (99, r"error \(99\)")])
def test_errors_have_their_names(misbehave, connect, status, words):
    """RFC 3416, 3; an error-status that is none of them keeps its number."""
    server = misbehave(lambda pdu, _: [response(ident(pdu), [], error=status)])

    with pytest.raises(InstrumentRefused, match=words):
        connect(server.port).get(SYS_DESCR)


@pytest.mark.parametrize(
    "step",
    [lambda oid: oid, lambda oid: FDB_PORT],
    ids=["the same again", "before it"],
)
def test_a_walk_that_does_not_go_on_ends(misbehave, connect, step):
    """An agent that repeats itself is a bad answer, not an endless loop."""

    def stuck(pdu, _):
        oid = tuple(v2c.apiPDU.get_varbinds(pdu)[0][0])
        following = (*FDB_PORT, 1) if oid == FDB_PORT else step(oid)
        return [response(ident(pdu), [(following, v2c.Integer32(1))])]

    with pytest.raises(BadAnswer, match="does not come after"):
        connect(misbehave(stuck).port).column(FDB_PORT)


def test_a_table_without_end_is_not_read_to_the_end(misbehave, connect, monkeypatch):
    """Nor is one that grows while it is read."""
    monkeypatch.setattr("hil.links.snmp.MAX_ROWS", 50)

    def endless(pdu, _):
        oid = tuple(v2c.apiPDU.get_varbinds(pdu)[0][0])
        last = oid[-1] if oid != FDB_PORT else 0
        return [response(ident(pdu), [((*FDB_PORT, last + n), v2c.Integer32(n)) for n in range(1, 21)])]

    with pytest.raises(BadAnswer, match="does not end"):
        connect(misbehave(endless).port).column(FDB_PORT)


def test_a_walk_answered_with_nothing_ends(misbehave, connect):
    """An answer without objects."""
    with pytest.raises(BadAnswer, match="without objects"):
        connect(misbehave(lambda pdu, _: [response(ident(pdu), [])]).port).column(FDB_PORT)


def test_a_resource_is_read():
    """Community, host, port, ifIndex, and the community for writing; none of them secret ones is printed."""
    address = SnmpAddress.parse("snmp://s%40fe@192.0.2.1:1161/24?write=w%26x")

    assert (address.host, address.port, address.index) == ("192.0.2.1", 1161, 24)
    assert (address.community, address.write_community) == ("s@fe", "w&x")
    assert address.where == "192.0.2.1:1161"
    assert "s@fe" not in repr(address)


def test_a_resource_has_defaults():
    """Communities and port as agents come."""
    assert SnmpAddress.parse("snmp://switch/1") == SnmpAddress("switch", 161, 1, "public", "private")
    assert SnmpAddress.parse("snmp://public@[2001:db8::1]/1").where == "[2001:db8::1]:161"


@pytest.mark.parametrize(
    "resource",
    ["", "snmp://switch", "snmp://switch/0", "snmp://switch/eth1", "http://switch/1", "snmp:///1", "snmp://switch:x/1",
     "snmp://switch/1?rw=x", "snmp://switch/1?write", "snmp://switch/1#a"],
)  # fmt: skip
def test_a_bad_resource_shows_a_good_one(resource):
    """What to write is in the error."""
    with pytest.raises(SetupError, match=r"snmp://public@192\.168\.1\.2/3\?write=private"):
        SnmpAddress.parse(resource)


@given(st.sets(st.integers(0, 63)))
def test_bits_are_numbered_from_the_top(numbers):
    """BITS: bit 0 is the highest of the first octet."""
    octets = bytearray(8)
    for number in numbers:
        octets[number // 8] |= 1 << (7 - number % 8)

    assert bits(bytes(octets)) == numbers


@given(st.lists(st.integers(0, 2**28 - 1), min_size=1).map(tuple))
def test_oids_are_written_and_read(oid):
    """There and back."""
    assert parse_oid(dotted(oid)) == oid


GOOD = response(0x01020304, [(SYS_DESCR, v2c.OctetString("switch")), (FRAMES_IN, v2c.Counter64(1 << 40))])


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=64),
        st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3), st.integers(0, 3)).map(
            lambda change: GOOD[: change[0]] + change[1] + GOOD[change[0] + change[2] :]
        ),
    )
)
def test_garbage_is_an_answer_or_a_bad_answer(datagram):
    """Whatever comes, nothing else is raised."""
    objects = []
    with contextlib.suppress(BadAnswer):
        objects = decode("LinkPartner", "get", datagram).objects

    assert all(value is None or isinstance(value, int | bytes | tuple) for _, value in objects)
