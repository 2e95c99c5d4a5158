"""The evidence for each requirement: tests, measurements, waveforms of what failed, charts."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from hil.errors import SetupError
from hil.journal.events import WAVEFORM, Attachment, Measurement, TestFinished, TestStarted
from hil.journal.reader import Journal
from hil.journal.summary import SEVERITY, RequirementSummary, RunSummary
from hil.metrology.decision import Verdict
from hil.names import printable
from hil.reports import charts
from hil.reports.figures import Figures
from hil.reports.language import Language
from hil.reports.rows import Group, Row, Source, dot, group, label
from hil.reports.told import told
from hil.reports.waveforms import waveform_svg

_BAD = frozenset({"fail", "conditional_fail", "aborted"})
OUTSIDE_THE_PLAN = "Measured outside the plan's requirements"


@dataclass(frozen=True, slots=True)
class Test:
    """One test as it went: its sentence, its verdict, and why; `nodes` names the parametrised tests it stands for."""

    __test__ = False  # pytest must not collect it

    node: str
    title: str
    verdict: str
    blame: str
    reason: str
    nodes: str = ""


@dataclass(frozen=True, slots=True)
class Wave:
    """A waveform of what failed; `problem` says why there is no drawing."""

    title: str
    drawing: Markup
    problem: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement with its evidence; needed and measured count points, waves show what failed."""

    summary: RequirementSummary
    method: str
    stages: tuple[str, ...]
    groups: tuple[Group, ...]
    tests: tuple[Test, ...]
    needed: int
    measured: int
    nearest: Row | None  # to its limit, in percent of it
    largest_risk: float | None
    waves: tuple[Wave, ...]
    brief: str | Markup  # why it did not pass, points of one kind counted instead of named; section 5 names them


@dataclass(frozen=True, slots=True)
class Area:
    """The requirements of one area, in the plan's order."""

    title: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """A verdict's count: requirements, and points (last attempts)."""

    verdict: str
    requirements: int
    points: int


def requirements(
    journal: Journal, summary: RunSummary, known: Mapping[tuple[str, ...], Source], words: Language
) -> list[Requirement]:
    """Return each requirement of the plan with its evidence, and one more for what was measured outside them."""
    plan = {str(row["id"]): row for row in journal.started.requirements}
    mine: dict[str, list[Measurement]] = {name: [] for name in plan}
    strays: list[Measurement] = []
    for one in journal.of(Measurement):
        mine.get(one.requirement, strays).append(one)
    tests, drawn = _tests(journal, words), _Drawn(journal, words)
    named_by: dict[str, list[Test]] = defaultdict(list)
    for test, named in tests:
        for name in dict.fromkeys(named):
            named_by[name].append(test)
    found = []
    for asked in summary.requirements:
        own = tuple(named_by[asked.id])
        found.append(_requirement(asked, plan[asked.id], mine[asked.id], own, known, drawn, words))
    nameless = tuple(test for test, named in tests if not any(name in plan for name in named))
    if strays or nameless:
        worst = _worst([one.verdict for one in strays] + [one.verdict for one in nameless])
        rest = RequirementSummary("-", OUTSIDE_THE_PLAN, "", False, worst, "", tuple(strays), (), False)
        found.append(_requirement(rest, {}, strays, nameless, known, drawn, words))
    return found


def by_area(found: Sequence[Requirement]) -> tuple[Area, ...]:
    """Group requirements by area, both in the order of the plan."""
    areas: dict[str, list[Requirement]] = {}
    for one in found:
        areas.setdefault(one.summary.area or "other", []).append(one)
    return tuple(Area(title, tuple(mine)) for title, mine in areas.items())


def not_passed(found: Sequence[Requirement]) -> tuple[Requirement, ...]:
    """Return what did not plainly pass: required first, the worst first, then as in the plan."""
    order = [*SEVERITY, Verdict.WAIVED]
    rest = [one for one in found if one.summary.verdict is not Verdict.PASS]
    return tuple(sorted(rest, key=lambda one: (not one.summary.required, order.index(one.summary.verdict))))


def elsewhere(found: Sequence[Requirement], stage: str) -> tuple[Requirement, ...]:
    """Return what belongs to other stages only, and of which nothing was measured at this one."""
    return tuple(one for one in found if one.stages and stage not in one.stages and not one.measured)


def tile(verdict: str, found: Sequence[Requirement], last: Iterable[Measurement]) -> Tile:
    """Count a verdict among requirements and among points."""
    return Tile(
        verdict,
        sum(one.summary.verdict == verdict for one in found),
        sum(one.verdict == verdict for one in last),
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the points of it that have no value."""

    chart: charts.Chart
    absent: tuple[str, ...]


def figures(specs: Iterable[Mapping[str, Any]], last: Sequence[Measurement], numbers: Figures) -> Iterator[Figure]:
    """Draw each chart of the plan that has at least one measured point."""
    for spec in specs:
        mine = [one for one in last if one.base == spec["measurement"]]
        dots = [dot(one) for one in mine if one.value is not None]
        if dots:
            draw = charts.bars if spec.get("kind") == "bars" else charts.lines
            absent = tuple(label(one.name, numbers.words) for one in mine if one.value is None)
            yield Figure(draw(spec, dots, numbers), absent)


def _requirement(
    summary: RequirementSummary,
    asked: Mapping[str, Any],
    measurements: Sequence[Measurement],
    tests: tuple[Test, ...],
    known: Mapping[tuple[str, ...], Source],
    drawn: _Drawn,
    words: Language,
) -> Requirement:
    groups = group(measurements, known, words)
    rows = [row for one in groups for row in one.rows if not row.superseded]
    needed = asked.get("measurements") or ()
    failed = {test.node for test in tests if test.verdict in _BAD} | {m.test for m in measurements if m.verdict in _BAD}
    return Requirement(
        summary=summary,
        method=str(asked.get("method") or ""),
        stages=tuple(str(stage) for stage in asked.get("stages") or ()),
        groups=groups,
        tests=tuple(_together(tests)),
        needed=len(needed),
        measured=len({one.name for one in measurements if one.value is not None}),
        nearest=min((row for row in rows if row.margin_pct is not None), key=_margin_pct, default=None),
        largest_risk=max((row.risk for row in rows if row.risk is not None), default=None),
        waves=tuple(drawn.of(failed)),
        brief=_brief(words, summary, str(asked.get("why") or ""), groups, tests, len(needed)),
    )


def _brief(
    words: Language,
    why: RequirementSummary,
    because: str,
    groups: Sequence[Group],
    tests: Sequence[Test],
    needed: int,
) -> str | Markup:
    """Say why a requirement did not pass; because is the plan's own reason for not requiring it."""
    if why.verdict is Verdict.PASS:
        return ""
    if why.verdict is Verdict.ABORTED and why.missing:
        stops = dict.fromkeys(one.reason for one in tests if one.blame in {"bench", "setup"} and one.reason)
        said = words.say("{n} of {total} points were not measured", n=len(why.missing), total=needed)
        return Markup("; ").join([said, *(told(words, one) for one in stops)])
    counted = _counted(words, groups, why.verdict)
    if why.verdict is Verdict.WAIVED:
        return _waived(words, why.reason)
    if why.verdict is Verdict.ABORTED or not counted:
        return told(words, why.reason) if why.required else _not_required(words, why.reason, because)
    return counted if why.required else Markup("{}; {}").format(_not_required(words, why.reason, because), counted)


def _not_required(words: Language, reason: str, because: str) -> str | Markup:
    """Say that a requirement is not required, and why: the plan's reason, or what is on record."""
    if because:
        return Markup("{}: {}").format(words.text("not required"), told(words, because))
    return told(words, reason.partition(";")[0]) if reason else words.text("no reason on record")


def _waived(words: Language, reason: str) -> str | Markup:
    """Say a waiver's text and what the requirement would be without it, each in the page's language."""
    parts = re.fullmatch(r"(.*?)((?: \([^()]*\))?); without the waiver: (.*)", reason, re.DOTALL)
    if not parts:
        return told(words, reason)
    without = words.text("without the waiver")
    return Markup("{}{}; {}: {}").format(told(words, parts[1]), printable(parts[2]), without, told(words, parts[3]))


def _margin_pct(row: Row) -> float:
    return math.inf if row.margin_pct is None else row.margin_pct


def _counted(words: Language, groups: Sequence[Group], verdict: Verdict) -> str | Markup:
    """Count the points with this verdict, by base name and reason."""
    found: list[Markup] = []
    counted = Markup(words.text("{what}: {n} of {total} points, {why}"))
    for one in groups:
        last = [row for row in one.rows if not row.superseded]
        reasons = Counter(row.reason or str(verdict) for row in last if row.verdict == verdict)
        for reason, n in reasons.most_common(3):
            found.append(counted.format(what=printable(one.title), n=n, total=len(last), why=told(words, reason)))
        if len(reasons) > 3:
            rest = words.say("{what}: {n} more reasons", what=printable(one.title), n=len(reasons) - 3)
            found.append(escape(rest))
    return Markup("; ").join(found)


def _together(tests: Iterable[Test]) -> Iterator[Test]:
    """Join the parametrised runs of one test function that went alike: `test_it[1] [2] [3]`."""
    alike: dict[tuple[str, ...], list[Test]] = {}
    for one in tests:
        function = one.node.partition("[")[0]
        alike.setdefault((function, one.title, one.verdict, one.blame, one.reason), []).append(one)
    for (function, *_), mine in alike.items():
        parameters = " ".join(one.node.removeprefix(function) for one in mine)
        yield replace(mine[0], nodes=function.rpartition("/")[2] + parameters)


def _tests(journal: Journal, words: Language) -> list[tuple[Test, tuple[str, ...]]]:
    """Pair each test with the requirements it names; one that has no end was cut off by whatever stopped the run."""
    finished = {one.test: one for one in journal.of(TestFinished)}
    found = []
    for begun in journal.of(TestStarted):
        end = finished.pop(begun.test, None)
        title = begun.title or begun.test.rpartition("::")[2]
        if end is None:
            why = words.text("the record ends before the test does")
            found.append((Test(begun.test, title, "aborted", "", why), begun.requirement))
        else:
            found.append(
                (Test(begun.test, title, end.verdict, end.blame, end.reason), end.requirement or begun.requirement)
            )
    for end in finished.values():
        title = end.test.rpartition("::")[2]
        found.append((Test(end.test, title, end.verdict, end.blame, end.reason), end.requirement))
    return found


def _worst(verdicts: Iterable[str]) -> Verdict:
    return min((Verdict(one) for one in verdicts if one in SEVERITY), key=SEVERITY.index, default=Verdict.PASS)


class _Drawn:
    """Draws each waveform once: under the first requirement whose test failed."""

    def __init__(self, journal: Journal, words: Language) -> None:
        self._journal, self._words = journal, words
        self._left = {one.sha256: one for one in journal.of(Attachment) if one.media_type == WAVEFORM}

    def of(self, tests: Iterable[str]) -> Iterator[Wave]:
        """Draw the waveforms of these tests that were not drawn yet, in the journal's order."""
        wanted = set(tests)
        for sha256, one in list(self._left.items()):
            if one.test in wanted:
                del self._left[sha256]
                yield self._draw(one)

    def _draw(self, one: Attachment) -> Wave:
        try:
            data = json.loads(self._journal.attachment(one.sha256))
            return Wave(str(data.get("title") or one.name), waveform_svg(data, Figures(self._words), alone=False), "")
        except SetupError as error:  # a page about a damaged record says so and shows the rest
            return Wave(one.name, Markup(""), str(error))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = self._words.say("attachment {sha256} is no waveform: {error}", sha256=one.sha256, error=error)
            return Wave(one.name, Markup(""), why)
