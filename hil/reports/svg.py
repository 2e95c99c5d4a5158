"""The few strokes our charts are drawn with: scales, ticks, elements. Plain text in, plain text out, no state.

Colours and styles stand on the elements themselves, so that a drawing means the same inside a page and alone in a file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from hil.names import printable

Scale = Callable[[float], float]

INK, MUTED, RULE, GRID = "#1c2126", "#4d565e", "#8a949c", "#e3e7ea"
ACCENT, ALARM, BAND, BAND_WIDE = "#12486b", "#a3142e", "#dfeaf1", "#eff5f8"
# one colour, one dash and one marker a series: it is told apart without colour too
SERIES = (
    (ACCENT, "", "circle"),
    ("#a8480a", "6 3", "square"),
    ("#2b6e47", "2 3", "triangle"),
    ("#6a3d99", "8 3 2 3", "diamond"),
    ("#4d565e", "1 2", "circle"),
)
FONT = 'font-family="Helvetica Neue, Arial, Liberation Sans, sans-serif"'


def px(value: float) -> str:
    """Return a coordinate as text, to a tenth of a pixel."""
    text = f"{value:.1f}"
    return "0" if text in {"0.0", "-0.0"} else text.removesuffix(".0")


def linear(low: float, high: float, start_px: float, end_px: float) -> Scale:
    """Return the map from low..high to pixels; what lies outside is clamped to the ends."""
    span = (high - low) or 1.0

    def at(value: float) -> float:
        share = min(1.0, max(0.0, (value - low) / span))
        return start_px + share * (end_px - start_px)

    return at


def logarithmic(low: float, high: float, start_px: float, end_px: float) -> Scale:
    """Return the logarithmic map from low..high (both positive) to pixels, clamped to the ends."""
    straight = linear(math.log10(low), math.log10(high), start_px, end_px)
    return lambda value: straight(math.log10(value))


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values (steps of 1, 2 or 5 times a power of ten) inside low..high."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = RULE, width: float = 1.0, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{px(x1)} {px(y1)}L{px(x2)} {px(y2)}" stroke="{stroke}" stroke-width="{px(width)}"{dashed}/>'


def path(points: Sequence[tuple[float, float]], stroke: str, width: float = 1.5, dash: str = "") -> str:
    """Return an open line through points."""
    where = "L".join(f"{px(x)} {px(y)}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{where}" fill="none" stroke="{stroke}" stroke-width="{px(width)}"{dashed} stroke-linejoin="round"/>'
    )


def area(points: Sequence[tuple[float, float]], fill: str) -> str:
    """Return a filled area without an outline."""
    where = "L".join(f"{px(x)} {px(y)}" for x, y in points)
    return f'<path d="M{where}Z" fill="{fill}"/>'


def rect(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    """Return a rectangle."""
    return f'<rect x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}" fill="{fill}" stroke="{stroke}"/>'


def text(
    x: float, y: float, what: str, *, anchor: str = "start", fill: str = MUTED, size: int = 12, bold: bool = False
) -> str:
    """Return a text, escaped; a bold one has a white edge, so that it reads on top of a trace."""
    weight = ' font-weight="600" stroke="#fff" stroke-width="3" paint-order="stroke"' if bold else ""
    place = f'x="{px(x)}" y="{px(y)}" text-anchor="{anchor}" fill="{fill}" font-size="{size}"{weight}'
    return f"<text {place}>{escape(printable(what))}</text>"


def marker(x: float, y: float, shape: str, colour: str, *, hollow: bool = False) -> str:
    """Return a marker of about 7 pixels: circle, square, triangle or diamond."""
    paint = f'fill="{"#fff" if hollow else colour}" stroke="{colour}" stroke-width="1.2"'
    if shape == "circle":
        return f'<circle cx="{px(x)}" cy="{px(y)}" r="3.2" {paint}/>'
    outline = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "triangle": ((0, -3.8), (3.6, 2.8), (-3.6, 2.8)),
        "diamond": ((0, -4), (4, 0), (0, 4), (-4, 0)),
    }[shape]
    where = "L".join(f"{px(x + dx)} {px(y + dy)}" for dx, dy in outline)
    return f'<path d="M{where}Z" {paint}/>'


def cross(x: float, y: float) -> str:
    """Return the mark of a point that is out of limits: a cross in a ring."""
    strokes = f"M{px(x - 3)} {px(y - 3)}l6 6M{px(x + 3)} {px(y - 3)}l-6 6"
    ring = f'<circle cx="{px(x)}" cy="{px(y)}" r="6.5" fill="#fff" stroke="{ALARM}" stroke-width="1.5"/>'
    return f'{ring}<path d="{strokes}" stroke="{ALARM}" stroke-width="1.8"/>'


def whisker(x: float, top: float, bottom: float, colour: str) -> str:
    """Return a vertical uncertainty bar with end strokes."""
    ends = f"M{px(x - 3)} {px(top)}h6M{px(x)} {px(top)}V{px(bottom)}M{px(x - 3)} {px(bottom)}h6"
    return f'<path d="{ends}" fill="none" stroke="{colour}" stroke-width="1"/>'


def drawing(width: float, height: float, title: str, parts: Sequence[str], *, alone: bool = False) -> Markup:
    """Return the whole <svg>; alone says that it will be a file of its own, which needs the name space."""
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    label = escape(printable(title))
    return Markup(
        f'<svg{space} viewBox="0 0 {px(width)} {px(height)}" role="img" aria-label="{label}" {FONT}>'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )
