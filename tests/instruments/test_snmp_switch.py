"""The managed switch driver against Debian's SNMP agent, and against what that agent once answered."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BadAnswer, InstrumentRefused, NoReading, SetupError, WrongInstrument
from hil.instruments.roles import Identity, LinkCounters, LinkPartner, LinkState
from hil.instruments.snmp_switch import DRIVER, mac_address
from hil.links.snmp import SnmpAddress, SnmpLink, parse_oid

sys.path.insert(0, str(Path(__file__).parent.parent / "links"))

from snmp_agents import AGENTS, close_agent, open_agent

PATH = Path(__file__).parent / "transcripts" / "snmp_switch.jsonl"
DEFAULT_TYPE, ADMIN_STATUS = "1.3.6.1.2.1.26.2.1.1.11", "1.3.6.1.2.1.26.5.1.1.1"
ALL = frozenset({"10HD", "10FD", "100HD", "100FD"})


@pytest.fixture(params=AGENTS)
def port(request, tmp_path, clock):
    """Return a function ifIndex -> driver: Debian's snmpd where it is installed, and always its recorded answers."""
    scene, switches = request.node.originalname, []
    agent = open_agent(request.param, PATH, scene, tmp_path)

    def take(index):
        switches.append(DRIVER.open(f"snmp://public@127.0.0.1:{agent.port}/{index}?write=private", clock))
        return switches[-1]

    take.agent = agent
    yield take
    for switch in switches:
        switch.close()
    close_agent(agent, PATH, scene)


def read(port, index, column):
    """Ask the agent, not the driver."""
    link = SnmpLink("test", SnmpAddress("127.0.0.1", port.agent.port, index))
    value = link.get(parse_oid(f"{column}.{index}.1"))[0]
    link.close()
    return value


def test_it_identifies_itself(port):
    """The maker by its number, the model in the switch's own words, its name in place of a serial number."""
    assert port(1).identify() == Identity("enterprise 8072", "Bench switch, 8 ports, software 1.2.3", "switch-1", "")


def test_an_interface_that_is_no_ethernet_port_is_refused(port):
    """A VLAN, or an ifIndex that does not exist."""
    with pytest.raises(WrongInstrument, match="Ethernet port at ifIndex 4, but 'ifType 53'"):
        port(4).identify()
    with pytest.raises(WrongInstrument, match="no such interface"):
        port(99).identify()


def test_a_negotiated_link(port):
    """Mode from the MAU's type, abilities from what was received; pause is no mode."""
    assert port(1).link() == LinkState(True, "100FD", True, ALL)


def test_parallel_detection_is_no_negotiation(port):
    """The port negotiates, the unit does not: the bits that the agent keeps are not the unit's words."""
    assert port(2).link() == LinkState(True, "10HD", False, frozenset())


def test_a_forced_port_does_not_negotiate(port):
    """Whatever it received before."""
    assert port(9).link() == LinkState(True, "100HD", False, frozenset())


def test_no_link(port):
    """Nothing is said of a link that is down."""
    assert port(3).link() == LinkState(False, "", False, frozenset())


def test_a_mau_type_without_duplex_is_completed(port):
    """10BASE-T as an older agent says it: speed and duplex are asked of IF-MIB and EtherLike-MIB."""
    assert port(5).link() == LinkState(True, "10FD", True, frozenset({"10HD", "10FD"}))


def test_a_switch_without_mau_mib_is_no_link_partner(port):
    """It cannot say how the link came about."""
    with pytest.raises(NoReading, match=r"ifMauAutoNegAdminStatus.*ifIndex 6"):
        port(6).link()


def test_the_port_goes_down_and_up(port):
    """Each setting is read back."""
    switch = port(1)

    switch.set_port(False)
    down = switch.is_off()
    switch.set_port(True)

    assert down
    assert not switch.is_off()


def test_a_mode_is_forced(port):
    """The default type, then no more negotiation."""
    port(1).set_mode("10HD")

    assert read(port, 1, DEFAULT_TYPE) == parse_oid("1.3.6.1.2.1.26.4.10")
    assert read(port, 1, ADMIN_STATUS) == 2


def test_a_forced_port_negotiates_again(port):
    """The port is up: negotiation starts anew."""
    port(9).set_mode("auto")

    assert read(port, 9, ADMIN_STATUS) == 1
    assert read(port, 9, "1.3.6.1.2.1.26.5.1.1.8") == 1  # restart: this agent forgets nothing


def test_a_port_that_negotiates_is_left_alone(port):
    """The link does not go down for nothing."""
    port(1).set_mode("auto")

    assert read(port, 1, "1.3.6.1.2.1.26.5.1.1.8") == 2


def test_an_unknown_mode_never_reaches_the_wire(port):
    """The error says which there are."""
    with pytest.raises(SetupError, match="10HD, 10FD, 100HD, 100FD or auto"):
        port(1).set_mode("1000FD")


def test_counters(port):
    """Frames of 64 bits where the port has them and of 32 where not: unicast, multicast and broadcast together."""
    assert port(1).counters() == LinkCounters(6_000_000_011, 7_000_000_022, 6, 5, 7, 4)


def test_counters_of_an_older_switch(port):
    """32 bits each."""
    assert port(5).counters() == LinkCounters(111, 222, 6, 5, 7, 4)


def test_a_counter_that_is_not_kept_is_not_zero(port):
    """Errors that nobody counts are no sign of a good link."""
    with pytest.raises(NoReading, match=r"no such object.*ifIndex 6"):
        port(6).counters()


def test_addresses_learnt_on_the_port(port):
    """By the bridge's own port numbers; the switch's own address is not learnt."""
    assert port(1).addresses() == {"7CDFA1000000", "7CDFA10000FF"}
    assert port(2).addresses() == {"020000000001"}
    assert port(3).addresses() == frozenset()


def test_a_read_only_port_is_refused(port):
    """In the agent's words."""
    with pytest.raises(InstrumentRefused, match="notWritable"):
        port(7).set_port(False)


def test_a_setting_that_does_not_last_is_refused(port, clock):
    """The agent says yes and does nothing: a second of bench time, then it is an error."""
    with pytest.raises(InstrumentRefused, match=r"ifAdminStatus = 2.*read back as 1"):
        port(8).set_port(False)

    assert clock.now_s() == pytest.approx(1.0, abs=0.06)


def test_off_disables_and_negotiates(port):
    """In any state, any number of times."""
    switch: LinkPartner = port(9)

    for _ in range(2):
        switch.off()
        assert switch.is_off()

    assert read(port, 9, ADMIN_STATUS) == 1


@given(st.binary(min_size=6, max_size=6))
def test_addresses_are_spelt_in_hex(mac):
    """Six numbers of an instance are six octets."""
    assert bytes.fromhex(mac_address("LinkPartner", tuple(mac))) == mac


@given(st.lists(st.integers(0, 2**32 - 1), max_size=8).map(tuple))
def test_what_is_no_mac_is_a_bad_answer(instance):
    """Fewer or more numbers than six, or one beyond an octet."""
    if len(instance) == 6 and max(instance) < 256:
        return
    with pytest.raises(BadAnswer):
        mac_address("LinkPartner", instance)
