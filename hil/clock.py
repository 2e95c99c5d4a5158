"""The only thing that waits.

On a real bench time passes by itself and `sleep` sleeps; on the simulated station bench time stands still until
somebody advances it over the control socket, so an hour of creep test takes milliseconds.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from hil.errors import BenchError
from hil.interrupt import uninterrupted

JOIN_S = 5.0  # longer than any link takes to give up
PIECE_S = 30.0  # of bench time: a moment of real time, so that a guard sees the run alive
ROUNDING_S = 1e-9  # bench time adds up in floats


class Clock(Protocol):
    """Bench time, in seconds from an arbitrary start."""

    def now_s(self) -> float:
        """Return the bench time, in seconds."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let duration_s of bench time pass; an alarm ends it before."""
        ...


class StationClock(Clock, Protocol):
    """The clock of a whole station: somebody may look at the bench again and again."""

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Look at the bench every period_s of bench time, until the function that is returned has been called."""
        ...


class WaitTimeout(BenchError):
    """A condition did not come true within its deadline of bench time."""

    def __init__(self, what: str, deadline_s: float) -> None:
        super().__init__(what, deadline_s)
        self.what, self.deadline_s = what, deadline_s

    def __str__(self) -> str:
        return f"waited {self.deadline_s:g} s of bench time for {self.what}, in vain"


def wait_until(clock: Clock, what: str, condition: Callable[[], bool], deadline_s: float, step_s: float = 0.01) -> None:
    """Poll condition every step_s of bench time; raise WaitTimeout, naming what, after deadline_s."""
    end_s = clock.now_s() + deadline_s
    while not condition():
        if clock.now_s() >= end_s:
            raise WaitTimeout(what, deadline_s)
        clock.sleep(step_s)


class RealClock:
    """Bench time is the monotonic time of this computer."""

    def now_s(self) -> float:
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        uninterrupted.sleep(duration_s)

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Do it in a thread, whatever the main thread is busy with."""
        over = threading.Event()

        def repeat() -> None:
            while not over.wait(period_s):
                action()

        thread = threading.Thread(target=repeat, name="every", daemon=True)
        thread.start()

        def stop() -> None:
            over.set()
            if thread is not threading.current_thread():
                thread.join(JOIN_S)

        return stop


class RecordClock:
    """The time of a record: that of the bench, or the last it told when it is gone; zero before there is a bench."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock
        self._last_s = 0.0

    def now_s(self) -> float:
        """Return the bench time, in seconds."""
        if self.clock is not None:
            with suppress(BenchError):
                self._last_s = self.clock.now_s()
        return self._last_s

    def sleep(self, duration_s: float) -> None:
        """Let duration_s of bench time pass; raises BenchError where there is no bench yet."""
        if self.clock is None:
            raise WaitTimeout("a bench that is not open", 0.0)
        self.clock.sleep(duration_s)


class ControlRefused(BenchError):
    """The simulated station answered a control request with an error, or not at all."""

    def __init__(self, sent: str, why: str) -> None:
        super().__init__(sent, why)
        self.sent, self.why = sent, why

    def __str__(self) -> str:
        return f"simulated station: {self.sent}: {self.why}"


class StationControl:
    """The control socket of a simulated station: one JSON object a line, one answer a line.

    Requests: {"do": "hello" | "now" | "advance" | "addresses" | "events" | ...}; every answer has "ok".
    """

    def __init__(self, host: str, port: int, timeout_s: float = 60.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send one request and return its answer; raises ControlRefused."""
        try:
            with uninterrupted:
                self._socket.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")
                line = self._lines.readline()
        except OSError as error:
            raise ControlRefused(do, str(error)) from error
        if not line:
            raise ControlRefused(do, "the control connection was closed")
        answer: dict[str, Any] = json.loads(line)
        if not answer.get("ok"):
            raise ControlRefused(do, str(answer.get("why", "refused")))
        return answer

    def close(self) -> None:
        """Close the socket; the station goes on."""
        self._lines.close()
        self._socket.close()


@dataclass(slots=True)
class _Look:
    """Something to look at every period_s."""

    period_s: float
    action: Callable[[], None]


class BenchClock:
    """Bench time of a simulated station, advanced by whoever waits."""

    def __init__(self, control: StationControl) -> None:
        self._control = control
        self._looks: list[_Look] = []
        self._stirs = 0  # of the station, when it was last looked at

    def now_s(self) -> float:
        return float(self._control.ask("now")["now_s"])

    def sleep(self, duration_s: float) -> None:
        left_s = max(0.0, duration_s)
        while True:
            piece_s = min(left_s, PIECE_S)
            left_s = left_s - (self._watchfully(piece_s) if self._looks else self._advance(piece_s)["waited_s"])
            uninterrupted.raise_alarm()
            if left_s <= ROUNDING_S:
                return

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Do it at the end of a sleep, and within it when the station says that somebody has moved something.

        Time stands still otherwise, and nobody can do what would not be seen within period_s.
        """
        one = _Look(period_s, action)
        self._looks.append(one)
        self._stirs = int(self._advance(0.0)["stirs"])

        def stop() -> None:
            if one in self._looks:
                self._looks.remove(one)

        return stop

    def _watchfully(self, duration_s: float) -> float:
        """Let time pass until something stirs, and then until the next look is due; return what passed."""
        answer = self._advance(duration_s, stirs=self._stirs)
        waited_s = float(answer["waited_s"])
        if answer["stirs"] != self._stirs:
            waited_s += float(self._advance(min(look.period_s for look in self._looks))["waited_s"])
            self._stirs = int(answer["stirs"])
            for look in tuple(self._looks):
                look.action()
        return waited_s

    def _advance(self, duration_s: float, **more: int) -> dict[str, Any]:
        return self._control.ask("advance", s=duration_s, **more)
