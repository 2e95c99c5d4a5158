"""A disk that is full, failing, read-only, or taken away: an error that says so, and a record that is whole."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.clock import RealClock
from hil.errors import Blame, SetupError
from hil.journal.events import Attachment, Note, RunFinished, SafeState, TestFinished
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter, NotJournaled, new_run_folder


@pytest.fixture
def journal(tmp_path, make):
    """A run that has begun, and attached something."""
    folder = tmp_path / "run"
    folder.mkdir()
    with JournalWriter(folder, RealClock()) as journal:
        journal.write(make.start())
        journal.attach("t", "wave", b"abc", "text/plain")
        yield journal


@contextmanager
def files_of_at_most(size_bytes):
    """Let the system refuse to make any file longer, as a full disk does; nothing may be asserted inside."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(action, *arguments):
    """Return the NotJournaled that the action raises, or None."""
    try:
        action(*arguments)
    except NotJournaled as error:
        return error
    return None


@pytest.mark.parametrize("room_bytes", [0, 1, 50, 200, 2000])
def test_a_line_that_does_not_fit_leaves_nothing_of_itself(journal, room_bytes):
    """At any byte where the room ends; when there is room again, the chain goes on as if nothing had been said."""
    size = (journal.folder / "journal.jsonl").stat().st_size
    with files_of_at_most(size + room_bytes):
        error = refused(journal.write, Note("", "x" * 3000))
    left = (journal.folder / "journal.jsonl").stat().st_size
    journal.write(Note("", "after"))
    again = read_journal(journal.folder)

    assert error.blame is Blame.BENCH
    assert "File too large; the disk is full: make room" in str(error)
    assert left == size
    assert [note.text for note in again.of(Note)] == ["after"]
    assert not again.torn


def test_a_line_that_fits_is_written_after_one_that_did_not(journal):
    """The last words are short, and have a chance on a full disk."""
    size = (journal.folder / "journal.jsonl").stat().st_size
    with files_of_at_most(size + 1000):
        error = refused(journal.write, Note("", "x" * 3000))
        journal.write(Note("", "short"))

    assert error is not None
    assert [note.text for note in read_journal(journal.folder).of(Note)] == ["short"]


def test_an_attachment_that_does_not_fit_leaves_no_file_and_no_line(journal):
    """Neither a part of it nor a name without bytes."""
    with files_of_at_most(10_000):
        error = refused(journal.attach, "t", "long wave", b"x" * 20_000, "text/plain")

    assert "attachment 'long wave' was not recorded: File too large" in str(error)
    assert len(list((journal.folder / "attachments").iterdir())) == 1
    assert len(read_journal(journal.folder).of(Attachment)) == 1


def test_an_attachment_whose_line_does_not_fit_is_taken_back(journal):
    """What no line names is no part of the record."""
    size = (journal.folder / "journal.jsonl").stat().st_size
    with files_of_at_most(size + 10):
        error = refused(journal.attach, "t", "small wave", b"xyz", "text/plain")

    assert error is not None
    assert len(list((journal.folder / "attachments").iterdir())) == 1


def test_a_disk_that_takes_half_a_line_and_does_not_give_it_back(journal, monkeypatch):
    """The error is the first one; the half line is cut off as soon as the disk lets us, before the next line."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", _raises(errno.EROFS))
        size = (journal.folder / "journal.jsonl").stat().st_size
        with files_of_at_most(size + 100):
            first = refused(journal.write, Note("", "x" * 3000))
        half = read_journal(journal.folder)
        second = refused(journal.write, Note("", "in vain"))
    journal.write(Note("", "after"))

    assert "File too large" in str(first)
    assert half.torn
    assert "Read-only file system" in str(second)
    assert [note.text for note in read_journal(journal.folder).of(Note)] == ["after"]


def test_a_disk_that_cannot_synchronise_is_not_trusted(journal, monkeypatch):
    """The line is there, but nobody may believe that it outlives a power cut; the chain stays whole."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _raises(errno.EIO))
        error = refused(journal.write, TestFinished("t"))
    journal.write(RunFinished("aborted", 3, "", {}))

    assert "the disk is failing" in str(error)
    assert len(read_journal(journal.folder).of(TestFinished)) == 1


def _raises(number):
    def action(*arguments):
        raise OSError(number, os.strerror(number))

    return action


@pytest.mark.parametrize(
    "take_away",
    [
        shutil.rmtree,
        lambda folder: (folder / "journal.jsonl").unlink(),
        lambda folder: (folder / "journal.jsonl").rename(folder / "old"),
        lambda folder: shutil.rmtree(folder / "attachments"),
        lambda folder: folder.rename(folder.with_name("elsewhere")),
        lambda folder: shutil.copytree(folder, folder.with_name("copy")) and shutil.rmtree(folder),
    ],
    ids=["folder", "journal", "journal renamed", "attachments", "folder moved", "folder copied"],
)
@pytest.mark.parametrize("by", ["write", "attach"])
def test_what_is_taken_away_is_noticed_at_the_next_line(journal, take_away, by):
    """A file that lost its name still takes every byte; nothing may be written there, or made anew in its place."""
    take_away(journal.folder)
    before = sorted(journal.folder.rglob("*")) if journal.folder.exists() else None
    if by == "write":
        error = refused(journal.write, Note("", "x"))
    else:
        error = refused(journal.attach, "t", "wave", b"new", "text/plain")

    assert "was removed or moved while the run went on" in str(error)
    assert (sorted(journal.folder.rglob("*")) if journal.folder.exists() else None) == before


def test_a_journal_that_is_put_back_goes_on_whole(journal):
    """Nothing was written while it was away."""
    path = journal.folder / "journal.jsonl"
    path.rename(journal.folder / "away")
    assert refused(journal.write, Note("", "lost"))
    (journal.folder / "away").rename(path)
    journal.write(Note("", "kept"))

    assert [note.text for note in read_journal(journal.folder).of(Note)] == ["kept"]


def test_another_working_directory_changes_nothing(tmp_path, make, monkeypatch):
    """A test may go where it likes, although --runs was given as a relative path."""
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    with JournalWriter(Path("run"), RealClock()) as journal:
        journal.write(make.start())
        monkeypatch.chdir("/")
        journal.attach("t", "wave", b"abc", "text/plain")

    assert len(read_journal(tmp_path / "run").of(Attachment)) == 1


def test_a_place_where_nobody_may_write_is_a_set_up_error(tmp_path):
    """The kernel's own folder takes no run, whoever asks; a file is no folder."""
    (tmp_path / "file").touch()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "SP-1").touch()
    for root in (Path("/sys"), tmp_path / "file", tmp_path / "runs"):
        with pytest.raises(SetupError, match=f"no run can be recorded in {root}/SP-1: .*choose another --runs"):
            new_run_folder(root, "SP-1")


def test_a_run_without_a_journal_is_not_resumed(tmp_path):
    """And no empty journal is left in its place."""
    with pytest.raises(SetupError, match="No such file"):
        JournalWriter.resume(tmp_path, RealClock())

    assert list(tmp_path.iterdir()) == []


def test_a_word_that_is_no_way_to_synchronise_is_refused(tmp_path):
    """Before anything is made."""
    with pytest.raises(SetupError, match="choose test or measurement"):
        JournalWriter(tmp_path, RealClock(), sync="never")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sync", "synced"), [("test", [4, 5, 6]), ("measurement", [2, 4, 5, 6])])
def test_the_disk_is_asked_at_each_test_end_or_measurement(tmp_path, make, monkeypatch, sync, synced):
    """Lines are counted when the journal is synchronised: test ends, safe states and the run's end, or more."""
    asked = []
    really = os.fsync
    path = tmp_path / "journal.jsonl"

    def fsync(fd):
        really(fd)
        if os.path.samestat(os.fstat(fd), path.stat()):
            asked.append(path.read_bytes().count(b"\n"))

    monkeypatch.setattr(os, "fsync", fsync)
    with JournalWriter(tmp_path, RealClock(), sync=sync) as journal:
        journal.write(make.start())
        journal.write(make.measured("x"))
        journal.write(Note("", "x"))
        journal.write(TestFinished("t"))
        journal.write(SafeState("run", "", {}, True))
        journal.write(RunFinished("pass", 0, "", {}))

    assert asked == synced


def test_attachments_are_on_the_disk_before_the_end_of_their_test(tmp_path, make, monkeypatch):
    """A line that outlives a power cut names no file that does not."""
    synced = []
    really = os.fsync

    def fsync(fd):
        really(fd)
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()).removeprefix(str(tmp_path.resolve())))

    with JournalWriter(tmp_path, RealClock()) as journal:
        journal.write(make.start())
        digest = journal.attach("t", "wave", b"abc", "text/plain")
        journal.attach("t", "again", b"abc", "text/plain")
        monkeypatch.setattr(os, "fsync", fsync)
        journal.write(TestFinished("t"))
        journal.write(TestFinished("t"))

    assert synced == [f"/attachments/{digest}", "/attachments", "", "/journal.jsonl", "/journal.jsonl"]


def test_a_real_disk_that_is_full_and_then_read_only(tmp_path):
    """A memory disk of 128 kB in a mount namespace of its own, where the system allows one."""
    script = Path(__file__).with_name("namespace_disk.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    flags = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run(
            [unshare, *flags, "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this system allows no mount namespace; the limit on files above is tested everywhere")
    done = subprocess.run(
        [unshare, *flags, sys.executable, str(script), str(tmp_path)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)

    assert said["too_large"].startswith("NotJournaled")
    assert "No space left on device; the disk is full: make room" in said["too_large"]
    assert said["left"] == ["attachments", "journal.jsonl"]
    assert "No space left on device" in said["full"]
    assert said["written"] > 50
    assert said["at_full"] == said["written"]
    assert (said["lines"], said["torn"]) == (said["written"] + 2, False)
    assert all("read-only" in words or "exists" in words for words in said["read_only"]), said
    assert "Read-only file system; the disk is read-only: mount it for writing" in said["read_only"][0]
    assert "Read-only file system" in said["read_only"][2]
