"""A UDP socket on loopback that is emptied at once, in order."""

from __future__ import annotations

import asyncio
import socket

from hil.sim.transports.server import LOOPBACK

LARGEST = 65535
RESTART_S = 0.05
RECEIVE_BYTES = 1 << 20  # the system may give less


class DatagramServer:
    """Takes datagrams as long as it lives; dead, it keeps the port and says nothing."""

    def __init__(self) -> None:
        self.port = 0
        self.dead = False
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        """Where it listens, host:port."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self, host: str = LOOPBACK) -> int:
        """Listen on an ephemeral port of host and return it."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._socket.bind((host, self.port))
        self.port = int(self._socket.getsockname()[1])
        asyncio.get_running_loop().add_reader(self._socket, self.drain)
        return self.port

    def end(self) -> None:
        """Let the port go: the host answers for it that nobody listens."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def restart(self) -> None:
        """Let the port go, and take it again after RESTART_S of real time."""
        self.end()
        loop = asyncio.get_running_loop()
        loop.call_later(RESTART_S, lambda: loop.create_task(self.start()) if not self.dead else None)

    def die(self) -> None:
        """Answer no more."""
        self.dead = True

    async def stop(self) -> None:
        """Close the socket."""
        self.die()
        self.end()

    def drain(self) -> None:
        """Take everything that has arrived."""
        while self._socket is not None:
            try:
                data, peer = self._socket.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # a peer that went away before its answer came
            if not self.dead:
                self.received(data, peer)

    def received(self, data: bytes, peer: tuple[str, int]) -> None:
        """Take one datagram."""
        raise NotImplementedError

    def send(self, data: bytes, peer: tuple[str, int]) -> None:
        """Send one datagram; one that does not fit into the system's buffer is lost, as datagrams are."""
        if self._socket is not None:
            try:
                self._socket.sendto(data, peer)
            except (BlockingIOError, ConnectionError):
                return
