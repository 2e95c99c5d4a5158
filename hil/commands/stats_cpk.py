"""hil stats cpk: do the units fit between their limits, and how sure is that?"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.commands.csv_table import BadTable, Row, Table, listed, read_table
from hil.commands.stats import figure, percent
from hil.commands.tables import print_table, say
from hil.errors import SetupError
from hil.names import one_line

if TYPE_CHECKING:
    from hil.metrology.statistics.capability import Indices, Sigma
    from hil.metrology.statistics.data import Estimate

_BINS, _BAR = 15, 40


@dataclass(frozen=True)
class _Found:
    """What the values say: indices by both sigmas, whether the process was stable, whether it is normal."""

    values: list[float]
    mean: float
    within: Indices
    overall: Indices
    cpm: float | None
    signals: dict[int, int]  # points by Western Electric rule; under 0 those of any rule
    anderson: float | None


def run(asked: argparse.Namespace) -> int:
    """Analyse one column."""
    from hil.metrology.statistics.data import check_confidence, check_limits

    check_limits(asked.lsl, asked.usl)
    check_confidence(asked.confidence)
    if asked.target is not None and (asked.lsl is None or asked.usl is None or not math.isfinite(asked.target)):
        raise SetupError("a target needs both limits", "give --lsl and --usl, or leave --target out")
    if not 0.0 < asked.minimum < math.inf:
        raise SetupError(f"--minimum {asked.minimum:g} is no index", "1.33 is usual")
    table = read_table(Path(asked.file))
    subgroup = table.find(asked.subgroup) if asked.subgroup else None
    column = _value_column(table, asked.column, subgroup)
    values = [table.number(row, column) for row in table.rows]
    if len(values) < 2:
        raise BadTable(f"{table.file}: there is one value only", "at least two are needed, fifty are useful")
    groups = _groups(table, table.rows, values, subgroup)
    found = _analyse(values, groups, asked)
    verdict = found.overall.verdict(asked.minimum)
    if asked.json:
        print(json.dumps(_as_json(found, verdict, table.columns[column], asked), indent=1))
    else:
        _print(found, verdict, table.columns[column], asked)
    return 0 if verdict == "capable" else 1


def _value_column(table: Table, asked: str, subgroup: int | None) -> int:
    if asked:
        return table.find(asked)
    left = [n for n in range(len(table.columns)) if n != subgroup]
    named = [n for n in left if table.columns[n].casefold() in {"value", "reading", "measurement", "result"}]
    for choice in (named, left):
        if len(choice) == 1:
            return choice[0]
    raise BadTable(
        f"{table.file}: it is not clear which column to take", f"name one of {listed(table.columns)} with --column"
    )


def _groups(table: Table, rows: list[Row], values: list[float], subgroup: int | None) -> list[list[float]]:
    if subgroup is None:
        return []
    groups: dict[str, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        groups.setdefault(table.text(row, subgroup), []).append(value)
    return list(groups.values())


def _analyse(values: list[float], groups: list[list[float]], asked: argparse.Namespace) -> _Found:
    from hil.metrology.statistics import capability, mean, normality, rules

    centre, overall = mean(values), capability.overall_sigma(values)
    if overall.value == 0.0:
        raise SetupError(
            "all values are equal", "without scatter there is no capability: is the resolution too coarse?"
        )
    moving = capability.moving_range_sigma(values)
    within = capability.pooled_sigma(groups) if groups else moving
    if within.value == 0.0:
        raise SetupError("the values of each subgroup are equal", "is the subgroup column the right one?")

    def of(sigma: Sigma) -> Indices:
        return capability.indices(centre, sigma, len(values), asked.lsl, asked.usl, asked.confidence)

    cpm = None
    if asked.target is not None:
        cpm = capability.cpm(centre, overall.value, asked.lsl, asked.usl, asked.target)
    signals = rules.western_electric(values, centre, moving.value) if moving.value > 0.0 else {}
    enough = len(values) >= normality.FEWEST
    return _Found(
        values,
        centre,
        of(within),
        of(overall),
        cpm,
        {0: len(set().union(*signals.values())), **{rule: len(points) for rule, points in signals.items()}},
        normality.anderson_darling(values) if enough else None,
    )


def _print(found: _Found, verdict: str, column: str, asked: argparse.Namespace) -> None:
    limits = ", ".join(f"{name} {one:g}" for name, one in (("LSL", asked.lsl), ("USL", asked.usl)) if one is not None)
    n = len(found.values)
    print(one_line(f"Capability of {column} in {asked.file}: {n} values, mean {found.mean:.6g}, {limits}"))
    print()
    _histogram(found.values, asked.lsl, asked.usl)
    print()
    rows = [*_rows(found.within, "C"), *_rows(found.overall, "P")]
    if found.cpm is not None:
        rows.append(
            ["Cpm", f"{found.cpm:.2f}", "", f"s = {figure(found.overall.sigma.value)} and target {asked.target:g}"]
        )
    print_table(("index", "value", f"{100 * asked.confidence:g} % limits", "sigma used"), rows)
    say(_sentences(found, verdict, asked))


def _rows(of: Indices, letter: str) -> list[list[str]]:
    sigma = f"{of.sigma.method} = {figure(of.sigma.value)}"
    both: list[tuple[str, Estimate | None]] = [(f"{letter}p", of.both), (f"{letter}pk", of.worst)]
    rows = [
        [name, f"{one.value:.2f}", f"{one.low:.2f} .. {one.high:.2f}", sigma] for name, one in both if one is not None
    ]
    sides = [(f"{letter}pu", of.upper), (f"{letter}pl", of.lower)]
    return rows + [[name, f"{one:.2f}", "", sigma] for name, one in sides if one is not None]


def _sentences(found: _Found, verdict: str, asked: argparse.Namespace) -> list[str]:
    from hil.metrology.statistics import capability, normality

    worst, least, n = found.overall.worst, asked.minimum, len(found.values)
    limits = f"Ppk {worst.value:.2f}, {100 * worst.confidence:g} % limits {worst.low:.2f} .. {worst.high:.2f}"
    said = []
    if verdict == "capable":
        said.append(f"CAPABLE: {limits}, the lower one reaches {least:g}.")
    elif verdict == "not capable":
        said.append(f"NOT CAPABLE: {limits}, all below {least:g}. {_cause(found, least)}")
    else:
        needed = capability.units_needed(worst.value, least, asked.confidence)
        do = f"About {needed} units of this Ppk would show it." if needed else _cause(found, least)
        said.append(f"NOT SHOWN: {limits}, with {least:g} between them. {do}")
    outside = sum(
        (asked.lsl is not None and v < asked.lsl) or (asked.usl is not None and v > asked.usl) for v in found.values
    )
    if outside:
        said.append(f"{outside} of {n} values ({percent(100 * outside / n)}) are outside the limits.")
    by_chance = 0.016 * n  # of all four rules on a process in control
    if found.signals[0] > max(2.0 * by_chance, 2.0) or found.signals[1]:
        rules = ", ".join(f"rule {rule}" for rule, count in found.signals.items() if rule and count)
        said.append(
            f"Western Electric {rules}: {found.signals[0]} of {n} points signal, where chance makes about "
            f"{by_chance:.0f}. Look for what changed in time: indices of an unstable process foretell nothing."
        )
    if found.anderson is not None and found.anderson > normality.CRITICAL_5_PCT:
        said.append(
            f"The values are not normal (Anderson-Darling A* = {found.anderson:.2f} > 0.752, 5 %), as the indices "
            "assume: look at the histogram for two heaps or a long tail."
        )
    return said


def _cause(found: _Found, least: float) -> str:
    both = found.overall.both
    if both is not None and both.value >= least:
        return "The scatter would fit: move the mean to the middle of the limits."
    if found.within.worst.value >= least:
        return "Within subgroups it would fit: find what changes between them."
    return "The scatter is too large, wherever the mean is." if both is not None else "Mean and scatter do not fit."


def _histogram(values: list[float], lsl: float | None, usl: float | None) -> None:
    """Print bars with the limits where they lie between them."""
    low, high = min(values), max(values)
    width = (high - low) / _BINS
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int((value - low) / width)) if width else 0] += 1
    lines = [
        (low + (n + 0.5) * width, "█" * math.ceil(_BAR * count / max(counts)), count) for n, count in enumerate(counts)
    ]
    marks = [(one, f"──── {name} ────", 0) for name, one in (("LSL", lsl), ("USL", usl)) if one is not None]
    for at, bar, count in sorted([*lines, *marks], key=lambda line: line[0]):
        print(f"{at:>12.5g}  {bar}{f' {count}' if count else ''}")


def _as_json(found: _Found, verdict: str, column: str, asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "column": column,
        "values": len(found.values),
        "mean": found.mean,
        "lsl": asked.lsl,
        "usl": asked.usl,
        "target": asked.target,
        "confidence": asked.confidence,
        "within": _of(found.within, "C"),
        "overall": _of(found.overall, "P"),
        "Cpm": found.cpm,
        "minimum": asked.minimum,
        "verdict": verdict,
        "western_electric": {f"rule {rule}" if rule else "any": count for rule, count in found.signals.items()},
        "anderson_darling": found.anderson,
    }


def _of(one: Indices, letter: str) -> dict[str, Any]:
    def told(estimate: Estimate | None) -> dict[str, Any] | None:
        if estimate is None:
            return None
        return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "method": estimate.method}

    return {
        "sigma": one.sigma.value,
        "sigma_method": one.sigma.method,
        "dof": one.sigma.dof,
        f"{letter}p": told(one.both),
        f"{letter}pu": one.upper,
        f"{letter}pl": one.lower,
        f"{letter}pk": told(one.worst),
    }
