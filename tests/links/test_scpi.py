"""Reading answers: numbers, sentinels, blocks, error queues."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BadAnswer, InstrumentRefused, NoReading
from hil.links.scpi import parse_block, parse_number, parse_numbers, tell_checked


class Queue:
    """A link whose answers are given."""

    who, where = "Dmm", "nowhere"

    def __init__(self, *answers):
        self.answers, self.sent = list(answers), []

    def ask(self, message):
        self.sent.append(message)
        return self.answers.pop(0)

    def tell(self, message):
        self.sent.append(message)

    def ask_block(self, message):
        raise NotImplementedError

    def close(self):
        pass


@pytest.mark.parametrize(
    ("text", "value"),
    [("+2.30150000E+02", 230.15), ("5", 5.0), ("-.5", -0.5), ("1.", 1.0), (" 1E3\n", 1000.0), ("+9.8E37", 9.8e37)],
)
def test_numbers_of_ieee_488_are_read(text, value):
    """NR1, NR2 and NR3, with or without sign."""
    assert parse_number("Dmm", "READ?", text) == value


@pytest.mark.parametrize(
    "text",
    ["9.9E+37", "-9.9E+37", "9.91E+37", "9.91000000E+37", "9.9e37", "1E400", "NAN", "nan", "INF", "-INF", "+INFINITY"],
)
def test_an_over_range_sentinel_is_no_number(text):
    """A limit check must never see 9.9E+37 or not-a-number."""
    with pytest.raises(NoReading):
        parse_number("Dmm", "READ?", text)


@pytest.mark.parametrize("text", ["", "ON", "1,2", "1_000", "0x10", "1.5 V", "१२", "1e", ".", "--1", "1 2"])
def test_what_is_no_number_is_a_bad_answer(text):
    """Units, headers and what Python alone would read are refused."""
    with pytest.raises(BadAnswer):
        parse_number("Dmm", "READ?", text)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_finite_and_small_enough_or_an_error(value):
    """Whatever float an instrument prints, it comes back as itself or as NoReading."""
    for text in (f"{value:+.17E}", f"{value!r}"):
        if math.isfinite(value) and abs(value) < 9.9e37:
            assert parse_number("Dmm", "READ?", text) == value
        else:
            with pytest.raises(NoReading):
                parse_number("Dmm", "READ?", text)


@given(st.text(max_size=30))
def test_no_text_breaks_the_number_parser(text):
    """It returns a usable number or raises one of our two errors."""
    try:
        value = parse_number("Dmm", "READ?", text)
    except (BadAnswer, NoReading):
        return
    assert abs(value) < 9.9e37


def test_a_list_has_exactly_its_count_and_may_end_in_a_comma():
    """ITECH ends its list with a comma; a value too few or too many is an error."""
    assert parse_numbers("AcLoad", "MEAS?", "230.1,5.0,\n", 2) == [230.1, 5.0]
    for text in ("230.1", "230.1,5.0,1.0", "230.1,,5.0"):
        with pytest.raises(BadAnswer):
            parse_numbers("AcLoad", "MEAS?", text, 2)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]), st.integers(0, 4))
def test_a_block_is_its_payload_whatever_is_in_it(payload, end, padding):
    """Line feeds, number signs and zeros are data; only the count matters."""
    count = str(len(payload)).zfill(padding)
    block = f"#{len(count)}{count}".encode() + payload + end

    assert parse_block("Scope", ":WAV:DATA?", block) == payload


@given(st.binary(max_size=60))
def test_no_bytes_break_the_block_parser(data):
    """It returns bytes or raises BadAnswer."""
    try:
        assert parse_block("Scope", ":WAV:DATA?", data) in data
    except BadAnswer:
        return


@pytest.mark.parametrize("data", [b"", b"#", b"#0abc\n", b"#1", b"#15abc", b"#2 5abcde", b"1.5\n", b"#13abcd\n", b"#9"])
def test_a_block_that_is_short_or_none_is_a_bad_answer(data):
    """Indefinite, truncated, unmarked, or followed by more."""
    with pytest.raises(BadAnswer):
        parse_block("Scope", ":WAV:DATA?", data)


@pytest.mark.parametrize("answer", ['+0,"No error"', '0,"No error"', "0,No error", "0"])
def test_a_command_that_is_taken_says_nothing(answer):
    """Message and error query travel as one message."""
    link = Queue(answer)

    tell_checked(link, "VOLT 5")

    assert link.sent == ["VOLT 5;:SYST:ERR?"]


def test_a_refusal_carries_the_whole_queue():
    """All errors up to 'no error' are in the message, so that none is blamed on the next command."""
    link = Queue('-222,"Data out of range"', '-113,"Undefined header"', '+0,"No error"')

    with pytest.raises(InstrumentRefused, match=r"Data out of range.*Undefined header"):
        tell_checked(link, "VOLT 5000")

    assert link.answers == []


def test_an_error_queue_that_never_ends_is_a_bad_answer():
    """An instrument that always answers an error does not hang the bench."""
    link = Queue(*['-350,"Queue overflow"'] * 30)

    with pytest.raises(BadAnswer, match="does not end"):
        tell_checked(link, "VOLT 5")


def test_another_error_query_can_be_given():
    """Yokogawa has its own."""
    link = Queue("0")

    tell_checked(link, ":RATE 250MS", error_query=":STAT:ERR?")

    assert link.sent == [":RATE 250MS;:STAT:ERR?"]


def test_an_answer_that_is_no_error_number_is_a_bad_answer():
    """Text where a code belongs means that answers are one off."""
    with pytest.raises(BadAnswer):
        tell_checked(Queue("Keysight,34465A"), "VOLT 5")
