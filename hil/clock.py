"""The only thing that waits.

On a real bench time passes by itself and `sleep` sleeps; on the simulated station bench time stands still until
somebody advances it over the control socket, so an hour of creep test takes milliseconds.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from hil.errors import BenchError
from hil.interrupt import uninterrupted


class Clock(Protocol):
    """Bench time, in seconds from an arbitrary start."""

    def now_s(self) -> float:
        """Return the bench time, in seconds."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let duration_s of bench time pass."""
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
        with uninterrupted.asleep():
            time.sleep(max(0.0, duration_s))


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


class BenchClock:
    """Bench time of a simulated station, advanced by whoever waits."""

    def __init__(self, control: StationControl) -> None:
        self._control = control

    def now_s(self) -> float:
        return float(self._control.ask("now")["now_s"])

    def sleep(self, duration_s: float) -> None:
        self._control.ask("advance", s=max(0.0, duration_s))
