"""The simulated station's own wires: garbage from a peer ends a connection at most, never the station."""

from __future__ import annotations

import json
import math
import struct
from functools import cache

from fuzz.loops import Writer, run, serve
from fuzz.registry import target
from hil.sim.boards.console import ConsoleFrames
from hil.sim.control import ControlServer
from hil.sim.http import HttpServer
from hil.sim.scpi import ScpiInstrument
from hil.sim.scpi_syntax import Call, ScpiError, channel_list, split_unit, to_number
from hil.sim.station import Station
from hil.sim.transports.hislip import HislipServer
from hil.sim.transports.modbus import ModbusServer
from hil.sim.transports.raw import RawServer
from hil.sim.transports.vxi11 import Vxi11Server
from hil.sim.usb import ANSWER, _Host


@cache
def station(what: str = "bench") -> Station:
    """One for a process and what is fuzzed in it: making one takes 20 ms."""
    return Station("SP-000123")


@cache
def instruments() -> dict[str, ScpiInstrument]:
    with_port = {role: server.instrument for role, server in station().servers.items() if hasattr(server, "port")}
    return {role: one for role, one in with_port.items() if isinstance(one, ScpiInstrument)}


def powered(what: str) -> Station:
    """One whose unit's firmware runs; what was said to the unit before may have rebooted it."""
    one = station(what)
    if one.bench.unit.http("GET", "/shelly", b"") is None:
        run(one.servers["AcSource"].instrument.execute("VOLT:RANG HIGH;:VOLT:AC 230;:OUTP ON"))
        one.world.advance(5.0)
        assert one.bench.unit.http("GET", "/shelly", b"") is not None, "the firmware does not run"
    return one


@target(tokens=(b"(@101:103)", b"#HFF", b"#B1", b"MIN", b"INF", b"1E999", b"mV", b"\t", b"\xa0", b"ON"))
def scpi_syntax(data: bytes) -> None:
    """Headers, numbers and channel lists are read, or refused with a code for the error queue."""
    text = data.decode("latin-1")
    for read in (
        lambda: split_unit(text),
        lambda: to_number(text, "V", low=0.0, high=1.0, default=0.5),
        lambda: channel_list(text, [101, 102, 103, 201]),
        lambda: Call("X", (), [text]).boolean(0),
        lambda: Call("X", (), [text]).integer(0, 0, 255),
        lambda: Call("X", (), [text]).string(0),
    ):
        try:
            got = read()
        except ScpiError as error:
            got = error
        assert not isinstance(got, ScpiError) or got.code < 0
        assert not isinstance(got, float) or not math.isnan(got)


@target(tokens=(b":SYST:ERR?", b"*IDN?", b";", b":", b"(@101)", b"1E999", b"#H1", b"MAX", b"?", b"ON", b" "))
def scpi_instruments(data: bytes) -> None:
    """The first byte chooses the model. Whatever it is told, it still answers who it is."""
    roles = sorted(instruments())
    instrument = instruments()[roles[(data[0] - ord("0")) % len(roles)] if data else roles[0]]

    async def talk() -> None:
        answer = await instrument.execute(data[1:].decode("latin-1").strip())
        assert answer is None or isinstance(answer, str | bytes)
        if isinstance(answer, str):
            answer.encode("latin-1")  # as it goes onto the wire
        assert await instrument.execute("*IDN?") == instrument.IDENTITY
        await instrument.execute("*CLS;*RST")

    run(talk())


@target(tokens=(b"HS\x07\x00", b"\x00" * 8, b"*IDN?"))
def hislip_server(data: bytes) -> None:
    sent = run(serve(HislipServer(instruments()["Dmm"]), data))
    assert sent[:2] in {b"", b"HS"}


@target(tokens=(struct.pack("!6I", 1, 0, 2, 0x0607AF, 1, 12), b"\x80\x00\x00\x28", b"\xff\xff\xff\xff"))
def vxi11_server(data: bytes) -> None:
    run(serve(Vxi11Server(instruments()["PowerMeter"]), data))


@target(tokens=(b"*IDN?\n", b"SYST:REM\n"))
def raw_server(data: bytes) -> None:
    run(serve(RawServer(instruments()["AcLoad"]), data))


@target(tokens=(struct.pack("!3H2B2H", 1, 0, 6, 1, 3, 2820, 2), b"\x00\x01\x00\x00\x00\x06", b"\x01\x10\x0a\xde"))
def modbus_server(data: bytes) -> None:
    sent = run(serve(ModbusServer(station().servers["ThermalChamber"].instrument), data))
    assert not sent or sent[2:4] == b"\x00\x00"


@target(
    tokens=(b"Content-Length: ", b"\r\n\r\n", b"/rpc", b"//[", b"\xb2", b'{"id":1,"method":"Sys.GetStatus"}', b"?id=0")
)
def http_server(data: bytes) -> None:
    sent = run(serve(HttpServer(powered("http").bench), data))
    assert sent[:9] in {b"", b"HTTP/1.1 "}


@target(
    tokens=(
        b"\x81\x85",
        b"\x89\x80",
        b"\x88\x82",
        b"GET /rpc HTTP/1.1\r\n",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    )
)
def websocket_server(data: bytes) -> None:
    head = (
        b"GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    plain = data[:1] != b"\x00"
    run(serve(HttpServer(powered("websocket").bench), head + data if plain else data[1:]))


@target(tokens=(b'{"do":"events","since":1e999}', b'{"do":"now"}', b'"s":', b'"lid"', b"\n", b'"at_s":'))
def control_server(data: bytes) -> None:
    """One answer a line, whatever the line says; no request here lets an hour of bench time pass."""
    if b"advance" in data or b"at_s" in data:
        data = data.replace(b"e", b"")
    one = station("control")
    server = ControlServer(one.world, one.bench, lambda: {})
    sent = run(serve(server, data))
    answers = [json.loads(line) for line in sent.splitlines()]
    assert all(isinstance(answer["ok"], bool) for answer in answers)
    assert len(answers) == len(data.split(b"\n")) - (not data.rpartition(b"\n")[2])


@target(
    tokens=(struct.pack("<BBBxHHIIII", 5, 0x40, 11, 0x0203, 1, 1, 0, 100, 0), b"\x80\x00\x7b", b"\x8e\x00", b"\x81\x87")
)
def usb_host(data: bytes) -> None:
    """A request that makes no sense gets a status; the next host still sees the device."""
    usb = station("usb").usb

    async def talk() -> None:
        for requests in (data, struct.pack("<BBBxHHIIII", 0, 0, 0, 0, 0, 0, 0, 0, 0)):
            host = _Host(usb, set())
            writer = Kept()
            host._transport = writer  # type: ignore[assignment]
            host.data_received(requests)
            host.connection_lost(None)
        status, length = ANSWER.unpack_from(writer.sent)
        assert (status, length > 100) == (0, True)

    run(talk())


class Kept(Writer):
    def is_closing(self) -> bool:
        return False


@target(tokens=(b'"""', b'"""{"id":1,"src":"x","method":"Sys.GetStatus"}"""', b"\x04", b'"params":', b"null", b"1e999"))
def unit_console(data: bytes) -> None:
    """The firmware answers a frame that is one, and goes on after whatever else it hears."""
    out: list[bytes] = []
    heard: list[object] = []

    def answer(request: object) -> dict[str, object]:
        heard.append(request)
        return {"id": request.get("id") if isinstance(request, dict) else None, "result": 1}

    console = ConsoleFrames(lambda: 0.0, out.append, answer)
    for at in range(0, len(data), 7):
        console.feed(data[at : at + 7])
    console.feed(b'\x04"""{"id":77,"method":"x"}"""')
    assert heard[-1] == {"id": 77, "method": "x"}


@target(
    tokens=(
        bytes.fromhex("06082b06010201010100"),
        b"\x02\x01\x01",
        b"\xa0",
        b"\xa5",
        b"\x30\x80",
        b"\x84\xff\xff\xff\xff",
    )
)
def snmp_agent(data: bytes) -> None:
    answer = station("snmp").snmp.answer(data)
    assert answer is None or len(answer) <= 1472
