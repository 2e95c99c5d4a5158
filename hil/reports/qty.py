"""The only way a number reaches a page: rounded to its uncertainty, with its unit, in the same hand everywhere.

Ref: GUM (JCGM 100:2008), 7.2.6: U to at most two significant digits, the value to the same place. Rounding U to two
digits never lowers it by 5 % or more, so it is rounded to nearest. ISO 80000-1:2022, 7.2 for spaces and signs.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

NARROW_SPACE = "\u202f"  # no line break between a number and its unit
MINUS = "\u2212"
NO_VALUE = "\u2014"
TO = " to "  # between two bounds
MANY_DOF = 1000.0
LEAST_RISK = 1e-4  # a smaller one is said to be smaller

_PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_TAKES_PREFIX = frozenset(
    {"s", "V", "A", "ohm", "W", "Wh", "Ws", "var", "varh", "VA", "VAh", "Hz", "F", "H", "J", "m", "bit/s"}
)
_SYMBOLS = {"ohm": "Ω", "degC": "°C", "deg": "°", "1": "", "count": ""}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DIGITS = 6  # of a number that has no uncertainty to round it to
_MOST_DECIMALS = 9
_COUNTS = re.compile("[1-9]")


def qty(
    value: float | None,
    unit: str = "",
    u: float | None = None,
    *,
    to: float | None = None,
    scale: float | None = None,
    sign: bool = False,
) -> str:
    """Return value in unit as text; u is the expanded uncertainty, printed behind a plus-minus sign.

    to rounds to the place of that expanded uncertainty without printing it; scale is the magnitude that picks the SI
    prefix, so that all numbers of a row share one; sign prints a plus. None is a dash; NaN is an error.
    """
    if value is None:
        return NO_VALUE
    if math.isnan(value):
        raise ValueError("NaN is not a number that can be printed")
    if unit == "yes" and value in {0.0, 1.0}:
        return "yes" if value else "no"
    magnitude = max(abs(value), u or 0.0) if scale is None else abs(scale)
    exponent = _exponent(unit, magnitude)
    written = _PREFIXES[exponent] + symbol(unit)
    factor = 10.0**-exponent
    rounding = u if u else to
    place = _place(rounding * factor) if rounding else None
    text = _number(value * factor, place, sign)
    if u:
        text = f"{text}{NARROW_SPACE}±{NARROW_SPACE}{_number(u * factor, place, sign=False)}"
        if written:
            text = f"({text})"  # the unit belongs to both (SI brochure, 5.4.5)
    glue = "" if written in {"", "°"} else NARROW_SPACE
    return f"{text}{glue}{written}"


def two_digits(value: float | None) -> str:
    """Return a number rounded to two significant digits of its own, as `qty(value, to=value)` does, in less time."""
    if value is None or not 1e-8 < value < 10.0:
        return qty(value, to=value)
    return f"{value:.{_place(value)}f}"


def of_row(
    value: float | None, raw: float | None, expanded: float | None, margin_: float | None, unit: str, scale: float
) -> tuple[str, str, str, str]:
    """Return the four numbers of a table's row as `qty` and `margin` do, with prefix and place found once."""
    if value is None or unit == "yes" or not math.isfinite(scale + (expanded or 0.0) + value):
        numbers = (qty(one, unit, to=expanded, scale=scale) for one in (value, raw, expanded))
        return *numbers, margin(margin_, unit, to=expanded, scale=scale)  # type: ignore[return-value]  # three and one
    exponent = _exponent(unit, scale)
    symbol_ = _PREFIXES[exponent] + symbol(unit)
    tail = symbol_ if symbol_ in {"", "°"} else NARROW_SPACE + symbol_
    factor = 10.0**-exponent
    place = _place(expanded * factor) if expanded else None
    side = NO_VALUE if margin_ is None else _number(margin_ * factor, place, sign=True) + tail
    if margin_ and not _COUNTS.search(side):
        side = margin(margin_, unit, to=expanded, scale=scale)
    return (
        _number(value * factor, place, sign=False) + tail,
        NO_VALUE if raw is None else _number(raw * factor, place, sign=False) + tail,
        NO_VALUE if expanded is None else _number(expanded * factor, place, sign=False) + tail,
        side,
    )


def margin(value: float | None, unit: str = "", *, to: float | None = None, scale: float | None = None) -> str:
    """Return a signed margin as qty does, but never rounded to nothing: on which side of a limit it lies must show."""
    text = qty(value, unit, to=to, scale=scale, sign=True)
    if value and not _COUNTS.search(text):
        return qty(float(f"{value:.1g}"), unit, scale=scale, sign=True)
    return text


@lru_cache(maxsize=4096)
def bounds(low: float | None, high: float | None, unit: str = "", *, scale: float | None = None) -> str:
    """Return a limit as text: symmetric, two-sided, one-sided, one only value, or a dash where there is none."""
    if low is None and high is None:
        return NO_VALUE
    if scale is None:
        scale = max(abs(edge) for edge in (low, high) if edge is not None)
    if low is None:
        return f"≤{NARROW_SPACE}{qty(high, unit, scale=scale)}"
    if high is None:
        return f"≥{NARROW_SPACE}{qty(low, unit, scale=scale)}"
    if low == high:
        return qty(low, unit, scale=scale)
    if low == -high:
        return f"±{qty(high, unit, scale=scale)}"
    first, second = qty(low, unit, scale=scale), qty(high, unit, scale=scale)
    written = second.lstrip("0123456789.+∞" + MINUS)
    if written.startswith(NARROW_SPACE):
        first = first.removesuffix(written)  # the unit once, behind the second number
    return f"{first}{TO}{second}"


def risk(probability: float | None) -> str:
    """Return a probability of a wrong statement in percent, two significant digits; never rounded to nothing."""
    if probability is None:
        return NO_VALUE
    if probability < LEAST_RISK:
        return f"<{NARROW_SPACE}0.01{NARROW_SPACE}%"
    return qty(100.0 * probability, "%", to=100.0 * probability)


@lru_cache(maxsize=4096)
def freedom(dof: float) -> str:
    """Return degrees of freedom as text; so many that Student's factor is the normal one are only said to be many."""
    if MANY_DOF < dof < math.inf:
        return f">{NARROW_SPACE}{qty(MANY_DOF)}"
    return qty(dof, to=1.0)


def symbol(unit: str) -> str:
    """Return how a unit is written on a page; nothing for a plain number."""
    return _SYMBOLS.get(unit, unit)


def _exponent(unit: str, magnitude: float) -> int:
    if unit not in _TAKES_PREFIX or magnitude == 0.0 or math.isinf(magnitude):
        return 0
    # 999.99995 ms and 1 s are the same text, so the prefix is chosen after rounding to what a number may show
    decade = int(f"{magnitude:.5e}"[8:])
    return max(min(_PREFIXES), min(max(_PREFIXES), 3 * (decade // 3)))


def _place(uncertainty: float) -> int:
    """Return the decimals at which an uncertainty has two significant digits; negative for tens and hundreds."""
    if math.isinf(uncertainty):
        return 0
    decade = int(f"{abs(uncertainty):.1e}"[4:])  # after rounding: 0.0996 has the decade of 0.10
    return min(1 - decade, _MOST_DECIMALS)


def _number(value: float, place: int | None, sign: bool) -> str:
    if math.isinf(value):
        return (MINUS if value < 0 else "+" if sign else "") + "∞"
    if place is None:
        text = _plain(value)
    elif place < 0:
        text = f"{round(value, place):.0f}"
    else:
        text = f"{value:.{place}f}"
    negative = text[0] == "-"
    body = _grouped(text[1:] if negative else text)
    if not _COUNTS.search(body):
        return body  # there is no minus zero on a page
    return (MINUS if negative else "+" if sign else "") + body


def _plain(value: float) -> str:
    """Return up to six significant digits, as a power of ten where zeros would have to be counted; counts are exact."""
    if value == int(value) and abs(value) < 10.0 ** (2 * _DIGITS):
        return f"{value:.0f}"
    text = f"{value:.{_DIGITS}g}"
    mantissa, _, power = text.partition("e")
    if not power:
        return text
    return f"{mantissa}×10{str(int(power)).translate(_SUPERSCRIPT)}"


def _grouped(body: str) -> str:
    """Part the digits before the point in threes where there are five or more; four stay together."""
    if len(body) < 5:
        return body
    whole, dot, fraction = body.partition(".")
    if len(whole) >= 5 and whole.isdigit():
        whole = f"{int(whole):,}".replace(",", NARROW_SPACE)
    return whole + dot + fraction
