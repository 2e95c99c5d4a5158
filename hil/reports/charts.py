"""The certificate's charts, drawn as SVG from measurements: accuracy against load, bars against a limit, one value.

A chart shows the last attempt of each point. What is out of limits carries a cross in a ring, not only a colour; what
lies off the scale is drawn at its edge with its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hil.reports import svg
from hil.reports.figures import IN_ENGLISH, Figures
from hil.reports.qty import NARROW_SPACE
from hil.reports.waveforms import waveform_svg

__all__ = ["Chart", "Dot", "Panel", "bars", "lines", "place_svg", "waveform_svg"]

_BAD = frozenset({"fail", "conditional_fail"})
_ROOM = 1.35  # how far beyond its widest limit a scale reaches before a value counts as off the scale
_WIDTH, _HEIGHT = 340.0, 236.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 328.0, 10.0, 194.0
_ROW = 26.0


@dataclass(frozen=True, slots=True)
class Dot:
    """What a chart needs of one measurement; u is the expanded uncertainty, in `unit` like the value."""

    point: Mapping[str, Any]
    value: float
    unit: str
    u: float | None
    low: float | None
    high: float | None
    verdict: str

    def key(self, keys: Sequence[str]) -> str:
        """Return the point's values at keys, as text."""
        return ", ".join(str(self.point[key]) for key in keys if key in self.point)


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing of a chart, with what distinguishes it."""

    title: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its panels, and its legend as pairs of a swatch and a text."""

    title: str
    panels: tuple[Panel, ...]
    legend: tuple[tuple[Markup, str], ...]


def lines(spec: Mapping[str, Any], dots: Sequence[Dot], figures: Figures = IN_ENGLISH) -> Chart:
    """Draw values against spec["x"], one line a series, one drawing a panel, all on one scale."""
    say, keys = figures.words.text, tuple(spec.get("series") or ())
    series = _distinct(dot.key(keys) for dot in dots)
    bottom, top = _range(dots)
    panels = [
        Panel(title, _lines_panel(title, spec, mine, series, keys, (bottom, top), figures))
        for title, mine in _panels(spec, dots, say)
    ]
    name = " ".join(say(key) for key in keys).replace("_", " ")
    legend = [(_swatch(number), f"{name} {one}".strip()) for number, one in enumerate(series) if one]
    if any(dot.low is not None and dot.high is not None for dot in dots):
        legend.append((_swatch_of(svg.rect(1, 2, 32, 12, svg.BAND)), say("within the limits")))
        legend.append((_swatch_of(svg.rect(1, 2, 32, 12, svg.BAND_WIDE)), say("within the limits of some series")))
    if any(dot.low is None and dot.high is None for dot in dots):
        legend.append((_swatch_of(svg.marker(17, 8, "circle", svg.ACCENT, hollow=True)), say("no limit at this point")))
    if any(dot.verdict in _BAD for dot in dots):
        legend.append((_swatch_of(svg.cross(17, 8)), say("out of limits")))
    return Chart(say(str(spec["title"])), tuple(panels), tuple(legend))


def bars(spec: Mapping[str, Any], dots: Sequence[Dot], figures: Figures = IN_ENGLISH) -> Chart:
    """Draw one horizontal bar a point, with its uncertainty and its limit lines."""
    say = figures.words.text
    top = max((abs(edge) for dot in dots for edge in (dot.low, dot.high) if edge is not None), default=0.0)
    reach = max([top * 1.15, *(dot.value + (dot.u or 0.0) for dot in dots if not top or dot.value <= top * 2)])
    floor = min([0.0, *(dot.value - (dot.u or 0.0) for dot in dots)])
    panels = [
        Panel(title, _bars_panel(title, spec, mine, (floor, reach or 1.0), figures))
        for title, mine in _panels(spec, dots, say)
    ]
    legend = [(_swatch_of(svg.line(17, 1, 17, 15, svg.ALARM, 1.5, "4 2")), say("limit"))] if top else []
    if any(dot.verdict in _BAD for dot in dots):
        legend.append((_swatch_of(svg.cross(17, 8)), say("out of limits")))
    return Chart(say(str(spec["title"])), tuple(panels), tuple(legend))


def place_svg(value: float, u: float | None, low: float | None, high: float | None, *, bad: bool) -> Markup:
    """Draw where one value lies between its limits, on 96 x 14 pixels; the words stand beside it in the table."""
    if low is None and high is None:
        return Markup("")
    anchor = [edge for edge in (low, high) if edge is not None]
    if len(anchor) == 1:  # an open side: show from the value, or from zero, to a little beyond the limit
        anchor += [0.0] if anchor[0] else [value]
    span = (max(anchor) - min(anchor)) or max(abs(value), 1.0)
    left = min(anchor) - 0.2 * span
    at = svg.linear(left, max(anchor) + 0.2 * span, 3, 93)
    start, end = (at(low) if low is not None else 3.0), (at(high) if high is not None else 93.0)
    edges = "".join(f"M{at(edge):.1f} 1V13" for edge in (low, high) if edge is not None)
    colour, middle = svg.ALARM if bad else svg.ACCENT, at(value)
    bar = f'<path d="M{at(value - u):.1f} 7H{at(value + u):.1f}" stroke="{colour}"/>' if u else ""
    diamond = f'<path d="M{middle:.1f} 3l3 4-3 4-3-4z" fill="{colour}"/>'
    circle = f'<circle cx="{middle:.1f}" cy="7" r="3" fill="{colour}"/>'
    return Markup(
        '<svg class="place" viewBox="0 0 96 14" width="96" height="14" aria-hidden="true">'
        f'<path d="M{start:.1f} 4H{end:.1f}V10H{start:.1f}z" fill="{svg.BAND}"/>'
        f'<path d="{edges}" stroke="{svg.RULE}"/>{bar}{diamond if bad else circle}</svg>'
    )


def _panels(spec: Mapping[str, Any], dots: Sequence[Dot], say: Callable[[str], str]) -> list[tuple[str, list[Dot]]]:
    key = spec.get("panel")
    if not key:
        return [("", list(dots))]
    names = _distinct(dot.key((key,)) for dot in dots)
    return [(f"{say(str(key))} {name}".strip(), [dot for dot in dots if dot.key((key,)) == name]) for name in names]


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _range(dots: Sequence[Dot]) -> tuple[float, float]:
    """Return a scale that shows every limit; values far beyond them do not flatten the rest."""
    edges = [abs(edge) for dot in dots for edge in (dot.low, dot.high) if edge is not None]
    values = [abs(dot.value) + (dot.u or 0.0) for dot in dots]
    reach = max(edges) * _ROOM if edges else max(values) * 1.1
    return (-reach, reach) if reach else (-1.0, 1.0)


def _x_scale(
    spec: Mapping[str, Any], dots: Sequence[Dot], figures: Figures
) -> tuple[dict[str, float], list[tuple[float, str]]]:
    """Return the place of each x in pixels and the ticks; evenly spaced where x is no positive number."""
    raw = {str(dot.point.get(spec["x"])): dot.point.get(spec["x"]) for dot in dots}
    numbers = {text: float(x) for text, x in raw.items() if isinstance(x, int | float) and x > 0}
    if len(numbers) == len(raw) and len(set(numbers.values())) > 1:
        at = svg.logarithmic(min(numbers.values()), max(numbers.values()), _LEFT + 14, _RIGHT - 10)
        places = {text: at(x) for text, x in numbers.items()}
        return places, [(at(x), figures.qty(x)) for x in sorted(set(numbers.values()))]
    step = (_RIGHT - _LEFT) / len(raw)
    places = {text: _LEFT + step * (number + 0.5) for number, text in enumerate(raw)}
    return places, [(place, text) for text, place in places.items()]


def _lines_panel(
    title: str,
    spec: Mapping[str, Any],
    dots: Sequence[Dot],
    series: Sequence[str],
    keys: Sequence[str],
    reach: tuple[float, float],
    figures: Figures,
) -> Markup:
    places, x_ticks = _x_scale(spec, dots, figures)
    y = svg.linear(*reach, _BOTTOM, _TOP)
    unit = dots[0].unit

    def x(dot: Dot) -> float:
        return places[str(dot.point.get(spec["x"]))]

    parts = _band(dots, x, y)
    steps = svg.ticks(*reach)
    top_label = max(abs(step) for step in steps)
    for step in steps:
        at = y(step)
        parts.append(svg.line(_LEFT, at, _RIGHT, at, svg.RULE if not step else svg.GRID))
        number = figures.qty(step, unit, scale=top_label, sign=bool(step)).partition(NARROW_SPACE)[0]
        parts.append(svg.text(_LEFT - 6, at + 4, number, anchor="end"))
    for at, label in x_ticks:
        parts += [svg.line(at, _BOTTOM, at, _BOTTOM + 4), svg.text(at, _BOTTOM + 17, label, anchor="middle", size=11)]
    parts.append(
        svg.text(
            (_LEFT + _RIGHT) / 2, _HEIGHT - 6, figures.words.text(str(spec.get("x_label", spec["x"]))), anchor="middle"
        )
    )
    label = figures.qty(0.0, unit, scale=top_label).partition(NARROW_SPACE)[2]
    parts.append(svg.text(_LEFT - 6, _BOTTOM + 17, label, anchor="end"))
    for place, name in enumerate(series):
        mine = sorted((dot for dot in dots if dot.key(keys) == name), key=x)
        parts += _series(mine, place, x, y, reach, figures)
    return svg.drawing(_WIDTH, _HEIGHT, f"{figures.words.text(spec['title'])} {title}".strip(), parts)


def _band(dots: Sequence[Dot], x: Any, y: svg.Scale) -> list[str]:
    """Shade what is allowed: pale where some series may be, darker where every series may be.

    A table's row holds from its lower current, inclusive, to the next: so the band steps at the point itself.
    """
    limited = [dot for dot in dots if dot.low is not None and dot.high is not None]
    columns = sorted({x(dot) for dot in limited})
    parts = []
    for number, place in enumerate(columns):
        here = [dot for dot in limited if x(dot) == place]
        left = place if number else _LEFT
        right = columns[number + 1] if number + 1 < len(columns) else _RIGHT
        wide = (
            min(dot.low for dot in here if dot.low is not None),
            max(dot.high for dot in here if dot.high is not None),
        )
        tight = (
            max(dot.low for dot in here if dot.low is not None),
            min(dot.high for dot in here if dot.high is not None),
        )
        for (low, high), fill in ((wide, svg.BAND_WIDE), (tight, svg.BAND)):
            parts.append(svg.rect(left, y(high), right - left, y(low) - y(high), fill))
        for edge in tight:
            parts.append(svg.line(left, y(edge), right, y(edge), svg.RULE, 1.2))
    return parts


def _series(
    dots: Sequence[Dot], number: int, x: Any, y: svg.Scale, reach: tuple[float, float], figures: Figures
) -> list[str]:
    colour, dash, shape = svg.SERIES[number % len(svg.SERIES)]
    nudge = (number - 1) * 2.5  # so that uncertainty bars of one load stand beside each other
    parts = [svg.path([(x(dot) + nudge, y(dot.value)) for dot in dots], colour, 1.4, dash)] if len(dots) > 1 else []
    for dot in dots:
        at, height = x(dot) + nudge, y(dot.value)
        if dot.u:
            parts.append(svg.whisker(at, y(dot.value + dot.u), y(dot.value - dot.u), colour))
        if dot.verdict in _BAD:
            parts.append(svg.cross(at, height))
        else:
            parts.append(svg.marker(at, height, shape, colour, hollow=dot.low is None and dot.high is None))
    return parts + _off_scale(dots, y, reach, figures)


def _off_scale(dots: Sequence[Dot], y: svg.Scale, reach: tuple[float, float], figures: Figures) -> list[str]:
    """Say how far the farthest point of a series is off the scale, at the edge where it is drawn."""
    outside = [dot for dot in dots if not reach[0] <= dot.value <= reach[1]]
    if not outside:
        return []
    worst = max(outside, key=lambda dot: abs(dot.value))
    farthest = figures.qty(worst.value, worst.unit, to=worst.u, sign=True)
    shown = figures.words.say("off the scale, up to {value}", value=farthest)
    height = y(worst.value) + (19 if worst.value > 0 else -11)
    return [svg.text((_LEFT + _RIGHT) / 2, height, shown, anchor="middle", fill=svg.ALARM, size=11)]


def _bars_panel(
    title: str, spec: Mapping[str, Any], dots: Sequence[Dot], reach: tuple[float, float], figures: Figures
) -> Markup:
    keys = (str(spec["x"]), *(spec.get("series") or ()))
    left, right = 84.0, 268.0
    x = svg.linear(*reach, left, right)
    height = _ROW * len(dots) + 12
    parts = []
    for number, dot in enumerate(dots):
        middle = 6 + _ROW * (number + 0.5)
        bad = dot.verdict in _BAD
        colour = svg.ALARM if bad else svg.SERIES[0][0]
        start, end = sorted((x(0.0), x(dot.value)))
        parts.append(svg.text(left - 6, middle + 4, dot.key(keys), anchor="end", fill=svg.INK))
        parts.append(svg.rect(start, middle - 6, max(end - start, 1.0), 12, "#f6e3e6" if bad else "#9dbdd0", colour))
        if dot.u:
            parts.append(svg.line(x(dot.value - dot.u), middle, x(dot.value + dot.u), middle, svg.INK, 1.5))
        for edge in (dot.low, dot.high):
            if edge is not None:
                parts.append(svg.line(x(edge), middle - _ROW / 2, x(edge), middle + _ROW / 2, svg.ALARM, 1.5, "4 2"))
        if bad:
            parts.append(svg.cross(min(end, right) + 10, middle))
        scale = max(abs(edge) for edge in (dot.value, dot.low or 0.0, dot.high or 0.0))
        shown = figures.qty(dot.value, dot.unit, to=dot.u, scale=scale)
        parts.append(svg.text(_WIDTH - 2, middle + 4, shown, anchor="end", fill=svg.INK, bold=bad))
    parts.append(svg.line(x(0.0), 4, x(0.0), height - 4, svg.INK))
    return svg.drawing(_WIDTH, height, f"{figures.words.text(spec['title'])} {title}".strip(), parts)


def _swatch(number: int) -> Markup:
    colour, dash, shape = svg.SERIES[number % len(svg.SERIES)]
    return _swatch_of(svg.path([(1, 8), (33, 8)], colour, 1.4, dash) + svg.marker(17, 8, shape, colour))


def _swatch_of(parts: str) -> Markup:
    return Markup(f'<svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true">{parts}</svg>')
