"""Modbus TCP: one request, one answer, in the order of arrival. What a register means is the instrument's matter.

Ref: MODBUS Application Protocol V1.1b3 (6.3, 6.4, 6.6, 6.12; 7 exceptions); MODBUS Messaging on TCP/IP Implementation
Guide V1.0b (3.1.3, the header). Written on asyncio: pymodbus' server has a data store of its own, and the answers here
are to be of the world's own moment. Misbehaviours are those of hil.sim.misbehaviour, as far as Modbus has them.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Protocol

from hil.sim.misbehaviour import GARBAGE, Delivery, Kind, Misbehaviour
from hil.sim.transports.server import LOOPBACK, Server, delay

READ_HOLDING, READ_INPUT, WRITE_SINGLE, WRITE_MULTIPLE = 3, 4, 6, 16
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
HEADER = struct.Struct(">HHHB")  # transaction, protocol, length from here on, unit
MOST_LENGTH = 254
MOST_READ, MOST_WRITTEN = 125, 123  # registers
QUIET_NAN = (0x0000, 0x7FC0)  # low word first


class Refusal(Exception):
    """A request that the instrument refuses, with its exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Registers(Protocol):
    """An instrument behind Modbus. Registers are numbered from 0, as on the wire."""

    def read(self, register: int, count: int) -> list[int]:
        """Return registers; raises Refusal."""
        ...

    def write(self, register: int, words: list[int]) -> None:
        """Set registers; raises Refusal."""
        ...

    def is_float(self, register: int) -> bool:
        """Return whether a number of 32 bits begins there."""
        ...

    def other_identity(self, register: int, words: list[int]) -> list[int]:
        """Return what another model would have in these registers."""
        ...


class ModbusSaboteur:
    """Sits between an instrument and its wire. Without anything armed it changes nothing."""

    def __init__(self, instrument: Registers) -> None:
        self._instrument = instrument
        self._armed: Misbehaviour | None = None
        self._skip = 0
        self.answered: list[str] = []  # requests, since it was armed
        self.acted = False  # since it was armed

    def arm(self, misbehaviour: Misbehaviour | None) -> None:
        """Misbehave from now on; None: behave."""
        self._armed, self.acted = misbehaviour, False
        self._skip = misbehaviour.skip if misbehaviour else 0
        self.answered = []

    def deliver(self, request: bytes, answer: bytes) -> Delivery:
        """Say how the answer to a request reaches the wire; both without their headers' first six bytes."""
        function, register = request[1], int.from_bytes(request[2:4], "big")
        self.answered.append(f"{function} {register}")
        if self._armed is None or self._skip:
            self._skip = max(0, self._skip - 1)
            return Delivery(answer)
        kind = self._armed.kind
        if kind in {Kind.NAN, Kind.WRONG_IDENTITY}:
            spoilt = self._spoilt(kind, function, register, answer)
            self.acted |= spoilt != answer
            if kind is Kind.NAN and self.acted:
                self._armed = None
            return Delivery(spoilt)
        late_s, self._armed, self.acted = self._armed.late_s, None, True
        match kind:
            case Kind.SILENT:
                return Delivery(b"", silent=True)
            case Kind.LATE:
                return Delivery(answer, delay_s=late_s)
            case Kind.EMPTY:
                return Delivery(answer[:2] + b"\0" if function <= READ_INPUT else answer[:2])
            case Kind.GARBAGE:
                return Delivery(GARBAGE, ended=False)
            case Kind.HALF_BLOCK:
                return Delivery(answer[: len(answer) // 2], ended=False)
            case Kind.QUEUE_ERROR:
                return Delivery(bytes((answer[0], function | 0x80, DEVICE_FAILURE)))
            case Kind.MISNUMBERED:
                return Delivery(answer, misnumbered=True)
            case Kind.CUT:
                return Delivery(answer[: len(answer) // 2], ended=False, cut=True)
            case Kind.RECONNECTS:
                return Delivery(answer[: len(answer) // 2], ended=False, cut=True, reconnects=True)
            case _:
                return Delivery(answer)

    def _spoilt(self, kind: Kind, function: int, register: int, answer: bytes) -> bytes:
        if function not in {READ_HOLDING, READ_INPUT} or answer[1] != function:
            return answer
        words = list(struct.unpack(f">{answer[2] // 2}H", answer[3:]))
        if kind is Kind.WRONG_IDENTITY:
            words = self._instrument.other_identity(register, words)
        elif len(words) == len(QUIET_NAN) and self._instrument.is_float(register):
            words = list(QUIET_NAN)
        return answer[:3] + struct.pack(f">{len(words)}H", *words)


class ModbusServer(Server):
    """Serves one unit: whatever unit identifier is asked for gets the answer, as of a server that is no gateway."""

    def __init__(self, instrument: Registers) -> None:
        super().__init__()
        self.instrument = instrument
        self.saboteur = ModbusSaboteur(instrument)

    @property
    def resource(self) -> str:
        """Where it is, complete once the server has started."""
        return f"modbus://{LOOPBACK}:{self.port}/1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            transaction, protocol, length, unit = HEADER.unpack(await reader.readexactly(HEADER.size))
            if protocol or not 2 <= length <= MOST_LENGTH:
                return  # this connection has lost its place
            request = bytes((unit,)) + await reader.readexactly(length - 1)
            answer = bytes((unit,)) + self._answer(request[1:])
            if self.refused:
                return
            await self._deliver(transaction, self.saboteur.deliver(request, answer), reader, writer)

    async def _deliver(
        self, transaction: int, delivery: Delivery, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if delivery.silent:
            return
        if delivery.delay_s:
            await delay(delivery.delay_s, reader)
        if delivery.misnumbered:
            transaction = transaction - 1 & 0xFFFF
        whole = len(delivery.data) if delivery.ended else 2 * len(delivery.data) + 1
        writer.write(struct.pack(">HHH", transaction, 0, whole) + delivery.data)
        if delivery.cut:
            self.cut(delivery.reconnects)
        else:
            await writer.drain()

    def _answer(self, request: bytes) -> bytes:
        function = request[0]
        try:
            return bytes((function,)) + self._done(function, request[1:])
        except Refusal as refusal:
            return bytes((function | 0x80, refusal.code))

    def _done(self, function: int, data: bytes) -> bytes:
        if function in {READ_HOLDING, READ_INPUT}:
            if len(data) != 4:
                raise Refusal(ILLEGAL_VALUE)
            register, count = struct.unpack(">HH", data)
            if not 1 <= count <= MOST_READ:
                raise Refusal(ILLEGAL_VALUE)
            words = self.instrument.read(register, count)
            return struct.pack(f">B{count}H", 2 * count, *words)
        if function == WRITE_SINGLE and len(data) == 4:
            register, word = struct.unpack(">HH", data)
            self.instrument.write(register, [word])
            return data
        if function == WRITE_MULTIPLE and len(data) >= 5:
            register, count, octets = struct.unpack(">HHB", data[:5])
            if not 1 <= count <= MOST_WRITTEN or octets != 2 * count or len(data) != 5 + octets:
                raise Refusal(ILLEGAL_VALUE)
            self.instrument.write(register, list(struct.unpack(f">{count}H", data[5:])))
            return data[:4]
        raise Refusal(ILLEGAL_VALUE if function in {WRITE_SINGLE, WRITE_MULTIPLE} else ILLEGAL_FUNCTION)
