"""Two runs never share a bench, and a bench whose run died is not taken as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import Blame, SetupError
from hil.station import locks
from hil.station.locks import BenchBusy, BenchUnsafe, Owner, take

BENCH = {"AcSource": "TCPIP::192.0.2.11::2101::SOCKET", "slot 1": "ftdi://ftdi:4232h:HILFIX01 slot 1"}
OTHER = {"AcSource": "TCPIP::192.0.2.99::2101::SOCKET"}
ANNA = Owner(operator="Anna", serial="SP-000001", station="bench-1")
BERT = Owner(operator="Bert", serial="SP-000002", station="bench-1")

pytestmark = pytest.mark.usefixtures("own_locks")

HOLDER = """
import sys
from hil.station.locks import Owner, take
lock = take("bench-1", {bench!r}, Owner(operator="Anna", serial="SP-000001", station="bench-1"))
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder():
    """A process of its own that has taken the bench, as another run does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(bench=BENCH)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_bench_in_use_is_refused_with_its_owner(holder) -> None:
    """The second run is told who, with what, and in which process; that is no fault of the bench."""
    with pytest.raises(BenchBusy, match=rf"in use by Anna .*process {holder.pid}, since .* with SP-000001") as caught:
        take("bench-1", BENCH, BERT)

    assert caught.value.blame is Blame.SETUP


def test_another_bench_is_not_in_the_way(holder) -> None:
    """Locks are by address."""
    take("bench-2", OTHER, BERT).release()


def test_one_shared_instrument_is_enough(holder) -> None:
    """However its address is spelt, and whatever its role is called; what was locked before it is free again."""
    shared = {"Dmm": "TCPIP::192.0.2.77::inst0::INSTR", "AcSource": "tcpip0::192.0.2.11::2101::socket"}
    with pytest.raises(BenchBusy, match="AcSource"):
        take("bench-2", shared, BERT)

    take("bench-3", {"Dmm": "TCPIP0::192.0.2.77::INSTR"}, BERT).release()


def test_given_back_it_is_free_and_leaves_nothing(own_locks: Path) -> None:
    """A bench in good order has no file."""
    take("bench-1", BENCH, ANNA).release()
    assert list(own_locks.iterdir()) == []

    again = take("bench-1", BENCH, BERT)
    assert again.died is None
    assert again.unsafe == ""
    again.release()
    again.release()


def test_a_dead_owner_is_remembered_until_the_bench_is_given_back(holder) -> None:
    """Killed: the lock is free, and the next one is told who died, so that he makes the bench safe first."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    lock = take("bench-1", BENCH, BERT)
    assert lock.died is not None
    assert (lock.died.operator, lock.died.pid) == ("Anna", holder.pid)
    lock.abandon()  # he could not open it: it stays as it was found
    lock = take("bench-1", BENCH, BERT)
    assert lock.died is not None
    lock.release()
    lock = take("bench-1", BENCH, BERT)
    assert lock.died is None
    lock.release()


def test_a_bench_left_unsafe_is_refused_until_somebody_has_looked() -> None:
    """With blame bench; `hil station check` takes it all the same, and clears it."""
    take("bench-1", BENCH, ANNA).leave_unsafe("AcSource: ON")

    with pytest.raises(BenchUnsafe, match=r"NOT left safe: AcSource: ON.*hil station check bench-1") as caught:
        take("bench-1", BENCH, BERT)
    assert caught.value.blame is Blame.BENCH

    looked = take("bench-1", BENCH, BERT, unsafe=True)
    assert looked.unsafe == "AcSource: ON"
    looked.abandon()
    with pytest.raises(BenchUnsafe):
        take("bench-1", BENCH, BERT)
    take("bench-1", BENCH, BERT, unsafe=True).release()
    take("bench-1", BENCH, BERT).release()


def test_a_lock_outlives_its_run_in_the_guard_that_inherited_it() -> None:
    """The guard makes the bench safe after the run's death; until then nobody else gets it."""
    lock = take("bench-1", BENCH, ANNA)
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    for _, fd in lock.files:
        os.close(fd)  # this process dies, as it were: no unlock
    try:
        with pytest.raises(BenchBusy, match="Anna"):
            take("bench-1", BENCH, BERT)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    taken = take("bench-1", BENCH, BERT)
    assert taken.died is not None
    taken.release()


@pytest.mark.parametrize("words", ["{", '{"owner": {"age": 7}, "unsafe": ""}', "[]", "\x00\x00", '"x"'])
def test_words_that_make_no_sense_are_taken_for_a_death(own_locks: Path, words: str) -> None:
    """A crash of the computer cuts files off: the bench is made safe first, whoever it was."""
    take("bench-1", BENCH, ANNA).leave_unsafe("x")
    for path in own_locks.iterdir():
        path.write_text(words)

    lock = take("bench-1", BENCH, BERT)
    assert lock.died is not None
    lock.release()


def test_a_folder_that_cannot_be_made_is_said_before_anything_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be named elsewhere."""
    monkeypatch.setenv(locks.FOLDER_VARIABLE, "/proc/no-such-folder")
    with pytest.raises(SetupError, match="name another in HIL_LOCKS"):
        take("bench-1", BENCH, ANNA)


def test_without_the_first_folder_there_is_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container may have no other place that can be written to; a folder that was named is taken at its word."""
    monkeypatch.delenv(locks.FOLDER_VARIABLE)
    monkeypatch.setattr(locks, "FOLDER", Path("/proc/no-such-folder"))
    monkeypatch.setattr(locks, "SECOND_FOLDER", tmp_path / "second")

    take("bench-1", BENCH, ANNA).leave_unsafe("x")

    assert len(list((tmp_path / "second").iterdir())) == len(BENCH)


def test_a_link_in_place_of_a_lock_is_not_followed(own_locks: Path, tmp_path: Path) -> None:
    """The folder is everybody's: whoever plants a link there must not have a file of ours emptied."""
    take("bench-1", BENCH, ANNA).leave_unsafe("x")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for path in own_locks.iterdir():
        path.unlink()
        path.symlink_to(victim)

    with pytest.raises(SetupError, match="cannot be opened"):
        take("bench-1", BENCH, BERT)
    assert victim.read_text() == "precious"
