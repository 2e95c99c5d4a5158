"""The benchmarks measure what they say: everything is on record, and the other side is a known version."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench_journal

ROOT = Path(__file__).parents[1]


def test_what_we_are_measured_against_is_pinned_with_hashes_and_no_address():
    """It installs from whatever index pip is configured for."""
    pinned = (ROOT / "benchmarks/openhtf_requirements.txt").read_text(encoding="utf-8")
    found = re.findall(
        r"^[A-Za-z0-9._-]+==[^ ]+.*\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}.*\n)*)", pinned, re.MULTILINE
    )

    assert "openhtf==1.6.3" in pinned
    assert all(found)
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|@ ", pinned)


@pytest.mark.parametrize(("sync", "u_pct"), [("test", ""), ("measurement", "0.05")])
def test_our_side_of_the_work_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str, u_pct: str):
    """A few measurements through measure(...): judged, chained, all of them in the journal."""
    monkeypatch.setattr(bench_journal, "COUNT", 20)

    assert bench_journal.hil_s(tmp_path, sync, u_pct) > 0.0


@pytest.mark.parametrize(("hil", "missed"), [(1.0, False), (2.2, True), (1.9, True)])
def test_a_missed_goal_is_said(capsys: pytest.CaptureFixture[str], hil: float, missed: bool):
    """Slower than OpenHTF, or more than 1.5 s above bare pytest."""
    took = {"bare": 0.3, "openhtf": 2.0, "hil": hil, "hil, u": 1.0}

    assert bench_journal.print_table(took, 10.0, "1.6.3", 5) is missed
    assert ("MISSED" in capsys.readouterr().out) is missed


def test_without_openhtf_the_benchmark_says_how_to_get_it():
    """A ratio to nothing is not printed."""
    command = [sys.executable, "-m", "benchmarks.bench_journal", "--openhtf", "nowhere/python"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "'make bench' makes an environment with OpenHTF" in done.stderr
