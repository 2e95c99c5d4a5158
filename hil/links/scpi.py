"""What a driver needs of a SCPI link, and how answers are read: never an over-range sentinel as a number."""

from __future__ import annotations

import math
import re
from typing import Protocol, runtime_checkable

from hil.errors import BadAnswer, InstrumentRefused, NoReading, SetupError

# NR1, NR2 or NR3 (IEEE 488.2, 8.7); Python's float() would also take "1_0", "infinity" and Arabic digits
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NOT_A_NUMBER = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
SENTINEL = 9.9e37  # 9.9E+37 over-range, 9.91E+37 not a number (SCPI-99, 7.2.1): nothing on a bench is that large
ERROR_CODE = re.compile(r"([+-]?[0-9]{1,9})(?:[\s,]|$)")  # a number cut short is no number
MESSAGE = re.compile(r"[ -~]+")
QUEUE_DEPTH = 20  # the longest error queue among our instruments (Truevolt)


@runtime_checkable
class ScpiLink(Protocol):
    """A wire to one instrument."""

    who: str
    where: str

    def tell(self, message: str) -> None:
        """Send a message that has no answer."""
        ...

    def ask(self, message: str) -> str:
        """Send a message and return its answer, stripped; it is never empty."""
        ...

    def ask_block(self, message: str) -> bytes:
        """Send a message and return the payload of its definite-length block (IEEE 488.2, 8.7.9)."""
        ...

    def close(self) -> None:
        """Close the wire; the instrument stays as it is."""
        ...


def check_message(who: str, message: str) -> None:
    """Refuse what is no single line of ASCII, before the wire: a newline in it would begin another message."""
    if not MESSAGE.fullmatch(message):
        raise SetupError(f"{who}: {message!r:.120} is no SCPI message on one line; nothing was sent", "mend the driver")


def parse_number(who: str, sent: str, text: str) -> float:
    """Read a number; raises NoReading for an over-range or not-a-number answer, BadAnswer for anything else."""
    text = text.strip()
    if NOT_A_NUMBER.fullmatch(text):
        raise NoReading(who, sent, text, "the instrument has no valid value")
    if not NUMBER.fullmatch(text):
        raise BadAnswer(who, sent, text, "not a number")
    value = float(text)
    if math.isinf(value) or abs(value) >= SENTINEL:
        raise NoReading(who, sent, text, "over-range or no data")
    return value


def parse_numbers(who: str, sent: str, text: str, count: int) -> list[float]:
    """Read exactly count numbers separated by commas; one comma after the last is forgiven."""
    parts = text.strip().removesuffix(",").split(",")
    if len(parts) != count:
        raise BadAnswer(who, sent, text, f"{len(parts)} values instead of {count}")
    return [parse_number(who, sent, part) for part in parts]


def parse_block(who: str, sent: str, data: bytes) -> bytes:
    """Return the payload of a definite-length block; only white space may follow it."""
    digits = int(data[1:2]) if re.fullmatch(rb"#[1-9]", data[:2]) else 0
    header = data[2 : 2 + digits]
    if not digits or len(header) != digits or not re.fullmatch(rb"[0-9]+", header):
        raise BadAnswer(who, sent, _show(data), "no definite-length block")
    start = 2 + digits
    end = start + int(header)
    if len(data) < end:
        raise BadAnswer(who, sent, _show(data), f"the block says {end - start} bytes, {len(data) - start} came")
    if data[end:].strip():
        raise BadAnswer(who, sent, _show(data[end:]), "something follows the block")
    return data[start:end]


def tell_checked(link: ScpiLink, message: str, error_query: str = ":SYST:ERR?") -> None:
    """Send message and the error query as one message; raise InstrumentRefused unless the queue is empty."""
    answer = link.ask(f"{message};{error_query}")
    errors: list[str] = []
    while _error_code(link, error_query, answer) != 0:
        errors.append(answer)
        if len(errors) > QUEUE_DEPTH:
            raise BadAnswer(link.who, error_query, answer, f"the error queue does not end after {QUEUE_DEPTH}")
        answer = link.ask(error_query)
    if errors:
        raise InstrumentRefused(link.who, message, "; ".join(errors))


def _error_code(link: ScpiLink, sent: str, answer: str) -> int:
    match = ERROR_CODE.match(answer)
    if not match:
        raise BadAnswer(link.who, sent, answer, "no error number")
    return int(match[1])


def _show(data: bytes) -> str:
    return data[:40].decode("latin-1")
