"""The unit's network socket: a small HTTP/1.1 server that hands requests to the firmware, and lets /rpc upgrade.

When nobody listens on the board (no power, in reset, no network) the connection is closed without an answer.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from hil.sim.transports.server import Server
from hil.sim.websocket import PATH, serve_websocket

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.network.network import Network

MAX_BODY = 1 << 16  # bytes; the firmware has no room for more [A]
REPEATS_S = (1.0, 2.0)  # after these pauses TCP sends again what nobody acknowledged
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
REASONS |= {413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable"}


class HttpServer(Server):
    """Serves the board's HTTP, over Ethernet where a network is given, and keeps connections alive as HTTP/1.1 does."""

    def __init__(self, bench: Bench, network: Network | None = None) -> None:
        super().__init__()
        self._bench, self._network = bench, network
        self._via = "wifi" if network is None else "ethernet"

    @property
    def url(self) -> str:
        """The base URL, complete once the server has started."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _request(reader)) is not None:
            if request.upgrade and request.path == PATH:
                await serve_websocket(self._bench.unit, self._via, request.head, reader, writer)
                return
            body = request.body
            answer = (413, b"") if body is None else await self._answer(request.method, request.path, body)
            if answer is None:
                return  # nobody there: the peer sees the connection close
            status, payload = answer
            keep = request.keep and body is not None
            head = (
                f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(payload)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
            ).encode()
            if self._network is not None:
                self._network.converse(len(request.head) + len(body or b""), len(head) + len(payload))
            writer.write(head + (b"" if request.method == "HEAD" else payload))
            await writer.drain()
            if not keep:
                return

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Hand a request to the unit; while it joins the network, the client's TCP repeats itself."""
        for pause_s in REPEATS_S:
            if not self._bench.unit.joining(self._via):
                break
            await self._bench.world.wait(pause_s)
        return self._bench.unit.http(method, path, body, self._via)


class _Request(NamedTuple):
    """One request; body is None when it is too long, upgrade says that the peer asks for a WebSocket."""

    head: bytes
    method: str
    path: str
    body: bytes | None
    keep: bool
    upgrade: bool


async def _request(reader: asyncio.StreamReader) -> _Request | None:
    """Read one request; None at the connection's end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if not re.fullmatch("[0-9]{1,9}", length):
        return None
    keep = headers.get("connection", "keep-alive").lower() != "close" and words[2] == "HTTP/1.1"
    body = await reader.readexactly(int(length)) if int(length) <= MAX_BODY else None
    upgrade = headers.get("upgrade", "").lower() == "websocket"
    return _Request(head, words[0], words[1], body, keep, upgrade)
