"""Surges onto the mains, line to neutral: what the varistor lets through, and what the unit makes of it. Mains is on.

One pulse of the screening level for every unit; for the type all levels, polarities and angles of the plan
(IEC 61000-4-5). Bursts are tested where a bench has their source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hil.dut.smart_power.board import SmartPower
from hil.errors import SetupError
from hil.instruments.probe import Probed
from hil.instruments.roles import SurgeShot
from hil.journal.events import WAVEFORM
from hil.metrology.budget import rectangular, resolution
from hil.metrology.propagation import Input, direct, propagate
from hil.metrology.reading import Reading
from hil.plans.plan import Plan, Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.loadpoint import under_load
from hil.tests.smart_power.picture import picture
from hil.tests.smart_power.scoped import voltage
from hil.tests.smart_power.surgeshot import LETTERS, SOCKETS, Surges, UnitState

SCREEN_V = (-100.0, 1400.0)  # a varistor that is not there lets 1.3 kV through
LEVEL_TOLERANCE = 0.10  # of the generator's open-circuit voltage, IEC 61000-4-5
MOV_SLOPE = 0.05  # of its voltage, for a pulse whose level is a whole of itself higher: 1 kV behind 2 ohm [A]
REGISTER_WH = 0.1 / 3.2  # the meters count tenths of a pulse, 3200 in a kilowatt-hour
PICTURE_EVERY = 50  # samples
SMOOTH = 200  # samples, 0.2 us: short against the front of 1.2 us
POLARITY = {"positive": 1.0, "negative": -1.0}


@dataclass(frozen=True, slots=True)
class Screening:
    """The one pulse that every unit gets, with the unit before and after it."""

    before: UnitState
    shot: SurgeShot
    wave: Probed
    after: UnitState


@pytest.fixture(scope="module")
def surges(bench: Station, board: SmartPower, mains: None) -> Surges:
    """The unit on mains, two sockets closed."""
    prepared = Surges(bench, board)
    prepared.prepare()
    return prepared


@pytest.fixture(scope="module")
def screening(surges: Surges, plan: Plan) -> Screening:
    """Fire the screening pulse, once."""
    conditions = plan.nominal["surge"]
    before = surges.before()
    shot, wave = surges.watch(conditions["screening_v"], conditions["screening_deg"], *SCREEN_V)
    return Screening(before, shot, wave, surges.after())


@pytest.mark.requirement("SU-01")
def test_the_varistor_clamps(request: pytest.FixtureRequest, bench: Station, measure: Measurer) -> None:
    """The highest voltage behind fuse and varistor is that of the varistor's curve."""
    if not able(bench, measure, "surge.let_through") or not measure.ready("surge.let_through"):
        return
    screened: Screening = request.getfixturevalue("screening")
    wave, probe = screened.wave, bench.probe("scope2.hv")
    smooth_v = np.convolve(wave.value, np.ones(SMOOTH) / SMOOTH, "valid")  # the highest sample is mostly noise
    peak_v = float(smooth_v.max())
    if wave.overdriven:
        measure.note(f"the voltage left the oscilloscope's screen; {peak_v:.0f} V is a lower bound")
    measure.step(f"generator: {screened.shot.peak_v:.0f} V, {screened.shot.peak_a:.0f} A at its output")
    accuracy = probe.accuracy_of(peak_v)
    level = rectangular("level of the pulse, 10 % (IEC 61000-4-5)", LEVEL_TOLERANCE, MOV_SLOPE * peak_v)
    low_v, high_v = sorted(limit_v / probe.factor for limit_v in SCREEN_V)
    inputs = [
        voltage(bench, peak_v / probe.factor, low_v, high_v),
        Input("", probe.factor, "1", (rectangular(accuracy.source, abs(probe.factor) * probe.accuracy),)),
        Input("", 0.0, "V", (level,)),
    ]
    measure("surge.let_through", propagate(lambda at_scope_v, ratio, more_v: at_scope_v * ratio + more_v, inputs, "V"))
    every, at_s = slice(None, None, PICTURE_EVERY), float(wave.time_s[int(np.argmax(smooth_v)) + SMOOTH // 2])
    trace = ("behind fuse and varistor", "V", wave.time_s[every], wave.value[every])
    measure.attach("let-through", picture("let-through of the screening pulse", [trace], [("peak", at_s)]), WAVEFORM)


@pytest.mark.requirement("SU-02")
def test_the_unit_is_the_same(request: pytest.FixtureRequest, bench: Station, run: Run, measure: Measurer) -> None:
    """Relays, energies, calibration, uptime and reset reason are what they were, and nothing has tripped."""
    points = [p for p in run.planned.values() if p.requirement == "SU-02"]
    if not [p for p in points if able(bench, measure, p.base, p) and measure.ready(p.base, **p.point)]:
        return
    screened: Screening = request.getfixturevalue("screening")
    for what, same in screened.before.same(screened.after).items():
        measure.check("surge.unchanged", same, what=what)
    for socket, drift_wh in zip(SOCKETS, screened.before.drifts_wh(screened.after), strict=True):
        parts = [resolution(f"register, {when}", REGISTER_WH) for when in ("before", "after")]
        measure("surge.energy_drift", direct(drift_wh, "Wh", parts), socket=socket)


@pytest.mark.requirement("SU-03")
def test_every_level_polarity_and_angle(
    request: pytest.FixtureRequest, bench: Station, run: Run, plan: Plan, measure: Measurer
) -> None:
    """Five pulses at each point, one a minute; the worst of what is seen after them decides."""
    points = [p for p in run.planned.values() if p.base == "surge.criterion"]
    if not required(run, measure, points):
        return
    points = [p for p in points if able(bench, measure, p.base, p) and measure.ready(p.base, **p.point)]
    if not points:
        return
    surges: Surges = request.getfixturevalue("surges")
    conditions, clock = plan.nominal["surge"], bench.clock
    drift_limit = measure.planned("surge.energy_drift", socket=1).limit
    assert drift_limit is not None
    assert drift_limit.high is not None
    surges.prepare()
    state = surges.before()
    for p in points:
        level_v = POLARITY[p.point["polarity"]] * p.point["level_v"]
        worst = 0
        for number in range(1, conditions["pulses"] + 1):
            next_s = clock.now_s() + conditions["interval_s"]
            shot = surges.fire(level_v, p.point["angle_deg"])
            was = state.digest
            found, state = surges.judge(state, drift_limit.high)
            worst = max(worst, found)
            measure.step(
                f"{level_v:+.0f} V L-N at {p.point['angle_deg']} degrees, pulse {number}: {shot.peak_v:.0f} V and "
                f"{shot.peak_a:.0f} A at the generator; state {was}, then {state.digest}; criterion {LETTERS[found]}"
            )
            clock.sleep(max(0.0, next_s - clock.now_s()))
        measure(p.base, Reading(float(worst), "1", 0.0), **p.point)


@pytest.mark.requirement("SU-03")
@pytest.mark.parametrize("socket", SOCKETS)
def test_accuracy_after_the_surges(
    bench: Station, board: SmartPower, run: Run, plan: Plan, mains: None, measure: Measurer, socket: int
) -> None:
    """Active power at Ib is still within class 1."""
    planned = measure.planned("surge.accuracy_after", socket=socket)
    if not (required(run, measure, [planned]) and able(bench, measure, planned.base, planned)):
        return
    if not measure.ready(planned.base, socket=socket):
        return
    assert planned.limit is not None
    assert planned.limit.high is not None
    with under_load(bench, board, plan, socket) as loaded:
        loaded.set_point(plan.nominal["ib_a"], "1")
        budget = loaded.power_error(planned.limit.high)
    measure(planned.base, budget, socket=socket)


@pytest.mark.requirement("SU-04")
def test_bursts(bench: Station, measure: Measurer) -> None:
    """Nothing is said about disturbances that this bench cannot make."""
    if bench.can("BurstGenerator.fire"):
        raise SetupError("the bench has BurstGenerator.fire, and nobody has written the test for it", "write it")
    measure.cannot("surge.burst_criterion", "the bench has no source of fast transients")


def able(bench: Station, measure: Measurer, base: str, planned: Planned | None = None) -> bool:
    """Say whether the bench has a generator; where it has none, that the measurement is not covered."""
    if not bench.can("SurgeGenerator.fire"):
        measure.cannot(base, "the bench has no surge generator", **(planned.point if planned else {}))
        return False
    return True


def required(run: Run, measure: Measurer, points: list[Planned]) -> bool:
    """Say whether this stage requires these measurements, all of one requirement."""
    if run.options.stage in run.plan.requirements[points[0].requirement].stages:
        return True
    measure.cannot(points[0].base, f"not required at stage {run.options.stage}", **points[0].point)
    return False
