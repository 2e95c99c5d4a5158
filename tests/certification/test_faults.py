"""Every named fault is found, and fails exactly the requirement it should; healthy units pass."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hil.journal.events import Measurement, Note
from tests.certification.certify import certify
from tests.certification.test_electrical_safety import SAFETY_FAULTS

FAULTS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["faults"]


# Units with several faults, which do not hide one another, and the part of the plan each goes through: all that the
# faults touch. The first two go through all of it; `make faults` does so with each fault by itself.
WHOLE = ""
WITHOUT_LOAD = "not (test_metering or test_over_current or test_ethernet)"
TRIPPED = "test_before_power or test_indicators or test_relays or test_thermal or test_ethernet"
UP_TO_THERMAL = "test_before_power or test_indicators or test_relays or test_thermal"
UNITS = {
    ("k2-set-open", "k1-contact-resistance", "u3-gain-out-of-range", "mov-aged", "led-green-dead"): WHOLE,
    ("k3-reset-open", "k2-no-flyback", "u4-ct-reversed", "u1-ct-nonlinear", "phy-forced-10"): WHOLE,
    ("k4-welded", "u2-phase-error", "mov-missing", "buzzer-dead"): WITHOUT_LOAD,
    ("k3-slow", "cs-swapped-u1-u2", "phy-crystal-off", "led-red-dead"): "not (test_metering or test_over_current)",
    ("k4-coils-swapped", "miso-stuck", "neutral-detect-stuck"): WITHOUT_LOAD,
    ("k1-coil-glitch", "overcurrent-slow", "trip-late"): "not (test_metering or test_ethernet)",
    ("ntc-open", "phy-dead"): TRIPPED,
    ("ntc-short", "rail-3v3-low"): TRIPPED,
    ("ntc-wrong-type", "phy-pair-open"): TRIPPED,
    ("trip-wrong-threshold",): UP_TO_THERMAL,
    ("trip-missing",): UP_TO_THERMAL,
}


@pytest.mark.parametrize("faults", UNITS, ids=" ".join)
def test_the_faults_fail_their_requirements_and_no_other(tmp_path: Path, faults: tuple[str, ...]) -> None:
    """The unit fails, by those requirements."""
    part = ["-k", UNITS[faults]] if UNITS[faults] else []
    done = certify("SP-000321", tmp_path, *(f"--fault={fault}" for fault in faults), *part)

    assert done.failed == {requirement for fault in faults for requirement in FAULTS[fault]}, done.output
    assert done.exit_code == 1


def test_every_fault_is_tried() -> None:
    """What is in the table is in some unit, or is one of those that end a run before the unit is powered."""
    assert sorted([*SAFETY_FAULTS, *(fault for faults in UNITS for fault in faults)]) == sorted(FAULTS)


def test_every_fault_of_the_unit_is_in_the_table() -> None:
    """A fault the simulator knows and this table does not would never be looked for."""
    from hil.sim.faults import FAULTS as KNOWN

    looked_for = [*FAULTS, *tomllib.loads(Path(__file__).with_name("faults.toml").read_text())["type"]]

    kinds = [pattern for pattern in KNOWN if not pattern.startswith(("bench-", "console-"))]
    import re

    for pattern in kinds:
        assert any(re.fullmatch(pattern, name) for name in looked_for), pattern


def test_the_same_serial_and_seed_give_the_same_journal(tmp_path: Path) -> None:
    """Wall times and ids aside, two runs leave the same record; what Monte Carlo draws is in it."""
    part = "test_before_power or (test_relays and K1)"
    first, second = (certify("SP-000555", tmp_path / name, "-k", part, "--monte-carlo") for name in ("a", "b"))

    assert first.exit_code == second.exit_code == 3  # a part of the plan is no pass
    assert [_comparable(e) for e in first.journal.entries] == [_comparable(e) for e in second.journal.entries]
    uncertain = [one for one in first.journal.of(Measurement) if one.u]
    assert uncertain
    assert all(one.monte_carlo["draws"] >= 20_000 for one in uncertain)
    noted = {note.text.partition(": ")[0] for note in first.journal.of(Note) if ": the first-order" in note.text}
    assert noted == {one.name for one in uncertain if not one.monte_carlo["agrees"]}


def _comparable(entry):  # type: ignore[no-untyped-def]
    """A line without wall time, run id and addresses."""
    from hil.journal.events import to_dict

    data = to_dict(entry.event)
    data.pop("run_id", None)
    data.pop("resource", None)
    return entry.seq, entry.bench_s, data
