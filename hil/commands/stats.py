"""hil stats: Gauge R&R and capability of a table that a person has."""

from __future__ import annotations

import argparse


def run(asked: argparse.Namespace) -> int:
    """Analyse the file and say what it means; exit 1 where the gauge or the process is not good enough."""
    if asked.statistic == "grr":
        from hil.commands import stats_grr

        return stats_grr.run(asked)
    from hil.commands import stats_cpk

    return stats_cpk.run(asked)


def figure(value: float | None, digits: int = 4) -> str:
    """Return a figure for a table, or a dash."""
    return "-" if value is None else f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """Return a percentage for a table, or a dash."""
    return "-" if value is None else f"{value:.1f} %"
