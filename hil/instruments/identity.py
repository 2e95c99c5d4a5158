"""Who answers `*IDN?`: one question, and one answer to a wrong one."""

from __future__ import annotations

import re

from hil.errors import BadAnswer, WrongInstrument
from hil.instruments.roles import Identity
from hil.links.scpi import ScpiLink


def ask_identity(link: ScpiLink, model: str, pattern: str) -> Identity:
    """Empty the error queue, ask `*IDN?` and check that the model field matches pattern; raises WrongInstrument."""
    link.tell("*CLS")  # errors of whoever used the instrument before are not ours
    return parse_identity(link, model, pattern, link.ask("*IDN?"))


def parse_identity(link: ScpiLink, model: str, pattern: str, text: str) -> Identity:
    """Return the four fields of an `*IDN?` answer; spaces around the commas are allowed (Chroma, ITECH)."""
    fields = [field.strip() for field in text.split(",")]
    if len(fields) < 4:
        raise BadAnswer(link.who, "*IDN?", text, "not maker, model, serial and firmware")
    if not re.fullmatch(pattern, fields[1]):
        raise WrongInstrument(link.who, link.where, model, text)
    return Identity(fields[0], fields[1], fields[2], ",".join(fields[3:]))


def is_on(who: str, sent: str, text: str) -> bool:
    """Return whether an output query says on; the dialects answer 1 / 0 or ON / OFF."""
    answer = text.strip().upper()
    if answer in {"1", "ON"}:
        return True
    if answer in {"0", "OFF"}:
        return False
    raise BadAnswer(who, sent, text, "neither on nor off")
