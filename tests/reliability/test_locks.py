"""One bench, one run; and a bench whose last run died, or left it unsafe, is safe before the next one begins."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from hil.journal.events import Measurement, SafeState
from hil.journal.reader import read_journal
from hil.station.bench import lock_station
from hil.station.config import load_stations
from hil.station.launch import join
from hil.station.locks import FOLDER_VARIABLE, Owner
from tests.reliability.bench import PATIENCE_S, ROOT, SERIAL, Bench, energised, environment, open_bench, unsafe
from tests.reliability.harness import SWITCHED
from tests.reliability.running import Ways, start

SETUP_FAULT, BENCH_FAULT, INTERRUPTED = 4, 3, 2
OPERATOR = "A. Person"
TESTER = Ways(arguments=(f"--operator={OPERATOR}",))


def test_two_runs_never_share_a_bench(tmp_path: Path) -> None:
    """The second is refused before it has touched anything, and told who is there; the first does not notice."""
    with open_bench() as bench, start(bench, tmp_path / "first", TESTER, locks=tmp_path) as first:
        first.hold()
        with start(bench, tmp_path / "second", Ways(), locks=tmp_path) as second:
            refused = second.finish()
        live = bench.state()
        first.signal(signal.SIGTERM)
        ended = first.finish()

    assert refused == SETUP_FAULT, second.words()
    for word in (OPERATOR, str(first.process.pid), SERIAL):
        assert word in second.words()
    assert not list(second.runs.glob("*/*"))
    assert live["load_a"] > 0.9
    assert ended == INTERRUPTED


def test_a_bench_whose_run_and_guard_died_is_made_safe_first(tmp_path: Path) -> None:
    """Nobody was left to switch off; the next run does, before it measures or energises anything, and says so."""
    with open_bench() as bench:
        with start(bench, tmp_path / "first", TESTER, locks=tmp_path) as first:
            first.hold()
            first.signal(signal.SIGSTOP)  # it must not see its guard die
            first.kill_guard()
            first.signal(signal.SIGKILL)
            first.finish()
        left = energised(bench.state())
        died_s = bench.now_s()
        with start(bench, tmp_path / "second", Ways(), locks=tmp_path) as second:
            second.hold()
            second.signal(signal.SIGTERM)
            second.finish()
            events = read_journal(second.record).entries
        switched = [on for e in bench.events(died_s) if (on := SWITCHED["mains"](e)) is not None]

    assert left == ["mains", "load"]
    said = [entry.event for entry in events if isinstance(entry.event, SafeState | Measurement)]
    assert isinstance(said[0], SafeState)
    assert said[0].safe
    assert OPERATOR in said[0].why
    assert str(first.process.pid) in said[0].why
    assert switched[0] is False
    assert True in switched


def test_a_bench_that_cannot_be_proven_safe_refuses_the_next_run(tmp_path: Path) -> None:
    """The source has stopped listening while it is on: said loudly, and nobody runs before somebody has looked."""
    with open_bench() as bench:
        with start(bench, tmp_path / "first", Ways(), locks=tmp_path) as first:
            first.hold()
            bench.control.ask("fault", name="bench-ac-source-dies")
            first.signal(signal.SIGTERM)
            first.finish()
            ended = read_journal(first.record)
        with start(bench, tmp_path / "second", Ways(), locks=tmp_path) as second:
            refused = second.finish()
        checked = check(bench, tmp_path)
        with start(bench, tmp_path / "third", Ways(), locks=tmp_path) as third:
            again = third.finish()
        left = energised(bench.state())

    assert not ended.of(SafeState)[-1].safe
    assert "AcSource" in first.words()
    assert refused == BENCH_FAULT, second.words()
    assert "AcSource" in second.words()
    assert "hil station check" in second.words()
    assert checked.returncode == BENCH_FAULT
    assert "AcSource" in checked.stdout + checked.stderr
    assert again == BENCH_FAULT
    assert left == ["mains"]


def test_a_look_at_a_bench_that_is_off_clears_it(tmp_path: Path, monkeypatch) -> None:
    """A run is refused; `hil station check` reads back that everything is off; the next run begins."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with open_bench() as bench:
        leave_unsafe(bench)
        with start(bench, tmp_path / "first", Ways(), locks=tmp_path) as first:
            refused = first.finish()
        checked = check(bench, tmp_path)
        with start(bench, tmp_path / "second", Ways(), locks=tmp_path) as second:
            second.hold()
            second.signal(signal.SIGTERM)
            ended = second.finish()
        left = unsafe(bench.state())

    assert refused == BENCH_FAULT, first.words()
    assert "somebody saw sparks" in first.words()
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert ended == INTERRUPTED, second.words()
    assert left == []


def leave_unsafe(bench: Bench) -> None:
    """Leave the bench as a run does that could not prove it safe."""
    config = load_stations()["sim"]
    simulated = join(bench.address)
    lock_station(config, simulated, Owner(station="sim")).leave_unsafe("somebody saw sparks")
    simulated.close()


def check(bench: Bench, locks: Path) -> subprocess.CompletedProcess[str]:
    """Run `hil station check` on it."""
    command = [sys.executable, "-m", "hil.cli", "station", "check", "sim", "--attach", bench.address]
    here = environment(**{FOLDER_VARIABLE: str(locks)})
    return subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
