"""The USB cable of the simulated fixture: a virtual FT4232H behind a socket, one request and one answer a transfer.

A host joins with a pyusb backend of its own (hil.links.remote_usb is one). The wire, little endian:

    request  op u8, kind u8 (bmRequestType or endpoint), request u8, pad, value u16, index u16,
             handle u32, in_length u32, timeout_ms u32, out_length u32, then out_length bytes
    answer   status i32 (bytes moved, a handle, or minus a Linux error number), length u32, then length bytes

Time: every transfer takes a micro-frame of bench time, an MPSSE buffer its clock time, an empty IN the latency period.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable
from typing import Protocol

from hil.sim.ftdi_chip import DEVICE_DESCRIPTOR, PIPE, Ft4232h
from hil.sim.ftdi_port import MICRO_FRAME_S
from hil.sim.ftdi_wires import FixturePins

REQUEST = struct.Struct("<BBBxHHIIII")
ANSWER = struct.Struct("<iI")
DEVICE = struct.Struct("<HHHH")  # bus, address, lengths of the two descriptors that follow
ENUMERATE, OPEN, CLOSE, CLAIM, RELEASE, CONTROL, BULK_OUT, BULK_IN, RESET = range(9)
NO_DEVICE, BUSY, IO_ERROR = -19, -16, -5
STATUS_BYTES = 2  # of a bulk IN that brings no data
HELD_INTERFACE = 2  # port 3, the console: what a terminal program would hold
ANOTHER_SERIAL = "HILFIX02"
LOOSE_S = 0.5  # a loose cable: until the device is there again


class World(Protocol):
    """What the cable needs of the world."""

    real_time: bool

    @property
    def now_s(self) -> float: ...
    def advance_to(self, t_s: float) -> None: ...
    def at(self, t_s: float, action: Callable[[], None]) -> object: ...
    async def wait_until(self, t_s: float) -> None: ...


class Bench(Protocol):
    """What the cable needs of the bench."""

    @property
    def fixture(self) -> FixturePins: ...


class UsbServer:
    """Serves the virtual FT4232H; one connection is one host process, and interfaces are claimed by one at a time."""

    def __init__(self, world: World, bench: Bench, serial: str = "HILFIX01") -> None:
        self.world = world
        self.chip = Ft4232h(world, bench.fixture, serial)
        self.claims: dict[int, tuple[object, int]] = {}  # interface -> (connection, handle)
        self.handles = itertools.count(1)
        self.loses = self.held = False
        self._address = 1
        self._plugged = True
        self._server: asyncio.Server | None = None
        self._hosts: set[_Host] = set()

    async def start(self, host: str = "127.0.0.1") -> int:
        """Listen on a free port and return it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Host(self, self._hosts), host, 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every host."""
        for host in tuple(self._hosts):
            host.drop()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def unplug(self) -> None:
        """Pull the cable: every transfer fails, the device is gone from the bus and without power."""
        if self._plugged:
            self._plugged = False
            self.claims.clear()
            self.chip.power(on=False)

    def plug(self) -> None:
        """Plug it in again: it gets a new address, and handles from before stay dead."""
        if not self._plugged:
            self._plugged, self._address = True, self._address + 1
            self.chip.power(on=True)

    def begin_fault(self, name: str) -> None:
        """Misbehave as a fault by name says; other names are none of ours."""
        match name:
            case "bench-fixture-unplugged":
                self.unplug()
            case "bench-fixture-replugged":
                self.unplug()
                self.world.at(self.world.now_s + LOOSE_S, self.plug)
            case "bench-fixture-wrong-serial":
                self.unplug()
                self.chip.serial = ANOTHER_SERIAL
                self.plug()
            case "bench-fixture-short-read":
                self.loses = True
            case "bench-fixture-busy":
                self.held = True

    def lose(self, data: bytes) -> bytes:
        """Return what reaches the host of a bulk IN: all, or once, when it should be short, the first half."""
        if not self.loses or len(data) <= STATUS_BYTES:
            return data
        self.loses = False
        return data[: STATUS_BYTES + (len(data) - STATUS_BYTES) // 2]

    @property
    def address(self) -> int:
        """Return the device's address on the bus; 0 while it is not there."""
        return self._address if self._plugged else 0


class _Host(asyncio.Protocol):
    """One connected host: its open handles and what it has sent."""

    def __init__(self, server: UsbServer, hosts: set[_Host]) -> None:
        self._server, self._hosts = server, hosts
        self._buffer = bytearray()
        self._opened: dict[int, int] = {}  # handle -> the address it was opened at
        self._address = 0  # of the device when the transfer in flight began
        self._transport: asyncio.Transport | None = None
        self._slow: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._hosts.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hosts.discard(self)
        if self._slow:
            self._slow.cancel()
        for interface, (host, _) in tuple(self._server.claims.items()):
            if host is self:
                del self._server.claims[interface]

    def drop(self) -> None:
        """Close this connection."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._slow is None and len(self._buffer) >= REQUEST.size:
            fields = REQUEST.unpack_from(self._buffer)
            end = REQUEST.size + fields[-1]
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[REQUEST.size : end])
            del self._buffer[:end]
            self._serve(fields, payload)

    def _serve(self, fields: tuple[int, ...], payload: bytes) -> None:
        op, kind, request, value, index, handle, in_length, timeout_ms, _ = fields
        server, chip, world = self._server, self._server.chip, self._server.world
        self._address = server.address
        if op == ENUMERATE:
            self._send(0, self._devices())
        elif not server.address or (op != OPEN and self._opened.get(handle) != server.address):
            self._send(NO_DEVICE)
        elif op == OPEN:
            handle = next(server.handles)
            self._opened[handle] = server.address
            self._send(handle)
        elif op == CLOSE:
            self._release(handle)
            del self._opened[handle]
            self._send(0)
        elif op == CLAIM:
            free = index not in server.claims and not (server.held and index == HELD_INTERFACE)
            if free:
                server.claims[index] = (self, handle)
            self._send(0 if server.claims.get(index) == (self, handle) else BUSY)
        elif op == RELEASE:
            self._release(handle, index)
            self._send(0)
        elif op == CONTROL:
            status, data = chip.control(kind, request, value, index, in_length)
            self._send_at(world.now_s + MICRO_FRAME_S, status, data)
        elif op == BULK_OUT:
            done_s, status = chip.bulk_out(kind, payload, timeout_ms * 1e-3)
            self._send_at(done_s, status)
        elif op == BULK_IN:
            self._send_at(chip.bulk_in_ready_s(kind), in_length, None, kind)
        elif op == RESET:
            for port in chip.ports:
                port.set_mode(0, 0)
            self._send(0)
        else:
            self._send(PIPE)

    def _send_at(self, t_s: float, status: int, data: bytes | None = b"", endpoint: int = 0) -> None:
        """Answer when the transfer ends; data None means: fetch up to status bytes from the endpoint then."""
        if self._server.world.real_time:
            self._slow = asyncio.get_running_loop().create_task(self._send_later(t_s, status, data, endpoint))
        else:
            self._server.world.advance_to(t_s)
            self._send_result(status, data, endpoint)

    async def _send_later(self, t_s: float, status: int, data: bytes | None, endpoint: int) -> None:
        await self._server.world.wait_until(t_s)
        self._send_result(status, data, endpoint)
        self._slow = None
        self.data_received(b"")  # go on with what came meanwhile

    def _send_result(self, status: int, data: bytes | None, endpoint: int) -> None:
        if self._server.address != self._address:  # pulled in mid-transfer
            self._send(IO_ERROR)
            return
        if data is None:
            data = self._server.lose(self._server.chip.bulk_in(endpoint, status))
            status = len(data)
        self._send(status, data)

    def _send(self, status: int, data: bytes = b"") -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(ANSWER.pack(status, len(data)) + data)

    def _devices(self) -> bytes:
        if not self._server.address:
            return b""
        configuration = self._server.chip.configuration
        head = DEVICE.pack(1, self._server.address, len(DEVICE_DESCRIPTOR), len(configuration))
        return head + DEVICE_DESCRIPTOR + configuration

    def _release(self, handle: int, interface: int | None = None) -> None:
        for number, owner in tuple(self._server.claims.items()):
            if owner == (self, handle) and interface in {None, number}:
                del self._server.claims[number]
