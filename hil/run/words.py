"""How a run ended, in a few lines for a terminal; the certificate has it in full."""

from __future__ import annotations

import textwrap

from hil.journal.summary import SEVERITY, RunSummary
from hil.metrology.decision import Verdict
from hil.names import one_line, printable

SHOWN = 8  # requirements that did not pass
LINE_WIDTH = 140


def headline(serial: str, summary: RunSummary) -> str:
    """Return the unit, its verdict and the reason in one line."""
    return one_line(f"{serial}: {summary.verdict.value.upper()}" + (f" - {summary.reason}" if summary.reason else ""))


def counted(summary: RunSummary) -> list[str]:
    """Return how many requirements and measurements ended how."""
    verdicts = [one.verdict.value for one in summary.requirements if one.required]
    requirements = ", ".join(f"{verdicts.count(word)} {word}" for word in dict.fromkeys(verdicts)) or "none"
    measurements = ", ".join(f"{count} {verdict}" for verdict, count in summary.counts.items() if count) or "none"
    optional = len(summary.requirements) - len(verdicts)
    return [
        f"  requirements: {requirements}; {optional} not required at this stage",
        f"  measurements: {measurements}",
    ]


def stands_out(summary: RunSummary) -> list[str]:
    """Name the required requirements that did not pass, the worst first."""
    bad = [one for one in summary.requirements if one.required and one.verdict is not Verdict.PASS]
    rank = {verdict: place for place, verdict in enumerate(SEVERITY)}
    bad.sort(key=lambda one: (rank.get(one.verdict, len(rank)), not one.measurements))
    lines = [f"{one.id} {one.verdict}: {one.title}: {one.reason}" for one in bad[:SHOWN]]
    lines += [f"and {len(bad) - SHOWN} more: see the certificate"] if len(bad) > SHOWN else []
    return ["  " + textwrap.shorten(printable(line), LINE_WIDTH, placeholder=" ...") for line in lines]
