"""The Linux interface driver: on recorded netlink attributes everywhere, and on a real virtual pair where permitted.

The virtual pair lives in a network namespace of a child process. Where this computer permits none, that test says so
in its name and checks instead that a setting without the rights is refused in words.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.exceptions import NetlinkError

from hil.errors import BadAnswer, Blame, InstrumentRefused, NoReading, NotConnected, SetupError, WrongInstrument
from hil.instruments.linux_nic import DRIVER, LinuxNic
from hil.instruments.roles import LinkCounters, LinkPartner, LinkState
from hil.links.netlink import NicLink, decode_bits, decode_interface, decode_modes, decode_neighbours

TRANSCRIPT = Path(__file__).parent / "transcripts" / "linux_nic.jsonl"
ALL = frozenset({"10HD", "10FD", "100HD", "100FD"})


class RecordedKernel:
    """Answers from a scene of the transcript, in order."""

    def __init__(self, scene):
        lines = [json.loads(line) for line in TRANSCRIPT.read_text().splitlines()]
        assert "source" in lines[0], "the first line says where the transcript comes from"
        self.scene, self.closed = scene, 0
        self._lines = [line for line in lines[1:] if line["scene"] == scene]
        assert self._lines, scene

    def link(self, name):
        return self._next(f"link {name}")

    def modes(self, name):
        return self._next(f"modes {name}")

    def statistics(self, name):
        return self._next(f"statistics {name}")

    def neighbours(self, index):
        return self._next(f"neighbours {index}")

    def set_up(self, index, up):
        self._next(f"set_up {index} {up}")

    def set_modes(self, name, modes):
        self._next(f"set_modes {name} {json.dumps(modes)}")

    def close(self):
        self.closed += 1

    def assert_all_asked(self):
        assert not self._lines, f"{self.scene}: never asked {self._lines[0]['asked']!r}"

    def _next(self, asked):
        assert self._lines, f"{self.scene}: {asked!r} is too much"
        line = self._lines.pop(0)
        assert asked == line["asked"], self.scene
        if "errno" in line:
            raise NetlinkError(line["errno"])
        return line["answered"]


@pytest.fixture
def nic(clock):
    """Return a function scene -> driver; at the end everything in the scene must have been asked."""
    kernels = []

    def take(scene, name="eth1") -> LinkPartner:
        kernels.append(RecordedKernel(scene))
        return LinuxNic(NicLink("LinkPartner", name, kernels[-1]), clock)

    yield take
    for kernel in kernels:
        kernel.assert_all_asked()


def test_it_identifies_itself(nic):
    """By name and MAC address."""
    found = nic("veth identify").identify()

    assert (found.maker, found.model, found.serial) == ("Linux", "interface eth1 (veth)", "020000000001")


def test_what_is_no_ethernet_interface_is_refused(nic):
    """The loopback interface is no link partner."""
    with pytest.raises(WrongInstrument, match="an Ethernet interface"):
        nic("lo identify", "lo").identify()


def test_an_interface_that_is_gone_is_not_connected(nic):
    """The kernel's own error, in words."""
    with pytest.raises(NotConnected, match="no such interface"):
        nic("gone", "eth9").link()


def test_an_answer_without_an_interface_is_a_bad_answer(nic):
    """Nothing is made of nothing."""
    with pytest.raises(BadAnswer):
        nic("garbled").link()


def test_another_speed_is_spelt_likewise(nic):
    """A virtual pair says 10 Gbit/s; whoever wants 100FD sees what there is instead."""
    assert nic("veth link").link() == LinkState(True, "10000FD", False, frozenset())


def test_a_negotiated_link(nic):
    """What the partner advertises and is a mode; neither pause nor MII is."""
    assert nic("phy negotiated").link() == LinkState(True, "100FD", True, ALL)


def test_a_gigabit_partner(nic):
    """Its gigabit shows; 100BASE-T1 is no twisted pair of ours."""
    assert nic("phy gigabit").link() == LinkState(True, "1000FD", True, frozenset({"100HD", "100FD", "1000FD"}))


def test_parallel_detection_is_no_negotiation(nic):
    """The partner sent no link code words: its bits are what was found, not what it advertises."""
    assert nic("phy parallel").link() == LinkState(True, "10HD", False, frozenset())


def test_a_driver_that_keeps_the_abilities_to_itself_is_no_link_partner(nic):
    """An empty set would be a lie."""
    with pytest.raises(NoReading, match="does not report what the unit advertises"):
        nic("phy no partner abilities").link()


def test_a_driver_without_speed_has_no_reading(nic):
    """Link up, speed unknown."""
    with pytest.raises(NoReading, match="speed and duplex"):
        nic("phy unknown speed").link()


def test_the_port_goes_down_and_up(nic):
    """Read back each time."""
    switch = nic("veth port")

    switch.set_port(False)
    down = switch.link()
    switch.set_port(True)

    assert down == LinkState(False, "", False, frozenset())
    assert switch.link().up


def test_a_port_that_stays_up_is_refused(nic, clock):
    """A second of bench time, then it is an error."""
    with pytest.raises(InstrumentRefused, match="it is not so"):
        nic("phy port stays").set_port(False)

    assert clock.now_s() == pytest.approx(1.0, abs=0.06)


def test_a_mode_is_forced(nic):
    """Read back, as far as the driver says while there is no link."""
    switch = nic("phy forced")

    switch.set_mode("100HD")

    assert switch.link() == LinkState(True, "100HD", False, frozenset())


def test_a_mode_that_does_not_last_is_refused(nic):
    """The driver says yes and negotiates on."""
    with pytest.raises(InstrumentRefused, match=r"set_mode 10FD.*negotiates=True"):
        nic("phy forced in vain").set_mode("10FD")


def test_a_driver_without_modes_refuses(nic):
    """A virtual pair has no PHY."""
    with pytest.raises(InstrumentRefused, match="Operation not supported"):
        nic("veth mode").set_mode("100FD")


def test_a_forced_port_negotiates_again(nic):
    """Read back too."""
    nic("phy auto").set_mode("auto")


def test_a_port_that_negotiates_is_left_alone(nic):
    """The link does not go down for nothing."""
    nic("phy auto already").set_mode("auto")


def test_an_unknown_mode_never_reaches_the_kernel(nic):
    """The error says which there are."""
    switch = nic("veth link")
    with pytest.raises(SetupError, match="10HD, 10FD, 100HD, 100FD or auto"):
        switch.set_mode("1000FD")
    switch.link()


def test_counters_of_the_driver(nic):
    """What the driver counts under its own names comes before the kernel's sums."""
    assert nic("phy counters").counters() == LinkCounters(1000, 900, 5, 6, 7, 4)


def test_counters_of_the_kernel(nic):
    """Where the driver has no name for it."""
    assert nic("phy counters of the kernel").counters() == LinkCounters(1000, 900, 5, 6, 7, 0)


@pytest.mark.parametrize("scene", ["phy without symbol errors", "veth counters"])
def test_a_counter_that_is_not_kept_is_not_zero(nic, scene):
    """Errors that nobody counts are no sign of a good link."""
    with pytest.raises(NoReading, match="does not count them"):
        nic(scene).counters()


def test_addresses_of_neighbours_that_answered(nic):
    """Configured ones and multicast are not learnt."""
    assert nic("veth addresses").addresses() == {"7CDFA1000000", "7CDFA1000009"}


def test_off_disables(nic):
    """In any state, any number of times; an interface that was never forced keeps its mode."""
    switch = nic("veth off")

    for _ in range(2):
        switch.off()
        assert switch.is_off()


def test_off_disables_even_if_the_mode_stays(nic):
    """The error comes out, the interface is down."""
    switch = nic("phy off")
    switch.set_mode("10HD")

    with pytest.raises(InstrumentRefused, match="autoneg on"):
        switch.off()

    assert switch.is_off()


def test_without_rights_the_error_says_which(nic):
    """It is the set-up's fault, and what to do is in it."""
    with pytest.raises(SetupError, match="CAP_NET_ADMIN; run as root") as caught:
        nic("no rights").set_port(True)

    assert caught.value.blame is Blame.SETUP


@pytest.mark.parametrize(
    "resource", ["", "eth1", "nic://", "nic://eth1/2", "nic://a-name-too-long-for-linux", "nic://a b"]
)
def test_a_bad_resource_shows_a_good_one(resource, clock):
    """What to write is in the error."""
    with pytest.raises(SetupError, match="nic://eth1"):
        DRIVER.open(resource, clock)


NAMES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.booleans()), st.booleans())
def test_bits_with_and_without_a_mask(bits, masked):
    """With a mask a listed bit may be off; without one all that are listed are on."""
    listed = bits if masked else {name: on for name, on in bits.items() if on}
    attrs = [
        [("ETHTOOL_A_BITSET_BIT_NAME", name), *([("ETHTOOL_A_BITSET_BIT_VALUE", True)] if on and masked else [])]
        for name, on in listed.items()
    ]
    entries = {"attrs": [("ETHTOOL_A_BITSET_BITS_BIT", {"attrs": one}) for one in attrs]}
    bitset = {"attrs": [*([] if masked else [("ETHTOOL_A_BITSET_NOMASK", True)]), ("ETHTOOL_A_BITSET_BITS", entries)]}

    assert decode_bits(bitset) == {name for name, on in bits.items() if on}


@given(st.binary(min_size=6, max_size=6), st.integers(0, 0xFF))
def test_neighbours_are_learnt_by_answering(mac, state):
    """Reachable, stale, delay and probe; the address is spelt without colons."""
    message = {"state": state, "attrs": [("NDA_LLADDR", mac.hex(":"))]}

    assert decode_neighbours([message]) == ({mac.hex().upper()} if state & 0x1E else set())


@given(speed=st.sampled_from([None, 0, 10, 100, 1000, 0xFFFF, 0xFFFF_FFFF]), duplex=st.sampled_from([None, 0, 1, 255]))
def test_unknown_speeds_are_none(speed, duplex):
    """-1 as the kernel says it, whatever its width."""
    attrs = [("ETHTOOL_A_LINKMODES_SPEED", speed), ("ETHTOOL_A_LINKMODES_DUPLEX", duplex)]
    modes = decode_modes({"attrs": [one for one in attrs if one[1] is not None]})

    assert modes.speed == (speed if speed in {10, 100, 1000} else None)
    assert modes.duplex == {0: "HD", 1: "FD"}.get(duplex, "")


def test_the_permanent_address_comes_first():
    """A bond or a bridge borrows addresses."""
    statistics = ("IFLA_STATS64", {"rx_packets": 1})
    attrs = [("IFLA_ADDRESS", "02:00:00:00:00:01"), ("IFLA_PERM_ADDRESS", "02:00:00:00:00:02"), statistics]

    assert decode_interface("x", {"index": 2, "ifi_type": 1, "flags": 1, "attrs": attrs}).mac == "020000000002"


# -- the real thing ----------------------------------------------------------------------------------------------------

NO_RIGHTS = """
from hil.clock import RealClock
from hil.errors import SetupError
from hil.instruments.linux_nic import LinuxNic
nic = LinuxNic.open("nic://lo", RealClock())
try:
    nic.set_mode("100FD")
except SetupError as error:
    print(error)
nic.close()
"""
PAIR = """
import json, socket, struct
from pyroute2 import IPRoute
from hil.clock import RealClock, wait_until
from hil.errors import HilError
from hil.instruments.linux_nic import LinuxNic

UNIT, OURS, THEIRS = bytes.fromhex("7cdfa1000000"), socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.61")
clock, said = RealClock(), {}
with IPRoute() as route:
    route.link("add", ifname="eth1", kind="veth", peer={"ifname": "unit0"})
    (eth1,), (unit0,) = route.link_lookup(ifname="eth1"), route.link_lookup(ifname="unit0")
    route.addr("add", index=eth1, address="192.0.2.1", prefixlen=24)
    route.link("set", index=unit0, state="up")

def refused(act):
    try:
        return str(act())
    except HilError as error:
        return type(error).__name__

nic = LinuxNic.open("nic://eth1", clock)
said["model"] = nic.identify().model
said["off at first"], said["link at first"] = nic.is_off(), nic.link().up
nic.set_port(True)
wait_until(clock, "the link", lambda: nic.link().up, 5.0)
said["mode"], said["negotiated"] = nic.link().mode, nic.link().negotiated

# the unit's side answers ARP, and our kernel learns it
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as wire:
    wire.bind(("unit0", 0x0806))
    wire.settimeout(5.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        ask.sendto(b"?", ("192.0.2.61", 9))
    asked = wire.recv(2048)
    reply = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, UNIT, THEIRS, asked[6:12], OURS)
    wire.send(asked[6:12] + UNIT + b"\\x08\\x06" + reply)
wait_until(clock, "the neighbour", lambda: nic.addresses(), 5.0)
said["addresses"] = sorted(nic.addresses())
said["frames"] = nic._link.interface().statistics["rx_packets"] > 0
said["refused"] = [refused(lambda: nic.set_mode("100FD")), refused(nic.counters)]
nic.off()
nic.off()
said["off at last"], said["link at last"] = nic.is_off(), nic.link().up
nic.close()
said["gone"] = refused(LinuxNic.open("nic://eth9", clock).identify)
print(json.dumps(said))
"""


def child(prefix, script):
    """Run a script in this interpreter, warnings as errors, behind a prefix such as `unshare --net`."""
    command = [*prefix, sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def find_namespace():
    """Return how this computer lets a child have a network of its own; empty where it does not."""
    for prefix in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if (
            shutil.which("unshare")
            and not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
        ):
            return prefix
    return []


@pytest.mark.parametrize(
    "prefix", [pytest.param(p, id=" ".join(p) or "not permitted here") for p in [find_namespace()]]
)
def test_a_virtual_pair(prefix):
    """Netlink for real, as far as an interface without a PHY goes."""
    if not prefix:
        assert "CAP_NET_ADMIN" in child([], NO_RIGHTS).stdout
        return

    done = child(prefix, PAIR)

    assert not done.returncode, done.stderr
    assert json.loads(done.stdout) == {
        "model": "interface eth1 (veth)",
        "off at first": True,
        "link at first": False,
        "mode": "10000FD",
        "negotiated": False,
        "addresses": ["7CDFA1000000"],
        "frames": True,
        "refused": ["InstrumentRefused", "NoReading"],
        "off at last": True,
        "link at last": False,
        "gone": "NotConnected",
    }


def test_a_real_setting_without_rights():
    """The kernel is asked, and its refusal says what is missing."""
    drop = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"] if shutil.which("setpriv") else []
    allowed = subprocess.run([*drop, "true"], capture_output=True, check=False).returncode == 0 if drop else False

    assert "CAP_NET_ADMIN; run as root" in child(drop if allowed else [], NO_RIGHTS).stdout
