"""The measurements, requirement by requirement: every point with its limit, its uncertainty and its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from hil.reports.evidence import Requirement, Test, Wave
from hil.reports.qty import LEAST_RISK
from hil.reports.rows import Group, Row
from hil.reports.sheets.drawing import operators, size
from hil.reports.sheets.face import shown
from hil.reports.sheets.flow import Cell, Sheets, Style, rgb
from hil.reports.sheets.looks import (
    ACCENT,
    AREA,
    BAD_GROUND,
    BOLD,
    MONO,
    PALE,
    QUIET,
    RULE,
    SMALL,
    TEXT,
    Column,
    Section,
    titled,
    verdict,
)
from hil.reports.sheets.overview import mark_of

_POINT, _VALUE, _U, _K, _LIMIT, _SOURCE, _PLACE, _MARGIN, _RISK, _VERDICT = COLUMNS = (
    Column(6.0, 118.0, "Point"),
    Column(124.0, 54.0, "Value", right=True),
    Column(180.0, 46.0, "U", right=True),
    Column(228.0, 20.0, "k", right=True),
    Column(256.0, 60.0, "Limit"),
    Column(318.0, 24.0, "Source"),
    Column(343.0, 32.0, ""),
    Column(374.0, 42.0, "Margin", right=True),
    Column(417.0, 30.0, "Risk", right=True),
    Column(452.0, 59.0, "Verdict"),
)
_LEADING = 8.9
_TITLE = Style("bold", 7.4)
_LONGEST_REASON = 240  # of a test; the record has the whole of it


def measurements(section: Section) -> None:
    """Set section 5."""
    page, words, sheets = section.page, section.words, section.sheets
    sheets.keep(200.0)  # what stands above the first requirement, and that one
    section.begin("5", "Measurements")
    section.say(
        "U is the expanded uncertainty at about 95&nbsp;%, U = k&thinsp;u. The margin is the distance to the nearer "
        "limit, positive inside, in percent of that limit where it is not zero. The small picture shows the value with "
        "U between its limits. The risk is the probability that the statement is wrong, given the value and "
        "its U; it is printed where it is {least} or more. Sources S1, S2 … are listed in section 3.",
        "Points of one kind that have the same result, and no uncertainty, stand on one line.",
        style=SMALL,
        least=section.numbers.qty(100.0 * LEAST_RISK, "%"),
    )
    if page.elsewhere:
        names = ", ".join(one.summary.id for one in page.elsewhere)
        said = words.text("A matter of other stages, not tested at this one:")
        sheets.paragraph(f"{said} {names}.", SMALL)
    sheets.gap(4.0)
    section.table(COLUMNS)
    for area in page.areas:
        mine = [one for one in area.requirements if one not in page.elsewhere]
        if mine:
            sheets.keep(90.0)
            sheets.gap(6.0)
            title = titled(words.text(area.title))
            sheets.bookmark(2, title)
            sheets.row([Cell(0.0, sheets.width_pt, title, AREA)], 14.0)
        for one in mine:
            _requirement(section, one)
    sheets.head = ()


def _requirement(section: Section, one: Requirement) -> None:
    words, sheets, asked = section.words, section.sheets, one.summary
    sheets.keep(66.0)
    sheets.gap(4.0)
    sheets.rule(PALE, 0.7)
    sheets.bookmark(3, f"{asked.id} {words.text(asked.title)}")
    word, style = verdict(words, asked.verdict)
    sheets.row(
        [
            Cell(0.0, 42.0, asked.id, Style("bold", 8.4, ACCENT)),
            Cell(42.0, 390.0, words.text(asked.title), Style("bold", 8.4)),
            Cell(436.0, 75.0, word, Style("bold", 8.4, style.colour), right=True),
        ],
        10.6,
    )
    if one.method:
        sheets.paragraph(words.text(one.method), SMALL, lead=words.text("Method"), leading_pt=8.8)
    if asked.verdict != "pass" and one.brief:
        sheets.paragraph(one.brief, QUIET, lead=words.text("Why"), leading_pt=9.3)
    for test in one.tests:
        if test.verdict != "pass" or test.reason:
            _test(section, test)
    sheets.gap(1.0)
    for group in one.groups:
        _group(section, group)
    if asked.missing:
        lead = words.text("Required and not measured" if asked.required else "Not measured")
        sheets.paragraph(", ".join(asked.missing), MONO, lead=lead, leading_pt=8.6)
    for wave in one.waves:
        _wave(section, wave)


def _wave(section: Section, wave: Wave) -> None:
    """Draw a waveform of what failed as wide as the page, or say why it cannot be."""
    words, sheets = section.words, section.sheets
    if wave.problem:
        said = f"{words.text('It cannot be shown:')} {wave.problem}"
        sheets.paragraph(f"{wave.title}. {said}", SMALL, lead=words.text("Waveform:"), leading_pt=8.8)
        return
    wide, high = size(str(wave.drawing))
    scale = min(sheets.width_pt / wide, 0.6 * sheets.height_pt / high)
    sheets.keep(high * scale + 14.0)
    sheets.paragraph(wave.title, SMALL, lead=words.text("Waveform:"), leading_pt=8.8)
    top = sheets.space(high * scale + 3.0)
    sheets.draw(operators(str(wave.drawing), sheets.left_pt, top - 2.0, scale))


def _test(section: Section, test: Test) -> None:
    word, _ = verdict(section.words, test.verdict)
    said = section.words.text(test.title)
    if test.reason:
        whole = section.words.text("the whole reason is in the record")
        reason = test.reason if len(test.reason) <= _LONGEST_REASON else f"{test.reason[:_LONGEST_REASON]} … ({whole})"
        blame = f" ({section.words.text('blame:')} {section.words.text(test.blame)})" if test.blame else ""
        said = f"{said} – {reason}{blame}"
    section.sheets.paragraph(said, SMALL, lead=word, leading_pt=8.8)


def _group(section: Section, group: Group) -> None:
    """Set the points of one kind; names too long for their column are parted: keys in the title, values beneath it."""
    sheets = section.sheets
    keys = common_keys([row.label for row in group.rows])
    parted = bool(keys) and any(TEXT.width(shown(row.label)) > _POINT.width_pt for row in group.rows)
    if group.rows[0].label:
        sheets.keep(3 * _LEADING)
        title = f"{group.title} ({' · '.join(keys)})" if parted else group.title
        cells = [Cell(6.0, 400.0, title, _TITLE)]
        x_pt = 12.0 + _TITLE.width(shown(title))
        if x_pt < 300.0:
            cells.append(Cell(x_pt, 200.0, group.base, MONO))
        sheets.row(cells, _LEADING)
    for rows in _alike(group.rows):
        labels = [row.label for row in rows]
        _row(section, group, rows, "; ".join(values(one) for one in labels) if parted else joined(labels))


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Gather points that differ in nothing but their names and have no uncertainty to show: a yes is like a yes."""
    found: dict[object, list[Row]] = {}
    for number, row in enumerate(rows):
        whole = row.expanded or row.superseded or row.attempt > 1 or row.risk or not row.label
        key = (number,) if whole else (row.value, row.unit, row.low, row.high, row.verdict, row.reason, row.source)
        found.setdefault(key, []).append(row)
    return list(found.values())


def _row(section: Section, group: Group, rows: Sequence[Row], label: str) -> None:
    """Set one point, or several with one result."""
    words, numbers, sheets, m = section.words, section.numbers, section.sheets, rows[0]
    style = QUIET if m.superseded else BOLD if m.bad else TEXT
    point = label or group.title
    wide = len(rows) > 1 and not m.expanded and style.width(shown(point)) > _POINT.width_pt
    cells = [Cell(6.0, 170.0, point, style) if wide else _POINT.cell(point, style)]
    after = []
    if m.value is None:
        cells.append(Cell(190.0, 70.0, words.text("not measured"), QUIET))
    elif wide:
        cells.append(_U.cell(numbers.qty(m.value, m.unit, scale=m.scale), style))
    else:
        cells.append(_VALUE.cell(numbers.qty(m.value, m.unit, to=m.expanded, scale=m.scale), style))
        if m.expanded:
            cells.append(_U.cell(numbers.qty(m.expanded, m.unit, to=m.expanded, scale=m.scale), style))
            cells.append(_K.cell(numbers.qty(m.k, to=0.1), QUIET))
        if m.raw is not None:
            read = numbers.qty(m.raw, m.unit, to=m.expanded, scale=m.scale)
            after.append(f"{words.text('read')} {read}")
    if m.low is not None or m.high is not None:
        cells.append(_LIMIT.cell(numbers.bounds(m.low, m.high, m.unit, scale=m.scale), style))
        if m.margin is not None:
            percent = numbers.margin(m.margin_pct, "%", to=50)
            absolute = numbers.margin(m.margin, m.unit, to=m.expanded, scale=m.scale)
            cells.append(_MARGIN.cell(absolute if m.margin_pct is None else percent, style))
    else:
        cells.append(Cell(_LIMIT.x_pt, 190.0, words.text(m.reason or "no limit"), QUIET))
    if m.risk is not None and m.risk >= LEAST_RISK:
        cells.append(_RISK.cell(numbers.risk(m.risk), QUIET))
    if m.source:
        cells.append(_SOURCE.cell(f"S{m.source.number}{mark_of(m.source).sign}", QUIET))
    word, looks = verdict(words, m.verdict)
    cells.append(_VERDICT.cell(word, looks))
    after += _besides(section, m)
    if m.bad and not m.superseded:
        sheets.shade(BAD_GROUND, _LEADING)
    foot_pt = sheets.row(cells, _LEADING)
    if m.margin is not None:
        _place(sheets, m, foot_pt + 2.0)
    if after:
        sheets.paragraph("; ".join(after), SMALL, x_pt=146.0, leading_pt=8.6)


def _besides(section: Section, m: Row) -> list[str]:
    """Say what the decision rule and the attempts left, and why; each is rare."""
    words, numbers = section.words, section.numbers
    said = []
    if m.screened_out:
        screen = m.judgement["screen"]
        accepted = numbers.bounds(screen.get("acceptance_low"), screen.get("acceptance_high"), m.unit, scale=m.scale)
        said.append(words.say("screened out: accepted {zone}", zone=accepted))
    if m.superseded:
        said.append(words.say("attempt {n}, repeated", n=m.attempt))
    elif m.attempt > 1:
        said.append(words.say("passed at attempt {n}" if m.verdict == "pass" else "after attempt {n}", n=m.attempt))
    if m.reason and not (m.low is None and m.high is None):
        said.append(words.text(m.reason))
    return said


def _place(sheets: Sheets, m: Row, foot: float) -> None:
    """Draw where a value with its U lies between its limits; the figures stand beside it."""
    anchors = [edge for edge in (m.low, m.high) if edge is not None]
    if m.value is None:
        return
    if len(anchors) == 1:  # an open side: from zero, or the value, to a little beyond the limit
        anchors.append(0.0 if anchors[0] else m.value)
    span = (max(anchors) - min(anchors)) or max(abs(m.value), 1.0)
    first = min(anchors) - 0.2 * span
    left = sheets.left_pt + _PLACE.x_pt

    def x(value: float) -> float:
        return left + _PLACE.width_pt * min(1.0, max(0.0, (value - first) / (1.4 * span)))

    low = x(m.low) if m.low is not None else left
    high = x(m.high) if m.high is not None else left + _PLACE.width_pt
    colour = "#a3142e" if m.bad else ACCENT
    parts = [f"{rgb('#dfeaf1')} rg {low:.2f} {foot:.2f} {high - low:.2f} 4.6 re f 0.6 w {rgb(RULE)} RG"]
    parts += [
        f"{x(edge):.2f} {foot - 0.8:.2f} m {x(edge):.2f} {foot + 5.4:.2f} l S"
        for edge in (m.low, m.high)
        if edge is not None
    ]
    middle = foot + 2.3
    if m.expanded:
        start, end = x(m.value - m.expanded), x(m.value + m.expanded)
        parts.append(f"{rgb(colour)} RG {start:.2f} {middle:.2f} m {end:.2f} {middle:.2f} l S")
    at = x(m.value)
    parts.append(f"{rgb(colour)} rg {at - 1.2:.2f} {middle - 1.2:.2f} 2.4 2.4 re f")
    sheets.draw(" ".join(parts))


def common_keys(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of points named like `socket 1 · pf 1`; none where the points do not all have the same."""
    points = [[part.partition("\u00a0") for part in label.split(" · ")] for label in labels]
    keys = {tuple(key for key, _, _ in point) for point in points}
    return keys.pop() if len(keys) == 1 and all(value for point in points for _, _, value in point) else ()


def values(label: str) -> str:
    """Return a point's values without their keys."""
    return " · ".join(part.partition("\u00a0")[2] for part in label.split(" · "))


def joined(labels: Sequence[str]) -> str:
    """Join points of one kind, what they have in common said once: `socket 1, 2`; `relay, action: K1 SET, ...`."""
    keys = common_keys(labels)
    if len(labels) == 1 or not keys:
        return "; ".join(labels)
    said = ", ".join(values(label).replace(" · ", "\u00a0") for label in labels)
    return f"{keys[0]}\u00a0{said}" if len(keys) == 1 else f"{', '.join(keys)}: {said}"
