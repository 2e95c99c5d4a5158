"""SCPI over a raw TCP socket: one line a message, LF or CR LF. There is no way to clear the device or to poll it."""

from __future__ import annotations

import asyncio

from hil.sim.misbehaviour import Delivery, Saboteur
from hil.sim.scpi import ScpiInstrument
from hil.sim.transports.server import LOOPBACK, Server, as_bytes, delay


class RawServer(Server):
    """A line server; with single=True a second connection is closed while the first one lasts."""

    def __init__(self, instrument: ScpiInstrument, single: bool = False, ending: bytes = b"\n") -> None:
        super().__init__()
        self.instrument, self.single, self.ending = instrument, single, ending
        self.saboteur = Saboteur(instrument)
        self._open = 0

    @property
    def resource(self) -> str:
        """The VISA resource string, complete once the server has started."""
        return f"TCPIP::{LOOPBACK}::{self.port}::SOCKET"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.single and self._open:
            return
        self._open += 1
        try:
            while line := await _line(reader):
                if not line.endswith(b"\n"):
                    return  # the peer went away in the middle of a message
                message = line.decode("latin-1").strip()
                self.saboteur.before(message)
                answer = await self.instrument.execute(message)
                if self.refused:
                    return
                if answer is not None:
                    await self._deliver(self.saboteur.deliver(message, answer), reader, writer)
        finally:
            self._open -= 1

    async def _deliver(self, delivery: Delivery, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if delivery.silent:
            return
        if delivery.delay_s:
            await delay(delivery.delay_s, reader)
        writer.write(as_bytes(delivery.data, self.ending if delivery.ended else b""))
        if delivery.cut:
            self.cut(delivery.reconnects)
        else:
            await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        return b""  # longer than the input buffer: this connection has lost its place
