"""What the servers of all transports share: a listening socket on loopback, live connections, and an end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"  # nothing of the simulated bench is ever reachable from elsewhere


class Server:
    """Serves connections until it is stopped; then it drops them all and refuses new ones."""

    def __init__(self) -> None:
        self.port = 0
        self.refused = False
        self.on_connections: Callable[[int], None] = lambda change: None  # told +1 and -1
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = LOOPBACK) -> int:
        """Listen on an ephemeral port of host and return it."""
        self._server = await asyncio.start_server(self._connected, host, 0, limit=1 << 20)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    def die(self) -> None:
        """Drop every connection at once and refuse new ones: what pulling the plug does."""
        self.refused = True
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def cut(self, reconnects: bool) -> None:
        """Drop every connection at once; refuse new ones, unless it reconnects."""
        if not reconnects:
            self.die()
        for writer in list(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        """Stop serving and wait until every connection has ended."""
        self.die()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        raise NotImplementedError

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refused:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writers.add(writer)
        self._tasks.add(task)
        self.on_connections(+1)
        try:
            # a peer that goes away is no event here; a message too long for the buffer ends the connection
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self.serve(reader, writer)
        except asyncio.CancelledError:
            if not self.refused:
                raise
        finally:
            self.on_connections(-1)
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def as_bytes(answer: str | bytes, ending: bytes = b"\n") -> bytes:
    """Return an answer as it goes on the wire, with its ending."""
    return (answer if isinstance(answer, bytes) else answer.encode("latin-1")) + ending


async def delay(duration_s: float, reader: asyncio.StreamReader) -> None:
    """Wait in real time, or until the peer has gone: a late answer is for the connection it was asked on."""
    end_s = asyncio.get_running_loop().time() + duration_s
    while (left_s := end_s - asyncio.get_running_loop().time()) > 0.0 and not reader.at_eof():
        await asyncio.sleep(min(0.01, left_s))
