"""The tests of a run as the reports for CI need them: when each began and ended, how, and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hil.journal.events import Event, SafeState, TestFinished, TestStarted
from hil.journal.lasted import lasted_s
from hil.journal.reader import Entry, Journal
from hil.metrology.decision import Verdict

BAD = frozenset({Verdict.FAIL, Verdict.CONDITIONAL_FAIL})


@dataclass(frozen=True, slots=True)
class Case:
    """One execution of one test; `nth` counts executions of the same node id from 1, entries are its own lines."""

    node: str
    nth: int
    requirement: tuple[str, ...]
    title: str
    verdict: Verdict
    blame: str
    reason: str
    start: str
    stop: str
    duration_s: float  # by the wall clock, as far as it was not set meanwhile
    entries: tuple[Entry, ...]
    first: int  # seq of the line that began it
    last: int  # seq of its last line

    @property
    def module(self) -> str:
        """Return the test file as a dotted name."""
        return self.node.partition("::")[0].removesuffix(".py").replace("/", ".")

    @property
    def name(self) -> str:
        """Return the node id without its file."""
        return self.node.partition("::")[2] or self.node

    @property
    def message(self) -> str:
        """Return whose fault it was and why, as one line; empty for what passed."""
        blame = self.blame or ("unit" if self.verdict in BAD else "")
        return ": ".join(part for part in (blame, self.reason or (str(self.verdict) if blame else "")) if part)


def cases(journal: Journal) -> tuple[Case, ...]:
    """Return the tests in the order in which they began; one without an end is aborted."""
    found: list[Case] = []
    counts: dict[str, int] = {}
    entries = journal.entries
    starts = [place for place, entry in enumerate(entries) if isinstance(entry.event, TestStarted)]
    for number, place in enumerate(starts):
        limit = starts[number + 1] if number + 1 < len(starts) else len(entries)
        started = entries[place].event
        assert isinstance(started, TestStarted)
        counts[started.test] = counts.get(started.test, 0) + 1
        found.append(_case(journal, started, entries[place:limit], counts[started.test]))
    return tuple(found)


def _case(journal: Journal, started: TestStarted, entries: tuple[Entry, ...], nth: int) -> Case:
    own = tuple(entry for entry in entries[1:] if _test_of(entry.event) == started.test)
    end = next((entry for entry in own if isinstance(entry.event, TestFinished)), None)
    if end is None or not isinstance(end.event, TestFinished):
        verdict, (blame, reason) = Verdict.ABORTED, _cut_off(journal)
        last = own[-1] if own else entries[0]
    else:
        verdict, blame, reason = Verdict(end.event.verdict), end.event.blame, end.event.reason
        last = end
    times = [(entry.utc, entry.bench_s) for entry in entries if entry.seq <= last.seq]
    return Case(
        node=started.test,
        nth=nth,
        requirement=tuple(started.requirement),
        title=started.title,
        verdict=verdict,
        blame=blame,
        reason=reason,
        start=entries[0].utc,
        stop=last.utc,
        duration_s=lasted_s(times, simulated=journal.started.simulated),
        entries=own,
        first=entries[0].seq,
        last=last.seq,
    )


def _cut_off(journal: Journal) -> tuple[str, str]:
    """Return whose fault it is that a test has no end, and what the guard knew of it."""
    if journal.finished is not None:
        return "", "the run ended inside this test"
    known = [state.why for state in journal.of(SafeState) if state.by == "guard"]
    return "bench", ": ".join(["the run died inside this test", *known[-1:]])


def parse_utc(text: str) -> datetime:
    """Parse a line's `utc`."""
    return datetime.fromisoformat(text)


def _test_of(event: Event) -> str:
    return str(getattr(event, "test", ""))
