"""JSON-RPC to the unit's firmware: the same calls over the console or over HTTP.

Ref: Shelly Gen2 API (request {id, src, method, params}, answer {id, src, dst, result or error}); Mongoose OS rpc-uart
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any, Protocol

from hil.clock import Clock
from hil.errors import UnitRefused, UnitSilent
from hil.links.console import Console
from hil.links.frames import encode_frame

NOT_JSON_RPC = -32700  # JSON-RPC 2.0: parse error
HTTP_ERROR = 400


class Rpc(Protocol):
    """Calls of the firmware's methods, whatever carries them."""

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        """Call a method and return its result; raises UnitSilent or UnitRefused."""
        ...


class ConsoleRpc:
    """Calls in rpc-uart frames among the console's human lines. Deadlines are bench time."""

    def __init__(self, console: Console, clock: Clock, who: str = "unit") -> None:
        self.who = who
        self._console, self._clock = console, clock
        self._source, self._ids = _identity()

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        self._console.read(0.0)
        self._console.take_frames()  # whatever these answer, it is not this call
        ident = next(self._ids)
        request = {"id": ident, "src": self._source, "method": method, "params": params or {}}
        self._console.write(encode_frame(request))
        end_s = self._clock.now_s() + timeout_s
        while (left_s := end_s - self._clock.now_s()) > 0:
            self._console.read(left_s)
            for frame in self._console.take_frames():
                # late answers to earlier calls, notifications, and what the unit says to others are not ours
                if (
                    frame.get("id") == ident
                    and frame.get("dst", self._source) == self._source
                    and "method" not in frame
                ):
                    return _result(self.who, method, frame)
        raise UnitSilent(self.who, method, timeout_s)


class HttpRpc:
    """Calls by HTTP POST. Deadlines are real time: a socket knows no other."""

    def __init__(self, base_url: str, who: str = "unit") -> None:
        import httpx

        self.who, self.base_url = who, base_url.rstrip("/")
        self._source, self._ids = _identity()
        # no proxy from the environment: the unit is on the bench's own network
        self._client = httpx.Client(trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        import httpx

        ident = next(self._ids)
        request = {"id": ident, "src": self._source, "method": method, "params": params or {}}
        try:
            response = self._client.post(f"{self.base_url}/rpc", json=request, timeout=timeout_s)
        except (
            httpx.HTTPError
        ) as error:  # refused, reset, timed out: a unit without power or in reset does all of these
            raise UnitSilent(self.who, f"{method} at {self.base_url}", timeout_s) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not ("error" in answer or "result" in answer):
            code = response.status_code if response.status_code >= HTTP_ERROR else NOT_JSON_RPC
            raise UnitRefused(self.who, method, code, f"no JSON-RPC answer: {response.text[:80]!r}")
        if "id" in answer and answer["id"] != ident and not ("error" in answer and answer["id"] is None):
            raise UnitRefused(self.who, method, NOT_JSON_RPC, f"it answered request {answer['id']!r}, not {ident}")
        if "id" not in answer and "error" not in answer:
            raise UnitRefused(self.who, method, NOT_JSON_RPC, "its answer has no id")
        return _result(self.who, method, answer)


def _identity() -> tuple[str, Iterator[int]]:
    """Return our name and numbers for our requests.

    Both differ from process to process, so that an answer to a run that died is not ours; both keep their length, so
    that the same run takes the same time on a serial line.
    """
    number = os.getpid() % 10_000_000
    return f"hil-{number:07d}", itertools.count(10_000_000 + (number * 7919) % 80_000_000)


def _result(who: str, method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        raise UnitRefused(who, method, code if isinstance(code, int) else 0, str(error.get("message", error)))
    if error is not None:
        raise UnitRefused(who, method, 0, str(error))
    if "result" not in answer:
        raise UnitRefused(who, method, NOT_JSON_RPC, "its answer has neither result nor error")
    return answer["result"]
