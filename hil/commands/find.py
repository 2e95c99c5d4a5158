"""Find a run by what a person calls it: its folder, its id, or the serial number of its unit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hil.errors import SetupError
from hil.journal.folders import is_run_id
from hil.journal.reader import JOURNAL_NAME
from hil.station.suggest import did_you_mean


def all_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs, also the broken ones, oldest first: their ids sort by time."""
    found = [Path(run) for unit in _folders(runs) for run in _folders(unit) if _is_run(run)]
    return sorted(found, key=lambda folder: (folder.name, folder))


def find_run(runs: Path, called: str) -> Path:
    """Return the folder of a run; raises SetupError that names what is close."""
    named = Path(called)
    with suppress(OSError):  # a name too long, a folder not to be read: no run of that name here
        if (named / JOURNAL_NAME).is_file():
            return named
        if named.name == JOURNAL_NAME and named.is_file():
            return named.parent
    known = all_runs(runs)
    if mine := [folder for folder in known if folder.parent.name == called]:
        return mine[-1]
    found = [folder for folder in known if folder.name.startswith(called)] if called else []
    if len(found) == 1:
        return found[0]
    if found:
        more = f"more of the id, e.g. {found[-1].name}" if found[-1].name != called else f"its folder, e.g. {found[-1]}"
        raise SetupError(f"{called!r} means {len(found)} runs", f"give {more}")
    with suppress(OSError):
        if named.is_dir():
            raise SetupError(
                f"there is no {JOURNAL_NAME} in {named}", "name the folder of a run; 'hil runs' lists them"
            )
    if not known:
        raise SetupError(f"there are no runs in {runs}", "name the folder with --runs")
    names = {folder.name for folder in known} | {folder.parent.name for folder in known}
    close = did_you_mean(called, names)
    raise SetupError(
        f"there is no run {called!r} in {runs}", close if close.startswith("did") else "'hil runs' lists them"
    )


def _is_run(folder: str) -> bool:
    """A journal makes a folder a run; so does the name of one whose journal is lost."""
    return is_run_id(Path(folder).name) or os.path.lexists(Path(folder) / JOURNAL_NAME)


def _folders(folder: str | Path) -> Iterator[str]:
    """Yield what can be entered in a folder; one that cannot be read, or is none, holds nothing."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # a link that leads to itself
                if entry.is_dir():
                    yield entry.path
