"""The console misbehaves: an RPC returns exactly its own result, or an error that says whose fault it is."""

import json
import pickle
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.dut.smart_power.board import find_reset
from hil.errors import BadAnswer, Blame, UnitRefused, UnitSilent
from hil.links import remote_usb
from hil.links.console import Console
from hil.links.frames import FrameParser
from hil.links.rpc import ConsoleRpc, UnitRebooted
from tests.sim.usb_bench import Station

RESOURCE = "ftdi://ftdi:4232h:HILFIX01"
BANNER = (
    b"ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:0x%x (%s),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSPIWP:0xee\r\n"
)
POWERON, PANIC = BANNER % (1, b"POWERON"), BANNER % (0xC, b"RTC_SW_CPU_RST")
RESULT = {"id": 0, "voltage": 230.12, "note": 'say """hi"""', "errors": []}

noise = st.lists(
    st.sampled_from(
        [b'"', b'"""', b'"""{', b'{"id":1', b"}", b"\x04", b"\r\n", b"\x00\x00", b" ", b"\xff", b"I (12) app: up\r\n"]
    )
    | st.binary(max_size=20),
    max_size=8,
).map(b"".join)


def framed(message):
    body = json.dumps(message).encode()
    return b'"""' + body + b"%08x" % zlib.crc32(body) + b'"""\r\n'


def answer(request, result):
    return framed({"id": request["id"], "src": "SP-1", "dst": request["src"], "result": result})


class Line:
    """A console whose unit is a function: requests in, bytes out."""

    def __init__(self):
        self.station = Station()
        remote_usb.use(self.station.address)
        self.console = Console("Fixture", RESOURCE + "/3", self.station)
        self.asked = []
        self.rpc = self.new_rpc()

    def new_rpc(self):
        return ConsoleRpc(self.console, self.station, find_reset=find_reset)

    def says(self, reply):
        """Let the unit answer each request with reply(request, how many it has seen)."""
        parser = FrameParser()
        self.asked.clear()

        def program(data):
            out = b""
            for request in parser.feed(data)[0]:
                self.asked.append(request)
                out += reply(request, len(self.asked))
            return out

        self.station.fixture.to_host.clear()
        self.station.fixture.answer = program

    def close(self):
        self.console.close()
        remote_usb.stop_using()
        self.station.close()


@pytest.fixture(scope="module")
def line():
    line = Line()
    yield line
    line.close()


def outcome(line, method="Switch.GetStatus", timeout_s=2.0):
    """Call, and return the result, or the error; the deadline holds for every call."""
    begin_s = line.station.now_s()
    try:
        return line.rpc.call(method, {"id": 0}, timeout_s)
    except (UnitSilent, BadAnswer) as error:
        return error
    finally:
        assert line.station.now_s() - begin_s <= timeout_s + 0.05


# -- whatever the line brings ------------------------------------------------------------------------------------------


@given(st.lists(noise, min_size=2, max_size=2), st.sampled_from(["Switch.GetStatus", "Switch.Toggle"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_noise_around_an_answer_does_not_hide_it(line, around, method):
    """Quotes, halves of frames, NULs and log lines before and behind: the result is exactly the one that was sent."""
    line.says(lambda request, count: around[0] + answer(request, RESULT) + around[1])

    assert outcome(line, method) == RESULT


@given(st.floats(0, 1), noise.filter(len))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_noise_within_an_answer_is_never_a_result(line, where, within):
    """Anywhere in the frame, for good: an error, or the very result where the noise fell behind the frame."""

    def reply(request, count):
        frame = answer(request, RESULT)
        at = round(where * len(frame))
        return frame[:at] + within + frame[at:]

    line.says(reply)

    got = outcome(line, timeout_s=1.0)

    assert got == RESULT or isinstance(got, BadAnswer | UnitSilent)


@given(st.floats(0, 0.98), st.integers(1, 200), st.integers(0, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_bytes_lost_or_flipped_are_never_a_result(line, where, many, flip):
    """A voltage that lost a digit is as good a JSON as before: its CRC tells."""

    def reply(request, count):
        frame = bytearray(answer(request, RESULT))
        first = int(where * len(frame))
        frame[first] ^= flip
        if not flip:
            del frame[first : first + many]
        return bytes(frame)

    line.says(reply)

    got = outcome(line, "Switch.Toggle", timeout_s=0.6)

    assert got == RESULT or isinstance(got, BadAnswer | UnitSilent)
    assert len(line.asked) == 1


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), noise)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_how_the_answer_is_cut_into_packets_does_not_matter(line, sizes, before):
    """Pieces of any size, each some time after the other, as USB brings them."""
    world, to_host = line.station.world, line.station.fixture.to_host

    def reply(request, count):
        left, t_s = before + answer(request, RESULT), world.now_s
        for size in [*sizes, len(left)]:
            part, left = left[:size], left[size:]
            t_s += 0.011
            world.at(t_s, lambda part=part: to_host.extend(part))
        return b""

    line.says(reply)

    assert outcome(line) == RESULT


@given(noise)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_answer_to_another_call_is_never_taken(line, between):
    """Late answers to calls before, of this object and of another one on the same console, are nobody's result."""
    line.says(lambda request, count: b"")
    assert isinstance(outcome(line, timeout_s=0.1), UnitSilent)
    late = [answer(request, "stale") for request in line.asked]
    line.rpc = line.new_rpc()

    line.says(lambda request, count: between + b"".join(late) + answer(request, RESULT))

    assert outcome(line) == RESULT


# -- what is asked again, and what is not ------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [4, 40, -6], ids=["at its begin", "in its middle", "in its quotes"])
def test_half_a_frame_is_asked_for_again_where_that_does_no_harm(line, cut):
    """The second answer is whole: it is the result; that there was a second question is on record."""
    line.says(lambda request, count: answer(request, RESULT)[: cut if count == 1 else None])
    troubles = len(line.console.troubles)

    assert outcome(line) == RESULT

    assert len(line.asked) == 2
    assert "Switch.GetStatus is asked again" in line.console.troubles[-1].text
    assert len(line.console.troubles) - troubles == 2


def test_what_changes_something_is_asked_once(line):
    """Half an answer to Switch.Toggle: it may have been done. The bench is blamed, and nothing is repeated."""
    line.says(lambda request, count: answer(request, RESULT)[:60])

    error = outcome(line, "Switch.Toggle")

    assert isinstance(error, BadAnswer)
    assert "a frame stopped in its middle" in str(error)
    assert len(line.asked) == 1


def test_a_line_that_damages_everything_is_the_benchs_fault(line):
    """Asked three times at most, within one deadline."""
    line.says(lambda request, count: answer(request, 230.12).replace(b"230.12", b"2.12"))

    error = outcome(line)

    assert isinstance(error, BadAnswer)
    assert "CRC is wrong" in str(error)
    assert len(line.asked) == 3


def test_noise_and_no_answer_is_the_benchs_fault(line):
    """Nobody can tell whether the unit was silent or its line was not there."""
    line.says(lambda request, count: b"\x00\xff\xfe garbage")

    assert "noise" in str(outcome(line, "Switch.Toggle"))


def test_a_unit_that_says_nothing_is_the_units_fault(line):
    """No byte, no doubt."""
    line.says(lambda request, count: b"")

    error = outcome(line)

    assert type(error) is UnitSilent
    assert error.blame is Blame.UNIT
    assert len(line.asked) == 1


def test_a_unit_that_only_logs_is_the_units_fault(line):
    """A clean log line is no noise: the line is well, the unit does not answer."""
    line.says(lambda request, count: b"\r\n\x1b[0;32mI (312) app: busy \xc2\xb0C\x1b[0m\r\n")

    assert type(outcome(line)) is UnitSilent
    assert line.console.lines[-1].text == "I (312) app: busy °C"


# -- reboots -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("banner", "blame", "reset"),
    [(POWERON, Blame.BENCH, "rst:0x1 POWERON"), (PANIC, Blame.UNIT, "rst:0xc RTC_SW_CPU_RST")],
    ids=["power", "panic"],
)
@pytest.mark.parametrize("cut", [0, 30, 80])
@pytest.mark.parametrize("timeout_s", [0.2, 2.0])
def test_a_reboot_in_the_middle_of_an_answer_is_named(line, banner, blame, reset, cut, timeout_s):
    """Lost power is the bench's, for it supplies it; a firmware that fell over is the unit's. It is not asked again."""
    line.says(lambda request, count: answer(request, RESULT)[:cut] + b"\r\n" + banner)

    error = outcome(line, timeout_s=timeout_s)

    assert isinstance(error, UnitRebooted)
    assert error.blame is blame
    assert f"it rebooted ({reset}) while it was asked Switch.GetStatus" in str(error)
    assert len(line.asked) == 1
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.blame) == (str(error), blame)


def test_an_answer_that_was_whole_before_the_reboot_counts(line):
    """Shelly.Reboot answers, then does it."""
    line.says(lambda request, count: answer(request, None) + POWERON)

    assert outcome(line, "Shelly.Reboot") is None


def test_a_second_answer_does_not_hide_a_reboot(line):
    """Half an answer, a late banner, and then the new life answers what was asked again: still a reboot."""
    world, to_host = line.station.world, line.station.fixture.to_host

    def reply(request, count):
        if count == 1:
            world.at(world.now_s + 0.7, lambda: to_host.extend(POWERON))
            return answer(request, RESULT)[:30]
        world.at(world.now_s + 1.0, lambda: to_host.extend(answer(request, RESULT)))
        return b""

    line.says(reply)

    assert isinstance(outcome(line), UnitRebooted)


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_what_is_kept_of_the_console(line):
    """In a log line, in what is left of a frame, and where the unit repeats what it heard."""
    begin = len(line.console.lines)
    line.says(
        lambda request, count: (
            b"\r\nI (9) wifi station: connected to ap SSID:bench password:hunter2hunter2\r\n"
            + b"I (9) app: hunter2hunter2 it is\r\n"
            + answer(request, {"sta": {"pass": "hunter2hunter2"}})[:100]
            + b"\r\n"
        )
    )

    with pytest.raises(BadAnswer) as caught:
        line.rpc.call("Wifi.SetConfig", {"config": {"sta": {"ssid": "bench", "pass": "hunter2hunter2"}}})

    kept = "\n".join(one.text for one in line.console.lines[begin:]) + str(caught.value) + repr(caught.value)
    assert "hunter2" not in kept
    assert "SSID:bench password:***" in kept
    assert "app: *** it is" in kept


def test_the_tail_of_a_line_that_is_too_long_is_not_kept(line):
    """A secret that was cut in two would not be known for one."""
    begin = len(line.console.lines)
    for piece in (b"\r\n", b"x" * 2000, b"x" * 2000, b"x" * 85 + b" pass=hunter2", b"hunter2hunter2\r\n", b"ok\r\n"):
        line.station.fixture.to_host += piece
        line.console.read(0.1)

    kept = [one.text for one in line.console.lines[begin:]]
    assert kept[-2:] == ["x" * 4085 + " pass=***", "ok"]
    assert "hunter2" not in "".join(kept)


def test_no_secret_is_in_a_refusal(line):
    """The firmware quotes what it was given."""
    line.says(
        lambda request, count: framed({"id": request["id"], "error": {"code": -103, "message": "bad pass=hunter2!"}})
    )

    with pytest.raises(UnitRefused) as caught:
        line.rpc.call("Wifi.SetConfig")

    assert "hunter2" not in str(caught.value) + repr(caught.value)
    assert "bad pass=***" in str(caught.value)
