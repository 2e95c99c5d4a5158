"""The scope's automatic measurements on one record; what cannot be measured is None (9.9E+37 on the wire).

Ref: InfiniiVision 3000T X programmer's guide, :MEASure; thresholds 10 %, 50 % and 90 % of base to top
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Volts = NDArray[np.float64]
SMALLEST_SWING = 0.05  # [A] of full scale: less has no edges

NAMES = (
    ("VPP", "VPP"),
    ("VMAX", "VMAX"),
    ("VMIN", "VMIN"),
    ("VAMPlitude", "VAMP"),
    ("VTOP", "VTOP"),
    ("VBASe", "VBAS"),
    ("VAVerage", "VAV"),
    ("VRMS", "VRMS"),
    ("FREQuency", "FREQ"),
    ("PERiod", "PER"),
    ("RISetime", "RIS"),
    ("FALLtime", "FALL"),
    ("PWIDth", "PWID"),
    ("NWIDth", "NWID"),
    ("DUTYcycle", "DUTY"),
    ("OVERshoot", "OVER"),
)


def measure(name: str, volts: Volts, dt_s: float, clipped: bool, range_v: float) -> float | None:
    """Return one measurement of a record, in volts, seconds, hertz or per cent."""
    if clipped and name.startswith("V"):
        return None
    base_v, top_v = _base_and_top(volts)
    simple = {
        "VPP": lambda: float(volts.max() - volts.min()),
        "VMAX": lambda: float(volts.max()),
        "VMIN": lambda: float(volts.min()),
        "VAMP": lambda: top_v - base_v,
        "VTOP": lambda: top_v,
        "VBAS": lambda: base_v,
        "VAV": lambda: float(volts.mean()),
        "VRMS": lambda: float(np.sqrt(np.mean(volts**2))),
    }
    if name in simple:
        return simple[name]()
    if top_v - base_v < SMALLEST_SWING * range_v:
        return None  # noise has no period
    return _timing(name, volts, dt_s, base_v, top_v)


def _timing(name: str, volts: Volts, dt_s: float, base_v: float, top_v: float) -> float | None:
    swing_v = top_v - base_v
    low_v, high_v = base_v + 0.1 * swing_v, base_v + 0.9 * swing_v
    rising, falling = edges(volts, base_v + 0.5 * swing_v, 0.2 * swing_v)
    if name in {"FREQ", "PER"}:
        if len(rising) < 2:
            return None
        period_s = float(rising[-1] - rising[0]) / (len(rising) - 1) * dt_s
        return period_s if name == "PER" else 1.0 / period_s
    if name == "OVER":
        return 100.0 * (float(volts.max()) - top_v) / swing_v
    if name in {"RIS", "FALL"}:
        at = rising if name == "RIS" else falling
        return _transition(volts, float(at[0]), low_v, high_v, name == "RIS") * dt_s if len(at) else None
    if name in {"PWID", "NWID"}:
        begin, end = (rising, falling) if name == "PWID" else (falling, rising)
        after = end[end > begin[0]] if len(begin) else end[:0]
        return float(after[0] - begin[0]) * dt_s if len(after) else None
    if name == "DUTY":
        width, period = _timing("PWID", volts, dt_s, base_v, top_v), _timing("PER", volts, dt_s, base_v, top_v)
        return 100.0 * width / period if width is not None and period else None
    return None


def _base_and_top(volts: Volts) -> tuple[float, float]:
    """Return the most frequent values of the lower and the upper half, as the scope's histogram does."""
    low, high = float(volts.min()), float(volts.max())
    if high <= low:
        return low, high
    counts, bounds = np.histogram(volts, bins=64, range=(low, high))
    centers = (bounds[:-1] + bounds[1:]) / 2.0
    base, top = int(counts[:32].argmax()), 32 + int(counts[32:].argmax())
    flat = 0.05 * len(volts)  # fewer samples than 5 % there: no flat part, the extreme counts
    return (
        float(centers[base]) if counts[base] > flat else low,
        float(centers[top]) if counts[top] > flat else high,
    )


def edges(volts: Volts, level_v: float, hysteresis_v: float) -> tuple[Volts, Volts]:
    """Return the rising and the falling crossings of level_v in fractional samples; noise does not count twice."""
    state = np.zeros(len(volts), dtype=np.int8)
    state[volts > level_v + hysteresis_v / 2.0] = 1
    state[volts < level_v - hysteresis_v / 2.0] = -1
    known = np.flatnonzero(state)
    if len(known) < 2:
        return np.empty(0), np.empty(0)
    change = np.flatnonzero(np.diff(state[known]))
    before, after = known[change], known[change + 1]
    fraction = (level_v - volts[before]) / (volts[after] - volts[before])
    at = np.asarray(before + fraction * (after - before), dtype=np.float64)
    up = state[after] > 0
    return at[up], at[~up]


def _transition(volts: Volts, middle: float, low_v: float, high_v: float, rising: bool) -> float:
    """Return the length of the edge around sample number middle between the two levels, in samples."""
    signed = volts if rising else -volts
    first, last = (low_v, high_v) if rising else (-high_v, -low_v)
    start = end = int(middle)
    while start > 0 and signed[start] > first:
        start -= 1
    while end < len(volts) - 1 and signed[end] < last:
        end += 1
    return float(max(1, end - start))
