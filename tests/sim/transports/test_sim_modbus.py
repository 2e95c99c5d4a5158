"""The simulated chamber's Modbus server and registers, asked by somebody else's client."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient, ModbusTcpClient

from hil.sim.bench import Bench
from hil.sim.faults import describe
from hil.sim.instruments.watlow_f4t import WatlowF4T
from hil.sim.misbehaviour import Kind, Misbehaviour
from hil.sim.transports.modbus import ModbusServer
from hil.sim.world import World

sys.path.insert(0, str(Path(__file__).parent.parent))

from serving import Loop


class Served:
    """A chamber's controller behind a socket."""

    def __init__(self) -> None:
        self._loop = Loop()
        self.world = World("SP-000123")
        self.bench = Bench(self.world)
        self.server = ModbusServer(WatlowF4T(self.world, self.bench))
        self._loop.run(self.server.start())

    def wait(self, duration_s: float) -> None:
        async def act() -> None:
            self.world.advance(duration_s)

        self._loop.run(act())

    def close(self) -> None:
        self._loop.run(self.server.stop())
        self._loop.close()


@pytest.fixture
def served():
    served = Served()
    yield served
    served.close()


@pytest.fixture
def client(served):
    with ModbusTcpClient("127.0.0.1", port=served.server.port, timeout=1, retries=0) as client:
        yield client


def number(client, register):
    registers = client.read_holding_registers(register, count=2).registers
    return client.convert_from_registers(registers, client.DATATYPE.FLOAT32, word_order="little")


def put(client, register, value):
    registers = client.convert_to_registers(value, client.DATATYPE.FLOAT32, word_order="little")
    return client.write_registers(register, registers)


def test_it_says_what_the_manual_says(client):
    """Part number one character a register, serial number low word first, device status OK."""
    part = "".join(map(chr, client.read_holding_registers(16, count=15).registers))
    serial = client.convert_from_registers(
        client.read_holding_registers(12, count=2).registers, client.DATATYPE.INT32, word_order="little"
    )

    assert part.startswith("F4T")
    assert serial > 0
    assert client.read_holding_registers(90).registers == [138]
    assert client.read_holding_registers(46, count=3).registers == [ord(char) for char in "F4T"]


def test_it_is_regulated(client, served):
    """Set point and mode by Modbus; the air follows, the power shows it, and off lets it be."""
    assert number(client, 2820) == pytest.approx(served.bench.unit.ambient_c, abs=0.31)
    put(client, 2782, 40.0)
    client.write_register(2730, 10)
    assert client.read_holding_registers(2814).registers == [10]
    assert number(client, 2808) == 100.0
    served.wait(3600.0)
    assert number(client, 2820) == pytest.approx(40.0, abs=0.4)
    assert number(client, 2810) == 40.0

    client.write_register(2730, 62)
    assert served.bench.chamber.target_c is None
    assert number(client, 2808) == 0.0


def test_a_ramp_is_walked(client, served):
    """1 K/min: the closed-loop set point is on its way."""
    put(client, 2798, 1.0)
    client.write_register(2796, 57)
    client.write_register(2794, 85)
    put(client, 2782, 40.0)
    client.write_register(2730, 10)
    start_c = served.bench.unit.ambient_c
    served.wait(600.0)

    assert number(client, 2810) == pytest.approx(start_c + 10.0, abs=0.2)
    assert number(client, 2820) == pytest.approx(start_c + 10.0, abs=0.6)


def test_fahrenheit_is_for_every_temperature(client):
    """As somebody may set it at the panel."""
    celsius = number(client, 2820)
    client.write_register(6730, 30)

    assert number(client, 2820) == pytest.approx(celsius * 1.8 + 32.0, abs=0.1)
    put(client, 2782, 104.0)
    client.write_register(6730, 15)
    assert number(client, 2782) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda c: c.read_holding_registers(60000), 2),
        (lambda c: c.write_register(2814, 10), 2),
        (lambda c: c.write_register(2730, 11), 3),
        (lambda c: put(c, 2782, 131.0), 3),
        (lambda c: put(c, 2782, float("nan")), 3),
        (lambda c: put(c, 2774, 140.0), 3),
        (lambda c: c.write_register(2782, 1), 2),
        (lambda c: c.read_coils(1), 1),
        (lambda c: c.read_holding_registers(2730, count=125), 0),
    ],
)
def test_what_cannot_be_done_is_an_exception(client, do, code):
    """Illegal function 1, address 2, value 3; a long read over gaps is none."""
    answer = do(client)

    assert answer.exception_code == code


def test_an_asynchronous_client_and_many_at_once(served):
    """Three clients on a loop of their own, each with its own answers."""

    async def ask(register):
        async with AsyncModbusTcpClient("127.0.0.1", port=served.server.port, timeout=2) as client:
            return [(await client.read_holding_registers(register)).registers for _ in range(20)]

    async def together():
        return await asyncio.gather(ask(2730), ask(90), ask(6730))

    assert asyncio.run(together()) == [[[62]] * 20, [[138]] * 20, [[15]] * 20]


def test_a_frame_that_is_no_modbus_ends_the_connection(served):
    """Another protocol's identifier, or a length that no frame has."""

    for fields in ((1, 7, 6, 1), (1, 0, 1, 1), (1, 0, 900, 1)):
        with socket.create_connection(("127.0.0.1", served.server.port), timeout=2.0) as line:
            line.sendall(struct.pack(">HHHB", *fields) + bytes(8))
            assert line.recv(10) == b""


def test_a_misbehaviour_acts_once(client, served):
    """The exception of a failing device, and an answer under another number; the next one is right."""
    for kind, code in ((Kind.QUEUE_ERROR, 4), (Kind.NAN, 0)):
        served.server.saboteur.arm(Misbehaviour(kind))
        assert client.read_holding_registers(2820, count=2).exception_code == code
        assert served.server.saboteur.acted
        assert number(client, 2820) == pytest.approx(23.0, abs=3.0)
    assert describe("bench-thermal-chamber-misnumbered")[0] == "bench"
