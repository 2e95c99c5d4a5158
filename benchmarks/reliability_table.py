"""Make docs/reliability.md: do to a run what can befall it, and let the bench misbehave, and say what was left.

Run it as `python -m benchmarks.reliability_table [--only WORD]`; with --only it prints the rows and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.reliability.bench import ROOT, energised
from tests.reliability.harness import Interruption, Outcome, broken, interrupt_fairly
from tests.reliability.interruptions import BREAKDOWNS, INTERLOCKS, NOT_PROMISED, SIGNALS
from tests.reliability.misbehaviours import MISBEHAVIOURS
from tests.reliability.running import NoSmallDisk

PAGE = ROOT / "docs/reliability.md"
AT_ONCE = 2
REASON = 110  # characters


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one interruption; neither, where this machine cannot do it."""

    one: Interruption
    outcome: Outcome | None
    broken: list[str]
    cannot: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One table of the page."""

    title: str
    text: str
    rows: Sequence[Interruption]
    promised: bool
    columns: dict[str, Callable[[Row, Outcome], str]]


def seconds(value: float | None) -> str:
    """Bench time, to the millisecond."""
    return "never" if value is None else f"{value:.3f}"


def left(row: Row, outcome: Outcome) -> str:
    """What the physics said at the end: output, load, DC outputs, surge generator, and the relays."""
    after = outcome.after
    on = energised(after)
    closed = [name for name, closed in after["contacts"].items() if closed]
    relays = f"{', '.join(closed)} closed" if closed else "all open"
    relays += "" if after["contacts"] == outcome.before["contacts"] else ", SWITCHED"
    volts, amps = after["mains_v"], after["load_a"]
    return f"{volts:.0f} V, {amps:.0f} A; " + (f"**{', '.join(on)} on**; " if on else "all off; ") + relays


def lost(row: Row, outcome: Outcome) -> str:
    """Of how many."""
    if outcome.record_error:
        return f"**all** of {outcome.made}"
    return f"{outcome.lost} of {outcome.made}"


def by(row: Row, outcome: Outcome) -> str:
    """Who has put a safe state on record."""
    if not energised(outcome.before):
        return "nothing was on"
    state = outcome.safe_state
    if state is not None and state.safe:
        return state.by
    if outcome.left_unsafe:
        return "not proven; next run refused"
    return "run, not on record" if outcome.exit_code >= 0 and not energised(outcome.after) else "nobody"


def noticed(row: Row, outcome: Outcome) -> str:
    """What the run said."""
    if "" in outcome.blames and "bench" not in outcome.blames:
        asked = "it gave no such answer" if outcome.acted is False else "the driver asked again"
        return f"{asked}: the test went on, and all it measured was right"
    words = outcome.reason.replace("|", "/").replace("`", "'")
    return words if len(words) <= REASON else words[:REASON] + " ..."


def promise(row: Row, outcome: Outcome) -> str:
    return "" if row.one.deadline_s is None else f"{row.one.deadline_s:g}"


OFF_S = "mains off after, s"
INTERRUPTED = {
    "what": lambda row, _: row.one.name,
    "what was done": lambda row, _: row.one.what,
    "output, load and relays after": left,
    "made safe by": by,
    OFF_S: lambda _, outcome: seconds(outcome.mains_off_s),
    "all off after, s": lambda _, outcome: seconds(outcome.safe_s),
    "promised within, s": promise,
    "measurements lost": lost,
    "exit code": lambda _, outcome: str(outcome.exit_code),
}
MISBEHAVED = {
    "fault": lambda row, _: f"`{row.one.name}`",
    "what the run said": noticed,
    "output, load and relays after": left,
    "made safe by": by,
    OFF_S: lambda _, outcome: seconds(outcome.mains_off_s),
    "measurements lost": lost,
    "exit code": lambda _, outcome: str(outcome.exit_code),
}

GROUPS = (
    Group(
        "Signals",
        "Sent to the run's process, from outside, while 1 A flows through a relay of the unit at 230 V.",
        SIGNALS,
        True,
        INTERRUPTED,
    ),
    Group(
        "Breakdowns",
        "Of the test, of pytest, of the disk, of the guard, of an instrument.",
        BREAKDOWNS,
        True,
        INTERRUPTED,
    ),
    Group(
        "Interlocks",
        "From the lid's or the button's own edge in the world's log to the source's output off; blame `setup`.",
        INTERLOCKS,
        True,
        INTERRUPTED,
    ),
    Group(
        "Misbehaviour of the bench",
        "Each fault of `hil sim --list-faults` that sits on the bench's side of the unit begins while the test uses "
        "that instrument, three times over. The unit is never blamed. A fault that is seen when the bench is opened "
        "leaves nothing to measure: nothing was on. Time includes the deadline of its link. Where an instrument cannot "
        "be reached any more the bench is not proven safe: the run says so, and the next one is refused until "
        "`hil station check` has "
        "found it off.",
        MISBEHAVIOURS,
        True,
        MISBEHAVED,
    ),
    Group("Not promised, and what happens then", "", NOT_PROMISED, False, INTERRUPTED),
)

HEAD = """# What is left when a run does not end well

Made by `make reliability` on {when}; do not edit.

Each row is a certification run in a process of its own, on a simulated station in a process of its own whose world runs
in real time: {cores} cores ({machine}), {memory:.0f} GiB, Python {python}, {at_once} runs at a time, {took:.0f} min.
The bench is really live when it happens: 230 V at the unit and 1 A through its relay K1. Output and relays are what the
simulated physics did, not what instruments or drivers say. Seconds are bench time, by the world's own clock, from the
deed until the source's output is off and until nothing carries energy any more. A relay latches: it stays as it was,
without voltage, and no coil is pulsed by making the bench safe. A measurement is lost when `measure` had returned and
the record does not have it; in every row that promises it the record's chain was whole, its verdict `aborted`, and
`hil report` made its reports from it.

**{verdict}**
"""

TAIL = """
What no program on this computer can promise:

- *Two failures at once*: run and guard killed together. What is on stays on until the next run, or `hil station safe`:
  the locks of the dead say so, and the next run makes the bench safe before it measures anything.
- *A power cut of the computer*, or its kernel: no process is left. The bench needs an interlock of its own in the mains
  path, and instruments with an output watchdog.
- *An instrument that ignores `off`*, or cannot be reached any more while it is on: the run says so, loudly, blames the
  bench, and no run begins there until somebody has looked. The emergency stop must cut mains by hardware.
- *The exit code of a process that a test ends itself* (`os._exit`): it is the test's. The record says that
  the run died.
- *The record, when somebody removes it*: what is gone is gone. The run notices, stops and makes the bench safe.
"""


def main() -> int:
    """Do everything, write the page; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="rows with this in their name; nothing is written")
    only = parser.parse_args().only
    began = datetime.now(UTC)
    chosen = [(group, one) for group in GROUPS for one in group.rows if only in one.name]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(lambda n: _row(chosen[n][0], chosen[n][1], Path(folder) / str(n)), range(len(chosen))))
    wrong = [row for row in rows if row.broken]
    promised = sum(group.promised for group, _ in chosen)
    kept = promised - sum(bool(row.broken) and group.promised for row, (group, _) in zip(rows, chosen, strict=True))
    verdict = f"{kept} of {promised} rows kept every promise."
    tables = [
        _table(group, [row for row, (its, _) in zip(rows, chosen, strict=True) if its is group]) for group in GROUPS
    ]
    head = HEAD.format(
        when=f"{began:%Y-%m-%d %H:%M} UTC",
        cores=os.cpu_count(),
        machine=platform.machine(),
        memory=psutil.virtual_memory().total / 2**30,
        python=platform.python_version(),
        at_once=AT_ONCE,
        took=(datetime.now(UTC) - began).total_seconds() / 60,
        verdict=verdict,
    )
    text = "\n".join([head, *tables]) + TAIL
    if only:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
    for row in wrong:
        print(f"BROKEN: {row.one.name}: {'; '.join(row.broken)}")
    print(verdict)
    return 1 if wrong else 0


def _row(group: Group, one: Interruption, folder: Path) -> Row:
    began_s = time.monotonic()
    try:
        outcome = interrupt_fairly(one, folder)
    except NoSmallDisk as error:
        return Row(one, None, [], str(error))
    except Exception as error:  # noqa: BLE001 - one row that breaks spoils no other
        return Row(one, None, [f"{type(error).__name__}: {error}"])
    row = Row(one, outcome, broken(one, outcome) if group.promised else [])
    print(f"{time.monotonic() - began_s:6.1f} s  {one.name}  {'; '.join(row.broken) or 'ok'}", file=sys.stderr)
    return row


def _table(group: Group, rows: list[Row]) -> str:
    lines = [f"## {group.title}", "", *([group.text, ""] if group.text else [])]
    lines += ["| " + " | ".join(group.columns) + " |", "|" + "---|" * len(group.columns)]
    for row in rows:
        if row.outcome is None:
            lines.append(f"| {row.one.name} | {row.cannot or row.broken[0]} |" + " |" * (len(group.columns) - 2))
        else:
            cells = [cell(row, row.outcome) for cell in group.columns.values()]
            cells[0] += f" **BROKEN: {'; '.join(row.broken)}**" if row.broken else ""
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
