"""Two ends of a link: clause 28 auto-negotiation, parallel detection, forced modes, Auto-MDIX."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_rig import Ends

from hil.sim.network.link import PINS_12, PINS_36, Cable
from hil.sim.network.phy import MODES, Kind, Signal, State


@pytest.mark.parametrize("cable", [Cable.STRAIGHT, Cable.CROSSED])
def test_two_that_negotiate_agree_on_the_best(cable):
    """100FD, in 1.4 to 3 s from the cable, straight or crossed, whatever the chance."""
    for seed in range(30):
        ends = Ends(seed)
        took_s = ends.plug(cable)

        assert 1.4 < took_s < 3.0
        assert ends.near.mode == ends.far.mode == "100FD"
        assert ends.near.negotiated
        assert ends.near.partner.modes == frozenset(MODES)


@given(near=st.frozensets(st.sampled_from(MODES), min_size=1), far=st.frozensets(st.sampled_from(MODES), min_size=1))
@settings(max_examples=40, deadline=None)
def test_the_highest_common_mode_is_resolved(near, far):
    """Or none, where there is none in common."""
    ends = Ends()
    ends.offer(ends.near, *near)
    ends.offer(ends.far, *far)
    ends.plug(wait_s=8.0)
    best = next((mode for mode in MODES if mode in near & far), "")

    assert (ends.near.mode, ends.far.mode) == (best, best)


@pytest.mark.parametrize("forced", MODES)
@pytest.mark.parametrize("cable", [Cable.STRAIGHT, Cable.CROSSED])
def test_a_partner_that_does_not_negotiate_is_found_by_its_signal(forced, cable):
    """The speed is right, the duplex half whatever the partner has; it is not negotiated, nothing is received."""
    ends = Ends()
    ends.force(forced)
    took_s = ends.plug(cable)

    assert 1.2 + 0.5 < took_s < 4.0  # break_link, then autoneg_wait
    assert ends.near.mode == f"{forced[:-2]}HD"
    assert ends.far.mode == forced
    assert not ends.near.negotiated
    assert ends.near.partner.kind is not Kind.FLP


def test_what_is_not_offered_is_not_found_in_parallel_either():
    """An end that offers 100 Mbit/s only makes no link with a 10 Mbit/s partner; the partner has its link pulses."""
    ends = Ends()
    ends.offer(ends.near, "100FD", "100HD")
    ends.force("10HD")
    ends.plug()

    assert not ends.near.up


def test_two_forced_to_different_speeds_have_no_link():
    """Idle symbols are no link pulses."""
    ends = Ends()
    ends.force("10FD")
    ends.near.autoneg, ends.near.forced = False, "100FD"
    ends.near.restart()

    assert math.isinf(ends.plug())
    assert not ends.near.up
    assert not ends.far.up


def test_ten_forced_sees_a_link_where_the_other_end_only_negotiates():
    """Fast link pulses pass the link test of 10BASE-T: one end is up before the other."""
    ends = Ends()
    ends.force("10HD")
    ends.link.plug(Cable.STRAIGHT)
    ends.world.advance(1.22 + 0.2)

    assert ends.far.mode == "10HD"
    assert not ends.near.up


def test_the_link_goes_with_the_cable():
    """Within milliseconds at 100 Mbit/s, at both ends, and comes back."""
    ends = Ends()
    ends.plug()
    ends.link.plug(Cable.OUT)
    ends.world.advance(0.005)

    assert not ends.near.up
    assert not ends.far.up
    assert 1.4 < ends.plug() < 3.0


def test_an_end_that_stops_takes_the_link_with_it():
    """And is silent for break_link when it comes back, so that the other notices."""
    ends = Ends()
    ends.plug()
    ends.far.run(False)
    ends.world.advance(0.01)
    assert not ends.near.up

    began_s = ends.world.now_s
    ends.far.run(True)
    ends.world.advance(1.3)
    assert ends.far.state is State.BREAK
    ends.world.advance(2.0)

    assert ends.near.mode == "100FD"
    assert 1.35 < ends.near.changed_s - began_s < 2.2


def test_a_restart_is_noticed_and_answered():
    """Restarting negotiation breaks the link and makes it again with the new abilities."""
    ends = Ends()
    ends.plug()
    ends.offer(ends.near, "10HD", "10FD")
    ends.world.advance(5.0)

    assert ends.near.mode == ends.far.mode == "10FD"


@pytest.mark.parametrize("pair", [PINS_12, PINS_36])
def test_with_a_pair_open_there_is_no_link(pair):
    """Whatever the pairs are changed to, one direction is missing."""
    ends = Ends()
    ends.link.open(frozenset({pair}))
    ends.plug(wait_s=30.0)

    assert not ends.near.up
    assert not ends.far.up


def test_without_auto_mdix_the_cable_must_be_right():
    """MDI to MDI-X takes a straight cable."""
    for cable, links in ((Cable.STRAIGHT, True), (Cable.CROSSED, False)):
        ends = Ends()
        ends.near.auto_mdix = ends.far.auto_mdix = False

        assert math.isfinite(ends.plug(cable)) is links


def test_one_end_with_auto_mdix_is_enough():
    """For any cable."""
    for cable in (Cable.STRAIGHT, Cable.CROSSED):
        ends = Ends()
        ends.far.auto_mdix = False

        assert math.isfinite(ends.plug(cable))


def test_nothing_happens_on_a_line_at_rest():
    """No events: neither with the cable out nor with the link up."""
    ends = Ends()
    for _ in range(2):
        done = 0
        while ends.world.env.peek() < math.inf:
            ends.world.env.step()
            done += 1
        assert done <= 1  # the end of the last advance

        ends.plug()


def test_half_a_negotiation_is_not_believed():
    """A partner that falls silent while it acknowledges is begun with anew."""
    ends = Ends()
    ends.link.plug(Cable.STRAIGHT)
    while ends.near.state is not State.ACKNOWLEDGE:
        ends.world.advance(0.001)
    ends.near.hear(Signal())

    assert ends.near.state is State.BREAK
