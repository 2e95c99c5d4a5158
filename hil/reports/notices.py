"""What a reader must know before the numbers; the rest of the page repeats each in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hil.journal.events import CLOCK_SET_BACK, TORN, Event, Instrument, Measurement, Note, SafeState
from hil.journal.reader import Journal
from hil.journal.summary import death
from hil.metrology.sources import CHECKED, unverified
from hil.reports.laboratory import Laboratory
from hil.reports.language import Language

VERIFIED = CHECKED | {"datasheet", "computed", "design"}  # of limits: what needs no sign


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader must not overlook."""

    title: str
    text: str


def notices(journal: Journal, laboratory: Laboratory, recorded: str, language: Language) -> Iterator[Notice]:
    """Say what must not be overlooked; recorded is the laboratory's name in the record."""
    yield from _of_the_record(journal, language)
    yield from _of_the_bench(journal, language)
    if laboratory.name and recorded and laboratory.name != recorded:
        yield Notice(
            language.text("Another laboratory than on record"),
            language.say("The record of this run names {name!r} as the laboratory of the station.", name=recorded),
        )
    rows = unverified(journal.of(Measurement), VERIFIED)
    if rows:
        yield Notice(
            language.text("Limits not verified"),
            language.say(
                "Results judged by limits that nobody has compared with the source they quote: {n} (rows of tables: "
                "{rows}). Each carries a sign, which section 3 explains.",
                n=sum(row.used for row in rows),
                rows=len(rows),
            ),
        )
    yield from _of_calibration(journal, language)


def overdue(journal: Journal) -> frozenset[str]:
    """Return the roles whose calibration was due before the run began; ISO dates compare as text."""
    day = journal.entries[0].utc[:10]
    instruments = [one for one in journal.of(Instrument) if one.calibration]
    return frozenset(one.role for one in instruments if one.calibration and str(one.calibration.get("due", day)) < day)


def _of_the_record(journal: Journal, language: Language) -> Iterator[Notice]:
    if journal.started.faults:
        names = ", ".join(journal.started.faults)
        text = language.say("The simulated bench was told to have: {names}.", names=names)
        yield Notice(language.text("Faults on purpose"), text)
    if journal.finished is None:
        rest = language.text("Everything measured until then is on this page.")
        yield Notice(language.text("The record has no end"), f"{_last_words(journal, language)} {rest}")
    if journal.torn:
        yield Notice(
            language.text("The record's last line was cut short"),
            language.text("It was left out; every line before it is whole."),
        )
    for note in journal.of(Note):
        if note.text.startswith((TORN, CLOCK_SET_BACK)):
            yield Notice(language.text("The record itself"), f"{note.text[:1].upper()}{note.text[1:]}.")


def _of_the_bench(journal: Journal, language: Language) -> Iterator[Notice]:
    states = journal.of(SafeState)
    if states and not states[-1].safe:
        text = language.say("{why}. Treat it as live.", why=states[-1].why)
        yield Notice(language.text("The bench could not be proven safe"), text)
    elif journal.finished is None and not states and journal.of(Instrument):
        yield Notice(
            language.text("Nothing says that the bench was made safe"),
            language.text("Treat it as live until somebody has looked."),
        )


def _of_calibration(journal: Journal, language: Language) -> Iterator[Notice]:
    uncalibrated = [one.role for one in journal.of(Instrument) if not one.calibration]
    if uncalibrated and not journal.started.simulated:
        text = language.say("{roles}: traceability is not shown.", roles=", ".join(uncalibrated))
        yield Notice(language.text("No calibration on record"), text)
    if late := overdue(journal):
        yield Notice(language.text("Calibration overdue on the day of the test"), f"{', '.join(sorted(late))}.")
    soon = [one for one in journal.of(Instrument) if (one.calibration or {}).get("status") == "due soon"]
    if soon:
        due = (language.say("{role} on {day}", role=one.role, day=_due(one, language)) for one in soon)
        yield Notice(language.text("Calibration due soon"), f"{', '.join(due)}.")


def _due(one: Instrument, language: Language) -> str:
    return language.date(str((one.calibration or {}).get("due")))


def _last_words(journal: Journal, language: Language) -> str:
    """Say how the run died and what it recorded last."""
    last = next(entry for entry in reversed(journal.entries) if not _of_the_guard(entry.event))
    what = " ".join(part for part in (last.event.EVENT.replace("_", " "), _named(last.event)) if part)
    how = death(journal.events)
    return language.say(
        "{how}. The last thing on record is line {n}, at {utc}: {what}.",
        how=f"{how[:1].upper()}{how[1:]}",
        n=last.seq + 1,
        utc=last.utc,
        what=what,
    )


def _of_the_guard(event: Event) -> bool:
    """Say whether a line was written after the run's death."""
    if isinstance(event, Note):
        return event.text.startswith((TORN, CLOCK_SET_BACK))
    return isinstance(event, SafeState) and event.by == "guard"


def _named(event: Event) -> str:
    return next((str(word) for key in ("name", "text", "why", "test") if (word := getattr(event, key, ""))), "")
