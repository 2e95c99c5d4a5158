"""SPI through unmodified pyftdi to a virtual FT4232H with four datasheet-made slaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BadAnswer, NotConnected, OutOfRange, SetupError
from hil.links import remote_usb
from hil.links.ftdi import FtdiAddress, find_serials
from hil.links.spi import SpiBus, SpiRead, SpiWrite, batches

from .conftest import RESOURCE

SNAPSHOT = [SpiRead(cs, bytes((0x80 | register,)), 2) for cs in range(4) for register in range(0x40, 0x4C)]


@pytest.fixture
def bus(station):
    """An open bus at 100 kHz."""
    bus = SpiBus("Fixture", RESOURCE)
    yield bus
    bus.close()


def test_registers_are_read_and_written_at_the_right_meter(bus, station):
    """Each step reaches the chip it selects, in order, and answers come one per read."""
    station.fixture.meters[2].registers[0x49] = 0x59E7

    got = bus.transfer([SpiRead(2, b"\xc9", 2), SpiWrite(1, b"\x20\x56\x78"), SpiRead(1, b"\xa0", 2)])

    assert got == [b"\x59\xe7", b"\x56\x78"]


def test_the_datasheet_times_hold_in_every_frame(bus, station):
    """tCSS, tCSH, tCSD, tCLH, tCLL, tDIS and tDIH hold, and each frame has exactly 24 clocks."""
    bus.transfer([*SNAPSHOT, SpiWrite(3, b"\x20\x56\x78")])

    assert [meter.violations for meter in station.fixture.meters] == [[], [], [], []]
    assert {clocks for meter in station.fixture.meters for clocks in meter.frames} == {24}


@pytest.mark.parametrize("frequency_hz", [500.0, 20_000.0, 99_000.0, 136_200.0])
def test_the_datasheet_times_hold_at_every_frequency_that_is_allowed(station, frequency_hz):
    """Slower clocks only lengthen what must be long enough; the fastest still keeps tCLH."""
    bus = SpiBus("Fixture", RESOURCE, frequency_hz)
    station.fixture.meters[0].registers[0x49] = 0x1234

    got = bus.transfer([SpiRead(0, b"\xc9", 2), SpiRead(0, b"\xc9", 2)])

    bus.close()
    assert got == [b"\x12\x34", b"\x12\x34"]
    assert station.fixture.meters[0].violations == []


def test_the_frequency_is_the_one_the_divisor_makes_and_never_above_the_wish(station):
    """99 kHz becomes 30 MHz / 304; pyftdi's own property would repeat the wish."""
    bus = SpiBus("Fixture", RESOURCE, 99_000.0)
    station.fixture.edges.clear()

    bus.transfer([SpiWrite(0, b"\x20\x56\x78")])

    rising = [t_s for t_s, sclk, _, cs in station.fixture.edges if sclk and not cs[0]]
    bus.close()
    assert bus.frequency_hz == 30e6 / 304
    assert rising[1] - rising[0] == pytest.approx(1 / bus.frequency_hz)


@pytest.mark.parametrize("frequency_hz", [0.0, 160_000.0, 1e6])
def test_a_clock_that_the_chip_cannot_follow_is_refused(station, frequency_hz):
    """160 kbit/s breaks tCLH at 50 % duty: nothing is opened."""
    with pytest.raises(OutOfRange):
        SpiBus("Fixture", RESOURCE, frequency_hz)


def test_a_snapshot_of_48_registers_is_four_usb_transfers(bus, station):
    """Two buffers out, two answers in; one exchange per register would be 96."""
    before = remote_usb.get_backend().transfers

    bus.transfer(SNAPSHOT)

    assert remote_usb.get_backend().transfers - before == 4


def test_a_batched_snapshot_takes_little_more_than_its_clocks(bus, station):
    """48 frames of 24 clocks at 100 kHz are 11.52 ms; everything else adds less than 15 %."""
    before_s = station.now_s()

    bus.transfer(SNAPSHOT)

    assert (station.now_s() - before_s) / (48 * 24 / 100e3) <= 1.15


def test_the_pins_are_released_outside_a_transfer(bus, station):
    """The unit's own processor is master of this bus when it runs: between transfers no edge is ours."""
    bus.transfer([SpiRead(0, b"\xc9", 2)])
    edges = len(station.fixture.edges)
    bus.close()

    assert len(station.fixture.edges) == edges
    assert station.fixture.edges[-1][3] == (True, True, True, True)


def test_a_short_answer_is_the_benchs_fault_and_the_next_one_is_not_stale(bus, station):
    """Bytes that vanish raise BadAnswer; what comes late is purged, never taken for the next answer."""
    station.fixture.meters[0].registers.update({0x49: 0x1111, 0x4A: 0x2222})
    fetch = station.server.chip.bulk_in
    station.server.chip.bulk_in = lambda endpoint, size: fetch(endpoint, 2)  # only status: the answers stay inside

    def mend():
        station.server.chip.bulk_in = fetch

    recover = bus._synchronise
    bus._synchronise = lambda: (mend(), recover())
    with pytest.raises(BadAnswer, match="0 bytes instead of 3"):
        bus.transfer([SpiRead(0, b"\xc9", 2)])

    assert bus.transfer([SpiRead(0, b"\xca", 2)]) == [b"\x22\x22"]


def test_an_interrupt_between_question_and_answer_leaves_no_stale_one(bus, station, monkeypatch):
    """Ctrl-C in the midst of a transfer: what follows reads its own answers, over USB and over SPI."""
    station.fixture.meters[0].registers.update({0x49: 0x1111, 0x4A: 0x2222})

    def interrupted(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(remote_usb.RemoteUsb, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bus.transfer([SpiRead(0, b"\xc9", 2)])

    assert bus.transfer([SpiRead(0, b"\xca", 2)]) == [b"\x22\x22"]


def test_a_device_that_is_collected_in_the_midst_of_a_request_is_closed_later(bus, station):
    """The garbage collector closes devices at any moment: it must neither wait for the socket nor mix requests."""
    backend = remote_usb.get_backend()
    handle = backend.open_device(None)
    with backend._lock:
        backend.close_device(handle)  # as a finalizer would, while a request is under way

    assert find_serials() == ["HILFIX01"]
    assert not backend._later


def test_a_chip_select_that_stays_low_is_named(bus, station, monkeypatch):
    """The pins are read back at the end of each buffer: a short on the fixture is not a wrong reading of the unit."""
    read = type(station.server.chip.ports[0]._wires).read
    monkeypatch.setattr(
        type(station.server.chip.ports[0]._wires), "read", lambda self, t_s: read(self, t_s) & ~0x10, raising=True
    )

    with pytest.raises(BadAnswer, match="chip select stays low"):
        bus.transfer([SpiRead(0, b"\xc9", 2)])


def test_a_miso_that_is_stuck_reads_as_ones(bus, station):
    """Nobody drives: the pull-up answers. The bus reports what it saw; what it means is the driver's matter."""
    for meter in station.fixture.meters:
        meter.pins = lambda *_: None

    assert bus.transfer([SpiRead(0, b"\xc9", 2)]) == [b"\xff\xff"]


def test_a_wrong_serial_number_lists_the_right_ones(station):
    """The message says which fixtures are connected."""
    with pytest.raises(NotConnected, match="no device with serial number OTHER1; connected are HILFIX01"):
        SpiBus("Fixture", "ftdi://ftdi:4232h:OTHER1")


def test_without_any_device_the_message_says_so(station):
    """An empty bus is not a wrong serial number."""
    station.do(station.server.unplug)

    with pytest.raises(NotConnected, match="no FT4232H is connected"):
        SpiBus("Fixture", RESOURCE)


def test_a_port_is_open_once(bus, station):
    """A second opening in this process is refused before it could reset the port."""
    with pytest.raises(NotConnected, match="open already"):
        SpiBus("Fixture", RESOURCE)


def test_a_port_of_another_process_is_refused_and_not_disturbed(station):
    """The claim comes before pyftdi's reset: the other process keeps its MPSSE."""
    other = remote_usb.RemoteUsb(*remote_usb.get_backend().address)
    device = next(other.enumerate_devices())
    handle = other.open_device(device)
    other.claim_interface(handle, 0)
    other.ctrl_transfer(handle, 0x40, 11, 2 << 8, 1, memoryview_array(), 1000)

    with pytest.raises(NotConnected, match="another process"):
        SpiBus("Fixture", RESOURCE)

    assert station.server.chip.ports[0]._mpsse is not None
    other.close()


def memoryview_array():
    from array import array

    return array("B")


def test_an_unplugged_fixture_is_not_connected_and_opens_again_after_replug(station):
    """Unplugged in use: NotConnected, also on the next try; plugged in again: the same serial number opens."""
    bus = SpiBus("Fixture", RESOURCE)
    station.do(station.server.unplug)
    for _ in range(2):
        with pytest.raises(NotConnected, match="unplugged"):
            bus.transfer([SpiRead(0, b"\xc9", 2)])
    bus.close()
    station.do(station.server.plug)

    again = SpiBus("Fixture", RESOURCE)

    station.fixture.meters[0].registers[0x49] = 0x4321
    assert again.transfer([SpiRead(0, b"\xc9", 2)]) == [b"\x43\x21"]
    again.close()


def test_a_station_that_dies_is_not_connected(station):
    """The socket breaks in the middle: an error of the bench, and closing does not fail."""
    bus = SpiBus("Fixture", RESOURCE)
    station.run(station.server.close())

    with pytest.raises(NotConnected):
        bus.transfer([SpiRead(0, b"\xc9", 2)])

    bus.close()


@pytest.mark.parametrize(
    "step",
    [
        SpiRead(4, b"\xc9", 2),
        SpiRead(0, b"", 2),
        SpiRead(0, b"\xc9", 0),
        SpiRead(0, b"\xc9", 2040),
        SpiWrite(0, bytes(2048)),
    ],
)
def test_a_frame_that_cannot_be_is_refused_before_the_wire(step):
    """A chip that is not there, an empty frame, a frame that no FIFO holds."""
    with pytest.raises(OutOfRange):
        batches([step])


@given(
    st.lists(
        st.one_of(
            st.builds(SpiRead, st.integers(0, 3), st.binary(min_size=1, max_size=4), st.integers(1, 900)),
            st.builds(SpiWrite, st.integers(0, 3), st.binary(min_size=1, max_size=600)),
        ),
        max_size=40,
    )
)
def test_every_batch_fits_both_fifos_and_none_is_lost(steps):
    """No buffer exceeds 2 KiB of commands or 4 packets of answers; all reads are there, in order."""
    made = batches(steps)

    assert all(len(commands) <= 2048 and sum(lengths) + 1 <= 2040 for commands, lengths, _ in made)
    assert [n for _, lengths, _ in made for n in lengths] == [
        step.length for step in steps if isinstance(step, SpiRead)
    ]
    assert all(commands.endswith(b"\x87") for commands, _, _ in made)


@pytest.mark.parametrize("text", ["", "ftdi://ftdi:232h:X/1", "ftdi://ftdi:4232h", "ftdi://ftdi:4232h:A/9", "HILFIX01"])
def test_an_address_that_is_none_says_how_to_write_it(text):
    """stations.toml is where this comes from: the message shows a right one."""
    with pytest.raises(SetupError, match="HILFIX01"):
        FtdiAddress.parse(text)


def test_serial_numbers_are_found(station):
    """What is connected, by serial number."""
    assert find_serials() == ["HILFIX01"]
