"""The virtual FT4232H, from its wire: what a chip answers, at what times, and what it refuses."""

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usb_bench import Bench, Station

from hil.sim.ftdi_chip import Ft4232h
from hil.sim.ftdi_wires import Wires
from hil.sim.mpsse import Mpsse
from hil.sim.world import World

OUT1, IN1, IN2, OUT3, IN3 = 0x02, 0x81, 0x83, 0x06, 0x85
MPSSE, BIT_BANG = 2, 1
VENDOR_OUT, VENDOR_IN = 0x40, 0xC0
SPI_OUTPUTS, CS_HIGH = 0x7B, 0x78
BULK_IN = 7  # of the wire
TIMEOUT_S = 5.0
AT_100_KHZ = bytes((0x8A, 0x86, 299 & 0xFF, 299 >> 8))


@pytest.fixture
def world():
    """A world in which nothing else happens."""
    return World()


@pytest.fixture
def fixture(world):
    """What stands behind the pins."""
    return Bench(world).fixture


@pytest.fixture
def chip(world, fixture):
    """A chip whose port 1 is an MPSSE at 100 kHz that drives the SPI pins, all deselected."""
    chip = Ft4232h(world, fixture, "HILFIX01")
    chip.control(VENDOR_OUT, 11, MPSSE << 8, 1, 0)
    chip.control(VENDOR_OUT, 9, 1, 1, 0)
    send(chip, world, AT_100_KHZ + bytes((0x80, CS_HIGH, SPI_OUTPUTS)))
    return chip


def send(chip, world, data, endpoint=OUT1):
    """Do a bulk OUT as the server does it."""
    done_s, status = chip.bulk_out(endpoint, data, TIMEOUT_S)
    world.advance_to(done_s)
    return status


def fetch(chip, world, size=512, endpoint=IN1):
    """Do a bulk IN as the server does it."""
    world.advance_to(chip.bulk_in_ready_s(endpoint))
    return chip.bulk_in(endpoint, size)


def frame(command, length, write=0x11, read=0x20, idle=0):
    """One SPI frame to meter 0 with slow chip selects, in any mode."""
    low, high = bytes((0x80, idle | 0x70, SPI_OUTPUTS)), bytes((0x80, idle | CS_HIGH, SPI_OUTPUTS))
    body = bytes((write, len(command) - 1, 0)) + command
    return high * 20 + low * 20 + body + (bytes((read, length - 1, 0)) if length else b"") + low * 20 + high * 20


def test_mode_0_reads_a_register(chip, world, fixture):
    """A frame on the right edges reads the register, and no time of the datasheet is violated."""
    fixture.meters[0].registers[0x49] = 0x59E7

    send(chip, world, frame(b"\xc9", 2) + b"\x87")

    assert fetch(chip, world)[2:] == b"\x59\xe7"
    assert fixture.meters[0].violations == []
    assert fixture.meters[0].frames == [24]


@pytest.mark.parametrize(
    ("write", "read", "idle"),
    [(0x10, 0x20, 0), (0x10, 0x24, 0), (0x10, 0x20, 1), (0x10, 0x24, 1), (0x11, 0x24, 1), (0x19, 0x28, 0)],
    ids=["mode 1", "mode 1, late", "mode 2", "mode 2, late", "mode 3 without 3-phase", "least significant bit first"],
)
def test_a_wrong_spi_mode_does_not_read_the_register(chip, world, fixture, write, read, idle):
    """A slave on edges notices what a slave on bytes cannot: data that changes on the edge it samples on."""
    fixture.meters[0].registers[0x49] = 0x59E7

    send(chip, world, frame(b"\xc9", 2, write, read, idle) + b"\x87")

    got = fetch(chip, world)[2:]
    assert got != b"\x59\xe7" or fixture.meters[0].violations


@pytest.mark.parametrize(
    ("setup", "frequency_hz"),
    [
        (b"\x8a\x86\x2b\x01", 100e3),
        (b"\x8b\x86\x3b\x00", 100e3),
        (b"\x8a\x86\x00\x00", 30e6),
        (b"\x8b\x86\xff\xff", 91.55),
    ],
)
def test_the_clock_is_60_or_12_mhz_over_twice_the_divisor_and_one(chip, world, fixture, setup, frequency_hz):
    """The edges come at 60 MHz / (2 (1 + divisor)), or at a fifth of that behind the divider."""
    fixture.edges.clear()

    send(chip, world, setup + b"\x8e\x07")

    rising = [t_s for t_s, sclk, _, _ in fixture.edges if sclk]
    assert len(rising) == 8
    assert (rising[-1] - rising[0]) / 7 == pytest.approx(1 / frequency_hz, rel=1e-4)


def test_a_bad_command_comes_back_after_fa(chip, world):
    """The engine names a code that it does not know, at once, and goes on; 9E belongs to another chip."""
    send(chip, world, b"\xaa\x9e\x00\x00\x81\x87")

    assert fetch(chip, world)[2:6] == b"\xfa\xaa\xfa\x9e"


def test_the_engine_stops_while_its_answers_do_not_fit(chip, world):
    """2 KiB of answers fill the FIFO; the engine waits for the host and loses nothing."""
    status = send(chip, world, b"\x84\x31" + struct.pack("<H", 3999) + bytes(i % 251 for i in range(4000))[:1500])
    assert status == 1503 + 1

    rest = bytes(i % 251 for i in range(4000))[1500:]
    assert send(chip, world, rest) == len(rest)  # 2048 answers wait, and fewer than 2048 bytes of commands

    got = b""
    while len(got) < 4000:
        packet = fetch(chip, world)[2:]
        assert packet
        got += packet
    assert got == bytes(i % 251 for i in range(4000))


def test_a_transfer_that_neither_fifo_can_take_times_out(chip, world):
    """Commands beyond both FIFOs hang until the host's time-out: what a batch must never do."""
    count = 6000

    assert send(chip, world, b"\x84\x31" + struct.pack("<H", count - 1) + bytes(count)) == -110


def test_every_packet_begins_with_two_status_bytes(chip, world):
    """600 answers come as one full packet of 510 and one of 90, each with its status."""
    send(chip, world, b"\x84\x31" + struct.pack("<H", 599) + b"\x55" * 600 + b"\x87")

    data = fetch(chip, world, 4096)

    assert len(data) == 512 + 92
    assert data[:2] == data[512:514] == b"\x32\x60"
    assert set(data[2:512] + data[514:]) == {0x55}


def test_an_empty_packet_takes_the_latency_period_and_a_flushed_answer_a_micro_frame(chip, world):
    """The latency timer paces empty packets; send-immediate does not wait for it."""
    chip.control(VENDOR_OUT, 9, 16, 1, 0)
    fetch(chip, world)
    before_s = world.now_s
    assert fetch(chip, world) == b"\x32\x60"
    assert world.now_s - before_s == pytest.approx(16e-3)

    send(chip, world, b"\x81\x87")
    before_s = world.now_s
    assert len(fetch(chip, world)) == 3
    assert world.now_s - before_s == pytest.approx(125e-6)


def test_an_answer_that_nobody_flushed_waits_for_the_latency_timer(chip, world):
    """Without send-immediate a short answer lies in the chip until the timer runs out."""
    chip.control(VENDOR_OUT, 9, 16, 1, 0)
    fetch(chip, world)
    before_s = world.now_s

    send(chip, world, b"\x81")

    assert len(fetch(chip, world)) == 3
    assert world.now_s - before_s == pytest.approx(16e-3)


def test_an_mpsse_buffer_takes_its_clock_time(chip, world):
    """24 clocks at 100 kHz are 240 us of bench time, and the transfer a micro-frame more."""
    before_s = world.now_s

    send(chip, world, b"\x11\x02\x00\x01\x02\x03")

    assert world.now_s - before_s == pytest.approx(240e-6 + 125e-6)


def test_only_ports_1_and_2_have_an_mpsse(chip, world, fixture):
    """MPSSE on port 3 is not taken: what is written there still goes out on the serial line."""
    chip.control(VENDOR_OUT, 11, MPSSE << 8, 3, 0)

    send(chip, world, b"\xaa", OUT3)

    assert bytes(fixture.sent) == b"\xaa"


def test_bit_bang_drives_and_reads_pins(chip, world, fixture):
    """Outputs of the mask follow the written byte; the other pins are read from the fixture."""
    chip.control(VENDOR_OUT, 11, BIT_BANG << 8 | 0b11, 2, 0)

    send(chip, world, b"\x02", 0x04)

    assert fixture.gpio_written[-1] == (0b10, 0b11)
    assert chip.control(VENDOR_IN, 12, 0, 2, 1) == (1, bytes((0b1111_1110,)))
    assert set(fetch(chip, world, endpoint=IN2)[2:]) == {0b1111_1110}


def test_the_wrong_baud_rate_makes_garbage(chip, world, fixture):
    """The console hears nothing sensible at 9600 baud, and all of it at 115200."""
    chip.control(VENDOR_OUT, 4, 8, 3, 0)
    chip.control(VENDOR_OUT, 3, 0x04E2, 0x0203, 0)  # 12 MHz / 1250 = 9600
    fixture.to_host += b"hello"
    assert fetch(chip, world, endpoint=IN3)[2:] == b"\xff" * 5

    chip.control(VENDOR_OUT, 3, 0xC068, 0x0203, 0)  # 12 MHz / 104.125 = 115246
    fixture.to_host += b"hello"
    assert fetch(chip, world, endpoint=IN3)[2:] == b"hello"


def test_a_console_that_nobody_reads_overruns_after_2_kib(chip, world, fixture):
    """The chip keeps 2048 bytes, drops the rest and says so in the status."""
    fixture.to_host += bytes(3000)

    data = fetch(chip, world, 4096, IN3)

    assert len(data) == 2048 + 5 * 2
    assert data[1] & 0x02


def test_descriptors_are_those_of_an_ft4232h(chip):
    """Vendor, product, release, strings, four interfaces with a bulk pair each."""
    _, device = chip.control(0x80, 6, 0x0100, 0, 18)
    _, serial = chip.control(0x80, 6, 0x0303, 0x0409, 255)

    assert struct.unpack_from("<HHH", device, 8) == (0x0403, 0x6011, 0x0800)
    assert serial[2:].decode("utf-16-le") == "HILFIX01"
    assert chip.configuration[4] == 4
    assert len(chip.configuration) == 9 + 4 * 23


class LoopedWires(Wires):
    """MOSI wired to MISO."""

    def read(self, t_s):
        pads = super().read(t_s)
        return pads & ~0x04 | (0x04 if self._levels & 0x02 else 0)


@given(st.binary(min_size=1, max_size=40), st.sampled_from([0x31, 0x34, 0x39, 0x3C]), st.booleans())
@settings(max_examples=50, deadline=None)
def test_what_goes_out_over_a_wire_comes_back(data, code, internal):
    """Full duplex on opposite edges returns its own bytes, in both bit orders and at both idle levels of the clock."""
    engine = Mpsse(LoopedWires(), lambda _: None)
    idle_low = code & 1
    setup = bytes((0x80, 0 if idle_low else 1, 0x0B, 0x84 if internal else 0x85))

    engine.feed(setup + bytes((code,)) + struct.pack("<H", len(data) - 1) + data, 0.0)

    assert bytes(engine.answers) == data


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_command_stream_breaks_the_engine(data):
    """Whatever the host sends, the engine executes, refuses or waits; after a reset it works."""
    engine = Mpsse(LoopedWires(), lambda _: None)

    engine.feed(data, 0.0)

    assert engine.waiting_bytes <= len(data)


def test_bits_come_in_where_the_chip_puts_them():
    """Three bits, most significant first, enter from below; least significant first, from above."""
    engine = Mpsse(LoopedWires(), lambda _: None)

    engine.feed(bytes((0x80, 0, 0x0B, 0x33, 2, 0b1010_0000, 0x3B, 2, 0b0000_0101)), 0.0)

    assert bytes(engine.answers) == bytes((0b0000_0101, 0b1010_0000))


def ask(host, op, kind=0, index=0, handle=0, in_length=0, data=b""):
    """One request on the wire, as the top of hil/sim/usb.py describes it."""
    host.sendall(struct.pack("<BBBxHHIIII", op, kind, 0, 0, index, handle, in_length, 1000, len(data)) + data)
    status, length = struct.unpack("<iI", receive(host, 8))
    return status, receive(host, length)


def receive(host, length):
    data = b""
    while len(data) < length:
        part = host.recv(length - len(data))
        assert part
        data += part
    return data


@pytest.fixture
def server():
    """A virtual chip on a socket, in bench time."""
    station = Station()
    yield station
    station.close()


def connect(station):
    host, port = station.address.split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def test_an_interface_belongs_to_one_host_until_it_lets_go(server):
    """A second host gets EBUSY; when the first one's process dies its claims are free."""
    with connect(server) as second:
        with connect(server) as first:
            mine, other = ask(first, 1)[0], ask(second, 1)[0]
            assert ask(first, 3, index=0, handle=mine)[0] == 0
            assert ask(second, 3, index=0, handle=other)[0] == -16
            assert ask(second, 3, index=1, handle=other)[0] == 0
        while server.do(lambda: 0 in server.server.claims):
            pass

        assert ask(second, 3, index=0, handle=other)[0] == 0


def test_an_unplugged_device_is_gone_and_comes_back_at_another_address(server):
    """Every transfer fails with ENODEV; old handles stay dead after it is plugged in again."""
    with connect(server) as host:
        handle = ask(host, 1)[0]
        address = ask(host, 0)[1][2]
        server.do(server.server.unplug)
        assert ask(host, BULK_IN, IN1, handle=handle, in_length=512)[0] == -19
        assert ask(host, 0) == (0, b"")

        server.do(server.server.plug)

        assert ask(host, BULK_IN, IN1, handle=handle, in_length=512)[0] == -19
        assert ask(host, 0)[1][2] == address + 1


def test_a_request_in_pieces_is_one_request(server):
    """The wire is a stream: a request may come byte by byte, and two in one segment."""
    request = struct.pack("<BBBxHHIIII", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    with connect(server) as host:
        for byte in request + request:
            host.sendall(bytes((byte,)))
        answers = receive(host, 2 * (8 + 8 + 18 + 101))

    assert answers[: len(answers) // 2] == answers[len(answers) // 2 :]


def test_in_real_time_a_transfer_takes_its_time_on_the_wall():
    """Ten empty packets at 16 ms take 160 ms, and the world keeps its own pace."""
    station = Station(real_time=True)
    try:
        with connect(station) as host:
            handle = ask(host, 1)[0]
            start_s = station.now_s()
            for _ in range(10):
                ask(host, BULK_IN, IN1, handle=handle, in_length=512)
            took_s = station.now_s() - start_s
    finally:
        station.close()

    assert 0.140 <= took_s < 1.0
