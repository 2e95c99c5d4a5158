"""Where the limits come from, and the summary by requirement."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from hil.reports.evidence import Figure
from hil.reports.rows import Source
from hil.reports.sheets.drawing import operators, size
from hil.reports.sheets.face import shown
from hil.reports.sheets.flow import Cell, Style
from hil.reports.sheets.looks import ACCENT, BOLD, QUIET, RULE, SMALL, Column, Section, titled, verdict
from hil.reports.words import MARKS, Mark

_HALF_PT, _BETWEEN_PT = 244.0, 22.0  # of two drawings beside each other
_SWATCH = 0.55
_SOURCES = (
    Column(0.0, 34.0, "No."),
    Column(36.0, 300.0, "Table or clause"),
    Column(342.0, 128.0, "Standing"),
    Column(472.0, 38.0, "Results", right=True),
)
_SUMMARY = (
    Column(0.0, 36.0, "Id"),
    Column(38.0, 194.0, "Requirement"),
    Column(234.0, 52.0, "At this stage"),
    Column(286.0, 40.0, "Points", right=True),
    Column(328.0, 42.0, "Least margin", right=True),
    Column(371.0, 43.0, "U there", right=True),
    Column(416.0, 30.0, "Largest risk", right=True),
    Column(452.0, 59.0, "Verdict"),
)


def sources(section: Section) -> None:
    """Set where the limits come from, by document."""
    page, words, sheets = section.page, section.words, section.sheets
    if not page.sources:
        return
    section.heading("Where the limits come from")
    sheets.bookmark(2, words.text("Where the limits come from"))
    section.table(_SOURCES)
    number, table, standing, results = _SOURCES
    for document, mine in groupby(sorted(page.sources, key=_document), key=_document):
        sheets.keep(24.0)
        sheets.gap(2.5)
        standard, edition = document[1:]
        title = words.text(standard or "not stated")
        sheets.row(
            [Column(0.0, 510.0, "").cell(f"{title}, {words.text('edition')} {edition}" if edition else title, BOLD)]
        )
        for one in mine:
            mark = mark_of(one)
            stands = words.text(mark.short)
            if one.verified:
                stands = f"{stands}; {words.text('verified:')} {one.verified}"
            sheets.row(
                [
                    number.cell(f"S{one.number}{mark.sign}"),
                    table.cell(words.text(one.table or "not stated")),
                    standing.cell(stands, QUIET),
                    results.cell(section.numbers.qty(one.used)),
                ],
                8.8,
            )
    sheets.head = ()


def summary(section: Section) -> None:
    """Set every requirement of the plan on one line, by area."""
    page, words, sheets, numbers = section.page, section.words, section.sheets, section.numbers
    section.begin("4", "Summary by requirement")
    section.say(
        "Every requirement of the plan, by area. The least margin is that of the point nearest to its limit, in "
        "percent of that limit; U is the expanded uncertainty there. The largest risk is the highest probability, over "
        "all points, that the statement made is wrong.",
        style=SMALL,
    )
    section.table(_SUMMARY)
    for area in page.areas:
        sheets.keep(24.0)
        sheets.gap(2.5)
        sheets.row([Column(0.0, 510.0, "").cell(titled(words.text(area.title)), Style("bold", 8.2, ACCENT))])
        for one in area.requirements:
            near, asked = one.nearest, one.summary
            points = numbers.qty(one.measured)
            if one.needed:
                points = words.say("{n} of {total}", n=points, total=numbers.qty(one.needed))
            cells = (
                asked.id,
                words.text(asked.title),
                words.text("required" if asked.required else "not required"),
                points,
                numbers.margin(near.margin_pct, "%", to=50) if near else "",
                numbers.qty(near.expanded, near.unit, to=near.expanded) if near and near.expanded else "",
                numbers.risk(one.largest_risk) if one.largest_risk is not None else "",
            )
            styles = (BOLD, *[QUIET if not asked.required else Style()] * 6)
            row = [column.cell(text, style) for column, text, style in zip(_SUMMARY, cells, styles, strict=False)]
            sheets.row([*row, _SUMMARY[-1].cell(*verdict(words, asked.verdict))], 9.1)
    sheets.rule(RULE)
    sheets.head = ()


def charts(section: Section) -> None:
    """Draw the plan's charts, two drawings beside each other."""
    page, words, sheets = section.page, section.words, section.sheets
    if not page.figures:
        return
    sheets.keep(260.0)
    section.heading("Charts")
    sheets.bookmark(2, words.text("Charts"))
    section.say("Last attempt of each point; whiskers show the expanded uncertainty.", style=SMALL)
    waiting: list[Figure] = []
    for figure in page.figures:
        if len(figure.chart.panels) > 1:
            _beside(section, waiting)
            waiting = []
            _titled(section, [figure])
            drawings(section, [(one.title, str(one.drawing)) for one in figure.chart.panels])
        else:
            waiting.append(figure)
            if len(waiting) == 2:
                _beside(section, waiting)
                waiting = []
    _beside(section, waiting)


def _beside(section: Section, figures: Sequence[Figure]) -> None:
    if figures:
        _titled(section, figures)
        drawings(section, [("", str(one.chart.panels[0].drawing)) for one in figures])


def _titled(section: Section, figures: Sequence[Figure]) -> None:
    """Set the titles and legends of the charts that stand on one row."""
    sheets, words = section.sheets, section.words
    sheets.keep(190.0)
    sheets.gap(5.0)
    room = _HALF_PT if len(figures) > 1 else sheets.width_pt
    sheets.row([Cell(n * (_HALF_PT + _BETWEEN_PT), room, one.chart.title, BOLD) for n, one in enumerate(figures)], 9.6)
    for figure in figures:
        if figure.absent:
            sheets.paragraph("; ".join(figure.absent), SMALL, lead=words.text("Not measured:"), leading_pt=8.8)
    top = sheets.space(10.0)
    for n, figure in enumerate(figures):
        x = n * (_HALF_PT + _BETWEEN_PT)
        for swatch, text in figure.chart.legend:
            sheets.draw(operators(str(swatch), sheets.left_pt + x, top - 1.0, _SWATCH))
            x += 34 * _SWATCH + 3.0
            sheets.label(x, top - 7.2, text, SMALL)
            x += SMALL.width(shown(text)) + 8.0


def drawings(section: Section, pictures: Sequence[tuple[str, str]]) -> None:
    """Draw pictures with their titles, two beside each other, each half as wide as the page."""
    sheets = section.sheets
    for start in range(0, len(pictures), 2):
        pair = pictures[start : start + 2]
        sizes = [size(drawing) for _, drawing in pair]
        height = max(high * _HALF_PT / wide for wide, high in sizes)
        titles = any(title for title, _ in pair)
        top = sheets.space(height + (9.0 if titles else 0.0) + 2.0)
        for number, ((title, drawing), (wide, _)) in enumerate(zip(pair, sizes, strict=True)):
            x = number * (_HALF_PT + _BETWEEN_PT)
            if title:
                sheets.label(x, top - 7.0, titled(title.replace("_", " ")), SMALL)
            sheets.draw(operators(drawing, sheets.left_pt + x, top - (9.0 if titles else 0.0), _HALF_PT / wide))


def mark_of(source: Source) -> Mark:
    """Return what stands behind a source's figures."""
    return MARKS.get(source.mark, Mark("", source.mark or "not stated", "as the plan states it"))


def _document(source: Source) -> tuple[str, str, str]:
    return source.standard.casefold(), source.standard, source.edition
