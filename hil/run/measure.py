"""What a certification test measures with: journal the reading, judge it, go on.

A value out of limits does not stop the test (all points are worth having); it fails the test at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hil.errors import HilError, SetupError
from hil.journal import events
from hil.journal.summary import SEVERITY
from hil.metrology.budget import Budget, Component
from hil.metrology.decision import ACCEPTED, REJECTED, Verdict
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, PlanError, Planned, full_name

YES = {True: 1.0, False: 0.0}
_OF_A_SCREEN = frozenset({"acceptance_low", "acceptance_high", "guard_band", "risk", "risk_kind"})


class Record(Protocol):
    """What the measurer writes to."""

    def write(self, event: events.Event) -> None:
        """Put an event on record."""
        ...

    def attach(self, test: str, name: str, data: bytes, media_type: str) -> str:
        """Keep a file; return its SHA-256."""
        ...


class OutOfLimits(AssertionError):
    """Measurements of this test are outside their limits. Raised at the test's end: all of them are on record."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """What came of a reading: the certificate's verdict, that of the stage's screen where it differs, and why."""

    verdict: Verdict
    reason: str = ""
    figures: dict[str, Any] = field(default_factory=dict)  # as the journal records them
    screened: Verdict | None = None  # `fail` or `refused`, where the certificate's rule alone would have accepted it


class Measurer:
    """Call it with a base name, a reading and the point: `measure("rail.voltage", reading, rail="5V")`.

    At a stage with a screen each reading is also judged by the screen's rule. What the screen rejects keeps its
    verdict, and what builds on it is measured, but its test fails.
    """

    def __init__(self, plan: Plan, planned: dict[str, Planned], journal: Record, stage: str = "") -> None:
        self._plan = plan
        self._stage = stage
        self._planned = planned
        self._journal = journal
        self._verdicts: dict[str, Verdict] = {}  # of the last attempt, by full name
        self._screened: dict[str, Verdict] = {}  # what the screen rejected or refused
        self._attempts: dict[str, int] = {}
        self._causes: dict[str, str] = {}  # of refused ones: the first thing in the chain that did not pass
        self._test = ""
        self._made: list[str] = []  # by the test that runs now
        self._failed: list[str] = []
        self._cannot = False
        self.valued = False  # the test that runs now has measured a value, refused ones apart

    def begin(self, test: str) -> None:
        """Start a test: what is measured from here on belongs to it."""
        self._test, self._made, self._failed, self._cannot, self.valued = test, [], [], False, False

    def end(self) -> None:
        """End the test: raise OutOfLimits for what failed, SetupError when it measured nothing at all."""
        if self._failed:
            raise OutOfLimits("; ".join(self._failed))
        if not self._made and not self._cannot:
            raise SetupError(
                f"{self._test} ended without a single measurement", "a test that measures nothing proves nothing"
            )

    def __call__(
        self,
        base: str,
        result: Reading | Budget,
        *,
        attempt: int = 1,
        budget: Sequence[Component] | Budget = (),
        **point: Any,
    ) -> Verdict:
        """Journal a reading, or a budget with all that it knows, with its verdict and return the verdict.

        A reading may come with its components, or its budget, beside it as `budget`. attempt counts repetitions of a
        point from 1; every one stays in the record. Raises PlanError for a name or point the plan does not have, a unit
        that is not the plan's, and a name measured twice.
        """
        planned = self.planned(base, **point)
        known = result if isinstance(result, Budget) else budget
        reading = result.reading if isinstance(result, Budget) else result
        if not isinstance(known, Budget):
            known = Budget(reading, tuple(known))
        if reading.unit != planned.unit:
            raise PlanError(f"{planned.name} is measured in {reading.unit!r}, the plan says {planned.unit!r}")
        if attempt != self._attempts.get(planned.name, 0) + 1:
            raise PlanError(f"{planned.name}: attempt {attempt} follows attempt {self._attempts.get(planned.name, 0)}")
        judged = self._judge(reading, planned)
        self._write(planned, reading, judged, attempt, known)
        return judged.verdict

    def check(self, base: str, answer: bool, **point: Any) -> Verdict:
        """Journal a yes or no; it has no uncertainty."""
        return self(base, Reading(YES[answer], "yes", 0.0), **point)

    def ready(self, *bases: str, **point: Any) -> bool:
        """Say whether the prerequisites of these measurements have passed; refuse the measurements when not."""
        reasons = [(p, self._blocked(p)) for base in bases for p in [self.planned(base, **point)]]
        if not any(why for _, why in reasons):
            return True
        for planned, why in reasons:
            reason = why or next(other for _, other in reasons if other)
            self._causes[planned.name] = reason
            self._write(planned, None, _Judged(Verdict.REFUSED, reason), 1, None)
        return False

    def cannot(self, base: str, why: str, **point: Any) -> None:
        """Say that this bench cannot make a measurement; the plan does not require it here, so it is not covered."""
        self._journal.write(events.Note(test=self._test, text=f"{self.planned(base, **point).name} not covered: {why}"))
        self._cannot = True

    def planned(self, base: str, **point: Any) -> Planned:
        """Return the plan's entry for a measurement; raises PlanError when it has none."""
        name = full_name(base, point)
        try:
            return self._planned[name]
        except KeyError:
            known = [n for n in self._planned if n.partition("[")[0] == base]
            hint = f"the plan has {known[0]} and {len(known) - 1} more" if known else "the plan has no such measurement"
            raise PlanError(f"{self._test} measured {name}", hint) from None

    def verdict(self, base: str, **point: Any) -> Verdict | None:
        """Return the verdict of a measurement already made, or None."""
        return self._verdicts.get(full_name(base, point))

    def worst(self) -> Verdict:
        """Return the worst verdict of what the test that ran last measured; points without a limit spoil no other."""
        verdicts = {self._screened.get(name, self._verdicts[name]) for name in self._made}
        judged = verdicts - {Verdict.NOT_COVERED}
        return next((verdict for verdict in SEVERITY if verdict in judged), Verdict.NOT_COVERED)

    def step(self, text: str) -> None:
        """Journal what the test does now."""
        self._journal.write(events.Step(test=self._test, text=text))

    def note(self, text: str) -> None:
        """Journal something a reader of the record should know."""
        self._journal.write(events.Note(test=self._test, text=text))

    def finding(self, finding: str, requirement: str, text: str) -> None:
        """Journal that this run met a known defect of the design, a DR number; it decides no verdict."""
        self._journal.write(events.Finding(self._test, text, requirement, finding))

    def attach(self, name: str, data: bytes, media_type: str) -> None:
        """Keep a file beside the journal."""
        self._journal.attach(self._test, name, data, media_type)

    def _blocked(self, planned: Planned) -> str:
        for prerequisite in planned.after:
            verdict = self._verdicts.get(prerequisite)
            if verdict is None:
                return f"{prerequisite} was not measured"
            if verdict is Verdict.REFUSED and prerequisite in self._causes:
                return self._causes[prerequisite]
            if verdict not in ACCEPTED:
                return f"{prerequisite} has the verdict {verdict.value}"
        return ""

    def _judge(self, reading: Reading, planned: Planned) -> _Judged:
        low, high = (planned.limit.low, planned.limit.high) if planned.limit else (None, None)
        decision = self._plan.decision
        try:
            judged = decision.judge(reading, low, high, planned.base)
            screen = decision.screen(self._stage, reading, low, high, planned.base)
        except HilError as error:  # the number must not be lost because it could not be judged
            return _Judged(Verdict.REFUSED, str(error))
        figures = judged.to_dict()
        if screen is None:
            return _Judged(judged.verdict, judged.reason, figures)
        by_screen = {key: value for key, value in screen.to_dict().items() if key in _OF_A_SCREEN}
        figures["screen"] = {"rule": decision.screens[self._stage], "verdict": screen.verdict.value, **by_screen}
        if judged.verdict not in ACCEPTED or screen.verdict in ACCEPTED:
            return _Judged(judged.verdict, judged.reason, figures)
        refused = screen.verdict is Verdict.REFUSED
        why = f"the {self._stage} screen: {screen.reason}" if refused else decision.screened_out(self._stage)
        return _Judged(judged.verdict, why, figures, Verdict.REFUSED if refused else Verdict.FAIL)

    def _write(
        self, planned: Planned, reading: Reading | None, judged: _Judged, attempt: int, budget: Budget | None
    ) -> None:
        limit = planned.limit
        self._journal.write(
            events.Measurement(
                test=self._test,
                name=planned.name,
                requirement=planned.requirement,
                value=reading.value if reading else None,
                unit=planned.unit,
                u=reading.u if reading else None,
                dof=reading.dof if reading else float("inf"),
                low=limit.low if limit else None,
                high=limit.high if limit else None,
                limit=limit.source() if limit else None,
                rule=self._plan.decision.rule,
                verdict=judged.verdict.value,
                attempt=attempt,
                reason=judged.reason,
                point=dict(planned.point),
                budget=budget.to_dicts() if budget else (),
                raw=budget.raw if budget else None,
                corrections=budget.corrections if budget else (),
                judgement=judged.figures,
                effort=budget.effort if budget else {},
                monte_carlo=budget.monte_carlo if budget else {},
                instruments=budget.instruments if budget else (),
            )
        )
        self._made.append(planned.name)
        self.valued = self.valued or reading is not None
        self._verdicts[planned.name] = judged.verdict
        self._attempts[planned.name] = attempt
        self._screened.pop(planned.name, None)
        if judged.screened is not None:
            self._screened[planned.name] = judged.screened
        self._failed = [text for text in self._failed if not text.startswith(planned.name + " ")]
        rejected = judged.verdict in REJECTED or judged.screened is Verdict.FAIL
        if rejected and reading is not None:
            why = judged.reason or judged.verdict.value
            self._failed.append(f"{planned.name} = {reading.value:.6g} {planned.unit}: {why}")
