"""What a unit says: frames on its console, its boot banner, answers to RPC, words from its meters."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Sequence
from typing import Any
from unittest import mock

from fuzz.registry import only, target
from fuzz.wires import StandingClock
from hil.dut.atm90e26 import Atm90e26, Calibration, snapshot_all
from hil.dut.atm90e26 import registers as reg
from hil.dut.atm90e26.codecs import Sign
from hil.dut.smart_power.board import SmartPower, parse_banner
from hil.dut.smart_power.revisions import revision
from hil.errors import BadAnswer, Blame, UnitError, UnitRefused, UnitSilent
from hil.links import console as console_module
from hil.links.frames import MAX_FRAME_BYTES, FrameParser, encode_frame
from hil.links.rpc import ConsoleRpc, read_response
from hil.links.spi import SpiRead, SpiWrite

IDENT = 10_000_007
FRAME = (
    b'"""{"id":7,"src":"SP-1"}%08x"""' % zlib.crc32(b'{"id":7,"src":"SP-1"}'),
    b'"""',
    b'""',
    b'"',
    b"}",
    b"{",
    b"\x04",
)


@target(tokens=FRAME)
def console_frames(data: bytes) -> None:
    """How the stream is cut changes neither frames nor text; nothing is lost, nothing invented."""
    whole = FrameParser()
    frames, text = whole.feed(data)
    assert all(isinstance(frame, dict) for frame in frames)
    assert is_part_of(text, data), "the text is what came, without the frames"
    size = data[0] % 9 + 1 if data else 1
    parser = FrameParser()
    pieces = [parser.feed(data[at : at + size]) for at in range(0, len(data), size)]
    if len(data) <= MAX_FRAME_BYTES:
        assert repr([frame for some, _ in pieces for frame in some]) == repr(frames)  # repr: nan is nan
        assert b"".join(words for _, words in pieces) == text
    # after whatever noise, a reset and a line end, the next frame is found: the unit is not lost for good
    if len(data) < 4096:
        found, _ = whole.feed(b"\r\n" + encode_frame({"id": IDENT, "result": None}))
        assert [frame for frame in found if frame.get("id") == IDENT], f"the next frame is not found after {data!r}"


def is_part_of(part: bytes, whole: bytes) -> bool:
    """Say whether part is whole with some bytes left out."""
    rest = iter(whole)
    return all(byte in rest for byte in part)


@target(tokens=(b"rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)", b"rst:0x", b"boot:0x"))
def boot_banner(data: bytes) -> None:
    log = data.decode("utf-8", "replace")
    banner = parse_banner(log)
    if banner is not None:
        said = f"rst:{banner.reset_code:#x} ({banner.reset_reason}),boot:{banner.boot_code:#x} ({banner.boot_mode})"
        assert parse_banner(said) == banner
        assert banner.reset_reason in log
        assert banner.boot_mode in log
    else:
        assert "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)" not in log


@target(tokens=(b'"result"', b'"error"', b'"code"', b'"message"', b'{"code":-103,"message":"no"}', b"10000007"))
def http_response(data: bytes) -> None:
    """The first byte is the status, in hundreds; the rest the body."""
    status, body = 100 * (data[0] % 6) if data else 200, data[1:]
    with only(UnitRefused, blame=Blame.UNIT) as refused:
        result = read_response("unit", "Sys.GetStatus", IDENT, status, body)
    if not refused:
        answer = json.loads(body)
        assert answer["id"] == IDENT
        assert not answer.get("error")
        assert repr(answer["result"]) == repr(result)


class NoisyPort:
    """A port of the adapter whose unit says what the fuzzer wants, once it is asked; @ID@ is the id of the call."""

    heard = b""

    def __init__(self, who: str, resource: str, port: int) -> None:
        self.where, self.number, self.device, self.chip = resource, port, None, self
        self._says = b""

    def write_data(self, data: bytes) -> None:
        frames, _ = FrameParser().feed(data)
        for request in frames:
            body = self.heard.replace(b"@ID@", b"%d" % request["id"]).replace(b"@SRC@", request["src"].encode())
            self._says += re.sub(rb"@CRC\((.*?)\)@", with_crc, body, flags=re.DOTALL)

    def read_data_bytes(self, size: int, attempt: int) -> bytes:
        data, self._says = self._says[:64], self._says[64:]
        return data

    def set_up(self, *_: object) -> None:
        """Take what is set at the port."""

    open_from_device = set_latency_timer = set_flowctrl = set_line_property = set_baudrate = allow = close = set_up


def with_crc(match: re.Match[bytes]) -> bytes:
    return b'"""%s%08x"""' % (match[1], zlib.crc32(match[1]))


@target(tokens=(*FRAME, b'@CRC({"id":@ID@,"dst":"@SRC@","result":null})@', b"@ID@", b'"method"', b'"error"', b"1e999"))
def console_rpc(data: bytes) -> None:
    """The real console and the real calls; a deadline is a deadline, and what is kept of the talk can be filed."""
    clock = StandingClock()
    with mock.patch.object(console_module, "FtdiPort", NoisyPort), mock.patch.object(NoisyPort, "heard", data):
        console = console_module.Console("fixture", "ftdi://ftdi:4232h:HILFIX01/3", clock)
        with only(UnitRefused, UnitSilent, BadAnswer) as refused:  # noise on the line blames the bench
            result = ConsoleRpc(console, clock).call("Sys.GetStatus", {}, timeout_s=2.0)
    if not refused:
        json.dumps(result, allow_nan=False)
    assert clock.time_s <= 2.1 + 0.02 * len(data)
    for line in (*console.lines, *console.troubles):
        line.text.encode("utf-8")
        assert "\n" not in line.text
    assert console.lines == sorted(console.lines, key=lambda line: line.t_s)


class Says:
    """An RPC whose unit returns the next JSON line each time, and then is silent."""

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n")

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        if not self._lines:
            raise UnitSilent("unit", method, timeout_s)
        line = self._lines.pop(0)
        return read_response("unit", method, IDENT, 200, b'{"id":%d,"result":%s}' % (IDENT, line))


class Lines:
    def hold_in_reset(self) -> None: ...
    def release_reset(self, download: bool = False) -> None: ...


USES = (
    lambda b: b.boot(),
    lambda b: b.identity(),
    lambda b: b.life(),
    lambda b: b.uptime_s(),
    lambda b: b.socket_status(1),
    lambda b: b.read_meter(1, reg.U_RMS),
    lambda b: b.stored_calibration(1),
    lambda b: b.protection.thresholds(),
    lambda b: b.protection.temperature_c(),
    lambda b: b.protection.errors(1),
    lambda b: b.panel.inputs(),
    lambda b: b.network.wifi_connected(),
    lambda b: b.network.ethernet_address(),
    lambda b: b.network.mac(),
    lambda b: b.relays[0].set(),
    lambda b: b.relays[0].believed_on(),
)


@target(tokens=(b"null", b"NaN", b"1e999", b"true", b"[]", b"{}", b'"\\ud800"', b'"got ip"', b"-1", b"9" * 400))
def firmware_answers(data: bytes) -> None:
    """The first byte, from "a", chooses what is asked; each line is one result; rubbish is the unit's fault."""
    use = USES[(data[0] - ord("a")) % len(USES)] if data else USES[0]
    board = SmartPower(revision("A"), Says(data[1:]), Lines(), Meters(b""), StandingClock())
    with only(UnitError, blame=Blame.UNIT) as refused:
        got = use(board)
    if not refused and not isinstance(got, dict):
        str(got).encode("utf-8")
        numbers = [getattr(got, name) for name in getattr(got, "__slots__", ())] if hasattr(got, "__slots__") else [got]
        assert all(math.isfinite(number) for number in numbers if isinstance(number, float))


class Meters:
    """A bus whose meters answer the next two bytes each time, and then, with nothing on MISO, ones."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def transfer(self, steps: Sequence[SpiRead | SpiWrite]) -> list[bytes]:
        answers = []
        for step in steps:
            if isinstance(step, SpiRead):
                answers.append((self._data[: step.length] + b"\xff" * step.length)[: step.length])
                self._data = self._data[step.length :]
        return answers


@target(tokens=(b"\x00\x00", b"\x80\x00", b"\xff\xff", b"\x68\x86", b"\x5a\xa5", b"\xa5\x5a"))
def meter_words(data: bytes) -> None:
    """What a meter answers is what crossed the bus twice, or an error that blames the unit."""
    meters = Meters(data[1:])
    meter = Atm90e26(meters, 0)
    uses = (
        lambda: meter.read(reg.U_RMS, reg.SYS_STATUS),
        meter.take_energy,
        meter.prove_bus,
        lambda: meter.load(Calibration()),
        meter.check_calibration,
        meter.read_calibration,
        lambda: snapshot_all([meter, meter]),
    )
    with only(UnitError, blame=Blame.UNIT) as refused:
        result = uses[data[0] % len(uses) if data else 0]()
    if not refused and data and data[0] % len(uses) == 0:
        words = [int.from_bytes(data[at : at + 2].ljust(2, b"\xff")) for at in range(1, 11, 2)]
        assert next(iter(result)) in words
    for register in reg.BY_ADDRESS.values():
        word = int.from_bytes(data[:2].ljust(2, b"\0"))
        value = register.codec.decode(word)
        assert register.codec.low <= value <= register.codec.high
        negative_zero = register.codec.sign is Sign.SIGN_MAGNITUDE and word == 0x8000
        assert register.codec.encode(value) == (0 if negative_zero else word)
