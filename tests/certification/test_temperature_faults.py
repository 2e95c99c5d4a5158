"""The fault that only the temperature tests find: a burden that drifts, in the chamber and by its own warmth."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.dut.smart_power.connect import connect
from hil.plans.plan import load_plan
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.locks import Owner
from hil.station.station import Station
from hil.tests.smart_power.climate import Seen, air_c, change, coefficient, in_the_chamber, reach, soak
from hil.tests.smart_power.loadpoint import under_load
from tests.certification.certify import ROOT

FAULTS = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["type"]
PLAN = load_plan("smart-power")
PLANNED = PLAN.resolve("A")
COEFFICIENT = PLANNED["influence.temperature_coefficient[socket=1,from_c=23,to_c=40,i=Ib,pf=1]"]
SELF_HEATING = PLANNED["influence.self_heating[socket=1,i=Imax,pf=1]"]


@pytest.fixture(scope="module")
def bench() -> Iterator[Station]:
    """The simulated station; the fault of socket 1 is there from the start, socket 2 is healthy."""
    config = load_stations(ROOT / "stations.toml")["sim"]
    simulated = simulate(config, serial="SP-000321", board="smart-power", revision="A", faults=["u1-burden-drifts"])
    station = open_station(config, simulated, Guarded(lock_station(config, simulated, Owner())))
    yield station
    station.close()


def test_a_burden_of_the_wrong_material_is_found_in_the_chamber_and_under_load(bench: Station) -> None:
    """Beyond the limit by more than U where it is, within it where it is not; the chamber is off afterwards."""
    board, seen, air, heated = connect(bench.fixture, bench.clock, "A"), {}, {}, {}
    with bench.mains(230.0, 50.0):
        board.boot()
        for number in (1, 2):
            with under_load(bench, board, PLAN, number) as socket:
                socket.set_point(3.0, "1")
                first = Seen.now(socket, "first", 0.7)
                bench.clock.sleep(3600.0)
                heated[number] = change(first, Seen.now(socket, "heated", 0.7)).reading
        with in_the_chamber(bench, board, 23.0):
            for temp_c in (23.0, 40.0):
                reach(bench, board, temp_c)
                for number in (1, 2):
                    with under_load(bench, board, PLAN, number) as socket:
                        socket.set_point(1.0, "1")
                        soak(socket)
                        air[temp_c] = air_c(bench, f"at {temp_c:g} C")
                        seen[temp_c, number] = Seen.now(socket, f"at {temp_c:g} C", 0.4)
        assert bench.chamber.is_off()
    per_k = {n: coefficient(seen[23.0, n], air[23.0], seen[40.0, n], air[40.0]).reading for n in (1, 2)}

    for planned, found in ((SELF_HEATING, heated), (COEFFICIENT, per_k)):
        assert planned.limit is not None
        assert planned.limit.high is not None
        assert found[1].value - (found[1].expanded_u or 0.0) > planned.limit.high
        assert abs(found[2].value) + (found[2].expanded_u or 0.0) < planned.limit.high
    assert FAULTS["u1-burden-drifts"]["fails"] == [COEFFICIENT.requirement, SELF_HEATING.requirement]
