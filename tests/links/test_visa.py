"""VisaLink on every transport: right answers, no stale ones, and errors that are ours."""

import signal
import socket
import threading
import time

import pytest

from hil.errors import BadAnswer, Blame, HilError, NoAnswer, NotConnected
from hil.links.scpi import ScpiLink
from hil.links.visa import Kind, VisaLink

from .servers import HislipServer, LineServer, SerialServer, Vxi11Server

TRANSPORTS = {"socket": LineServer, "hislip": HislipServer, "vxi11": Vxi11Server, "serial": SerialServer}
IDENTITY = b"ACME,AL-20,1,1.0\n"


@pytest.fixture
def serve():
    """Start servers that end with the test."""
    started = []

    def start(kind, program):
        started.append(TRANSPORTS[kind](program))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def link_to():
    """Open links that close with the test."""
    opened = []

    def open_link(server, **options):
        opened.append(VisaLink("Dmm", server.resource, timeout_s=options.pop("timeout_s", 0.3), **options))
        return opened[-1]

    yield open_link
    for link in opened:
        link.close()


def instrument(message):
    """It knows its name, sums, answers late, sends blocks, and says nothing to commands."""
    if message == "*IDN?":
        return IDENTITY
    if message.startswith("ECHO? "):
        return message[6:].encode() + b"\n"
    if message == "LATE?":
        time.sleep(0.45)
        return b"late\n"
    if message == "EMPTY?":
        return b"\n"
    if message == "BLOCK?":
        return b"#3256" + bytes(range(256)) + b"\n"
    if message == "NOBLOCK?":
        return b"1.5\n"
    if message == "SHORTBLOCK?":
        return b"#3256" + bytes(100)
    return None


@pytest.mark.parametrize("kind", TRANSPORTS)
class TestEveryTransport:
    def test_a_question_gets_its_answer(self, serve, link_to, kind):
        """Commands and questions mix; answers come stripped."""
        server = serve(kind, instrument)
        link = link_to(server)

        link.tell("VOLT 5")

        assert link.ask("*IDN?") == "ACME,AL-20,1,1.0"
        assert server.messages == ["VOLT 5", "*IDN?"]
        assert isinstance(link, ScpiLink)

    def test_a_late_answer_is_never_taken_for_the_next(self, serve, link_to, kind):
        """After a time-out the next answers are those of the next questions."""
        link = link_to(serve(kind, instrument))
        assert link.ask("*IDN?") == "ACME,AL-20,1,1.0"

        with pytest.raises(NoAnswer) as caught:
            link.ask("LATE?")

        assert (caught.value.who, caught.value.sent, caught.value.deadline_s) == ("Dmm", "LATE?", 0.3)
        for number in range(5):
            assert link.ask(f"ECHO? {number}") == str(number)

    def test_an_empty_answer_is_a_bad_one(self, serve, link_to, kind):
        """An empty string is never a value, and the next question gets its own answer."""
        link = link_to(serve(kind, instrument))

        with pytest.raises(BadAnswer, match="empty"):
            link.ask("EMPTY?")

        assert link.ask("ECHO? 1") == "1"

    def test_a_block_keeps_every_byte(self, serve, link_to, kind):
        """Line feeds inside a block are data; the terminator after it is not."""
        link = link_to(serve(kind, instrument))

        assert link.ask_block("BLOCK?") == bytes(range(256))
        assert link.ask("ECHO? 1") == "1"

    @pytest.mark.parametrize("message", ["NOBLOCK?", "SHORTBLOCK?"])
    def test_a_block_that_is_none_is_an_error_of_the_bench(self, serve, link_to, kind, message):
        """Neither a number nor half a waveform passes for a block; the link goes on afterwards."""
        link = link_to(serve(kind, instrument))

        with pytest.raises((BadAnswer, NoAnswer)) as caught:
            link.ask_block(message)

        assert caught.value.blame is Blame.BENCH
        assert link.ask("ECHO? 1") == "1"

    def test_silence_ends_at_the_deadline(self, serve, link_to, kind):
        """An instrument that says nothing costs its deadline, not more than a second above it."""
        link = link_to(serve(kind, instrument))
        start_s = time.monotonic()

        with pytest.raises(NoAnswer):
            link.ask("NOTHING?")

        assert 0.25 <= time.monotonic() - start_s < 1.4

    def test_two_threads_get_their_own_answers(self, serve, link_to, kind):
        """A lock per link: no thread reads the other's answer."""
        link = link_to(serve(kind, instrument), timeout_s=5.0)
        wrong = []

        def work(name):
            wrong.extend(i for i in range(40) if link.ask(f"ECHO? {name}{i}") != f"{name}{i}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []

    def test_a_closed_link_says_so(self, serve, link_to, kind):
        """Closing twice is fine; using a closed link is an error that names it."""
        link = link_to(serve(kind, instrument))
        link.close()
        link.close()

        with pytest.raises(NotConnected, match="closed"):
            link.ask("*IDN?")


def test_a_serial_instrument_that_does_not_find_back_is_dead(serve, link_to):
    """On a serial line a late answer could come at any time: without the identity in between nothing is believed."""
    server = serve("serial", instrument)
    link = link_to(server)
    link.ask("*IDN?")
    server.program = lambda message: None

    with pytest.raises(NoAnswer):
        link.ask("ECHO? 1")

    with pytest.raises(NotConnected, match="could not be opened again"):
        link.ask("ECHO? 2")


def test_a_serial_instrument_finds_back_by_its_own_question(serve, link_to):
    """One that is not asked `*IDN?` is asked what its driver says; the late answer before is dropped."""
    server = serve("serial", lambda message: b"TRA 1.15\r\n" if message == "ID?" else instrument(message))
    link = link_to(server, sentinel="ID?")
    link.ask("ID?")

    with pytest.raises(NoAnswer):
        link.ask("LATE?")
    assert link.ask("ECHO? 1") == "1"
    assert server.messages == ["ID?", "LATE?", "ID?", "ECHO? 1"]


NETWORK = ["socket", "hislip", "vxi11"]


@pytest.mark.parametrize("kind", NETWORK)
def test_a_port_where_nobody_listens_is_not_connected(serve, kind):
    """Opening fails at once, in our words, on every transport."""
    server = serve(kind, instrument)
    server.stop_listening()

    with pytest.raises(NotConnected) as caught:
        VisaLink("Dmm", server.resource, timeout_s=0.3)

    assert caught.value.where == server.resource


def test_a_serial_port_that_is_not_there_is_not_connected():
    """A missing device file is the bench's fault, not a SerialException."""
    with pytest.raises(NotConnected, match="could not open port"):
        VisaLink("AcSource", "ASRL/dev/does-not-exist::INSTR")


@pytest.mark.parametrize(
    "resource", ["TCPIP::127.0.0.1", "nonsense", "GPIB0::5::INSTR", "USB0::0x1ab1::0x04ce::X::INSTR"]
)
def test_a_resource_that_cannot_be_opened_is_one_of_our_errors(resource):
    """Whatever pyvisa raises for it."""
    with pytest.raises(HilError):
        VisaLink("Dmm", resource, timeout_s=0.3, open_timeout_s=0.3)


@pytest.mark.parametrize("kind", NETWORK)
def test_an_instrument_that_dies_is_not_connected_for_good(serve, link_to, kind):
    """The first use after its death fails, each later one says why, and none takes long."""
    server = serve(kind, instrument)
    link = link_to(server)
    assert link.ask("ECHO? 1") == "1"
    server.stop_listening()
    server.hang_up()
    start_s = time.monotonic()

    for _ in range(2):
        with pytest.raises(HilError) as caught:
            link.ask("*IDN?")
    with pytest.raises(NotConnected):
        link.tell("VOLT 1")

    assert caught.value.blame is Blame.BENCH
    assert time.monotonic() - start_s < 3.0


def test_an_instrument_that_dies_while_it_is_asked_does_not_cost_the_deadline(serve, link_to):
    """A closed socket is seen at once: pyvisa-py would spin until the time-out."""
    server = serve("socket", instrument)
    link = link_to(server, timeout_s=5.0)
    timer = threading.Timer(0.1, server.hang_up)
    timer.start()
    start_s, cpu_s = time.monotonic(), time.process_time()

    with pytest.raises(NotConnected, match="closed the connection"):
        link.ask("NOTHING?")

    assert time.monotonic() - start_s < 2.0
    assert time.process_time() - cpu_s < 1.0


@pytest.mark.parametrize("kind", NETWORK)
def test_a_connection_cut_in_mid_answer_is_broken_at_once_and_for_good(serve, link_to, kind):
    """Also where the instrument takes new connections at once: nobody knows what it has lost meanwhile."""
    server = serve(kind, instrument)
    link = link_to(server, timeout_s=5.0)
    assert link.ask("ECHO? 1") == "1"
    whole = server.serve

    def cut(peer):
        whole(Cut(peer))

    server.serve = cut
    other = link_to(server, timeout_s=5.0)
    start_s, cpu_s = time.monotonic(), time.process_time()

    with pytest.raises(NotConnected):
        other.ask("ECHO? 2345678901234567890")
    with pytest.raises(NotConnected):
        other.ask("ECHO? 3")

    assert time.monotonic() - start_s < 4.0
    assert time.process_time() - cpu_s < 1.0
    assert link.ask("ECHO? 4") == "4"


class Cut:
    """A connection that breaks in the middle of a certain answer."""

    def __init__(self, peer):
        self._peer = peer

    def makefile(self, mode):
        return self._peer.makefile(mode)

    def sendall(self, data):
        if b"2345678" in data:
            self._peer.sendall(data[: len(data) // 2])
            self._peer.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        self._peer.sendall(data)


def test_a_serial_line_with_an_identity_is_listened_to_before_it_is_used(serve, link_to):
    """A late answer to whoever spoke there before is not taken for ours."""
    answers = iter([b"stale\r\nTRA 1.15\r\n"])
    server = serve("serial", lambda message: next(answers) if message == "ID?" else instrument(message))
    link = link_to(server, sentinel="ID?", identity=r"TRA (\d+\.\d+)")

    assert link.ask("ECHO? 1") == "1"
    assert server.messages == ["ID?", "ECHO? 1"]


def test_an_instrument_for_one_connection_that_is_slow_to_let_go_is_found_again(serve, link_to):
    """It closes the new connection until it has seen that the old one ended."""
    server = serve("socket", instrument)
    link = link_to(server)
    link.ask("*IDN?")
    refusals = [None] * 3
    whole = server.serve
    server.serve = lambda peer: refusals.pop() if refusals else whole(peer)

    with pytest.raises(NoAnswer):
        link.ask("NOTHING?")

    assert link.ask("ECHO? 1") == "1"
    assert not refusals


def test_an_answer_that_nobody_asked_for_is_named(serve, link_to):
    """A second line to one question on a raw socket would shift all later answers."""
    link = link_to(serve("socket", lambda message: b"1\n2\n" if message == "TWO?" else b"3\n"))
    assert link.ask("TWO?") == "1"
    time.sleep(0.05)

    with pytest.raises(BadAnswer, match="before the question"):
        link.ask("THREE?")

    assert link.ask("THREE?") == "3"


def test_white_space_after_an_answer_is_forgiven(serve, link_to):
    """Some instruments send an extra line end after a block."""
    link = link_to(serve("socket", lambda message: b"1\n\n\r\n"))

    assert [link.ask("ONE?") for _ in range(3)] == ["1", "1", "1"]


def test_an_interrupt_between_question_and_answer_leaves_no_stale_one(serve, link_to):
    """Ctrl-C while an instrument thinks: what makes the bench safe afterwards reads its own answers."""
    link = link_to(serve("socket", instrument), timeout_s=3.0)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        link.ask("LATE?")
    time.sleep(0.5)

    assert link.ask("ECHO? 1") == "1"


def test_write_then_ask_does_not_wait_for_a_delayed_acknowledge(serve, link_to):
    """TCP_NODELAY is set: 20 pairs take a moment, not 20 x 44 ms."""
    link = link_to(serve("socket", instrument))
    start_s = time.monotonic()

    for _ in range(20):
        link.tell("VOLT 1")
        link.tell("CURR 1")
        link.ask("*IDN?")

    assert time.monotonic() - start_s < 0.4


def test_other_terminators_are_respected(serve, link_to):
    """Read and write terminators are what the driver says."""
    server = serve("socket", lambda message: b"5\r")
    link = link_to(server, read_termination="\r", write_termination="\r\n")

    assert link.ask("VOLT?") == "5"


def test_bytes_beyond_ascii_are_characters(serve, link_to):
    """A micro sign or the separator 0xB6 of a chamber is no decoding error."""
    link = link_to(serve("socket", lambda message: b"1\xb650 \xb5s\n"))

    assert link.ask("T?") == "1¶50 µs"


@pytest.mark.parametrize("size", [65_536, 65_535, 1 << 20, 3_000_000])
@pytest.mark.parametrize("kind", NETWORK)
def test_long_answers_come_whole(serve, link_to, kind, size):
    """Also exact multiples of every chunk size on the way."""
    payload = bytes(range(256)) * (size // 256 + 1)
    body = f"#7{size - 10:07d}".encode() + payload[: size - 10] + b"\n"
    link = link_to(serve(kind, lambda message: body), timeout_s=5.0)

    assert link.ask_block("WAV?") == payload[: size - 10]


def test_kinds_are_told_by_the_resource_string():
    """Each transport has its own way back after a time-out."""
    kinds = {
        "TCPIP::127.0.0.1::5025::SOCKET": Kind.SOCKET,
        "TCPIP0::host::hislip0::INSTR": Kind.HISLIP,
        "tcpip::host::hislip0,4881::instr": Kind.HISLIP,
        "TCPIP::host::INSTR": Kind.VXI11,
        "TCPIP::host,9::inst0::INSTR": Kind.VXI11,
        "ASRL/dev/ttyUSB0::INSTR": Kind.SERIAL,
        "USB0::1::2::3::INSTR": Kind.OTHER,
    }

    assert {resource: Kind.of(resource) for resource in kinds} == kinds
