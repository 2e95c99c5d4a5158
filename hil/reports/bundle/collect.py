"""What runs of several units say together: each requirement by unit, each measured point over all units.

Nothing is judged anew: the verdicts are those of the journals.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.journal.events import Attachment, Finding, Instrument, Measurement, Waiver
from hil.journal.reader import Journal, read_journal
from hil.journal.summary import RunSummary, summarise
from hil.metrology.rules import describe
from hil.names import PLAIN_NAME, check_serial
from hil.reports import manifest

SOFTWARE = "application/vnd.hil.software+json"
STAGE = "type"


@dataclass(frozen=True, slots=True)
class Unit:
    """One run of one unit, and what came of it; `path` is its folder in the bundle."""

    folder: Path
    journal: Journal
    summary: RunSummary
    path: str

    @property
    def serial(self) -> str:
        """The unit's serial number."""
        return self.journal.started.serial

    @property
    def released(self) -> bool:
        """Whether the run was made from a released plan."""
        return self.journal.started.release.get("status") == "released"


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement: its verdict for each unit, in the units' order; None where a run's plan does not have it."""

    id: str
    title: str
    area: str
    verdicts: tuple[str | None, ...]
    required: bool  # of any unit


@dataclass(frozen=True, slots=True)
class Spread:
    """One measured point over all units, last attempts: values in `unit`; `least_margin` is to the nearer limit."""

    name: str
    requirement: str
    unit: str
    values: int
    least: float
    mean: float
    most: float
    largest_u: float | None  # expanded
    low: float | None
    high: float | None
    least_margin: float | None
    least_serial: str  # whose value is nearest to its limit, or farthest beyond

    @property
    def scale(self) -> float:
        """The magnitude by which all its numbers share one SI prefix."""
        return max(abs(self.least), abs(self.most), self.largest_u or 0.0)

    @property
    def nearness(self) -> float:
        """The least margin in parts of the limit it is a margin to; infinite where there is no limit."""
        edges = [abs(edge) for edge in (self.low, self.high) if edge]
        return self.least_margin / max(edges) if self.least_margin is not None and edges else math.inf


@dataclass(frozen=True, slots=True)
class Used:
    """An instrument as it was used by runs, with the calibration it had then."""

    instrument: Instrument
    station: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A decision rule and how many measurements were judged by it."""

    name: str
    clause: str
    text: str
    judged: int


@dataclass(frozen=True, slots=True)
class Release:
    """What runs were made from: a released plan, one that was changed since, or none; differences are counted."""

    status: str
    id: str
    by: str
    on: str
    differences: int
    runs: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a reader must not overlook: a sentence with {places}, and what stands in them."""

    text: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return self.text.format(**self.values)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a bundle says, gathered from the journals."""

    board: str
    revision: str
    units: tuple[Unit, ...]
    lines: tuple[Line, ...]
    spreads: tuple[Spread, ...]
    instruments: tuple[Used, ...]
    rules: tuple[Rule, ...]
    releases: tuple[Release, ...]
    waivers: tuple[tuple[str, Waiver], ...]  # with the run's id
    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]

    @property
    def simulated(self) -> bool:
        """Whether any run was made on a simulation."""
        return any(one.journal.started.simulated for one in self.units)

    @property
    def released(self) -> bool:
        """Whether every run was made from a released plan."""
        return all(one.released for one in self.units)

    @property
    def last_utc(self) -> str:
        """When the last of the runs ended."""
        return max(one.journal.entries[-1].utc for one in self.units)


def collect(board: str, revision: str, folders: Sequence[Path]) -> Evidence:
    """Gather the runs in folders; raises SetupError for none, a run named twice, and one of another board or revision.

    Raises JournalDamaged or JournalVersion for a record that cannot be read.
    """
    if not folders:
        raise SetupError("no run is named", "name the runs, e.g. by the serial numbers of their units")
    units = tuple(_unit(board, revision, folder) for folder in folders)
    if len({one.journal.run_id for one in units}) < len(units):
        raise SetupError("a run is named twice", "name each once")
    units = tuple(sorted(units, key=lambda one: (one.serial, one.journal.run_id)))
    return Evidence(
        board=board,
        revision=revision,
        units=units,
        lines=tuple(_lines(units)),
        spreads=tuple(_spreads(units)),
        instruments=tuple(_used(units)),
        rules=tuple(_rules(units)),
        releases=tuple(_releases(units)),
        waivers=tuple((one.journal.run_id, waiver) for one in units for waiver in one.journal.of(Waiver)),
        findings=tuple(_findings(units)),
        notices=tuple(_notices(units)),
    )


def software(unit: Unit) -> dict[str, Any] | None:
    """Return what software a run was made with, or None where its record does not say."""
    for one in unit.journal.of(Attachment):
        if one.media_type == SOFTWARE:
            found: dict[str, Any] = json.loads(unit.journal.attachment(one.sha256))
            return found
    return None


def _unit(board: str, revision: str, folder: Path) -> Unit:
    journal = read_journal(folder)
    started = journal.started
    if (started.board, started.revision) != (board, revision):
        raise SetupError(
            f"{folder} is a run of {started.board} revision {started.revision}, not of {board} revision {revision}",
            "leave it out, or name its board and revision",
        )
    check_serial(started.serial)
    if not PLAIN_NAME.fullmatch(journal.run_id):  # a record from elsewhere may say anything, and this names a folder
        raise SetupError(f"{folder}: its run id {journal.run_id[:80]!r} cannot name a folder", "leave it out")
    return Unit(folder, journal, summarise(journal.events), f"runs/{started.serial}/{journal.run_id}")


def _lines(units: Sequence[Unit]) -> Iterator[Line]:
    found = [{one.id: one for one in unit.summary.requirements} for unit in units]
    for id_ in dict.fromkeys(id_ for one in found for id_ in one):
        known = [one[id_] for one in found if id_ in one]
        verdicts = tuple(one[id_].verdict.value if id_ in one else None for one in found)
        yield Line(id_, known[0].title, known[0].area, verdicts, any(one.required for one in known))


def _spreads(units: Sequence[Unit]) -> Iterator[Spread]:
    points: dict[str, dict[str, Measurement]] = {}
    for unit in units:
        for one in sorted(unit.journal.of(Measurement), key=lambda one: one.attempt):
            if one.value is not None:
                points.setdefault(one.name, {})[f"{unit.serial}\n{unit.journal.run_id}"] = one
    for name, by_unit in points.items():
        values = [one.value for one in by_unit.values() if one.value is not None]
        margins = [(margin, who) for who, one in by_unit.items() if (margin := _margin(one)) is not None]
        least_margin, nearest = min(margins, default=(None, ""))
        first = next(iter(by_unit.values()))
        expanded = [one.judgement["expanded_u"] for one in by_unit.values() if "expanded_u" in one.judgement]
        yield Spread(
            name=name,
            requirement=first.requirement,
            unit=first.unit,
            values=len(values),
            least=min(values),
            mean=sum(values) / len(values),
            most=max(values),
            largest_u=max(expanded, default=None),
            low=first.low,
            high=first.high,
            least_margin=least_margin,
            least_serial=nearest.partition("\n")[0],
        )


def _margin(one: Measurement) -> float | None:
    """Return the distance to the nearer limit, positive inside."""
    assert one.value is not None
    sides = ([] if one.low is None else [one.value - one.low]) + ([] if one.high is None else [one.high - one.value])
    return min(sides, default=None)


def _used(units: Sequence[Unit]) -> Iterator[Used]:
    found: dict[str, Used] = {}
    for unit in units:
        for one in unit.journal.of(Instrument):
            calibration = {key: value for key, value in (one.calibration or {}).items() if key != "days_left"}
            bare = replace(one, resource="", calibration=calibration or None)
            station = unit.journal.started.station
            key = json.dumps([station, one.role, one.identity, one.serial, calibration], sort_keys=True, default=str)
            before = found.get(key, Used(bare, station, ()))
            found[key] = replace(before, run_ids=(*before.run_ids, unit.journal.run_id))
    yield from found.values()


def _rules(units: Sequence[Unit]) -> Iterator[Rule]:
    judged: dict[str, int] = {}
    said: dict[str, tuple[str, str]] = {}
    for unit in units:
        decision = unit.journal.started.decision
        if decision.get("rule"):
            said[str(decision["rule"])] = (str(decision["clause"]), str(decision["rule_text"]))
        for one in unit.journal.of(Measurement):
            judged[one.rule] = judged.get(one.rule, 0) + 1
    for name, count in judged.items():
        if name not in said:
            try:
                words = describe(name)
            except SetupError:
                said[name] = ("", "")
            else:
                said[name] = (words.clause, words.rule_text)
        yield Rule(name, *said[name], judged=count)


def _releases(units: Sequence[Unit]) -> Iterator[Release]:
    found: dict[tuple[str, str, str, str, int], int] = {}
    for unit in units:
        said = unit.journal.started.release
        status, id_, by, on = (str(said.get(key, "")) for key in ("status", "id", "by", "on"))
        key = (status or "none", id_, by, on, len(said.get("differences", ())))
        found[key] = found.get(key, 0) + 1
    for (status, id_, by, on, differences), runs in found.items():
        yield Release(status, id_, by, on, differences, runs)


def _findings(units: Sequence[Unit]) -> Iterator[Finding]:
    """Yield each finding of the design once, and one that a test met once for each requirement."""
    seen: dict[str, Finding] = {}
    for unit in units:
        for one in unit.journal.of(Finding):
            seen.setdefault(one.finding if one.severity else f"{one.finding} {one.requirement}", one)
    yield from seen.values()


def _notices(units: Sequence[Unit]) -> Iterator[Notice]:
    m = len(units)
    if any(one.journal.started.simulated for one in units):
        yield say("SIMULATED: at least one run was made on a simulation; it says nothing about a physical unit.")
    if n := sum(not one.released for one in units):
        yield say("NOT RELEASED: {n} of {m} runs were not made from a released plan.", n=n, m=m)
    if n := sum(not (one.folder / manifest.ENVELOPE).exists() for one in units):
        yield say("NOT SIGNED: {n} of {m} runs came without a signature of their own.", n=n, m=m)
    if not any(one.journal.started.stage == STAGE for one in units):
        yield say("No run is of the stage that gives type evidence; what only that stage tests is not covered here.")
    if died := [one.journal.run_id for one in units if one.journal.finished is None]:
        yield say("{n} of {m} runs have no end: {runs}.", n=len(died), m=m, runs=", ".join(died))
    plans = {str(one.journal.started.plan.get("sha256")) for one in units}
    if len(plans) > 1:
        yield say("The runs were made from {n} different plans; their digests are listed with the runs.", n=len(plans))


def say(text: str, **values: object) -> Notice:
    """Return a notice; its text is in the catalogue of each language."""
    return Notice(text, values)
