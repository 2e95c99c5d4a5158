"""How a unit after a surge is judged against the unit before it: criteria A, B, C, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.dut.atm90e26 import Calibration
from hil.dut.smart_power.board import Life
from hil.tests.smart_power.surgeshot import DAMAGED, GOOD, HELPED, RECOVERED, UnitState

BEFORE = UnitState(
    at_s=100.0,
    closed=(True, False, True, False),
    energy_wh=(1.0, 2.0, 3.0, 4.0),
    calibrations=(Calibration(),) * 4,
    life=Life(50.0, "1"),
    errors=((), (), (), ()),
)
SAME = replace(BEFORE, at_s=110.0, life=Life(60.0, "1"))
DRIFT_WH = 0.69


@pytest.mark.parametrize(
    ("changes", "criterion"),
    [
        ({}, GOOD),
        ({"energy_wh": (1.0, 2.5, 3.0, 4.0)}, GOOD),
        ({"life": Life(2.0, "15")}, RECOVERED),
        ({"life": Life(60.0, "15")}, RECOVERED),
        ({"closed": (True, False, False, False)}, HELPED),
        ({"errors": (("overtemp",),) * 4}, HELPED),
        ({"closed": (True, True, True, False)}, DAMAGED),
        ({"energy_wh": (1.0, 2.8, 3.0, 4.0)}, DAMAGED),
        ({"energy_wh": (0.0, 0.0, 0.0, 0.0)}, DAMAGED),
        ({"calibrations": (Calibration(u_gain=1),) * 4}, DAMAGED),
    ],
    ids=[
        "nothing happened",
        "little energy",
        "came back from a reset",
        "a reset nobody saw",
        "a socket opened",
        "it tripped",
        "a socket closed by itself",
        "much energy",
        "energy lost",
        "calibration lost",
    ],
)
def test_the_criterion_of_a_difference(changes: dict[str, object], criterion: int) -> None:
    """The worst of what is seen decides."""
    assert BEFORE.criterion(replace(SAME, **changes), DRIFT_WH) == criterion


def test_the_digest_names_what_must_not_change() -> None:
    """Time and energy may go on; a contact may not."""
    assert SAME.digest == BEFORE.digest
    assert replace(SAME, closed=(True, True, True, False)).digest != BEFORE.digest
