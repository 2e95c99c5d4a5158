"""The unit's meter against the reference: what they both show, and the budget of the difference.

Components: the reference's specification and calibration (`Station.traceable`), the step of the unit's register, the
scatter of readings taken in pairs, and the synchronisation of the two: how much the source drifts in the time by which
their windows may lie apart, taken from the reference's own readings of the same series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from hil.dut.atm90e26.device import MeterSnapshot
from hil.instruments.roles import Accuracy, PowerMeter, PowerReading
from hil.metrology.budget import Component, rectangular, resolution
from hil.metrology.propagation import Input, repeated, simultaneous
from hil.metrology.statistics import mean
from hil.station.station import Station

REFERENCE = "PowerMeter"


@dataclass(frozen=True, slots=True)
class Pair:
    """The unit's meter and the reference, read at the same load within one update of each other."""

    unit: MeterSnapshot
    reference: PowerReading


@dataclass(frozen=True, slots=True)
class Quantity:
    """What unit and reference both show, in `unit`, and the step of the unit's register."""

    unit: str
    shown: Callable[[MeterSnapshot], float]
    read: Callable[[PowerReading], float]
    accuracy: Callable[[PowerMeter, PowerReading], Accuracy]
    step: float


# steps: the LSB registers' upper eight bits [DS26 08H]; frequency has no such register
POWER = Quantity("W", lambda m: m.power_w, lambda r: r.power_w, lambda i, r: i.power_accuracy_w(r), 1 / 256)
VOLTAGE = Quantity("V", lambda m: m.voltage_v, lambda r: r.voltage_v, lambda i, r: i.voltage_accuracy_v(r), 0.01 / 256)
CURRENT = Quantity("A", lambda m: m.current_a, lambda r: r.current_a, lambda i, r: i.current_accuracy_a(r), 1e-3 / 256)
FREQUENCY = Quantity(
    "Hz", lambda m: m.frequency_hz, lambda r: r.frequency_hz, lambda i, r: i.frequency_accuracy_hz(r), 0.01
)
POWER_FACTOR_STEP = 0.001


def percent_error(unit: Any, reference: Any) -> Any:
    """Return 100 (unit / reference - 1), in percent: a model for `propagate`."""
    return 100.0 * (unit / reference - 1.0)


def both(bench: Station, quantity: Quantity, pairs: Sequence[Pair]) -> tuple[Input, ...]:
    """Return what the unit and the reference showed, as two inputs of a budget, read together."""
    shown = [quantity.shown(pair.unit) for pair in pairs]
    step = resolution(f"register, {quantity.step:.3g} {quantity.unit}", quantity.step)
    unit = Input("unit", mean(shown), quantity.unit, (step,))
    return simultaneous(repeated(unit, shown), reference(bench, quantity, [pair.reference for pair in pairs]))


def power_factors(bench: Station, pairs: Sequence[Pair]) -> tuple[Input, ...]:
    """Return the unit's power factor and the reference's P, U and I, read together: magnitudes.

    P, U and I come of one analyser. Their scatter is correlated as the readings show. The errors within their
    specifications count as independent, on the safe side: a gain common to P and U I falls out of the quotient.
    At rated inputs the maker gives +/-0.001 for 0.5 (WT310E: IM WT310E-02EN, p. 7-8), less than half of what comes out
    here; for other inputs he gives nothing, so there is no correlation to reckon with.
    """
    shown = [abs(pair.unit.power_factor) for pair in pairs]
    step = resolution(f"register, {POWER_FACTOR_STEP:g}", POWER_FACTOR_STEP)
    readings = [pair.reference for pair in pairs]
    of_reference = [reference(bench, q, readings, name) for q, name in ((POWER, "P"), (VOLTAGE, "U"), (CURRENT, "I"))]
    return simultaneous(repeated(Input("unit", mean(shown), "1", (step,)), shown), *of_reference)


def reference(bench: Station, quantity: Quantity, readings: Sequence[PowerReading], name: str = "reference") -> Input:
    """Return the mean of the reference's readings as an input: corrected, with specification, drift and scatter."""
    shown = [quantity.read(reading) for reading in readings]
    accuracy = quantity.accuracy(bench.power_meter, _mean(readings))
    one = bench.traceable(REFERENCE, accuracy, name)
    return repeated(one.plus(*_drift(shown)), shown)


def _drift(shown: Sequence[float]) -> list[Component]:
    """Bound what the source moves between the unit's window and the reference's.

    They lie apart by less than the time from one pair to the next, so by no more than the series moved a pair.
    """
    if len(shown) < 2:
        return []
    moved = abs(shown[-1] - shown[0]) / (len(shown) - 1)
    return [rectangular("synchronisation: drift of the source from one pair to the next", moved)]


def _mean(readings: Sequence[PowerReading]) -> PowerReading:
    means = {one.name: mean([getattr(r, one.name) for r in readings]) for one in fields(PowerReading)}
    return PowerReading(**means)
