"""Each transport through the real pyvisa-py: what the table in facts, instruments 1.2 measured must hold here too."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import pyvisa
from pyvisa.constants import StatusCode
from scpi_demo import Demo
from serving import Loop, opened

from hil.sim.transports.hislip import HislipServer
from hil.sim.transports.raw import RawServer
from hil.sim.transports.vxi11 import Vxi11Server
from hil.sim.world import World

SERVERS: dict[str, Callable[[Demo], RawServer | HislipServer | Vxi11Server]] = {
    "raw": RawServer,
    "hislip": HislipServer,
    "vxi11": Vxi11Server,
}
CLEARABLE = ("hislip", "vxi11")


@pytest.fixture
def served(loop: Loop, request: pytest.FixtureRequest) -> Iterator[RawServer | HislipServer | Vxi11Server]:
    server = SERVERS[request.param](Demo(World()))
    loop.run(server.start())
    yield server
    loop.run(server.stop())


all_transports = pytest.mark.parametrize("served", SERVERS, indirect=True)
clearable_transports = pytest.mark.parametrize("served", CLEARABLE, indirect=True)


@all_transports
def test_a_query_is_answered(served):
    """The identification comes back through the resource string the server names."""
    with opened(served.resource) as session:
        assert session.query("*IDN?").strip() == Demo.IDENTITY


@all_transports
def test_two_sessions_see_one_instrument(served):
    """A setting made in one session is there in another."""
    with opened(served.resource) as one, opened(served.resource) as other:
        one.write("VOLT 3")
        one.query("*OPC?")

        assert float(other.query("VOLT?")) == 3.0


@all_transports
def test_a_block_with_new_lines_inside_arrives_whole(served):
    """2.5 MB of every byte value come through, larger than any transport's chunk."""
    with opened(served.resource, timeout_s=10.0) as session:
        data = session.query_binary_values("BLOC? 10000", datatype="B", container=bytes, chunk_size=1 << 16)

    assert data == bytes(range(256)) * 10000


@all_transports
def test_an_answer_that_does_not_come_times_out_in_time(served):
    """The client's time-out of 0.3 s is what passes, not the server's idea of it."""
    with opened(served.resource, timeout_s=0.3) as session:
        started_s = time.monotonic()
        with pytest.raises(pyvisa.VisaIOError) as caught:
            session.query("VOLT")
        lasted_s = time.monotonic() - started_s

    assert caught.value.error_code == StatusCode.error_timeout
    assert 0.25 < lasted_s < 0.9


@clearable_transports
def test_device_clear_ends_what_runs_and_discards_its_answer(served):
    """After a time-out and a clear the next answer belongs to the next question."""
    with opened(served.resource, timeout_s=0.2) as session:
        with pytest.raises(pyvisa.VisaIOError):
            session.query("SLOW? 30")
        session.clear()
        session.timeout = 2000

        assert session.query("*IDN?").strip() == Demo.IDENTITY


@clearable_transports
def test_the_status_byte_tells_of_an_error(served):
    """Bit 2 of the serial poll rises with the first entry in the error queue."""
    with opened(served.resource) as session:
        before = session.read_stb()
        session.write("NONSENSE")
        session.query("*OPC?")
        after = session.read_stb()

    assert (before & 4, after & 4) == (0, 4)


@pytest.mark.parametrize("served", ["raw"], indirect=True)
def test_a_late_answer_on_a_raw_socket_is_stale(served):
    """Nothing clears a raw socket: the answer that came too late is read by the next query."""
    with opened(served.resource, timeout_s=0.2) as session:
        with pytest.raises(pyvisa.VisaIOError):
            session.query("SLOW? 0.3")
        session.timeout = 2000

        assert session.query("*IDN?").strip() == "late"


@pytest.mark.parametrize("served", ["hislip"], indirect=True)
def test_a_late_answer_over_hislip_is_discarded(served):
    """The message id tells the late answer from the one that was asked for."""
    with opened(served.resource, timeout_s=0.2) as session:
        with pytest.raises(pyvisa.VisaIOError):
            session.query("SLOW? 0.3")
        session.timeout = 2000

        assert session.query("*IDN?").strip() == Demo.IDENTITY


@pytest.mark.parametrize("served", ["vxi11"], indirect=True)
def test_reading_without_asking_is_a_query_error(served):
    """Reading with nothing to say times out and leaves -420 in the queue."""
    with opened(served.resource, timeout_s=0.2) as session:
        with pytest.raises(pyvisa.VisaIOError):
            session.read()

        assert session.query("SYST:ERR?").strip() == '-420,"Query UNTERMINATED"'


@pytest.mark.parametrize("served", ["vxi11"], indirect=True)
def test_a_new_question_before_the_answer_was_read_is_a_query_error(served):
    """The first answer is thrown away and -410 is queued."""
    with opened(served.resource) as session:
        session.write("*IDN?")
        session.write("SYST:ERR?")

        assert session.read().strip() == '-410,"Query INTERRUPTED"'


@pytest.mark.parametrize("served", ["vxi11"], indirect=True)
def test_a_lock_keeps_the_other_session_out(served):
    """VXI-11 is the one transport on which pyvisa-py can lock."""
    with opened(served.resource) as one, opened(served.resource) as other:
        one.lock_excl()
        with pytest.raises(pyvisa.VisaIOError):
            other.query("*IDN?")
        one.unlock()

        assert other.query("*IDN?").strip() == Demo.IDENTITY


def test_a_single_session_instrument_turns_the_second_away(loop):
    """While one client is connected a second one is dropped; after it left, another gets in."""
    server = RawServer(Demo(World()), single=True)
    loop.run(server.start())
    with opened(server.resource) as one:
        assert one.query("*IDN?").strip() == Demo.IDENTITY
        with opened(server.resource, timeout_s=0.3) as other, pytest.raises((pyvisa.VisaIOError, OSError)):
            other.query("*IDN?")
        assert one.query("VOLT?")
    time.sleep(0.05)  # the server sees the end of the first connection
    with opened(server.resource) as third:
        assert third.query("*IDN?").strip() == Demo.IDENTITY
    loop.run(server.stop())


@all_transports
def test_a_dead_server_drops_its_connections_and_refuses_new_ones(served, loop):
    """Pulling the plug ends the session that is open and lets no other begin."""
    with opened(served.resource, timeout_s=0.3) as session:
        session.query("*IDN?")
        loop.loop.call_soon_threadsafe(served.die)
        time.sleep(0.1)
        with pytest.raises((pyvisa.VisaIOError, OSError, RuntimeError)):
            session.query("*IDN?")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port), timeout=1.0)


@all_transports
def test_a_query_costs_well_under_a_millisecond(served):
    """500 queries, so that a certification with ten thousand of them is not held up by its simulator."""
    with opened(served.resource) as session:
        session.query("*IDN?")
        started_s = time.perf_counter()
        for _ in range(500):
            session.query("VOLT?")
        per_query_s = (time.perf_counter() - started_s) / 500

    assert per_query_s < 2e-3  # generous: two cores, shared
