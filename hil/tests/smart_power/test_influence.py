"""Influence of voltage, frequency and phase angle on the error of active power. Mains is on. Type test only.

The same reference reads before and after in the same ranges, so its gain falls out of the change (see climate).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hil.metrology.budget import Budget
from hil.plans.plan import Plan, Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.climate import Seen, change
from hil.tests.smart_power.loadpoint import LOAD_SETTLE_S, SocketUnderLoad, under_load
from hil.tests.smart_power.points import axes, due, upper_limit

SOCKETS = (1, 2, 3, 4)
SOURCE_LIMIT_A = 5.0
VOLTAGES, FREQUENCIES = ("influence.voltage", "influence.voltage_extended"), ("influence.frequency",)
Influences = dict[str, dict[tuple[int, str], Budget]]


@pytest.mark.requirement("INF-01")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_influence_of_voltage(
    request: pytest.FixtureRequest,
    bench: Station,
    run: Run,
    plan: Plan,
    measure: Measurer,
    influences: Influences,
    number: int,
) -> None:
    """The error hardly moves between the voltages of the plan and Un."""
    planned = [p for base in VOLTAGES for p in due(run, bench, measure, base, socket=number)]
    changes = _changes(request, bench, plan, measure, planned, number)
    within = {at: b for (base, at), b in changes.items() if base == VOLTAGES[0]}
    _keep_largest(influences.setdefault("voltage", {}), number, within)


@pytest.mark.requirement("INF-02")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_influence_of_frequency(
    request: pytest.FixtureRequest,
    bench: Station,
    run: Run,
    plan: Plan,
    measure: Measurer,
    influences: Influences,
    number: int,
) -> None:
    """The error hardly moves between the frequencies of the plan and the nominal one."""
    planned = [p for base in FREQUENCIES for p in due(run, bench, measure, base, socket=number)]
    changes = _changes(request, bench, plan, measure, planned, number)
    _keep_largest(influences.setdefault("frequency", {}), number, {at: b for (_, at), b in changes.items()})


@pytest.mark.requirement("INF-05")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_error_at_other_phase_angles(
    request: pytest.FixtureRequest, bench: Station, run: Run, measure: Measurer, number: int
) -> None:
    """Far from unity, where a degree of phase is most of the error, active power is still within its class."""
    planned = due(run, bench, measure, "influence.phase_angle", socket=number)
    if not planned:
        return
    with _loaded(request, bench, number) as socket:
        for point in planned:
            socket.set_point(point.point["current_a"], point.point["pf"])
            measure(point.base, socket.power_error(upper_limit(point)), **axes(point))


Changes = dict[tuple[str, tuple[str, str]], Budget]  # by base name, then power factor and where the influence stood


def _changes(
    request: pytest.FixtureRequest,
    bench: Station,
    plan: Plan,
    measure: Measurer,
    planned: list[Planned],
    number: int,
) -> Changes:
    """Measure each point's change of the error against the same load at Un and nominal frequency."""
    found: Changes = {}
    if not planned:
        return found
    with _loaded(request, bench, number) as socket:
        for current_a, pf in dict.fromkeys((p.point["current_a"], p.point["pf"]) for p in planned):
            mine = [p for p in planned if (p.point["current_a"], p.point["pf"]) == (current_a, pf)]
            smallest_pct = min(map(upper_limit, mine))
            socket.set_point(current_a, pf)
            nominal = Seen.now(socket, "at nominal", smallest_pct)
            for point in mine:
                with mains_at(bench, plan, point.point["at"]):
                    other = Seen.now(socket, f"at {point.point['at']}", upper_limit(point))
                found[point.base, (pf, point.point["at"])] = change(nominal, other)
                measure(point.base, found[point.base, (pf, point.point["at"])], **axes(point))
    return found


@contextmanager
def _loaded(request: pytest.FixtureRequest, bench: Station, number: int) -> Iterator[SocketUnderLoad]:
    """One socket under load; mains is only switched on where something is to be measured."""
    request.getfixturevalue("mains")
    board, plan = request.getfixturevalue("board"), request.getfixturevalue("plan")
    with under_load(bench, board, plan, number) as socket:
        yield socket


@contextmanager
def mains_at(bench: Station, plan: Plan, at: str) -> Iterator[None]:
    """Feed the unit with another voltage or frequency inside the block, such as "0.9Un" or "1.02fn"."""
    un_v, fn_hz = plan.nominal["un_v"], plan.nominal["frequency_hz"]
    factor, what = float(at[:-2]), at[-2:]
    volts, hertz = (factor * un_v, fn_hz) if what == "Un" else (un_v, factor * fn_hz)
    bench.source.set_output(volts, hertz, SOURCE_LIMIT_A)
    try:
        bench.clock.sleep(LOAD_SETTLE_S)
        yield
    finally:
        bench.source.set_output(un_v, fn_hz, SOURCE_LIMIT_A)
        bench.clock.sleep(LOAD_SETTLE_S)


def _keep_largest(kept: dict[tuple[int, str], Budget], number: int, changes: dict[tuple[str, str], Budget]) -> None:
    """Keep the largest change of each power factor, for the composite error."""
    for (pf, _), budget in changes.items():
        known = kept.get((number, pf))
        if known is None or abs(budget.reading.value) > abs(known.reading.value):
            kept[number, pf] = budget
