"""Numbers, limits and dates in a report's language: qty's texts, written by that language's rules.

Ref: ISO 80000-1:2022, 7.3.3 (decimal sign and groups of three); DIN 1333:1992, 10 and DIN 5008:2020 for German [NRC].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.reports import qty as english
from hil.reports.language import ENGLISH, Language

Written = Callable[..., str]


class Figures:
    """The functions of hil.reports.qty in one language."""

    def __init__(self, words: Language) -> None:
        self.words = words
        self.date = words.date
        self.qty: Written = english.qty
        self.two_digits: Written = english.two_digits
        self.of_row: Callable[..., tuple[str, str, str, str]] = english.of_row
        self.margin: Written = english.margin
        self.bounds: Written = english.bounds
        self.risk: Written = english.risk
        self.freedom: Written = english.freedom
        if words.code != ENGLISH:
            self.qty, self.margin, self.bounds = self._in(english.qty), self._in(english.margin), self._bounds
            self.risk, self.freedom = self._in(english.risk), self._in(english.freedom)
            self.two_digits, self.of_row = self._in(english.two_digits), self._of_row

    def _in(self, made: Written) -> Written:
        words, yes, no = self.words, self.words.text("yes"), self.words.text("no")

        def written(*given: Any, **how: Any) -> str:
            text = made(*given, **how)
            return yes if text == "yes" else no if text == "no" else words.figures(text)

        return written

    def _of_row(self, *given: Any) -> tuple[str, str, str, str]:
        value, raw, expanded, margin = english.of_row(*given)
        fix = self.words.figures
        yes_or_no = self.words.text(value) if value in {"yes", "no"} else fix(value)
        return yes_or_no, fix(raw), fix(expanded), fix(margin)

    def _bounds(self, low: float | None, high: float | None, unit: str = "", *, scale: float | None = None) -> str:
        text = english.bounds(low, high, unit, scale=scale)
        if text in {"yes", "no"}:
            return self.words.text(text)
        return self.words.figures(text.replace(english.TO, f" {self.words.text('to')} "))


IN_ENGLISH = Figures(Language(ENGLISH))
