"""The world: one clock, chance from names, faults by name."""

from __future__ import annotations

import asyncio

import pytest

from hil.sim.faults import FAULTS, ActiveFault, UnknownFault, describe, fault_names, parse_fault
from hil.sim.world import World


def test_events_up_to_and_including_the_time_happen():
    """Advancing runs what falls in the interval, its end included, and nothing later."""
    world, happened = World(), []
    for t_s in (0.5, 1.0, 1.5):
        world.at(t_s, lambda t_s=t_s: happened.append(t_s))

    world.advance(1.0)

    assert happened == [0.5, 1.0]
    assert world.now_s == 1.0


def test_a_time_already_past_is_no_error():
    """Going back does nothing."""
    world = World()
    world.advance(2.0)
    world.advance_to(1.0)

    assert world.now_s == 2.0


def test_waiting_in_bench_time_takes_no_time():
    """An hour passes at once."""
    world = World()
    asyncio.run(world.wait(3600.0))

    assert world.now_s == 3600.0


def test_waiting_in_real_time_follows_the_wall_clock():
    """In real time the ticker advances the world."""
    world = World(real_time=True)

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        await world.wait(0.05)
        return loop.time() - start_s

    assert asyncio.run(wait()) >= 0.045
    assert 0.05 <= world.now_s < 0.5


def test_individuals_depend_on_the_serial_and_noise_on_the_seed():
    """The same name gives the same generator; the seed changes chance, not the unit."""

    def draw(serial: str, seed: int) -> tuple[float, float]:
        world = World(serial, seed)
        return world.individual("relay", "K1").random(), world.rng("relay", "K1").random()

    assert draw("SP-1", 0) == draw("SP-1", 0)
    assert draw("SP-1", 0)[0] == draw("SP-1", 9)[0]
    assert draw("SP-1", 0)[1] != draw("SP-1", 9)[1]
    assert draw("SP-1", 0)[0] != draw("SP-2", 0)[0]


def test_a_fault_may_begin_later():
    """name@t acts from t on, and its beginning is an event."""
    world, begun = World(faults=["k1-welded@3", "miso-stuck"]), []
    world.on_fault(begun.append)

    assert world.fault("miso-stuck")
    assert not world.fault("k1-welded")

    world.advance(3.0)

    assert world.fault("k1-welded")
    assert begun == ["k1-welded"]


def test_an_unknown_fault_names_the_closest():
    """Nothing starts with a fault that nobody knows."""
    with pytest.raises(UnknownFault, match="k2-set-open"):
        World(faults=["k2-set-opne"])
    for text in ("k5-welded", "k1-welded@soon", "k1-welded@-1", ""):
        with pytest.raises(UnknownFault):
            parse_fault(text)


def test_a_fault_may_come_with_a_number():
    """Where it has none of its own there is a default; one that it cannot have is refused, with the range."""
    assert parse_fault("u2-ct-nonlinear=1.42@5") == ActiveFault("u2-ct-nonlinear", 5.0, 1.42)
    assert parse_fault("u2-ct-nonlinear").amount == 3.0
    assert parse_fault("k2-set-open").amount is None
    for text, hint in (
        ("u2-ct-nonlinear=-1", "0 to 25"),
        ("u2-ct-nonlinear=nan", "0 to 25"),
        ("u2-ct-nonlinear=", "u2-ct-nonlinear"),
        ("k2-set-open=1", "without a number"),
    ):
        with pytest.raises(UnknownFault, match=hint):
            parse_fault(text)
    world = World(faults=["u2-ct-nonlinear=1.5@2"])
    before = world.amount("u2-ct-nonlinear")
    world.advance(3.0)
    during = world.amount("u2-ct-nonlinear")
    world.begin_fault("u2-ct-nonlinear=2")
    assert (before, during, world.amount("u2-ct-nonlinear"), world.amount("u1-ct-nonlinear")) == (0.0, 1.5, 2.0, 0.0)


def test_every_fault_has_a_place_and_a_description():
    """The registry spells out and describes each of its names."""
    names = fault_names()

    assert len(names) == len(set(names)) > len(FAULTS)
    assert all(all(describe(name)) for name in names)
