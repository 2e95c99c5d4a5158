"""The first page of a bundle on paper: PDF/A-3b, in the letters of the certificate."""

from __future__ import annotations

from hil.reports import typeset
from hil.reports.bundle.page import TEMPLATES


def pdf(html: str, issued_utc: str) -> bytes:
    """Return the page as PDF/A-3b; raises SetupError for what cannot be one."""
    css = (TEMPLATES / "bundle" / "paper.css").read_text("utf-8")
    return typeset.write(html, css, issued_utc, [], lambda document, made: None)
