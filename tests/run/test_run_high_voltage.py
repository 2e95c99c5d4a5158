"""A run that will want high voltage is refused at once where nobody answers for it: nothing opened or on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.errors import Blame, InterlockOpen
from hil.run.run import Run, RunOptions


def run_on(station: str, stage: str, operator: str = "") -> Run:
    return Run(RunOptions("SP-000123", "smart-power", station=station, stage=stage, operator=operator))


def test_a_real_bench_wants_a_person() -> None:
    """By name, in the command or in the station; the set-up is to blame, which is exit code 4."""
    with pytest.raises(InterlockOpen, match="--operator NAME") as caught:
        run_on("bench-1", "production").check_high_voltage()

    assert caught.value.blame is Blame.SETUP
    run_on("bench-1", "production", "A. Person").check_high_voltage()
    run_on("sim", "production").check_high_voltage()


def test_a_stage_without_high_voltage_wants_nobody() -> None:
    """Nor does a bench without a tester."""
    run_on("bench-1", "release").check_high_voltage()
    bare = run_on("bench-1", "production")
    instruments = {role: one for role, one in bare.config.instruments.items() if role != "HipotTester"}
    bare.config = replace(bare.config, instruments=instruments)

    bare.check_high_voltage()


def test_a_bench_without_a_relay_box_is_refused_too() -> None:
    """Before the person has started and waited."""
    run = run_on("bench-1", "production", "A. Person")
    run.config = replace(run.config, isolators=("spi", "uart", "scope", "dmm"))

    with pytest.raises(InterlockOpen, match="high_voltage"):
        run.check_high_voltage()
