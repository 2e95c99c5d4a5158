"""What a record says of a dip, held against waves that are written down; and the fault that only dips find."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hil.dut.smart_power.connect import connect
from hil.errors import NoReading
from hil.instruments.probe import Probed
from hil.plans.plan import load_plan
from hil.station.bench import Guarded, lock_station, open_station, simulate
from hil.station.config import load_stations
from hil.station.locks import Owner
from hil.station.station import Station
from hil.tests.smart_power.dipshot import BEFORE_S, Dip, applied
from hil.tests.smart_power.surgeshot import GOOD, RECOVERED
from hil.tests.smart_power.test_dips import Series
from tests.certification.certify import ROOT

FAULTS = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["type"]
PLAN = load_plan("smart-power")
HALF_CYCLE = Dip(0.0, 0.5, 0.0)
CODE_V = 800 / 199


class Steps:
    """Takes what a series says of itself."""

    def step(self, text: str) -> None:
        """Let it pass."""


def record(residual: float, cycles: float, angle_deg: float, at_s: float = 0.2, points: int = 100_000) -> Probed:
    """Write down 230 V, 50 Hz with one dip, as eight bits of 800 V with noise and an offset."""
    time_s = np.linspace(-BEFORE_S, 3.0 + cycles / 50, points)
    begin_s = at_s + angle_deg / 360 / 50
    inside = (time_s >= begin_s) & (time_s < begin_s + cycles / 50)
    volts = 230 * np.sqrt(2) * np.sin(2 * np.pi * 50 * time_s) * np.where(inside, residual, 1.0)
    volts += 6.0 + 0.4 * CODE_V * np.random.default_rng(7).standard_normal(points)
    return Probed(time_s, np.rint(volts / CODE_V) * CODE_V, "V")


@pytest.mark.parametrize(
    ("residual", "cycles", "angle_deg"),
    [(0, 0.5, 0), (0, 0.5, 180), (0, 1, 0), (0.4, 10, 180), (0.7, 25, 0), (0.8, 250, 0), (0, 250, 180)],
)
def test_residual_and_duration_are_found(residual, cycles, angle_deg):
    """Within 1 % of Un and a fiftieth of a cycle, or 0.1 %: what is far within the source's tolerance."""
    found = applied(record(residual, cycles, angle_deg), 230.0, 50.0)

    assert found.residual == pytest.approx(residual, abs=0.01)
    assert found.duration_s == pytest.approx(cycles / 50, rel=1e-3, abs=4e-4)
    assert found.begin_s == pytest.approx(0.2 + angle_deg / 360 / 50, abs=0.011)


def test_the_first_of_two_dips_counts():
    """The spacing and the second dip are not in it."""
    wave = record(0.0, 1, 0)
    later = (wave.time_s >= 2.0) & (wave.time_s < 2.5)
    twice = Probed(wave.time_s, np.where(later, 0.0, wave.value), "V")

    assert applied(twice, 230.0, 50.0).duration_s == pytest.approx(0.02, abs=4e-4)


@pytest.mark.parametrize("level", [1.0, 0.0])
def test_a_record_without_a_dip_or_without_mains_is_no_reading(level):
    """The bench is asked, not the unit blamed."""
    wave = record(1.0, 1, 0)

    with pytest.raises(NoReading):
        applied(Probed(wave.time_s, wave.value * level, "V"), 230.0, 50.0)


def test_a_dip_of_the_plan_is_two_steps_of_the_source():
    """Residual voltage of Un for so many cycles, then the spacing."""
    steps = Dip.of({"residual_pct": 40, "cycles": 10, "angle_deg": 180}).steps(230.0, 50.0, 10.0)

    assert [(step.voltage_v, step.duration_s) for step in steps] == [(92.0, 0.2), (230.0, 10.0)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Station]:
    """The simulated station; the fault begins on it when the healthy unit has been seen."""
    config = load_stations(ROOT / "stations.toml")["sim"]
    simulated = simulate(config, serial="SP-000321", board="smart-power", revision="A")
    station = open_station(config, simulated, Guarded(lock_station(config, simulated, Owner())))
    yield station
    station.close()


def test_half_a_cycle_resets_a_board_whose_supply_has_lost_its_hold_up(bench: Station) -> None:
    """A healthy one does not notice. This one recovers by itself, all as it was: criterion B, so the plan asks more."""
    board, measure = connect(bench.fixture, bench.clock, "A"), Steps()
    with bench.mains(230.0, 50.0):
        board.boot()
        series = Series(bench, board, PLAN, drift_wh=0.69)
        healthy = series.dips(HALF_CYCLE, measure)
        assert bench._simulated is not None
        bench._simulated.control.ask("fault", name="supply-hold-up-short")
        found = series.dips(HALF_CYCLE, measure)

    assert (healthy, found) == (GOOD, RECOVERED)
    assert PLAN.resolve("A")["surge.dip_ridden_through[residual_pct=0,cycles=0.5,angle_deg=0]"].requirement == "SU-05"
    assert FAULTS["supply-hold-up-short"]["fails"] == ["SU-05"]
