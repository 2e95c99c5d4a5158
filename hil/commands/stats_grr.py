"""hil stats grr: is the measurement good enough to tell good units from bad ones?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.commands.csv_table import read_table
from hil.commands.grr_table import Study, find_study
from hil.commands.stats import figure, percent
from hil.commands.tables import print_table, say
from hil.errors import SetupError
from hil.names import one_line

if TYPE_CHECKING:
    from hil.metrology.statistics.grr import GaugeRR

_LIMITS = "below 10 % acceptable, 10 .. 30 % marginal, above 30 % unacceptable; 5 categories or more (AIAG MSA-4)"
_NAMES = {
    "EV": "repeatability (EV)",
    "AV": "reproducibility (AV)",
    "INT": "of it, interaction",
    "GRR": "gauge R&R",
    "PV": "parts (PV)",
    "TV": "total (TV)",
}


def run(asked: argparse.Namespace) -> int:
    """Analyse one study."""
    from hil.metrology.statistics import grr
    from hil.metrology.statistics.data import check_confidence, check_limits

    tolerance: float | None = asked.tolerance
    if asked.lsl is not None or asked.usl is not None:
        if asked.lsl is None or asked.usl is None or tolerance is not None:
            raise SetupError("the tolerance is not clear", "give --lsl and --usl, or --tolerance alone")
        check_limits(asked.lsl, asked.usl)
        tolerance = asked.usl - asked.lsl
    check_confidence(asked.confidence)
    study = find_study(read_table(Path(asked.file)), asked.part, asked.factor, asked.value)
    if study.factor and len(study.factors) == 1:
        what = f"{asked.file}: there is one {study.factor} only, {study.factors[0]}"
        raise SetupError(
            one_line(what), f"measure with a second one, or take column {study.factor} out: repeatability alone"
        )
    if not study.factor:
        result = grr.repeatability([part[0] for part in study.values], tolerance, asked.confidence)
    elif asked.method == "range":
        result = grr.average_and_range(study.values, tolerance)
    else:
        result = grr.anova(study.values, tolerance, asked.confidence)
    if asked.json:
        print(json.dumps(_as_json(result, study), indent=1))
    else:
        _print(result, study, asked.file)
    return 1 if result.verdict == "unacceptable" else 0


def _print(result: GaugeRR, study: Study, file: str) -> None:
    across = f" x {result.factors} {study.factor}s" if study.factor else ""
    print(one_line(f"Gauge R&R of {file}: {result.parts} parts{across} x {result.trials} trials, {result.method}"))
    print()
    limits = f"{100 * result.confidence:g} % limits"
    head = ("from", "std dev", *([limits] if result.limits else []), "% study", "% var.")
    head += ("% tol.",) if result.tolerance is not None else ()
    rows = []
    for name, text in _NAMES.items():
        if name not in result.deviations:
            continue
        row = [text, figure(result.deviations[name])]
        if result.limits:
            low, high = result.limits.get(name, (None, None))
            row.append("" if low is None else f"{figure(low)} .. {figure(high)}")
        shares = (result.study_percent(name), result.contribution_percent(name), result.tolerance_percent(name))
        row += [f"{share:.1f}" for share in shares if share is not None]
        rows.append(row)
    print_table(head, rows, figures_from=1)
    if result.anova:
        print_table(
            ("analysis of variance", "dof", "sum of squares", "mean square", "F", "p"),
            [
                [
                    row.source.replace("factor", study.factor),
                    str(row.dof),
                    figure(row.sum_of_squares, 6),
                    "" if row.source == "total" else figure(row.mean_square, 5),
                    "" if row.f is None else figure(row.f),
                    "" if row.p is None else f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001",
                ]
                for row in result.anova
            ],
            figures_from=1,
        )
    say(_sentences(result, study))


def _sentences(result: GaugeRR, study: Study) -> list[str]:
    against = "" if result.tolerance is None else f" and {percent(result.tolerance_percent('GRR'))} of the tolerance"
    categories = result.categories
    many = "any number of" if categories is None else str(categories)
    said = [
        f"{result.verdict.upper()}: the measurement takes {percent(result.study_percent('GRR'))} of the study's"
        f" scatter{against}; it tells {many} categories of units apart.",
        f"({_LIMITS}; % study is of the total (TV), % var. of its square)",
    ]
    if result.verdict != "acceptable":
        said.append(_what_to_do(result, study))
    if categories is None:
        said.append("No part ever gave two different values: the resolution is too coarse to see the scatter.")
    if result.anova and study.factor:
        p = result.anova[2].p or 0.0
        if result.pooled:
            said.append(f"Parts and {study.factor}s do not interact (p = {p:.2f} > 0.25), so that was pooled into EV.")
        else:
            said.append(
                f"Parts and {study.factor}s interact (p = {p:.2f}): a {study.factor} reads some parts differently."
            )
    for name in result.clamped:
        said.append(
            f"{_NAMES[name]} came out below zero and is set to 0: it could not be shown, which is not its absence."
        )
    if not study.factor:
        said.append("No operator, station or fixture in the table: what changes between them is not in these figures.")
    if result.parts < 10 or result.trials < 2 or (study.factor and result.parts * result.factors * result.trials < 60):
        said.append(
            "This is a small study: 10 parts that span the tolerance, 2 stations and 3 reseats are the least to trust."
        )
    return said


def _what_to_do(result: GaugeRR, study: Study) -> str:
    if study.factor and result.deviations["AV"] > result.deviations["EV"]:
        return (
            f"The {study.factor}s differ more than repeats do: bring them into line (adapter, cables, method, offset)."
        )
    return "Most of it is repeatability: look at contacts and reseating, settling, averaging, the instrument's range."


def _as_json(result: GaugeRR, study: Study) -> dict[str, Any]:
    names = list(result.deviations)
    return {
        "method": result.method,
        "parts": study.parts,
        "factor": study.factor,
        "factors": study.factors if study.factor else [],
        "trials": result.trials,
        "standard_deviations": result.deviations,
        "confidence": result.confidence if result.limits else None,
        "limits": result.limits,
        "study_percent": {name: result.study_percent(name) for name in names},
        "contribution_percent": {name: result.contribution_percent(name) for name in names},
        "tolerance": result.tolerance,
        "tolerance_percent": {name: result.tolerance_percent(name) for name in names},
        "categories": result.categories,
        "verdict": result.verdict,
        "pooled": result.pooled,
        "set_to_zero": result.clamped,
        "anova": [
            {"source": r.source, "dof": r.dof, "sum_of_squares": r.sum_of_squares, "f": r.f, "p": r.p}
            for r in result.anova
        ],
    }
