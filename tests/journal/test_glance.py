"""A quick look at a run says what the reader says, and proves the same chain."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.clock import RealClock
from hil.errors import SetupError
from hil.journal.events import Note, RunFinished, RunStarted, SafeState, TestStarted
from hil.journal.glance import _quickly, glance
from hil.journal.reader import (
    JournalDamaged,
    JournalEmpty,
    JournalVersion,
    is_going_on,
    parse_journal,
    read_journal,
)
from hil.journal.summary import ending, summarise
from hil.journal.writer import JournalWriter


@pytest.fixture
def folder(tmp_path, clock, wall, one_of_each):
    with JournalWriter(tmp_path, clock, wall) as journal:
        for event in one_of_each:
            journal.write(event)
    return tmp_path


@pytest.mark.parametrize("tear", [b"", b'{"seq":14,"utc":"2026'])
def test_a_glance_sees_how_a_run_ended(folder, tear):
    """The events that tell it, the number of lines, a torn one apart, and how long it took."""
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes() + tear)
    journal, seen = read_journal(folder), glance(folder)

    assert _quickly(path.read_bytes()) == seen
    assert seen.started == journal.started
    assert [event for event in journal.events if event in seen.events] == list(seen.events)
    assert ending(seen.events) == ending(journal.events)
    assert (seen.lines, seen.torn) == (len(journal.entries), bool(tear))
    assert seen.lasted_s == pytest.approx(0.001 * (len(journal.entries) - 1))


def test_a_line_in_another_order_of_fields_is_read_slowly(folder):
    """A journal need not have been written by this program to be whole."""
    import hashlib

    prev, lines = "0" * 64, []
    for line in (folder / "journal.jsonl").read_bytes().splitlines():
        lines.append(json.dumps(dict(reversed((json.loads(line) | {"prev": prev}).items()))).encode())
        prev = hashlib.sha256(lines[-1]).hexdigest()
    (folder / "journal.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    assert _quickly(b"\n".join(lines) + b"\n") is None
    assert glance(folder).lines == len(lines)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    with JournalWriter(folder, RealClock()) as journal:
        journal.write(RunStarted("s", "b", "A", "p", "sim", True, "", {}, {}, "3", 0))
        journal.write(TestStarted("t"))
        for number in range(3):
            journal.write(Note("", f"note {number}"))
        journal.write(SafeState("run", "the run is over", {}, True))
        journal.write(RunFinished("pass", 0, "", {}))
    return folder


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_glance_finds_the_damage_that_the_reader_finds(sound, data):
    """One changed byte: the same error, or the same end."""
    raw = (sound / "journal.jsonl").read_bytes()
    place = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != raw[place]))
    altered = sound / "altered"
    altered.mkdir(exist_ok=True)
    (altered / "journal.jsonl").write_bytes(raw[:place] + bytes([byte]) + raw[place + 1 :])

    assert outcome(lambda: glance(altered).events[-1]) == outcome(
        lambda: [e for e in read_journal(altered).events if not isinstance(e, Note)][-1]
    )


def outcome(action):
    try:
        return action()
    except (JournalDamaged, JournalVersion) as error:
        return str(error)


def test_what_cannot_be_read_is_said_as_such(tmp_path):
    """No journal, an empty one, a folder in its place."""
    with pytest.raises(SetupError, match="there is no journal"):
        glance(tmp_path)
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(JournalEmpty, match="nothing was written: the run died before its record began"):
        glance(tmp_path)
    (tmp_path / "journal.jsonl").unlink()
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(SetupError, match="is no file"):
        glance(tmp_path)


def test_a_run_that_goes_on_is_told_from_one_that_died(tmp_path, clock, make):
    """Whoever writes a journal holds it; looking takes nothing from the writer."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        assert is_going_on(tmp_path)
        journal.write(Note("", "still there"))
    assert not is_going_on(tmp_path)
    assert not is_going_on(tmp_path / "nowhere")


def test_the_guard_waits_until_the_dead_run_lets_go(tmp_path, clock, make):
    """A killed process holds its files a moment longer than its pipes."""
    import threading

    journal = JournalWriter(tmp_path, clock)
    journal.write(make.start())
    threading.Timer(0.2, journal.close).start()
    with JournalWriter.resume(tmp_path, clock, patience_s=60.0) as resumed:
        resumed.write(SafeState("guard", "the run died", {}, True))

    assert summarise(parse_journal((tmp_path / "journal.jsonl").read_bytes(), Path()).events).exit_code == 3
