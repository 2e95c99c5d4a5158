"""Text from outside: which names are taken, and how any other text is shown to a person.

A name is what a person, a scanner, stations.toml or an evidence folder from elsewhere gives us and what ends up in a
path, on a certificate or on a terminal. Text that only has to be shown, as what an instrument or a unit says of
itself, is never refused: it stays on record as it came, and `printable` spells out what would act on a terminal or
could not be seen.
"""

from __future__ import annotations

import re

from hil.errors import SetupError

LONGEST_OPERATOR = 80  # characters: two lines of the certificate
LONGEST_TEXT = 200  # of stations.toml
SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")  # it names a folder
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # of a station, of a point of its wiring
# What acts, hides or turns the text around it: C0 and C1 controls (Cc) but tab and newline, soft hyphen, zero-width
# and bidirectional marks (Cf), line separators, invisible operators, tags; surrogates, which no file can hold.
# The joiners U+200C and U+200D are letters' neighbours in some scripts, and stay. Ref: Unicode TR 36, TR 55
HIDDEN = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
_HIDDEN_CHARACTER = re.compile(f"[{HIDDEN}]")
_NOT_ON_A_LINE = re.compile(f"[\\t\\n{HIDDEN}]")


def printable(text: str) -> str:
    """Return text in which every character can be seen: others as `\\x1b` or `\\u202e`. Tab and newline stay."""
    return _HIDDEN_CHARACTER.sub(_spelled, text)


def one_line(text: str) -> str:
    """Return text as `printable` does, with tab and newline spelled out as well."""
    return _NOT_ON_A_LINE.sub(_spelled, text)


def what_is_wrong(text: str, longest: int) -> str:
    """Say why text cannot be a name on one line, or nothing."""
    if len(text) > longest:
        return f"it is {len(text)} characters long, {longest} are the most"
    if found := _NOT_ON_A_LINE.search(text):
        return f"its character {found.start() + 1}, U+{ord(found[0]):04X}, cannot be printed"
    if text and not text.strip():
        return "it is blank"
    return ""


def check_operator(name: str) -> None:
    """Refuse a name that cannot stand on a certificate; none at all is allowed. Raises SetupError."""
    if why := what_is_wrong(name, LONGEST_OPERATOR):
        raise SetupError(f"the operator's name {name[:LONGEST_OPERATOR]!r} is refused: {why}", "type it again")


def check_serial(serial: str) -> None:
    """Refuse a serial number that could leave its folder; a plan's pattern is narrower. Raises SetupError."""
    if not SERIAL.fullmatch(serial):
        raise SetupError(
            f"serial number {serial[:LONGEST_OPERATOR]!r} cannot name a folder",
            "use up to 64 letters, digits, '.', '_', '+' and '-', beginning with a letter or a digit",
        )


def without_secrets(resource: str) -> str:
    """Return a resource string fit for a record: communities and passwords in it become ***."""
    text = re.sub(r"://.*@", "://***@", resource, flags=re.DOTALL)
    return re.sub(r"([?&]write=)[^&#]*", r"\1***", text)


def _spelled(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
