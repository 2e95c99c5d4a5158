"""The exit codes of a run, each shown once, by running it as a user does; 0 is in test_latency.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hil.journal.events import Measurement, TestFinished
from hil.plans.plan import load_plan
from hil.plans.release import FOLDER, new_release, write_release
from hil.run.released import deciding_now
from tests.certification.certify import ALONE, ROOT, Certified, certify

SERIAL = "SP-000123"


@pytest.fixture(scope="module")
def low(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A unit whose 3.3 V are too low, tested by a plan whose smallest TUR was released as 1.4 and is 1.5 now."""
    home = tmp_path_factory.mktemp("low")
    stations, plan = home / "stations.toml", load_plan("smart-power")
    shutil.copy(ROOT / "stations.toml", stations)
    now = deciding_now(plan, stations)
    text = now.files["hil/plans/smart_power.toml"]
    assert b"minimum_tur = 1.5" in text
    was = replace(
        now, files={**now.files, "hil/plans/smart_power.toml": text.replace(b"minimum_tur = 1.5", b"minimum_tur = 1.4")}
    )
    on = datetime(2026, 3, 2, tzinfo=UTC)
    write_release(new_release(was, plan.board, "A", id_="smart-power-A-7", by="A. Person", on=on), home / FOLDER)
    words = ("--stations", str(stations), "--fault", "rail-3v3-low", "-k", "test_before_power")
    return certify(SERIAL, home / "runs", *words)


def test_1_the_unit_failed(low: Certified) -> None:
    """A rail out of tolerance fails the unit; the certificate is made all the same."""
    assert low.exit_code == 1, low.output
    assert low.failed == {"BP-02"}
    assert low.folder is not None
    assert (low.folder / "certificate.html").is_file()


def test_the_record_says_how_the_plan_differs_from_its_release(low: Certified) -> None:
    """By key, with the value that was released and the one of this run."""
    release = low.journal.started.release

    assert (release["status"], release["id"], release["by"]) == ("changed", "smart-power-A-7", "A. Person")
    assert release["differences"] == [
        {"path": "hil/plans/smart_power.toml", "key": "decision.minimum_tur", "released": 1.4, "now": 1.5}
    ]


def test_the_record_names_whose_readings_a_value_is_made_of_and_whom_a_test_spoke_to(low: Certified) -> None:
    """The multimeter reads the rail that the supply feeds; who only feeds or switches is no input of the value."""
    (rail,) = (one for one in low.journal.of(Measurement) if one.name == "rail.voltage[rail=5V]")
    (idle,) = (one for one in low.journal.of(Measurement) if one.base == "rail.idle_current")
    answers = [one for one in low.journal.of(Measurement) if one.base == "interlock.lid_closed"]
    (test,) = (one for one in low.journal.of(TestFinished) if one.test == rail.test)

    assert (rail.instruments, idle.instruments) == (("Dmm",), ("DcSupply",))
    assert [one.instruments for one in answers] == [()]
    assert test.instruments == ("DcSupply", "Dmm", "Switch", "Fixture")


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
        "--no-pdf",
    ]
    ends = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | ALONE, text=True, **ends)
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
