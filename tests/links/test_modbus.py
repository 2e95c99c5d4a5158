"""The Modbus client against servers that answer as they like: a right number, or an error that blames the bench."""

import logging
import pickle
import socket
import struct
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import (
    BadAnswer,
    BenchError,
    InstrumentRefused,
    NoAnswer,
    NoReading,
    NotConnected,
    SetupError,
)
from hil.links.modbus import ModbusAddress, ModbusLink

LOW_FIRST_40 = "00004220"  # 40.0


class Script:
    """A server that answers each request by a function (header, PDU) -> bytes; None: it hangs up."""

    def __init__(self, answer):
        self.answer, self.requests, self.connections = answer, [], 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        requests = connection.makefile("rb")
        while header := requests.read(7):
            pdu = requests.read(struct.unpack(">HHHB", header)[2] - 1)
            self.requests.append(pdu)
            answer = self.answer(header, pdu)
            if answer is None:
                connection.shutdown(socket.SHUT_RDWR)
                return
            connection.sendall(answer)

    def close(self):
        self._listener.close()
        for connection in self._open:
            connection.close()


def framed(header, pdu, *, transaction=0, unit=0):
    number, protocol, _, to = struct.unpack(">HHHB", header)
    return struct.pack(">HHHB", number + transaction & 0xFFFF, protocol, len(pdu) + 1, to + unit) + pdu


def registers(text):
    data = bytes.fromhex(text)
    return lambda header, pdu: framed(header, bytes((pdu[0], len(data))) + data)


@pytest.fixture
def serve():
    """Return a function (answer, options) -> (link, server)."""
    opened = []

    def start(answer, **options):
        server = Script(answer)
        link = ModbusLink("Meter", ModbusAddress("127.0.0.1", server.port, 1), **{"timeout_s": 1.0, **options})
        opened.append((link, server))
        return link, server

    yield start
    for link, server in opened:
        link.close()
        server.close()


def test_a_float_in_either_word_order(serve):
    """40.0 is 4220 0000; a Watlow sends the low word first, an energy meter the high one."""
    assert serve(registers(LOW_FIRST_40), word_order="low first")[0].read_float(1) == 40.0
    assert serve(registers("42200000"))[0].read_float(1) == 40.0


def test_an_input_register_is_asked_by_its_own_function(serve):
    """Function 4, as meters have it."""
    link, server = serve(registers("43660000"))

    assert link.read_float(0, "input") == 230.0
    assert server.requests == [bytes.fromhex("0400000002")]


def test_what_is_written(serve):
    """One register by function 6, a float by function 16."""
    link, server = serve(lambda header, pdu: framed(header, pdu if pdu[0] == 6 else pdu[:5]), word_order="low first")

    link.write_word(2730, 62)
    link.write_float(2782, 40.0)

    assert [one.hex() for one in server.requests] == ["060aaa003e", "100ade000204" + LOW_FIRST_40]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (lambda header, pdu: framed(header, b"\x83\x02"), InstrumentRefused, "illegal data address"),
        (lambda header, pdu: framed(header, b"\x83\x63"), InstrumentRefused, "exception code 99"),
        (lambda header, pdu: b"", NoAnswer, "no answer to 'read holding register 10"),
        (lambda header, pdu: None, NotConnected, "the connection broke"),
        (lambda header, pdu: framed(header, b"\x03\x04\0\0\x42\x20", transaction=-1), BadAnswer, "no answer to this"),
        (lambda header, pdu: framed(header, b"\x03\x04\0\0\x42\x20", unit=1), BadAnswer, "no answer to this"),
        (lambda header, pdu: framed(header, b"\x04\x04\0\0\x42\x20"), BadAnswer, "an answer to function 4"),
        (lambda header, pdu: framed(header, b"\x86\x04"), BadAnswer, "an answer to function 6"),
        (lambda header, pdu: framed(header, b"\x03\x02\0\0"), BadAnswer, "1 registers instead of 2"),
        (lambda header, pdu: framed(header, b"\x03\x06\0\0\0\0\0\0"), BadAnswer, "3 registers instead of 2"),
        (lambda header, pdu: framed(header, b"\x03\x09\0\0"), BadAnswer, "no answer to this"),
        (lambda header, pdu: framed(header, b"\x03\x04\0\0\x42\x20")[:-1], BadAnswer, "no answer to this"),
        (lambda header, pdu: b"\x81\xfe~@}\x1b`^", BadAnswer, "no answer to this"),
        (registers("0000ff80"), NoReading, "not a finite number"),
    ],
    ids=["exception", "unknown exception", "silence", "hang-up", "transaction", "unit", "function",
         "other exception", "short", "long", "count", "half", "garbage", "infinity"],
)  # fmt: skip
def test_what_is_no_answer_is_an_error(serve, answer, error, says):
    """Never a number; the error says what was asked and what came."""
    link, _ = serve(answer, word_order="low first", timeout_s=0.15)

    with pytest.raises(error, match=says) as caught:
        link.read_float(10)

    assert isinstance(caught.value, BenchError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_late_answer_is_never_the_next_ones(serve):
    """The connection it comes on is gone by then: the next question has a new one."""

    def late_once(header, pdu):
        if len(server.requests) == 1:
            time.sleep(0.3)
        return framed(header, b"\x03\x02" + pdu[1:3])  # the register's number as its value

    link, server = serve(late_once, timeout_s=0.15)

    with pytest.raises(NoAnswer):
        link.read_words(7)
    values = []
    while len(values) < 8:
        values += link.read_words(8 + len(values))
        time.sleep(0.05)

    assert values == list(range(8, 16))
    assert server.connections == 2


def test_a_broken_connection_stays_broken(serve):
    """The instrument may have lost its settings: whoever opened it must look at it again."""
    link, server = serve(lambda header, pdu: None)

    for _ in range(3):
        with pytest.raises(NotConnected, match="the connection broke"):
            link.read_words(1)

    assert server.connections == 1


def test_nobody_there(serve):
    """At once, and said in one line; the library keeps quiet."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(NotConnected, match="nobody takes a Modbus connection there"):
        ModbusLink("Meter", ModbusAddress("127.0.0.1", port, 1))
    assert logging.getLogger("pymodbus.logging").level == logging.CRITICAL


def test_a_refusal_leaves_the_connection(serve):
    """An exception is an answer: nothing is out of step."""
    link, server = serve(lambda header, pdu: framed(header, b"\x83\x06"))

    for _ in range(2):
        with pytest.raises(InstrumentRefused, match="server device busy"):
            link.read_words(1)

    assert server.connections == 1


def test_a_write_that_is_answered_for_another_register_is_an_error(serve):
    """The answer repeats register and value."""
    for pdu, write in ((b"\x06\0\x01\0\x3f", lambda one: one.write_word(1, 62)),
                       (b"\x10\0\x02\0\x02", lambda one: one.write_float(1, 40.0))):  # fmt: skip
        link, _ = serve(lambda header, _, pdu=pdu: framed(header, pdu))
        with pytest.raises(BadAnswer, match=r"another register|other registers"):
            write(link)


def test_text_that_cannot_be_printed_is_no_text(serve):
    """Up to the first zero, one character a register."""
    assert serve(registers("00460034005400000007"))[0].read_text(16, 5) == "F4T"
    with pytest.raises(BadAnswer, match="not printable"):
        serve(registers("0046001b"))[0].read_text(16, 2)


@given(pdu=st.binary(max_size=12), skew=st.sampled_from([0, 0, 0, 1]))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_a_number_of_32_bits_or_an_error(pdu, skew):
    """Any PDU, in a right frame or one of another transaction."""
    server = Script(lambda header, _: framed(header, pdu, transaction=skew) if pdu else None)
    link = ModbusLink("Meter", ModbusAddress("127.0.0.1", server.port, 1), timeout_s=0.03)
    try:
        value = link.read_integer(3)
    except BenchError:
        pass
    else:
        assert not skew
        assert pdu[:2] == b"\x03\x04"
        assert value == struct.unpack(">i", pdu[2:6])[0]
    finally:
        link.close()
        server.close()


def test_an_address_is_read_and_shown():
    """Port and unit have their usual defaults; a driver names the options it knows."""
    assert ModbusAddress.parse("modbus://192.0.2.21") == ModbusAddress("192.0.2.21", 502, 1)
    address = ModbusAddress.parse("modbus://[::1]:1502/7?loop=2", frozenset({"loop"}))
    assert (address.where, address.options) == ("[::1]:1502, unit 7", (("loop", "2"),))
    for wrong in ("modbus://h/x", "modbus://h:x/1", "modbus://h/248", "modbus:///1", "tcp://h/1", "modbus://h/1#a"):
        with pytest.raises(SetupError, match="names no Modbus unit"):
            ModbusAddress.parse(wrong)
    with pytest.raises(SetupError, match="no option 'loop'"):
        ModbusAddress.parse("modbus://h/1?loop=2")
