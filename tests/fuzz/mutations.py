"""Valid messages, and what noise, cut cables and careless hands make of them."""

from __future__ import annotations

from hypothesis import strategies as st

from fuzz.registry import NASTY, Target

PLACE = st.integers(0, 1 << 16)
MOST_STEPS = 4
MOST_BYTES = 4096  # longer seeds are checked as they are, but cost too much to be changed again and again


@st.composite
def inputs(draw: st.DrawFn, target: Target) -> bytes:
    """A seed, changed in up to four places; seldom, bytes at random."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=64))
    data = draw(st.sampled_from([seed for seed in target.seeds if len(seed) <= MOST_BYTES]))
    for _ in range(draw(st.integers(0, MOST_STEPS))):
        data = draw(st.sampled_from(STEPS))(draw, data, target)
    return data


def _cut(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    return data[: draw(PLACE) % (len(data) + 1)]


def _leave_out(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    at, length = draw(PLACE) % (len(data) + 1), draw(st.integers(1, 16))
    return data[:at] + data[at + length :]


def _flip(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    if not data:
        return data
    at = draw(PLACE) % len(data)
    return data[:at] + bytes((data[at] ^ 1 << draw(st.integers(0, 7)),)) + data[at + 1 :]


def _replace(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    at = draw(PLACE) % (len(data) + 1)
    return data[:at] + bytes((draw(st.integers(0, 255)),)) + data[at + 1 :]


def _insert(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    at, over = draw(PLACE) % (len(data) + 1), draw(st.integers(0, 3))
    word = draw(st.sampled_from((*target.tokens, *NASTY)))
    return data[:at] + word + data[at + over :]


def _double(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    at, length = draw(PLACE) % (len(data) + 1), draw(st.integers(1, 64))
    return data[: at + length] + data[at:]


def _splice(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    other = draw(st.sampled_from(target.seeds))
    return data[: draw(PLACE) % (len(data) + 1)] + other[draw(PLACE) % (len(other) + 1) :]


def _swap_value(draw: st.DrawFn, data: bytes, target: Target) -> bytes:
    """Put another word between two separators: the shape stays, the value does not."""
    marks = [0, *(at + 1 for at, byte in enumerate(data) if byte in b',;:= \n[{"'), len(data) + 1]
    index = draw(PLACE) % (len(marks) - 1)
    word = draw(st.sampled_from((*target.tokens, *NASTY, b"")))
    return data[: marks[index]] + word + data[marks[index + 1] - 1 :]


STEPS = (_cut, _leave_out, _flip, _replace, _insert, _double, _splice, _swap_value)
