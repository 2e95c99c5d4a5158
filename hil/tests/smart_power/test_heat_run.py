"""The heat run: Imax through each socket and through all, without air, until it is steady. Mains is on. Type test only.

The board's own sensor tells the rise above the room; its error, tested against the room when cold, is in the budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.protection import OVERTEMPERATURE
from hil.instruments.roles import Accuracy
from hil.metrology.budget import rectangular, resolution
from hil.metrology.propagation import Input, propagate
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.overload import LOADS, overloaded

LONGEST_S = 3600.0
LOOK_S = 60.0
STEADY_S, STEADY_K = 600.0, 0.3  # it is steady when it has moved by no more in so long
SENSOR_K = 2.0  # of the board's own sensor, at 1 % of its parts [A]; the converter's error included
DOUBT_K = 3.0  # about the trip temperature (facts 6.1): between these a trip is neither missing nor wrong


@pytest.mark.requirement("TH-08")
@pytest.mark.parametrize("load", LOADS)
def test_heat_run(
    bench: Station, board: SmartPower, run: Run, plan: Plan, mains: None, measure: Measurer, load: str
) -> None:
    """It stays below its trip temperature, or opens there and nowhere else."""
    bases = ("thermal.heat_rise", "thermal.heat_run_protection")
    if run.options.stage not in plan.requirements["TH-08"].stages:
        measure.cannot(bases[0], f"not required at stage {run.options.stage}", load=load)
        return
    if not measure.ready(*bases, load=load):
        return
    trip_c, protection = board.revision.trips.overtemperature_c.value, board.protection
    before = room_c(bench)
    with overloaded(bench, board, LOADS[load]) as overload, without_air(bench):
        seen_c = [protection.temperature_c()]
        overload.draw(plan.nominal["imax_a"])
        end_s = bench.clock.now_s() + LONGEST_S
        tripped = False
        while bench.clock.now_s() < end_s and not tripped and not _steady(seen_c):
            bench.clock.sleep(LOOK_S)
            seen_c.append(protection.temperature_c())
            tripped = any(OVERTEMPERATURE in protection.errors(socket) for socket in overload.sockets)
    room = room_c(bench)
    reached_c = seen_c[-1]  # where it began may be warmer: the load before it
    measure.step(
        f"{load}: {plan.nominal['imax_a']:g} A for {(len(seen_c) - 1) * LOOK_S / 60:.0f} min, "
        f"{seen_c[0]:.1f} to {seen_c[-1]:.1f} degrees Celsius{', tripped' if tripped else ''}"
    )
    parts = (
        rectangular("own sensor [A]", SENSOR_K),
        rectangular("steady: it moves no more than this", STEADY_K),
        resolution("register, 0.1 K", 0.1),
    )
    moved = rectangular("room: it moved by so much in the meantime", abs(room.value - before.value))
    inputs = [Input("board", reached_c, "degC", parts), bench.traceable("Dmm", room, "room").plus(moved)]
    budget = propagate(lambda board_c, room_c: board_c - room_c, inputs, "K")
    measure("thermal.heat_rise", budget, load=load)
    right = reached_c > trip_c - DOUBT_K if tripped else reached_c < trip_c + DOUBT_K
    measure.check("thermal.heat_run_protection", right, load=load)


def room_c(bench: Station) -> Accuracy:
    """Return the room's temperature beside the unit, in degrees Celsius."""
    with bench.route("dmm.ambient"):
        return bench.dmm.measure_temperature_c()


def _steady(seen_c: list[float]) -> bool:
    last = seen_c[-round(STEADY_S / LOOK_S) - 1 :]
    return len(last) > STEADY_S / LOOK_S and max(last) - min(last) <= STEADY_K


@contextmanager
def without_air(bench: Station) -> Iterator[None]:
    """Block the ventilation inside the block."""
    bench.fixture.block_ventilation(True)
    try:
        yield
    finally:
        bench.fixture.block_ventilation(False)
