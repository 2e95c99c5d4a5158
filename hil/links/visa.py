"""VISA through pyvisa-py, with its defects contained.

tests/links/test_pyvisa_py.py pins every defect that is worked round here, so that an upgrade tells us. In short: an
open proves nothing; TCP_NODELAY is off; a late answer is taken for the next one; a dead peer is a busy loop; some
transports return an empty string; anything from OSError to a bare Exception comes out. Facts: instruments, chapter 1.

A link whose connection broke stays dead: every later use raises NotConnected. The instrument may have been restarted
and have lost its settings, so to connect again and measure on would be to guess. Whoever must make the bench safe opens
a new link and a new driver, and drivers' off() needs nothing that was set before. A question that was not answered, or
badly, leaves the link alive: it is cleared, or opened again, so that no answer of before can be taken for a later one.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

from hil.errors import BadAnswer, HilError, NoAnswer, NotConnected
from hil.interrupt import uninterrupted
from hil.links.honest_socket import HonestSocket, PeerClosed, close_leaked_sockets
from hil.links.scpi import check_message, parse_block

ENCODING = "latin-1"  # every byte is a character: a stray 0xB5 must not be a UnicodeError
TEXT_BYTES, BLOCK_BYTES = 1 << 16, 1 << 20
VXI11_BYTES = 1 << 24  # an answer that is an exact multiple of what is asked for times out: ask for more than any has

SENTINEL = "*IDN?"
REOPEN_STEP_S = 0.05
SENTINEL_LINES = 20  # more lines than any instrument owes us

_manager: Any = None
_manager_lock = threading.Lock()


class Kind(Enum):
    """What carries the session."""

    SOCKET = "raw socket"
    HISLIP = "HiSLIP"
    VXI11 = "VXI-11"
    SERIAL = "serial"
    OTHER = "other"

    @classmethod
    def of(cls, resource: str) -> Kind:
        """Tell from the resource string."""
        parts = resource.upper().split("::")
        if parts[0].startswith("ASRL"):
            return cls.SERIAL
        if not parts[0].startswith("TCPIP"):
            return cls.OTHER
        if parts[-1] == "SOCKET":
            return cls.SOCKET
        return cls.HISLIP if any(part.startswith("HISLIP") for part in parts) else cls.VXI11


class VisaLink:
    """One session to one instrument. Deadlines are real time: a socket knows no other."""

    def __init__(
        self,
        who: str,
        resource: str,
        *,
        timeout_s: float = 2.0,
        read_termination: str = "\n",
        write_termination: str = "\n",
        open_timeout_s: float = 5.0,
        baud_rate: int = 9600,
        sentinel: str = SENTINEL,
        identity: str = "",
    ) -> None:
        """Open a session; sentinel is the question for its identity, where that is not `*IDN?`.

        On a serial line with an identity, a pattern, it is asked at once: a late answer to who spoke there before may
        still come, and would be taken for ours.
        """
        self.who, self.where, self._sentinel = who, resource, sentinel
        self.kind = Kind.of(resource)
        self._timeout_s, self._open_timeout_s, self._baud_rate = timeout_s, open_timeout_s, baud_rate
        self._read_termination, self._write_termination = read_termination, write_termination
        self._lock = threading.RLock()  # a session is not thread safe: two threads got each other's answers
        self._dead = ""
        self._suspect = False
        self._identity = identity  # what the sentinel answers: a pattern
        self._resource: Any = None
        with self._lock, self._errors("open"):
            self._open()
            if self.kind is Kind.SERIAL and identity:
                self._find_sentinel()

    def tell(self, message: str) -> None:
        """Send a message that has no answer."""
        with self._lock, self._errors(message):
            self._send(message)

    def ask(self, message: str) -> str:
        """Send a message and return its answer, stripped; it is never empty."""
        with self._lock, self._errors(message):
            self._send(message)
            self._await_answer()
            text = bytes(self._resource.read_raw(self._chunk_bytes(TEXT_BYTES))).decode(ENCODING).strip()
            if not text:
                raise BadAnswer(self.who, message, text, "empty")
            if message == self._sentinel and not self._identity:
                self._identity = re.escape(text)
            return text

    def ask_block(self, message: str) -> bytes:
        """Send a message and return the payload of its definite-length block."""
        with self._lock, self._errors(message):
            self._send(message)
            self._await_answer()
            if self.kind in {Kind.SOCKET, Kind.SERIAL}:
                return self._read_stream_block(message)
            return parse_block(self.who, message, bytes(self._resource.read_raw(self._chunk_bytes(BLOCK_BYTES))))

    def close(self) -> None:
        """Close the session; the instrument stays as it is. Safe at any time, any number of times."""
        with self._lock:
            self._hang_up()
            self._dead = self._dead or "this link was closed"

    # -- one message ---------------------------------------------------------------------------------------------------

    def _send(self, message: str) -> None:
        if self._dead:
            raise NotConnected(self.who, self.where, self._dead)
        if self._suspect:  # an interrupt fell between a question and its answer
            self._resynchronise()
            if self._dead:
                raise NotConnected(self.who, self.where, self._dead)
        stale = self._unread()
        if stale.strip():
            raise BadAnswer(
                self.who, message, stale.decode(ENCODING), "it came before the question: late, or two answers"
            )
        self._resource.write_raw((message + self._write_termination).encode(ENCODING))

    def _unread(self) -> bytes:
        """Take what lies there unread. HiSLIP and VXI-11 tell stale answers apart by themselves."""
        if self.kind is Kind.SOCKET:
            session = self._session()
            stale = bytes(session._pending_buffer)
            session._pending_buffer.clear()
            if select.select([session.interface], [], [], 0)[0]:
                stale += session.interface.recv(TEXT_BYTES)
            return stale
        if self.kind is Kind.SERIAL:
            interface = self._session().interface
            waiting = interface.in_waiting
            return bytes(interface.read(waiting)) if waiting else b""
        return b""

    def _await_answer(self) -> None:
        """Wait for the first byte ourselves on a raw socket: pyvisa-py spins at 100 % CPU when the peer is dead."""
        if self.kind is not Kind.SOCKET:
            return
        interface = self._session().interface
        if not select.select([interface], [], [], self._timeout_s)[0]:
            raise TimeoutError
        interface.recv(1, socket.MSG_PEEK)

    def _read_stream_block(self, message: str) -> bytes:
        """Read a block where no message end is marked: byte 10 in it is data, byte 10 after it the terminator."""
        from pyvisa.constants import ResourceAttribute

        head = self._resource.read_bytes(2)
        digits = int(head[1:2]) if head[:1] == b"#" and head[1:2].isdigit() else 0
        if not digits:
            raise BadAnswer(self.who, message, head.decode(ENCODING), "no definite-length block")
        length = self._resource.read_bytes(digits)
        if not length.isdigit():
            raise BadAnswer(self.who, message, (head + length).decode(ENCODING), "no definite-length block")
        enabled = ResourceAttribute.termchar_enabled
        if self.kind is Kind.SOCKET:
            self._resource.set_visa_attribute(enabled, False)
        try:
            payload = bytes(self._resource.read_bytes(int(length), chunk_size=BLOCK_BYTES)) if int(length) else b""
        finally:
            if self.kind is Kind.SOCKET:
                self._resource.set_visa_attribute(enabled, True)
        rest = bytes(self._resource.read_raw())
        if rest.strip():
            raise BadAnswer(self.who, message, rest.decode(ENCODING), "something follows the block")
        return payload

    def _chunk_bytes(self, wanted: int) -> int:
        return VXI11_BYTES if self.kind is Kind.VXI11 else wanted

    # -- the session ---------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        uninterrupted.step()
        options: dict[str, Any] = {
            "open_timeout": round(self._open_timeout_s * 1e3),
            "timeout": round(self._timeout_s * 1e3),
            "read_termination": self._read_termination,
            "write_termination": self._write_termination,
        }
        if self.kind is Kind.SERIAL:
            options["baud_rate"] = self._baud_rate
        try:
            self._resource = _resource_manager().open_resource(self.where, **options)
        except Exception as error:
            close_leaked_sockets(error)
            raise
        interface: Any = getattr(self._session(), "interface", None)
        if self.kind is Kind.SOCKET:
            refused = interface.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if refused:
                raise OSError(refused, os.strerror(refused))
        plain = interface if self.kind is Kind.SOCKET else getattr(interface, "_socket", None)  # ASRLsocket://
        if isinstance(plain, socket.socket):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.kind is Kind.SOCKET:
            self._session().interface = HonestSocket.of(interface)
        elif self.kind is Kind.VXI11 and interface.sock.fileno() >= 0:
            interface.sock = HonestSocket.of(interface.sock)

    def _session(self) -> Any:
        return self._resource.visalib.sessions[self._resource.session]

    def _hang_up(self, *, broken: bool = False) -> None:
        """Close the session; `broken`: without a word to the other end, which might keep us waiting for its answer."""
        resource = self._resource
        if resource is None:
            return
        if broken and self.kind is Kind.VXI11:
            self._session().interface.destroy_link = lambda link: 0
        self._resource = None
        with suppress(Exception):  # a broken session may fail to close in any way; it is gone all the same
            resource.close()

    def _resynchronise(self, spoilt: str = "") -> None:
        """Make sure that nothing said so far can be an answer to what comes next; the link is dead if that fails."""
        self._suspect = True  # until done: an interrupt may fall into this as well
        try:
            if not (self.kind in {Kind.HISLIP, Kind.VXI11} and self._cleared()):
                self._reopen(spoilt)
            self._suspect = False
        except Exception as error:  # noqa: BLE001  whatever it was, the link is dead, and every later use says why
            self._die(f"could not be opened again after an error ({error})")

    def _reopen(self, spoilt: str) -> None:
        """Open a new session, and hear from it who is there.

        An instrument that serves one connection at a time may close the new one until it has seen the old one's end.
        """
        end_s = time.monotonic() + self._open_timeout_s
        while True:
            self._hang_up(broken=True)
            self._open()
            try:
                if self.kind in {Kind.SERIAL, Kind.SOCKET} and self._identity:
                    self._find_sentinel(spoilt)
                return
            except ConnectionError:
                if time.monotonic() >= end_s:
                    raise
                time.sleep(REOPEN_STEP_S)

    def _find_sentinel(self, spoilt: str = "") -> None:
        """Read until the identity comes back: a serial line has no session whose end would drop a late answer.

        A line is given more than a time-out for it: what is late is not lost there. Where the question that went wrong
        was the same one, its late answer looks like that to ours: then it is waited for the second, in vain or not.
        """
        uninterrupted.step()
        wait_s = max(self._timeout_s, self._open_timeout_s) if self.kind is Kind.SERIAL else self._timeout_s
        end_s = time.monotonic() + wait_s
        self._resource.write_raw((self._sentinel + self._write_termination).encode(ENCODING))
        for _ in range(SENTINEL_LINES):
            if re.fullmatch(self._identity, self._line_until(end_s)):
                if self.kind is Kind.SERIAL and spoilt == self._sentinel:
                    self._drain(end_s)
                return
        raise OSError(errno.EPROTO, f"{self._sentinel} is not answered any more")

    def _drain(self, end_s: float) -> None:
        while time.monotonic() < end_s:
            if self._unread().strip():
                return
            time.sleep(REOPEN_STEP_S)

    def _line_until(self, end_s: float) -> str:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        while True:
            try:
                self._await_answer()
                return bytes(self._resource.read_raw()).decode(ENCODING).strip()
            except VisaIOError as error:
                if error.error_code != StatusCode.error_timeout or time.monotonic() >= end_s:
                    raise

    def _cleared(self) -> bool:
        """Clear the device; False where that failed, say because a late answer was in the way of the acknowledge."""
        try:
            self._resource.clear()
        except Exception:  # noqa: BLE001  a new session, made next, is as good
            return False
        return True

    def _die(self, why: str) -> None:
        self._hang_up(broken=True)
        self._dead = why

    @contextmanager
    def _errors(self, sent: str) -> Iterator[None]:
        """The one place where errors of VISA, sockets and serial ports become ours."""
        check_message(self.who, sent)
        uninterrupted.step()
        try:
            yield
        except NotConnected as error:
            self._die(error.why)
            raise
        except HilError:
            self._resynchronise(sent)
            raise
        except Exception as error:
            ours = self._translate(error, sent)
            if isinstance(ours, NotConnected):
                self._die(ours.why)
            else:
                self._resynchronise(sent)
            raise ours from error
        except BaseException:
            self._suspect = True
            raise

    def _translate(self, error: Exception, sent: str) -> HilError:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        if isinstance(error, VisaIOError):
            if error.error_code == StatusCode.error_timeout and sent != "open":
                return NoAnswer(self.who, sent, self._timeout_s)
            return NotConnected(self.who, self.where, error.description or str(error))
        if isinstance(error, TimeoutError) and sent != "open":
            return NoAnswer(self.who, sent, self._timeout_s)
        if isinstance(error, PeerClosed):
            return NotConnected(self.who, self.where, str(error))
        if isinstance(error, ConnectionRefusedError) or getattr(error, "errno", None) == errno.ECONNREFUSED:
            return NotConnected(self.who, self.where, "nothing listens there")
        return NotConnected(self.who, self.where, f"{type(error).__name__}: {error}")


def _resource_manager() -> Any:
    """Return pyvisa's resource manager on pyvisa-py: one a process, made when first needed (0.3 s)."""
    global _manager  # noqa: PLW0603  the import alone costs a quarter of a second
    with _manager_lock:
        if _manager is None:
            import pyvisa

            _manager = pyvisa.ResourceManager("@py")
        return _manager
