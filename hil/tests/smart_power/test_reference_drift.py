"""The reference meter against itself, after the metering: it reads as it did before. Type only."""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.referencepoint import ReferencePoint, drift, look, required


@pytest.mark.requirement("REF-01")
def test_reference_has_not_drifted(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    plan: Plan,
    measure: Measurer,
    reference_points: list[ReferencePoint],
) -> None:
    """Between the beginning and the end of the metering the reference has not moved."""
    if not required(request):
        measure.cannot("reference.drift", "not required at this stage")
        return
    request.getfixturevalue("mains")
    if not measure.ready("reference.agreement", when="after") or not measure.ready("reference.drift"):
        return
    after = look(bench, board, plan)
    measure("reference.agreement", after.agreement(), when="after")
    measure("reference.drift", drift(reference_points[0], after))
