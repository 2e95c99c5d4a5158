"""How a run ended, in a few lines for a terminal; the certificate has it in full."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hil.journal.events import Event, Measurement, RunStarted
from hil.journal.summary import SEVERITY, RunSummary, screened_out
from hil.metrology.adaptive import time_saved
from hil.metrology.decision import RiskKind, Verdict
from hil.names import one_line, printable

SHOWN = 8  # requirements that did not pass
CLOSEST = 3  # measurements to their limits
CONDITIONAL = ("conditional_pass", "conditional_fail")
LINE_WIDTH = 140


def headline(serial: str, summary: RunSummary) -> str:
    """Return the unit, its verdict, how many measurements are conditional, and the reason in one line."""
    verdict = summary.verdict.value.upper()
    conditional = [f", {count} {word.upper()}" for word in CONDITIONAL if (count := summary.counts.get(word))]
    said = verdict + "".join(conditional)
    return one_line(f"{serial}: {said}" + (f" - {summary.reason}" if summary.reason else ""))


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


def decided(events: Iterable[Event], summary: RunSummary) -> list[str]:
    """Say by which rule and screen it was decided, the largest risk that was accepted, and what is closest to a limit.

    ISO/IEC 17025:2017, 7.8.6, in short: the certificate has the rule in words. A record without a rule says nothing.
    """
    decision = next((event.decision for event in events if isinstance(event, RunStarted)), {})
    if not decision:
        return []
    last = {one.name: one for requirement in summary.requirements for one in requirement.measurements}
    judged = [one for one in last.values() if one.judgement.get("risk") is not None]
    lines = [_rule(decision), *_screen(decision, judged), *_time_saved(last.values()), *_largest_risk(judged)]
    nearest: dict[str, Measurement] = {}  # of each kind
    for one in sorted(judged, key=lambda one: _margin(one) / one.judgement["expanded_u"]):
        nearest.setdefault(one.base, one)
    lines += ["closest to their limits, measured by U, one of a kind:"] if nearest else []
    closest = [_figures(one) for one in list(nearest.values())[:CLOSEST]]
    return ["  " + _shortened(line) for line in lines] + ["    " + _shortened(line) for line in closest]


def _rule(decision: Mapping[str, Any]) -> str:
    least = f"; not judged below TUR {decision['minimum_tur']:g}" if decision["minimum_tur"] else ""
    return f"decision rule: {decision['rule']} ({decision['clause']}){least}"


def _screen(decision: Mapping[str, Any], judged: list[Measurement]) -> Iterator[str]:
    if decision["screen"]:
        out = sum(screened_out(one) for one in judged)
        of = decision.get("screen_short", decision["screen"])
        yield f"screen: {decision['screen']} ({of}); {out} of {len(judged)} measurements screened out"


def _time_saved(measured: Iterable[Measurement]) -> Iterator[str]:
    spent_s, fixed_s = time_saved(measured)
    if fixed_s:
        yield f"adaptive points: measured for {spent_s:.0f} s, where fixed windows would have taken {fixed_s:.0f} s"


def _largest_risk(judged: list[Measurement]) -> Iterator[str]:
    accepted = [one for one in judged if one.judgement["risk_kind"] == RiskKind.CONSUMER]
    if accepted:
        worst = max(accepted, key=lambda one: float(one.judgement["risk"]))
        yield f"largest specific consumer's risk of an accepted value: {_risk(worst)}, {worst.name}"


def _figures(one: Measurement) -> str:
    """Return value, U with its k, the nearest limit and the risk, rounded as U is (GUM, 7.2.6)."""
    assert one.value is not None
    u, k, unit = one.judgement["expanded_u"], one.judgement["k"], "" if one.unit == "1" else f" {one.unit}"
    below = one.high is None or (one.low is not None and one.value - one.low < one.high - one.value)
    limit = one.low if below else one.high
    word = "" if one.verdict == Verdict.PASS else f", {one.verdict.replace('_', ' ')}"
    word += ", screened out" if screened_out(one) else ""
    figures = f"{_rounded(one.value, u)}{unit}, U = {_rounded(u, u)}{unit} (k = {k:.2f}), limit {limit:.6g}{unit}"
    return f"{one.name} = {figures}, risk {_risk(one)}{word}"


def _margin(one: Measurement) -> float:
    """Return how far inside its nearest limit a value is, negative outside, in its unit."""
    assert one.value is not None
    sides = [one.value - one.low] if one.low is not None else []
    return min([*sides, *([one.high - one.value] if one.high is not None else [])])


def _risk(one: Measurement) -> str:
    risk = float(one.judgement["risk"])
    return "< 0.01 %" if risk < 1e-4 else f"{100.0 * risk:.2g} %"


def _rounded(value: float, u: float) -> str:
    decimals = 1 - int(f"{u:.1e}".partition("e")[2])  # of two significant digits of u, after rounding
    return f"{round(value, decimals):.{max(0, decimals)}f}"


def _shortened(line: str) -> str:
    return textwrap.shorten(printable(line), LINE_WIDTH - 4, placeholder=" ...")
