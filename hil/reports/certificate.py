"""The page a laboratory hands to a customer: one self-contained HTML file, made from the journal and nothing else.

No script, no network address, no time of day: the same journal and the same edition give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hil.journal.reader import Journal
from hil.reports.edition import Edition
from hil.reports.filters import css_string, environment
from hil.reports.page import AS_A_CERTIFICATE, make_page

__all__ = ["css_string", "render"]

_TEMPLATES = Path(__file__).with_name("templates")


def render(journal: Journal, folder: Path, edition: Edition = AS_A_CERTIFICATE) -> bytes:
    """Return certificate.html for a journal whose attachments lie in folder, in UTF-8.

    Raises SetupError for a language that has no catalogue, and for a laboratory's folder or template that is wrong.
    """
    page = make_page(replace(journal, folder=folder), edition)
    own = page.laboratory.templates
    if own is not None:
        from hil.reports.own_templates import render_own

        return render_own(page, own, _TEMPLATES).encode()
    return environment(edition.language, _TEMPLATES).get_template("certificate.html.j2").render(page=page).encode()
