"""SIGKILL at any instant loses at most the line being written."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hil.clock import RealClock
from hil.journal.events import Attachment, Note, SafeState
from hil.journal.glance import glance
from hil.journal.reader import JOURNAL_NAME, JournalEmpty, is_going_on, read_journal
from hil.journal.writer import JournalWriter

RUNS = 200


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """200 runs, each killed at its own instant: their folders, and how many lines each said to have completed."""
    root = tmp_path_factory.mktemp("killed")
    seed = random.SystemRandom().randrange(1 << 30)
    script = Path(__file__).with_name("mortal_runs.py")
    command = [sys.executable, str(script), str(root), str(RUNS), str(seed)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    return list(zip(sorted(root.iterdir()), json.loads(done.stdout), strict=True))


def test_every_completed_line_of_200_killed_runs_is_there(killed):
    """The chain is whole, and holds all that was completed, and at most one line more that was not yet told."""
    for folder, completed in killed:
        if not (folder / JOURNAL_NAME).exists():
            assert completed == 0, folder
            continue
        try:
            lines = len(read_journal(folder).entries)
        except JournalEmpty:
            lines = 0

        assert completed <= lines <= completed + 1, folder

    assert sum(completed > 1 for _, completed in killed) > RUNS / 4  # most lived long enough to be worth killing


def test_every_attachment_of_a_killed_run_is_whole(killed):
    """A file that a line names is there with the bytes of its name."""
    found = 0
    for folder, completed in killed:
        for one in read_journal(folder).of(Attachment) if completed else ():
            assert len(read_journal(folder).attachment(one.sha256)) == one.bytes
            found += 1

    assert found


def test_a_glance_at_a_killed_run_sees_what_the_reader_sees(killed):
    """Nobody writes any more, and the quick look counts the same lines."""
    for folder, completed in killed:
        if completed:
            journal, seen = read_journal(folder), glance(folder)

            assert (seen.lines, seen.torn) == (len(journal.entries), journal.torn)
            assert not is_going_on(folder)


def test_the_guard_goes_on_with_each_killed_run(killed):
    """What was torn is cut off and noted, what was half attached is gone, and the chain goes on."""
    for folder, completed in killed[::4]:
        if completed:
            before = read_journal(folder)
            with JournalWriter.resume(folder, RealClock()) as journal:
                journal.write(SafeState("guard", "the run died", {"AcSource": "off"}, True))
            after = read_journal(folder)

            assert after.entries[: len(before.entries)] == before.entries
            new = [type(entry.event) for entry in after.entries[len(before.entries) :]]
            assert new == ([Note, SafeState] if before.torn else [SafeState])
            assert not list((folder / "attachments").glob(".*"))
