"""UDP echo trials against echo servers in threads: honest, lossy, doubling, swapping, corrupting, silent."""

import errno
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.clock import RealClock
from hil.errors import NoAnswer, NotConnected, OutOfRange, SetupError, UnitSilent
from hil.links import udp_echo
from hil.links.udp_echo import EchoTrial, UdpEcho, line_rate_fps


class Echo:
    """Sends back what program(number of the datagram, datagram) returns: a list of datagrams."""

    def __init__(self, program):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._program, self._stop = program, threading.Event()
        self.sizes = []
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._stop.is_set():
            try:
                data, peer = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            self.sizes.append(len(data))
            for answer in self._program(len(self.sizes) - 1, data):
                self._socket.sendto(answer, peer)

    def close(self):
        self._stop.set()
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def echo():
    """Start echo servers that end with the test."""
    started = []

    def start(program):
        started.append(Echo(program))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def hasty(monkeypatch):
    """Do not wait two seconds for what the server has swallowed."""
    monkeypatch.setattr(udp_echo, "RESIDUAL_S", 0.2)


def test_every_frame_comes_back(echo):
    """An honest echo: nothing lost, and the rate is the one that was asked."""
    server = echo(lambda number, data: [data])

    trial = UdpEcho(server.address, RealClock()).trial(frame_octets=512, rate_fps=500.0, duration_s=0.4)

    assert (trial.sent, trial.echoed, trial.lost, trial.duplicated, trial.reordered) == (200, 200, 0, 0, 0)
    assert trial.loss == 0.0
    assert trial.took_s == pytest.approx(0.4, abs=0.2)
    assert trial.rate_fps == trial.offered_fps == pytest.approx(200 / trial.took_s)
    assert trial.throughput_bps == pytest.approx(200 * 512 * 8 / trial.took_s)


@pytest.mark.parametrize(("frame_octets", "payload"), [(64, 18), (1518, 1472)])
def test_a_frame_counts_its_header_and_check_sequence(echo, frame_octets, payload):
    """A frame of 64 octets has 18 of UDP payload, one of 1518 has 1472."""
    server = echo(lambda number, data: [data])

    UdpEcho(server.address, RealClock()).trial(frame_octets, rate_fps=100.0, duration_s=0.03)

    assert server.sizes == [payload] * 3


def test_what_is_swallowed_is_lost(echo, hasty):
    """Every fourth frame is dropped: a quarter is lost."""
    server = echo(lambda number, data: [] if number % 4 == 3 else [data])

    trial = UdpEcho(server.address, RealClock()).trial(128, 400.0, 0.2)

    assert (trial.sent, trial.lost, trial.loss) == (80, 20, 0.25)


def test_what_comes_twice_counts_once(echo):
    """A duplicate is no echo of another frame."""
    server = echo(lambda number, data: [data, data] if number == 5 else [data])

    trial = UdpEcho(server.address, RealClock()).trial(64, 200.0, 0.1)

    assert (trial.sent, trial.echoed, trial.duplicated, trial.reordered) == (20, 20, 1, 0)


def test_what_comes_late_is_reordered(echo):
    """Two frames swapped: one of them came after a later one."""
    held = []

    def swap(number, data):
        if number == 3:
            held.append(data)
            return []
        return [data, held.pop()] if held else [data]

    trial = UdpEcho(echo(swap).address, RealClock()).trial(64, 200.0, 0.1)

    assert (trial.echoed, trial.reordered) == (20, 1)


def test_what_comes_back_changed_is_lost(echo, hasty):
    """Neither a changed frame, nor one cut short, nor one that was never sent is an echo."""

    def spoil(number, data):
        return [[data[:-1] + b"\xff"], [data[:6]], [data[:4] + b"\xff\xff\xff\xff" + data[8:]], [data]][number % 4]

    trial = UdpEcho(echo(spoil).address, RealClock()).trial(64, 200.0, 0.1)

    assert (trial.sent, trial.echoed) == (20, 5)


def test_an_echo_of_the_trial_before_is_not_counted(echo):
    """Late frames of one trial never fill the gaps of the next."""
    late = []

    def hold(number, data):
        if number < 4:
            late.append(data)
            return []
        return [*late, data]

    udp = UdpEcho(echo(hold).address, StandingClock())
    first, second = udp.trial(64, 100.0, 0.04), udp.trial(64, 100.0, 0.04)

    assert (first.echoed, second.echoed, second.duplicated) == (0, 4, 0)


def test_silence_is_loss(echo, hasty):
    """A service that takes frames and says nothing has lost them all."""
    trial = UdpEcho(echo(lambda number, data: []).address, RealClock()).trial(64, 100.0, 0.05)

    assert trial.loss == 1.0


def test_nobody_there_is_the_units_silence():
    """Where the network itself says that no service listens, that is what is reported."""
    with pytest.raises(UnitSilent, match=r"127\.0\.0\.1:1 .*refused"):
        UdpEcho("127.0.0.1:1", StandingClock()).trial(64, 1000.0, 0.05)


class StandingClock:
    """Bench time that passes only while somebody sleeps; a moment of ours passes too."""

    def __init__(self, step_s=1.0):
        self.time_s, self.step_s, self.slept_s = 0.0, step_s, []

    def now_s(self):
        return self.time_s

    def sleep(self, duration_s):
        self.slept_s.append(duration_s)
        self.time_s += duration_s * self.step_s
        threading.Event().wait(0.001)


def test_the_trial_lasts_as_long_as_the_bench_says(echo):
    """Bursts a millisecond of bench time apart, eight frames each; no two seconds of waiting when all is there."""
    clock = StandingClock()

    trial = UdpEcho(echo(lambda number, data: [data]).address, clock).trial(64, 8000.0, 0.1)

    assert (trial.sent, trial.echoed) == (800, 800)
    assert trial.took_s == pytest.approx(0.1, abs=0.002)
    assert set(clock.slept_s[:99]) == {1e-3}


def test_residual_frames_have_two_seconds(echo):
    """What is missing is waited for, in bench time."""
    clock = StandingClock()

    trial = UdpEcho(echo(lambda number, data: []).address, clock).trial(64, 100.0, 0.1)

    assert trial.lost == 10
    assert clock.now_s() == pytest.approx(2.1, abs=0.03)


def test_bench_time_that_stands_still_ends_the_trial(echo, monkeypatch):
    """A wall deadline: no trial hangs."""
    monkeypatch.setattr(udp_echo, "WALL_S", -2.0)

    with pytest.raises(NoAnswer, match="stands still"):
        UdpEcho(echo(lambda number, data: [data]).address, StandingClock(step_s=0.0)).trial(64, 100.0, 0.1)


@pytest.mark.parametrize(
    ("frame_octets", "rate_fps", "duration_s"),
    [(63, 1.0, 1.0), (1519, 1.0, 1.0), (64, 0.0, 1.0), (64, 2e6, 1.0), (64, 1.0, 0.1), (64, 100.0, -1.0)],
)
def test_what_is_no_trial_is_refused(frame_octets, rate_fps, duration_s):
    """Nothing is sent."""
    with pytest.raises(OutOfRange):
        UdpEcho("127.0.0.1:9", StandingClock()).trial(frame_octets, rate_fps, duration_s)


@pytest.mark.parametrize("address", ["127.0.0.1", ":7", "host:seven", ""])
def test_an_address_has_a_port(address):
    """The error shows how one is written."""
    with pytest.raises(SetupError, match=r"192\.168"):
        UdpEcho(address, StandingClock())


def test_an_unknown_host_is_not_connected():
    """The name does not resolve."""
    with pytest.raises(NotConnected, match=r"nowhere\.invalid"):
        UdpEcho("nowhere.invalid:7", StandingClock())


def test_a_broken_socket_is_not_connected(echo, monkeypatch):
    """What is neither loss nor silence is the bench's fault."""
    udp = UdpEcho(echo(lambda number, data: [data]).address, StandingClock())
    monkeypatch.setattr(udp_echo, "GONE", set())
    monkeypatch.setattr(udp, "_peer", ("127.0.0.1", 1))

    with pytest.raises(NotConnected, match=f"Errno {errno.ECONNREFUSED}"):
        udp.trial(64, 1000.0, 0.05)


def test_line_rate_of_fast_ethernet():
    """Facts standards 5.2, RFC 2544: preamble and gap are on the wire too."""
    assert line_rate_fps(100e6, 64) == pytest.approx(148809.5, abs=0.05)
    assert line_rate_fps(100e6, 1518) == pytest.approx(8127.4, abs=0.05)


@given(sent=st.integers(1, 10**6), echoed=st.integers(0, 10**6), took_s=st.floats(0.01, 1e4))
def test_the_figures_of_a_trial_agree(sent, echoed, took_s):
    """Loss is between 0 and 1, and the rates differ by it."""
    trial = EchoTrial(64, 1.0, took_s, sent, min(sent, echoed), 0, 0)

    assert 0.0 <= trial.loss <= 1.0
    assert trial.rate_fps == pytest.approx(trial.offered_fps * (1 - trial.loss), abs=1e-6)
