"""The measurements of a run as every export needs them: each attempt with its line, its time and what it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from hil.journal.events import Measurement, RunStarted
from hil.journal.reader import Journal
from hil.journal.summary import standing
from hil.metrology.decision import Verdict

SIMULATED, NOT_RELEASED, RELEASED = "SIMULATED", "NOT RELEASED", "released"


@dataclass(frozen=True, slots=True)
class Line:
    """One attempt of a measurement; `last` says that no later attempt of it counts instead."""

    seq: int  # of the journal's line, from 0
    utc: str  # when it was written there
    said: Measurement
    last: bool

    @property
    def standing(self) -> Verdict:
        """Return what it means for the unit: its verdict, unless the stage's screen says no."""
        return standing(self.said)


def lines(journal: Journal) -> tuple[Line, ...]:
    """Return every attempt of every measurement, in the order of the journal."""
    found = [(entry, entry.event) for entry in journal.entries if isinstance(entry.event, Measurement)]
    counts: dict[str, tuple[int, int]] = {}  # by name: the largest attempt and its line
    for entry, said in found:
        before = counts.get(said.name)
        if before is None or said.attempt > before[0]:
            counts[said.name] = (said.attempt, entry.seq)
    return tuple(Line(entry.seq, entry.utc, said, counts[said.name][1] == entry.seq) for entry, said in found)


def release_status(started: RunStarted) -> str:
    """Return released, changed or none; a record that says nothing comes from no released plan."""
    return str(started.release.get("status") or "none")


def marks(started: RunStarted) -> tuple[str, ...]:
    """Return what must be seen before any number is believed: SIMULATED, NOT RELEASED, both or neither."""
    seen = (SIMULATED, started.simulated), (NOT_RELEASED, release_status(started) != RELEASED)
    return tuple(mark for mark, applies in seen if applies)
