"""What is done to a run, and what is promised then. The tests and the page `docs/reliability.md` read this list."""

from __future__ import annotations

import resource
import shutil
import signal
from functools import partial

import psutil

from tests.reliability.harness import Deed, Interruption
from tests.reliability.running import Running, Ways, fill_disk

HOLD, CHARGED = "scene_hold.py::test_hold", "scene_hold.py::test_hold_with_everything_on"
BUSY, BUSY_DMM = "scene_busy.py::test_busy", "scene_busy.py::test_busy_with_the_multimeter"
DISK_FULL = "the disk is full: make room"
INTERRUPTED, BENCH_FAULT, SETUP_FAULT, KILLED = 2, 3, 4, -int(signal.SIGKILL)
INTERLOCK_S = 0.2  # promised: mains off after the lid was opened
# From here on not promised to the hundredth; beyond it something is wrong, on however busy a machine.
SOON_S = 5.0
GUARD_S = 10.0  # the run has died, and the guard opens links of its own
FROZEN_S = 15.0  # and before it does, a heartbeat of 2 s is missed
HUNG_S = 30.0  # or the run has stood still for 10 s


def _send(number: int, times: int = 1) -> Deed:
    def deed(run: Running) -> None:
        run.signal(number, times)

    return deed


def _hand(what: str, **position: bool) -> Deed:
    """Do what an operator's hand does; return when, by the world's own log."""

    def deed(run: Running) -> float:
        run.bench.control.ask(what, **position)
        line = what.replace("_", " ")
        return float(next(e["t_s"] for e in reversed(run.bench.events()) if e["kind"] == "gpio" and e["line"] == line))

    return deed


def _begin_fault(name: str, run: Running) -> None:
    run.bench.control.ask("fault", name=name)


def _limit_files(run: Running) -> None:
    """Let the run's record grow by half a line and no more."""
    most = (run.record / "journal.jsonl").stat().st_size + 300
    psutil.Process(run.process.pid).rlimit(resource.RLIMIT_FSIZE, (most, most))


def _fill_disk(run: Running) -> None:
    fill_disk(run.runs)


def _remove_record(run: Running) -> None:
    shutil.rmtree(run.record)


def _kill_both(run: Running) -> None:
    run.signal(signal.SIGSTOP)  # so that it cannot see the guard die
    run.kill_guard()
    run.signal(signal.SIGKILL)


def _freeze_guard_and_kill(run: Running) -> None:
    for guard in run.guards:
        guard.suspend()
    run.signal(signal.SIGKILL)
    for guard in run.guards:
        guard.kill()


open_lid = _hand("lid", closed=False)
press_stop = _hand("emergency_stop", released=False)

SIGNALS = (
    Interruption("SIGINT", "Ctrl-C while the test waits", _send(signal.SIGINT), INTERRUPTED, "run", SOON_S),
    Interruption(
        "SIGINT twice",
        "Ctrl-C twice while it measures",
        _send(signal.SIGINT, 2),
        INTERRUPTED,
        "run",
        SOON_S,
        Ways(BUSY),
    ),
    Interruption("SIGTERM", "while the test waits", _send(signal.SIGTERM), INTERRUPTED, "run", SOON_S),
    Interruption(
        "SIGTERM twice", "while it measures", _send(signal.SIGTERM, 2), INTERRUPTED, "run", SOON_S, Ways(BUSY)
    ),
    Interruption("SIGHUP", "while it measures", _send(signal.SIGHUP), INTERRUPTED, "run", SOON_S, Ways(BUSY)),
    Interruption(
        "closed terminal",
        "the window that the run was started in is closed",
        lambda run: run.close_terminal(),
        INTERRUPTED,
        "run",
        SOON_S,
        Ways(BUSY, terminal=True),
    ),
    Interruption("SIGKILL", "while it measures", _send(signal.SIGKILL), KILLED, "guard", GUARD_S, Ways(BUSY)),
    Interruption(
        "SIGKILL, everything on",
        "mains, load, a DC output and a charged surge generator",
        _send(signal.SIGKILL),
        KILLED,
        "guard",
        GUARD_S,
        Ways(CHARGED),
        often=False,
    ),
    Interruption(
        "SIGSTOP", "the run is frozen, and stays so", _send(signal.SIGSTOP), KILLED, "guard", FROZEN_S, often=False
    ),
)

BREAKDOWNS = (
    Interruption("exception in a test", "ZeroDivisionError", None, SETUP_FAULT, "run", SOON_S, Ways("scene_raise.py")),
    Interruption(
        "exception in a fixture's teardown",
        "of a fixture that switches nothing off",
        None,
        SETUP_FAULT,
        "run",
        SOON_S,
        Ways("scene_teardown.py"),
    ),
    Interruption(
        "exception in pytest itself",
        "a plugin's hook fails where pytest catches nothing",
        None,
        SETUP_FAULT,
        "run",
        SOON_S,
        Ways("scene_hold.py::test_over", ("-p", "tests.reliability.scenes.broken_plugin")),
    ),
    Interruption(
        "hang in a C call, lock held",
        "no thread of the run's Python goes on",
        None,
        KILLED,
        "guard",
        FROZEN_S,
        Ways("scene_hang.py::test_hang_with_the_lock_held"),
    ),
    Interruption(
        "hang in a C call, lock released",
        "its threads go on, the test does not",
        None,
        KILLED,
        "guard",
        HUNG_S,
        Ways("scene_hang.py::test_hang_with_the_lock_released"),
    ),
    Interruption("`os._exit(0)`", "in a test", None, None, "guard", GUARD_S, Ways("scene_exit.py")),
    Interruption(
        "full disk",
        "no byte more fits beside the record",
        _fill_disk,
        BENCH_FAULT,
        "run",
        SOON_S,
        Ways(BUSY, small_disk=True),
        says=DISK_FULL,
    ),
    Interruption(
        "limit on files",
        "`RLIMIT_FSIZE` stops the record in mid-line",
        _limit_files,
        BENCH_FAULT,
        "run",
        SOON_S,
        Ways(BUSY),
        says=DISK_FULL,
        often=False,
    ),
    Interruption(
        "the guard is killed", "SIGKILL, while the test waits", Running.kill_guard, BENCH_FAULT, "run", SOON_S
    ),
    Interruption(
        "the multimeter dies",
        "it drops its connection and refuses new ones",
        partial(_begin_fault, "bench-dmm-dies"),
        BENCH_FAULT,
        "run",
        GUARD_S,
        Ways(BUSY_DMM),
        often=False,
    ),
)

INTERLOCKS = tuple(
    Interruption(name, what, deed, SETUP_FAULT, "run", INTERLOCK_S, Ways(scene), interlock=True, often=often)
    for name, what, deed, scene, often in (
        ("lid opened", "while the test waits", open_lid, HOLD, True),
        ("lid opened, busy", "while it measures", open_lid, BUSY, False),
        ("lid opened, multimeter busy", "while a reading takes its time", open_lid, BUSY_DMM, False),
        ("lid opened, surge generator charged", "and everything else on", open_lid, CHARGED, False),
        ("emergency stop", "while the test waits", press_stop, HOLD, True),
    )
)

PROMISED = (*SIGNALS, *BREAKDOWNS, *INTERLOCKS)

NOT_PROMISED = (
    Interruption("run and guard killed", "both at once", _kill_both, KILLED, None, None, Ways(BUSY), safe=False),
    Interruption(
        "guard frozen, run killed",
        "and the guard killed after it",
        _freeze_guard_and_kill,
        KILLED,
        None,
        None,
        safe=False,
    ),
    Interruption(
        "the source dies while it is on",
        "it drops its connection and its output stays on",
        lambda run: (_begin_fault("bench-ac-source-dies", run), run.signal(signal.SIGTERM))[0],
        BENCH_FAULT,
        None,
        None,
        safe=False,
    ),
    Interruption(
        "the record is removed",
        "its folder, while the test measures",
        _remove_record,
        BENCH_FAULT,
        None,
        SOON_S,
        Ways(BUSY),
        keeps=False,
    ),
)
