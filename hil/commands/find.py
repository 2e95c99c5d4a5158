"""Find a run by what a person calls it: its folder, its id, or the serial number of its unit."""

from __future__ import annotations

from pathlib import Path

from hil.errors import SetupError
from hil.station.suggest import did_you_mean

JOURNAL = "journal.jsonl"


def all_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs, oldest first: their ids sort by time."""
    return sorted((path.parent for path in runs.glob(f"*/*/{JOURNAL}")), key=lambda folder: folder.name)


def find_run(runs: Path, called: str) -> Path:
    """Return the folder of a run; raises SetupError that names what is close."""
    named = Path(called)
    if (named / JOURNAL).is_file():
        return named
    if named.name == JOURNAL and named.is_file():
        return named.parent
    known = all_runs(runs)
    if mine := [folder for folder in known if folder.parent.name == called]:
        return mine[-1]
    found = [folder for folder in known if folder.name.startswith(called)] if called else []
    if len(found) == 1:
        return found[0]
    if found:
        raise SetupError(f"{called!r} means {len(found)} runs", f"give more of the id, e.g. {found[-1].name}")
    if not known:
        raise SetupError(f"there are no runs in {runs}", "name the folder with --runs")
    names = {folder.name for folder in known} | {folder.parent.name for folder in known}
    close = did_you_mean(called, names)
    raise SetupError(
        f"there is no run {called!r} in {runs}", close if close.startswith("did") else "'hil runs' lists them"
    )
