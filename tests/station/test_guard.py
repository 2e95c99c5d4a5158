"""The guard's own manners; what it does when a run dies is shown in tests/reliability, on whole runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hil.errors import SetupError
from hil.interrupt import uninterrupted
from hil.station.charge import Charge, Post
from hil.station.guarding import Guarding, GuardLost

NOBODY = Charge(station="bench-1", run_pid=os.getpid(), posts=())


@pytest.fixture
def guarded() -> Iterator[Guarding]:
    """A guard of nothing, watching this process."""
    guarding = Guarding(NOBODY)
    yield guarding
    guarding.dismiss()
    uninterrupted.forget_alarm()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing, for guards to watch and to end."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def start(charge: Charge) -> subprocess.Popen[bytes]:
    """Start a guard by hand, with its charge and nothing else said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hil.station.guard"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(charge.to_json().encode() + b"\n")
    process.stdin.flush()
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()).get("ready") is True
    return process


def test_a_charge_survives_the_pipe() -> None:
    """Locks and posts as well."""
    charge = Charge("s", 7, (Post("AcSource", "chroma_61600", "TCPIP::x"),), 0.5, "runs/x", "h:1", "h:2", (("/l", 3),))
    assert Charge.from_json(charge.to_json()) == charge


def test_dismissed_it_is_gone_and_did_nothing(guarded: Guarding) -> None:
    """A good end leaves no process."""
    guarded.wait_ready()
    pid = guarded.pid
    guarded.dismiss()
    guarded.dismiss()
    assert not psutil.pid_exists(pid)
    assert not guarded.lost


def test_it_outlives_what_ends_its_run(guarded: Guarding) -> None:
    """SIGINT, SIGTERM and SIGHUP are the run's; so is the terminal."""
    guarded.wait_ready()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guarded.pid, number)
    time.sleep(0.2)
    assert not guarded.lost
    assert os.getsid(guarded.pid) == guarded.pid


def test_killed_it_is_missed(guarded: Guarding) -> None:
    """The run is told by an alarm, and by each question."""
    guarded.wait_ready()
    os.kill(guarded.pid, signal.SIGKILL)
    guarded._threads[0].join(10)
    assert guarded.lost
    assert guarded.cut("lid") is False
    with pytest.raises(GuardLost):
        uninterrupted.raise_alarm()
    with pytest.raises(GuardLost):
        guarded.wait_ready()


def test_without_a_link_of_its_own_it_says_that_it_did_not_cut(guarded: Guarding) -> None:
    """The run then switches off itself."""
    guarded.wait_ready()
    assert guarded.cut("lid") is False


def test_one_that_cannot_reach_the_station_is_no_guard() -> None:
    """Nothing is energised then, and the reason is told."""
    guarding = Guarding(Charge(station="sim", run_pid=os.getpid(), posts=(), control="127.0.0.1:9", usb="127.0.0.1:9"))
    try:
        with pytest.raises(SetupError, match=r"guard of station sim cannot guard: simulated station at 127\.0\.0\.1:9"):
            guarding.wait_ready()
    finally:
        guarding.dismiss()
        uninterrupted.forget_alarm()


@pytest.mark.parametrize("how", ["closed", "silent", "hung"])
def test_it_ends_the_run_before_it_touches_the_bench(how: str, bystander: subprocess.Popen[bytes]) -> None:
    """Whatever is left of a run may hold the wires, and could switch on again."""
    guard = start(Charge(station="bench-1", run_pid=bystander.pid, posts=(), heartbeat_s=0.5))
    assert guard.stdin is not None
    if how == "closed":
        guard.stdin.close()
    elif how == "hung":
        guard.stdin.write(b'{"do": "hung", "where": "in test_it, test.py:7"}\n')
        guard.stdin.flush()
    assert bystander.wait(20) == -signal.SIGKILL
    assert guard.wait(20) == 0
    assert guard.stderr is not None
    words = guard.stderr.read().decode()
    expected = {"closed": "ended without a word", "silent": "no heartbeat for 0.5 s", "hung": "in test_it, test.py:7"}
    assert expected[how] in words
    assert words.startswith("hil guard: bench-1: ")
    for pipe in (guard.stdin, guard.stdout, guard.stderr):
        assert pipe is not None
        pipe.close()


def test_what_it_cannot_prove_is_left_for_nobody(
    bystander: subprocess.Popen[bytes], own_locks: Path, tmp_path: Path
) -> None:
    """An instrument nobody reaches: exit code 3, loud words, and the next run is refused."""
    from hil.station.locks import BenchUnsafe, Owner, take

    lock = take("bench-1", {"AcSource": "TCPIP::127.0.0.1::9::SOCKET"}, Owner())
    posts = (Post("AcSource", "chroma_61600", "TCPIP::127.0.0.1::9::SOCKET"),)
    charge = Charge("bench-1", bystander.pid, posts, locks=tuple(lock.files))
    process = subprocess.Popen(
        [sys.executable, "-m", "hil.station.guard"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[fd for _, fd in lock.files],
    )
    for _, fd in lock.files:
        os.close(fd)  # the run is dead
    _, words = process.communicate(charge.to_json().encode() + b"\n", timeout=60)

    assert process.returncode == 3
    assert "NOT PROVEN SAFE: AcSource: " in words.decode()
    with pytest.raises(BenchUnsafe, match="nothing listens there"):
        take("bench-1", {"AcSource": "TCPIP::127.0.0.1::9::SOCKET"}, Owner())


def test_a_charge_that_never_comes_is_no_run() -> None:
    """Started by hand, it ends."""
    done = subprocess.run(
        [sys.executable, "-m", "hil.station.guard"], input=b"", capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0
    assert done.stdout == b""
