"""Lines that flow down pages: text in columns, paragraphs, rules and small marks, as the operators of PDF pages.

Places are in points: x from the left edge of the text, heights downwards; a page begins at its top by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

from markupsafe import Markup

from hil.reports.sheets.face import Face, faces, shown

_ELEMENT = re.compile(r"</?[a-z][^>]*>")
_WORD = re.compile(r"[^ ]*[ ]*")


@dataclass(frozen=True, slots=True)
class Style:
    """How a text looks; colour is `#rrggbb`."""

    face: str = "regular"
    size_pt: float = 7.6
    colour: str = "#1c2126"

    @property
    def font(self) -> Face:
        """Return its face."""
        return faces()[self.face]

    def width(self, text: str) -> float:
        """Return how wide a text is, in points."""
        return self.font.width(text, self.size_pt)


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in a column that begins at x_pt; it breaks where it is wider than width_pt."""

    x_pt: float
    width_pt: float
    text: str
    style: Style
    right: bool = False


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place a reader can go to: on which page, how far down, in points from the top of the text."""

    level: int
    label: str
    page: int
    down_pt: float


@dataclass
class Sheets:
    """Pages that fill from the top; `pages` holds each one's operators, `head` what each begins with."""

    width_pt: float
    height_pt: float
    left_pt: float
    top_pt: float  # of the text, above the page's lower edge
    pages: list[list[str]] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)
    head: Sequence[Cell] = ()
    _down_pt: float = 0.0

    def begin(self, down_pt: float) -> None:
        """Begin on a page whose upper part something else has taken."""
        self.pages.append([])
        self._down_pt = down_pt

    def new_page(self) -> None:
        """Begin another page, with the head of the table that goes on there."""
        self.pages.append([])
        self._down_pt = 0.0
        if self.head:
            self.set_head()

    def set_head(self) -> None:
        """Set the head of a table, with the line beneath it."""
        for cells in _lines(self.head):
            self._line(cells, 8.6)
        self.rule("#8a949c")
        self._down_pt += 1.5

    def keep(self, height_pt: float) -> None:
        """Begin another page unless that much height is left on this one."""
        if not self.pages or self._down_pt + height_pt > self.height_pt:
            self.new_page()

    def gap(self, height_pt: float) -> None:
        """Leave space; none at the top of a page."""
        if self.pages and self.pages[-1]:
            self._down_pt += height_pt

    def bookmark(self, level: int, label: str) -> None:
        """Make this place one that a reader can go to."""
        self.bookmarks.append(Bookmark(level, shown(label), len(self.pages) - 1, self._down_pt))

    def row(self, cells: Sequence[Cell], leading_pt: float = 9.6) -> float:
        """Set cells beside each other, each broken into lines where it must; the row stays on one page if it can.

        Returns the height of the first line's foot over the page's lower edge.
        """
        lines = _lines(cells)
        self.keep(min(len(lines) * leading_pt, self.height_pt / 2))
        foot_pt = self._y(self._down_pt + leading_pt)
        for here in lines:
            self.keep(leading_pt)
            self._line(here, leading_pt)
        return foot_pt

    def paragraph(self, text: str, style: Style, *, lead: str = "", x_pt: float = 0.0, leading_pt: float = 9.6) -> None:
        """Set flowing text, with a few bold words before it."""
        bold = Style("bold", style.size_pt, "#1c2126")
        room = self.width_pt - x_pt
        lead = shown(lead)
        indent = bold.width(lead) + style.size_pt * 0.35 if lead else 0.0
        for number, line in enumerate(wrap(text, style, room, first_pt=room - indent)):
            self.keep(leading_pt)
            here = [(Cell(x_pt + (0.0 if number else indent), room, line, style), line)]
            if lead and not number:
                here.insert(0, (Cell(x_pt, room, lead, bold), lead))
            self._line(here, leading_pt)

    def rule(self, colour: str, width_pt: float = 0.5, x_pt: float = 0.0, to_pt: float | None = None) -> None:
        """Draw a line across, beneath the last row."""
        end = self.width_pt if to_pt is None else to_pt
        y = self._y(self._down_pt + 0.6)
        self.draw(
            f"{rgb(colour)} RG {width_pt:g} w {self.left_pt + x_pt:.2f} {y:.2f} m {self.left_pt + end:.2f} {y:.2f} l S"
        )
        self._down_pt += 1.2

    def shade(self, colour: str, height_pt: float) -> None:
        """Colour the ground that the next height_pt of rows will stand on."""
        self.keep(height_pt)
        y = self._y(self._down_pt + height_pt + 0.4)
        self.draw(f"{rgb(colour)} rg {self.left_pt - 3:.2f} {y:.2f} {self.width_pt + 6:.2f} {height_pt:.2f} re f")

    def label(self, x_pt: float, y_pt: float, text: str, style: Style) -> None:
        """Set a few words at a place over the page's lower edge."""
        code = style.font.code(shown(text))
        place = f"1 0 0 1 {self.left_pt + x_pt:.2f} {y_pt:.2f} Tm"
        self.draw(f"BT {rgb(style.colour)} rg /{style.face} {style.size_pt:g} Tf {place} <{code}> Tj ET")

    def draw(self, operators: str) -> None:
        """Add drawing of one's own to this page, in points from its lower left corner."""
        self.pages[-1].append(operators)

    def space(self, height_pt: float) -> float:
        """Take that much height, on one page, and return how far its upper edge is over the page's lower edge."""
        self.keep(height_pt)
        top = self._y(self._down_pt)
        self._down_pt += height_pt
        return top

    def _y(self, down_pt: float) -> float:
        return self.top_pt - down_pt

    def _line(self, cells: Sequence[tuple[Cell, str]], leading_pt: float) -> None:
        self._down_pt += leading_pt
        y = self._y(self._down_pt) + leading_pt * 0.28
        parts = ["BT"]
        for cell, text in sorted(cells, key=lambda one: one[0].x_pt):  # in the order in which they are read
            if not text:
                continue
            style = cell.style
            x = self.left_pt + cell.x_pt + (cell.width_pt - style.width(text) if cell.right else 0.0)
            parts.append(
                f"{rgb(style.colour)} rg /{style.face} {style.size_pt:g} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm "
                f"<{style.font.code(text)}> Tj"
            )
        parts.append("ET")
        self.pages[-1].append(" ".join(parts))


def _lines(cells: Sequence[Cell]) -> list[list[tuple[Cell, str]]]:
    """Return what stands on each line of a row: cells with the part of their text."""
    parts = [wrap(one.text, one.style, one.width_pt) for one in cells]
    return [
        [(cell, mine[number]) for cell, mine in zip(cells, parts, strict=True) if number < len(mine)]
        for number in range(max(len(one) for one in parts))
    ]


@lru_cache(maxsize=64)
def rgb(colour: str) -> str:
    """Return `#rrggbb` as the three numbers of a PDF operator."""
    return " ".join(f"{int(colour[place : place + 2], 16) / 255:.3f}" for place in (1, 3, 5))


def plain(markup: str) -> str:
    """Return a text of the templates without its elements and entities."""
    return unescape(_ELEMENT.sub("", markup))


def wrap(text: str, style: Style, width_pt: float, first_pt: float | None = None) -> list[str]:
    """Break text into lines no wider than width_pt, the first no wider than first_pt; words too long break anywhere."""
    text = shown(plain(text) if isinstance(text, Markup) else text, style.face == "mono")
    room = width_pt if first_pt is None else first_pt
    if style.width(text) <= room:
        return [text]
    lines: list[str] = []
    line, used = "", 0.0
    for whole in _WORD.findall(text):
        word, bare = whole, whole.rstrip(" ")
        while bare and used + style.width(bare) > room:
            if line:
                lines.append(line.rstrip(" "))
                line, used, room = "", 0.0, width_pt
                continue
            fits = _fitting(bare, style, room)
            lines.append(bare[:fits])
            word, bare, room = word[fits:], bare[fits:], width_pt
        line += word
        used += style.width(word)
    return [*lines, line.rstrip(" ")] if line.strip(" ") or not lines else lines


def _fitting(word: str, style: Style, room_pt: float) -> int:
    """Return how many characters fit, at least one."""
    count, used = 0, 0.0
    for one in word:
        used += style.width(one)
        if used > room_pt:
            break
        count += 1
    return max(count, 1)
