"""How a run ended, requirement by requirement: a pure function of its events.

A verdict is never better than the knowledge behind it: what was required and not measured is named, never passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hil.journal.events import (
    Event,
    Instrument,
    Measurement,
    RunFinished,
    RunStarted,
    SafeState,
    TestFinished,
    TestStarted,
    Waiver,
)
from hil.metrology.decision import ACCEPTED, REJECTED, Verdict

# worst first: a value outside its limits is worse news than a point nobody could judge
SEVERITY = (
    Verdict.FAIL,
    Verdict.ABORTED,
    Verdict.CONDITIONAL_FAIL,
    Verdict.REFUSED,
    Verdict.NOT_COVERED,
    Verdict.CONDITIONAL_PASS,
    Verdict.PASS,
)
GOOD = frozenset({Verdict.PASS, Verdict.CONDITIONAL_PASS, Verdict.WAIVED})
PASSED, FAILED, INTERRUPTED, BENCH_FAULT, SETUP_FAULT, NOTHING_TESTED = range(6)


@dataclass(frozen=True, slots=True)
class RequirementSummary:
    """One requirement of the plan: what became of it and why."""

    id: str
    title: str
    area: str
    required: bool
    verdict: Verdict
    reason: str
    measurements: tuple[Measurement, ...]  # the last attempt of each, in the order of the first
    missing: tuple[str, ...]  # full names that the plan needs and nobody measured
    retried: bool  # some point took more than one attempt


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The run's verdict, its exit code and the reason, and all requirements in the plan's order."""

    verdict: Verdict
    exit_code: int
    reason: str
    requirements: tuple[RequirementSummary, ...]
    counts: dict[str, int]  # last attempts of measurements by verdict; waived requirements under "waived"


def summarise(events: Iterable[Event]) -> RunSummary:
    """Summarise a finished or dead run; one without run_finished is aborted, exit code 3."""
    events = tuple(events)
    finished = next((event for event in events if isinstance(event, RunFinished)), None)
    ended = ending(events)
    if finished is None:
        return _with(conclude(events), *ended)
    ours = conclude(events, interrupted=finished.exit_code == INTERRUPTED)
    # otherwise the run itself knew more, a failed teardown for instance, or somebody spoke after its end
    return ours if ended.exit_code == PASSED else _with(ours, *ended)


class Ending(NamedTuple):
    """How a run says that it ended, or how it died."""

    verdict: Verdict
    exit_code: int
    reason: str


def ending(events: Sequence[Event]) -> Ending:
    """Tell a run's end by its last words alone, without weighing its measurements."""
    at = next((place for place, event in enumerate(events) if isinstance(event, RunFinished)), None)
    if at is None:
        return Ending(Verdict.ABORTED, BENCH_FAULT, death(events))
    finished = events[at]
    assert isinstance(finished, RunFinished)
    later = [event for event in events[at:] if isinstance(event, SafeState)]
    if later and not later[-1].safe:
        why = f"after its end the {later[-1].by} could not prove the bench safe: {later[-1].why}"
        return Ending(Verdict.ABORTED, BENCH_FAULT, f"{why}; the run itself had ended with {finished.verdict}")
    return Ending(Verdict(finished.verdict), finished.exit_code, finished.reason)


def death(events: Sequence[Event]) -> str:
    """Say when a run without an end died, why if the guard knew, and in what state that left the bench."""
    began = [event.test for event in events if isinstance(event, TestStarted)]
    where = f"{'during' if open_test(events) else 'after'} {began[-1]}" if began else "before its first test"
    state = next((event for event in reversed(events) if isinstance(event, SafeState)), None)
    if state is None:
        opened = any(isinstance(event, Instrument) for event in events)
        left = "nothing on record says that the bench was made safe" if opened else "no instrument was opened"
    elif state.safe:
        left = f"the {state.by} made the bench safe"
    else:
        left = "the bench is NOT proven safe"
    why = state.why if state is not None and state.by == "guard" else "its record has no end"
    return f"the run died {where}: {why}; {left}"


def open_test(events: Sequence[Event]) -> str:
    """Return the test in which the record ends, or nothing."""
    last = next((event for event in reversed(events) if isinstance(event, TestStarted | TestFinished)), None)
    return last.test if isinstance(last, TestStarted) else ""


def conclude(events: Iterable[Event], *, interrupted: bool = False) -> RunSummary:
    """Summarise a run that is about to write its run_finished from this."""
    facts = _Facts(tuple(events))
    requirements = tuple(_requirement(facts, asked) for asked in facts.asked)
    counts = {str(verdict): 0 for verdict in Verdict}
    for one in facts.last.values():
        counts[one.verdict] += 1
    counts[Verdict.WAIVED] += sum(one.verdict is Verdict.WAIVED for one in requirements)
    verdict, exit_code, reason = _run(facts, requirements, interrupted)
    return RunSummary(verdict, exit_code, reason, requirements, counts)


def standing(one: Measurement) -> Verdict:
    """Return what a measurement means for its requirement: its verdict, unless the stage's screen says no.

    A screen sees only what the certificate's rule accepts; the measurement keeps the verdict of that rule.
    """
    verdict = Verdict(one.verdict)
    screen = one.judgement.get("screen")
    if screen is None or verdict not in ACCEPTED or screen["verdict"] in ACCEPTED:
        return verdict
    return Verdict.REFUSED if screen["verdict"] == Verdict.REFUSED else Verdict.FAIL


def screened_out(one: Measurement) -> bool:
    """Say whether the certificate's rule accepts a measurement and the stage's screen rejects it."""
    return Verdict(one.verdict) in ACCEPTED and standing(one) is Verdict.FAIL


class _Facts:
    """The events, sorted by what they speak of."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self.asked: tuple[Mapping[str, Any], ...] = ()
        self.last: dict[str, Measurement] = {}
        self.attempts: dict[str, int] = defaultdict(int)
        self.tests: dict[str, TestFinished] = {}
        self.open: dict[str, TestStarted] = {}
        self.waivers: dict[str, Waiver] = {}
        self.unsafe: SafeState | None = None
        for event in events:
            self._take(event)
        self._by_requirement: dict[str, list[Measurement]] = defaultdict(list)
        for one in self.last.values():
            self._by_requirement[one.requirement].append(one)

    def _take(self, event: Event) -> None:
        if isinstance(event, Measurement):
            self.attempts[event.name] += 1
            before = self.last.get(event.name)
            if before is None or event.attempt > before.attempt:
                self.last[event.name] = event
        elif isinstance(event, TestStarted):
            self.open[event.test] = event
        elif isinstance(event, TestFinished):
            self.open.pop(event.test, None)
            self.tests[event.test] = event
        elif isinstance(event, Waiver):
            self.waivers[event.requirement] = event
        elif isinstance(event, SafeState):
            self.unsafe = None if event.safe else event  # the last word counts
        elif isinstance(event, RunStarted):
            self.asked = event.requirements

    def of(self, requirement: str, needed: Sequence[str]) -> tuple[Measurement, ...]:
        """Return the last attempts that answer a requirement, its own and those it needs, in the order of the first."""
        named = frozenset(needed)
        if any(one in self.last and self.last[one].requirement != requirement for one in named):
            return tuple(one for one in self.last.values() if one.requirement == requirement or one.name in named)
        return tuple(self._by_requirement[requirement])

    def explains(self, test: TestFinished, mine: tuple[Measurement, ...]) -> bool:
        """Say whether a failed test failed by measurements, so that those of `mine` it made speak for themselves."""
        failed = any(one.test == test.test and standing(one) in REJECTED for one in self.last.values())
        return failed and any(one.test == test.test for one in mine)


def _requirement(facts: _Facts, asked: Mapping[str, Any]) -> RequirementSummary:
    name, needed = str(asked["id"]), tuple(asked.get("measurements") or ())
    mine = facts.of(name, needed)
    missing = tuple(one for one in needed if one not in facts.last)
    required = bool(asked.get("required", True))
    tests = tuple(one for one in facts.tests.values() if name in one.requirement)
    tests += tuple(_cut_off(one) for one in facts.open.values() if name in one.requirement)
    if required or mine or any(one.verdict != Verdict.NOT_COVERED for one in tests):
        verdict, reason = _verdict(facts, mine, missing, needed, tests)
    else:
        verdict, reason = Verdict.NOT_COVERED, ""
    waiver = facts.waivers.get(name)
    if waiver and verdict is not Verdict.PASS:
        because = f" ({waiver.finding})" if waiver.finding else ""
        instead = f"{verdict}, {reason}" if reason else str(verdict)
        verdict, reason = Verdict.WAIVED, f"{waiver.text}{because}; without the waiver: {instead}"
    if not required:
        why = str(asked.get("why") or "")
        reason = "; ".join(part for part in ("not required" + (f": {why}" if why else ""), reason) if part)
    return RequirementSummary(
        id=name,
        title=str(asked.get("title", "")),
        area=str(asked.get("area", "")),
        required=required,
        verdict=verdict,
        reason=reason,
        measurements=mine,
        missing=missing,
        retried=any(facts.attempts[one.name] > 1 for one in mine),
    )


def _verdict(
    facts: _Facts,
    mine: tuple[Measurement, ...],
    missing: tuple[str, ...],
    needed: tuple[str, ...],
    tests: tuple[TestFinished, ...],
) -> tuple[Verdict, str]:
    """Return the worst thing known of a requirement, and why.

    A point that the plan does not need counts only when it is out of limits: nothing that was seen to fail is lost.
    Tests speak through their measurements; by themselves only where they went wrong or measured nothing.
    """
    known: list[tuple[Verdict, str, str]] = []  # verdict, of what, why
    for one in mine:
        verdict = standing(one)
        if not needed or one.name in needed or verdict in REJECTED:
            known.append((verdict, one.name, one.reason))
    for test in tests:
        verdict, why = _of_test(test)
        if not mine or (verdict is Verdict.ABORTED) or (verdict is Verdict.FAIL and not facts.explains(test, mine)):
            known.append((verdict, test.test, why))
    if missing:
        known.append((Verdict.ABORTED, _names(missing), "not measured"))
    if not known:
        return Verdict.ABORTED, "nothing tested it"
    worst = min((verdict for verdict, _, _ in known), key=SEVERITY.index)
    if worst is Verdict.PASS:
        return worst, ""
    return worst, _by_reason([(what, why) for verdict, what, why in known if verdict is worst])


def _cut_off(test: TestStarted) -> TestFinished:
    """Return the end that a test never had: whatever it would still have found is not known."""
    return TestFinished(test.test, test.requirement, Verdict.ABORTED, "", "the record ends before the test does")


def _by_reason(known: list[tuple[str, str]]) -> str:
    """Say each reason once, with the first few things it is the reason of."""
    of: dict[str, list[str]] = defaultdict(list)
    for what, why in known:
        of[why].append(what)
    return "; ".join(_names(names, shown=2) + (f": {why}" if why else "") for why, names in of.items())


def _of_test(test: TestFinished) -> tuple[Verdict, str]:
    verdict = Verdict(test.verdict)
    if verdict is Verdict.FAIL and test.blame not in {"", "unit"}:
        return Verdict.ABORTED, test.reason  # a bench fault never fails a unit
    return (Verdict.PASS, "") if verdict is Verdict.WAIVED else (verdict, test.reason)


def _run(facts: _Facts, requirements: tuple[RequirementSummary, ...], interrupted: bool) -> tuple[Verdict, int, str]:
    if facts.unsafe:  # whatever else happened: nobody may open the lid now
        left = [f"{role}: {state}" for role, state in facts.unsafe.readback.items() if state != "off"]
        return Verdict.ABORTED, BENCH_FAULT, f"the bench is NOT proven safe: {'; '.join(left) or facts.unsafe.why}"
    if interrupted:
        return Verdict.ABORTED, INTERRUPTED, "interrupted by the operator"
    for blame, exit_code in (("bench", BENCH_FAULT), ("setup", SETUP_FAULT)):
        guilty = [one for one in facts.tests.values() if one.blame == blame and one.verdict != Verdict.PASS]
        if guilty:
            return Verdict.ABORTED, exit_code, f"{blame}: {_names([one.reason or one.test for one in guilty])}"
    if not facts.tests and not facts.last:
        return Verdict.ABORTED, NOTHING_TESTED, "nothing was tested"
    bad = [one for one in requirements if one.required and one.verdict not in GOOD]
    failed = [one for one in bad if _unit_failed(one)]
    stray = [one for one in facts.tests.values() if not one.requirement and _of_test(one)[0] is Verdict.FAIL]
    if failed or stray:
        return Verdict.FAIL, FAILED, f"failed: {_names([one.id for one in failed] + [one.test for one in stray])}"
    if bad:
        return Verdict.ABORTED, BENCH_FAULT, _incomplete(bad)
    return Verdict.PASS, PASSED, ""


def _unit_failed(one: RequirementSummary) -> bool:
    return one.verdict in REJECTED or any(standing(part) in REJECTED for part in one.measurements)


def _incomplete(bad: list[RequirementSummary]) -> str:
    missing = [name for one in bad for name in one.missing]
    others = [
        f"{one.id} is {one.verdict}" + (f" ({one.reason})" if one.reason else "") for one in bad if not one.missing
    ]
    parts = [f"not measured: {_names(missing)}"] if missing else []
    return "; ".join(parts + ([_names(others)] if others else []))


def _names(names: Iterable[str], shown: int = 5) -> str:
    """List the first few names and count the rest."""
    names = list(names)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _with(summary: RunSummary, verdict: Verdict, exit_code: int, reason: str) -> RunSummary:
    return RunSummary(verdict, exit_code, reason, summary.requirements, summary.counts)
