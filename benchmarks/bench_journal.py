"""10,000 measurements in one test: hil against OpenHTF and against bare pytest, each in processes of its own.

The work: 10,000 readings with a name and a unit, each judged against a limit, and a record of them on disk at the end.
OpenHTF knows no uncertainty, so these readings have none, and the exit code is theirs; what uncertainty costs on top,
Student's t by scipy above all, is a row of its own, told against the same goals.
Bare pytest only keeps and compares them in memory, and is the floor. OpenHTF (work_openhtf.py) keeps them in memory and
writes one JSON file when the test is over; a process that is killed before leaves nothing. We (work_hil.py) write each
to the journal, chained to the one before, before the next is made, and synchronise the disk at the test's end.

Wall time of the whole process, imports included, the rounds interleaved, the best of each. `make bench` makes the
environment for OpenHTF and runs this; by hand: `python -m benchmarks.bench_journal --openhtf .venv-bench/bin/python`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COUNT = 10_000
ROUNDS = 5
GOAL_RATIO = 1.0  # of OpenHTF's wall time
GOAL_ABOVE_S = 1.5  # above bare pytest

BARE = f"""
def test_active_power():
    kept, bad = [], []
    for n in range({COUNT}):
        name, value = f"metering.active_power_error[n={{n}}]", 0.25 + n * 1e-6
        kept.append((name, value, "%", -1.0, 1.0))
        if not -1.0 <= value <= 1.0:
            bad.append(name)
    assert not bad and len(kept) == {COUNT}
"""

# a whole run on the simulated bench: the plugin, the guard, the station and the reports around the same test
CERTIFICATION = """
import hil.run.run
from benchmarks.work_hil import plan_of_many

hil.run.run.load_plan = lambda board: plan_of_many()
"""
CERTIFIED = f"""
import pytest
from hil.metrology.reading import Reading

@pytest.mark.requirement("MET-05")
def test_active_power(measure):
    for n in range({COUNT}):
        measure("metering.active_power_error", Reading(0.25 + n * 1e-6, "%", 0.05, 9.0), n=n)
"""


def run_s(command: list[str], folder: Path, **environment: str) -> float:
    """Run a command, which must succeed, and return its wall time, in seconds."""
    # all have their modules compiled after the first round, wherever they are installed
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    everything = os.environ | {"PYTHONPATH": str(ROOT)} | compiled | environment
    begin_s = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=everything, check=False, capture_output=True, text=True)
    took_s = time.perf_counter() - begin_s
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return took_s


def pytest_s(module: Path, folder: Path, *flags: str, **environment: str) -> float:
    """Run one test module in a pytest without plugins."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'tmp'}"]
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HIL_COUNT": str(COUNT), **environment}
    return run_s([*command, f"--rootdir={folder}", *flags, str(module)], folder, **alone)


def openhtf_s(python: Path, folder: Path) -> float:
    """Run the same work by OpenHTF, and see that all of it is in its file."""
    file = folder / "openhtf.json"
    script = Path(__file__).with_name("work_openhtf.py")
    took_s = run_s([str(python), "-W", "ignore", str(script), str(COUNT), str(file)], folder)
    phases = json.loads(file.read_text(encoding="utf-8"))["phases"]
    kept = [one for phase in phases for one in phase["measurements"].values()]
    assert len(kept) == COUNT, "OpenHTF kept them all"
    assert {one["outcome"] for one in kept} == {"PASS"}
    return took_s


def hil_s(folder: Path, sync: str, u_pct: str = "") -> float:
    """Run the work by hil, and see that all of it is in the journal, whose chain is whole."""
    from hil.journal.events import Measurement
    from hil.journal.reader import read_journal

    module = folder / "test_hil.py"
    module.write_text(Path(__file__).with_name("work_hil.py").read_text(encoding="utf-8"), encoding="utf-8")
    took_s = pytest_s(module, folder, HIL_SYNC=sync, HIL_U=u_pct)
    (path,) = (folder / "tmp").glob("test_active_power0/journal.jsonl")
    kept = read_journal(path.parent).of(Measurement)
    assert len(kept) == COUNT, "we kept them all"
    assert {one.verdict for one in kept} == {"pass"}
    return took_s


def certification_s(folder: Path) -> tuple[float, float]:
    """Run a whole certification of one test; return its wall time and that of the test alone, in seconds."""
    (folder / "conftest.py").write_text(CERTIFICATION, encoding="utf-8")
    module = folder / "test_certified.py"
    module.write_text(CERTIFIED, encoding="utf-8")
    flags = [
        "-p",
        "hil.plugin",
        "--serial=SP-000123",
        "--board=smart-power",
        "--stage=type",
        f"--runs={folder / 'runs'}",
    ]
    took_s = pytest_s(module, folder, *flags, f"--stations={ROOT / 'stations.toml'}", HIL_U="0.05")
    (path,) = (folder / "runs").glob("*/*/journal.jsonl")
    times = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        times[said["event"]] = datetime.fromisoformat(said["utc"])
    return took_s, (times["test_finished"] - times["test_started"]).total_seconds()


def best(rounds: int, measured: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Measure each in turn, again and again, and keep the best: a slow minute of the machine meets all alike."""
    found = dict.fromkeys(measured, float("inf"))
    for _ in range(rounds):
        for name, measure in measured.items():
            found[name] = min(found[name], measure())
    return found


def main() -> int:
    """Print the table; exit code 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--openhtf", type=Path, default=ROOT / ".venv-bench/bin/python", help="a python that has it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    if not asked.openhtf.exists():
        raise SystemExit(f"{asked.openhtf} does not exist: 'make bench' makes an environment with OpenHTF")
    (ROOT / "build").mkdir(exist_ok=True)  # on the disk of the project: a folder in memory would be no fair disk
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "build") as name:
        folder = Path(name)
        (folder / "test_bare.py").write_text(BARE, encoding="utf-8")
        took = best(
            asked.rounds,
            {
                "bare": lambda: pytest_s(folder / "test_bare.py", folder),
                "openhtf": lambda: openhtf_s(asked.openhtf.absolute(), folder),
                "hil": lambda: hil_s(folder, "test"),
                "hil, u": lambda: hil_s(folder, "test", "0.05"),
            },
        )
        each_s = hil_s(folder, "measurement")
        missed = print_table(took, each_s, run_version(asked.openhtf), asked.rounds)
        whole_s, inside_s = certification_s(folder)
    print("\na whole certification with these in one test on the simulated bench, once, no goal:")
    print(f"the test {inside_s:.2f} s, of {whole_s:.2f} s with station, guard, safe state and all reports")
    return 1 if missed else 0


def print_table(took: dict[str, float], each_s: float, version: str, rounds: int) -> bool:
    """Print what was measured, and say whether a goal was missed."""
    print(f"{COUNT:,} measurements in one test, wall time of the process, best of {rounds} interleaved rounds\n")
    print(f"{'':62}{'total s':>9}{'above bare s':>14}{'us each':>9}")
    for words, total_s in (
        ("bare pytest: compared, a list in memory", took["bare"]),
        (f"OpenHTF {version}: judged, one JSON file at the end", took["openhtf"]),
        ("hil: judged by measure(...), each on disk before the next", took["hil"]),
        ("hil: with uncertainty, dof and TUR, importing scipy", took["hil, u"]),
        ("hil --sync measurement: fsync after each (once, no goal)", each_s),
    ):
        above_s = total_s - took["bare"]
        print(f"{words:62}{total_s:>9.2f}{above_s:>14.2f}{above_s / COUNT * 1e6:>9.1f}")
    print()
    met = against_goals("hil, the same work", took["hil"], took)
    against_goals("hil, with uncertainty: more work, told but not counted", took["hil, u"], took)
    return not met


def against_goals(words: str, total_s: float, took: dict[str, float]) -> bool:
    """Print a row's ratio and difference beside the goals, and say whether both were met."""
    ratio, above_s = total_s / took["openhtf"], total_s - took["bare"]
    met = ratio <= GOAL_RATIO, above_s <= GOAL_ABOVE_S
    said = ["met" if good else "MISSED" for good in met]
    print(f"{words}:")
    print(f"  / OpenHTF {ratio:.2f}, goal <= {GOAL_RATIO}: {said[0]}", end="; ")
    print(f"- bare pytest {above_s:.2f} s, goal <= {GOAL_ABOVE_S} s: {said[1]}", flush=True)
    return all(met)


def run_version(python: Path) -> str:
    """Return the version of OpenHTF that was measured."""
    words = "from importlib.metadata import version; print(version('openhtf'))"
    return subprocess.run([str(python), "-c", words], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
