"""Everything the certificate says, gathered from the journal; the templates only lay it out.

The order is the reader's: who, what, when, with what, how, result, how sure, by whom. Ref: ISO/IEC 17025:2017, 7.8.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hil.errors import SetupError
from hil.journal.events import (
    Attachment,
    Finding,
    Instrument,
    Measurement,
    Note,
    RunStarted,
    SafeState,
    Waiver,
)
from hil.journal.reader import Journal
from hil.journal.summary import RunSummary, summarise
from hil.metrology.adaptive import LONGEST, time_saved
from hil.metrology.decision import Verdict
from hil.metrology.rules import describe
from hil.reports import evidence, formal, laboratory
from hil.reports.edition import Edition
from hil.reports.figures import Figures
from hil.reports.language import Language, language
from hil.reports.notices import Notice, notices, overdue
from hil.reports.rows import Group, Source, sources
from hil.reports.words import MARKS

NOT_COVERED = " not covered: "  # in a note, between the measurement and why
_LARGE = ("fail", "conditional_fail", "conditional_pass", "waived", "refused", "not_covered")

AS_A_CERTIFICATE = Edition()  # English, with the letterhead on record, not signed


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

    language: Language  # every sentence of the page's own is in it; the record's own words are English
    run_id: str
    started: RunStarted
    start_utc: str
    end_utc: str
    issued_utc: str  # date of issue: the end of the run
    laboratory: laboratory.Laboratory
    place: str  # where the work was done
    order: formal.Order
    release: formal.Release
    signed_by: formal.Signed | None  # None: not signed electronically
    deviations: tuple[str, ...]  # additions, deviations, exclusions; none: as the plan says
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
    findings: tuple[Finding, ...]  # met by tests, or behind a waiver
    review: tuple[Finding, ...]  # of the design review, worst first
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


def make_page(journal: Journal, edition: Edition = AS_A_CERTIFICATE) -> Page:
    """Gather what the certificate says; raises SetupError for a language or a laboratory's folder that is none."""
    words = language(edition.language)
    started, summary = journal.started, summarise(journal.events)
    measurements = journal.of(Measurement)
    known = sources(measurements)
    last = {one.name: one for one in sorted(measurements, key=lambda one: one.attempt)}
    found = evidence.requirements(journal, summary, known, words)
    others = evidence.elsewhere(found, started.stage)
    facts, recorded = formal.facts_of(started)
    house = laboratory.load(edition.template) if edition.template else laboratory.of_record(recorded)
    release, waivers = formal.release_of(started), journal.of(Waiver)
    signs: Counter[str] = Counter()
    for source in known.values():
        signs[MARKS[source.mark].sign if source.mark in MARKS else ""] += source.used
    return Page(
        language=words,
        run_id=journal.run_id,
        started=started,
        start_utc=journal.entries[0].utc,
        end_utc=journal.entries[-1].utc,
        issued_utc=journal.entries[-1].utc,
        laboratory=house,
        place=house.place or house.address,
        order=formal.order_of(started, str(recorded.get("customer") or "")),
        release=release,
        signed_by=formal.signed_by(edition.signer),
        deviations=tuple(formal.deviations(words, started, release, summary, others, waivers)),
        facts=facts,
        summary=summary,
        tiles=tuple(evidence.tile(verdict, found, last.values()) for verdict in _LARGE),
        notices=tuple(notices(journal, house, str(recorded.get("name") or ""), words)),
        not_passed=tuple(one for one in evidence.not_passed(found) if one not in others),
        elsewhere=others,
        instruments=journal.of(Instrument),
        overdue=overdue(journal),
        environment=tuple(one for one in last.values() if "ambient" in one.base and one.value is not None),
        rules=tuple(_rule(started, words, *one) for one in Counter(one.rule for one in measurements).items()),
        screen=_screen(started, words, measurements),
        sources=tuple(known.values()),
        not_rechecked=signs["†"],
        assumed=signs["‡"],
        effort=_effort(measurements),
        monte_carlo=_monte_carlo(measurements),
        areas=evidence.by_area(found),
        figures=tuple(evidence.figures(started.charts, list(last.values()), Figures(words))),
        waivers=waivers,
        findings=tuple(one for one in journal.of(Finding) if not one.severity),
        review=formal.reviewed(journal.of(Finding)),
        notes=tuple(_together(journal.of(Note))),
        safe_states=journal.of(SafeState),
        attachments=journal.of(Attachment),
        points=sum(one.value is not None for one in last.values()),
        repeated=sum(one.attempt > 1 for one in last.values()),
        lines=len(journal.entries),
        last_hash=journal.last_hash,
    )


def _rule(started: RunStarted, words: Language, name: str, used: int) -> UsedRule:
    """Say what a rule does: in the record's words, or in ours for a record that has none."""
    said = started.decision
    if said.get("rule") == name:
        clause, text, risk = (_targeted(words, str(said[key])) for key in ("clause", "rule_text", "risk_text"))
        return UsedRule(name, clause, text, risk, used)
    try:
        ours = describe(name)
    except SetupError:
        return UsedRule(name, "", "", "", used)
    return UsedRule(name, ours.clause, _targeted(words, ours.rule_text), _targeted(words, ours.risk_text), used)


def _targeted(words: Language, text: str) -> str:
    """Say a rule's sentence in the page's language; some have a target, the one percentage in them."""
    if found := re.search(r"\b[\d.]+ %", text):
        pattern = text.replace(found[0], "{target}")
        if words.text(pattern) != pattern:
            return words.say(pattern, target=words.figures(found[0]))
    return words.text(text)


def _screen(started: RunStarted, words: Language, measurements: Sequence[Measurement]) -> UsedRule | None:
    said = started.decision
    if not said.get("screen"):
        return None
    screened = [one.judgement["screen"] for one in measurements if one.judgement.get("screen")]
    keys = ("screen_clause", "screen_text", "screen_risk_text")
    clause, text, risk = (_targeted(words, str(said.get(key, ""))) for key in keys)
    rejected = sum(one["verdict"] != Verdict.PASS for one in screened)
    return UsedRule(str(said["screen"]), clause, text, risk, len(screened), rejected)


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
