"""What temperature does to the error: the air's (temperature coefficient), and the unit's own (self-heating).

Method: IEC 62053-21:2003, 8.2 (mean temperature coefficient over intervals of 15 to 25 K) and 7.3.2 (self-heating:
voltage alone for two hours, then Imax until the error moves by no more than 0.2 % in 20 min, an hour at least); both
from the standard's text as remembered, not re-checked [nrc]. The MCU is held in reset while the meters are read: what
its radio adds to the warmth inside is missing [A]. Type test only.
"""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Budget
from hil.plans.plan import Plan, Planned
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.climate import STEADY_PCT as STILL_PCT
from hil.tests.smart_power.climate import Seen, air_c, change, coefficient, in_the_chamber, reach, soak
from hil.tests.smart_power.loadpoint import SocketUnderLoad, under_load
from hil.tests.smart_power.points import axes, due, upper_limit

COEFFICIENT, SELF_HEATING = "influence.temperature_coefficient", "influence.self_heating"
VOLTAGE_ALONE_S = 2 * 3600.0  # [nrc]
SHORTEST_S, LONGEST_S, LOOK_S = 3600.0, 4 * 3600.0, 300.0
STEADY_S, STEADY_PCT = 1200.0, 0.2  # [nrc]


@pytest.mark.requirement("INF-06")
@pytest.mark.parametrize("number", [1, 2, 3, 4], ids="socket{}".format)
def test_self_heating(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    influences: dict[str, dict[tuple[int, str], Budget]],
    number: int,
) -> None:
    """The error at Imax stays what it was in the first moment, however long the current lasts."""
    for planned in due(run, bench, measure, SELF_HEATING, socket=number):
        request.getfixturevalue("mains")
        with under_load(bench, board, plan, number) as socket:
            bench.clock.sleep(VOLTAGE_ALONE_S)
            furthest, took_s = _heated(socket, planned)
        measure.step(f"{planned.name}: {took_s / 60:.0f} min of Imax until it was steady")
        measure(planned.base, furthest, **axes(planned))
        influences.setdefault("self_heating", {})[number, planned.point["pf"]] = furthest


@pytest.mark.requirement("INF-03")
def test_temperature_coefficient(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    influences: dict[str, dict[tuple[int, str], Budget]],
) -> None:
    """The error moves little with the temperature around the unit, cold to reference and reference to warm."""
    points = due(run, bench, measure, COEFFICIENT)
    if not points:
        return
    request.getfixturevalue("mains")
    seen: dict[tuple[float, int, str], Seen] = {}
    temps_c = sorted({float(p.point[end]) for p in points for end in ("from_c", "to_c")})
    air = {}
    with in_the_chamber(bench, board, plan.nominal["temperature_c"]):
        for temp_c in temps_c:
            took_s = reach(bench, board, temp_c)
            for number in sorted({p.point["socket"] for p in points}):
                with under_load(bench, board, plan, number) as socket:
                    for planned in [p for p in points if p.point["socket"] == number]:
                        if temp_c not in (planned.point["from_c"], planned.point["to_c"]):
                            continue
                        socket.set_point(planned.point["current_a"], planned.point["pf"])
                        if temp_c not in air:
                            took_s += soak(socket)
                            air[temp_c] = air_c(bench, f"at {temp_c:g} C")
                        at = temp_c, number, planned.point["pf"]
                        if at not in seen:
                            seen[at] = Seen.now(socket, f"at {temp_c:g} C", _resolvable_pct(planned), STILL_PCT)
            measure.step(f"{temp_c:g} degrees Celsius: {took_s / 60:.0f} min until unit and chamber were steady")
    for planned in points:
        number, pf = planned.point["socket"], planned.point["pf"]
        low_c, high_c = float(planned.point["from_c"]), float(planned.point["to_c"])
        low, high = seen[low_c, number, pf], seen[high_c, number, pf]
        measure(planned.base, coefficient(low, air[low_c], high, air[high_c]), **axes(planned))
        cold = low_c < plan.nominal["temperature_c"]
        away = change(high, low) if cold else change(low, high)
        influences.setdefault(f"temperature, {low_c if cold else high_c:g} C", {})[number, pf] = away


def _heated(socket: SocketUnderLoad, planned: Planned) -> tuple[Budget, float]:
    """Draw the current until the error is steady; return its furthest change since the first moment, and the time."""
    clock, limit_pct = socket.bench.clock, upper_limit(planned)
    socket.set_point(planned.point["current_a"], planned.point["pf"])
    begin_s = clock.now_s()
    first = Seen.now(socket, "in the first moment", limit_pct)
    course = [(clock.now_s(), first)]
    while (took_s := course[-1][0] - begin_s) < LONGEST_S:
        if took_s >= SHORTEST_S and _steady([(at_s, one.error_pct) for at_s, one in course]):
            break
        clock.sleep(LOOK_S)
        course.append((clock.now_s(), Seen.now(socket, "after heating", limit_pct)))
    furthest = max((one for _, one in course[1:]), key=lambda one: abs(one.error_pct - first.error_pct))
    return change(first, furthest), took_s


def _steady(course: list[tuple[float, float]]) -> bool:
    last = [error_pct for at_s, error_pct in course if at_s >= course[-1][0] - STEADY_S - LOOK_S]
    return max(last) - min(last) <= STEADY_PCT


def _resolvable_pct(planned: Planned) -> float:
    """Return half the change of the error, in %, that the limit allows over this interval: it has two ends."""
    return upper_limit(planned) * (float(planned.point["to_c"]) - float(planned.point["from_c"])) / 2.0
