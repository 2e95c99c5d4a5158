"""Everything the certificate says, gathered from the journal; the templates only lay it out.

The order is the reader's: who, what, when, with what, how, result, how sure, by whom. Ref: ISO/IEC 17025:2017, 7.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hil.errors import SetupError
from hil.journal.events import (
    CLOCK_SET_BACK,
    TORN,
    Attachment,
    Event,
    Finding,
    Instrument,
    Measurement,
    Note,
    RunStarted,
    SafeState,
    Waiver,
)
from hil.journal.reader import Journal
from hil.journal.summary import RunSummary, death, summarise
from hil.metrology.adaptive import LONGEST, time_saved
from hil.metrology.decision import Verdict
from hil.metrology.rules import describe
from hil.metrology.sources import CHECKED, in_words, unverified
from hil.reports import evidence
from hil.reports.rows import Group, Source, sources
from hil.reports.words import MARKS

VERIFIED = CHECKED | {"datasheet", "computed", "design"}  # of limits: what needs no sign
NOT_COVERED = " not covered: "  # in a note, between the measurement and why
_NOT_STATED = {"name": "", "address": "", "place": "", "customer": ""}
_LARGE = ("fail", "conditional_fail", "conditional_pass", "waived", "refused", "not_covered")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader must not overlook."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class UsedRule:
    """A decision rule in words, and how many measurements it judged; no words where neither record nor we have them.

    Ref: ISO/IEC 17025:2017, 7.8.6: the statement names the rule and takes the risk that goes with it into account.
    """

    name: str
    clause: str
    text: str
    risk: str
    used: int
    rejected: int = 0  # of a screen: what it rejected


@dataclass(frozen=True, slots=True)
class Effort:
    """What measuring until U is small enough took, and what the plan's fixed windows would have taken, in seconds."""

    points: int
    took_s: float
    fixed_s: float
    longest: int  # points that reached the plan's longest time first


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """How many results were also computed by Monte Carlo, and at how many the first order was not validated."""

    points: int
    disagree: int


@dataclass(frozen=True, slots=True)
class Page:
    """The whole certificate, without its looks."""

    run_id: str
    started: RunStarted
    start_utc: str
    end_utc: str
    laboratory: Mapping[str, Any]
    facts: Mapping[str, Any]  # of the unit
    summary: RunSummary
    tiles: tuple[evidence.Tile, ...]
    notices: tuple[Notice, ...]
    not_passed: tuple[evidence.Requirement, ...]  # of this stage
    elsewhere: tuple[evidence.Requirement, ...]  # a matter of other stages only
    instruments: tuple[Instrument, ...]
    overdue: frozenset[str]  # roles whose calibration was due before the run
    environment: tuple[Measurement, ...]
    rules: tuple[UsedRule, ...]
    screen: UsedRule | None  # by which the stage also rejects
    sources: tuple[Source, ...]
    not_rechecked: int  # measurements judged by figures that were not compared with the bought standard
    assumed: int  # measurements judged by figures that the board's owner has not confirmed
    effort: Effort | None  # of the points that were measured until their uncertainty was small enough
    monte_carlo: MonteCarlo | None
    areas: tuple[evidence.Area, ...]
    figures: tuple[evidence.Figure, ...]
    waivers: tuple[Waiver, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    safe_states: tuple[SafeState, ...]
    attachments: tuple[Attachment, ...]
    points: int
    repeated: int  # points that took more than one attempt
    lines: int
    last_hash: str

    @property
    def budgets(self) -> tuple[tuple[str, Group], ...]:
        """Return every group that has an uncertainty budget, with its requirement's id."""
        found = (one for area in self.areas for one in area.requirements)
        return tuple((one.summary.id, group) for one in found for group in one.groups if group.components)


def make_page(journal: Journal) -> Page:
    """Gather what the certificate says."""
    started, summary = journal.started, summarise(journal.events)
    measurements = journal.of(Measurement)
    known = sources(measurements)
    last = {one.name: one for one in sorted(measurements, key=lambda one: one.attempt)}
    found = evidence.requirements(journal, summary, known)
    others = evidence.elsewhere(found, started.stage)
    facts = dict(started.unit_facts)
    laboratory = facts.pop("laboratory", None)
    signs: Counter[str] = Counter()
    for source in known.values():
        signs[MARKS[source.mark].sign if source.mark in MARKS else ""] += source.used
    return Page(
        run_id=journal.run_id,
        started=started,
        start_utc=journal.entries[0].utc,
        end_utc=journal.entries[-1].utc,
        laboratory=_NOT_STATED | (dict(laboratory) if isinstance(laboratory, Mapping) else {}),
        facts=facts,
        summary=summary,
        tiles=tuple(evidence.tile(verdict, found, last.values()) for verdict in _LARGE),
        notices=tuple(_notices(journal)),
        not_passed=tuple(one for one in evidence.not_passed(found) if one not in others),
        elsewhere=others,
        instruments=journal.of(Instrument),
        overdue=overdue(journal),
        environment=tuple(one for one in last.values() if "ambient" in one.base and one.value is not None),
        rules=tuple(_rule(started, *one) for one in Counter(one.rule for one in measurements).items()),
        screen=_screen(started, measurements),
        sources=tuple(known.values()),
        not_rechecked=signs["†"],
        assumed=signs["‡"],
        effort=_effort(measurements),
        monte_carlo=_monte_carlo(measurements),
        areas=evidence.by_area(found),
        figures=tuple(evidence.figures(started.charts, list(last.values()))),
        waivers=journal.of(Waiver),
        findings=journal.of(Finding),
        notes=tuple(_together(journal.of(Note))),
        safe_states=journal.of(SafeState),
        attachments=journal.of(Attachment),
        points=sum(one.value is not None for one in last.values()),
        repeated=sum(one.attempt > 1 for one in last.values()),
        lines=len(journal.entries),
        last_hash=journal.last_hash,
    )


def _rule(started: RunStarted, name: str, used: int) -> UsedRule:
    """Say what a rule does: in the record's words, or in ours for a record that has none."""
    said = started.decision
    if said.get("rule") == name:
        return UsedRule(name, str(said["clause"]), str(said["rule_text"]), str(said["risk_text"]), used)
    try:
        words = describe(name)
    except SetupError:
        return UsedRule(name, "", "", "", used)
    return UsedRule(name, words.clause, words.rule_text, words.risk_text, used)


def _screen(started: RunStarted, measurements: Sequence[Measurement]) -> UsedRule | None:
    said = started.decision
    if not said.get("screen"):
        return None
    screened = [one.judgement["screen"] for one in measurements if one.judgement.get("screen")]
    return UsedRule(
        str(said["screen"]),
        str(said.get("screen_clause", "")),
        str(said.get("screen_text", "")),
        str(said.get("screen_risk_text", "")),
        len(screened),
        sum(one["verdict"] != Verdict.PASS for one in screened),
    )


def _effort(measurements: Sequence[Measurement]) -> Effort | None:
    spent = [one.effort for one in measurements if one.effort]
    if not spent:
        return None
    took_s, fixed_s = time_saved(measurements)
    return Effort(len(spent), took_s, fixed_s, longest=sum(one["ended"] == LONGEST for one in spent))


def _monte_carlo(measurements: Sequence[Measurement]) -> MonteCarlo | None:
    made = [one.monte_carlo for one in measurements if one.monte_carlo]
    return MonteCarlo(len(made), sum(not one["agrees"] for one in made)) if made else None


def _together(notes: Sequence[Note]) -> Iterator[Note]:
    """Say once, and of how many points, what is said of each point of one kind: that it is not covered, and why."""
    said: Counter[Note] = Counter()
    for note in notes:
        what, between, why = note.text.partition(NOT_COVERED)
        base = what.partition("[")[0]
        said[replace(note, text=f"{base}{between}{why}", test=_function(note.test)) if between else note] += 1
    for note, times in said.items():
        what, between, why = note.text.partition(NOT_COVERED)
        yield replace(note, text=f"{what} at {times} points{between}{why}") if between and times > 1 else note


def _function(test: str) -> str:
    return test.partition("[")[0]


def _notices(journal: Journal) -> Iterator[Notice]:
    """Say what a reader must know before the numbers; the rest of the page repeats each in its place."""
    started = journal.started
    if started.faults:
        yield Notice("Faults on purpose", f"The simulated bench was told to have: {', '.join(started.faults)}.")
    if journal.finished is None:
        yield Notice("The record has no end", f"{_last_words(journal)} Everything measured until then is on this page.")
    if journal.torn:
        yield Notice("The record's last line was cut short", "It was left out; every line before it is whole.")
    for note in journal.of(Note):
        if note.text.startswith((TORN, CLOCK_SET_BACK)):
            yield Notice("The record itself", f"{note.text[:1].upper()}{note.text[1:]}.")
    states = journal.of(SafeState)
    if states and not states[-1].safe:
        yield Notice("The bench could not be proven safe", f"{states[-1].why}. Treat it as live.")
    elif journal.finished is None and not states and journal.of(Instrument):
        yield Notice("Nothing says that the bench was made safe", "Treat it as live until somebody has looked.")
    if said := in_words(unverified(journal.of(Measurement), VERIFIED)):
        yield Notice("Limits not verified", f"{said}; each carries a sign, which section 3 explains.")
    uncalibrated = [one.role for one in journal.of(Instrument) if not one.calibration]
    if uncalibrated and not started.simulated:
        yield Notice("No calibration on record", f"{', '.join(uncalibrated)}: traceability is not shown.")
    if late := overdue(journal):
        yield Notice("Calibration overdue on the day of the test", f"{', '.join(sorted(late))}.")
    soon = [one for one in journal.of(Instrument) if (one.calibration or {}).get("status") == "due soon"]
    if soon:
        due = ", ".join(f"{one.role} on {(one.calibration or {}).get('due')}" for one in soon)
        yield Notice("Calibration due soon", f"{due}.")


def _last_words(journal: Journal) -> str:
    """Say how the run died and what it recorded last."""
    last = next(entry for entry in reversed(journal.entries) if not _of_the_guard(entry.event))
    what = " ".join(part for part in (last.event.EVENT.replace("_", " "), _named(last.event)) if part)
    how = death(journal.events)
    return f"{how[:1].upper()}{how[1:]}. The last thing on record is line {last.seq + 1}, at {last.utc}: {what}."


def _of_the_guard(event: Event) -> bool:
    """Say whether a line was written after the run's death."""
    if isinstance(event, Note):
        return event.text.startswith((TORN, CLOCK_SET_BACK))
    return isinstance(event, SafeState) and event.by == "guard"


def _named(event: Event) -> str:
    return next((str(word) for key in ("name", "text", "why", "test") if (word := getattr(event, key, ""))), "")


def overdue(journal: Journal) -> frozenset[str]:
    """Return the roles whose calibration was due before the run began; ISO dates compare as text."""
    day = journal.entries[0].utc[:10]
    instruments = [one for one in journal.of(Instrument) if one.calibration]
    return frozenset(one.role for one in instruments if one.calibration and str(one.calibration.get("due", day)) < day)
