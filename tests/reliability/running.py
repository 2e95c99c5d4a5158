"""A scene run as a certification of its own, in a process of its own, and what can be done to it."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hil.station.locks import FOLDER_VARIABLE
from tests.reliability.bench import PATIENCE_S, ROOT, SERIAL, Bench, environment
from tests.reliability.scenes.live import FAULT, SEEN, TELLS

SCENES = Path(__file__).parent / "scenes"
SOMEBODY_ELSES = "somebody-elses-data"
GUARD_MODULE = "hil.station.guard"
# makes the terminal that stdin is already the controlling one of the program after it
ON_TERMINAL = "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a run is started."""

    scene: str = "scene_hold.py::test_hold"
    arguments: tuple[str, ...] = ()
    fault: str = ""  # what the scene lets begin
    terminal: bool = False  # in a window of its own
    small_disk: bool = False  # its record goes to a disk of its own, which is small


@dataclass(slots=True)
class Running:
    """A run, and what can be done to it."""

    bench: Bench
    process: subprocess.Popen[bytes]
    folder: Path  # of everything that this run leaves
    runs: Path
    locks: Path
    window: Window | None = None
    guards: list[psutil.Process] = field(default_factory=list)
    family: list[psutil.Process] = field(default_factory=list)

    @property
    def record(self) -> Path:
        """The folder of the run's record."""
        (record,) = self.runs.glob("*/*")
        return record

    def told(self, word: str) -> list[list[str]]:
        """What the scene said that begins with a word."""
        lines = (self.folder / "tells").read_text().splitlines()
        return [line.split()[1:] for line in lines if line.split()[0] == word]

    def words(self) -> str:
        """What the run has printed."""
        return (self.folder / "output").read_text(errors="replace")

    def hold(self) -> dict[str, Any]:
        """Wait until the scene holds a bench that is really live; return its state."""
        _wait(lambda: bool(self.told("holds")) or self.process.poll() is not None, "the scene to hold")
        state = self.bench.state()
        for one in psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                self.family.append(one)
                if GUARD_MODULE in one.cmdline():
                    self.guards.append(one)
        (self.folder / f"tells{SEEN}").touch()
        return state

    def finish(self) -> int:
        """Wait until run, guard and whatever they started are gone; return the run's exit code."""
        exit_code = self.process.wait(PATIENCE_S)
        _, left = psutil.wait_procs(self.family, PATIENCE_S)
        assert not left, f"left over: {left}"
        if self.window is not None:
            self.window.close()
        return exit_code

    # -- what can be done to it

    def signal(self, number: int, times: int = 1) -> None:
        """Send a signal, or several a moment apart."""
        for last in range(times - 1, -1, -1):
            self.process.send_signal(number)
            if last:
                time.sleep(0.05)

    def close_terminal(self) -> None:
        """Close the window that it was started in."""
        assert self.window is not None
        self.window.close()

    def kill_guard(self) -> None:
        """Kill the guard as an operator does who ends everything that he does not know."""
        assert self.guards, "this run has no guard"
        for guard in self.guards:
            guard.kill()


class Window:
    """A terminal's other side: shows what the run prints until somebody closes it."""

    def __init__(self, output: Path) -> None:
        self._master, self.slave = pty.openpty()
        self._over = threading.Event()
        self._output = output
        self._reader = threading.Thread(target=self._show, daemon=True)
        self._reader.start()

    def _show(self) -> None:
        with self._output.open("ab", buffering=0) as out:
            while not self._over.is_set():
                with contextlib.suppress(OSError):  # nobody is on the other side
                    if select.select([self._master], [], [], 0.02)[0]:
                        out.write(os.read(self._master, 4096))

    def close(self) -> None:
        """Close it: whoever runs in it gets a SIGHUP, and errors for what he prints."""
        if not self._over.is_set():
            self._over.set()
            self._reader.join()
            os.close(self._master)


@contextmanager
def start(bench: Bench, folder: Path, ways: Ways, *, locks: Path | None = None) -> Iterator[Running]:
    """Start a scene on an open bench; none of its processes is left afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tells").touch()
    runs, locks = folder / "runs", locks or folder / "locks"
    command = [sys.executable, "-m", "pytest", str(SCENES / ways.scene), "-q", "-p", "hil.plugin"]
    command += ["--serial", SERIAL, "--runs", str(runs), "--attach", bench.address, "--no-pdf", *ways.arguments]
    told = {TELLS: str(folder / "tells"), FAULT: ways.fault, FOLDER_VARIABLE: str(locks)}
    with small_disk(runs) if ways.small_disk else contextlib.nullcontext():
        window = Window(folder / "output") if ways.terminal else None
        with (folder / "output").open("wb") as output:
            here = {"cwd": ROOT, "env": environment(**told), "start_new_session": True}
            if window is None:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **here)
            else:
                command = [sys.executable, "-c", ON_TERMINAL, *command]
                ends = dict.fromkeys(("stdin", "stdout", "stderr"), window.slave)
                process = subprocess.Popen(command, **ends, **here)
                os.close(window.slave)
        running = Running(bench, process, folder, runs, locks, window)
        try:
            yield running
        finally:
            _end(running)


def _end(running: Running) -> None:
    """Kill what a test that failed has left."""
    for process in running.family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    running.process.kill()
    running.process.wait(PATIENCE_S)
    psutil.wait_procs(running.family, PATIENCE_S)
    if running.window is not None:
        running.window.close()


class NoSmallDisk(Exception):
    """This user may not mount a file system."""


@contextmanager
def small_disk(at: Path, size: str = "2m") -> Iterator[None]:
    """Mount a small file system; raises NoSmallDisk where that is not allowed."""
    at.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "hil-test", str(at)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        raise NoSmallDisk(mounted.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill_disk(at: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), (at / SOMEBODY_ELSES).open("wb", buffering=0) as much:
        while True:
            much.write(bytes(4096))


def make_room(at: Path) -> None:
    """Do what a person does about a full disk."""
    (at / SOMEBODY_ELSES).unlink(missing_ok=True)


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        time.sleep(0.01)
