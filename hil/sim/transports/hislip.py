"""SCPI over HiSLIP 1.0 in synchronised mode: two connections a session, message ids, device clear, status byte.

Ref: IVI-6.1 High-Speed LAN Instrument Protocol, revision 1.0; what pyvisa-py uses of it: facts, instruments 1.5
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from enum import IntEnum

from hil.sim.misbehaviour import Delivery, Saboteur
from hil.sim.scpi import ScpiInstrument
from hil.sim.transports.server import LOOPBACK, Server, as_bytes

_HEADER = struct.Struct("!2sBBIQ")
_PROTOCOL = 0x0100  # version 1.0
_VENDOR = 0x4849  # "HI"; any two letters
_LARGEST = 1 << 20  # bytes a message, before the client names its own maximum


class Type(IntEnum):
    """Message types (table 4 of the protocol)."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    ASYNC_MAXIMUM_SIZE = 15
    ASYNC_MAXIMUM_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_STATUS = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


@dataclass(slots=True)
class _Message:
    type: int
    control: int
    parameter: int
    payload: bytes


@dataclass(slots=True)
class _Session:
    writer: asyncio.StreamWriter
    largest: int = _LARGEST
    received: bytearray = field(default_factory=bytearray)
    running: asyncio.Task[Delivery | None] | None = None
    clearing: bool = False
    unread: bool = False  # an answer went out that the client has not yet said it delivered


class HislipServer(Server):
    """One instrument as hislip0, any number of sessions."""

    def __init__(self, instrument: ScpiInstrument) -> None:
        super().__init__()
        self.instrument = instrument
        self.saboteur = Saboteur(instrument)
        self._sessions: dict[int, _Session] = {}
        self._last_id = 0
        self._lock_holder: int | None = None

    @property
    def resource(self) -> str:
        """The VISA resource string, complete once the server has started; pyvisa-py takes the port from the name."""
        return f"TCPIP::{LOOPBACK}::hislip0,{self.port}::INSTR"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await _receive(reader)
        if first.type == Type.INITIALIZE:
            self._last_id = self._last_id % 0xFFFF + 1
            session_id = self._last_id
            session = self._sessions[session_id] = _Session(writer)
            _send(writer, Type.INITIALIZE_RESPONSE, 0, _PROTOCOL << 16 | session_id)
            try:
                await self._synchronous(reader, session)
            finally:
                if session.running is not None:
                    session.running.cancel()
                del self._sessions[session_id]
                self._lock_holder = None if self._lock_holder == session_id else self._lock_holder
        elif first.type == Type.ASYNC_INITIALIZE and first.parameter in self._sessions:
            _send(writer, Type.ASYNC_INITIALIZE_RESPONSE, 0, _VENDOR)
            await self._asynchronous(reader, writer, first.parameter)
        else:
            _send(writer, Type.FATAL_ERROR, 3, 0, b"Invalid initialization sequence")

    async def _synchronous(self, reader: asyncio.StreamReader, session: _Session) -> None:
        while True:
            message = await _receive(reader)
            if message.type == Type.DEVICE_CLEAR_COMPLETE:
                session.received.clear()
                session.clearing = session.unread = False
                _send(session.writer, Type.DEVICE_CLEAR_ACKNOWLEDGE, 0, 0)
            elif session.clearing:
                continue  # what was under way when the client cleared is discarded
            elif message.type in {Type.DATA, Type.DATA_END}:
                session.unread = session.unread and not message.control & 1
                session.received += message.payload
                if message.type == Type.DATA_END:
                    text = session.received.decode("latin-1").strip()
                    session.received.clear()
                    await self._execute(session, text, message.parameter)
            elif message.type == Type.TRIGGER:
                await self._execute(session, "*TRG", message.parameter)
            else:
                _send(session.writer, Type.ERROR, 1, 0, b"Unrecognized message type")

    async def _execute(self, session: _Session, text: str, message_id: int) -> None:
        session.running = asyncio.ensure_future(self._answer(text))
        try:
            await asyncio.wait({session.running})
            if session.running.cancelled() or session.clearing:
                return
            delivery = session.running.result()
        finally:
            session.running = None
        if delivery is None or delivery.silent or self.refused:
            return
        data = as_bytes(delivery.data, b"\n" if delivery.ended else b"")
        if delivery.cut:
            session.writer.write(_HEADER.pack(b"HS", Type.DATA_END, 0, message_id, 2 * len(data) + 1) + data)
            self.cut(delivery.reconnects)
            return
        room = max(1, session.largest - _HEADER.size)
        for start in range(0, len(data), room):
            last = start + room >= len(data) and delivery.ended
            _send(session.writer, Type.DATA_END if last else Type.DATA, 0, message_id, data[start : start + room])
        session.unread = True
        await session.writer.drain()

    async def _answer(self, text: str) -> Delivery | None:
        self.saboteur.before(text)
        answer = await self.instrument.execute(text)
        delivery = None if answer is None else self.saboteur.deliver(text, answer)
        if delivery is not None:
            await asyncio.sleep(delivery.delay_s)
        return delivery

    async def _asynchronous(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session_id: int) -> None:
        while True:
            message = await _receive(reader)
            session = self._sessions.get(session_id)
            if session is None:
                return
            if message.type == Type.ASYNC_MAXIMUM_SIZE:
                session.largest = min(int.from_bytes(message.payload, "big"), _LARGEST)
                _send(writer, Type.ASYNC_MAXIMUM_SIZE_RESPONSE, 0, 0, _LARGEST.to_bytes(8, "big"))
            elif message.type == Type.ASYNC_STATUS:
                session.unread = session.unread and not message.control & 1
                _send(writer, Type.ASYNC_STATUS_RESPONSE, self.instrument.status_byte(session.unread), 0)
            elif message.type == Type.ASYNC_DEVICE_CLEAR:
                session.clearing = True
                if session.running is not None:
                    session.running.cancel()
                await self.instrument.abort()
                _send(writer, Type.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE, 0, 0)
            elif message.type == Type.ASYNC_LOCK:
                _send(writer, Type.ASYNC_LOCK_RESPONSE, self._lock(session_id, bool(message.control & 1)), 0)
            elif message.type == Type.ASYNC_LOCK_INFO:
                held = self._lock_holder is not None
                _send(writer, Type.ASYNC_LOCK_INFO_RESPONSE, int(held), int(held))
            elif message.type == Type.ASYNC_REMOTE_LOCAL:
                _send(writer, Type.ASYNC_REMOTE_LOCAL_RESPONSE, 0, 0)
            else:
                _send(writer, Type.ERROR, 1, 0, b"Unrecognized message type")

    def _lock(self, session_id: int, wanted: bool) -> int:
        """Take or release the exclusive lock: 0 failure, 1 success, 3 not the holder; advisory, as in pyvisa-py."""
        if wanted:
            if self._lock_holder not in {None, session_id}:
                return 0
            self._lock_holder = session_id
            return 1
        if self._lock_holder != session_id:
            return 3
        self._lock_holder = None
        return 1


async def _receive(reader: asyncio.StreamReader) -> _Message:
    prologue, kind, control, parameter, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if prologue != b"HS" or length > 16 * _LARGEST:
        raise ConnectionError("poorly formed HiSLIP header")
    return _Message(kind, control, parameter, await reader.readexactly(length) if length else b"")


def _send(writer: asyncio.StreamWriter, kind: int, control: int, parameter: int, payload: bytes = b"") -> None:
    writer.write(_HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload)
