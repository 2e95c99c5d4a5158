"""The cells of the long tables, ready for a template's flat loop: a run has hundreds of rows, and calls cost time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from markupsafe import Markup

from hil.reports.figures import Figures
from hil.reports.qty import LEAST_RISK
from hil.reports.rows import Group, Row
from hil.reports.words import MARKS

_APART = " · "  # between the parts of a label


class Cells(NamedTuple):
    """One attempt at one point, as texts; a text that does not apply is empty."""

    row: Row
    classes: str
    name: str
    label: str
    value: str
    read: str  # before the corrections
    expanded: str
    k: str
    limit: str
    source: Markup | str
    place: Markup
    margin: str
    margin_pct: str
    odd: bool  # something is to be said beside the verdict


class Shares(NamedTuple):
    """What each component contributes to u at one point."""

    row: Row
    shares: Markup  # a cell a component: digits and signs only, so there is nothing to escape
    u: str
    dof: str
    k: str


def cells_of(figures: Figures) -> Callable[[Group], Iterator[Cells]]:
    """Return the filter `cells`: a group's rows as texts."""
    qty, margin = figures.qty, figures.margin

    def cells(group: Group) -> Iterator[Cells]:
        before = None
        for m in group.rows:
            first = m.label.partition(_APART)[0]
            new = before is not None and first != before and _APART in m.label
            before = first
            value, read, expanded, aside = figures.of_row(m.value, m.raw, m.expanded, m.margin, m.unit, m.scale)
            yield Cells(
                m,
                f"v-{m.verdict}{' superseded' if m.superseded else ''}{' new' if new else ''}",
                m.name,
                m.label,
                value,
                "" if m.raw is None else read,
                expanded,
                qty(m.k, to=0.1) if m.expanded else "",
                figures.bounds(m.low, m.high, m.unit, scale=m.scale),
                "" if m.source is None else _link(m.source.number, m.source.mark),
                m.place,
                aside,
                "" if m.margin_pct is None else margin(m.margin_pct, "%", to=50),
                m.superseded or m.attempt > 1 or m.screened_out or (m.risk or 0.0) >= LEAST_RISK,
            )

    return cells


def shares_of(figures: Figures) -> Callable[[Group], Iterator[Shares]]:
    """Return the filter `shares`: the contributions at each point of a group that has a budget."""
    qty, two_digits = figures.qty, figures.two_digits

    def shares(group: Group) -> Iterator[Shares]:
        for m in group.rows:
            if m.budget:
                found = {part["name"]: part["contribution"] for part in m.budget}
                texts = (f'<td class="num">{two_digits(one)}</td>' for one in map(found.get, group.components))
                yield Shares(m, Markup("".join(texts)), two_digits(m.u), figures.freedom(m.dof), qty(m.k, to=0.1))

    return shares


def _link(number: int, mark: str) -> Markup:
    sign = MARKS[mark].sign if mark in MARKS else ""
    return Markup(f'<a class="source" href="#source-{number:d}">S{number:d}{sign}</a>')
