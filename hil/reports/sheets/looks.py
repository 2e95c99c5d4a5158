"""How sheets look: colours, text styles, and what every section of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.reports.figures import Figures
from hil.reports.language import Language
from hil.reports.page import Page
from hil.reports.sheets.flow import Cell, Sheets, Style, plain
from hil.reports.words import VERDICTS

INK, MUTED, RULE, PALE, ACCENT = "#1c2126", "#4d565e", "#8a949c", "#dfe3e6", "#12486b"
COLOURS = {
    "pass": "#1b6239",
    "fail": "#a3142e",
    "conditional_fail": "#a3142e",
    "aborted": "#7d4e00",
    "conditional_pass": "#7d4e00",
    "not_covered": "#4d565e",
    "refused": "#4d565e",
    "waived": "#5b3a8c",
}
BAD_GROUND = "#fbeef0"

TEXT = Style()
BOLD = Style("bold")
QUIET = Style(colour=MUTED)
SMALL = Style(size_pt=7.2, colour=MUTED)
MONO = Style("mono", 6.4, MUTED)
HEAD = Style("bold", 7.0, MUTED)
SECTION = Style("bold", 14.0)
AREA = Style("bold", 10.5, ACCENT)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: where it begins, how wide it is, what stands on top."""

    x_pt: float
    width_pt: float
    title: str
    right: bool = False

    def cell(self, text: str, style: Style = TEXT) -> Cell:
        """Return a cell in this column."""
        return Cell(self.x_pt, self.width_pt, text, style, self.right)


@dataclass(frozen=True, slots=True)
class Section:
    """What a section is made from and with."""

    page: Page
    sheets: Sheets
    numbers: Figures

    @property
    def words(self) -> Language:
        """Return the language of the page."""
        return self.page.language

    def begin(self, number: str, english: str) -> None:
        """Set a section's heading; its number and words are those of the HTML certificate."""
        title = f"{number}  {self.words.text(english)}"
        self.sheets.head = ()
        self.sheets.keep(120.0)
        self.sheets.gap(14.0)
        self.sheets.bookmark(1, title)
        self.sheets.row([Cell(0.0, self.sheets.width_pt, title, SECTION)], 18.0)
        self.sheets.rule(RULE)
        self.sheets.gap(3.0)

    def say(self, *english: str, style: Style = TEXT, **values: object) -> None:
        """Set sentences of ours as one paragraph; they may be those of the HTML certificate, with its entities."""
        said = " ".join(plain(self.words.say(one, **values)) for one in english)
        self.sheets.paragraph(said, style)
        self.sheets.gap(2.0)

    def heading(self, english: str) -> None:
        """Set a heading within a section."""
        self.sheets.head = ()
        self.sheets.keep(40.0)
        self.sheets.gap(8.0)
        self.sheets.row([Cell(0.0, self.sheets.width_pt, self.words.text(english), AREA)], 14.0)

    def table(self, columns: Sequence[Column]) -> None:
        """Begin a table: its head stands here, and again on every page that it goes on to."""
        self.sheets.head = ()
        self.sheets.keep(50.0)
        self.sheets.head = [one.cell(self.words.text(one.title), HEAD) for one in columns]
        self.sheets.set_head()


def verdict(words: Language, name: str) -> tuple[str, Style]:
    """Return a verdict's word and how it is set: what is no plain pass is bold."""
    return words.text(VERDICTS[name].word), Style("regular" if name == "pass" else "bold", 7.6, COLOURS[name])


def titled(text: str) -> str:
    """Return text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
