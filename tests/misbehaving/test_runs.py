"""Whole runs on a bench that misbehaves once: exit 3, blame bench, no verdict on the unit, nothing lost, bench safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.journal.events import Measurement, SafeState, TestFinished
from tests.certification.certify import Certified, certify

SERIAL = "SP-000123"
BEFORE_POWER = "test_before_power"


def spoilt(tmp_path: Path, *arguments: str) -> Certified:
    done = certify(SERIAL, tmp_path, *arguments)

    assert done.exit_code == 3, done.output
    assert done.summary.verdict.value == "aborted"
    assert done.failed == set()
    assert done.folder is not None
    assert (done.folder / "certificate.html").is_file()
    return done


@pytest.mark.parametrize(
    ("fault", "only"),
    [
        ("bench-dmm-over-range@1", BEFORE_POWER),
        ("bench-switch-garbage@1", BEFORE_POWER),
        ("bench-dc-supply-reconnects@3", BEFORE_POWER),
    ],
)
def test_an_instrument_that_misbehaves_once_costs_the_run_and_nothing_else(
    tmp_path: Path, fault: str, only: str
) -> None:
    """What was measured before is kept, nothing of it failed, and the bench is read back safe."""
    done = spoilt(tmp_path, "--fault", fault, "-k", only)

    finished = done.journal.of(TestFinished)
    assert [one.blame for one in finished if one.blame] == ["bench"]
    assert finished[-1].blame == "bench"
    assert any(one.verdict == "pass" for one in done.journal.of(Measurement))
    assert not [one for one in done.journal.of(Measurement) if one.verdict == "fail"]
    assert done.journal.of(SafeState)[-1].safe, done.journal.of(SafeState)[-1].readback


def test_another_instrument_in_its_place_is_not_measured_with(tmp_path: Path) -> None:
    """The bench is not even opened."""
    done = spoilt(tmp_path, "--fault", "bench-power-meter-wrong-identity", "-k", BEFORE_POWER)

    assert "RIGOL" in done.summary.reason
    assert not done.journal.of(Measurement)
