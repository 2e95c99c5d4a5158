"""A sample of the relays' life: many operations under load, none missed, and the contact as good as before.

It is no life test: makers state 10 000 operations and more. It finds early failures. Type test only.
"""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.metrology.reading import Reading
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.contact import contact_resistance
from hil.tests.smart_power.loadpoint import RANGE_HEADROOM, RELAY_WAIT_S, VOLTAGE_RANGE_V, switch
from hil.tests.smart_power.points import axes, due

SOCKETS = (1, 2, 3, 4)
FLOWS = 0.5  # of the current that was asked for


@pytest.mark.requirement("REL-15")
@pytest.mark.parametrize("number", SOCKETS, ids="socket{}".format)
def test_operations_under_load(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    plan: Plan,
    measure: Measurer,
    number: int,
) -> None:
    """Each SET lets the current flow and each RESET ends it, by the reference meter in the same circuit."""
    planned = due(run, bench, measure, "relay.operations_missed", socket=number)
    if not planned:
        return
    request.getfixturevalue("mains")
    (point,) = planned
    cycles, current_a = int(plan.nominal["relay_life"]["cycles"]), plan.nominal["imax_a"]
    missed = operations_missed(bench, board, number, cycles, current_a)
    measure.step(f"K{number}: {cycles} times closed and opened under {current_a:g} A, {missed} operations missed")
    measure(point.base, Reading(float(missed), "1", 0.0), **axes(point))


def operations_missed(bench: Station, board: SmartPower, number: int, cycles: int, current_a: float) -> int:
    """Close and open a socket so many times under a current; return how often it did not do as it was told."""
    relay, missed = board.relays[number - 1], 0
    switch(bench, board, ())
    with bench.loaded(number) as load:
        bench.power_meter.set_ranges(VOLTAGE_RANGE_V, current_a * RANGE_HEADROOM)
        load.set_current(current_a, 1.0)
        load.on()
        for _ in range(cycles):
            for closes in (True, False):
                (relay.set if closes else relay.reset)()
                bench.clock.sleep(RELAY_WAIT_S)
                flows = bench.power_meter.measure().current_a > FLOWS * current_a
                missed += flows is not closes
    return missed


@pytest.mark.requirement("REL-15")
@pytest.mark.parametrize("relay", ["K1", "K2", "K3", "K4"])
def test_contact_after_the_operations(
    request: pytest.FixtureRequest,
    bench: Station,
    board: SmartPower,
    run: Run,
    measure: Measurer,
    relay: str,
) -> None:
    """The contact's resistance is within its limit still. Mains is off, the unit runs from J43."""
    for point in due(run, bench, measure, "relay.contact_resistance_after", relay=relay):
        request.getfixturevalue("rails")
        board.relays[int(relay[1]) - 1].set()
        bench.clock.sleep(RELAY_WAIT_S)
        measure(point.base, contact_resistance(bench, relay), **axes(point))
