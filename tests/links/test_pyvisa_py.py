"""Defects of pyvisa-py 0.8.1 that hil.links.visa works round. When one of these fails, an upgrade has mended it.

Each test states the DEFECT; the right behaviour is what test_visa.py demands of VisaLink.
"""

import socket
import time

import pytest
import pyvisa
from pyvisa.constants import ResourceAttribute, StatusCode

from .servers import HislipServer, LineServer, SerialServer, Vxi11Server
from .test_visa import instrument


class CountingSocket(socket.socket):
    """Counts the reads that brought nothing."""

    empty_reads = 0

    def recv(self, size, flags=0):
        data = super().recv(size, flags)
        self.empty_reads += not data
        return data


@pytest.fixture(scope="module")
def manager():
    """pyvisa's resource manager on pyvisa-py."""
    return pyvisa.ResourceManager("@py")


@pytest.fixture
def opened(manager):
    """Start a server and open plain pyvisa on it; returns both."""
    things = []

    def start(server_class, program=instrument, **options):
        server = server_class(program)
        things.append(server)
        options = {"timeout": 300, "open_timeout": 2000, "read_termination": "\n", "write_termination": "\n"} | options
        resource = manager.open_resource(server.resource, **options)
        things.append(resource)
        return resource, server

    yield start
    for thing in reversed(things):
        thing.close()


def test_a_raw_socket_opens_where_nobody_listens(manager):
    """The open succeeds; only the first transfer finds out."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    resource = manager.open_resource(f"TCPIP::127.0.0.1::{port}::SOCKET", open_timeout=500)

    with pytest.raises(ConnectionRefusedError):
        resource.write("*IDN?")

    resource.close()


def test_a_raw_socket_has_nodelay_off_and_the_attribute_cannot_set_it(opened):
    """Write, then ask, waits 40 ms for a delayed acknowledge; VISA's own attribute is refused."""
    resource, _ = opened(LineServer)
    interface = resource.visalib.sessions[resource.session].interface

    assert interface.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
    with pytest.raises(Exception, match=r"(?i)attribute"):
        resource.set_visa_attribute(ResourceAttribute.tcpip_nodelay, True)


def test_the_private_names_that_we_use_exist(opened):
    """visalib.sessions[...].interface and ._pending_buffer: where TCP_NODELAY and stale answers are reached."""
    resource, _ = opened(LineServer)
    session = resource.visalib.sessions[resource.session]

    assert isinstance(session.interface, socket.socket)
    assert isinstance(session._pending_buffer, bytearray)


@pytest.mark.parametrize("server_class", [LineServer, SerialServer], ids=["socket", "serial"])
def test_a_late_answer_is_taken_for_the_next(opened, server_class):
    """After a time-out on a stream every answer is one off."""
    resource, _ = opened(server_class)
    with pytest.raises(pyvisa.VisaIOError):
        resource.query("LATE?")

    time.sleep(0.25)

    assert resource.query("ECHO? 1") == "late"
    assert resource.query("ECHO? 2") == "1"


def test_clear_of_a_raw_socket_does_not_wait_for_a_slow_answer(opened):
    """It drains for 100 ms: an instrument that is slower still answers the next question."""
    resource, _ = opened(
        LineServer, lambda message: time.sleep(0.35) or b"late\n" if message == "SLOW?" else b"1\n", timeout=100
    )
    with pytest.raises(pyvisa.VisaIOError):
        resource.query("SLOW?")

    resource.clear()

    resource.timeout = 1000
    assert resource.query("ONE?") == "late"


def test_clear_of_a_serial_line_is_not_supported(opened):
    """There is no clear to rely on."""
    resource, _ = opened(SerialServer)

    with pytest.raises(pyvisa.VisaIOError) as caught:
        resource.clear()

    assert caught.value.error_code == StatusCode.error_nonsupported_operation


def test_hislip_reads_an_empty_string_when_nothing_is_pending(opened):
    """After one whole answer the next read returns at once, with nothing and without an error."""
    resource, _ = opened(HislipServer)
    resource.query("*IDN?")
    start_s = time.monotonic()

    assert resource.read_raw() == b""
    assert time.monotonic() - start_s < 0.1


def test_a_dead_peer_of_a_raw_socket_keeps_a_core_busy_until_the_time_out(opened):
    """End of file is not seen: the same nothing is read again and again, then a time-out is reported."""
    resource, server = opened(LineServer)
    resource.query("*IDN?")
    session = resource.visalib.sessions[resource.session]
    session.interface = counting = CountingSocket(fileno=session.interface.detach())
    server.hang_up()

    with pytest.raises(pyvisa.VisaIOError) as caught:
        resource.read_raw()

    assert caught.value.error_code == StatusCode.error_timeout
    assert counting.empty_reads > 100  # one would tell that the peer has closed; a read that waited would take none


def test_a_dead_peer_of_hislip_is_a_runtime_error(opened):
    """Not one of VISA's errors."""
    resource, server = opened(HislipServer)
    server.hang_up()

    with pytest.raises((RuntimeError, OSError)):
        resource.query("*IDN?")


def test_a_refused_vxi11_is_a_bare_connection_error(manager):
    """Not one of VISA's errors; its socket is left open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(ConnectionRefusedError) as caught:
        manager.open_resource(f"TCPIP::127.0.0.1,{port}::inst0::INSTR", open_timeout=500)

    assert leaked_sockets(caught.value)


def test_a_refused_hislip_leaves_its_socket_open(manager):
    """It hangs on the traceback until it is collected."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(pyvisa.VisaIOError) as caught:
        manager.open_resource(f"TCPIP::127.0.0.1::hislip0,{port}::INSTR", open_timeout=500)

    assert leaked_sockets(caught.value)


def test_vxi11_times_out_on_an_answer_that_is_exactly_as_long_as_asked_for(opened):
    """The end flag of the last piece is lost: the library waits for more."""
    resource, _ = opened(Vxi11Server, lambda message: b"x" * 1023 + b"\n")
    resource.write("WAV?")

    with pytest.raises(pyvisa.VisaIOError) as caught:
        resource.read_raw(1024)

    assert caught.value.error_code == StatusCode.error_timeout


def test_a_raw_socket_without_read_terminator_times_out(opened):
    """Nothing marks the end of an answer: even a whole one is an error."""
    resource, _ = opened(LineServer, read_termination=None)
    resource.write("*IDN?")

    with pytest.raises(pyvisa.VisaIOError):
        resource.read_raw()


def leaked_sockets(error):
    """Close and count the open sockets that hang on the traceback."""
    found = []
    while error is not None:
        step = error.__traceback__
        while step is not None:
            holder = step.tb_frame.f_locals.get("self")
            found += [one for one in getattr(holder, "__dict__", {}).values() if isinstance(one, socket.socket)]
            step = step.tb_next
        error = error.__cause__ or error.__context__
    still_open = {one for one in found if one.fileno() >= 0}
    for one in still_open:
        one.close()
    return len(still_open)
