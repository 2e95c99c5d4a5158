"""An event loop whose time jumps instead of passing, and a stream whose peer has said all it had to say."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import Coroutine
from typing import Any


class Jumps(selectors.DefaultSelector):
    """Never waits: what would have been waited is added to the loop's time."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen: the server waits for nobody")
        self.ahead_s += max(0.0, timeout)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Runs a server for hours in no time."""

    def __init__(self) -> None:
        self._jumps = Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return super().time() + self._jumps.ahead_s


class Writer:
    """What a server writes to: it keeps it, and is never full."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.transport = self

    def write(self, data: bytes) -> None:
        self.sent += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def close(self) -> None: ...

    def abort(self) -> None: ...


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run work to its end, and see to it that nothing that it started failed unseen."""
    loop = JumpingLoop()
    unseen: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    try:
        result = loop.run_until_complete(work)
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
    for context in unseen:
        raise context.get("exception") or AssertionError(context["message"])
    return result


async def serve(server: Any, data: bytes) -> bytes:
    """Let a server serve one connection that brings data and ends; return what it answered."""
    reader = asyncio.StreamReader(limit=1 << 20)
    reader.feed_data(data)
    reader.feed_eof()
    writer = Writer()
    # what Server._connected takes for the end of a connection
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await server.serve(reader, writer)
    return bytes(writer.sent)
