"""Run a certification as a user does, in a process of its own, and read what it left."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hil.journal.reader import Journal, read_journal
from hil.journal.summary import RunSummary, summarise

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Certified:
    """What a run left: exit code, output, and the record if there is one."""

    exit_code: int
    output: str
    folder: Path | None

    @property
    def journal(self) -> Journal:
        """The record, its chain proven."""
        assert self.folder is not None, self.output
        return read_journal(self.folder)

    @property
    def summary(self) -> RunSummary:
        """How the run ended, by its record."""
        return summarise(self.journal.events)

    @property
    def failed(self) -> set[str]:
        """The requirements that failed."""
        return {r.id for r in self.summary.requirements if r.verdict.value == "fail"}


def certify(serial: str, runs: Path, *arguments: str, timeout_s: float = 120.0) -> Certified:
    """Run pytest on the plan of the Smart Power board."""
    command = [sys.executable, "-m", "pytest", "hil/tests/smart_power", "-q", "--station", "sim"]
    command += ["--serial", serial, "--runs", str(runs), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    folders = sorted((runs / serial).glob("*")) if (runs / serial).is_dir() else []
    return Certified(done.returncode, done.stdout + done.stderr, folders[-1] if folders else None)
