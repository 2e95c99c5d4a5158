"""Interruptions: what is done to a run that holds a live bench, what is promised then, and what really came of it."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.cli import main as hil
from hil.errors import HilError
from hil.journal.events import Measurement, SafeState, TestFinished
from hil.journal.reader import Journal, read_journal
from hil.journal.summary import summarise
from tests.reliability.bench import energised, open_bench, unsafe
from tests.reliability.running import Running, Ways, make_room, start

LIVE_V, LIVE_A, MADE = 200.0, 0.9, 3  # what a scene that holds has at least
BENCH_FAULT = 3
LATE_S, TRIES = 0.05, 3  # a thread of ours that asked to be woken was woken so late, or later
SWITCHED: dict[str, Callable[[dict[str, Any]], bool | None]] = {  # an event of the world -> what it says of each
    "mains": lambda e: e["on"] if e["kind"] == "power" and e["what"] == "mains" else None,
    "load": lambda e: e["on"] if e["kind"] == "load" else None,
    "surge generator": lambda e: e["charged"] if e["kind"] == "surge_generator" else None,
    "high voltage": lambda e: e["volts"] > 0.0 if e["kind"] == "hipot" else None,
    **{f"DC output {n}": lambda e, n=n: e["on"] if e["kind"] == "dc" and e["output"] == n else None for n in (1, 2, 3)},
}

WAYS = Ways()
ONE_REPORT = threading.Lock()  # stdout is one for all threads

Deed = Callable[[Running], float | None]  # returns the world's time of it where it knows better


@dataclass(frozen=True, slots=True)
class Interruption:
    """One row of the table. What is None is not promised."""

    name: str
    what: str  # in words, for the page
    deed: Deed | None  # None: the scene does it
    exit_code: int | None
    by: str | None = None  # who makes the bench safe: run or guard
    deadline_s: float | None = None  # of bench time, until nothing carries energy any more
    ways: Ways = WAYS
    keeps: bool = True  # every measurement made is on record, and its chain is whole
    safe: bool = True  # nothing is left on; else it may be, and then the run says so and the next one is refused
    interlock: bool = False  # the deadline is the mains source's
    bench: tuple[str, ...] = ()  # how its simulated station is started
    says: str = ""  # what the run's last words have in them, where the record takes no more
    often: bool = True  # a test of every day; the page has all of them


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was left of a run and its bench."""

    exit_code: int
    before: dict[str, Any]  # the physics when the scene held
    after: dict[str, Any]
    mains_off_s: float | None  # bench time since the deed; None: it is still on
    safe_s: float | None
    violations: tuple[str, ...]
    made: int  # measurements
    lost: int
    record_error: str  # why the record cannot be read
    safe_state: SafeState | None  # the first that holds; else the last
    left_unsafe: str  # what the next run is told
    verdict: str
    reason: str
    blames: frozenset[str]  # of the tests
    report_exit: int
    late_s: float  # how long this machine has let somebody wait who had asked to be woken
    output: str
    acted: bool | None  # whether the bench's misbehaviour met an answer


class Watchdog:
    """Asks to be woken every few milliseconds, and notes how late it ever was: so late was this machine."""

    PERIOD_S = 0.005

    def __init__(self) -> None:
        self.late_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            before_s = time.monotonic()
            time.sleep(self.PERIOD_S)
            self.late_s = max(self.late_s, time.monotonic() - before_s - self.PERIOD_S)


def broken(one: Interruption, outcome: Outcome) -> list[str]:
    """Say which promises do not hold; nothing, when all do."""
    before, after, state = outcome.before, outcome.after, outcome.safe_state
    held = before["mains_v"] > LIVE_V and before["load_a"] > LIVE_A and before["contacts"]["K1"]
    on = unsafe(after) if held and one.safe else energised(after)
    loud = bool(outcome.left_unsafe) and outcome.exit_code == BENCH_FAULT
    proven = state is not None and state.safe
    took_s = outcome.mains_off_s if one.interlock else outcome.safe_s
    promises = {
        "the scene never held a live bench": held or bool(one.bench),
        f"exit code {outcome.exit_code}, not {one.exit_code}": one.exit_code in {None, outcome.exit_code},
        f"left on: {', '.join(on)}": not on or (not one.safe and (loud or one.by is None)),
        "relays were switched": after["contacts"] == before["contacts"],  # they latch: making safe pulses no coil
        f"the world objects: {', '.join(outcome.violations)}": not outcome.violations,
        f"{took_s} s until safe": one.deadline_s is None or (took_s is not None and took_s <= one.deadline_s),
    }
    if one.keeps:
        promises |= {
            f"the record cannot be read: {outcome.record_error}": not outcome.record_error,
            f"{outcome.lost} of {outcome.made} measurements lost": outcome.lost == 0,
            "nothing was measured": outcome.made >= MADE or not held,
            f"the verdict is {outcome.verdict}": outcome.verdict == "aborted",
            "the unit is blamed": "unit" not in outcome.blames,
            "not proven safe, and the next run is not refused": proven or loud or not held or one.by is not None,
            f"hil report ended with {outcome.report_exit}": outcome.report_exit == 0,
        }
    if one.says:
        promises[f"nobody said {one.says!r}"] = one.says in outcome.output
    elif one.by:
        promises |= {
            "no safe state is on record": state is not None and state.safe and set(state.readback.values()) == {"off"},
            f"made safe by {state and state.by}, not by {one.by}": state is not None and state.by == one.by,
        }
    return [what for what, holds in promises.items() if not holds]


def interrupt_fairly(one: Interruption, folder: Path) -> Outcome:
    """Do it; where a promised moment was missed on a machine that can be shown to have been late itself, again."""
    for number in range(TRIES):
        outcome = interrupt(one, folder / str(number))
        late = one.interlock and (outcome.mains_off_s or 0.0) > (one.deadline_s or 0.0)
        if not late or outcome.late_s < LATE_S:
            break
    return outcome


def interrupt(one: Interruption, folder: Path) -> Outcome:
    """Do it, on a simulated station of its own."""
    with open_bench(*one.bench) as bench, start(bench, folder, one.ways) as running:
        return interrupt_running(one, running)


def interrupt_running(one: Interruption, running: Running) -> Outcome:
    """Do it to a run that has just been started."""
    bench = running.bench
    before = running.hold()
    with Watchdog() as watchdog:
        done_s = bench.now_s()
        if one.deed is not None:
            done_s = one.deed(running) or done_s
        exit_code = running.finish()
    make_room(running.runs)
    if told := running.told("deed"):
        done_s = float(told[0][0])
    return _look(running, exit_code, before, done_s, watchdog)


def _look(running: Running, exit_code: int, before: dict[str, Any], done_s: float, watchdog: Watchdog) -> Outcome:
    bench = running.bench
    after, events = bench.state(), bench.events()
    made = {(name, int(attempt)) for name, attempt in running.told("measured")}
    journal, record_error = _journal(running)
    recorded = {(m.name, m.attempt) for m in journal.of(Measurement)} if journal else set()
    states = journal.of(SafeState) if journal else ()
    summary = summarise(journal.events) if journal else None
    return Outcome(
        exit_code=exit_code,
        before=before,
        after=after,
        mains_off_s=_off_after_s(("mains",), events, after, done_s),
        safe_s=_off_after_s(tuple(SWITCHED), events, after, done_s),
        violations=tuple(str(e["what"]) for e in events if e["kind"] == "violation"),
        made=len(made),
        lost=len(made - recorded),
        record_error=record_error,
        safe_state=next((state for state in states if state.safe), states[-1] if states else None),
        left_unsafe=_left_unsafe(running.locks),
        verdict=summary.verdict.value if summary else "",
        reason=summary.reason if summary else "",
        blames=frozenset(test.blame for test in journal.of(TestFinished)) if journal else frozenset(),
        report_exit=_report(journal),
        late_s=watchdog.late_s,
        output=running.words(),
        acted=next((fault["acted"] for fault in bench.control.ask("faults")["faults"]), None),
    )


def _off_after_s(
    names: tuple[str, ...], events: list[dict[str, Any]], after: dict[str, Any], done_s: float
) -> float | None:
    """Return the bench time from the deed until the last of these was switched off; None when one is on."""
    if set(names) & set(energised(after)):
        return None
    last_s = done_s
    for name in names:
        on = False
        for event in events:
            says = SWITCHED[name](event)
            if says is False and on:
                last_s = max(last_s, event["t_s"])
            on = on if says is None else says
    return last_s - done_s


def _journal(running: Running) -> tuple[Journal | None, str]:
    try:
        return read_journal(running.record), ""
    except (HilError, ValueError) as error:
        return None, str(error)


def _left_unsafe(locks: Path) -> str:
    """Return how the bench was left, by what the next run reads."""
    words = [json.loads(text) for path in locks.glob("*.lock") if (text := path.read_text().strip())]
    return next((str(said["unsafe"]) for said in words if said["unsafe"]), "")


def _report(journal: Journal | None) -> int:
    """Make the reports again, as a person does the next day."""
    if journal is None:
        return -1
    with ONE_REPORT, contextlib.redirect_stdout(io.StringIO()):
        return hil(["report", str(journal.folder), "--no-pdf"])
