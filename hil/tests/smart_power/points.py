"""The plan's points of one kind of measurement: which are to be made now, and how a point stands in its name."""

from __future__ import annotations

from typing import Any

from hil.plans.plan import Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station


def due(run: Run, bench: Station, measure: Measurer, base: str, **only: Any) -> list[Planned]:
    """Return the points that are to be measured now; the others are put on record as not covered, or refused.

    only picks points by their axes, e.g. socket=1.
    """
    planned = [p for p in run.planned.values() if p.base == base and only.items() <= dict(p.point).items()]
    requirement = run.plan.requirements[planned[0].requirement]
    why = ""
    if run.options.stage not in requirement.stages:
        why = f"not required at stage {run.options.stage}"
    elif requirement.needs and not bench.can(requirement.needs):
        why = requirement.without
    if why:
        for one in planned:
            measure.cannot(base, why, **axes(one))
        return []
    return [one for one in planned if measure.ready(base, **axes(one))]


def axes(planned: Planned) -> dict[str, Any]:
    """Return the point as it stands in the measurement's name."""
    return {key: value for key, value in planned.point.items() if key != "current_a"}


def upper_limit(planned: Planned) -> float:
    """Return the upper limit of a point that has one, in its unit."""
    assert planned.limit is not None
    assert planned.limit.high is not None
    return planned.limit.high
