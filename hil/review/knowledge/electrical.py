"""Electrical parts: what their models tell, from electrical.toml. Each figure knows its source."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hil.review.finding import Evidence

FILE = Path(__file__).with_name("electrical.toml")


@dataclass(frozen=True, slots=True)
class SuppliedChip:
    """A chip with limits of its supply, in volts, its supply current in amperes, and the pins that must be tied."""

    what: str
    low_v: float
    high_v: float
    absolute_max_v: float
    supply_a: float
    straps: tuple[str, ...]
    strap_text: str
    source: str
    strap_source: str
    crystal: bool  # it needs one


@dataclass(frozen=True, slots=True)
class Rating:
    """What a supply gives: volts, amperes, and where that is from."""

    volts: float
    amperes: float
    source: str


@dataclass(frozen=True, slots=True)
class Optocoupler:
    """The LED of an optocoupler: its forward voltage, and the current at which the transfer ratio is told."""

    forward_v: float
    rank_current_a: float
    source: str


def chip(model: str) -> SuppliedChip | None:
    """Return what is known of a chip's supply and straps."""
    row = _row("chips", model)
    if row is None:
        return None
    low_v, high_v = row["supply_v"]
    return SuppliedChip(
        what=row["what"],
        low_v=low_v,
        high_v=high_v,
        absolute_max_v=row["absolute_max_v"],
        supply_a=row["supply_a"],
        straps=tuple(row.get("straps", ())),
        strap_text=row.get("strap_text", ""),
        source=_source(row),
        strap_source=row.get("strap_source", ""),
        crystal=row.get("crystal", False),
    )


def supply(model: str) -> Rating | None:
    """Return what a supply is rated for, by its model."""
    row = _row("supplies", model)
    if row is None:
        return None
    if "amperes" in row:
        return Rating(row["volts"], row["amperes"], _source(row))
    match = re.match(row["match"], model, re.IGNORECASE)
    assert match is not None
    volts = float(match["volts"])
    return Rating(volts, float(match["watts"]) / volts, _source(row)) if volts else None


def optocoupler(model: str) -> Optocoupler | None:
    """Return what is known of an optocoupler's LED."""
    row = _row("optocouplers", model)
    return None if row is None else Optocoupler(row["forward_v"], row["rank_current_a"], _source(row))


def polarities(model: str) -> int | None:
    """Return how many polarities a diode's package clamps; None where the model is not known."""
    row = _row("diodes", model)
    return None if row is None else int(row["polarities"])


def loads() -> Mapping[str, Any]:
    """Return what loads draw, in amperes, and beside each its source."""
    return _tables()["loads"]  # type: ignore[no-any-return]


def mains() -> Mapping[str, Any]:
    """Return what is known of mains and sockets, and beside each figure its source."""
    return _tables()["mains"]  # type: ignore[no-any-return]


def cited(table: Mapping[str, Any], key: str, text: str) -> Evidence:
    """Evidence that is a figure of a table above, with its source and mark."""
    return Evidence(text, _with_mark(table.get(f"{key}_source", ""), table[f"{key}_mark"]))


def current_a(text: str) -> float | None:
    """Read a current from what a designer writes, in amperes: "Fuse 3.15A T", "500mA slow", "T3,15A"."""
    match = re.search(r"(?<![\w.,])(?:[TF])?(\d+(?:[.,]\d+)?)\s*(m?)A(?![A-Za-z])", text)
    return float(match[1].replace(",", ".")) * (1e-3 if match[2] else 1.0) if match else None


def mains_v(text: str) -> float | None:
    """Read a mains voltage from what a designer writes, in volts: "230VAC to 5V". A range tells none."""
    match = re.search(r"(?<![\d.-])(\d{3})\s*V\s*AC|(?<![\d.-])(\d{3})\s*VAC", text, re.IGNORECASE)
    return float(match[1] or match[2]) if match else None


def resistance_ohm(text: str) -> float | None:
    """Read a resistance, in ohms: "330R", "1k", "4k7", "470 ohm", "2.2 kohm"."""
    match = re.search(r"(?<![\w.])(\d+)(?:[.,](\d+))?\s*(R|k|K|M|ohm|kohm|Ω|kΩ)(\d*)(?![A-Za-z0-9])", text)
    if not match:
        return None
    fraction = match[2] or match[4] or "0"
    factor = {"k": 1e3, "K": 1e3, "kohm": 1e3, "kΩ": 1e3, "M": 1e6}.get(match[3], 1.0)
    return float(f"{match[1]}.{fraction}") * factor


def capacitance_f(text: str) -> float | None:
    """Read a capacitance, in farads: "100nF", "0.1 uF", "47n"."""
    match = re.search(r"(?<![\w.])(\d+(?:[.,]\d+)?)\s*([pnuµ])F?(?![A-Za-z0-9])", text)
    factor = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6}
    return float(match[1].replace(",", ".")) * factor[match[2]] if match else None


def _row(table: str, model: str) -> Mapping[str, Any] | None:
    return next((row for row in _tables()[table] if re.match(row["match"], model, re.IGNORECASE)), None)


def _source(row: Mapping[str, Any]) -> str:
    return _with_mark(row["source"], row["mark"])


def _with_mark(source: str, mark: str) -> str:
    if mark == "checked":
        return source
    return f"{source} ({mark})" if source else mark


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
