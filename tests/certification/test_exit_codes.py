"""The exit codes of a run, each shown once, by running it as a user does; 0 is in test_latency.py."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.certification.certify import ROOT, certify

SERIAL = "SP-000123"


def test_1_the_unit_failed(tmp_path: Path) -> None:
    """A rail out of tolerance fails the unit; the certificate is made all the same."""
    done = certify(SERIAL, tmp_path, "--fault", "rail-3v3-low", "-k", "test_before_power")

    assert done.exit_code == 1, done.output
    assert done.failed == {"BP-02"}
    assert done.folder is not None
    assert (done.folder / "certificate.html").is_file()


def test_2_a_person_interrupted(tmp_path: Path) -> None:
    """Ctrl-C: the bench is made safe, what was measured is on record, the run is aborted."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "hil/tests/smart_power",
        "-q",
        "--serial",
        SERIAL,
        "--runs",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        '"event":"measurement"' in journal.read_text() for journal in tmp_path.glob("*/*/journal.jsonl")
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    from hil.journal.events import SafeState
    from hil.journal.reader import read_journal
    from hil.journal.summary import summarise

    (folder,) = tmp_path.glob("*/*")
    journal = read_journal(folder)
    assert process.returncode == 2, output
    assert summarise(journal.events).verdict.value == "aborted"
    assert journal.of(SafeState)[-1].safe


def test_3_the_bench_is_at_fault(tmp_path: Path) -> None:
    """An instrument dies in mid-run: what was measured is kept, blame is the bench's, the unit has not failed."""
    done = certify(SERIAL, tmp_path, "--fault", "bench-dmm-dies@3")

    assert done.exit_code == 3, done.output
    assert done.summary.verdict.value == "aborted"
    assert "bench" in {t.blame for t in _finished(done.journal)}
    assert done.failed == set()
    assert any(r.measurements for r in done.summary.requirements)
    assert done.folder is not None
    assert "ABORTED" in (done.folder / "certificate.html").read_text().upper()


def _finished(journal):  # type: ignore[no-untyped-def]
    from hil.journal.events import TestFinished

    return journal.of(TestFinished)


def test_4_the_setup_is_wrong(tmp_path: Path) -> None:
    """A serial number, fault, station or stage that does not exist: nothing is opened, and the line says what to do."""
    for arguments, says in (
        (["--fault", "k2-set-opne"], "k2-set-open"),
        (["--station", "smi"], "sim"),
        (["--stage", "prod"], "production"),
        (["--board-revision", "Z"], "A, B"),
    ):
        done = certify(SERIAL, tmp_path, *arguments)
        assert done.exit_code == 4, done.output
        assert says in done.output
    done = certify("SP-12", tmp_path)
    assert done.exit_code == 4
    assert "does not match" in done.output


def test_5_nothing_was_tested(tmp_path: Path) -> None:
    """A selection that selects nothing is no pass."""
    done = certify(SERIAL, tmp_path, "-k", "nonsense")

    assert done.exit_code == 5, done.output


def test_a_part_of_the_plan_is_no_pass(tmp_path: Path) -> None:
    """What is required and was not measured is named, and the run is aborted."""
    done = certify(SERIAL, tmp_path, "-k", "test_rail_voltages")

    assert done.exit_code == 3, done.output
    assert "not measured" in done.output
    assert done.summary.verdict.value == "aborted"
