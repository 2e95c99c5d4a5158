"""Remarks, and how sure the results are: one uncertainty budget for each kind of measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hil.reports.rows import Group, Row
from hil.reports.sheets.flow import Cell, Style, wrap
from hil.reports.sheets.looks import BOLD, RULE, SMALL, TEXT, Column, Section

_BUDGET = (
    Column(6.0, 214.0, "Component"),
    Column(222.0, 20.0, "Type"),
    Column(244.0, 46.0, "Distribution"),
    Column(290.0, 52.0, "u of input", right=True),
    Column(344.0, 54.0, "Sensitivity", right=True),
    Column(400.0, 72.0, "Contribution", right=True),
    Column(474.0, 36.0, "ν", right=True),
)
_REVIEW = (
    Column(0.0, 56.0, "Finding"),
    Column(58.0, 42.0, "Severity"),
    Column(102.0, 42.0, "Certainty"),
    Column(146.0, 46.0, "Requirement"),
    Column(196.0, 314.0, "What was found"),
)
_LEADING = 8.7
_SHARED = "Shared: one influence that acts on more than one input, so its sensitivity is that of all of them together."
_SIMULATED = (
    "The instruments were simulated: their uncertainties are those of the models’ specifications and are traceable to "
    "nothing."
)


def remarks(section: Section) -> None:
    """Set section 6: waivers, findings, remarks, the bench's safe state."""
    page, words, sheets = section.page, section.words, section.sheets
    section.begin("6", "Waivers, findings, remarks")
    if not page.waivers:
        section.say("No requirement was waived.")
    for waiver in page.waivers:
        what = waiver.requirement + (f", {words.text('finding')} {waiver.finding}" if waiver.finding else "")
        lead = f"{words.text('Waived')}: {what}"
        sheets.paragraph(words.text(waiver.text), Style(size_pt=8.4), lead=lead, leading_pt=10.6)
        sheets.gap(1.5)
    if page.findings:
        section.heading("Findings")
    elif not page.review:
        section.say("No design finding was recorded in this run.")
    for finding in page.findings:
        what = f"{finding.finding}, {finding.requirement}" if finding.requirement else finding.finding
        sheets.paragraph(words.text(finding.text), TEXT, lead=what)
    if page.review:
        _review(section)
    if page.started.note or page.notes:
        section.heading("Remarks")
        if page.started.note:
            sheets.paragraph(words.text(page.started.note), TEXT)
        for note in page.notes:
            sheets.paragraph(words.text(note.text), SMALL, leading_pt=8.8)
    if page.safe_states:
        section.heading("Safe state of the bench")
    for state in page.safe_states:
        said = words.text("Safe, verified by reading back" if state.safe else "NOT PROVEN SAFE")
        text = f"{words.text(f'by the {state.by}')}: {words.text(state.why)}."
        if state.readback:
            text += f" {words.text('Read back:')} {_plain(state.readback)}"
        sheets.paragraph(text, TEXT if state.safe else BOLD, lead=said)


def _review(section: Section) -> None:
    words, sheets = section.words, section.sheets
    section.heading("Findings of the design review")
    section.say(
        "Remarks on the design by rules, read from its documents; they are not results of this test and change no "
        "verdict.",
        style=SMALL,
    )
    section.table(_REVIEW)
    for one in section.page.review:
        severity, certainty = words.text(one.severity), words.text(one.certainty)
        cells = (one.finding, severity, certainty, one.requirement or "—", words.text(one.text))
        sheets.row([column.cell(text) for column, text in zip(_REVIEW, cells, strict=True)])
    sheets.head = ()


def uncertainty(section: Section) -> None:
    """Set section 7."""
    page, sheets, numbers = section.page, section.sheets, section.numbers
    section.begin("7", "Uncertainty")
    section.say(
        "The expanded uncertainty is the standard uncertainty u, combined from the components below (JCGM 100:2008), "
        "times the coverage factor k of Student’s distribution for about 95&nbsp;% and the effective degrees of "
        "freedom. A yes-or-no result has no uncertainty of its own."
    )
    section.say(_SIMULATED if page.started.simulated else "Values are traceable through the calibrations of section 2.")
    if page.effort:
        effort, n = page.effort, numbers.qty(page.effort.points)
        took, fixed = numbers.qty(effort.took_s, "s", to=10), numbers.qty(effort.fixed_s, "s", to=10)
        section.say(
            "{n} points were measured until their uncertainty was small enough for their limits: {took} of measuring, "
            "where windows of fixed length would have taken {fixed}.",
            n=n,
            took=took,
            fixed=fixed,
        )
        if effort.longest:
            section.say("{n} reached the plan’s longest time first.", n=numbers.qty(effort.longest))
    if page.monte_carlo:
        made, words = page.monte_carlo, section.words
        said = words.say("{n} results were also computed by Monte Carlo (JCGM 101:2008):", n=numbers.qty(made.points))
        if made.disagree:
            at = words.say("at {n} of them the first-order interval is not validated", n=numbers.qty(made.disagree))
            sheets.paragraph(f"{said} {at}.", BOLD)
        else:
            sheets.paragraph(f"{said} {words.text('the first-order intervals of all of them are validated.')}", TEXT)
        sheets.gap(2.0)
    kinds = _kinds(page.budgets)
    if not kinds:
        section.say("No uncertainty budget is on record.")
        return
    section.say(
        "One budget stands for each kind of measurement, that of the point nearest to its limit; the budget of every "
        "point is in the attached record."
    )
    section.table(_BUDGET)
    for mine in kinds:
        _kind(section, mine)
    sheets.head = ()


def _kinds(budgets: Sequence[tuple[str, Group]]) -> list[list[tuple[str, Group]]]:
    """Gather measurements whose budgets have the same components, of the same types: one of them stands for all."""
    kinds: dict[object, list[tuple[str, Group]]] = {}
    for requirement, group in budgets:
        tightest = group.tightest
        parts = frozenset((part["name"], part["kind"], part["distribution"]) for part in tightest.budget)
        kinds.setdefault((tightest.unit, parts), []).append((requirement, group))
    return list(kinds.values())


def _nearness(pair: tuple[str, Group]) -> float:
    margin = pair[1].tightest.margin_pct
    return float("inf") if margin is None else margin


def _kind(section: Section, mine: Sequence[tuple[str, Group]]) -> None:
    words, numbers, sheets = section.words, section.numbers, section.sheets
    requirement, group = min(mine, key=_nearness)
    m = group.tightest
    lines = sum(len(wrap(str(part["name"]), TEXT, _BUDGET[0].width_pt)) for part in m.budget)
    sheets.keep(min((lines + 5) * _LEADING, sheets.height_pt / 2))
    sheets.gap(4.0)
    title = f"{requirement}  {group.title}" + (f", {m.label}" if m.label else "")
    sheets.row([Cell(0.0, 510.0, title, Style("bold", 8.2))], 10.2)
    for part in m.budget:
        _component(section, m, part)
    sheets.rule(RULE, 0.4, 6.0)
    total = words.text("Combined u, effective degrees of freedom")
    _sum(section, total, numbers.qty(m.u, m.unit, to=m.u), numbers.freedom(m.dof))
    expanded = words.say("Expanded U, k = {k}", k=numbers.qty(m.k, to=0.1))
    _sum(section, expanded, numbers.qty(m.expanded, m.unit, to=m.expanded), "")
    notes = []
    if any("shared" in part for part in m.budget):
        notes.append(words.text(_SHARED))
    notes += [_correction(section, one) for one in m.corrections]
    if m.monte_carlo:
        notes.append(_checked(section, m))
    for note in notes:
        sheets.paragraph(note, SMALL, x_pt=6.0, leading_pt=8.8)
    others = [(name, one) for name, one in mine if one is not group]
    if others:
        named = "; ".join(f"{name} {one.title}" for name, one in others)
        sheets.paragraph(named, SMALL, x_pt=6.0, lead=words.text("The same components"), leading_pt=8.8)


def _component(section: Section, m: Row, part: Mapping[str, Any]) -> None:
    words, numbers = section.words, section.numbers
    name = words.text(str(part["name"]))
    if "shared" in part:
        name = f"{name} ({words.text('shared')})"
    cells = (
        name,
        words.text(str(part["kind"])),
        words.text(str(part["distribution"])),
        numbers.qty(part["value"], to=part["value"]),
        numbers.qty(part["sensitivity"]),
        numbers.qty(part["contribution"], m.unit, to=part["contribution"], scale=m.u),
        numbers.freedom(part["dof"]),
    )
    section.sheets.row([column.cell(text) for column, text in zip(_BUDGET, cells, strict=True)], _LEADING)


def _sum(section: Section, what: str, value: str, freedom: str) -> None:
    section.sheets.row(
        [Cell(6.0, 390.0, what, BOLD), _BUDGET[5].cell(value, BOLD), _BUDGET[6].cell(freedom, BOLD)], _LEADING
    )


def _correction(section: Section, one: Mapping[str, Any]) -> str:
    numbers = section.numbers
    return section.words.say(
        "{role}: {quantity} read {raw}, corrected by {correction} (certificate {certificate}).",
        role=one["role"],
        quantity=str(one["quantity"]).replace("_", " "),
        raw=numbers.qty(one["raw"], one["unit"], to=one["u"]),
        correction=numbers.qty(one["correction"], one["unit"], to=one["u"], scale=one["raw"], sign=True),
        certificate=one["certificate"],
    )


def _checked(section: Section, m: Row) -> str:
    numbers, made = section.numbers, m.monte_carlo

    def at(name: str) -> str:
        return str(numbers.qty(made[name], m.unit, to=m.expanded))

    said = section.words.say(
        "Monte Carlo (JCGM 101:2008), {n} draws: {low} to {high}; first order: {first_low} to {first_high}.",
        n=numbers.qty(made["draws"]),
        low=at("low"),
        high=at("high"),
        first_low=at("first_order_low"),
        first_high=at("first_order_high"),
    )
    agree = (
        "They agree within {tolerance}."
        if made["agrees"]
        else "They do not agree within {tolerance}: the first-order interval is not validated here."
    )
    return f"{said} {section.words.say(agree, tolerance=numbers.qty(made['tolerance'], m.unit, to=made['tolerance']))}"


def _plain(value: object) -> str:
    """Return a value of the record as text: a mapping as its pairs."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return str(value)
