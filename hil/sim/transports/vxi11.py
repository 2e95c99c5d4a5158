"""SCPI over VXI-11: ONC-RPC on TCP, the core channel only. The server honours the client's io_timeout.

Ref: VXI-11 TCP/IP Instrument Protocol, revision 1.0; RFC 1831 and 1832; sufficiency: facts, instruments 1.5
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from hil.sim.misbehaviour import Delivery, Saboteur
from hil.sim.scpi import ScpiInstrument
from hil.sim.transports.server import LOOPBACK, Server, as_bytes

_CORE_PROGRAM, _CORE_VERSION = 0x0607AF, 1
_LAST_FRAGMENT = 0x80000000
_LARGEST = 1 << 20  # bytes the instrument takes in one write
_FLAG_WAIT_LOCK, _FLAG_END, _FLAG_TERMINATOR = 1, 8, 128
_REASON_COUNT, _REASON_CHARACTER, _REASON_END = 1, 2, 4


class Error(IntEnum):
    """Device error codes (table B.2)."""

    NONE = 0
    INVALID_LINK = 4
    UNSUPPORTED = 8
    LOCKED = 11
    NO_LOCK = 12
    IO_TIMEOUT = 15


@dataclass(slots=True)
class _Link:
    received: bytearray = field(default_factory=bytearray)
    answer: bytes = b""
    running: asyncio.Task[None] | None = None
    delivery: Delivery | None = None  # of the answer, where it misbehaves


class Vxi11Server(Server):
    """One instrument as inst0, any number of links."""

    def __init__(self, instrument: ScpiInstrument) -> None:
        super().__init__()
        self.instrument = instrument
        self.saboteur = Saboteur(instrument)
        self._cut: Delivery | None = None  # the reply being made breaks off
        self._links: dict[int, _Link] = {}
        self._last_id = 0
        self._lock_holder: int | None = None
        self._procedures: dict[int, Callable[[Any, _Arguments], Coroutine[Any, Any, bytes | None]]] = {
            10: Vxi11Server._create_link,
            11: Vxi11Server._write,
            12: Vxi11Server._read,
            13: Vxi11Server._status_byte,
            14: Vxi11Server._trigger,
            15: Vxi11Server._clear,
            16: Vxi11Server._remote_local,
            17: Vxi11Server._remote_local,
            18: Vxi11Server._lock,
            19: Vxi11Server._unlock,
            23: Vxi11Server._destroy_link,
        }

    @property
    def resource(self) -> str:
        """The VISA resource string, complete once the server has started; with the port, no port mapper is asked."""
        return f"TCPIP::{LOOPBACK},{self.port}::inst0::INSTR"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: set[int] = set()
        try:
            while True:
                call = _Arguments(await _record(reader))
                transaction, kind, version, program, program_version, procedure = call.unsigned(6)
                call.skip_credentials()
                header = struct.pack("!6I", transaction, 1, 0, 0, 0, 0)  # reply, accepted, no verifier, success
                if kind != 0 or version != 2 or program != _CORE_PROGRAM:
                    body: bytes | None = b""
                    header = struct.pack("!6I", transaction, 1, 0, 0, 0, 1)  # program unavailable
                elif program_version != _CORE_VERSION or (procedure and procedure not in self._procedures):
                    body, header = b"", struct.pack("!6I", transaction, 1, 0, 0, 0, 3)  # procedure unavailable
                else:
                    before = set(self._links)
                    body = await self._procedures[procedure](self, call) if procedure else b""
                    mine |= set(self._links) - before
                if self.refused:
                    return
                if body is None:
                    continue
                reply = header + body
                record = struct.pack("!I", _LAST_FRAGMENT | len(reply)) + reply
                if self._cut is not None:
                    cut, self._cut = self._cut, None
                    writer.write(record[: len(record) // 2])
                    self.cut(cut.reconnects)
                    return
                writer.write(record)
                await writer.drain()
        finally:
            for link_id in mine:
                self._forget(link_id)

    def _forget(self, link_id: int) -> None:
        link = self._links.pop(link_id, None)
        if link is not None and link.running is not None:
            link.running.cancel()
        if self._lock_holder == link_id:
            self._lock_holder = None

    async def _create_link(self, call: _Arguments) -> bytes:
        _client, lock_wanted, _lock_timeout = call.unsigned(3)
        call.opaque()  # the device name: there is only one
        if lock_wanted and self._lock_holder is not None:
            return struct.pack("!4I", Error.LOCKED, 0, 0, _LARGEST)
        self._last_id += 1
        self._links[self._last_id] = _Link()
        self._lock_holder = self._last_id if lock_wanted else self._lock_holder
        return struct.pack("!4I", Error.NONE, self._last_id, 0, _LARGEST)

    async def _usable(self, link_id: int, flags: int, lock_timeout_ms: int) -> Error:
        if link_id not in self._links:
            return Error.INVALID_LINK
        if self._lock_holder in {None, link_id}:
            return Error.NONE
        end_s = asyncio.get_running_loop().time() + lock_timeout_ms / 1e3
        while flags & _FLAG_WAIT_LOCK and asyncio.get_running_loop().time() < end_s:
            await asyncio.sleep(0.005)
            if self._lock_holder in {None, link_id}:
                return Error.NONE
        return Error.LOCKED

    async def _write(self, call: _Arguments) -> bytes:
        link_id, io_timeout_ms, lock_timeout_ms, flags = call.unsigned(4)
        data = call.opaque()
        error = await self._usable(link_id, flags, lock_timeout_ms)
        if error:
            return struct.pack("!2I", error, 0)
        link = self._links[link_id]
        if link.running is not None and not await _done(link.running, io_timeout_ms):
            return struct.pack("!2I", Error.IO_TIMEOUT, 0)  # still busy with the message before
        if link.answer:
            link.answer = b""  # IEEE 488.2, 6.3.2.3: a new message before the answer was read
            self.instrument.push(-410)
        link.received += data
        if flags & _FLAG_END or data.endswith(b"\n"):
            message = link.received.decode("latin-1").strip()
            link.received.clear()
            link.delivery = None
            link.running = asyncio.ensure_future(self._execute(link, message))
            await asyncio.sleep(0)  # an instrument that needs no time has its answer ready now
        return struct.pack("!2I", Error.NONE, len(data))

    async def _execute(self, link: _Link, message: str) -> None:
        self.saboteur.before(message)
        answer = await self.instrument.execute(message)
        if answer is None:
            link.answer = b""
            return
        delivery = self.saboteur.deliver(message, answer)
        await asyncio.sleep(delivery.delay_s)
        link.delivery = delivery
        link.answer = as_bytes(delivery.data, b"\n" if delivery.ended else b"")

    async def _read(self, call: _Arguments) -> bytes | None:
        link_id, size, io_timeout_ms, lock_timeout_ms, flags, terminator = call.unsigned(6)
        error = await self._usable(link_id, flags, lock_timeout_ms)
        if error:
            return struct.pack("!3I", error, 0, 0)
        link = self._links[link_id]
        if not link.answer:
            started_s = asyncio.get_running_loop().time()
            if link.running is not None and not link.running.done():
                await _done(link.running, io_timeout_ms)
            elif link.delivery is None or link.delivery.ended:
                self.instrument.push(-420)
            if not link.answer and not (link.delivery is not None and link.delivery.cut):
                left_s = io_timeout_ms / 1e3 - (asyncio.get_running_loop().time() - started_s)
                await asyncio.sleep(max(0.0, left_s))
                return struct.pack("!3I", Error.IO_TIMEOUT, 0, 0)
        delivery = link.delivery or Delivery(b"")
        if delivery.silent:
            link.answer = b""
            return None
        self._cut = delivery if delivery.cut else None
        end, reason = min(size, len(link.answer)), 0
        if flags & _FLAG_TERMINATOR and (at := link.answer.find(terminator & 0xFF, 0, end)) >= 0:
            end, reason = at + 1, _REASON_CHARACTER
        data, link.answer = link.answer[:end], link.answer[end:]
        reason |= (_REASON_END if delivery.ended and not link.answer else 0) | (_REASON_COUNT if end == size else 0)
        return struct.pack("!2I", Error.NONE, reason) + _opaque(data)

    async def _status_byte(self, call: _Arguments) -> bytes:
        link_id, flags, lock_timeout_ms, _ = call.unsigned(4)
        error = await self._usable(link_id, flags, lock_timeout_ms)
        available = not error and bool(self._links[link_id].answer)
        return struct.pack("!2I", error, 0 if error else self.instrument.status_byte(available))

    async def _trigger(self, call: _Arguments) -> bytes:
        link_id, flags, lock_timeout_ms, _ = call.unsigned(4)
        error = await self._usable(link_id, flags, lock_timeout_ms)
        if not error:
            await self.instrument.execute("*TRG")
        return struct.pack("!I", error)

    async def _clear(self, call: _Arguments) -> bytes:
        link_id, flags, lock_timeout_ms, _ = call.unsigned(4)
        error = await self._usable(link_id, flags, lock_timeout_ms)
        if not error:
            link = self._links[link_id]
            if link.running is not None:
                link.running.cancel()
                link.running = None
            link.received.clear()
            link.answer, link.delivery = b"", None
            await self.instrument.abort()
        return struct.pack("!I", error)

    async def _remote_local(self, call: _Arguments) -> bytes:
        link_id, flags, lock_timeout_ms, _ = call.unsigned(4)
        return struct.pack("!I", await self._usable(link_id, flags, lock_timeout_ms))

    async def _lock(self, call: _Arguments) -> bytes:
        link_id, flags, lock_timeout_ms = call.unsigned(3)
        error = await self._usable(link_id, flags, lock_timeout_ms)
        if not error:
            self._lock_holder = link_id
        return struct.pack("!I", error)

    async def _unlock(self, call: _Arguments) -> bytes:
        (link_id,) = call.unsigned(1)
        if self._lock_holder != link_id:
            return struct.pack("!I", Error.NO_LOCK if link_id in self._links else Error.INVALID_LINK)
        self._lock_holder = None
        return struct.pack("!I", Error.NONE)

    async def _destroy_link(self, call: _Arguments) -> bytes:
        (link_id,) = call.unsigned(1)
        known = link_id in self._links
        self._forget(link_id)
        return struct.pack("!I", Error.NONE if known else Error.INVALID_LINK)


class _Arguments:
    """Reads XDR: 32-bit words and opaque data padded to 4 bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def unsigned(self, count: int) -> tuple[int, ...]:
        if self._at + 4 * count > len(self._data):
            raise ConnectionError("short VXI-11 call")
        words = struct.unpack_from(f"!{count}I", self._data, self._at)
        self._at += 4 * count
        return words

    def opaque(self) -> bytes:
        (length,) = self.unsigned(1)
        data = self._data[self._at : self._at + length]
        self._at += length + -length % 4
        return data

    def skip_credentials(self) -> None:
        for _ in range(2):
            self.unsigned(1)
            self.opaque()


def _opaque(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data + bytes(-len(data) % 4)


async def _record(reader: asyncio.StreamReader) -> bytes:
    """Read one record: fragments with a 4-byte header whose top bit marks the last."""
    record = b""
    while True:
        (mark,) = struct.unpack("!I", await reader.readexactly(4))
        length = mark & ~_LAST_FRAGMENT
        if length + len(record) > 4 * _LARGEST or (not length and not mark):
            raise ConnectionError("VXI-11 record too long")
        record += await reader.readexactly(length)
        if mark & _LAST_FRAGMENT:
            return record


async def _done(task: asyncio.Task[None], timeout_ms: int) -> bool:
    done, _ = await asyncio.wait({task}, timeout=timeout_ms / 1e3)
    for finished in done:
        if not finished.cancelled():
            finished.result()  # a fault of the model's own code ends the connection, loudly
    return bool(done)
