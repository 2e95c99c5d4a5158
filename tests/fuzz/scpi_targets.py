"""What every SCPI driver is built on: numbers, lists, blocks, the error queue."""

from __future__ import annotations

import math
import re

from fuzz.registry import only, target
from fuzz.wires import Answers
from hil.errors import BadAnswer, InstrumentRefused, NoAnswer, NoReading
from hil.links.scpi import parse_block, parse_number, parse_numbers, tell_checked

WHITE = b" \t\n\r\v\f"


def read_by_hand(text: str) -> float | None:
    """Read NR1, NR2 or NR3 (IEEE 488.2, 8.7.2 to 8.7.4) another way: Python's float() among these characters only."""
    if not text or set(text) - set("0123456789+-.eE"):
        return None
    try:
        return float(text)
    except ValueError:
        return None


@target(tokens=(b"+9.90000000E+37", b"-9.91E37", b"NAN", b"INF", b"E", b"."))
def scpi_number(data: bytes) -> None:
    text = data.decode("latin-1")
    expected = read_by_hand(text.strip())
    with only(NoReading, BadAnswer) as refused:
        value = parse_number("meter", "READ?", text)
    if refused and expected is not None:
        assert isinstance(refused[0], NoReading)
        assert abs(expected) >= 9.9e37, f"{text!r} is a number, and was refused: {refused[0]}"
    elif refused:
        said = text.strip().upper()
        word = said[1:] if said[:1] in {"+", "-"} else said
        assert isinstance(refused[0], NoReading) is (word in {"NAN", "INF", "INFINITY"})
    else:
        assert math.isfinite(value)
        assert abs(value) < 9.9e37
        assert value == expected


@target(tokens=(b",", b"+1.0E+00"))
def scpi_numbers(data: bytes) -> None:
    count, text = data[0] % 12 if data else 1, data[1:].decode("latin-1")
    with only(NoReading, BadAnswer) as refused:
        values = parse_numbers("meter", "FETC?", text, count)
    if not refused:
        assert len(values) == count
        parts = text.strip().split(",")
        assert values == [read_by_hand(part.strip()) for part in parts[:count]]
        assert not "".join(parts[count:]), "nothing that was sent is left out"


@target(tokens=(b"#0", b"#10", b"#800000004"))
def scpi_block(data: bytes) -> None:
    with only(BadAnswer) as refused:
        payload = parse_block("scope", ":WAV:DATA?", data)
    if not refused:
        digits = data[1] - ord("0")
        head, body = data[: 2 + digits], data[2 + digits :]
        assert head[:1] == b"#"
        assert int(head[2:]) == len(payload)
        assert body[: len(payload)] == payload
        assert not body[len(payload) :].strip(WHITE)
    for digits in range(len(str(len(data))), 10):
        block = b"#%d%0*d" % (digits, digits, len(data)) + data
        assert parse_block("scope", ":WAV:DATA?", block) == data
        assert parse_block("scope", ":WAV:DATA?", block + b"\r\n") == data
        if data:
            with only(BadAnswer) as short:
                parse_block("scope", ":WAV:DATA?", block[:-1])
            assert short, "a block cut short is no block"


@target(tokens=(b'+0,"No error"', b'-113,"Undefined header"', b"0, No Error"))
def scpi_error_queue(data: bytes) -> None:
    link = Answers(data)
    first = data.partition(b"\n")[0].decode("latin-1").strip()
    with only(InstrumentRefused, BadAnswer, NoAnswer) as refused:
        tell_checked(link, "OUTP ON")
    if not refused:
        code, *_ = re.split(r"[,\s]", first, maxsplit=1)
        assert int(code) == 0, f"{first!r} does not say that nothing is wrong"
