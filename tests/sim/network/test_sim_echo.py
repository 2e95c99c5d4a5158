"""The UDP echo of a revision B unit, over a real socket: as fast as its SPI, and no faster."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from link_rig import Rig
from serving import Loop

from hil.sim.network.echo import HEADERS, QUEUE, EchoServer


class Peer:
    """A client beside the station; the world is moved by hand."""

    def __init__(self, loop: Loop, rig: Rig) -> None:
        self._loop, self.rig = loop, rig
        self.echo = EchoServer(rig.bench, rig.network)
        loop.run(self.echo.start())
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", self.echo.port))
        self.socket.settimeout(2.0)

    def send(self, count: int, frame: int) -> None:
        for number in range(count):
            self.socket.send(number.to_bytes(4, "big") + bytes(frame - HEADERS - 4))

    def wait(self, time_s: float) -> None:
        self._loop.run(self.rig.world.wait(time_s))

    def back(self) -> list[int]:
        """Return the numbers that came back by now."""
        self.socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(int.from_bytes(self.socket.recv(2048)[:4], "big"))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self.socket.close()
        self._loop.run(self.echo.stop())


@contextmanager
def peer_of(loop: Loop, revision: str, *faults: str) -> Iterator[Peer]:
    peer = Peer(loop, Rig(revision, *faults).linked())
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture
def peer(loop: Loop) -> Iterator[Peer]:
    with peer_of(loop, "B") as found:
        yield found


def test_what_fits_comes_back_in_order(peer):
    """A burst of the buffer's size, and the switch counts it both ways."""
    before = peer.rig.port.counters.out_unicast, peer.rig.port.counters.in_unicast
    peer.send(QUEUE, 512)
    assert peer.back() == []
    peer.wait(0.1)

    assert peer.back() == list(range(QUEUE))
    counters = peer.rig.port.counters
    assert (counters.out_unicast - before[0], counters.in_unicast - before[1]) == (QUEUE, QUEUE)


def test_a_frame_takes_its_time(peer):
    """1518 octets: 0.12 ms on the wire and 1.01 ms over SPI, in bench time."""
    peer.send(1, 1518)
    peer.wait(1.0e-3)
    assert peer.back() == []
    peer.wait(0.2e-3)

    assert peer.back() == [0]


def test_a_burst_beyond_the_buffer_loses_its_end(peer):
    """What arrives while sixteen wait is gone; the switch has sent it all the same."""
    before = peer.rig.port.counters.out_unicast
    peer.send(60, 1518)
    peer.wait(0.5)
    came = peer.back()

    assert QUEUE <= len(came) < 30
    assert came[:QUEUE] == list(range(QUEUE))
    assert peer.echo.lost == 60 - len(came)
    assert peer.rig.port.counters.out_unicast - before == 60


@pytest.mark.parametrize(("frames", "all_back"), [(9, True), (12, False)])
def test_throughput_ends_at_the_spi(peer, frames, all_back):
    """9 frames of 1518 octets in 10 ms pass (10.9 Mbit/s), 12 (14.6 Mbit/s) do not."""
    came = 0
    for _ in range(50):
        peer.send(frames, 1518)
        peer.wait(0.010)
        came += len(peer.back())
    peer.wait(0.1)

    assert (came + len(peer.back()) == 50 * frames) is all_back


def test_nobody_echoes_without_link_address_or_mac(loop, peer):
    """Cable out: discarded by the switch. Revision A: sent, and nobody takes it."""
    peer.rig.cable()
    peer.wait(0.1)
    peer.send(3, 64)
    peer.wait(0.1)
    assert peer.back() == []
    assert peer.rig.port.counters.out_discards == 3

    with peer_of(loop, "A") as other:
        other.send(3, 64)
        other.wait(0.1)

        assert other.back() == []
        assert other.rig.port.counters.out_unicast == 3


def test_a_bad_crystal_loses_long_frames(loop):
    """Short ones pass."""
    with peer_of(loop, "B", "phy-crystal-off") as peer:
        for frame, back in ((64, 5), (1518, 0)):
            peer.send(5, frame)
            peer.wait(0.1)
            assert len(peer.back()) == back
