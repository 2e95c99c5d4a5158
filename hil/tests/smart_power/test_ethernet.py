"""The Ethernet port, seen by its link partner: link, mode, abilities, flaps, errors, lights; on revision B also frames.

Method: facts smart-power 4.4. The unit runs from J43, mains is off. What revision A cannot do is DR-01: it has no MAC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.errors import NoReading, UnitSilent
from hil.links.udp_echo import EchoTrial, UdpEcho
from hil.metrology.budget import resolution
from hil.metrology.propagation import direct
from hil.metrology.reading import Reading
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import RAIL_OUTPUT, Station
from hil.tests.smart_power.ethernetlink import CROSSED, STRAIGHT, EthernetLink, Seen
from hil.tests.smart_power.waiting import Moment, moment_of, wait_for
from hil.tests.smart_power.wifi import await_wifi, wifi_switch_at_rest

OFF_S = 1.0
BEST, BEST_BIT_PER_S = "100FD", 100e6
ABILITIES = ("10HD", "10FD", "100HD", "100FD")
COUNTERS = ("fcs", "alignment", "symbol")
DHCP_POLL_S, DHCP_DEADLINE_S = 0.2, 15.0
OFFERED = 0.98  # of the rate asked for, at least
QUIET_S = 0.5  # from link up until the counters' stretch begins: coming up may count errors
LIT = {"100FD": ("link", "speed"), "10HD": ("link",), "down": ()}  # LED1: link, LED2: 100 Mbit/s (facts 4.4)


@pytest.fixture(scope="module")
def link(bench: Station, rails: None) -> Iterator[EthernetLink]:
    """The unit powered from J43, its partner negotiating; behind it the cable is out, the partner as it was."""
    if not bench.can("LinkPartner.link"):
        pytest.skip("the station has no link partner: not covered")
    found = EthernetLink(bench)
    try:
        found.negotiate()
        yield found
    finally:
        found.unplug()
        found.negotiate()


@pytest.mark.requirement("ETH-01")
def test_the_link_comes_up_with_the_cable(link: EthernetLink, measure: Measurer) -> None:
    """Unit and partner powered, the cable goes in."""
    link_up(measure, link.watch(link.plug(STRAIGHT)), "cable_in")


@pytest.mark.requirement("ETH-01")
def test_the_link_comes_up_with_power(bench: Station, board: SmartPower, link: EthernetLink, measure: Measurer) -> None:
    """Cable in and partner up, the unit gets its 5 V."""
    link.ready()
    bench.dc_supply.output_off(RAIL_OUTPUT)
    link.await_down("the unit has no power")
    bench.clock.sleep(OFF_S)
    seen = link.watch(moment_of(bench.clock, partial(bench.dc_supply.on, RAIL_OUTPUT)))
    link_up(measure, seen, "power_up")
    board.wait_for_boot()


@pytest.mark.requirement("ETH-01")
def test_the_link_comes_up_with_the_port(link: EthernetLink, measure: Measurer) -> None:
    """Cable in and unit powered, the partner enables its port."""
    link.ready()
    link_up(measure, link.flap(), "port_up")


@pytest.mark.requirement("ETH-02")
def test_speed_and_duplex(link: EthernetLink, measure: Measurer) -> None:
    """Both sides able to do all, the best is what they agree on: 100 Mbit/s, full duplex."""
    if not measure.ready("eth.speed", "eth.full_duplex"):
        return
    link.ready()
    mode = link.partner.link().mode
    measure("eth.speed", Reading(speed_bit_per_s(mode), "bit/s", 0.0))
    measure.check("eth.full_duplex", mode.endswith("FD"))


@pytest.mark.requirement("ETH-03")
def test_advertised_abilities(link: EthernetLink, measure: Measurer) -> None:
    """The unit offers 10 and 100 Mbit/s, half and full duplex, each of them and nothing else."""
    ready = [one for one in ABILITIES if measure.ready("eth.advertises", ability=one)]
    if not measure.ready("eth.advertises_no_more") or not ready:
        return
    link.ready()
    offered = link.partner.link().abilities
    for one in ready:
        measure.check("eth.advertises", one in offered, ability=one)
    more = offered - set(ABILITIES)
    if more:
        measure.note(f"the unit also advertises {', '.join(sorted(more))}")
    measure.check("eth.advertises_no_more", not more)


@pytest.mark.requirement("ETH-08")
def test_the_lights_tell_the_link(plan: Plan, link: EthernetLink, measure: Measurer) -> None:
    """The link light shines while there is a link, the speed light while that is one of 100 Mbit/s."""
    ready = [point for point in plan.load_points["port_lights"] if measure.ready("eth.light", **point)]
    if not ready:
        return
    link.ready()
    shine = {"100FD": link.lights()}
    with link.port_down():
        shine["down"] = link.lights()
    with link.forced("10HD"):
        shine["10HD"] = link.lights()
    for point in ready:
        light, at = point["light"], point["at"]
        measure.check("eth.light", (light in shine[at]) == (light in LIT[at]), **point)


@pytest.mark.requirement("ETH-05")
@pytest.mark.parametrize("forced", ["100HD", "10HD"])
def test_parallel_detection(link: EthernetLink, measure: Measurer, forced: str) -> None:
    """A partner that does not negotiate is found by its signal; half duplex is the only answer, and the unit links.

    The partner's word is not enough: at 10 Mbit/s it takes the unit's search for a link. The unit's own light tells.
    """
    if not measure.ready("eth.parallel_detection", forced=forced):
        return
    link.ready()
    with link.forced(forced) as seen:
        state = seen.state
        plain = not state.negotiated and not state.abilities
        found = state.up and state.mode == forced and plain and "link" in link.lights()
        measure.check("eth.parallel_detection", found, forced=forced)


@pytest.mark.requirement("ETH-06")
def test_the_link_returns_after_every_flap(link: EthernetLink, measure: Measurer) -> None:
    """The partner's port goes down and up ten times; the link is back each time, the same, and in time."""
    flaps = range(1, 11)
    ready = [n for n in flaps if measure.ready("eth.flap_link_up_time", flap=n)]
    if not measure.ready("eth.flaps_survived") or not ready:
        return
    link.ready()
    survived = 0
    for number in ready:
        seen = link.flap()
        survived += seen.came and seen.state.mode == BEST
        measure("eth.flap_link_up_time", seen.took, flap=number)
    measure("eth.flaps_survived", Reading(float(survived), "1", 0.0))


@pytest.mark.requirement("ETH-07")
def test_error_counters_stay_still(
    bench: Station, board: SmartPower, plan: Plan, link: EthernetLink, measure: Measurer
) -> None:
    """With the link up, and frames on it where the unit has a MAC, no receiver at the partner counts an error."""
    (stretch,) = plan.load_points["link_stretch"]
    ready = [one for one in COUNTERS if measure.ready("eth.errors", counter=one, **stretch)]
    if not measure.ready("eth.stays_up") or not ready:
        return
    link.ready()
    talks = board.revision.has_ethernet and await_address(bench, board) != ""
    bench.clock.sleep(QUIET_S)
    before, end_s = link.partner.counters(), bench.clock.now_s() + stretch["seconds"]
    if talks:
        echo(bench, plan.load_points["echo_short"][-1])
    bench.clock.sleep(max(0.0, end_s - bench.clock.now_s()))
    after = link.partner.counters()
    measure.step(f"{stretch['seconds']} s: {after.frames_in - before.frames_in} frames came from the unit")
    for one in ready:
        count = getattr(after, f"{one}_errors") - getattr(before, f"{one}_errors")
        measure("eth.errors", Reading(float(count), "1", 0.0), counter=one, **stretch)
    measure.check("eth.stays_up", link.partner.link().up)


@pytest.mark.requirement("ETH-09")
def test_address_by_dhcp(bench: Station, board: SmartPower, link: EthernetLink, measure: Measurer) -> None:
    """The unit is given an address, and the partner knows the unit's MAC address on its port."""
    if not has_frames(board, measure, "eth.address_by_dhcp"):
        measure.finding("DR-01", "ETH-09", f"{board.revision.ethernet_mac.mark}: no frame can come from this revision")
        return
    if measure.ready("eth.address_by_dhcp"):
        link.ready()
        address = await_address(bench, board)
        measure.step(f"the unit has the address {address}" if address else "the unit was given no address")
        measure.check("eth.address_by_dhcp", address != "")
    if measure.ready("eth.mac_on_the_wire"):
        measure.check("eth.mac_on_the_wire", board.network.mac() in link.partner.addresses())


@pytest.mark.requirement("ETH-09")
def test_http_over_the_wire(bench: Station, board: SmartPower, run: Run, link: EthernetLink, measure: Measurer) -> None:
    """With Wi-Fi switched off the unit answers over the wire, and is the same unit."""
    if not has_frames(board, measure, "eth.http_on_the_wire") or not measure.ready("eth.http_on_the_wire"):
        return
    link.ready()
    with wifi_switch_at_rest(bench):
        await_wifi(bench, board, False, moment_of(bench.clock, partial(bench.fixture.set_wifi_switch, False)))
        try:
            serial = bench.ethernet_http().call("Factory.Identity")["serial"]
        except UnitSilent as silent:
            measure.note(str(silent))
            serial = None
        measure.check("eth.http_on_the_wire", serial == run.options.serial)


@pytest.mark.requirement("ETH-09")
def test_no_frame_is_lost(bench: Station, board: SmartPower, plan: Plan, link: EthernetLink, measure: Measurer) -> None:
    """Small, middle and large frames come back from the unit, all of them, at the plan's rate."""
    no_frame_is_lost(bench, board, plan, link, measure, "short")


@pytest.mark.requirement("ETH-10")
def test_no_frame_of_any_size_is_lost(
    bench: Station, board: SmartPower, plan: Plan, run: Run, link: EthernetLink, measure: Measurer
) -> None:
    """Frames of every size of RFC 2544 come back, all of them, in trials of full length."""
    if run.options.stage in plan.requirements["ETH-10"].stages:
        no_frame_is_lost(bench, board, plan, link, measure, "full")
    else:
        first = plan.load_points["echo_full"][0]
        measure.cannot("eth.frame_loss_full", f"not required at stage {run.options.stage}", **first)


@pytest.mark.requirement("ETH-04")
def test_a_crossed_cable_links_too(link: EthernetLink, measure: Measurer) -> None:
    """With the pairs crossed the link comes up as with the straight cable."""
    if not measure.ready("eth.crossed_is_the_same"):
        return
    seen = link.watch(link.plug(CROSSED))
    measure.check("eth.crossed_is_the_same", seen.came and seen.state.mode == BEST)


def link_up(measure: Measurer, seen: Seen, event: str) -> None:
    """Measure a link-up time; where no link came, the time is a lower bound and the record says so."""
    if not seen.came:
        measure.note(f"no link after {event}; the time given is a lower bound")
    measure("eth.link_up_time", seen.took, event=event)


def no_frame_is_lost(
    bench: Station, board: SmartPower, plan: Plan, link: EthernetLink, measure: Measurer, trials: str
) -> None:
    """Let the unit echo the plan's trials; measure what did not come back, and how much did (RFC 2544, 26.1, 26.3)."""
    loss, throughput = f"eth.frame_loss_{trials}", f"eth.throughput_{trials}"
    points = plan.load_points[f"echo_{trials}"]
    if not has_frames(board, measure, loss, **points[0]):
        return
    ready = [point for point in points if measure.ready(loss, throughput, **point)]
    if not ready:
        return
    link.ready()
    await_address(bench, board)
    for point in ready:
        trial = echo(bench, point)
        measure(loss, Reading(100.0 * trial.loss, "%", 0.0), **point)
        step_bit_per_s = trial.throughput_bps / trial.sent  # it began and ended with a frame
        step = resolution("one frame of the trial", step_bit_per_s)
        measure(throughput, direct(trial.throughput_bps, "bit/s", [step]), **point)


def echo(bench: Station, point: Mapping[str, Any]) -> EchoTrial:
    """Run one trial of the plan; one that this bench could not offer as fast as asked says nothing of the unit."""
    trial = UdpEcho(bench.echo_address, bench.clock).trial(point["frame"], point["fps"], point["seconds"])
    if trial.offered_fps < OFFERED * trial.asked_fps:
        offered = f"{trial.offered_fps:.0f} frames a second"
        raise NoReading("this computer", f"{trial.asked_fps} frames a second", offered, "too slow for the plan's rate")
    return trial


def has_frames(board: SmartPower, measure: Measurer, base: str, **point: Any) -> bool:
    """Say whether the revision can exchange frames at all; where it cannot, so does the record."""
    if not board.revision.has_ethernet:
        measure.cannot(base, f"revision {board.revision.name} has no MAC (DR-01)", **point)
    return board.revision.has_ethernet


def await_address(bench: Station, board: SmartPower) -> str:
    """Wait until the Ethernet port was given an address and return it; "" where it was not."""
    now_s = bench.clock.now_s()
    found = [""]

    def asked() -> bool:
        found[0] = board.network.ethernet_address()
        return found[0] != ""

    wait_for(bench.clock, asked, Moment(now_s, now_s), poll_s=DHCP_POLL_S, deadline_s=DHCP_DEADLINE_S)
    return found[0]


def speed_bit_per_s(mode: str) -> float:
    """Return the bit rate of a mode such as 100FD; 0 for no link."""
    return 1e6 * float(mode[:-2]) if mode else 0.0
