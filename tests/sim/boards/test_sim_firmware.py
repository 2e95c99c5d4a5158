"""The firmware: boot log, RPC on both carriers, pulses one at a time, calibration in flash."""

from __future__ import annotations

import json
import re
import zlib

import pytest
from physics_rig import Rig


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.rails()
    return rig


def say(rig: Rig, text: bytes, wait_s: float = 0.3) -> str:
    """Write to the console and return what came back."""
    rig.bench.fixture.uart_read()
    rig.bench.fixture.uart_write(text)
    rig.world.advance(wait_s)
    return rig.bench.fixture.uart_read().decode()


def test_the_boot_log_has_its_landmarks_at_their_times():
    """ROM banner, second stage at 24-27 ms, application at 0.87 s (facts 7.6)."""
    rig = Rig()
    rig.bench.set_dc(1, voltage_v=5.0, current_limit_a=1.5, on=True)
    rig.world.advance(2.0)
    log = rig.bench.fixture.uart_read().decode()

    assert log.startswith("ESP-ROM:esp32s3-20210327\r\n")
    assert re.search(r"rst:0x1 \(POWERON\),boot:(0x8|0x2b) \(SPI_FAST_FLASH_BOOT\)", log)
    assert 24 <= int(re.search(r"\((\d+)\) boot: ESP-IDF", log)[1]) <= 27
    assert "8192K" in log
    assert 860 <= int(re.search(r"\((\d+)\) app:", log)[1]) <= 880


def test_bytes_take_their_time_on_the_wire():
    """At 115200 baud 87 us a byte: after 1 ms of log some eleven bytes are there."""
    rig = Rig()
    rig.bench.set_dc(1, voltage_v=5.0, current_limit_a=1.5, on=True)
    rig.world.advance(0.012 + 1e-3)

    assert 10 <= len(rig.bench.fixture.uart_read()) <= 12


def test_gpio0_low_at_release_waits_for_download(rig):
    """The ROM says so and the application never runs."""
    rig.bench.fixture.gpio_write(0x00, 0x03)
    rig.world.advance(0.1)
    rig.bench.fixture.uart_read()
    rig.bench.fixture.gpio_write(0x01, 0x03)
    rig.world.advance(2.0)
    log = rig.bench.fixture.uart_read().decode()

    assert re.search(r"boot:0x0 \(DOWNLOAD\(USB/UART0\)\)\r\nwaiting for download", log)
    assert rig.unit.http("GET", "/shelly", b"") is None


def test_in_reset_and_without_power_nobody_listens(rig):
    """HTTP answers only while the firmware runs."""
    listening = rig.unit.http("GET", "/shelly", b"")
    rig.hold()
    held = rig.unit.http("GET", "/shelly", b"")
    rig.release()
    rig.world.advance(2.0)
    released = rig.unit.http("GET", "/shelly", b"")
    rig.bench.set_dc(1, on=False)

    assert listening == released
    assert json.loads(listening[1])["gen"] == 2
    assert held is None
    assert rig.unit.http("GET", "/shelly", b"") is None


def test_rpc_over_http_in_all_its_forms(rig):
    """POST /rpc with a frame, GET and POST /rpc/Method with parameters; errors carry Shelly's codes."""
    http = rig.unit.http
    frame = json.loads(
        http("POST", "/rpc", b'{"id":5,"src":"me","method":"Switch.Set","params":{"id":1,"on":true}}')[1]
    )
    got = http("GET", "/rpc/Switch.Set?id=1&on=false", b"")
    posted = http("POST", "/rpc/Switch.GetStatus", b'{"id":1}')
    unknown = json.loads(http("POST", "/rpc", b'{"id":6,"src":"me","method":"Nope.Nope"}')[1])

    assert frame == {"id": 5, "src": frame["src"], "dst": "me", "result": {"was_on": False}}
    assert (got[0], json.loads(got[1])) == (200, {"was_on": True})
    assert json.loads(posted[1])["output"] is False
    assert unknown["error"] == {"code": 404, "message": "No handler for Nope.Nope"}
    assert http("GET", "/rpc/Nope.Nope", b"")[0] == 404
    assert json.loads(http("GET", "/rpc/Switch.Set?id=9&on=true", b"")[1])["code"] == -105
    assert json.loads(http("GET", "/rpc/Switch.Set?id=1", b"")[1])["code"] == -103
    assert http("POST", "/rpc", b"{nonsense")[0] == 400
    assert http("GET", "/elsewhere", b"")[0] == 404


def test_every_listed_method_answers(rig):
    """ListMethods is true: with plausible parameters none is missing or breaks."""
    params = {
        "Switch.Set": {"id": 0, "on": True}, "Switch.SetConfig": {"id": 0, "config": {"name": "lamp"}},
        "Factory.MeterRead": {"meter": 1, "address": 0x49},
        "Factory.MeterWrite": {"meter": 1, "address": 3, "value": 1},
        "Factory.CoilPulse": {"coil": "K1.SET", "duration_ms": 5}, "Factory.Led": {"colour": "red", "on": True},
        "Factory.Buzzer": {"on": False}, "Factory.CalStore": {"meter": 1, "registers": {"23": 0}},
        "Factory.CalGet": {"meter": 1},
    }  # fmt: skip
    for method in rig.rpc("Shelly.ListMethods")["methods"]:
        if method == "Shelly.Reboot":
            continue
        given = params.get(method, {"id": 0} if method.startswith("Switch") else {})
        answer = rig.rpc(method, **given)

        assert isinstance(answer, dict), method
        assert "code" not in answer, method


def test_rpc_frames_among_console_lines(rig):
    """A frame gets a frame back, which has a CRC whether the request had one or not; a damaged frame gets none."""
    request = b'{"id":9,"src":"me","method":"Factory.Identity"}'
    plain = say(rig, b"\x04" + b'"""' + request + b'"""')
    checked = say(rig, b'"""' + request + b"%08x" % zlib.crc32(request) + b'"""')
    damaged = say(rig, b'"""' + request + b"00000000" + b'"""')

    assert plain.startswith("\x04")
    body = re.search(r'"""(\{.*\})[0-9a-f]{8}"""', plain)[1]
    assert json.loads(body)["result"]["serial"] == "SP-000123"
    match = re.search(r'"""(\{.*\})([0-9a-f]{8})"""', checked)
    assert int(match[2], 16) == zlib.crc32(match[1].encode())
    assert damaged == ""


def test_logging_pauses_while_a_frame_is_in_flight(rig):
    """A log line that falls into a frame comes after the answer."""
    rig.rpc("Switch.Set", id=0, on=True)
    first = say(rig, b'"""{"id":1,"src":"me",', 0.2)
    second = say(rig, b'"method":"Sys.GetStatus"}"""')

    assert "relay" not in first
    assert second.index('"""{') < second.index("relay: K1.SET 50 ms")


def test_pulses_come_one_at_a_time_with_a_dead_time(rig):
    """SET, RESET and another relay commanded at once: 50 ms each, at least 60 ms apart."""
    for socket, on in ((0, True), (0, False), (3, True)):
        rig.rpc("Switch.Set", id=socket, on=on)
    rig.world.advance(1.0)
    edges = [(e["coil"], e["on"], e["t_s"]) for e in rig.world.events if e["kind"] == "coil"]

    assert [edge[:2] for edge in edges] == [
        (coil, on) for coil in ("K1.SET", "K1.RESET", "K4.SET") for on in (True, False)
    ]
    assert all(0.0495 < off[2] - on[2] < 0.0505 for on, off in zip(edges[::2], edges[1::2], strict=True))
    assert all(after[2] - before[2] >= 0.06 for before, after in zip(edges[1::2], edges[2::2], strict=False))


def test_toggle_after_switches_back(rig):
    """Two seconds later it is off again."""
    rig.rpc("Switch.Set", id=0, on=True, toggle_after=2)
    rig.world.advance(1.0)
    on = rig.rpc("Switch.GetStatus", id=0)["output"]
    rig.world.advance(2.0)

    assert (on, rig.rpc("Switch.GetStatus", id=0)["output"]) == (True, False)


def test_calibration_survives_power_loss_and_is_loaded_into_the_meter(rig):
    """What Factory.CalStore kept is in the chip again after a power cycle, and its checksum holds."""
    rig.rpc("Factory.CalStore", meter=2, registers={"23": 0x0123, "31": 0x6700})
    rig.bench.set_dc(1, on=False)
    rig.world.advance(2.0)
    rig.bench.set_dc(1, on=True)
    rig.world.advance(2.0)
    rig.hold()
    rig.world.advance(0.01)

    assert (rig.read(1, 0x23), rig.read(1, 0x31)) == (0x0123, 0x6700)
    assert rig.read(1, 0x01) & 0xF000 == 0
    assert rig.read(0, 0x23) == 0x0000


def test_a_reboot_by_rpc_is_a_software_reset(rig):
    """Shelly.Reboot resets after its answer; the reason says so."""
    rig.rpc("Shelly.Reboot")
    rig.world.advance(3.0)

    assert rig.rpc("Sys.GetStatus")["reset_reason"] == 0xC


def test_a_measured_socket_reports_what_it_draws():
    """Voltage, current, power, factor and frequency come from the meter, within the errors of an uncalibrated unit."""
    rig = Rig()
    rig.mains()
    rig.load(3, current_a=2.0, power_factor=0.5)
    status = rig.rpc("Switch.GetStatus", id=2)
    others = [rig.rpc("Switch.GetStatus", id=number)["current"] for number in (0, 1, 3)]

    assert status["voltage"] == pytest.approx(230, rel=0.011)
    assert status["current"] == pytest.approx(2.0, rel=0.021)
    assert status["apower"] == pytest.approx(230, rel=0.04)
    assert status["pf"] == pytest.approx(0.5, abs=0.01)
    assert status["freq"] == 50.0
    assert max(others) < 0.003
