"""Faults that only the type test finds: each on a station where the healthy unit was seen first."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.connect import connect
from hil.plans.plan import load_plan
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.locks import Owner
from hil.station.station import Station
from hil.tests.smart_power.climate import Seen, change
from hil.tests.smart_power.loadpoint import SocketUnderLoad, under_load
from hil.tests.smart_power.test_influence import mains_at
from hil.tests.smart_power.test_relay_life import operations_missed
from tests.certification.certify import ROOT

FAULTS = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["type"]
PLAN = load_plan("smart-power")
PLANNED = PLAN.resolve("A")
SOONER_CYCLES = 70  # of the plan's hundred: enough for this fault


@pytest.fixture
def bench() -> Iterator[Station]:
    """The simulated station, its unit fed with mains."""
    config = load_stations(ROOT / "stations.toml")["sim"]
    simulated = simulate(config, serial="SP-000321", board="smart-power", revision="A")
    station = open_station(config, simulated, Guarded(lock_station(config, simulated, Owner())))
    with station.mains(230.0, 50.0):
        yield station
    station.close()


@pytest.fixture
def board(bench: Station) -> SmartPower:
    """The unit, booted."""
    unit: SmartPower = connect(bench.fixture, bench.clock, "A")
    unit.boot()
    return unit


def begin(bench: Station, fault: str, requirement: str) -> None:
    """Let a fault begin that the table gives this requirement."""
    assert FAULTS[fault]["fails"] == [requirement]
    assert bench._simulated is not None
    bench._simulated.control.ask("fault", name=fault)


def changes_pct(bench: Station, socket: SocketUnderLoad) -> list[float]:
    """Return by how much the error moves from Un to the two ends of the voltage range."""
    nominal = Seen.now(socket, "at Un", 0.7)
    found = []
    for at in ("0.9Un", "1.1Un"):
        with mains_at(bench, PLAN, at):
            found.append(change(nominal, Seen.now(socket, f"at {at}", 0.7)).reading.value)
    return found


def test_a_leaky_clamp_shows_when_the_voltage_moves(bench: Station, board: SmartPower) -> None:
    """At Un it hides in the calibration; both ways from there it does not."""
    limit = PLANNED["influence.voltage[socket=2,i=Ib,pf=1,at=1.1Un]"].limit
    assert limit is not None
    assert limit.high is not None
    with under_load(bench, board, PLAN, 2) as socket:
        socket.set_point(1.0, "1")
        healthy = changes_pct(bench, socket)
        begin(bench, "u2-clamp-leaky", "INF-01")
        ill = changes_pct(bench, socket)

    assert all(abs(one) < 0.05 * limit.high for one in healthy)
    assert ill[0] > limit.high
    assert ill[1] < -limit.high


def test_a_worn_relay_misses_operations_sooner_or_later(bench: Station, board: SmartPower) -> None:
    """The first few are as good as those of a new one."""
    healthy = operations_missed(bench, board, 1, 10, 3.0)
    begin(bench, "k1-worn", "REL-15")
    found = operations_missed(bench, board, 1, SOONER_CYCLES, 3.0)

    assert healthy == 0
    assert found > 0
