"""The two verdicts that the MID wants: the error at reference conditions, and the composite error. Type test only.

Method: EN 50470-3: the change to the temperature and the largest changes with voltage and frequency, root-sum-squared
with the error at reference conditions, against the MPE of the band that has the temperature. Nothing is measured here:
the results of the tests before are put together. The composite error is the length of a vector, which is never wrong by
more than the vector itself: so its uncertainty is at most the root-sum-square of theirs, whatever they have in common.
That bound is taken, because the first order is far too small where all of them are small beside their uncertainties.
"""

from __future__ import annotations

import pytest

from hil.metrology.budget import Budget, Component
from hil.metrology.composite import composite_error
from hil.metrology.propagation import direct
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.points import axes, due

SOCKETS = (1, 2, 3, 4)
INFLUENCES = ("voltage", "frequency")
ErrorsAt = dict[tuple[int, str, str], Budget]


@pytest.mark.requirement("MID-01")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_error_at_reference_conditions(
    bench: Station, run: Run, measure: Measurer, errors: ErrorsAt, number: int
) -> None:
    """At reference conditions the error is within the limits of its class index."""
    for point in due(run, bench, measure, "mid.reference_error", socket=number):
        measure(point.base, errors[number, point.point["i"], point.point["pf"]], **axes(point))


@pytest.mark.requirement("MID-02")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_composite_error(
    bench: Station,
    run: Run,
    measure: Measurer,
    errors: ErrorsAt,
    influences: dict[str, dict[tuple[int, str], Budget]],
    number: int,
) -> None:
    """With all that temperature, voltage and frequency may change, it is within the MPE of the band."""
    for point in due(run, bench, measure, "mid.composite_error", socket=number):
        pf = point.point["pf"]
        parts = {"error": errors[number, point.point["i"], pf]}
        parts |= {f"change with {name}": influences[name][number, pf] for name in INFLUENCES}
        at_c = f"temperature, {point.point['temperature_c']:g} C"
        parts[f"change with {at_c}"] = influences[at_c][number, pf]
        composite_pct = composite_error(*(budget.reading.value for budget in parts.values()))
        roles = dict.fromkeys(role for budget in parts.values() for role in budget.instruments)
        budget = direct(composite_pct, "%", [_whole(*part) for part in parts.items()], [*roles])
        measure(point.base, budget, **axes(point))


def _whole(name: str, budget: Budget) -> Component:
    """Return all that is uncertain about a result as one component, with sensitivity 1: the bound."""
    assert budget.reading.u is not None
    return Component(name, "B", "normal", budget.reading.u, 1.0, budget.reading.dof)
