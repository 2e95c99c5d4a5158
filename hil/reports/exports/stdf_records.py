"""The records of STDF V4, as bytes: little-endian (CPU_TYPE 2), text in ASCII of at most 255 characters.

Ref: Standard Test Data Format (STDF) Specification, version 4 (Teradyne), "Data Type Codes" and "STDF Record Types".
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Sequence

LONGEST_TEXT = 255
LARGEST = 3.4028234663852886e38  # of R*4, finite
_SHORTENED = "..."
_HEADER = struct.Struct("<HBB")


def record(kind: tuple[int, int], *fields: bytes) -> bytes:
    """Return a record: REC_LEN, REC_TYP, REC_SUB and its fields."""
    body = b"".join(fields)
    return _HEADER.pack(len(body), *kind) + body


def u1(value: int) -> bytes:
    """Return U*1, or B*1."""
    return struct.pack("<B", value)


def u2(value: int) -> bytes:
    """Return U*2."""
    return struct.pack("<H", value)


def u4(value: int) -> bytes:
    """Return U*4."""
    return struct.pack("<I", value)


def i1(value: int) -> bytes:
    """Return I*1."""
    return struct.pack("<b", value)


def i2(value: int) -> bytes:
    """Return I*2."""
    return struct.pack("<h", value)


def i4(value: int) -> bytes:
    """Return I*4."""
    return struct.pack("<i", value)


def r4(value: float) -> bytes:
    """Return R*4: 24 bits of mantissa; what is beyond is the largest there is."""
    return struct.pack("<f", max(-LARGEST, min(LARGEST, value)))


def c1(character: str) -> bytes:
    """Return C*1."""
    return character.encode("ascii")


def cn(text: str) -> bytes:
    """Return C*n: accents are taken off, what is still not ASCII is spelled out, what is too long ends in dots."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    spelled = (one if " " <= one <= "~" else one.encode("unicode_escape").decode() for one in plain)
    data = "".join(spelled).encode("ascii")
    if len(data) > LONGEST_TEXT:
        data = data[: LONGEST_TEXT - len(_SHORTENED)] + _SHORTENED.encode()
    return u1(len(data)) + data


def generic(texts: Sequence[str]) -> bytes:
    """Return a generic data record (GDR) of texts: they need no alignment, and hold numbers in full."""
    return record((50, 10), u2(len(texts)), *(u1(10) + cn(text) for text in texts))


def remark(text: str) -> bytes:
    """Return a datalog text record (DTR)."""
    return record((50, 30), cn(text))
