"""What stands between a point and the oscilloscope for good: a high-voltage probe, a current monitor.

It is no instrument: nothing answers. stations.toml says what it is, and where the switch brings its output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hil.instruments.roles import Accuracy, Scope

RISE_TIME_BANDWIDTH = 0.35  # 10 % to 90 %, one pole


@dataclass(frozen=True, slots=True)
class Probed:
    """A probed channel's samples. time_s is relative to the trigger; both arrays are (n,) float64, value in unit."""

    time_s: NDArray[np.float64]
    value: NDArray[np.float64]
    unit: str
    overdriven: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """Turns a quantity into volts at the scope: quantity = factor x volts. The scope itself is left at 1:1."""

    unit: str  # of the quantity: V, A
    factor: float  # unit per volt; 500 for a 500:1 divider, 5 for a monitor of 0.2 V/A
    bandwidth_hz: float
    accuracy: float  # half-width of the gain, of the reading; 0.02 is 2 %
    model: str = ""

    @property
    def rise_time_s(self) -> float:
        """The probe's own rise time: 14 ns at 25 MHz, which makes a front of 1.2 us longer by less than 0.01 %."""
        return RISE_TIME_BANDWIDTH / self.bandwidth_hz

    def front_error(self, front_s: float) -> float:
        """Return by which share a front of that rise time is seen too long: rise times add as squares."""
        return math.hypot(1.0, self.rise_time_s / front_s) - 1.0

    def set_channel(self, scope: Scope, channel: int, low: float, high: float) -> None:
        """Show a channel with low at the bottom of the screen and high at its top, both in the probe's unit."""
        scope.set_channel(channel, *sorted((low / self.factor, high / self.factor)))

    def arm(self, scope: Scope, channel: int, level: float, rising: bool) -> None:
        """Start a single shot on an edge at a level in the probe's unit."""
        scope.arm(channel, level / self.factor, rising if self.factor > 0.0 else not rising)

    def read(self, scope: Scope, channel: int, allow_overdrive: bool = False) -> Probed:
        """Return the finished shot of a channel, in the probe's unit."""
        seen = scope.read_waveform(channel, allow_overdrive)
        return Probed(seen.time_s, seen.voltage_v * self.factor, self.unit, seen.overdriven)

    def accuracy_of(self, value: float) -> Accuracy:
        """Return a value in the probe's unit with the half-width of the probe's gain; the scope's own comes on top."""
        from hil.instruments.roles import Accuracy

        name = self.model or "probe"
        return Accuracy(value, self.accuracy * abs(value), f"{name}, gain {100 * self.accuracy:g} %, stations.toml")
