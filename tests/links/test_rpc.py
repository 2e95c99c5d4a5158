"""Console and RPC: deadlines in bench time, stale answers, errors of the unit."""

import json
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hil.errors import Blame, NotConnected, UnitRefused, UnitSilent
from hil.links.console import Console
from hil.links.frames import FrameParser
from hil.links.rpc import ConsoleRpc, HttpRpc

from .conftest import RESOURCE


@pytest.fixture
def console(station):
    """The unit's console."""
    console = Console("Fixture", RESOURCE + "/3", station)
    yield console
    console.close()


@pytest.fixture
def rpc(console, station):
    """Calls over the console."""
    return ConsoleRpc(console, station)


def firmware(reply):
    """A program on the unit: reply(request) returns the bytes to print."""
    parser = FrameParser()

    def program(data):
        return b"".join(reply(request) for request in parser.feed(data)[0])

    return program


def framed(text):
    return b'"""' + text + b"%08x" % zlib.crc32(text) + b'"""'


def answer(request, **fields):
    message = {"id": request["id"], "src": "SP-000001", "dst": request["src"], **fields}
    return framed(json.dumps(message).encode()) + b"\r\n"


def test_a_console_keeps_human_lines_with_their_time(console, station):
    """Lines are stamped with bench time; RPC frames are no lines."""
    station.fixture.to_host += (
        b"ESP-ROM:esp32s3-20210327\r\n" + framed(b'{"method":"NotifyStatus"}') + b"\r\nboot:0x8 (SPI"
    )

    console.read(1.0)

    assert [line.text for line in console.lines] == ["ESP-ROM:esp32s3-20210327"]
    assert 0 < console.lines[0].t_s <= station.now_s()
    station.fixture.to_host += b"_FAST_FLASH_BOOT)\r\n"
    console.read(1.0)
    assert console.lines[-1].text == "boot:0x8 (SPI_FAST_FLASH_BOOT)"


def test_a_console_deadline_is_bench_time(console, station):
    """Ten silent seconds of bench time pass in a moment of ours."""
    before_s, wall_s = station.now_s(), time.monotonic()

    assert console.read(10.0) == b""

    assert station.now_s() - before_s == pytest.approx(10.0, abs=0.02)
    assert time.monotonic() - wall_s < 5.0


def test_a_line_that_never_ends_is_cut(console, station):
    """Garbage without line ends does not grow for ever."""
    for _ in range(6):
        station.fixture.to_host += b"x" * 1000
        console.read(1.0)

    assert [len(line.text) for line in console.lines] == [4096]


def test_a_call_returns_its_result_through_the_boot_log(rpc, station):
    """Log lines around the answer do not disturb it."""
    station.fixture.answer = firmware(
        lambda request: b"I (21) wifi: up\r\n" + answer(request, result={"was_on": False}) + b"I (22) done\r\n"
    )

    assert rpc.call("Switch.Set", {"id": 0, "on": True}) == {"was_on": False}


def test_a_request_is_json_rpc(rpc, station):
    """id, src, method and params are there, also without parameters."""
    seen = []
    station.fixture.answer = firmware(lambda request: seen.append(request) or answer(request, result=None))

    rpc.call("Sys.GetStatus")

    assert set(seen[0]) == {"id", "src", "method", "params"}
    assert seen[0]["params"] == {}


def test_a_stale_answer_is_never_taken(rpc, station):
    """A late answer to the call before, a notification and an answer to somebody else are not this call's."""

    def reply(request):
        other = {"id": request["id"], "src": "SP-000001", "dst": "somebody else", "result": "not ours"}
        return (
            answer({**request, "id": request["id"] - 1}, result="stale")
            + framed(b'{"method":"NotifyStatus","params":{}}')
            + framed(json.dumps(other).encode())
            + answer(request, result="fresh")
        )

    station.fixture.answer = firmware(reply)

    assert rpc.call("Sys.GetStatus") == "fresh"


def test_an_answer_from_before_the_call_is_thrown_away(rpc, station):
    """What lies in the adapter when a call begins cannot answer it."""
    station.fixture.to_host += framed(b'{"id":1,"result":"old"}')
    station.fixture.answer = firmware(lambda request: answer(request, result="new"))

    assert rpc.call("Sys.GetStatus") == "new"


def test_a_silent_unit_is_the_units_fault_after_its_deadline(rpc, station):
    """No answer in two seconds of bench time: UnitSilent, blame unit."""
    before_s = station.now_s()

    with pytest.raises(UnitSilent, match=r"Sys\.GetStatus within 2 s") as caught:
        rpc.call("Sys.GetStatus")

    assert caught.value.blame is Blame.UNIT
    assert station.now_s() - before_s == pytest.approx(2.0, abs=0.05)


def test_an_error_of_the_firmware_carries_its_code(rpc, station):
    """Code and message are the firmware's own."""
    station.fixture.answer = firmware(lambda request: answer(request, error={"code": -103, "message": "no socket 7"}))

    with pytest.raises(UnitRefused, match="no socket 7") as caught:
        rpc.call("Switch.Set", {"id": 7})

    assert caught.value.code == -103


def test_an_unplugged_console_is_the_benchs_fault(rpc, station):
    """A fixture that is gone must not look like a silent unit."""
    station.do(station.server.unplug)

    with pytest.raises(NotConnected) as caught:
        rpc.call("Sys.GetStatus")

    assert caught.value.blame is Blame.BENCH


class Web:
    """A unit's web server that answers as it is told: reply(request) -> (status, body)."""

    def __init__(self, reply):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = reply(request, self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that hangs up early is what one test is about
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web():
    """Start web servers that end with the test; returns an HttpRpc to each."""
    started = []

    def start(reply):
        started.append(Web(reply))
        started.append(HttpRpc(started[-1].url))
        return started[-1]

    yield start
    for one in reversed(started):
        one.close()


def test_http_calls_are_the_same_calls(web):
    """A POST of {id, src, method, params} to /rpc returns the result."""
    rpc = web(
        lambda request, path: (200, json.dumps({"id": request["id"], "result": [path, request["method"]]}).encode())
    )

    assert rpc.call("Shelly.GetDeviceInfo") == ["/rpc", "Shelly.GetDeviceInfo"]


@pytest.mark.parametrize(
    ("status", "make", "code"),
    [
        (200, lambda request: {"id": request["id"] - 1, "result": 1}, -32700),
        (200, lambda request: {"result": 1}, -32700),
        (200, lambda request: {"id": request["id"]}, -32700),
        (200, lambda request: [1], -32700),
        (404, lambda request: "not found", 404),
        (500, lambda request: {"id": request["id"], "error": {"code": -105, "message": "no such id"}}, -105),
    ],
    ids=["another id", "no id", "no result", "no object", "not found", "error"],
)
def test_what_is_no_answer_to_this_call_is_refused(web, status, make, code):
    """The unit's garbage is the unit's fault, with a code."""
    rpc = web(lambda request, _: (status, json.dumps(make(request)).encode()))

    with pytest.raises(UnitRefused) as caught:
        rpc.call("Switch.GetStatus", {"id": 0})

    assert caught.value.code == code


def test_a_unit_that_does_not_listen_is_silent():
    """Connection refused is what a unit in reset looks like."""
    rpc = HttpRpc("http://127.0.0.1:1")

    with pytest.raises(UnitSilent):
        rpc.call("Sys.GetStatus")

    rpc.close()


def test_a_unit_that_hangs_is_silent_after_its_deadline(web):
    """The deadline is real time."""
    rpc = web(lambda request, _: time.sleep(0.5) or (200, b"{}"))
    start_s = time.monotonic()

    with pytest.raises(UnitSilent):
        rpc.call("Sys.GetStatus", timeout_s=0.2)

    assert time.monotonic() - start_s < 0.45
