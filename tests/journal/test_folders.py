"""A run's folder: named by time and chance, and never shared."""

import re
from datetime import UTC, datetime

import pytest

from hil.errors import SetupError
from hil.journal.folders import is_run_id, new_run_folder

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_run_ids_sort_by_time(tmp_path, wall):
    """UTC to the microsecond and a random suffix; a serial number that names no folder is refused."""
    folders = [new_run_folder(tmp_path, "SP-000123", wall) for _ in range(3)]

    assert [f.name for f in sorted(folders)] == [f.name for f in folders]
    assert re.fullmatch(r"20261121T083000\.124456Z-[0-9a-f]{4}", folders[0].name)
    for serial in ("../etc", "", "a/b", ".hidden", "a b", "x" * 65, "ä"):
        with pytest.raises(SetupError, match="serial number"):
            new_run_folder(tmp_path, serial)


def test_runs_of_one_microsecond_and_one_suffix_have_folders_of_their_own(tmp_path):
    """A clock that stands and a suffix that is always the same: still one folder a run, in the order of time."""
    folders = [new_run_folder(tmp_path, "SP-1", lambda: NOON, lambda: "abcd") for _ in range(20)]
    later = new_run_folder(tmp_path, "SP-1", lambda: NOON.replace(microsecond=1), lambda: "0000")

    assert len(set(folders)) == 20
    assert max([*folders, later], key=lambda folder: folder.name) == later
    assert all(is_run_id(folder.name) for folder in (*folders, later))


def test_a_folder_that_is_there_is_never_taken_over(tmp_path):
    """Whatever lies in it."""
    taken = tmp_path / "SP-1" / "20261121T120000.000000Z-abcd"
    taken.mkdir(parents=True)
    (taken / "journal.jsonl").write_text("mine")
    folder = new_run_folder(tmp_path, "SP-1", lambda: NOON, lambda: "abcd")

    assert folder != taken
    assert (taken / "journal.jsonl").read_text() == "mine"
