"""Frame loss and throughput through the unit's UDP echo service, one trial at a time.

Method: RFC 2544 sections 26.3 (frame loss) and 23 (a trial ends two seconds after its last frame), as far as an end
node allows: it forwards nothing, so it sends the frames back (RFC 862), and both ways count together. The frames of a
millisecond leave as one burst, which is harder on the unit than the even spacing of RFC 2544.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import struct
import time
from dataclasses import dataclass

from hil.clock import Clock
from hil.errors import NoAnswer, NotConnected, OutOfRange, SetupError, UnitSilent

MIN_FRAME_OCTETS, MAX_FRAME_OCTETS = 64, 1518  # Ethernet header and frame check sequence included
OVERHEAD_OCTETS = 14 + 4 + 20 + 8  # Ethernet header, frame check sequence; IPv4 header; UDP header
GAP_OCTETS = 20  # preamble and gap between frames: on the wire, but no part of the frame
MAX_RATE_FPS = 1_488_095.0  # 64 octets at 1 Gbit/s
BURST_S = 1e-3
RESIDUAL_S, RESIDUAL_STEP_S = 2.0, 0.01  # RFC 2544, 23
WALL_S = 60.0  # of real time beyond the trial's own
RECEIVE_BYTES = 4 << 20
HEAD = struct.Struct("!4sI")  # whose trial, and the frame's number in it
GONE = {
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
}  # the unit, or its service, is not there
FULL = {errno.EAGAIN, errno.ENOBUFS}  # this computer's own queue is full: the frame goes later


@dataclass(frozen=True, slots=True)
class EchoTrial:
    """What became of the frames of one trial. A frame that came back changed is lost."""

    frame_octets: int
    asked_fps: float
    took_s: float  # of bench time, to send them
    sent: int
    echoed: int  # each counted once
    duplicated: int  # came back again
    reordered: int  # came back after one that was sent later

    @property
    def lost(self) -> int:
        """Frames that did not come back."""
        return self.sent - self.echoed

    @property
    def loss(self) -> float:
        """Frames lost, as a fraction of those sent (RFC 2544, 26.3)."""
        return self.lost / self.sent

    @property
    def offered_fps(self) -> float:
        """Frames sent a second; less than asked where this computer could not keep up."""
        return self.sent / self.took_s

    @property
    def rate_fps(self) -> float:
        """Frames echoed a second."""
        return self.echoed / self.took_s

    @property
    def throughput_bps(self) -> float:
        """Bits of echoed frames a second, each way; preamble and gap do not count."""
        return 8 * self.frame_octets * self.rate_fps


def line_rate_fps(bit_per_s: float, frame_octets: int) -> float:
    """Return how many frames a second a link can carry."""
    return bit_per_s / (8 * (frame_octets + GAP_OCTETS))


class UdpEcho:
    """The unit's echo service, at HOST:PORT (IPv4)."""

    def __init__(self, address: str, clock: Clock, who: str = "unit") -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise SetupError(f"{address!r} is no host and port", "write it like 192.168.1.61:7")
        self.who, self.where = who, address
        self._clock = clock
        try:
            self._peer = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        except (OSError, OverflowError) as error:
            raise NotConnected(who, address, str(error)) from error

    def trial(self, frame_octets: int, rate_fps: float, duration_s: float) -> EchoTrial:
        """Send frames of a size for duration_s of bench time and count what comes back.

        Raises UnitSilent where nothing comes back and the network says that nobody is there; mere silence is all lost.
        """
        for what, value, low, high in (
            ("frame_octets", frame_octets, MIN_FRAME_OCTETS, MAX_FRAME_OCTETS),
            ("rate_fps", rate_fps, 1e-3, MAX_RATE_FPS),
            ("rate_fps x duration_s, frames", round(rate_fps * duration_s), 1, 0xFFFF_FFFF),
        ):
            if not low <= value <= high:
                raise OutOfRange(what, value, low, high)
        try:
            with _Flow(self._peer, frame_octets, round(rate_fps * duration_s)) as flow:
                took_s = self._run(flow, rate_fps, duration_s)
        except OSError as error:
            raise NotConnected(self.who, self.where, str(error)) from error
        if flow.gone and not flow.echoed:
            raise UnitSilent(self.who, f"UDP echo at {self.where} ({os.strerror(flow.gone)})", duration_s + RESIDUAL_S)
        return EchoTrial(frame_octets, rate_fps, took_s, flow.sent, len(flow.echoed), flow.duplicated, flow.reordered)

    def _run(self, flow: _Flow, rate_fps: float, duration_s: float) -> float:
        """Send when each frame is due, listen meanwhile and for two seconds more; return how long sending took."""
        pause_s = max(BURST_S, 1 / rate_fps)
        most = 2 * math.ceil(rate_fps * pause_s)  # after a hiccup: catching up at once would flood the unit
        wall_end_s = time.monotonic() + duration_s + RESIDUAL_S + WALL_S
        start_s = now_s = self._clock.now_s()
        while flow.sent < flow.count or now_s - start_s < duration_s:
            due = min(flow.count, math.floor((now_s - start_s) * rate_fps + 1e-9) + 1)  # the first one at once
            flow.send(min(due - flow.sent, most))
            flow.receive()
            now_s = self._sleep(pause_s, flow, wall_end_s)
        took_s = now_s - start_s
        flow.receive()
        while flow.missing and self._clock.now_s() - start_s < took_s + RESIDUAL_S:
            self._sleep(RESIDUAL_STEP_S, flow, wall_end_s)
            flow.receive()
        return took_s

    def _sleep(self, pause_s: float, flow: _Flow, wall_end_s: float) -> float:
        if time.monotonic() > wall_end_s:
            asked = f"UDP echo of {flow.count} frames: bench time stands still, or this computer is too slow"
            raise NoAnswer(self.who, asked, WALL_S)
        self._clock.sleep(pause_s)
        return self._clock.now_s()


class _Flow:
    """The frames of one trial, and a socket of its own: echoes of an earlier trial go elsewhere."""

    def __init__(self, peer: tuple[object, ...], frame_octets: int, count: int) -> None:
        self.count, self.sent, self.duplicated, self.reordered, self.gone = count, 0, 0, 0, 0
        self.echoed: set[int] = set()
        self._highest = -1
        self._trial = os.urandom(4)
        self._fill = bytes(at & 0xFF for at in range(frame_octets - OVERHEAD_OCTETS - HEAD.size))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self._socket.connect(peer)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> _Flow:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def missing(self) -> bool:
        """Whether anything sent has not come back."""
        return len(self.echoed) < self.sent

    def send(self, frames: int) -> None:
        """Send the next frames, as many as this computer takes."""
        for _ in range(frames):
            try:
                self._socket.send(HEAD.pack(self._trial, self.sent) + self._fill)
            except OSError as error:
                if error.errno in FULL:
                    return
                self._note(error)
                self._try_again()
            self.sent += 1

    def receive(self) -> None:
        """Take what has come back by now."""
        while True:
            try:
                data = self._socket.recv(MAX_FRAME_OCTETS)
            except BlockingIOError:
                return
            except OSError as error:
                self._note(error)
                continue
            self._count(data)

    def _try_again(self) -> None:
        """Send the frame whose place an error took that told of the frames before it."""
        try:
            self._socket.send(HEAD.pack(self._trial, self.sent) + self._fill)
        except OSError as error:
            self._note(error)

    def _note(self, error: OSError) -> None:
        if error.errno not in GONE:
            raise error
        self.gone = error.errno or 0

    def _count(self, data: bytes) -> None:
        if len(data) < HEAD.size or data[HEAD.size :] != self._fill:
            return
        trial, number = HEAD.unpack_from(data)
        if trial != self._trial or number >= self.sent:
            return
        if number in self.echoed:
            self.duplicated += 1
            return
        self.echoed.add(number)
        self.reordered += number < self._highest
        self._highest = max(self._highest, number)
