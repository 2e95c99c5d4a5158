"""Waveforms as SVG: one lane a trace, one time axis, marks through all of them.

Millions of samples become one minimum and one maximum a pixel, so that a pulse narrower than a pixel still shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from hil.reports import svg
from hil.reports.figures import IN_ENGLISH, Figures
from hil.reports.qty import NARROW_SPACE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float64]

_WIDTH, _LEFT, _RIGHT = 720.0, 62.0, 708.0
_LANE, _GAP, _FOOT, _MARK_ROW = 104.0, 16.0, 40.0, 14.0
_MIDDLE = (_LEFT + _RIGHT) / 2
_COLUMNS = int(_RIGHT - _LEFT)


def waveform_svg(data: Mapping[str, Any], figures: Figures = IN_ENGLISH, *, alone: bool = True) -> Markup:
    """Draw {"title", "traces": [{"name", "unit", "time_s", "value"}], "marks": [{"name", "time_s"}]}.

    alone=False leaves the name space out, for a drawing inside a page. Raises ValueError for data of another shape.
    """
    import numpy as np

    traces = [(str(one["name"]), str(one["unit"]), *_samples(np, one)) for one in data["traces"]]
    if not traces:
        raise ValueError("the waveform has no trace")
    marks = [(str(one["name"]), float(one["time_s"])) for one in data.get("marks") or ()]
    start, end = min(float(time[0]) for _, _, time, _ in traces), max(float(time[-1]) for _, _, time, _ in traces)
    x = svg.linear(start, end, _LEFT, _RIGHT)
    rows = _rows(marks, x)
    parts: list[str] = []
    top = _MARK_ROW * (max(rows, default=-1) + 1) + 8.0
    for number, (name, unit, time, value) in enumerate(traces):
        parts += _lane(number, name, unit, top, x, time, value, figures)
        top += _LANE + _GAP
    bottom = top - _GAP
    parts += _time_axis(start, end, x, bottom, figures)
    parts += _marks(marks, x, rows, bottom)
    return svg.drawing(_WIDTH, bottom + _FOOT, str(data.get("title", "waveform")), parts, alone=alone)


def decimate(time: Samples, value: Samples, columns: int) -> tuple[Samples, Samples]:
    """Reduce to a minimum and a maximum in each of `columns` equal spans of time; short records come back unchanged.

    (n,) float64 each: time in s, rising, and any value. Where a span rises its minimum comes first, else its maximum.
    """
    import numpy as np

    if len(time) <= 2 * columns or time[-1] <= time[0]:
        return time, value
    column = np.minimum(((time - time[0]) * (columns / (time[-1] - time[0]))).astype(np.int64), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    lowest, highest = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
    ends = np.append(starts[1:], len(value)) - 1
    rising = value[ends] >= value[starts]
    pairs = np.where(rising[:, None], np.column_stack((lowest, highest)), np.column_stack((highest, lowest)))
    return np.repeat(time[starts], 2), pairs.reshape(-1)


def _samples(np: Any, trace: Mapping[str, Any]) -> tuple[Samples, Samples]:
    time, value = np.asarray(trace["time_s"], dtype=np.float64), np.asarray(trace["value"], dtype=np.float64)
    if time.ndim != 1 or time.shape != value.shape or not len(time):
        raise ValueError(f"trace {trace['name']!r}: times and values do not pair up")
    if not (np.isfinite(time).all() and np.isfinite(value).all()):
        raise ValueError(f"trace {trace['name']!r}: not every sample is a finite number")
    if (np.diff(time) < 0).any():
        raise ValueError(f"trace {trace['name']!r}: time runs backwards")
    return time, value


def _lane(
    number: int, name: str, unit: str, top: float, x: svg.Scale, time: Samples, value: Samples, figures: Figures
) -> list[str]:
    low, high = float(value.min()), float(value.max())
    if high - low < 0.25 * max(abs(low), abs(high)):  # noise on a level is shown as a level, not as a picture of noise
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.08 * (high - low) or abs(high) * 0.1 or 1.0
    y = svg.linear(low - room, high + room, top + _LANE, top)
    steps = svg.ticks(low - room, high + room, 4)
    largest = max(abs(step) for step in steps)
    parts = [svg.rect(_LEFT, top, _RIGHT - _LEFT, _LANE, "#fff", svg.GRID)]
    for step in steps:
        number_text, _, symbol = figures.qty(step, unit, scale=largest).partition(NARROW_SPACE)
        parts.append(svg.line(_LEFT, y(step), _RIGHT, y(step), svg.RULE if math.isclose(step, 0.0) else svg.GRID))
        shown = f"{number_text}{NARROW_SPACE}{symbol}"
        parts.append(svg.text(_LEFT - 6, y(step) + 4, shown, anchor="end", size=11))
    colour = svg.SERIES[number % len(svg.SERIES)][0]
    times, values = decimate(time, value, _COLUMNS)
    parts.append(svg.path([(x(float(t)), y(float(v))) for t, v in zip(times, values, strict=True)], colour, 1.2))
    parts.append(svg.text(_LEFT + 6, top + 15, name, fill=colour, bold=True))
    return parts


def _time_axis(start: float, end: float, x: svg.Scale, bottom: float, figures: Figures) -> list[str]:
    steps = svg.ticks(start, end, 8)
    largest = max(abs(step) for step in steps)
    parts = []
    for step in steps:
        shown = figures.qty(step, "s", scale=largest)
        parts.append(svg.line(x(step), bottom, x(step), bottom + 4))
        parts.append(svg.text(x(step), bottom + 18, shown, anchor="middle", size=11))
    return parts


def _marks(marks: Sequence[tuple[str, float]], x: svg.Scale, rows: Sequence[int], bottom: float) -> list[str]:
    """Draw each mark as a line with its name on top, in the row where it has room."""
    parts = []
    for (name, time_s), row in zip(marks, rows, strict=True):
        at, top = x(time_s), _MARK_ROW * (row + 1)
        anchor, beside = ("start", at + 3) if at < _MIDDLE else ("end", at - 3)
        parts.append(svg.line(at, top - 8, at, bottom, svg.INK, 1, "3 2"))
        parts.append(svg.text(beside, top, name, anchor=anchor, fill=svg.INK, size=11))
    return parts


def _rows(marks: Sequence[tuple[str, float]], x: svg.Scale) -> list[int]:
    """Return the row of each mark's name, so that no two names overlap; a letter is taken for 6 pixels wide."""
    taken: list[list[tuple[float, float]]] = []
    rows = []
    for name, time_s in marks:
        at, width = x(time_s), 6.0 * len(name) + 8.0
        left, right = (at, at + width) if at < _MIDDLE else (at - width, at)
        free = (row for row, spans in enumerate(taken) if all(right < a or left > b for a, b in spans))
        row = next(free, len(taken))
        if row == len(taken):
            taken.append([])
        taken[row].append((left, right))
        rows.append(row)
    return rows
