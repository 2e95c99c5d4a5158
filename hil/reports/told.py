"""Text of the record on a page: in the page's language where the catalogue has it, else marked as English."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from hil.names import HIDDEN, printable
from hil.reports.language import ENGLISH, Language

_TO_CHANGE = re.compile(f"[&<>'\"{HIDDEN}]")


def told(words: Language, text: str) -> str | Markup:
    """Return text of the record in the page's language, or as it is and marked as English."""
    if words.code == ENGLISH or not text:
        return printable(text)  # it may end up inside markup, which nobody looks through again
    if words.knows(text):
        return words.text(text)
    return Markup('<span lang="en">{}</span>').format(printable(text))


def shown(value: object) -> str:
    """Return what a template prints: text made visible and escaped; markup is our own and stays as it is."""
    if type(value) is str and not _TO_CHANGE.search(value):
        return value
    if type(value) is Markup:
        return value
    return escape(visible(value))


def visible(value: object) -> object:
    """Spell out what acts or hides in plain text; markup is our own, and was made of text that went through here."""
    return printable(value) if type(value) is str and not value.isprintable() else value
