"""Each fault of earth and insulation is found by the test of its requirement."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hil.journal.events import Measurement
from hil.plans.plan import load_plan
from hil.run.measure import Measurer
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.locks import Owner
from hil.station.station import Station
from hil.tests.smart_power import test_electrical_safety as certification
from tests.certification.certify import ROOT

SAFETY_FAULTS = (
    "insulation-weak",
    "insulation-leaky",
    "earth-bond-high",
    "earth-open",
)  # a later one hides the earlier
TABLE: dict[str, list[str]] = tomllib.loads((ROOT / "tests/certification/faults.toml").read_text())["faults"]
PLAN = load_plan("smart-power")


@pytest.fixture(scope="module")
def bench() -> Iterator[Station]:
    """The simulated station; faults begin on it one after the other."""
    config = load_stations(ROOT / "stations.toml")["sim"]
    simulated = simulate(config, serial="SP-000321", board="smart-power", revision="A")
    station = open_station(config, simulated, Guarded(lock_station(config, simulated, Owner())))
    yield station
    station.close()


class Record:
    """Keeps what was measured."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def write(self, event: Any) -> None:
        self.events.append(event)

    def attach(self, test: str, name: str, data: bytes, media_type: str) -> str:
        return ""


def safety(bench: Station, stage: str = "production") -> dict[str, set[str]]:
    """Go through the tests of electrical safety; return the verdicts of each requirement's measurements."""
    record = Record()
    run: Any = SimpleNamespace(
        plan=PLAN, planned=PLAN.resolve("A"), options=SimpleNamespace(stage=stage, operator="A. Person")
    )
    measure = Measurer(PLAN, run.planned, record, stage)
    measure.begin("electrical safety")
    for function in ("earth_bond", "insulation", "withstand"):
        certification.test_the_tester_finds_a_known_fail(bench, run, PLAN, measure, function)
    for terminal in certification.TERMINALS:
        certification.test_earth_bond(bench, run, PLAN, measure, terminal)
    certification.test_insulation_resistance(bench, run, PLAN, measure)
    certification.test_electric_strength(bench, run, PLAN, measure)
    found: dict[str, set[str]] = {}
    for event in record.events:
        if isinstance(event, Measurement):
            found.setdefault(event.requirement, set()).add(event.verdict)
    return found


@pytest.mark.parametrize("stage", ["production", "type"])
def test_a_healthy_unit_is_safe(bench: Station, stage: str) -> None:
    """Two seconds at 2 kV, or a minute; four requirements, nothing else."""
    began_s = bench.clock.now_s()

    assert safety(bench, stage) == {f"SAF-0{n}": {"pass"} for n in (1, 2, 3, 4)}
    assert bench.clock.now_s() - began_s > (120.0 if stage == "type" else 5.0)


def test_a_stage_that_does_not_ask_costs_no_time(bench: Station) -> None:
    """A release tests a firmware: nothing is measured, nothing armed."""
    began_s = bench.clock.now_s()

    assert safety(bench, "release") == {}
    assert bench.clock.now_s() == began_s


@pytest.mark.parametrize("fault", SAFETY_FAULTS)
def test_a_fault_fails_its_requirement_and_what_builds_on_it_is_refused(bench: Station, fault: str) -> None:
    """The chain goes from the earth to the insulation to the strength; the tester is proven whatever the unit is."""
    assert bench._simulated is not None
    bench._simulated.control.ask("fault", name=fault)
    found = safety(bench)
    (expected,) = TABLE[fault]

    assert {requirement for requirement, verdicts in found.items() if "fail" in verdicts} == {expected}
    assert found["SAF-04"] == {"pass"}
    assert all(found[later] == {"refused"} for later in ("SAF-02", "SAF-03") if later > expected)
