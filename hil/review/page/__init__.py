"""A review as one HTML file: no script, no address, readable on a telephone and on paper. Same review, same bytes."""

from __future__ import annotations

from pathlib import Path

from hil.names import printable
from hil.review.finding import Severity
from hil.review.record import worst_first
from hil.review.review import Review
from hil.review.wording import sentence

_FOLDER = Path(__file__).parent


def render(review: Review) -> bytes:
    """Return the page, in UTF-8."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"sentence": sentence, "capital": lambda text: text[:1].upper() + text[1:]}
    found = worst_first(review)
    return (
        environment.get_template("review.html.j2")
        .render(
            review=review,
            css=Markup((_FOLDER / "review.css").read_text(encoding="utf-8")),
            found=found,
            traps=[one for one in review.findings if one.severity is Severity.NONE],
            counts={severity: sum(one.severity is severity for one in found) for severity in Severity},
            statements={one.rule: one.statement for one in review.rules},
        )
        .encode()
    )
