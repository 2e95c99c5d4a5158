"""Measurements made ready for a table: expanded uncertainty, margin, scale, place between the limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hil.journal.events import Measurement
from hil.metrology.budget import coverage_factor
from hil.reports.charts import Dot, place_svg
from hil.reports.language import ENGLISH, Language

_OF_A_SOURCE = ("standard", "edition", "table", "source_mark", "verified_by", "verified_on")
BAD = frozenset({"fail", "conditional_fail"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where limits come from: one standard, edition and table; `number` is what tables refer to."""

    number: int
    standard: str
    edition: str
    table: str
    mark: str
    verified: str  # by whom and when, "" where nobody did
    used: int  # by how many measurements


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt at one measurement. `expanded` is U = k u; `margin` is positive inside the limits."""

    name: str
    label: str
    unit: str
    value: float | None
    u: float | None
    expanded: float | None
    k: float
    dof: float
    low: float | None
    high: float | None
    scale: float
    margin: float | None
    margin_pct: float | None
    verdict: str
    reason: str
    attempt: int
    superseded: bool
    source: Source | None
    place: Markup
    budget: tuple[Mapping[str, Any], ...]
    raw: float | None  # before the corrections, where calibrations asked for some
    corrections: tuple[Mapping[str, Any], ...]
    judgement: Mapping[str, Any]  # as the journal has it: acceptance limits, risk, screen, refusal
    effort: Mapping[str, Any]
    monte_carlo: Mapping[str, Any]

    @property
    def bad(self) -> bool:
        """Whether the value is out of its limits."""
        return self.verdict in BAD

    @property
    def risk(self) -> float | None:
        """The probability that this statement is wrong; None where nothing was accepted or rejected by its value."""
        return self.judgement.get("risk")

    @property
    def screened_out(self) -> bool:
        """Whether the stage's screen rejected what may be within its limits."""
        screen = self.judgement.get("screen") or {}
        return screen.get("verdict") in BAD and self.verdict not in BAD


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one base name, and the component names of their budgets in order of first appearance."""

    base: str
    title: str
    rows: tuple[Row, ...]
    components: tuple[str, ...]

    @property
    def tightest(self) -> Row:
        """Return the judged row with the least margin in its budget: the one whose uncertainty matters most."""
        with_budget = [row for row in self.rows if row.budget]
        judged = [row for row in with_budget if row.margin_pct is not None]
        return min(judged, key=lambda row: row.margin_pct or 0.0) if judged else with_budget[0]


def expanded_u(one: Measurement) -> float | None:
    """Return U at 95 % in the measurement's unit, as recorded or else by u and dof; None where there is no u."""
    if not one.u:
        return None
    recorded = one.judgement.get("expanded_u")
    return float(recorded) if recorded else coverage_factor(one.dof) * one.u


def dot(one: Measurement) -> Dot:
    """Return what a chart needs of a measurement that has a value."""
    assert one.value is not None  # the caller leaves refused points out
    return Dot(one.point, one.value, one.unit, expanded_u(one), one.low, one.high, one.verdict)


def sources(measurements: Iterable[Measurement]) -> dict[tuple[str, ...], Source]:
    """Number the distinct limit sources in order of first use."""
    used: dict[tuple[str, ...], int] = {}
    for one in measurements:
        if one.limit:
            key = source_key(one.limit)
            used[key] = used.get(key, 0) + 1
    return {
        key: Source(number, key[0], key[1], key[2], key[3], ", ".join(part for part in key[4:] if part), count)
        for number, (key, count) in enumerate(used.items(), 1)
    }


def source_key(limit: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what makes two limit sources the same."""
    return tuple([str(limit.get(name) or "") for name in _OF_A_SOURCE])


def group(
    measurements: Sequence[Measurement], known: Mapping[tuple[str, ...], Source], words: Language
) -> tuple[Group, ...]:
    """Gather all attempts by base name, the attempts of a point together, in the order of the first."""
    bases: dict[str, dict[str, list[Measurement]]] = {}
    for one in measurements:
        bases.setdefault(one.base, {}).setdefault(one.name, []).append(one)
    return tuple(_group(base, points, known, words) for base, points in bases.items())


def _group(
    base: str, points: Mapping[str, list[Measurement]], known: Mapping[tuple[str, ...], Source], words: Language
) -> Group:
    rows = []
    for attempts in points.values():
        last = max(one.attempt for one in attempts)
        rows += [
            _row(one, known, words, superseded=one.attempt < last)
            for one in sorted(attempts, key=lambda one: one.attempt)
        ]
    components = dict.fromkeys(str(part["name"]) for row in rows for part in row.budget)
    return Group(base, words.text(humane(base)), tuple(rows), tuple(components))


def humane(base: str) -> str:
    """Turn `metering.active_power_error` into `Active power error`."""
    words = base.rpartition(".")[2].replace("_", " ")
    return words[:1].upper() + words[1:]


def _row(one: Measurement, known: Mapping[tuple[str, ...], Source], words: Language, *, superseded: bool) -> Row:
    margin, margin_pct = _margin(one)
    expanded = expanded_u(one)
    return Row(
        name=one.name,
        label=label(one.name, words),
        unit=one.unit,
        value=one.value,
        u=one.u,
        expanded=expanded,
        k=expanded / one.u if expanded and one.u else 0.0,
        dof=one.dof,
        low=one.low,
        high=one.high,
        scale=max(abs(number) for number in (one.value, one.low, one.high, 0.0) if number is not None),
        margin=margin,
        margin_pct=margin_pct,
        verdict=one.verdict,
        reason=one.reason,
        attempt=one.attempt,
        superseded=superseded,
        source=known[source_key(one.limit)] if one.limit else None,
        place=_place(one, expanded),
        budget=one.budget,
        raw=one.raw,
        corrections=one.corrections,
        judgement=one.judgement,
        effort=one.effort,
        monte_carlo=one.monte_carlo,
    )


def _place(one: Measurement, expanded: float | None) -> Markup:
    if one.value is None or one.unit == "yes":
        return Markup("")
    return place_svg(one.value, expanded, one.low, one.high, bad=one.verdict in BAD)


def label(name: str, words: Language) -> str:
    """Turn the point of `base[socket=1,i=0.05Ib]` into `socket 1 · i 0.05Ib`; a name without a point has none."""
    point = name.partition("[")[2].removesuffix("]")
    if not point:
        return ""
    if words.code == ENGLISH:
        return " · ".join(part.replace("=", "\u00a0", 1).replace("_", "\u00a0") for part in point.split(","))
    return " · ".join(_said(words, part) for part in point.split(","))


def _said(words: Language, part: str) -> str:
    key, equals, value = part.partition("=")
    said = (words.text(key), words.text(value)) if equals else (words.text(key),)
    return "\u00a0".join(one.replace("_", "\u00a0") for one in said)


def _margin(one: Measurement) -> tuple[float | None, float | None]:
    """Return the distance to the nearer limit, positive inside, and the same in percent of that limit."""
    if one.value is None or one.unit == "yes" or (one.low is None and one.high is None):
        return None, None
    sides = [(one.value - one.low, one.low)] if one.low is not None else []
    sides += [(one.high - one.value, one.high)] if one.high is not None else []
    margin, limit = min(sides, key=lambda side: side[0])
    return margin, 100.0 * margin / abs(limit) if limit else None
