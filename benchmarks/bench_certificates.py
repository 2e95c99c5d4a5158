"""1,000 certificates from production journals, beside a pandas table of the same rows, on all cores.

A certificate: the journal read and its chain proven, every budget, chart and risk, one HTML file written. The pandas
table is what a user would write in an afternoon: the same journal's measurements as a DataFrame, styled (digits,
margin, colour of what failed), one HTML file written; it proves no chain and has neither budget nor chart nor rule.

The journals are variants of one production run: each has its own serial number and values of its own, drawn around
the run's by their uncertainty from a fixed seed. There are fewer of them than certificates, because a thousand would
fill the disk; nothing is remembered from one certificate to the next that another unit would not share.

Wall time with the processes' start, and CPU time of all processes. `make bench` runs it; by hand:
`python -m benchmarks.bench_certificates --run runs/SP-000123/RUN`, which spares it the certification.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COUNT = 1000
VARIANTS = 40
GOAL_S = 60.0  # wall time of all, on two cores
GOAL_CPU_S = 0.12  # of each


def production_run(folder: Path) -> Path:
    """Certify a simulated unit at stage production, and return its run's folder."""
    command = [sys.executable, "-m", "hil", "certify", "SP-000123", "--stage", "production", "--runs", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return next(path.parent for path in folder.rglob("journal.jsonl"))


def variants(run: Path, folder: Path, count: int) -> list[Path]:
    """Write so many runs like this one, each of another unit with other values; their attachments are the run's."""
    from hil.journal.events import Measurement, RunStarted
    from hil.journal.reader import read_journal
    from hil.journal.writer import JournalWriter

    journal, chance = read_journal(run), random.Random(6)
    made = []
    for number in range(count):
        made.append(folder / f"SP-{number:06d}")
        made[-1].mkdir(parents=True)
        (made[-1] / "attachments").symlink_to((run / "attachments").absolute())
        with JournalWriter(made[-1], _Still()) as writer:
            for event in journal.events:
                if isinstance(event, RunStarted):
                    writer.write(replace(event, serial=made[-1].name))
                elif isinstance(event, Measurement) and event.value is not None and event.u:
                    writer.write(replace(event, value=chance.gauss(event.value, 0.2 * event.u)))
                else:
                    writer.write(event)
    return made


class _Still:
    """Bench time that stands still."""

    def now_s(self) -> float:
        return 0.0

    def sleep(self, duration_s: float) -> None:
        pass


def certificate(language: str, folder: Path) -> int:
    """Make one certificate and return its size, in bytes."""
    from hil.journal.reader import read_journal
    from hil.reports.certificate import render
    from hil.reports.edition import Edition

    data = render(read_journal(folder), folder, Edition(language=language))
    (folder / f"certificate-{os.getpid()}.html").write_bytes(data)
    return len(data)


def pandas_table(folder: Path) -> int:
    """Make the pandas table of one run and return its size, in bytes."""
    import pandas as pd

    with (folder / "journal.jsonl").open(encoding="utf-8") as file:
        said = [one for one in map(json.loads, file) if one["event"] == "measurement"]
    names = ["name", "value", "unit", "u", "low", "high", "verdict", "reason"]
    frame = pd.DataFrame([{name: one.get(name) for name in names} for one in said])
    numbers = ["value", "u", "low", "high"]
    frame[numbers] = frame[numbers].astype(float)
    frame["margin"] = pd.concat([frame["value"] - frame["low"], frame["high"] - frame["value"]], axis=1).min(axis=1)
    style = frame.style.format(precision=4, na_rep="-").hide(axis="index")
    style = style.map(lambda verdict: "color: #a3142e" if verdict == "fail" else "", subset=["verdict"])
    data = style.to_html(doctype_html=True).encode()
    (folder / f"pandas-{os.getpid()}.html").write_bytes(data)
    return len(data)


def measured(work: Callable[[Path], int], folders: list[Path]) -> tuple[float, float, float]:
    """Do the work over all folders; return wall time and CPU time in seconds, and the mean size in bytes."""
    from hil.reports.many import over

    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    sizes = list(over(work, folders))
    return time.perf_counter() - wall_s, _cpu_s() - cpu_s, sum(sizes) / len(sizes)


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main() -> int:
    """Print the table; exit code 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="the folder of a production run; without it one is made")
    parser.add_argument("--count", type=int, default=COUNT)
    asked = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "build") as name:
        folder = Path(name)
        run = asked.run or production_run(folder / "runs")
        made = variants(run, folder / "variants", min(VARIANTS, asked.count))
        folders = [made[number % len(made)] for number in range(asked.count)]
        works: dict[str, Callable[[Path], int]] = {
            "hil: certificate, English": partial(certificate, "en"),
            "hil: certificate, German": partial(certificate, "de"),
            "pandas: styled table": pandas_table,
        }
        found = {words: measured(work, folders) for words, work in works.items()}
    print(f"{asked.count:,} HTML files from production journals, {os.cpu_count()} cores\n")
    print(f"{'':28}{'wall s':>9}{'CPU s':>9}{'CPU ms each':>13}{'kB each':>9}")
    for words, (wall_s, cpu_s, size) in found.items():
        print(f"{words:28}{wall_s:>9.1f}{cpu_s:>9.1f}{cpu_s / asked.count * 1e3:>13.0f}{size / 1e3:>9.0f}")
    ours, theirs = found["hil: certificate, English"], found["pandas: styled table"]
    each_s = ours[1] / asked.count
    print(f"\nCPU time, certificate / pandas table: {ours[1] / theirs[1]:.2f}")
    print(f"CPU time of one certificate {each_s:.3f} s, goal <= {GOAL_CPU_S} s ", end="")
    print(f"({COUNT:,} in {GOAL_S:g} s on two cores): {'met' if each_s <= GOAL_CPU_S else 'MISSED'}")
    return 0 if each_s <= GOAL_CPU_S else 1


if __name__ == "__main__":
    sys.exit(main())
