"""HTML and sheets to PDF/A-3b, with files inside: the same input gives the same bytes, and nothing is fetched.

Ref: ISO 19005-3:2012 (PDF/A-3), 6.8 (embedded files and what they are to the document).
"""

from __future__ import annotations

import gc
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hil.errors import SetupError
from hil.reports.sheets.face import FILES, FONTS, truetype

_SCHEME = "hil-font:"  # the only addresses a document may name, besides data:
_PANGO = "WeasyPrint finds no Pango; install it with your system's packages (Debian: libpango-1.0-0 libpangoft2-1.0-0)"
_EXTRA = "install it: pip install 'hil[pdf]'"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file inside the PDF, and what it is to the document: Source (made from it), Data, Supplement."""

    name: str
    data: bytes
    relationship: str
    description: str


def missing() -> str:
    """Say what a PDF lacks here and how to get it; nothing where all is there."""
    try:
        _weasyprint()
        import pikepdf  # noqa: F401
    except OSError:
        return _PANGO
    except ImportError as error:
        return f"{error.name or 'a package'} is not installed; {_EXTRA}"
    return ""


def write(html: str, css: str, issued_utc: str, embedded: list[Embedded], finish: Callable[[Any, Any], None]) -> bytes:
    """Return the PDF/A-3b; finish(document, pdf) may add to it. Raises SetupError for what is no PDF/A."""
    fetch = _fetcher()
    issued = datetime.fromisoformat(issued_utc).astimezone(UTC).replace(microsecond=0)
    fonts, sheet = _styles(css)
    weasyprint = _weasyprint()
    with _complaints() as complaints, _no_collection():
        document = weasyprint.HTML(string=html, url_fetcher=fetch).render(stylesheets=[sheet], font_config=fonts)
        document.metadata.attachments = [
            weasyprint.Attachment(
                file_obj=io.BytesIO(one.data),
                name=one.name,
                description=one.description,
                relationship=one.relationship,
                created=issued,
                modified=issued,
                url_fetcher=fetch,
            )
            for one in embedded
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint 70 leaves the file of its colour profile open
            made: bytes = document.write_pdf(pdf_variant="pdf/a-3b", finisher=finish)
    if complaints:
        raise SetupError(f"the PDF cannot be made: {complaints[0]}", "report it, with the run's journal")
    _prove(made, embedded)
    return made


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let Python look for dead cycles afterwards: a layout is large and alive, and looking takes a quarter of it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _prove(made: bytes, embedded: list[Embedded]) -> None:
    """Look at what was made before anybody relies on it: it says PDF/A-3b, and gives back every file inside."""
    import pikepdf

    with pikepdf.open(io.BytesIO(made)) as opened:
        metadata = opened.open_metadata()
        says = (metadata.get("pdfaid:part"), metadata.get("pdfaid:conformance"))
        inside = {name: opened.attachments[name].get_file().read_bytes() for name in opened.attachments}
    if says != ("3", "B") or inside != {one.name: one.data for one in embedded}:
        raise SetupError("the PDF that was made is not whole", "report it, with the run's journal")


@cache
def _weasyprint() -> Any:
    """Import WeasyPrint; a machine without fonts of its own is none the worse, for ours are shipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import weasyprint
    return weasyprint


@cache
def _styles(css: str) -> tuple[Any, Any]:
    """Return the fonts and the style sheet, made once: unpacking a font takes longer than a document."""
    from weasyprint.text.fonts import FontConfiguration

    with _only_our_fonts():
        fonts = FontConfiguration()
    faces = "".join(
        f"@font-face {{ font-family: 'hil {'mono' if name == 'mono' else 'sans'}'; src: url({_SCHEME}{name}); "
        f"font-weight: {600 if name == 'bold' else 400}; }}\n"
        for name in FILES
    )
    return fonts, _weasyprint().CSS(string=faces + css, font_config=fonts, url_fetcher=_fetcher())


@contextmanager
def _only_our_fonts() -> Iterator[None]:
    """Keep the system's fonts and their rules out, so that every machine sets the same page."""
    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(FONTS / "fonts.conf")
    try:
        yield
    finally:
        if before is None:
            del os.environ["FONTCONFIG_FILE"]
        else:
            os.environ["FONTCONFIG_FILE"] = before


@cache
def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc]
        """Gives the shipped fonts and what stands in the address itself; there is no way out to a file or a network."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix(_SCHEME)
            if name != url and name in FILES:
                return URLFetcherResponse(url, truetype(name), {"Content-Type": "font/ttf"})
            return super().fetch(url, headers)

    return OnlyOurs(allowed_protocols={"data"})


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint warns of, such as a letter without a shape: a certificate is whole or not made."""
    found: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger = logging.getLogger("weasyprint")
    handler, before = Collect(logging.WARNING), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def check(pdf: bytes) -> list[str]:
    """Return what pikepdf's PDF/A gate finds wrong with it; nothing where it conforms to PDF/A-3b."""
    from pikepdf import pdfa

    return [str(one) for one in pdfa.validate_written(io.BytesIO(pdf), "3b").findings]
