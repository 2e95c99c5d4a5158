"""Neutral detection at GPIO3 and earth detection at GPIO2: what their conditioning makes of J2's terminals.

The facts give no circuit (smart-power 8, question 4); this one is [A]. Each pin rests on a divider at half the rail,
1650 mV. Rectifiers pull it down by 5 mV and up by 10 mV a volt (rms), against the room by capacitance, so that the
earth terminal is not needed to judge the neutral:

    neutral_mv = 1650 - 5 U(live terminal) + 10 U(neutral terminal)
    earth_mv   = 1650 - 5 U(live conductor to earth terminal) + 10 U(earth terminal)

At 230 V a healthy neutral and a connected earth read 500 mV. A neutral terminal that is open is pulled up to the live
voltage by the supply's input (2800 mV); swapped conductors drive the neutral pin to its end. An open earth terminal
floats half way (2225 mV). Without mains both rest at 1650 mV.
"""

from __future__ import annotations

from hil.sim.boards.ntc import ADC_FULL_SCALE_MV
from hil.sim.world import World

REST_MV = 1650.0
DOWN_MV_PER_V = 5.0
UP_MV_PER_V = 10.0
TOLERANCE = 0.02  # of the two gains, of each pin [A]
HEALTHY_V = 230.0  # what a stuck input goes on showing


class Detect:
    """The two pins, in millivolts."""

    def __init__(self, world: World) -> None:
        who = world.individual("detect")
        self._world = world
        self._gain = [1 + float(who.uniform(-TOLERANCE, TOLERANCE)) for _ in range(4)]
        self._live_v = self._neutral_v = self._to_earth_v = self._earth_v = 0.0

    def follow(self, mains_v: float, swapped: bool, neutral_open: bool, earth_open: bool) -> None:
        """Take the rms mains in front of J2 and the wiring between: volts against the room."""
        live, neutral = (0.0, mains_v) if swapped else (mains_v, 0.0)
        if neutral_open:  # nothing holds the terminal that the neutral should reach
            live = neutral = mains_v
        self._live_v, self._neutral_v = live, neutral
        self._earth_v = mains_v / 2 if earth_open else 0.0
        self._to_earth_v = mains_v - self._earth_v

    @property
    def neutral_mv(self) -> float:
        """What GPIO3 reads."""
        if self._world.fault("neutral-detect-stuck"):
            return REST_MV - DOWN_MV_PER_V * HEALTHY_V * self._gain[0]
        return _pin_mv(self._live_v * self._gain[0], self._neutral_v * self._gain[1])

    @property
    def earth_mv(self) -> float:
        """What GPIO2 reads."""
        return _pin_mv(self._to_earth_v * self._gain[2], self._earth_v * self._gain[3])


def _pin_mv(down_v: float, up_v: float) -> float:
    return min(ADC_FULL_SCALE_MV, max(0.0, REST_MV - DOWN_MV_PER_V * down_v + UP_MV_PER_V * up_v))
