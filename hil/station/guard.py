"""The guard: a process of its own that makes the bench safe when the run no longer can.

`python -m hil.station.guard` reads its charge, then one JSON object a line: {"do": "beat"}, {"do": "hung", "where"},
{"do": "cut", "why"} or {"do": "done"}. It acts when its input ends, when no line has come for heartbeat_s, or when the
run says that it hangs: it ends what is left of the run, which may hold the links and could switch on again, makes the
bench safe through links of its own, reads back, and writes what it did into the run's journal. `cut` switches the mains
source off while the run lives on: a lid was opened. It answers {"ready": ...}, {"cut": ...} and {"bye": ...}.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from hil.clock import RecordClock, StationClock
from hil.errors import HilError
from hil.instruments.roles import Instrument
from hil.journal import events
from hil.journal.writer import JournalWriter
from hil.names import one_line
from hil.station import launch
from hil.station.charge import Charge, Post
from hil.station.locks import BenchLock
from hil.station.opening import open_instrument
from hil.station.safe_state import SafeState, make_safe

SOURCE = "AcSource"
START_S = 60.0  # how long the charge may take
KILL_S = 5.0  # how long a killed run may take to be gone
OPEN_S = 5.0  # how long the kernel may take to give back the ports of a dead process
RETRY_S = 0.05
READ_BYTES = 1 << 16


def main() -> int:
    """Guard until the run says goodbye (0), or make the bench safe (0) or fail to prove it (3)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are the run's; whoever ends the guard as well means SIGKILL
    lines = _Lines(sys.stdin.fileno())
    charge = lines.next(START_S)
    if not charge:
        return 0  # whoever started us is gone, or is not a run
    try:
        guard = Guard(Charge.from_json(charge.decode()), lines)
        guard.get_ready()
    except HilError as error:
        _say({"ready": False, "why": str(error)})
        return 3
    return guard.serve()


class Guard:
    """Watches one run on one bench."""

    def __init__(self, charge: Charge, lines: _Lines) -> None:
        self._charge, self._lines = charge, lines
        self._posts = {post.role: post for post in charge.posts}
        self._opened: dict[str, Instrument] = {}
        self._pidfd = _pidfd(charge.run_pid)
        self._locks = BenchLock.adopt(charge.station, list(charge.locks))
        self._clock = self._join()

    def _join(self) -> StationClock:
        if not self._charge.control:
            from hil.clock import RealClock

            return RealClock()
        from hil.links import remote_usb

        remote_usb.use(self._charge.usb)
        return launch.join(self._charge.control).clock

    # -- the watch -----------------------------------------------------------------------------------------------------

    def get_ready(self) -> None:
        """Import every driver, and open the source beside the run where it bears two sessions."""
        for post in self._charge.posts:
            kind = importlib.import_module(f"hil.instruments.{post.driver}").DRIVER
            if post.role == SOURCE and getattr(kind, "SHARED", False):
                with suppress(HilError):
                    instrument = self._open(post)
                    instrument.is_off()
                    self._opened[SOURCE] = instrument
        _say({"ready": True, "own": list(self._opened)})

    def serve(self) -> int:
        """Watch until the end, and act if it is not a good one."""
        why = self._watch()
        return self._act(why) if why else 0

    def _watch(self) -> str:
        """Return why to act, or nothing after the run's goodbye."""
        heartbeat_s = self._charge.heartbeat_s
        while True:
            line = self._lines.next(heartbeat_s)
            if line is None:
                return f"no heartbeat for {heartbeat_s:g} s"
            if not line:
                return "the run's process ended without a word"
            said = json.loads(line)
            if said["do"] == "done":
                _say({"bye": True})
                return ""
            if said["do"] == "hung":
                return f"the run hung: {said['where']}"
            if said["do"] == "cut":
                self._cut()

    def _cut(self) -> None:
        begin_s = time.monotonic()
        source = self._opened.get(SOURCE)
        try:
            if source is not None:
                source.off()
            _say({"cut": source is not None, "took_s": time.monotonic() - begin_s})
        except HilError as error:
            self._opened.pop(SOURCE, None)
            _say({"cut": False, "why": str(error)})

    # -- the deed ------------------------------------------------------------------------------------------------------

    def _act(self, why: str) -> int:
        self._end_run()
        state = make_safe(self._posts, self._get, self._reopen)
        recorded = self._record(why, state)
        self._close_links()  # before anybody else may have the bench
        if state.safe:
            self._locks.release()
        else:
            self._locks.leave_unsafe(f"{why}; {state}")
        head = f"hil guard: {self._charge.station}: {why};"
        words = "the bench is safe" if state.safe else f"the bench is NOT PROVEN SAFE: {state}"
        with suppress(OSError):
            sys.stderr.write(one_line(f"{head} {words}{recorded}") + "\n")
        return 0 if state.safe else 3

    def _close_links(self) -> None:
        for instrument in self._opened.values():
            with suppress(HilError):
                instrument.close()

    def _end_run(self) -> None:
        """Kill the run and wait until it is gone: its sockets and ports are free then, and it can switch nothing on."""
        if self._pidfd < 0:
            if os.getppid() == self._charge.run_pid:
                os.kill(self._charge.run_pid, signal.SIGKILL)
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        select.select([self._pidfd], [], [], KILL_S)

    def _record(self, why: str, state: SafeState) -> str:
        """Write into the journal of the dead run; return what to tell a person about it."""
        if not self._charge.record:
            return ""
        event = events.SafeState(by="guard", why=why, readback=state.readback, safe=state.safe)
        try:
            with JournalWriter.resume(Path(self._charge.record), RecordClock(self._clock)) as journal:
                journal.write(event)
        except HilError as error:
            return f"; {error}"
        return f"; the record is in {self._charge.record}"

    def _get(self, role: str) -> Instrument:
        if role not in self._opened:
            end_s = time.monotonic() + OPEN_S
            while True:
                try:
                    self._opened[role] = self._open(self._posts[role])
                    break
                except HilError:
                    if time.monotonic() > end_s:
                        raise
                time.sleep(RETRY_S)  # of this computer, not of the bench
        return self._opened[role]

    def _reopen(self, role: str) -> Instrument:
        self._opened.pop(role).close()
        return self._get(role)

    def _open(self, post: Post) -> Instrument:
        return open_instrument(post.role, post.driver, post.resource, self._clock)


def _pidfd(pid: int) -> int:
    """Return a handle on the run, which no other process can get; -1 where it is gone, or there are no handles."""
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:  # it is gone already, or this kernel, or a container, has no such thing
        return -1


class _Lines:
    """Lines of a pipe, with a deadline each."""

    def __init__(self, fd: int) -> None:
        self._fd, self._came = fd, b""

    def next(self, timeout_s: float) -> bytes | None:
        """Return the next line, b"" at the end of the input, None when nothing came in time."""
        end_s = time.monotonic() + timeout_s
        while b"\n" not in self._came:
            left_s = end_s - time.monotonic()
            if left_s <= 0.0:
                return None
            if select.select([self._fd], [], [], left_s)[0]:
                data = os.read(self._fd, READ_BYTES)
                if not data:
                    return b""
                self._came += data
        line, _, self._came = self._came.partition(b"\n")
        return line


def _say(words: dict[str, Any]) -> None:
    with suppress(OSError):  # the run is gone: nobody listens
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
