"""The run's side of its guard: start it, beat, ask it to cut the mains, and let it go."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

from hil.errors import BenchError, SetupError
from hil.interrupt import uninterrupted
from hil.station.charge import STALL_S, Charge

READY_S = 30.0  # it imports every driver, perhaps on a busy computer
CUT_S = 1.0
BYE_S = 5.0
BEATS = 4  # in a heartbeat's time
LIBRARIES = r"site-packages|/lib/python|^<"  # files of a stack that tell an engineer nothing


class GuardLost(BenchError):
    """The guard ended, so nothing would make the bench safe if the run died now."""

    def __init__(self, station: str) -> None:
        super().__init__(station)
        self.station = station

    def __str__(self) -> str:
        return (
            f"the guard of station {self.station} ended: the run stops, since nobody would make the bench safe for it"
        )


class Guarding:
    """A guard that runs. Dismiss it when the bench is safe; or die, and it acts."""

    def __init__(self, charge: Charge, stall_s: float = STALL_S) -> None:
        """Start it; `wait_ready` before anything is energised."""
        self._charge, self._stall_s = charge, stall_s
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.lost = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hil.station.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[fd for _, fd in charge.locks],
            start_new_session=True,  # what the terminal sends to the run must not reach it
        )
        self._send(charge.to_json())
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._listen, self._beat)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The guard's process."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Return when the guard is ready; raises SetupError with its words, or GuardLost."""
        said = self._answer(READY_S)
        if not said.get("ready"):
            why = said.get("why", f"it was not ready within {READY_S:g} s")
            raise SetupError(
                f"the guard of station {self._charge.station} cannot guard: {why}", "run 'hil station check'"
            )

    def cut(self, why: str) -> bool:
        """Ask it to switch the mains source off now; say whether it did."""
        with suppress(GuardLost):
            while not self._answers.empty():
                self._answer(0.0)  # what came too late for the question before
            self._send(json.dumps({"do": "cut", "why": why}))
            return bool(self._answer(CUT_S).get("cut"))
        return False

    def dismiss(self) -> None:
        """Let it go: the bench is safe, or the run has said that it is not. Safe any number of times."""
        if self._over.is_set():
            return
        self._over.set()
        self._send(json.dumps({"do": "done"}))
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(BYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(BYE_S)

    # -- threads -------------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        steps, since_s = -1, time.monotonic()
        while not self._over.wait(self._charge.heartbeat_s / BEATS):
            now_s = time.monotonic()
            if uninterrupted.waiting or uninterrupted.steps != steps:
                steps, since_s = uninterrupted.steps, now_s
            if now_s - since_s > self._stall_s:
                self._send(json.dumps({"do": "hung", "where": f"{_where()}, for {self._stall_s:g} s"}))
                return
            self._send('{"do": "beat"}')

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with suppress(ValueError):
                    self._answers.put(json.loads(line))
        if not self._over.is_set():
            self.lost = True
            self._answers.put({})
            uninterrupted.alarm(GuardLost(self._charge.station))

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        with self._lock, suppress(OSError, ValueError):  # it is gone: who listens to it says so
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        """Return its next answer, or nothing when none comes in time; raises GuardLost."""
        if self.lost and self._answers.empty():
            raise GuardLost(self._charge.station)
        try:
            said = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return {}
        if not said:  # the word of its end
            raise GuardLost(self._charge.station)
        return said


def _where() -> str:
    """Say where the main thread is."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    stack = traceback.extract_stack(frame)
    ours = next((one for one in reversed(stack) if not re.search(LIBRARIES, one.filename)), None)
    return f"in {ours.name}, {ours.filename}:{ours.lineno}" if ours else "nobody knows where"
