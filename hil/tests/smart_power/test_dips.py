"""Voltage dips and short interruptions of the mains: what the unit makes of them. Mains is on. Type test only.

Series of dips at 0 and 180 degrees as IEC 61000-4-11 asks, and those of the meters' own standard. The source times them
by its list; the oscilloscope says, once a level, what came of it.
"""

from __future__ import annotations

from typing import Any

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.instruments.roles import VoltageStep
from hil.journal.events import WAVEFORM
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.dipshot import Applied, Dip, applied, check_source, watched
from hil.tests.smart_power.loadpoint import under_load
from hil.tests.smart_power.picture import picture
from hil.tests.smart_power.surgeshot import GOOD, LETTERS, SOCKETS, Surges, UnitState

DIPS, INTERRUPTIONS, METER_DIPS = "surge.dip_criterion", "surge.interruption_criterion", "surge.meter_dip_criterion"
RIDDEN, RESIDUAL, DURATION = "surge.dip_ridden_through", "surge.dip_residual", "surge.dip_duration"
ACCURACY = "surge.dip_accuracy_after"
PICTURE_POINTS = 2000


class Series:
    """The unit on mains, two sockets closed; each series of dips is compared with the state the last one left."""

    def __init__(self, bench: Station, board: SmartPower, plan: Plan, drift_wh: float) -> None:
        self._bench, self._plan, self._drift_wh = bench, plan, drift_wh
        self._unit = Surges(bench, board)
        self._unit.prepare()
        self._state: UnitState = self._unit.before()

    def run(self, steps: list[VoltageStep], angle_deg: float, repeat: int, what: str, measure: Measurer) -> int:
        """Run a series and return the criterion the unit met: 1 is A, 2 is B, 3 is C, 4 is damage."""
        was = self._state.digest
        self._bench.source.dip(steps, angle_deg, repeat)
        found, self._state = self._unit.judge(self._state, self._drift_wh)
        measure.step(f"{what}; state {was}, then {self._state.digest}; criterion {LETTERS[found]}")
        return found

    def dips(self, dip: Dip, measure: Measurer) -> int:
        """Run one of the plan's series of equal dips."""
        nominal, conditions = self._plan.nominal, self._plan.nominal["dips"]
        steps = dip.steps(nominal["un_v"], nominal["frequency_hz"], conditions["spacing_s"])
        what = f"{conditions['repeat']} times {dip}, {conditions['spacing_s']:g} s apart"
        return self.run(steps, dip.angle_deg, conditions["repeat"], what, measure)


@pytest.fixture(scope="module")
def series(bench: Station, board: SmartPower, plan: Plan, mains: None, run: Run) -> Series:
    """The unit on mains, ready for the first series."""
    limit = next(p for p in run.planned.values() if p.base == "surge.energy_drift").limit
    assert limit is not None
    assert limit.high is not None
    return Series(bench, board, plan, limit.high)


@pytest.mark.requirement("SU-05")
def test_dips_and_interruptions(
    request: pytest.FixtureRequest, bench: Station, run: Run, plan: Plan, measure: Measurer
) -> None:
    """Three of each at each angle; what the worst of them leaves behind decides, and the short ones leave nothing."""
    due = {base: _due(run, bench, measure, base) for base in (DIPS, INTERRUPTIONS, RIDDEN, RESIDUAL, DURATION)}
    points = due[DIPS] + due[INTERRUPTIONS]
    if not points:
        return
    series: Series = request.getfixturevalue("series")
    nominal = plan.nominal
    for p in points:
        dip = Dip.of(dict(p.point))
        level = [one for one in due[RESIDUAL] + due[DURATION] if dip.angle_deg == 0.0 and _same_level(one, dip)]
        if not level:
            found = series.dips(dip, measure)
        else:
            with watched(bench, dip.cycles / nominal["frequency_hz"]) as seen:
                found = series.dips(dip, measure)
            really = applied(seen[0], nominal["un_v"], nominal["frequency_hz"])
            _say(bench, measure, level, really, dip)
        measure(p.base, Reading(float(found), "1", 0.0), **p.point)
        for ridden in due[RIDDEN]:
            if Dip.of(dict(ridden.point)) == dip:
                measure.check(RIDDEN, found == GOOD, **ridden.point)


@pytest.mark.requirement("SU-05")
def test_dips_of_the_meter_standard(
    request: pytest.FixtureRequest, bench: Station, run: Run, plan: Plan, measure: Measurer
) -> None:
    """Three interruptions of a second 50 ms apart, one of a cycle, and a minute at half the voltage."""
    points = _due(run, bench, measure, METER_DIPS)
    if not points:
        return
    series: Series = request.getfixturevalue("series")
    un_v = plan.nominal["un_v"]
    for p in points:
        event = plan.nominal["dips"]["meter"][p.point["event"]]
        steps = [VoltageStep(event["residual_pct"] / 100.0 * un_v, event["duration_s"])]
        if "restore_s" in event:
            steps.append(VoltageStep(un_v, event["restore_s"]))
        found = series.run(steps, 0.0, event["repeat"], f"{p.point['event']} of IEC 62052-11", measure)
        measure(METER_DIPS, Reading(float(found), "1", 0.0), **p.point)


@pytest.mark.requirement("SU-05")
@pytest.mark.parametrize("socket", SOCKETS)
def test_accuracy_after_the_dips(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    socket: int,
) -> None:
    """Active power at Ib is still within class 1."""
    due = _due(run, bench, measure, ACCURACY, socket=socket)
    if not due:
        return
    limit = due[0].limit
    assert limit is not None
    assert limit.high is not None
    request.getfixturevalue("mains")
    with under_load(bench, board, plan, socket) as loaded:
        loaded.set_point(plan.nominal["ib_a"], "1")
        measure(ACCURACY, loaded.power_error(limit.high), socket=socket)


def _same_level(planned: Planned, dip: Dip) -> bool:
    one = Dip.of(dict(planned.point))
    return (one.residual_pct, one.cycles) == (dip.residual_pct, dip.cycles)


def _say(bench: Station, measure: Measurer, level: list[Planned], really: Applied, dip: Dip) -> None:
    """Put on record what the source gave; the bench is to blame where that was something else."""
    every = max(1, len(really.wave.time_s) // PICTURE_POINTS)
    trace = ("behind the fuse", "V", really.wave.time_s[::every], really.wave.value[::every])
    marks = [("begins", really.begin_s), ("ends", really.begin_s + really.duration_s)]
    measure.attach(f"dip to {dip.residual_pct:g} %, {dip.cycles:g} cycles", picture(str(dip), [trace], marks), WAVEFORM)
    for planned in level:
        budget = really.residual_pct() if planned.base == RESIDUAL else really.duration(bench)
        check_source(planned, budget.reading.value)
        measure(planned.base, budget, **planned.point)


def _due(run: Run, bench: Station, measure: Measurer, base: str, **at: Any) -> list[Planned]:
    """Return the measurements that are to be made now; the others are put on record as not covered, or refused."""
    planned = [p for p in run.planned.values() if p.base == base and at.items() <= p.point.items()]
    requirement = run.plan.requirements[planned[0].requirement]
    why = ""
    if run.options.stage not in requirement.stages:
        why = f"not required at stage {run.options.stage}"
    elif not bench.can("AcSource.can_dip"):
        why = requirement.without
    if why:
        for one in planned:
            measure.cannot(base, why, **_axes(one))
        return []
    return [p for p in planned if measure.ready(base, **_axes(p))]


def _axes(planned: Planned) -> dict[str, Any]:
    """The point as it stands in the measurement's name."""
    return {key: value for key, value in planned.point.items() if key != "current_a"}
