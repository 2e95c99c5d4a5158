"""A simulated station of its own for a test, and locks that are nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.station.bench import simulate
from hil.station.config import StationConfig, load_stations
from hil.station.launch import SimulatedStation

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sim_config() -> StationConfig:
    """The station that ships."""
    return load_stations(ROOT / "stations.toml")["sim"]


@pytest.fixture
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of locks that ends with the test."""
    folder = tmp_path / "locks"
    monkeypatch.setenv("HIL_LOCKS", str(folder))
    return folder


@pytest.fixture
def launched(sim_config: StationConfig) -> Iterator[Callable[[], SimulatedStation]]:
    """Start a simulated station; it ends with the test."""
    started: list[SimulatedStation] = []

    def start(**options: object) -> SimulatedStation:
        station = simulate(sim_config, serial="SP-000123", board="smart-power", revision="A", **options)  # type: ignore[arg-type]
        assert station is not None
        started.append(station)
        return station

    yield start
    for one in started:
        if one.process is not None and one.process.poll() is None:
            one.process.terminate()
            one.process.wait(10)
