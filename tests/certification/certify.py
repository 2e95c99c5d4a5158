"""Run a certification as a user does, in a process of its own, and read what it left."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hil.journal.reader import Journal, read_journal
from hil.journal.summary import RunSummary, summarise

ROOT = Path(__file__).parents[2]
# A user has none of our tools' plugins (hypothesis, xdist), which take half a second of every run to load. The
# conftest.py of the checkout, or -p, loads hil's.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_READY = multiprocessing.get_context("forkserver")
_READY.set_forkserver_preload(["tests.certification.ready"])


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
    """Run pytest on the plan of the Smart Power board.

    In a process forked from one that has imported what every run imports, which saves two of its five seconds; the PDF
    is left out, for it has tests of its own.
    """
    asked = ["hil/tests/smart_power", "-q", "--station", "sim", "--serial", serial, "--runs", str(runs), "--no-pdf"]
    with tempfile.NamedTemporaryFile(prefix="hil-certify-") as output:
        process = _READY.Process(target=_pytest, args=([*asked, *arguments], output.name, dict(os.environ | ALONE)))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
        said = output.read().decode()
    folders = sorted((runs / serial).glob("*")) if (runs / serial).is_dir() else []
    assert process.exitcode is not None
    return Certified(process.exitcode, said, folders[-1] if folders else None)


def _pytest(arguments: list[str], output: str, environment: dict[str, str]) -> None:
    """Be `pytest arguments` in the checkout, its output in a file."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    with open(output, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest

    exit_code = int(pytest.main(arguments))
    sys.stdout.flush()
    sys.exit(exit_code)
