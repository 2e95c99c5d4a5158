"""What the oscilloscope read, as budgets: intervals by its time base, voltages by its vertical gain and its bits."""

from __future__ import annotations

from dataclasses import replace

from hil.metrology.budget import Budget, Component, resolution
from hil.metrology.propagation import Input, as_read
from hil.station.station import Station

SCOPE = "Scope"
CODES = 256  # 8 bits of the screen


def interval(bench: Station, interval_s: float, *components: Component) -> Budget:
    """Return an interval on one screen, in seconds; it may be negative. Components are the edges' own, in seconds."""
    accuracy = replace(bench.scope.time_accuracy_s(abs(interval_s)), value=interval_s)
    return as_read(bench.traceable(SCOPE, accuracy, "time base").plus(*components))


def voltage(bench: Station, voltage_v: float, low_v: float, high_v: float, name: str = "oscilloscope") -> Input:
    """Return a voltage on a channel that shows low_v to high_v, in volts: its gain, and its bits."""
    accuracy = bench.scope.voltage_accuracy_v(voltage_v, low_v, high_v)
    return bench.traceable(SCOPE, accuracy, name).plus(resolution("8 bits of full scale", (high_v - low_v) / CODES))
