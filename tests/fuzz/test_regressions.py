"""Inputs that once broke something; each was found by fuzzing, or by reading for what a fuzzer would find."""

from __future__ import annotations

import json
import struct
import zlib

import pytest

from fuzz.targets import TARGETS
from hil.dut.smart_power.answers import Answer, UnexpectedAnswer
from hil.errors import BadAnswer, WrongInstrument
from hil.instruments.chroma_61600 import ChromaAcSource
from hil.instruments.keysight_34465a import Keysight34465a
from hil.instruments.roles import OverRange
from hil.links.frames import FrameParser
from hil.plans.plan import PlanError, load_plan

DIGITS = b"9" * 5000  # Python reads no more than 4300

PLAN, JOURNAL = TARGETS["plan_file"].seeds[0], TARGETS["forged_journal"].seeds[0]
MANIFEST = json.loads(TARGETS["manifest_file"].seeds[0])
NAMELESS_BIT = {
    "attrs": [
        (
            "ETHTOOL_A_LINKMODES_PEER",
            {"attrs": [("ETHTOOL_A_BITSET_NOMASK", True), ("ETHTOOL_A_BITSET_BITS", {"attrs": [("bit", {})]})]},
        )
    ]
}

BROKE = [
    ("scpi_error_queue", b'+0"No error"', "a code cut short was taken for no error"),
    ("scpi_error_queue", DIGITS + b",x", "ValueError"),
    ("keysight_e36312a", b"10", "one state was taken for all three outputs being off"),
    ("keysight_e36312a", b"20,0", "two states likewise"),
    ("keysight_daq970a", b'5+0,"No error"\n1', "one state was taken for two channels"),
    ("keysight_dsox", b'30.00E+00\n+0,"No error"', "a probe of 0:1 blamed the set-up"),
    (
        "keysight_dsox",
        b'1+0\n+0,"No error"\n+1,+0,+2,+1,0,-2E-6,+0,1E-4,2.5,+32768\n#800000004\x01\x10\x01\x10',
        "a time that stands still",
    ),
    (
        "keysight_dsox",
        b'1+0\n+0,"No error"\n+1,+0,+2,+1,1E-9,1E30,+0,1E-4,2.5,+32768\n#800000004\x01\x10\x01\x10',
        "a time that stands still for want of digits",
    ),
    ("emc_partner_tra3000", b"1\xb2", "a superscript two is a digit to str.isdigit, and none to int"),
    ("yokogawa_wt310e", b"10\n0\n0\n0\n0\n0\n0.25\n0\n" + DIGITS, "ValueError"),
    ("http_response", b"\x02" + b"[" * 100_000, "RecursionError"),
    ("firmware_answers", b"dnull", "TypeError, which blamed the set-up"),
    ("firmware_answers", b"i{}", "KeyError"),
    ("firmware_answers", b'i{"tC":NaN}', "a temperature that is none"),
    ("firmware_answers", b'n{"mac":"\\ud800"}', "half a character, which no journal can keep"),
    ("firmware_answers", b'g{"registers":{"":1}}', "ValueError"),
    ("plan_file", b"x = " + DIGITS, "ValueError"),
    ("plan_file", b"x = " + b"[" * 3000, "RecursionError"),
    ("plan_file", PLAN.replace(b"[requirements.MET-05]", b"[[requirements]]"), "AttributeError"),
    ("plan_file", PLAN.replace(b"rail.voltage[rail=5V]", b"{"), "ValueError, in the midst of a run"),
    ("plan_file", PLAN.replace(b"minimum_tur = 1.5", b'minimum_tur = "high"'), "ValueError"),
    ("plan_file", PLAN.replace(b"^SP-", b"("), "re.error, when a unit was scanned"),
    ("stations_file", b"x = " + DIGITS, "ValueError"),
    ("stations_file", b"a = 1\nx = " + b"[" * 3000, "RecursionError"),
    ("manifest_file", MANIFEST | {"journal": {"lines": 9, "last_sha256": 1, "torn": False}}, "TypeError"),
    (
        "manifest_file",
        MANIFEST | {"files": [{"path": 1, "sha256": "", "bytes": 0}]},
        "TypeError: paths that cannot be sorted",
    ),
    ("manifest_file", b"[" * 100_000, "RecursionError"),
    ("kernel_messages", NAMELESS_BIT, "KeyError"),
    ("forged_journal", JOURNAL.replace(b'"bench_s":0.0', b'"bench_s":' + b"9" * 400), "OverflowError"),
    ("forged_journal", JOURNAL.replace(b'"bench_s":0.0', b'"bench_s":1e999'), "a time without end"),
    ("forged_journal", JOURNAL.replace(b'"bench_s":0.0', b'"bench_s":"0"'), "a time in quotes"),
    ("forged_journal", JOURNAL.replace(b'"seed":0', b'"seed":1e999'), "an infinite number"),
    ("scpi_syntax", b"1E999", "OverflowError: an infinite switch"),
    ("scpi_syntax", b"#H" + b"F" * 300, "OverflowError"),
    ("scpi_syntax", b"1\tE5", "ValueError: a tab in a number"),
    ("scpi_syntax", b"(@" + DIGITS + b")", "ValueError"),
    ("scpi_instruments", b"6:CHAN" + DIGITS + b":RANG?", "ValueError"),
    ("http_server", b"POST /rpc HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", "ValueError"),
    ("http_server", b"POST /rpc HTTP/1.1\r\nContent-Length: " + DIGITS + b"\r\n\r\n", "ValueError"),
    ("http_server", b"GET //[ HTTP/1.1\r\n\r\n", "ValueError: no IPv6 address"),
    ("http_server", b"POST /rpc HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60_000, "RecursionError"),
    (
        "websocket_server",
        b"\x00GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgr\x9f\r\n\r\n",
        "UnicodeDecodeError in wsproto",
    ),
    ("control_server", b'{"do":"events","since":1e999}\n', "OverflowError"),
    ("control_server", b"[" * 100_000 + b"\n", "RecursionError"),
    (
        "usb_host",
        b"".join(struct.pack("<BBBxHHIIII", op, 0x99, 0, 0, 0, 1, 64, 100, 0) for op in (1, 6, 7)),
        "IndexError: no such endpoint",
    ),
    (
        "snmp_agent",
        bytes.fromhex("302d02010104067075626c6963a0200204000000000201000201003012308006082b06010201010100050005000000"),
        "IndexError in pyasn1",
    ),
]


@pytest.mark.parametrize(("name", "data", "was"), BROKE, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(BROKE)])
def test_what_once_broke_holds(name: str, data: bytes | dict[str, object], was: str) -> None:
    """Each target's demands are met; what happened before is named beside each."""
    TARGETS[name].check(data if isinstance(data, bytes) else json.dumps(data).encode())


def test_five_quotes_between_two_frames_hide_neither() -> None:
    """Whole or byte by byte, the second frame was once found in the one case only."""
    stream = _framed(b'{"a":1}') + b'""' + _framed(b'{"b":2}')
    parser = FrameParser()

    assert FrameParser().feed(stream)[0] == [{"a": 1}, {"b": 2}]
    assert [one for at in range(len(stream)) for one in parser.feed(stream[at : at + 1])[0]] == [{"a": 1}, {"b": 2}]


def _framed(body: bytes) -> bytes:
    return b'"""%s%08x"""' % (body, zlib.crc32(body))


class Says:
    who, where = "instrument", "TCPIP::192.0.2.1::INSTR"

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    def tell(self, message: str) -> None: ...

    def ask(self, message: str) -> str:
        return self._answers.pop(0)


def test_no_data_is_no_open_circuit() -> None:
    """9.91E+37 says that there is no number (SCPI-99, 7.2.1); an open contact is read from 9.9E+37 alone."""
    meter = Keysight34465a(Says('+0,"No error"', "+9.91000000E+37", "+9.91000000E+37"), None)

    with pytest.raises(Exception, match="no valid reading") as caught:
        meter.measure_resistance_ohm(42.0)

    assert not isinstance(caught.value, OverRange)


def test_an_identity_of_blanks_takes_no_time() -> None:
    """The pattern of the AC source's answer once took minutes for 5000 blanks."""
    source = ChromaAcSource(Says("Chroma 61602," + " " * 60_000 + "x"), None)

    with pytest.raises((BadAnswer, WrongInstrument)):
        source.identify()


def test_every_mistake_of_a_plan_is_named(tmp_path) -> None:
    """Three wrong keys are three lines."""
    (tmp_path / "x.toml").write_text('[plan]\nboard = 1\nserial_pattern = "("\n[nominal]\nun_v = -1.0\n')

    with pytest.raises(PlanError) as caught:
        load_plan("x", tmp_path)

    text = str(caught.value)
    assert all(
        f"x.toml: {key}: " in text for key in ("plan.board", "plan.serial_pattern", "nominal.un_v", "requirements")
    )


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), 10**400, [], {}])
def test_what_is_no_number_is_the_units_fault(value: object) -> None:
    """A result that is not what the API says fails the unit, and does not stop the bench."""
    with pytest.raises(UnexpectedAnswer):
        Answer("Sys.GetStatus", {"uptime": value}).number("uptime")
