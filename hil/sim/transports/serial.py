"""An instrument on a serial line: a pseudo terminal, one line a message, LF or CR LF in, CR LF out.

A pseudo terminal has no baud rate and no modem lines: whatever the peer sets is fine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tempfile
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hil.sim.misbehaviour import Delivery, Saboteur
from hil.sim.transports.server import as_bytes

MOST_BYTES = 4096  # of a message without an end; then the line has lost its place


class Speaks(Protocol):
    """An instrument that answers one message at a time."""

    async def execute(self, message: str) -> str | bytes | None: ...


class SerialServer:
    """Serves whoever opens the terminal. It has no connections to count: a line is always plugged in."""

    def __init__(self, instrument: Speaks) -> None:
        self.instrument = instrument
        self.refused = False
        self.on_connections: Callable[[int], None] = lambda change: None
        self.resource = ""  # complete once the server has started
        self._ends: tuple[int, ...] = ()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._received = b""
        self._worker: asyncio.Task[None] | None = None
        self.saboteur = Saboteur(instrument)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def start(self, host: str = "") -> None:
        """Open a terminal; a serial line has no host. Its name stays, as of one in /dev/serial/by-id."""
        self._folder = tempfile.TemporaryDirectory(prefix="hil-serial-")
        self.resource = f"ASRL{self._name}::INSTR"
        self._plug_in()
        self._worker = asyncio.create_task(self._serve())

    @property
    def _name(self) -> Path:
        assert self._folder is not None, "it has not started"
        return Path(self._folder.name) / "tty"

    def _plug_in(self) -> None:
        ours, theirs = self._ends = pty.openpty()  # theirs stays open here too: a peer that leaves is no hang-up
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._name.unlink(missing_ok=True)
        self._name.symlink_to(os.ttyname(theirs))
        asyncio.get_running_loop().add_reader(ours, self._readable)

    def _readable(self) -> None:
        *lines, self._received = (self._received + os.read(self._ends[0], MOST_BYTES)).split(b"\n")
        if len(self._received) > MOST_BYTES:
            self._received = b""
        for line in lines:
            self._lines.put_nowait(line)

    async def _serve(self) -> None:
        while True:
            line = await self._lines.get()
            message = line.decode("latin-1").strip()
            self.saboteur.before(message)
            answer = await self.instrument.execute(message)
            if answer is not None and not self.refused:
                await self._deliver(self.saboteur.deliver(message, answer))

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.silent:
            return
        await asyncio.sleep(delivery.delay_s)
        if self._ends:
            with contextlib.suppress(BlockingIOError):  # nobody reads: the line's buffer is full, the rest is lost
                os.write(self._ends[0], as_bytes(delivery.data, b"\r\n" if delivery.ended else b""))
        if delivery.cut:
            self._lines, self._received = asyncio.Queue(), b""
            if delivery.reconnects:
                self._unplug()
                self._plug_in()
            else:
                self.die()

    def die(self) -> None:
        """Hang up at once: what pulling the plug does."""
        self.refused = True
        self._unplug()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _unplug(self) -> None:
        ends, self._ends = self._ends, ()
        if ends:
            asyncio.get_running_loop().remove_reader(ends[0])
        for end in ends:
            os.close(end)

    async def stop(self) -> None:
        """Hang up and wait until nothing is being answered."""
        self.die()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
