"""JSON-RPC to the unit's firmware: the same calls over the console or over HTTP.

Ref: Shelly Gen2 API (request {id, src, method, params}, answer {id, src, dst, result or error}); Mongoose OS rpc-uart

Whose fault is it that a call on the console has no answer?

    nothing came                          UnitSilent, the unit's
    noise, a frame damaged or cut short   BadAnswer, the bench's: nobody can tell the unit from its line, so the unit is
                                          tested again. What only reads is asked again first, within the same deadline;
                                          each time is in Console.troubles
    the unit rebooted meanwhile           UnitRebooted, which names the reset: the bench's where power or EN was lost,
                                          for the bench supplies both; the unit's where it fell over by itself
                                          (watchdog, panic, software). Never asked again: an answer must not hide it

An answer is one only with its CRC and with the number of a request of this very call. Errors have no secrets in them.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

from hil.clock import Clock
from hil.errors import BadAnswer, Blame, UnitRefused, UnitSilent
from hil.interrupt import uninterrupted
from hil.links.console import Console
from hil.links.frames import encode_frame
from hil.links.redact import redact

NOT_JSON_RPC = -32700  # JSON-RPC 2.0: parse error
HTTP_ERROR = 400
QUIET_S = 0.25  # after something damaged: so long an answer may still come, then it is asked again
TIMES = 3  # that something is asked, at most
FIRST_NUMBER, NUMBERS = 10_000_000, 80_000_000

FindReset: TypeAlias = Callable[[str], tuple[str, Blame] | None]  # a log -> the last reset in it, and whose fault it is


class UnitRebooted(UnitSilent):
    """The unit was reset between question and answer."""

    def __init__(self, who: str, asked: str, deadline_s: float, reset: str, blame: Blame) -> None:
        super().__init__(who, asked, deadline_s)
        self.args = (who, asked, deadline_s, reset, blame)
        self.reset, self.blame = reset, blame

    def __str__(self) -> str:
        hints = {Blame.UNIT: "its console log says what it died of"}
        hint = hints.get(self.blame, "check its supply, EN and the contacts of the fixture, then test it again")
        return f"{self.who}: it rebooted ({self.reset}) while it was asked {self.asked}; {hint}"


def only_reads(method: str) -> bool:
    """Return whether a method of the Shelly API may be called again without harm."""
    return method.rpartition(".")[2].startswith(("Get", "List"))


class Rpc(Protocol):
    """Calls of the firmware's methods, whatever carries them."""

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        """Call a method and return its result; raises UnitSilent or UnitRefused."""
        ...


class ConsoleRpc:
    """Calls in rpc-uart frames among the console's human lines. Deadlines are bench time."""

    def __init__(
        self,
        console: Console,
        clock: Clock,
        who: str = "unit",
        find_reset: FindReset = lambda log: None,
        repeatable: Callable[[str], bool] = only_reads,
    ) -> None:
        self.who = who
        self._console, self._clock = console, clock
        self._find_reset, self._repeatable = find_reset, repeatable
        self._source, self._ids = _identity()

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        __tracebackhide__ = True  # the arguments may be secrets
        console = self._console
        console.forget()
        console.redactor.learn(params)
        heard, troubled = len(console.lines), len(console.troubles)
        first_trouble = troubled
        numbers = [self._ask(method, params)]
        end_s = self._clock.now_s() + timeout_s
        again = self._repeatable(method)
        while (left_s := end_s - (now_s := self._clock.now_s())) > 0:
            troubles = console.troubles[troubled:]
            if again and troubles and now_s - troubles[0].t_s >= QUIET_S and not self._reset_since(heard):
                console.trouble(f"{method} is asked again: {troubles[-1].text}")
                troubled = len(console.troubles)
                numbers.append(self._ask(method, params))
                again = len(numbers) < TIMES
            console.read(min(left_s, QUIET_S))
            for frame in console.take_frames():
                if self._answers(frame, numbers) and not (len(numbers) > 1 and self._reset_since(heard)):
                    console.redactor.learn(frame)
                    return _result(self.who, method, frame)
        console.end_half_frame()
        if reset := self._reset_since(heard):
            raise UnitRebooted(self.who, method, timeout_s, *reset)
        if damaged := [trouble.text for trouble in console.troubles[first_trouble:]]:
            last = "".join(line.text for line in console.lines[heard:][-1:])
            raise BadAnswer(self.who, method, last, f"{damaged[-1]}; look at the console line")
        raise UnitSilent(self.who, method, timeout_s)

    def _ask(self, method: str, params: dict[str, Any] | None) -> int:
        number = next(self._ids)
        request = {"id": number, "src": self._source, "method": method, "params": params or {}}
        self._console.write(encode_frame(request))
        return number

    def _answers(self, frame: dict[str, Any], numbers: list[int]) -> bool:
        """Return whether a frame answers this call: not one before it, not somebody else's, and no notification."""
        return frame.get("id") in numbers and frame.get("dst", self._source) == self._source and "method" not in frame

    def _reset_since(self, heard: int) -> tuple[str, Blame] | None:
        return self._find_reset("\n".join(line.text for line in self._console.lines[heard:]))


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
            uninterrupted.step()
            response = self._client.post(f"{self.base_url}/rpc", json=request, timeout=timeout_s)
        except (
            httpx.HTTPError
        ) as error:  # refused, reset, timed out: a unit without power or in reset does all of these
            raise UnitSilent(self.who, f"{method} at {redact(self.base_url)}", timeout_s) from error
        return read_response(self.who, method, ident, response.status_code, response.content)


def read_response(who: str, method: str, ident: int, status: int, content: bytes) -> Any:
    """Return the result in an HTTP answer to request ident; raises UnitRefused for an error, and for no answer."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested to death
        answer = None
    if not isinstance(answer, dict) or not ("error" in answer or "result" in answer):
        code = status if status >= HTTP_ERROR else NOT_JSON_RPC
        raise UnitRefused(who, method, code, f"no JSON-RPC answer: {redact(content.decode(errors='replace'))[:80]!r}")
    if "id" in answer and answer["id"] != ident and not ("error" in answer and answer["id"] is None):
        raise UnitRefused(who, method, NOT_JSON_RPC, f"it answered request {answer['id']!r}, not {ident}")
    if "id" not in answer and "error" not in answer:
        raise UnitRefused(who, method, NOT_JSON_RPC, "its answer has no id")
    return _result(who, method, answer)


def _identity() -> tuple[str, Iterator[int]]:
    """Return our name and numbers for our requests.

    Both differ from process to process, so that an answer to a run that died is not ours; both keep their length, so
    that the same run takes the same time on a serial line.
    """
    number = os.getpid() % 10_000_000
    if not _numbers or _numbers[0][0] != number:
        _numbers[:] = [(number, itertools.count(FIRST_NUMBER + (number * 7919) % NUMBERS))]
    return f"hil-{number:07d}", _numbers[0][1]


_numbers: list[tuple[int, Iterator[int]]] = []  # one series a process: two objects must not use the same number


def _result(who: str, method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        raise UnitRefused(who, method, code if isinstance(code, int) else 0, redact(str(error.get("message", error))))
    if error is not None:
        raise UnitRefused(who, method, 0, redact(str(error)))
    if "result" not in answer:
        raise UnitRefused(who, method, NOT_JSON_RPC, "its answer has neither result nor error")
    return answer["result"]
