"""Every named fault is found, and fails exactly the requirement it should; healthy units pass."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.certification.certify import certify

FAULTS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["faults"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_fails_its_requirement_and_no_other(tmp_path: Path, fault: str) -> None:
    """The unit fails, by that requirement."""
    done = certify("SP-000321", tmp_path, "--fault", fault)

    assert done.failed == set(FAULTS[fault]), done.output
    assert done.exit_code == 1


def test_every_fault_of_the_unit_is_in_the_table() -> None:
    """A fault the simulator knows and this table does not would never be looked for."""
    from hil.sim.faults import FAULTS as KNOWN

    kinds = [pattern for pattern in KNOWN if not pattern.startswith("bench-")]
    import re

    for pattern in kinds:
        assert any(re.fullmatch(pattern, name) for name in FAULTS), pattern


@pytest.mark.parametrize("serial", ["SP-000001", "SP-000777", "SP-999999"])
def test_healthy_units_pass(tmp_path: Path, serial: str) -> None:
    """Units differ, and pass."""
    done = certify(serial, tmp_path)

    assert done.exit_code == 0, done.output


def test_the_same_serial_and_seed_give_the_same_journal(tmp_path: Path) -> None:
    """Wall times and ids aside, two runs leave the same record."""
    first, second = (certify("SP-000555", tmp_path / name) for name in ("a", "b"))

    assert first.exit_code == second.exit_code == 0
    assert [_comparable(e) for e in first.journal.entries] == [_comparable(e) for e in second.journal.entries]


def _comparable(entry):  # type: ignore[no-untyped-def]
    """A line without wall time, run id and addresses."""
    from hil.journal.events import to_dict

    data = to_dict(entry.event)
    data.pop("run_id", None)
    data.pop("resource", None)
    return entry.seq, entry.bench_s, data
