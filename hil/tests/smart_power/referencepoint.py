"""One stable point of the reference meter beside the source's own read-back, to compare the reference with itself.

The load and the source may drift between the beginning and the end of the metering; the reference must not. So the
reference's power is divided by what the source reads back of the same load: the quotient knows neither drift. Its gains
are those of one instrument and range each time, so they cancel in the change of it (`Component.shared`); what is left
is the scatter, and how well the source's read-back repeats over the hours between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Budget, rectangular
from hil.metrology.propagation import Input, propagate, repeated
from hil.metrology.statistics import mean
from hil.plans.plan import Plan
from hil.station.station import Station
from hil.tests.smart_power.loadpoint import under_load

SOCKET = 1
SOURCE = "AcSource"
READINGS = 10
READBACK_STABILITY = 2e-4  # half-width, of reading: each read-back of the source, of one setting over a day [A]
READBACK_ACCURACY = 0.01  # half-width, of reading: the source's read-back of its voltage [A]


@dataclass(frozen=True, slots=True)
class ReferencePoint:
    """What one look at the point found."""

    quotient: Input  # the reference's power over the volt-amperes that the source reads back
    reference_v: Input
    source_v: float

    def agreement(self) -> Budget:
        """Return by how much the reference's voltage differs from the source's read-back, in % of that."""
        width_v = READBACK_ACCURACY * self.source_v
        read_back = rectangular("read-back of its voltage [A]", width_v)
        source = Input("source", self.source_v, "V", (read_back,), roles=(SOURCE,))
        return propagate(lambda reference, source: 100.0 * (reference / source - 1.0), [self.reference_v, source], "%")


def look(bench: Station, board: SmartPower, plan: Plan) -> ReferencePoint:
    """Draw Imax at unity through one socket, and read reference and source in turn. Mains is on."""
    meter, source = bench.power_meter, bench.source
    with under_load(bench, board, plan, SOCKET) as socket:
        socket.set_point(plan.nominal["imax_a"], "1")
        seen = [(meter.measure(), source.measure_voltage_v(), source.measure_current_a()) for _ in range(READINGS)]
        last = seen[-1][0]
        power = bench.traceable("PowerMeter", meter.power_accuracy_w(last), "reference")
        voltage = bench.traceable("PowerMeter", meter.voltage_accuracy_v(last), "reference")
    quotients = [reading.power_w / (volts * amps) for reading, volts, amps in seen]
    scale = mean(quotients) / last.power_w
    quotient = Input(
        power.name,
        power.value * scale,
        "1",
        tuple(replace(one, value=one.value * scale) for one in power.components),
        raw=None if power.raw is None else power.raw * scale,
        corrections=power.corrections,
        roles=(*power.roles, SOURCE),
    )
    return ReferencePoint(repeated(quotient, quotients), voltage, mean([volts for _, volts, _ in seen]))


def drift(before: ReferencePoint, after: ReferencePoint) -> Budget:
    """Return by how much the reference has moved between two looks, in %."""
    told = "stability of its read-back of {} [A]"
    parts = [rectangular(told.format(what), READBACK_STABILITY) for what in ("voltage", "current")]
    steady = Input("source", 1.0, "1", tuple(parts))
    return propagate(
        lambda later, sooner, source: 100.0 * (later / sooner * source - 1.0),
        [after.quotient, before.quotient, steady],
        "%",
    )


def required(request: pytest.FixtureRequest) -> bool:
    """Say whether the stage asks for the check; only then is mains switched on for it."""
    run = request.getfixturevalue("run")
    return run.options.stage in run.plan.requirements["REF-01"].stages
