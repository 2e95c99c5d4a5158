"""Measurements on record per second, against bare pytest doing the same work.

The work: one test that makes 10,000 readings and judges each against a limit. Bare pytest keeps them in a list, in the
memory of a process that may die; we put each on disk, chained, before the next one is made. Both run in a pytest of
their own, best of three; "net" takes out what a pytest with an empty test costs. `python -m benchmarks.bench_journal`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNT = 10_000
ROUNDS = 3
GOAL_S = 1.5  # for 10,000 measurements in one test, in total

EMPTY = "def test_it():\n    pass\n"

BARE = f"""
def test_it():
    kept, bad = [], []
    for n in range({COUNT}):
        name, value = f"metering.active_power_error[n={{n}}]", 0.25 + n * 1e-6
        kept.append((name, value, "%", -1.0, 1.0))
        if not -1.0 <= value <= 1.0:
            bad.append(name)
    assert not bad and len(kept) == {COUNT}
"""

OURS = f"""
from pathlib import Path
from hil.clock import RealClock
from hil.journal.events import Measurement, RunStarted, TestFinished, TestStarted
from hil.journal.writer import JournalWriter
from hil.metrology.decision import judge
from hil.metrology.reading import Reading

LIMIT = {{"standard": "IEC 62053-21", "edition": "2003", "table": "balanced load", "source_mark": "nrc",
         "verified_by": "", "verified_on": ""}}
HEAD = {{"serial": "S", "board": "b", "revision": "A", "stage": "type", "station": "sim",
        "simulated": True, "operator": "", "plan": {{}}, "software": {{}}, "python": "3", "seed": 0}}

def test_it(tmp_path):
    bad = []
    with JournalWriter(tmp_path, RealClock()) as journal:
        journal.write(RunStarted(**HEAD))
        journal.write(TestStarted("t"))
        for n in range({COUNT}):
            name, reading = f"metering.active_power_error[n={{n}}]", Reading(0.25 + n * 1e-6, "%", 0.05, 9.0)
            judged = judge(reading, -1.0, 1.0, "simple", 1.5)
            journal.write(Measurement(
                test="t", name=name, requirement="MET-05", value=reading.value, unit=reading.unit, u=reading.u,
                dof=reading.dof, low=-1.0, high=1.0, limit=LIMIT, rule="simple", verdict=judged.verdict,
                reason=judged.reason, point={{"socket": 1, "n": n}}))
            if judged.verdict != "pass":
                bad.append(name)
        journal.write(TestFinished("t"))
    assert not bad
"""


def run_s(text: str, folder: Path) -> float:
    """Run one test module in a bare pytest of its own and return the best wall time, in seconds."""
    module = folder / "test_bench.py"
    module.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(module)]
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    best_s = float("inf")
    for _ in range(ROUNDS):
        begin_s = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        best_s = min(best_s, time.perf_counter() - begin_s)
    return best_s


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="hil-bench-") as folder:
        empty_s = run_s(EMPTY, Path(folder))
        bare_s = run_s(BARE, Path(folder))
        ours_s = run_s(OURS, Path(folder))
    print(f"{COUNT:,} measurements in one test, best of {ROUNDS}, an empty pytest takes {empty_s:.2f} s\n")
    print(f"{'':34}{'total s':>9}{'net s':>9}{'per s':>12}{'us each':>9}")
    for name, total_s in (("bare pytest, a list in memory", bare_s), ("hil, judged, chained, on disk", ours_s)):
        net_s = max(total_s - empty_s, 1e-3)  # below a millisecond is noise of the process
        print(f"{name:34}{total_s:>9.2f}{net_s:>9.3f}{COUNT / net_s:>12,.0f}{net_s / COUNT * 1e6:>9.1f}")
    goal = "met" if ours_s < GOAL_S else "MISSED"
    print(f"\nratio of total times {ours_s / bare_s:.2f}; the goal, under {GOAL_S} s in total, is {goal}")


if __name__ == "__main__":
    main()
