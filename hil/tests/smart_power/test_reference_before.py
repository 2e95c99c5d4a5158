"""The reference meter before the metering: the first look at the point that is looked at again after it. Type only."""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.referencepoint import ReferencePoint, look, required


@pytest.mark.requirement("REF-01")
def test_reference_before_the_metering(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    plan: Plan,
    measure: Measurer,
    reference_points: list[ReferencePoint],
) -> None:
    """The reference agrees with the source's own read-back before the metering."""
    if not required(request):
        measure.cannot("reference.agreement", "not required at this stage", when="before")
        return
    request.getfixturevalue("mains")
    if not measure.ready("reference.agreement", when="before"):
        return
    reference_points.append(look(bench, board, plan))
    measure("reference.agreement", reference_points[-1].agreement(), when="before")
