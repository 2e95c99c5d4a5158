"""The fixture's adapter misbehaves: what is read is right, or the bench is blamed, and the next operation is clean."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from hil.dut.atm90e26 import Atm90e26
from hil.dut.atm90e26 import registers as reg
from hil.dut.smart_power.board import SmartPower
from hil.errors import BadAnswer, Blame, HilError, NotConnected
from hil.instruments.ftdi_ft4232h import EN, GPIO0, Ft4232hFixture
from hil.links import remote_usb
from hil.links.ftdi import NoSuchDevice, find_serials, holders
from hil.links.gpio import GpioPort
from hil.links.spi import SpiBus, SpiRead
from hil.station.safe_state import make_safe
from tests.misbehaving.fixture_rig import FixtureRig

FAULTS = ("unplugged", "replugged", "short-read", "wrong-serial", "busy")
GONE = ("unplugged", "replugged", "wrong-serial")  # the ports that were open are dead from then on
PHASES = (0.0, 0.3, 0.6, 0.95)  # of the operation's own time
REGISTERS = (reg.U_GAIN, reg.L_GAIN, reg.I_GAIN_L, reg.SAG_TH, reg.FUNC_EN, reg.PL_CONST_L)


@pytest.fixture
def rig() -> Iterator[FixtureRig]:
    rig = FixtureRig()
    yield rig
    rig.close()


def spi(fixture: Ft4232hFixture, board: SmartPower) -> object:
    return fixture.spi.transfer([SpiRead(cs, r.read_command, 2) for cs in range(4) for r in REGISTERS])


def meter(fixture: Ft4232hFixture, board: SmartPower) -> object:
    return Atm90e26(fixture.spi, 1, "U2").read(*REGISTERS)


def read_pins(fixture: Ft4232hFixture, board: SmartPower) -> object:
    return [fixture.lid_closed() for _ in range(8)]


def write_pins(fixture: Ft4232hFixture, board: SmartPower) -> object:
    fixture.hold_in_reset()
    return fixture.is_off()


def call(fixture: Ft4232hFixture, board: SmartPower) -> object:
    return board.identity()


def command(fixture: Ft4232hFixture, board: SmartPower) -> object:
    return board.rpc.call("Switch.SetConfig", {"id": 1, "config": {"name": "lamp"}})


OPERATIONS = (spi, meter, read_pins, write_pins, call, command)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("fault", FAULTS)
def test_an_operation_is_right_or_the_bench_is_blamed(fault, operation):
    """At every phase; and what follows on the same ports is right, or says cleanly that they are gone."""
    rig = FixtureRig()
    try:
        fixture = rig.open()
        board = rig.board(fixture)
        if operation not in {call, command}:
            fixture.hold_in_reset()
        begin_s = rig.clock.now_s()
        right = operation(fixture, board)
        lasts_s = rig.clock.now_s() - begin_s
        for phase in PHASES:
            rig.begin(f"bench-fixture-{fault}", phase * lasts_s)
            begin_s = rig.clock.now_s()

            got = outcome(operation, fixture, board)

            assert got == right or (got is Blame.BENCH and fault != "busy")  # who has a port keeps it
            assert rig.clock.now_s() - begin_s < lasts_s + 2.1
            if fault in GONE:
                with pytest.raises(NotConnected):
                    operation(fixture, board)
                fixture.close()
                rig.do(rig.mend)
                fixture = rig.open()
                board = rig.board(fixture)
                if operation not in {call, command}:
                    fixture.hold_in_reset()
            rig.do(rig.mend)
            assert operation(fixture, board) == right
    finally:
        rig.close()


def outcome(operation, fixture: Ft4232hFixture, board: SmartPower) -> object:
    """Return what came, or who is blamed."""
    try:
        return operation(fixture, board)
    except HilError as error:
        return error.blame


@pytest.mark.parametrize("phase", [0.02, 0.2, 0.4, 0.6, 0.8, 0.98])
@pytest.mark.parametrize("fault", ["unplugged", "replugged", "wrong-serial"])
def test_a_cable_pulled_in_the_middle_of_a_frame_leaves_no_meter_selected(rig, fault, phase):
    """The transfer in flight fails; pull-ups deselect the meters and let EN rise, and nothing is driven."""
    fixture = rig.open()
    fixture.hold_in_reset()
    begin_s = rig.clock.now_s()
    spi(fixture, None)
    rig.begin(f"bench-fixture-{fault}", phase * (rig.clock.now_s() - begin_s))

    with pytest.raises(NotConnected, match="USB transfer broke off"):
        spi(fixture, None)

    assert not any(meter.spi.selected for meter in rig.station.bench.unit.meters)
    assert not rig.state()["held_in_reset"]
    assert rig.state()["mcu_running"]


def test_a_short_read_is_told_and_the_words_after_it_are_right(rig):
    """Half of an answer is no answer; nothing of it is left for the next question."""
    fixture = rig.open()
    fixture.hold_in_reset()
    right = spi(fixture, None)
    rig.begin("bench-fixture-short-read")

    with pytest.raises(BadAnswer, match="bytes instead of 49; purged") as caught:
        spi(fixture, None)

    assert caught.value.blame is Blame.BENCH
    assert spi(fixture, None) == right


def test_an_answer_of_the_unit_that_lost_its_half_is_asked_for_again(rig):
    """A short read in mid-frame: the CRC does not fit, what only reads is asked again, and that is on record."""
    fixture = rig.open()
    board = rig.board(fixture)
    right = board.identity()
    rig.begin("bench-fixture-short-read")

    assert board.identity() == right

    assert any("asked again" in trouble.text for trouble in fixture.console.troubles)


def test_a_command_whose_answer_lost_its_half_is_not_given_twice(rig):
    """Switch.Toggle may have been done: the bench is blamed within the deadline, and nothing is repeated."""
    fixture = rig.open()
    board = rig.board(fixture)
    rig.begin("bench-fixture-short-read")
    begin_s = rig.clock.now_s()

    with pytest.raises(BadAnswer) as caught:
        board.rpc.call("Switch.Toggle", {"id": 0})

    assert caught.value.blame is Blame.BENCH
    assert rig.clock.now_s() - begin_s < 2.2
    assert board.rpc.call("Switch.GetStatus", {"id": 0})["output"] is True


def test_another_adapter_is_refused_and_named(rig):
    """Its serial number is not the station's: the message says which one is there."""
    rig.begin("bench-fixture-wrong-serial")

    with pytest.raises(NoSuchDevice, match="no device with serial number HILFIX01; connected are HILFIX02") as caught:
        rig.open()

    assert caught.value.blame is Blame.BENCH


def test_a_busy_port_is_refused_and_the_other_ports_are_given_back(rig):
    """The console belongs to another process: nothing of the fixture stays open; it opens when that one has ended."""
    rig.begin("bench-fixture-busy")
    with pytest.raises(NotConnected, match=r"/3: another process works with this port"):
        rig.open()
    assert rig.station.usb.claims == {}

    rig.do(lambda: setattr(rig.station.usb, "held", False))

    assert rig.open().is_off()


def test_a_loose_cable_is_safe_again_with_new_ports(rig):
    """Out for half a second: the old ports stay dead, new ones hold the unit in reset, and that is read back."""
    fixture = rig.open()
    rig.board(fixture)
    rig.begin("bench-fixture-replugged")
    opened = {"Fixture": fixture}

    def reopen(role: str) -> Ft4232hFixture:
        opened[role].close()
        opened[role] = rig.open()
        return opened[role]

    state = make_safe(["Fixture"], opened.__getitem__, reopen)

    assert state.safe, state
    assert rig.state()["held_in_reset"]
    with pytest.raises(NotConnected):
        fixture.lid_closed()


def test_a_cable_that_stays_out_cannot_be_proven_safe(rig):
    """Nobody holds EN: the state says so, and why."""
    fixture = rig.open()
    rig.begin("bench-fixture-unplugged")

    state = make_safe(["Fixture"], lambda role: fixture, lambda role: _again(rig, fixture))

    assert not state.safe
    assert "no FT4232H is connected" in state.readback["Fixture"]


def _again(rig: FixtureRig, fixture: Ft4232hFixture) -> Ft4232hFixture:
    fixture.close()
    return rig.open()


def test_the_vents_are_freed_and_the_unit_boots_when_the_cable_is_pulled(rig):
    """Without power the fixture's buffers let go: flap open, switch on, EN up."""
    fixture = rig.open()
    fixture.block_ventilation(True)
    assert rig.station.bench.unit.ventilation_blocked

    rig.begin("bench-fixture-unplugged")

    assert not rig.station.bench.unit.ventilation_blocked
    assert rig.state()["mcu_running"]
    assert find_serials() == []


def test_what_the_unit_said_while_nobody_listened_is_lost(rig):
    """A new port begins with what comes from then on: no line from before, no half frame."""
    fixture = rig.open()
    rig.begin("bench-fixture-unplugged")
    rig.clock.sleep(1.5)  # it boots and talks
    rig.do(rig.station.usb.plug)
    fixture.close()

    assert rig.open().console.read(0.05) == b""


# -- the driver's own state --------------------------------------------------------------------------------------------


def test_an_output_that_failed_to_be_written_is_asked_for_again(rig, monkeypatch):
    """EN was to go low and the transfer broke: a later write of GPIO0 must not lift EN again."""
    gpio = GpioPort("Fixture", rig.resource, EN | GPIO0, EN | GPIO0)
    with monkeypatch.context() as patch:
        patch.setattr(gpio._port.chip, "write_data", _times_out)
        with pytest.raises(HilError) as caught:
            gpio.write(EN, 0)
    assert caught.value.blame is Blame.BENCH

    gpio.write(GPIO0, 0)

    assert rig.state()["held_in_reset"]
    gpio.close()


def _times_out(data: bytes) -> int:
    raise TimeoutError(110, "timed out")


def test_a_pin_that_does_not_follow_is_not_believed_and_held_on(rig, monkeypatch):
    """EN reads back high although it is driven low: an error at each write, and EN is still being pulled low."""
    gpio = GpioPort("Fixture", rig.resource, EN | GPIO0, EN | GPIO0)
    wires = rig.station.usb.chip.ports[1]._wires
    read = wires.read
    monkeypatch.setattr(wires, "read", lambda t_s: read(t_s) | EN)
    for mask, value in ((EN, 0), (GPIO0, 0)):
        with pytest.raises(BadAnswer, match="does not take its level"):
            gpio.write(mask, value)

    monkeypatch.undo()

    assert rig.state()["held_in_reset"]
    gpio.write(GPIO0, GPIO0)
    assert gpio.read() & (EN | GPIO0) == GPIO0
    gpio.close()


def test_who_holds_a_device_is_named(tmp_path):
    """The message of a busy port names process and number, so that a person knows what to end."""
    device = tmp_path / "004"
    device.touch()
    code = "import sys; held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        other.stdout.readline()

        named = holders(device)

        other.stdin.close()
    assert [name.partition(" (")[0] for name in named] == [f"pid {other.pid}"]
    assert "python" in named[0]
    assert holders(device) == []


# -- a station that does not answer ------------------------------------------------------------------------------------


class Mute:
    """A USB server that takes what comes, and says nothing, or one byte now and then."""

    def __init__(self, dribble: bytes = b"") -> None:
        self._dribble = dribble
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            for at in range(len(self._dribble)):
                if self._over.wait(0.1):
                    return
                try:
                    connection.sendall(self._dribble[at : at + 1])
                except OSError:
                    return
            self._over.wait(30)

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)
        self._listener.close()


@pytest.mark.parametrize("dribble", [b"", b"\x00" * 6 + b"\x01\x00" + b"\x00" * 200], ids=["silent", "dribbling"])
def test_a_station_that_does_not_answer_is_given_up(monkeypatch, dribble):
    """After the transfer's own time-out and GRACE_S: an error of the bench; a byte now and then buys no more time."""
    monkeypatch.setattr(remote_usb, "GRACE_S", 0.3)
    mute = Mute(dribble)
    remote_usb.use(mute.address)

    with pytest.raises(NotConnected) as caught:
        SpiBus("Fixture", "ftdi://ftdi:4232h:HILFIX01")

    assert caught.value.blame is Blame.BENCH
    remote_usb.stop_using()
    mute.close()
