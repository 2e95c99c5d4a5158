"""The SCPI core: what IEEE 488.2 and SCPI-1999 say about messages, numbers, queues and registers."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scpi_demo import Demo

from hil.sim.scpi_syntax import (
    ScpiError,
    channel_list,
    definite_block,
    is_form_of,
    short_form,
    split_outside,
    to_number,
)
from hil.sim.world import World


def ask(instrument: Demo, message: str) -> str | bytes | None:
    return asyncio.run(instrument.execute(message))


@pytest.fixture
def demo() -> Demo:
    return Demo(World())


def spelled(mnemonic: str, long: bool, upper: bool) -> str:
    word = mnemonic if long else short_form(mnemonic)
    return word.upper() if upper else word.lower()


@given(st.lists(st.booleans(), min_size=6, max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_every_spelling_of_a_header_is_the_same_command(long, source, level, upper):
    """Short and long forms, optional nodes and upper or lower case may be mixed at will."""
    demo = Demo(World())
    nodes = ["SOURce"] * source + ["VOLTage"] + ["LEVel"] * level
    header = ":".join(spelled(node, choice, upper) for node, choice in zip(nodes, long, strict=False))

    assert ask(demo, f"{header} 2.5;:VOLT?") == "+2.50000000E+00"
    assert ask(demo, "SYST:ERR?") == '+0,"No error"'


@given(st.sampled_from(["VOLTage", "LEVel", "SOURce"]), st.integers(1, 6))
def test_anything_between_the_short_and_the_long_form_is_no_form(mnemonic, extra):
    """VOLTA is neither VOLT nor VOLTAGE."""
    between = mnemonic.upper()[: len(short_form(mnemonic)) + extra]

    assert is_form_of(between, mnemonic) == (between in {short_form(mnemonic), mnemonic.upper()})


@given(st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from(["{!r}", "{:e}", "{:.10E}", "{:f}"]))
def test_numbers_are_read_as_written(value, form):
    """Every form of decimal numeric data is understood."""
    assert math.isclose(to_number(form.format(value)), float(form.format(value)), rel_tol=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("250mV", "V", 0.25),
        ("2.5 kV", "V", 2500.0),
        ("3 MHZ", "HZ", 3e6),
        ("2 MOHM", "OHM", 2e6),
        ("3 MS", "S", 3e-3),
        ("7 MAV", "V", 7e6),
        ("5us", "S", 5e-6),
        ("#HFF", "", 255.0),
        ("#B101", "", 5.0),
        ("1.5 e3", "", 1500.0),
        ("INF", "", 9.9e37),
    ],
)
def test_suffixes_scale_the_number(text, unit, value):
    """M is milli, except mega before HZ and OHM."""
    assert to_number(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("NONSENSE", '-113,"Undefined header"'),
        ("VOLT:NONSENSE 1", '-113,"Undefined header"'),
        ("BLOC 1", '-113,"Undefined header"'),
        ("VOLTA 1", '-113,"Undefined header"'),
        ("VOLT", '-109,"Missing parameter"'),
        ("VOLT 1,2", '-108,"Parameter not allowed"'),
        ("VOLT 11", '-222,"Data out of range"'),
        ("VOLT ON", '-104,"Data type error"'),
        ("VOLT 1A", '-131,"Invalid suffix"'),
        ("CHAN5:RANG 1", '-114,"Header suffix out of range"'),
        ("VOLT2 1", '-114,"Header suffix out of range"'),
        ("TRIG:SLOP UP", '-224,"Illegal parameter value"'),
        (":VOLT::LEV 1", '-102,"Syntax error"'),
        ("LIST? 101", '-104,"Data type error"'),
        ("LIST? (@104)", '-222,"Data out of range"'),
        ("LIST? (@x)", '-171,"Invalid expression"'),
        ("*TRG", '-211,"Trigger ignored"'),
    ],
)
def test_a_mistake_goes_to_the_queue_with_its_standard_text(demo, message, error):
    """The query in the same message is still answered: a checked write is one message."""
    assert ask(demo, f"{message};:SYST:ERR?") == error


def test_the_branch_is_inherited_until_a_leading_colon(demo):
    """After CHAN2:RANG the next command is looked for below CHAN2; a common command changes nothing."""
    assert ask(demo, ":CHAN2:RANG 4;*CLS;RANG?") == "+4.00000000E+00"
    assert ask(demo, ":CHAN2:RANG 4;VOLT?;:VOLT?;:SYST:ERR?") == '+1.00000000E+00;-113,"Undefined header"'


def test_the_queue_is_twenty_deep(demo):
    """The twentieth entry becomes -350 when a further error has no room."""
    ask(demo, ";".join([":NONSENSE"] * 25))
    errors = [ask(demo, "SYST:ERR?") for _ in range(21)]

    assert errors[:19] == ['-113,"Undefined header"'] * 19
    assert errors[19:] == ['-350,"Queue overflow"', '+0,"No error"']


def test_the_event_register_tells_the_kinds_of_errors_apart_and_clears_on_reading(demo):
    """Power on 128, command error 32, execution error 16."""
    ask(demo, "NONSENSE;:VOLT 11")

    assert ask(demo, "*ESR?") == "+176"
    assert ask(demo, "*ESR?") == "+0"


def test_the_status_byte_sums_up(demo):
    """An enabled event raises bit 5, and an enabled bit 5 raises the master summary."""
    ask(demo, "*CLS;*ESE 32;*SRE 32;:NONSENSE")

    assert demo.status_byte() == 0x40 | 0x20 | 0x04
    assert ask(demo, "*ESR?;*STB?") == "+32;4"


def test_operation_complete_waits_for_what_is_pending(demo):
    """*OPC? lets bench time pass until the pending operation is done; *OPC sets its bit only then."""
    demo.takes(2.0)
    ask(demo, "*CLS;*OPC")
    before = ask(demo, "*ESR?")
    ask(demo, "*OPC?")

    assert (before, demo.world.now_s, ask(demo, "*ESR?")) == ("+0", 2.0, "+1")


def test_reset_brings_back_the_defaults(demo):
    """*RST forgets settings but not errors."""
    ask(demo, "VOLT 3;:NONSENSE;*RST")

    assert ask(demo, "VOLT?;:SYST:ERR?") == '+1.00000000E+00;-113,"Undefined header"'


def test_limits_can_be_asked_for(demo):
    """VOLT? MIN and MAX answer the range, DEF the default."""
    assert ask(demo, "VOLT? MIN;:VOLT? MAX;:VOLT? DEF") == "+0.00000000E+00;+1.00000000E+01;+1.00000000E+00"


def test_a_block_between_texts_keeps_its_bytes(demo):
    """An answer with a binary block is joined as bytes."""
    assert ask(demo, "*OPC?;:BLOC? 1") == b"1;" + definite_block(bytes(range(256)))


@given(st.lists(st.sampled_from([101, 102, 103, 201, 202]), min_size=1, max_size=8))
def test_a_channel_list_comes_back_in_its_order(channels):
    """Single channels keep order and repeats."""
    assert channel_list(f"(@{','.join(map(str, channels))})", [101, 102, 103, 201, 202]) == channels


def test_a_channel_range_takes_what_exists_between():
    """A range over two modules skips the numbers that no module has."""
    assert channel_list("(@102:201)", [101, 102, 103, 201, 202]) == [102, 103, 201]


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=60))
def test_no_text_breaks_the_parser(text):
    """Whatever comes down the wire ends in an answer, silence or the error queue."""
    demo = Demo(World())
    ask(demo, text.replace("\n", " "))

    assert ask(demo, ":SYST:ERR?") is not None


@given(st.text(alphabet="ab;,'\"()[]", max_size=30))
def test_splitting_loses_nothing(text):
    """The parts joined again are the text."""
    assert ";".join(split_outside(text, ";")) == text


def test_quoted_separators_do_not_separate():
    """A semicolon in a string belongs to the string."""
    assert split_outside("LAB 'a;b';VOLT?", ";") == ["LAB 'a;b'", "VOLT?"]


def test_an_error_without_a_standard_text_still_has_one():
    """Model errors carry their own text, unknown ones a general one."""
    assert ScpiError(813, "busy").text == "busy"
    assert ScpiError(999).text == "Device-specific error"
