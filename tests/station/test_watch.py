"""While mains is on, an opened lid switches it off within 200 ms of bench time; the test hears of it."""

# ruff: noqa: PT012, SIM117  what happens inside these blocks is what is tested

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hil.clock import StationControl
from hil.errors import Blame, InterlockOpen, NotConnected
from hil.interrupt import uninterrupted
from hil.station.bench import Guarded, lock_station, open_station
from hil.station.guarding import GuardLost
from hil.station.locks import Owner
from hil.station.station import Station

LIMIT_S = 0.2


@pytest.fixture
def bench(sim_config, own_locks, launched) -> Iterator[Station]:
    """A guarded bench whose time stands still unless the test sleeps."""
    simulated = launched()
    station = open_station(sim_config, simulated, Guarded(lock_station(sim_config, simulated, Owner())))
    yield station
    station.close()


@pytest.fixture
def world(bench: Station) -> Iterator[StationControl]:
    """The world's own log, and the hands of an operator."""
    assert bench._simulated is not None
    host, port = bench._simulated.addresses["control"].split(":")
    control = StationControl(host, int(port))
    yield control
    control.close()


def mains_off_s(world: StationControl, after_s: float) -> float:
    """When mains went off for the first time after a moment, by the world's clock."""
    events = world.ask("events")["events"]
    return min(
        e["t_s"]
        for e in events
        if (e["kind"], e.get("what"), e.get("on")) == ("power", "mains", False) and e["t_s"] >= after_s
    )


@pytest.mark.parametrize(
    ("deed", "words"), [({"do": "lid", "closed": False}, "lid"), ({"do": "emergency_stop", "released": False}, "stop")]
)
def test_mains_is_off_in_time_and_the_test_is_told(
    bench: Station, world: StationControl, deed: dict, words: str
) -> None:
    """In the midst of a long wait, which ends there."""
    with pytest.raises(InterlockOpen, match=f"{words}.*and mains was on: the guard switched the source off") as caught:
        with bench.mains(230.0, 50.0):
            opened_s = bench.clock.now_s() + 123.4567
            world.ask(**deed, at_s=opened_s)
            bench.clock.sleep(600.0)

    assert mains_off_s(world, opened_s) - opened_s <= LIMIT_S
    assert world.ask("now")["now_s"] - opened_s < 5.0
    assert caught.value.blame is Blame.SETUP
    assert bench.source.is_off()


def test_a_test_that_does_not_sleep_hears_of_it_when_it_is_over(bench: Station, world: StationControl) -> None:
    """And whatever it would have measured meanwhile is refused."""
    assert bench.watch is not None
    with pytest.raises(InterlockOpen, match="lid"), bench.mains(230.0, 50.0):
        world.ask("lid", closed=False)
        bench.watch._look()
        uninterrupted.forget_alarm()  # nobody sleeps here
        with pytest.raises(InterlockOpen, match="lid"):
            bench.watch.check()


def test_a_lid_that_was_closed_again_is_not_forgiven_within_the_block(bench: Station, world: StationControl) -> None:
    """Somebody had his hands in it; the next block begins anew."""
    with pytest.raises(InterlockOpen), bench.mains(230.0, 50.0):
        world.ask("lid", closed=False)
        with pytest.raises(InterlockOpen):
            bench.clock.sleep(1.0)
        world.ask("lid", closed=True)
    with bench.mains(230.0, 50.0):
        bench.clock.sleep(0.2)


def test_a_fixture_that_cannot_be_read_is_no_closed_lid(bench: Station, world: StationControl) -> None:
    """Unplugged, nobody knows: mains goes off, and the blame is the bench's."""
    with pytest.raises(NotConnected) as caught, bench.mains(230.0, 50.0):
        since_s = world.ask("now")["now_s"]
        world.ask("fault", name="bench-fixture-unplugged")
        bench.clock.sleep(600.0)

    assert caught.value.blame is Blame.BENCH
    assert mains_off_s(world, since_s) - since_s <= LIMIT_S


def test_nothing_is_energised_without_a_guard(sim_config, own_locks, launched) -> None:
    """Opened without one, a bench can be looked at, and that is all."""
    station = open_station(sim_config, launched())
    try:
        for block in (station.mains(230.0, 50.0), station.rail(), station.armed_surge(500.0, 0.0)):
            with pytest.raises(InterlockOpen, match="no guard"), block:
                pass
    finally:
        station.close()


def test_nothing_is_energised_with_a_dead_guard(bench: Station) -> None:
    """It is noticed at once."""
    assert bench.guard is not None
    bench.guard._process.kill()
    bench.guard._process.wait()
    bench.guard._threads[0].join(5)

    with pytest.raises(GuardLost), bench.mains(230.0, 50.0):
        pass
    uninterrupted.forget_alarm()


def test_mains_goes_off_when_the_guard_dies(bench: Station, world: StationControl) -> None:
    """The run is told while it sleeps, in real time; whatever it does next raises."""
    assert bench.guard is not None
    with pytest.raises(GuardLost), bench.mains(230.0, 50.0):
        bench.guard._process.kill()
        bench.guard._threads[0].join(5)
        bench.clock.sleep(1.0)

    assert bench.source.is_off()


def test_without_the_guards_own_link_the_run_switches_off_itself(
    bench: Station, world: StationControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some sources bear one session only."""
    assert bench.guard is not None
    monkeypatch.setattr(bench.guard, "cut", lambda why: False)
    with pytest.raises(InterlockOpen, match="the source was switched off"), bench.mains(230.0, 50.0):
        opened_s = world.ask("now")["now_s"]
        world.ask("lid", closed=False)
        bench.clock.sleep(1.0)

    assert mains_off_s(world, opened_s) - opened_s <= LIMIT_S


@pytest.mark.parametrize("missing", ["spi", "uart", "scope", "dmm"])
def test_nothing_is_energised_while_an_isolator_is_not_declared(bench: Station, missing: str) -> None:
    """The low-voltage side is treated as live (DR-20): each is named."""
    whole = bench.config
    bench.config = replace(whole, isolators=tuple(one for one in whole.isolators if one != missing))
    try:
        with pytest.raises(InterlockOpen, match=f"no isolator declared for {missing}"), bench.mains(230.0, 50.0):
            pass
    finally:
        bench.config = whole
    assert bench.source.is_off()
