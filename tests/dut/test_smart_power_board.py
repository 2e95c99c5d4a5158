"""The Smart Power board behind its wires: who owns the bus, relays, identity, calibration store."""

import pickle

import pytest

from hil.dut.atm90e26 import Calibration, registers
from hil.dut.smart_power.board import BusNotOwned, CalibrationNotKept, SmartPower, parse_banner
from hil.dut.smart_power.revisions import REVISION_A, REVISION_B, revision
from hil.errors import Blame, OutOfRange, SetupError, UnitSilent

UP = ("Sys.GetStatus", None, {"uptime": 1, "reset_reason": 1})
READ_URMS = ((0, "C9", "59E7"), (0, "86", "59E7"))


def test_the_bus_is_the_testers_only_while_the_unit_is_in_reset(spi, rpc, reset_wire, clock):
    """EN is held low inside the block, and released behind it; afterwards the unit answers again."""
    calls = rpc(("Sys.GetStatus", None, None), UP)
    board = SmartPower(REVISION_A, calls, reset_wire, spi(*READ_URMS), clock)

    with board.meters() as meters:
        assert reset_wire.events == ["hold"]
        assert meters[0].read(registers.U_RMS) == (0x59E7,)
    assert reset_wire.events == ["hold", "release"]
    with pytest.raises(BusNotOwned):
        meters[0].read(registers.U_RMS)
    calls.assert_all_sent()


def test_an_error_at_the_meters_releases_the_unit(spi, rpc, reset_wire, clock):
    """The bus is given back on every way out, and the first error is the one that is seen."""
    board = SmartPower(REVISION_A, rpc(), reset_wire, spi(), clock)

    with pytest.raises(ZeroDivisionError), board.meters():
        raise ZeroDivisionError
    assert reset_wire.events == ["hold", "release"]


def test_a_unit_that_cannot_be_released_does_not_hide_the_first_error(spi, rpc, reset_wire, clock, monkeypatch):
    """The second error is a note on the first."""

    def broken(download: bool = False) -> None:
        raise SetupError("the line is cut")

    monkeypatch.setattr(reset_wire, "release_reset", broken)
    board = SmartPower(REVISION_A, rpc(), reset_wire, spi(), clock)

    with pytest.raises(ZeroDivisionError) as seen, board.meters():
        raise ZeroDivisionError
    assert "the line is cut" in seen.value.__notes__[0]


def test_the_meters_can_be_left_without_waiting(spi, rpc, reset_wire, clock):
    """A unit without its firmware is released all the same."""
    board = SmartPower(REVISION_A, rpc(), reset_wire, spi(), clock)

    with board.meters(boot=False):
        pass
    assert reset_wire.events == ["hold", "release"]


def test_boot_waits_until_the_firmware_answers(spi, rpc, reset_wire, clock):
    """The answer says why it was reset; the wait is bench time."""
    calls = rpc(("Sys.GetStatus", None, None), ("Sys.GetStatus", None, None), UP)

    boot = SmartPower(REVISION_A, calls, reset_wire, spi(), clock).restart()
    assert reset_wire.events == ["hold", "release"]
    assert boot.reset_reason == "1"
    assert boot.took_s == pytest.approx(0.1)


def test_a_unit_that_stays_silent_is_at_fault(spi, rpc, reset_wire, clock):
    """After the boot time of its revision."""
    calls = rpc(*[("Sys.GetStatus", None, None)] * 100)

    with pytest.raises(UnitSilent, match="after boot"):
        SmartPower(REVISION_A, calls, reset_wire, spi(), clock).restart()
    assert clock.now_s() == pytest.approx(REVISION_A.boot_s.value, abs=0.06)


def test_relays_are_commanded_by_switch_set(spi, rpc, reset_wire, clock):
    """Socket 3 is switch 2; what it was before is the firmware's belief."""
    calls = rpc(
        ("Switch.Set", {"id": 2, "on": True}, {"was_on": False}),
        ("Switch.Set", {"id": 2, "on": False}, {"was_on": True}),
        ("Switch.GetStatus", {"id": 2}, {"id": 2, "output": False}),
    )
    relay = SmartPower(REVISION_A, calls, reset_wire, spi(), clock).relays[2]

    command = relay.set()
    assert (command.socket, command.on, command.was_on) == (3, True, False)
    assert relay.reset().was_on
    assert not relay.believed_on()


def test_a_coil_is_pulsed_by_name(spi, rpc, reset_wire, clock):
    """In milliseconds on the wire, in seconds here; never longer than a second."""
    calls = rpc(("Factory.CoilPulse", {"coil": "K2.RESET", "duration_ms": 50}, {}))
    relay = SmartPower(REVISION_A, calls, reset_wire, spi(), clock).relays[1]

    relay.pulse(relay.reset_coil, 0.05)
    with pytest.raises(OutOfRange):
        relay.pulse(relay.set_coil, 1.5)
    calls.assert_all_sent()


def test_identity_is_factory_and_shelly_together(spi, rpc, reset_wire, clock):
    """The factory knows serial and revision, Shelly the device id."""
    factory = {"serial": "SP-000123", "board": "smart-power", "revision": "A", "firmware": "1.0.0", "build": "abc"}
    calls = rpc(("Factory.Identity", None, factory), ("Shelly.GetDeviceInfo", None, {"id": "smartpower-000123"}))

    identity = SmartPower(REVISION_A, calls, reset_wire, spi(), clock).identity()
    assert (identity.serial, identity.revision, identity.device_id) == ("SP-000123", "A", "smartpower-000123")


def test_a_stored_calibration_is_read_back(spi, rpc, reset_wire, clock):
    """Words go by two hex digits of address; what the unit keeps is compared."""
    stored = Calibration(l_gain=0x1475).to_registers()
    calls = rpc(
        ("Factory.CalStore", {"meter": 2, "registers": stored}, {}),
        ("Factory.CalGet", {"meter": 2}, {"registers": stored}),
        ("Factory.CalStore", {"meter": 2, "registers": stored}, {}),
        ("Factory.CalGet", {"meter": 2}, {"registers": stored | {"23": 0}}),
    )
    board = SmartPower(REVISION_A, calls, reset_wire, spi(), clock)

    board.store_calibration(2, Calibration(l_gain=0x1475))
    with pytest.raises(CalibrationNotKept, match="1475"):
        board.store_calibration(2, Calibration(l_gain=0x1475))


def test_the_firmware_reads_meters_and_sockets(spi, rpc, reset_wire, clock):
    """Meters count from 1, switches from 0."""
    calls = rpc(
        ("Factory.MeterRead", {"meter": 4, "address": 0x49}, {"value": 0x59E7}),
        ("Switch.GetStatus", {"id": 3}, {"apower": 230.0}),
        UP,
    )
    board = SmartPower(REVISION_A, calls, reset_wire, spi(), clock)

    assert board.read_meter(4, registers.U_RMS) == 0x59E7
    assert board.socket_status(4) == {"apower": 230.0}
    assert board.uptime_s() == 1.0


def test_the_boot_banner_is_read_from_the_console():
    """The last reset counts."""
    log = "ESP-ROM:esp32s3-20210327\nrst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)\n"
    log += "rst:0x1 (POWERON),boot:0x23 (DOWNLOAD(USB/UART0))\nwaiting for download\n"

    banner = parse_banner(log)
    assert banner is not None
    assert (banner.reset_code, banner.boot_code, banner.boot_mode) == (1, 0x23, "DOWNLOAD(USB/UART0)")
    assert parse_banner("") is None


def test_the_coil_map_is_the_design_documents():
    """Connectors, drivers and diodes are stated; GPIOs and optocouplers are inferred and say so."""
    coil = REVISION_A.coil("K3.RESET")

    assert (coil.driver, coil.flyback, coil.connectors) == ("Q14", ("D6", "D18", "D26"), ("J32", "J40"))
    assert (coil.gpio.value, coil.optocoupler.value) == (38, "Q6")
    assert coil.gpio.assumed
    assert not REVISION_A.fuse_a.assumed
    assert [coil.connectors[0] for coil in REVISION_A.coils] == [f"J{number}" for number in range(27, 35)]
    assert [socket.contact_terminal for socket in REVISION_A.sockets] == ["J23", "J24", "J25", "J26"]


def test_only_revision_b_has_an_ethernet_mac():
    """DR-01: the ESP32-S3 has none."""
    assert not REVISION_A.has_ethernet
    assert REVISION_B.has_ethernet
    assert revision("B") is REVISION_B


def test_the_nominal_calibration_is_the_planning_set():
    """PL constant 16D478, whatever Ib; half the starting current of 1 A."""
    nominal = REVISION_A.metering.nominal_calibration()

    assert nominal.pl_constant == 0x16D478
    assert nominal.p_start_th == 245


@pytest.mark.parametrize(
    ("question", "known"),
    [
        (lambda: revision("C"), "A, B"),
        (lambda: REVISION_A.coil("K5.SET"), "K1.SET"),
        (lambda: REVISION_A.socket(5), "1 .. 4"),
    ],
)
def test_what_does_not_exist_is_named(question, known):
    """The error lists what does."""
    with pytest.raises(SetupError, match=known):
        question()


@pytest.mark.parametrize("error", [BusNotOwned(), CalibrationNotKept(1, "23", 1, 2)])
def test_errors_survive_pickling(error):
    """Fields go to the constructor."""
    copy = pickle.loads(pickle.dumps(error))

    assert str(copy) == str(error)
    assert copy.blame in {Blame.SETUP, Blame.UNIT}
