"""When high voltage may come near a unit, and that nothing keeps it there."""

# ruff: noqa: PT012, SIM117  what happens inside these blocks is what is tested

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.clock import RealClock
from hil.errors import Blame, InterlockOpen, NoAnswer, SetupError
from hil.interrupt import uninterrupted
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.high_voltage import ARMED_S, NotDischarged
from hil.station.locks import Owner
from hil.station.station import Station
from hil.station.unit_addresses import UnitAddresses

SIM = load_stations(Path(__file__).parents[2] / "stations.toml")["sim"]
PATH, ME = "hipot.mains_to_earth", "A. Person"
LONG = (2000.0, 50.0, 5e-3, 0.5, 60.0)
LIMIT_S = 0.2


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    """The simulated station, with a unit of revision A."""
    simulated = simulate(SIM, serial="SP-000123", board="smart-power", revision="A")
    station = open_station(SIM, simulated, Guarded(lock_station(SIM, simulated, Owner())))
    yield station
    station.close()


@pytest.fixture
def bench(station: Station) -> Iterator[Station]:
    """The same, made safe afterwards, its lid closed; nothing that was done to it was a violation."""
    yield station
    world(station, "lid", closed=True)
    uninterrupted.forget_alarm()
    assert station.make_safe().safe
    assert [e for e in world(station, "events")["events"] if e["kind"] == "violation"] == []


def world(station: Station, do: str, **fields: Any) -> dict[str, Any]:
    """Ask the world, or move something in it, behind the bench's back."""
    assert station._simulated is not None
    return station._simulated.control.ask(do, **fields)


def live_v(station: Station) -> float:
    return float(world(station, "state")["high_voltage_v"])


def start(station: Station) -> None:
    """Have the tester begin what was set last, and hear that it has."""
    link = station.hipot._link  # type: ignore[attr-defined]
    link.tell("FUNC:TEST ON")
    assert link.ask("FUNC:TEST?") == "TEST ON"


def test_it_is_off_and_parted_from_the_unit_afterwards(bench: Station) -> None:
    """A whole test, and a block that breaks."""
    with bench.high_voltage(PATH, ME) as tester:
        assert tester.withstand(2000.0, 50.0, 5e-3, 0.5, 2.0).passed
        assert bench.switch.closed_channels() == {316}
    with pytest.raises(ZeroDivisionError), bench.high_voltage(PATH, ME):
        start(bench)
        bench.clock.sleep(1.0)
        assert live_v(bench) > 1000.0
        1 / 0  # noqa: B018

    assert live_v(bench) == 0.0
    assert bench.hipot.is_off()
    assert not bench.switch.closed_channels()


@pytest.mark.parametrize("nobody", ["", "  "])
def test_somebody_must_answer_for_it(bench: Station, nobody: str) -> None:
    """Without a name nothing is armed; the error says where to put one."""
    with pytest.raises(InterlockOpen, match="--operator NAME"), bench.high_voltage(PATH, nobody):
        pass


def test_it_is_refused_under_an_open_lid_and_beside_anything_that_is_on(bench: Station) -> None:
    """Each reason by itself."""
    world(bench, "lid", closed=False)
    with pytest.raises(InterlockOpen, match="lid"), bench.high_voltage(PATH, ME):
        pass
    world(bench, "lid", closed=True)
    with bench.rail(), pytest.raises(InterlockOpen, match="DcSupply is on"), bench.high_voltage(PATH, ME):
        pass
    with bench.mains(230.0, 50.0), pytest.raises(InterlockOpen, match="AcSource is on"), bench.high_voltage(PATH, ME):
        pass
    with bench.route("dmm.rail_5v"), pytest.raises(InterlockOpen, match="205"), bench.high_voltage(PATH, ME):
        pass
    declared = bench.config
    bench.config = replace(declared, isolators=("spi", "uart", "scope", "dmm"))
    with pytest.raises(InterlockOpen, match="isolator declared for high_voltage"), bench.high_voltage(PATH, ME):
        pass
    bench.config = declared


def test_mains_is_refused_while_its_path_is_closed(bench: Station) -> None:
    """The relay box hangs on the same unit."""
    with bench.high_voltage(PATH, ME), pytest.raises(InterlockOpen, match="316"), bench.mains(230.0, 50.0):
        pass


def test_nothing_else_is_brought_to_the_unit_while_it_is_armed(bench: Station) -> None:
    """No second route, no load, no 5 V rail, no surge, no second path."""
    others = {
        "dmm.rail_5v": lambda: bench.route("dmm.rail_5v"),
        "J43": bench.rail,
        "load.socket1": lambda: bench.loaded(1),
        "316": lambda: bench.high_voltage("hipot.known_fail", ME),
        "mains_to_earth": lambda: bench.armed_surge(500.0, 0.0),
    }
    with bench.high_voltage(PATH, ME):
        for says, other in others.items():
            with pytest.raises(InterlockOpen, match=says), other():
                pass
        assert bench.switch.closed_channels() == {316}
        assert bench.dc_supply.is_off()


def test_its_relay_box_is_no_route_like_others(bench: Station) -> None:
    """The box is closed by arming only, and high voltage goes nowhere but through the box."""
    with pytest.raises(InterlockOpen, match="arm it"), bench.route(PATH):
        pass
    with pytest.raises(InterlockOpen, match=r"dmm\.rail_5v is no path"), bench.high_voltage("dmm.rail_5v", ME):
        pass
    assert not bench.switch.closed_channels()


def test_an_opened_lid_stops_high_voltage_before_anything_else(bench: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is off already; a guard that does not answer for a second must not keep it on so long."""
    assert bench.guard is not None
    seen_v: list[float] = []
    monkeypatch.setattr(bench.guard, "cut", lambda why: bool(seen_v.append(live_v(bench))))
    with pytest.raises(InterlockOpen, match="lid"), bench.high_voltage(PATH, ME) as tester:
        world(bench, "lid", closed=False, at_s=bench.clock.now_s() + 20.0)
        tester.withstand(*LONG)

    assert seen_v[0] == 0.0


def test_an_opened_lid_stops_it_in_time(bench: Station) -> None:
    """In the midst of a minute at 2 kV; the test is told, and its result is worth nothing."""
    with pytest.raises(InterlockOpen, match=r"lid.*and high voltage was on.*the hipot tester was stopped") as caught:
        with bench.high_voltage(PATH, ME) as tester:
            opened_s = bench.clock.now_s() + 20.0
            world(bench, "lid", closed=False, at_s=opened_s)
            tester.withstand(*LONG)

    off_s = [e["t_s"] for e in world(bench, "events")["events"] if e["kind"] == "hipot" and not e["volts"]][-1]
    assert 0.0 < off_s - opened_s <= LIMIT_S
    assert caught.value.blame is Blame.SETUP
    assert live_v(bench) == 0.0


def test_no_test_begins_after_the_lid_was_opened_or_long_after_arming(bench: Station) -> None:
    """It is looked at before each; nobody stands beside an armed tester for ever."""
    with pytest.raises(InterlockOpen, match="lid"), bench.high_voltage(PATH, ME) as tester:
        world(bench, "lid", closed=False)
        tester.insulation(500.0, 1.0)
    uninterrupted.forget_alarm()
    world(bench, "lid", closed=True)
    with pytest.raises(InterlockOpen, match="arm it again"), bench.high_voltage(PATH, ME) as tester:
        bench.clock.sleep(ARMED_S + 1.0)
        tester.insulation(500.0, 1.0)


def test_a_tester_that_is_not_proven_off_is_said_aloud(bench: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blame is the bench's; what may be charged stays apart from source and probes, until it is proven off."""
    with pytest.raises(NotDischarged, match="keep the lid closed") as caught, bench.high_voltage(PATH, ME):
        monkeypatch.setattr(type(bench.hipot), "is_off", lambda self: False)
        monkeypatch.setattr(type(bench.hipot), "off", lambda self: None)

    assert caught.value.blame is Blame.BENCH
    assert bench.switch.closed_channels() == {316}
    with pytest.raises(InterlockOpen), bench.rail():
        pass
    monkeypatch.undo()
    assert bench.make_safe().safe
    assert not bench.switch.closed_channels()
    with bench.rail():
        pass


def test_the_safe_state_leaves_the_box_closed_when_the_tester_does_not_answer(
    bench: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open one would bring the source and the probes to what is charged."""

    def lost(self: object) -> None:
        raise NoAnswer("hipot tester", "FUNC:TEST?", 2.0)

    with pytest.raises(NotDischarged, match=r"press its stop key.*FUNC:TEST"), bench.high_voltage(PATH, ME):
        monkeypatch.setattr(type(bench.hipot), "off", lost)
    state = bench.make_safe()

    assert not state.safe
    assert "the HipotTester is not proven off" in state.readback["Switch"]
    assert state.readback["AcSource"] == state.readback["Fixture"] == "off"
    assert bench.switch.closed_channels() == {316}
    monkeypatch.undo()


def test_the_safe_state_stops_it(bench: Station) -> None:
    """Before the switch parts it from the unit; it is read back."""
    order = SIM.safe_state
    assert order.index("HipotTester") < order.index("Switch")
    start(bench)
    bench.clock.sleep(0.5)
    assert not bench.hipot.is_off()

    assert bench.make_safe().readback["HipotTester"] == "off"
    assert live_v(bench) == 0.0


def test_a_station_without_a_tester_says_so() -> None:
    """And cannot do what it could."""
    bare = Station(replace(SIM, safe_state=()), RealClock(), {}, (), UnitAddresses("", "", ""), None)

    assert not bare.can("HipotTester.withstand")
    with pytest.raises(SetupError, match="no HipotTester"), bare.high_voltage(PATH, ME):
        pass
