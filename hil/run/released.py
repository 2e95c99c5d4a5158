"""What a run finds of its plan's release, beside the file of the stations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.plans import release
from hil.station.config import find_stations_file

if TYPE_CHECKING:
    from hil.plans.plan import Plan


def deciding_now(plan: Plan, stations_file: Path) -> release.Deciding:
    """Read what decides now: files and stations. Raises SetupError."""
    return release.deciding(plan.board, plan.sha256, plan.version, find_stations_file(stations_file))


def folder_of(stations_file: Path) -> Path:
    """Return the folder of the releases."""
    return find_stations_file(stations_file).parent / release.FOLDER


def release_of(plan: Plan, revision: str, stations_file: Path) -> release.Release | None:
    """Return the release of a plan for a revision, None where there is none. Raises SetupError for a damaged one."""
    return release.read_release(folder_of(stations_file), plan.board, revision)


def on_record(found: release.Release | None, plan: Plan, stations_file: Path, station: str) -> dict[str, Any]:
    """Return what the record of a run says of it."""
    return release.on_record(found, deciding_now(plan, stations_file) if found else None, station)
