"""The wall clock may be set while a run goes on: the order stays, the record says so, durations stay sensible."""

from datetime import timedelta

import pytest

from hil.journal.events import Note
from hil.journal.lasted import lasted_s
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter


def test_a_wall_clock_set_back_is_noted_once(tmp_path, clock, wall, make):
    """Numbers go on rising, times are as told, and a note says by how much the clock went back."""
    with JournalWriter(tmp_path, clock, wall) as journal:
        journal.write(make.start())
        wall.time -= timedelta(days=1)
        journal.write(Note("", "later"))
        journal.write(Note("", "still later"))
    entries = read_journal(tmp_path).entries

    assert [entry.seq for entry in entries] == [0, 1, 2, 3]
    assert [entry.event.text for entry in entries[1:]] == [
        "the computer's clock was set back by 86400.0 s or a little more, before this line",
        "later",
        "still later",
    ]
    assert entries[1].utc == entries[2].utc == "2026-11-20T08:30:00.125456Z"


def test_each_jump_back_has_its_note_and_a_jump_forth_has_none(tmp_path, clock, wall, make):
    """A forward jump cannot be told from waiting, and harms no order."""
    with JournalWriter(tmp_path, clock, wall) as journal:
        journal.write(make.start())
        for jump_s in (-10, 3600, -5, -5):
            wall.time += timedelta(seconds=jump_s)
            journal.write(Note("", "mine"))

    notes = [note.text for note in read_journal(tmp_path).of(Note)]
    assert [text[:48] for text in notes if text != "mine"] == [
        "the computer's clock was set back by 10.0 s or a",
        "the computer's clock was set back by 5.0 s or a ",
        "the computer's clock was set back by 5.0 s or a ",
    ]


def test_the_ordinary_discipline_of_a_clock_is_no_news(tmp_path, clock, wall, make):
    """NTP slews and steps by less than a second."""
    with JournalWriter(tmp_path, clock, wall) as journal:
        journal.write(make.start())
        wall.time -= timedelta(seconds=0.9)
        journal.write(Note("", "mine"))

    assert len(read_journal(tmp_path).entries) == 2


def test_a_clock_set_back_between_run_and_guard_is_noted(tmp_path, clock, wall, make):
    """The guard compares with the last line of the dead run."""
    with JournalWriter(tmp_path, clock, wall) as journal:
        journal.write(make.start())
    wall.time -= timedelta(hours=2)
    with JournalWriter.resume(tmp_path, clock, wall) as journal:
        journal.write(Note("", "mine"))

    assert "set back by 7200.0 s" in read_journal(tmp_path).of(Note)[0].text


def at(wall_s, bench_s):
    return f"2026-11-21T{8 + wall_s // 3600:02}:{wall_s // 60 % 60:02}:{wall_s % 60:02}.000000Z", float(bench_s)


@pytest.mark.parametrize(
    ("times", "simulated", "expected_s"),
    [
        # a simulated bench has a time of its own: an hour of creep test passes in seconds
        ([at(0, 0), at(10, 3600), at(20, 7200)], True, 20.0),
        # set back by an hour, some time between two lines: what the others say is left
        ([at(3600, 0), at(3610, 1), at(12, 2), at(22, 3)], True, 20.0),
        # a real bench: the computer's monotonic clock decides, once the bench is open
        ([at(0, 0), at(5, 0), at(6, 22_000), at(16, 22_010)], False, 16.0),
        ([at(3600, 22_000), at(10, 22_010), at(20, 22_020)], False, 20.0),
        ([at(10, 22_000), at(3610, 22_010), at(3620, 22_020)], False, 20.0),
        # the guard's bench time may begin anew: then the wall clock is what is left
        ([at(0, 22_000), at(5, 22_005), at(7, 3)], False, 7.0),
        ([at(0, 0)], False, 0.0),
        ([], True, 0.0),
    ],
)
def test_how_long_a_run_lasted_is_never_nonsense(times, simulated, expected_s):
    """Neither negative nor an hour too long, whatever was done to the clock."""
    assert lasted_s(times, simulated=simulated) == expected_s
