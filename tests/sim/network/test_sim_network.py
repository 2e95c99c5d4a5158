"""The unit's socket, the cable box and the switch together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from link_rig import CROSSED, STRAIGHT, Rig

from hil.sim.network.network import LEASE
from hil.sim.network.switch import UNIT


@pytest.mark.parametrize("revision", ["A", "B"])
@pytest.mark.parametrize("channel", [STRAIGHT, CROSSED])
def test_cable_in_to_link_up_takes_its_time(revision, channel):
    """1.4 to 3 s for every unit; the event says when and what."""
    took = []
    for number in range(10):
        rig = Rig(revision, serial=f"SP-{number:06}")
        began_s = rig.world.now_s
        rig.cable(channel)
        rig.world.advance(5.0)
        (event,) = rig.events("link")
        assert (event["up"], event["mode"], event["partner"]) == (True, "100FD", "100FD")
        took.append(float(event["t_s"]) - began_s)  # type: ignore[arg-type]

    assert 1.4 < min(took) < max(took) < 3.0
    assert len(set(took)) > 5  # individuals


def test_the_cable_decides():
    """Neither route: out; straight wins over crossed, and changing it breaks the link."""
    rig = Rig()
    assert not rig.port.mode
    rig.linked()
    rig.cable(STRAIGHT, CROSSED)
    rig.world.advance(0.1)
    assert rig.port.mode

    rig.cable()
    rig.world.advance(0.1)

    assert not rig.port.mode
    assert [event["how"] for event in rig.events("cable")] == ["straight", "out"]


def test_a_unit_without_power_has_no_link_and_no_lights():
    """Both go with the supply; with it back the link comes within 3 s."""
    rig = Rig().linked()
    ethernet = rig.unit.ethernet
    assert (ethernet.link_led, ethernet.speed_led) == (True, True)

    rig.power(False)
    rig.world.advance(0.5)
    assert (rig.port.mode, ethernet.link_led, ethernet.speed_led) == ("", False, False)
    rig.power(True)
    rig.world.advance(3.0)

    assert (rig.port.mode, ethernet.link_led) == ("100FD", True)


def test_the_speed_light_is_for_100_mbit():
    """A link of 10 Mbit/s lights the link LED alone."""
    rig = Rig()
    rig.port.configure(autoneg=False, forced="10HD")
    rig.linked()

    assert (rig.unit.ethernet.link_led, rig.unit.ethernet.speed_led) == (True, False)


def test_a_reset_of_the_mcu_does_not_touch_the_link():
    """The PHY negotiates by itself; on revision B the address is asked for anew."""
    for revision in ("A", "B"):
        rig = Rig(revision).linked()
        rig.unit.set_reset(False, True)
        rig.world.advance(0.2)
        assert rig.unit.ethernet.link_led
        assert rig.unit.ethernet.ip is None
        rig.unit.set_reset(True, True)
        rig.world.advance(3.0)

        assert rig.unit.ethernet.ip == (LEASE if revision == "B" else None)


def eth_status(rig: Rig) -> dict[str, Any]:
    answer = rig.unit.http("GET", "/rpc/Eth.GetStatus", b"")
    assert answer is not None
    found: dict[str, Any] = json.loads(answer[1])
    return found


def test_only_revision_b_has_a_mac():
    """It is given an address half a second after the link and its MAC is learnt; revision A sends nothing (DR-01)."""
    rig = Rig("B").linked()
    (link,), (dhcp,) = rig.events("link"), rig.events("dhcp")
    assert 0.5 <= float(dhcp["t_s"]) - float(link["t_s"]) < 0.7  # type: ignore[arg-type]
    assert eth_status(rig) == {"ip": LEASE, "link": True}
    assert rig.network.switch.addresses() == {rig.unit.ethernet.mac: UNIT}
    assert rig.port.counters.in_broadcast == 3
    rig.world.advance(301.0)
    assert rig.network.switch.addresses() == {}  # aged

    without = Rig("A").linked()

    assert eth_status(without) == {"ip": None, "link": None}
    assert without.network.switch.addresses() == {}
    assert without.port.counters.in_octets == 0


def test_the_address_goes_with_the_link():
    """And the switch forgets the MAC on that port."""
    rig = Rig("B").linked()
    rig.cable()
    rig.world.advance(0.1)

    assert eth_status(rig) == {"ip": None, "link": False}
    assert rig.network.switch.addresses() == {}
    assert not rig.unit.reachable("ethernet")
    assert rig.unit.reachable("wifi")


def test_a_port_that_is_off_sends_nothing():
    """Administratively down: no link; up again: a link within 3 s."""
    rig = Rig().linked()
    rig.port.enable(False)
    rig.world.advance(0.1)
    assert not rig.unit.ethernet.link_led
    rig.port.enable(True)
    rig.world.advance(3.0)

    assert rig.unit.ethernet.link_led


@pytest.mark.parametrize("forced", ["10HD", "10FD", "100HD", "100FD"])
@pytest.mark.parametrize("revision", ["A", "B"])
def test_a_forced_port_is_found_in_parallel(forced, revision):
    """The unit is half duplex then."""
    rig = Rig(revision)
    rig.port.configure(autoneg=False, forced=forced)
    rig.linked()

    assert rig.port.mode == forced
    assert rig.unit.ethernet.phy.mode == f"{forced[:-2]}HD"


def test_auto_mdix_of_the_unit_shows_at_a_forced_port():
    """A forced port has none of its own: through a crossed cable the LAN8720A links, the W5500 does not."""
    for revision, links in (("A", True), ("B", False)):
        rig = Rig(revision)
        rig.port.configure(autoneg=False, forced="100FD")
        rig.cable(CROSSED)
        rig.world.advance(5.0)

        assert bool(rig.port.mode) is links


# -- frames ----------------------------------------------------------------------------------------------------------


def test_frames_are_counted_both_ways():
    """On both ports, the other way round; without a link they are discarded."""
    rig = Rig("B").linked()
    uplink = rig.network.switch.ports[2]
    before = (rig.port.counters.out_unicast, rig.port.counters.in_unicast, uplink.counters.out_octets)
    assert rig.network.to_unit(1518)
    assert rig.network.from_unit(64)

    after = (rig.port.counters.out_unicast, rig.port.counters.in_unicast, uplink.counters.out_octets)
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 64]

    rig.cable()
    rig.world.advance(0.1)
    assert not rig.network.to_unit(64)
    assert not rig.network.from_unit(64)
    assert rig.port.counters.out_discards == 1


def test_a_duplex_mismatch_costs_frames():
    """Forced to full duplex, the switch sees a half-duplex unit's frames cut short now and then."""
    rig = Rig("B")
    rig.port.configure(autoneg=False, forced="100FD")
    rig.linked(20.0)
    took = sum(rig.network.from_unit(512) for _ in range(400))

    assert 300 < took < 399
    assert rig.port.counters.fcs >= 400 - took


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["A", "B"])
@pytest.mark.parametrize("fault", ["phy-dead", "phy-pair-open"])
def test_faults_without_a_link(revision, fault):
    """Nothing lights, whatever the cable."""
    rig = Rig(revision, fault).linked(20.0)

    assert not rig.port.mode
    assert not rig.unit.ethernet.link_led
    assert rig.events("link") == []


def test_straps_of_ten_mbit():
    """phy-forced-10: the switch finds 10HD in parallel."""
    rig = Rig("A", "phy-forced-10").linked()

    assert rig.port.mode == rig.unit.ethernet.phy.mode == "10HD"
    assert rig.port.phy is not None
    assert not rig.port.phy.negotiated


def test_a_crystal_500_ppm_off():
    """It links; the partner counts symbol errors at rest, and FCS errors of long frames. A healthy one has none."""
    off, healthy = Rig("B", "phy-crystal-off").linked(15.0), Rig("B").linked(15.0)
    for rig in (off, healthy):
        for _ in range(10):
            rig.network.from_unit(1518)
            rig.network.from_unit(64)

    assert off.port.counters.symbol > 10
    assert off.port.counters.fcs == 10
    assert off.unit.ethernet.ip == LEASE
    assert (healthy.port.counters.symbol, healthy.port.counters.fcs) == (0, 0)


def test_a_fault_may_come_later():
    """phy-dead@10 takes the link away at 10 s."""
    rig = Rig("A", "phy-dead@10").linked()
    assert rig.port.mode
    rig.world.advance(10.0)

    assert not rig.port.mode


def test_the_same_seed_gives_the_same_history():
    """To the last digit."""
    histories = []
    for _ in range(2):
        rig = Rig("B", "phy-crystal-off").linked(10.0)
        rig.port.enable(False)
        rig.world.advance(1.0)
        rig.port.enable(True)
        rig.world.advance(5.0)
        histories.append((rig.world.events, rig.port.counters))

    assert histories[0] == histories[1]
