"""The resistance of a relay's closed contact: four wire, offset compensated, with its budget. Mains is off."""

from __future__ import annotations

from dataclasses import replace

from hil.metrology.budget import Budget
from hil.metrology.propagation import propagate
from hil.station.station import Station

TEST_A = 1.0
TEST_V = 6.0  # contact load category CC2
OUTPUT = 2
SETTLE_S = 0.1
DROP_V = 0.5  # a bad contact must still be a number


def contact_resistance(bench: Station, relay: str) -> Budget:
    """Return the drop at 1 A, less what is there without current, over the current, in ohm."""
    supply = bench.dc_supply
    with bench.route(f"source_1a.{relay}", f"dmm.contact.{relay}"):
        try:
            supply.set_output(OUTPUT, TEST_V, TEST_A)
            supply.on(OUTPUT)
            bench.clock.sleep(SETTLE_S)
            current_a = supply.measure_current_a(OUTPUT)
            drop = bench.dmm.measure_dc_voltage_v(DROP_V)
        finally:
            supply.output_off(OUTPUT)
        bench.clock.sleep(SETTLE_S)
        offset = bench.dmm.measure_dc_voltage_v(DROP_V)
    without = bench.traceable("Dmm", offset, "offset")
    # zero and noise of one reading are not those of the next: nothing may cancel, and the gain shows in the drop alone
    without = replace(without, components=tuple(replace(one, shared="") for one in without.components))
    inputs = [
        bench.traceable("Dmm", drop, "drop"),
        without,
        bench.traceable("DcSupply", supply.current_accuracy_a(OUTPUT, current_a), "current"),
    ]
    return propagate(lambda with_v, without_v, through_a: (with_v - without_v) / through_a, inputs, "ohm")
