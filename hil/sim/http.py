"""The unit's network socket: a small HTTP/1.1 server that hands requests to the firmware.

When nobody listens on the board (no power, in reset) the connection is closed without an answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hil.sim.transports.server import Server

if TYPE_CHECKING:
    from hil.sim.bench import Bench

MAX_BODY = 1 << 16  # bytes; the firmware has no room for more [A]
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
REASONS |= {413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable"}


class HttpServer(Server):
    """Serves the board's HTTP, keeping connections alive as HTTP/1.1 does."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    @property
    def url(self) -> str:
        """The base URL, complete once the server has started."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _request(reader)) is not None:
            method, path, body, keep = request
            answer = (413, b"") if body is None else self._bench.unit.http(method, path, body)
            if answer is None:
                return  # nobody there: the peer sees the connection close
            status, payload = answer
            keep = keep and body is not None
            head = (
                f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(payload)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
            )
            writer.write(head.encode() + (b"" if method == "HEAD" else payload))
            await writer.drain()
            if not keep:
                return


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, bytes | None, bool] | None:
    """Read one request: method, path, body (None: too long), and whether to keep the connection; None at its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if not length.isdigit():
        return None
    keep = headers.get("connection", "keep-alive").lower() != "close" and words[2] == "HTTP/1.1"
    body = await reader.readexactly(int(length)) if int(length) <= MAX_BODY else None
    return words[0], words[1], body, keep
