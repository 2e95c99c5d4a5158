"""What pyvisa-py's sockets lack: they say when the peer has closed, and none is left open by an open that failed."""

from __future__ import annotations

import socket


class PeerClosed(ConnectionError):
    """The other end closed the connection."""

    def __str__(self) -> str:
        return "the instrument closed the connection"


class HonestSocket(socket.socket):
    """A socket that says so when its peer has closed: pyvisa-py takes no bytes for no bytes yet, and spins."""

    @classmethod
    def of(cls, plain: socket.socket) -> HonestSocket:
        """Take over a socket."""
        timeout_s = plain.gettimeout()
        honest = cls(fileno=plain.detach())
        honest.settimeout(timeout_s)
        return honest

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        if not data and size:
            raise PeerClosed
        return data


def close_leaked_sockets(error: BaseException | None) -> None:
    """Close what pyvisa-py leaves open when an open fails: its sockets hang on nothing but the traceback."""
    while error is not None:
        step = error.__traceback__
        while step is not None:
            holder = step.tb_frame.f_locals.get("self")
            for value in vars(holder).values() if hasattr(holder, "__dict__") else ():
                if isinstance(value, socket.socket):
                    value.close()
            step = step.tb_next
        error = error.__cause__ or error.__context__
