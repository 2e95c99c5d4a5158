"""rpc-uart frames among boot logs and noise."""

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.links.frames import FrameParser, encode_frame

MESSAGE = {"id": 7, "src": "SP-1", "dst": "hil", "result": {"on": True, "note": 'say "hi"', "empty": ""}}
BODY = json.dumps(MESSAGE).encode()

keys = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
messages = st.dictionaries(keys, values, max_size=4)
# noise made of what could confuse: quotes, braces, handshakes, halves of frames, boot messages
noise = st.lists(
    st.sampled_from(
        [b'"', b'""', b'"""', b'"""{', b'{"id":1', b"}", b"\x04", b"\r\n", b"rst:0x1 (POWERON)", b" ", b"\xff"]
    )
    | st.binary(max_size=20),
    max_size=12,
).map(b"".join)


def framed(message):
    body = json.dumps(message).encode()
    return b'"""' + body + b"%08x" % zlib.crc32(body) + b'"""'


def test_a_frame_between_log_lines_is_found_and_the_lines_are_kept():
    """The boot log stands before and after; the frame is no part of it."""
    parser = FrameParser()

    frames, text = parser.feed(b"rst:0x1 (POWERON)\r\n" + framed(MESSAGE) + b"\r\nI (312) app: ready\r\n")

    assert frames == [MESSAGE]
    assert text == b"rst:0x1 (POWERON)\r\n\r\nI (312) app: ready\r\n"


def test_what_we_send_is_what_we_read():
    """A frame of ours is one frame, handshake byte in front."""
    frames, text = FrameParser().feed(encode_frame(MESSAGE))

    assert (frames, text) == ([MESSAGE], b"\x04")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (BODY + b"%08x" % zlib.crc32(BODY), True),
        (BODY + b"%08X" % zlib.crc32(BODY), True),
        (b"  " + BODY + b"%08x\r\n" % zlib.crc32(BODY), True),
        (BODY, False),
        (b'{"id":1,"result":NaN}' + b"%08x" % zlib.crc32(b'{"id":1,"result":NaN}'), False),
        (BODY + b"00000000", False),
        (BODY[:-1], False),
        (b"[1, 2]", False),
        (b"\x04", False),
        (b'{"id": 1, "id"}', False),
    ],
    ids=[
        "crc",
        "crc in capitals",
        "white space",
        "no crc",
        "not a number",
        "wrong crc",
        "cut",
        "no object",
        "handshake",
        "no json",
    ],
)
def test_only_a_whole_object_with_a_right_check_is_a_frame(body, found):
    """A corrupted frame is text for the log, never a message."""
    frames, _ = FrameParser().feed(b'"""' + body + b'"""\n')

    assert frames == ([MESSAGE] if found else [])


def test_a_number_that_lost_digits_is_no_number():
    """Good JSON with another value, as a line makes it that loses two bytes: without its CRC nobody would notice."""
    body = b'{"id":7,"result":{"voltage":230.12}}'
    whole = b'"""' + body + b"%08x" % zlib.crc32(body) + b'"""'
    parser = FrameParser()

    frames, _ = parser.feed(whole.replace(b"230.12", b"2.12"))

    assert frames == []
    assert parser.take_damaged() == ["a frame came damaged: its CRC is wrong"]
    assert FrameParser().feed(whole)[0] == [{"id": 7, "result": {"voltage": 230.12}}]


def test_half_a_frame_can_be_given_up():
    """What was held back is text then, and the next frame is found."""
    parser = FrameParser()
    assert parser.feed(b'"""{"id":1,"res') == ([], b"")
    assert parser.is_open

    assert parser.give_up() == b'"""{"id":1,"res'

    assert not parser.is_open
    assert parser.feed(framed(MESSAGE))[0] == [MESSAGE]


def test_a_frame_cut_by_a_reset_does_not_hide_the_next_one():
    """The quotes that seem to end half a frame open the whole one."""
    frames, text = FrameParser().feed(b'"""{"id":1,"res' + b"\r\nrst:0x3\r\n" + framed(MESSAGE))

    assert frames == [MESSAGE]
    assert b"rst:0x3" in text


def test_a_frame_that_never_ends_becomes_text():
    """Beyond 64 KiB nothing is a frame: the log is not held back for ever."""
    frames, text = FrameParser().feed(b'"""{' + b"x" * 70_000)

    assert frames == []
    assert len(text) > 60_000


@given(st.lists(st.tuples(noise, messages), max_size=4), noise)
@settings(max_examples=300, deadline=None)
def test_every_frame_is_found_in_any_noise(parts, tail):
    """Noise may hold quotes, braces and halves of frames: each real frame still comes out, in order."""
    stream = b"".join(before + framed(message) for before, message in parts) + tail

    frames, _ = FrameParser().feed(stream)

    wanted = [message for _, message in parts]
    assert _in_order(wanted, frames)


@given(st.lists(st.tuples(noise, messages), max_size=3), noise, st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_how_the_stream_is_cut_does_not_matter(parts, tail, size):
    """The same frames come out of the stream in one piece and in pieces of a few bytes."""
    stream = b"".join(before + framed(message) for before, message in parts) + tail
    whole, _ = FrameParser().feed(stream)
    parser = FrameParser()

    pieces = [frame for at in range(0, len(stream), size) for frame in parser.feed(stream[at : at + size])[0]]

    assert pieces == whole


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_noise_is_never_an_error(data):
    """Whatever the line brings, the parser goes on, and what is no frame stays in the log or is still awaited."""
    parser = FrameParser()

    _, text = parser.feed(data)

    assert len(text) <= len(data)


def test_input_made_to_be_slow_is_not():
    """White space, quotes and braces by the ten thousand take no noticeable time."""
    parser = FrameParser()

    for nasty in (b'"""' + b" " * 60_000, b'"""{}' + b" " * 60_000 + b'x"""', b'"""{' * 15_000, b'"' * 60_000):
        parser.feed(nasty)

    assert parser.feed(b"\n" + framed(MESSAGE))[0][-1:] == [MESSAGE]


def _in_order(wanted, got):
    rest = iter(got)
    return all(any(message == other for other in rest) for message in wanted)
