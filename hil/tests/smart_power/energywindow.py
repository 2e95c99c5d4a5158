"""Energy of the unit against the reference's integration over the same window, and the budget of the difference."""

from __future__ import annotations

from dataclasses import replace

from hil.instruments.roles import EnergyReading, PowerReading
from hil.metrology.budget import Budget, rectangular
from hil.metrology.propagation import Input, propagate
from hil.station.station import Station
from hil.tests.smart_power.comparison import REFERENCE

SYNCHRONISATION_S = 0.05  # start and stop of unit's and reference's windows [A]
TIMER = 2e-4  # of the reference's integration time [A]
INTEGRATION = 1e-3  # of reading: what makers add to the accuracy of power where it is integrated, in a fixed range [A]


def energy_error(bench: Station, unit: Input, reading: PowerReading, integrated: EnergyReading) -> Budget:
    """Return 100 (unit / reference - 1), in %; unit in Wh, reading: what the reference showed within the window."""
    lasted_s = integrated.duration_s
    mean_w = integrated.energy_wh * 3600.0 / lasted_s
    of_power = bench.power_meter.power_accuracy_w(replace(reading, power_w=mean_w))
    accuracy = replace(
        of_power,
        half_width=of_power.half_width + INTEGRATION * abs(mean_w),
        source=f"{of_power.source}; integrated: 0.1 % of reading more [A]",
    )
    clocks = [
        rectangular("timer of the reference, 0.02 % [A]", TIMER * lasted_s),
        rectangular("synchronisation: start and stop of the two windows, 50 ms [A]", SYNCHRONISATION_S),
    ]
    inputs = [unit, bench.traceable(REFERENCE, accuracy, "reference"), Input("window", lasted_s, "s", tuple(clocks))]
    return propagate(lambda wh, w, s: 100.0 * (wh * 3600.0 / (w * s) - 1.0), inputs, "%")
