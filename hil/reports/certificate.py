"""The page a laboratory hands to a customer: one self-contained HTML file, made from the journal and nothing else.

No script, no network address, no time of day: the same journal gives the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hil.journal.reader import Journal
from hil.names import printable
from hil.reports.page import make_page
from hil.reports.qty import LEAST_RISK, bounds, freedom, margin, qty, risk, symbol
from hil.reports.words import MARKS, VERDICTS, Mark

_TEMPLATES = Path(__file__).with_name("templates")


def render(journal: Journal, folder: Path) -> bytes:
    """Return certificate.html for a journal whose attachments lie in folder, in UTF-8."""
    page = make_page(replace(journal, folder=folder))
    return _environment().get_template("certificate.html.j2").render(page=page).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "qty": qty,
        "margin": margin,
        "bounds": bounds,
        "risk": risk,
        "freedom": freedom,
        "symbol": symbol,
        "when": when,
        "css_string": css_string,
        "mark": lambda name: MARKS.get(name, Mark("", name or "not stated", "as the plan states it")),
        "short_test": lambda node: node.rpartition("/")[2],
    }
    environment.globals["verdicts"] = VERDICTS
    environment.globals["least_risk"] = LEAST_RISK
    return environment


def _visible(value: object) -> object:
    """Spell out what acts or hides in plain text; markup is our own, and was made of text that went through here."""
    return printable(value) if type(value) is str else value


def when(utc: str) -> str:
    """Turn an ISO 8601 time of the journal into `2026-11-21 14:02:11 UTC`; the microseconds stay in the record."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z", utc)
    return f"{parts[1]} {parts[2]} UTC" if parts else utc


def css_string(text: str) -> Markup:
    """Quote text for CSS: whatever is not a plain letter, digit or mark becomes an escape, so nothing can break out."""
    return Markup('"' + "".join(c if re.fullmatch(r"[A-Za-z0-9 .:_-]", c) else f"\\{ord(c):x} " for c in text) + '"')
