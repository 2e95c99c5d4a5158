"""Certificates by a laboratory's own templates: in a sandbox, errors named, nothing left out that must be said."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError
from markupsafe import escape

from hil.errors import SetupError
from hil.reports.filters import environment
from hil.reports.page import Page

_OF_TEMPLATES = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_ACTS = re.compile(
    r"<(?:script|iframe|object|embed|link|base|form)\b|\son\w+\s*=|javascript:|@import|url\(\s*['\"]?(?!data:|#)"
    r"|(?:src|href)\s*=\s*['\"]?\s*(?:https?:|//|file:|ftp:)",
    re.IGNORECASE,
)


def render_own(page: Page, own: Path, templates: Path) -> str:
    """Return the certificate made with own's templates before ours.

    Raises SetupError that names file and line of what a template does wrong, and where the page would fetch or act, or
    would leave out what a certificate must say.
    """
    try:
        made = environment(page.language.code, templates, own).get_template("certificate.html.j2").render(page=page)
    except TemplateSyntaxError as error:
        where = f"{own / (error.name or '')}, line {error.lineno}"
        raise SetupError(f"the laboratory's template {where}: {error.message}", "mend that line") from error
    except _OF_TEMPLATES as error:
        raise SetupError(f"the laboratory's template {_where(error, own)}: {error}", "mend that line") from error
    _check(page, made, own)
    return made


def _where(error: BaseException, own: Path) -> str:
    """Return file and line of the innermost frame in a template of the laboratory's, as jinja names it."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename).is_relative_to(own)]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else str(own)


def _check(page: Page, made: str, own: Path) -> None:
    body = _STYLE.sub("", made)
    if found := _ACTS.search(made):
        raise SetupError(
            f"with the templates of {own} the page would act or fetch something: {found[0].strip()!r}",
            "a certificate is one file without scripts and addresses",
        )
    say = page.language.text
    needed = [
        page.run_id,
        page.started.serial,
        page.last_hash,
        page.language.say("End of certificate {id}", id=page.run_id),
    ]
    needed += [say("SIMULATED")] if page.started.simulated else []
    needed += [say("NOT RELEASED")] if not page.release.valid else []
    missing = [one for one in needed if str(escape(one)) not in body]
    if missing:
        what = ", ".join(repr(one) for one in missing)
        raise SetupError(f"with the templates of {own} the page leaves out {what}", "a certificate must say it")
