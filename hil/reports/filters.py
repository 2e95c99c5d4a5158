"""What templates of reports are made with: one jinja environment a language, strict about what it does not know.

`t` is a fixed sentence of a template, looked up once when the template is compiled; `fill` puts values in its {places}.
`told` is text of the record or the plan: in the page's language where the catalogue has it, else marked as English.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.compiler import CodeGenerator
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from hil.reports.cells import cells_of, shares_of
from hil.reports.figures import Figures
from hil.reports.language import Language, language
from hil.reports.qty import LEAST_RISK, symbol
from hil.reports.told import shown, told, visible
from hil.reports.words import MARKS, VERDICTS, Mark, VerdictWord


class _Printing(CodeGenerator):
    """Writes one call of `shown` where jinja writes two and makes an object for each text: a tenth of a page's time."""

    def _output_child_pre(self, node: Any, frame: Any, finalize: Any) -> None:
        self.write("environment.shown(")

    def _output_child_post(self, node: Any, frame: Any, finalize: Any) -> None:
        self.write(")")


class _Pages(Environment):
    """Of our own templates; every text they print is escaped."""

    code_generator_class = _Printing
    shown = staticmethod(shown)


@lru_cache(maxsize=8)
def environment(code: str, templates: Path, own: Path | None = None) -> Environment:
    """Return the environment for templates in one language; own is a laboratory's folder, whose templates come first.

    A laboratory's templates run in a sandbox: they lay out what they are given and reach nothing else.
    """
    words = language(code)
    kind = SandboxedEnvironment if own else _Pages
    folders = [folder for folder in (own, templates) if folder]
    made = kind(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=own is not None,
    )
    made.filters |= _filters(words, Figures(words))
    made.globals |= {
        "verdicts": {name: VerdictWord(words.text(one.word), one.shape) for name, one in VERDICTS.items()},
        "badges": {name: _badge(name, words.text(one.word), one.shape) for name, one in VERDICTS.items()},
        "least_risk": LEAST_RISK,
        "lang": code,
    }
    return made


def _filters(words: Language, figures: Figures) -> dict[str, Any]:
    def mark(name: str) -> Mark:
        one = MARKS.get(name, Mark("", name or "not stated", "as the plan states it"))
        return Mark(one.sign, words.text(one.short), words.text(one.text))

    return {
        "t": lambda english: Markup(words.text(english)),
        "fill": fill,
        "told": lambda value: told(words, str(value)),
        "visible": visible,  # before text of the record is joined to markup
        "words": lambda text: words.text(str(text)),
        "area": lambda title: _capital(words.text(title)),
        "cells": cells_of(figures),
        "shares": shares_of(figures),
        "qty": figures.qty,
        "margin": figures.margin,
        "bounds": figures.bounds,
        "risk": figures.risk,
        "freedom": figures.freedom,
        "when": figures.date,
        "symbol": symbol,
        "css_string": css_string,
        "mark": mark,
        "short_test": lambda node: node.rpartition("/")[2],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def fill(sentence: Markup, **values: object) -> Markup:
    """Put values, escaped, into the {places} of a sentence of ours."""
    return Markup(str(sentence).format(**{name: escape(visible(value)) for name, value in values.items()}))


@cache
def _badge(verdict: str, word: str, shape: str) -> Markup:
    """A verdict as word and shape; the shape differs too, so that colour is not needed."""
    drawing = f'<path fill-rule="evenodd" d="{shape}"/>'
    picture = f'<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{drawing}</svg>'
    return Markup(f'<span class="badge v-{verdict}">{picture}{escape(word)}</span>')


def css_string(text: str) -> Markup:
    """Quote text for CSS: whatever is not a plain letter, digit or mark becomes an escape, so nothing can break out."""
    return Markup('"' + "".join(c if re.fullmatch(r"[A-Za-z0-9 .:_-]", c) else f"\\{ord(c):x} " for c in text) + '"')
