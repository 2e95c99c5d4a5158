"""The traceability matrix of a run, of its journal alone: from requirement and clause to instrument and calibration.

An instrument stands behind a value as `reading` only where the journal names it among the inputs of that value. A yes
or no has no such input, nor has what the unit says of itself: there the instruments that the test spoke to stand, as
`spoken to`. A journal of before format 3 named neither, and its rows say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from hil.journal.events import Instrument, Measurement, TestFinished, TestStarted
from hil.journal.reader import Journal
from hil.journal.summary import summarise

NAMES_INSTRUMENTS = 3  # the first format of the journal that does
READING, SPOKEN_TO, NONE, NOT_ON_RECORD = "reading", "spoken to", "none", "not on record"
NOT_MEASURED = "not measured"
USES = {
    READING: "its reading is an input of the value",
    SPOKEN_TO: "its test spoke to it; no reading of it is an input of the value",
    NONE: "its test spoke to no instrument",
    NOT_ON_RECORD: "a journal of before format 3 does not name them, nor does one whose run died within the test",
}


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One measurement, in its last attempt, and one instrument; what is not known or does not apply is empty."""

    requirement: str
    title: str
    area: str
    required: bool
    requirement_verdict: str
    measurement: str = ""
    verdict: str = ""
    standard: str = ""
    edition: str = ""
    table: str = ""
    source_mark: str = ""
    test: str = ""
    use: str = ""  # one of USES
    role: str = ""
    model: str = ""
    serial: str = ""
    calibration: str = ""  # the certificate
    laboratory: str = ""
    calibrated_on: str = ""
    due: str = ""
    status: str = ""  # of the calibration on the day of the run; "none" where the instrument has none

    def to_dict(self) -> dict[str, Any]:
        """Return the row by column."""
        return asdict(self)


COLUMNS = tuple(one.name for one in fields(TraceRow))


def matrix(journal: Journal) -> list[TraceRow]:
    """Return the rows in the order of the plan; a requirement that nothing was measured for has one as well.

    What is required and was not measured has a row a point, with the verdict `not measured` and nothing behind it.
    """
    behind = _Behind(journal)
    rows: list[TraceRow] = []
    asked_for = set()
    for asked in summarise(journal.events).requirements:
        asked_for.add(asked.id)
        base = TraceRow(asked.id, asked.title, asked.area, asked.required, asked.verdict.value)
        missing = asked.missing if asked.required else ()
        mine = [replace(base, measurement=name, verdict=NOT_MEASURED) for name in missing]
        for one in asked.measurements:
            mine += behind.rows(_measured(base, one), one)
        rows += mine or [replace(base, test=" ".join(_tests_of(journal, asked.id)))]
    for one in journal.of(Measurement):
        if one.requirement not in asked_for:
            rows += behind.rows(_measured(TraceRow(one.requirement, "", "", False, ""), one), one)
    return rows


def _measured(base: TraceRow, one: Measurement) -> TraceRow:
    limit = one.limit or {}
    return replace(
        base,
        measurement=one.name,
        verdict=one.verdict,
        standard=str(limit.get("standard", "")),
        edition=str(limit.get("edition", "")),
        table=str(limit.get("table", "")),
        source_mark=str(limit.get("source_mark", "")),
        test=one.test,
    )


def _tests_of(journal: Journal, requirement: str) -> Iterator[str]:
    yield from dict.fromkeys(one.test for one in journal.of(TestStarted) if requirement in one.requirement)


class _Behind:
    """Knows the instruments of a run, and which of them each test spoke to."""

    def __init__(self, journal: Journal) -> None:
        self._known = {one.role: one for one in journal.of(Instrument)}
        self._spoken = {one.test: one.instruments for one in journal.of(TestFinished)}
        self._named = journal.started.journal >= NAMES_INSTRUMENTS

    def rows(self, row: TraceRow, one: Measurement) -> list[TraceRow]:
        """Return the row of a measurement once for each instrument behind it, once at least."""
        return [self._with(row, use, role) for use, role in self._uses(one)]

    def _uses(self, one: Measurement) -> list[tuple[str, str]]:
        if one.value is None:  # refused: nothing was measured
            return [("", "")]
        if self._named and one.instruments:
            return [(READING, role) for role in one.instruments]
        if not self._named or one.test not in self._spoken:
            return [(NOT_ON_RECORD, "")]
        return [(SPOKEN_TO, role) for role in self._spoken[one.test]] or [(NONE, "")]

    def _with(self, row: TraceRow, use: str, role: str) -> TraceRow:
        one = self._known.get(role)
        if one is None:
            return replace(row, use=use, role=role)
        made = one.calibration or {}
        return replace(
            row,
            use=use,
            role=role,
            model=one.identity.partition(", serial ")[0].partition(", firmware ")[0],
            serial=one.serial,
            calibration=str(made.get("certificate", "")),
            laboratory=str(made.get("laboratory", "")),
            calibrated_on=str(made.get("date", "")),
            due=str(made.get("due", "")),
            status=str(made.get("status", "")) or "none",
        )
