"""An opened bench: what it gives, and when it lets a surge out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil.clock import RealClock
from hil.errors import InterlockOpen, NoReading, SetupError
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.locks import Owner
from hil.station.station import Station
from hil.station.unit_addresses import UnitAddresses

SIM = load_stations(Path(__file__).parents[2] / "stations.toml")["sim"]


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    """The simulated station, with a unit of revision A."""
    simulated = simulate(SIM, serial="SP-000123", board="smart-power", revision="A")
    station = open_station(SIM, simulated, Guarded(lock_station(SIM, simulated, Owner())))
    yield station
    station.close()


@pytest.fixture
def bench(station: Station) -> Iterator[Station]:
    """The same, made safe afterwards, and with its lid closed."""
    yield station
    lid(station, closed=True)
    assert station.make_safe().safe


def lid(station: Station, closed: bool) -> None:
    """Move the lid as an operator does, behind the bench's back."""
    assert station._simulated is not None
    station._simulated.control.ask("lid", closed=closed)


def test_every_role_of_the_simulated_station_says_who_it_is(bench: Station) -> None:
    """Whether its driver opens itself or is given a VISA session."""
    said = {one.role: one.identity for one in bench.opened}

    assert set(said) == set(SIM.instruments)
    assert said["ProgrammableResistor"].startswith("MEATEST M632, serial ")
    assert said["SurgeGenerator"].startswith("EMC Partner TRA3000")
    assert said["Fixture"] == "FTDI FT4232H, serial HILFIX01"


def test_a_probe_is_known_by_its_point(bench: Station) -> None:
    """A point without a probe is a mistake of the set-up."""
    assert bench.probe("scope2.hv").factor == 500.0
    with pytest.raises(SetupError, match=r"no probe at 'scope2\.ntc'"):
        bench.probe("scope2.ntc")


@pytest.mark.parametrize("name", ["resistor", "surge", "link_partner"])
def test_what_a_station_has_not_is_said_in_a_sentence(name: str) -> None:
    """A station without the optional instruments cannot do what they could, and names what to add."""
    bench = Station(replace(SIM, safe_state=()), RealClock(), {}, (), UnitAddresses("", "", ""), None)

    assert bench.make_safe().safe
    assert not bench.can("SurgeGenerator.ROLE")
    with pytest.raises(SetupError, match=r"station sim has no .*; add a table"):
        getattr(bench, name)


def test_the_wired_addresses_come_from_the_launched_station(bench: Station) -> None:
    """An echo service has a host and a port; what a real bench leaves out is a mistake of the set-up when asked for."""
    host, _, port = bench.echo_address.rpartition(":")
    assert host
    assert port.isdigit()
    assert bench.ethernet_http() is bench.ethernet_http()

    bare = Station(replace(SIM, safe_state=()), RealClock(), {}, (), UnitAddresses("", "", ""), None)
    for key, ask in (
        ("unit_http", bare.http),
        ("unit_ethernet", bare.ethernet_http),
        ("unit_echo", lambda: bare.echo_address),
    ):
        with pytest.raises(SetupError, match=f"set {key} in"):
            ask()


def test_the_resistor_stands_in_for_the_sensor_until_it_is_off(bench: Station) -> None:
    """Set is connected, open and off are not; a short is a resistance too."""
    assert bench.resistor.is_off()
    bench.resistor.set_resistance(914.5)
    assert not bench.resistor.is_off()
    bench.resistor.set_short()
    assert not bench.resistor.is_off()
    bench.resistor.set_open()
    assert bench.resistor.is_off()


def test_an_armed_surge_fires_once_and_is_disarmed(bench: Station) -> None:
    """At 500 V into a healthy unit; what the generator measured has the sign of the level."""
    with bench.mains(230.0, 50.0), bench.armed_surge(-500.0, 270.0) as fire:
        assert not bench.surge.is_off()
        shot = fire()
        with pytest.raises(NoReading):
            fire()

    assert -1000.0 < shot.peak_v < 0.0  # the mains, -325 V at that angle, adds to it
    assert bench.surge.is_off()


def test_a_surge_is_disarmed_when_the_test_breaks(bench: Station) -> None:
    """On every way out."""
    with pytest.raises(ZeroDivisionError), bench.armed_surge(500.0, 0.0):
        1 / 0  # noqa: B018

    assert bench.surge.is_off()


def test_a_surge_is_not_armed_under_an_open_lid(bench: Station) -> None:
    """Nor is an armed one fired under a lid that was opened while it charged."""
    lid(bench, closed=False)
    with pytest.raises(InterlockOpen, match="lid"), bench.armed_surge(500.0, 0.0):
        pass
    lid(bench, closed=True)
    with bench.armed_surge(500.0, 0.0) as fire:
        lid(bench, closed=False)
        with pytest.raises(InterlockOpen, match="lid"):
            fire()

    assert bench.surge.is_off()


@pytest.mark.parametrize("point", ["scope3.K1", "dmm.rail_5v", "mains.swapped", "ntc.decade"])
def test_a_surge_is_not_armed_into_anything_but_the_unit(bench: Station, point: str) -> None:
    """An instrument at the contacts, at the logic, or a faulty wiring of the mains: each is named."""
    with bench.route(point), pytest.raises(InterlockOpen, match=point), bench.armed_surge(500.0, 0.0):
        pass


def test_the_probe_may_watch_a_surge(bench: Station) -> None:
    """Its route is what let-through is measured through."""
    with bench.route("scope2.hv"), bench.armed_surge(500.0, 0.0):
        assert not bench.surge.is_off()
