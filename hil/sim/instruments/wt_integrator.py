"""The integrator of a Yokogawa WT300: watt-hours from start to stop, with its states and its refusals.

Ref: IM WT310E-17EN, chapter 6, INTEGrate group; error codes 813 and 842 to 845: public driver (facts, instruments 3.2)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hil.sim.scpi_syntax import ScpiError

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World


class Integrator:
    """RESET, START, STOP or TIMEUP; energy comes from the world's own running sum, exact to the instant."""

    def __init__(self, world: World, bench: Bench) -> None:
        self._world, self._bench = world, bench
        self.mode, self.timer_s, self.state = "NORM", 0.0, "RESET"
        self._elapsed_s = self._energy_ws = 0.0  # of the stretches before the running one
        self._started_s = self._started_ws = 0.0

    def set_mode(self, mode: str) -> None:
        """Choose NORM or CONT; refused unless reset."""
        self._only_when_reset()
        self.mode = mode

    def set_timer(self, timer_s: float) -> None:
        """Set how long to integrate, in whole seconds; 0 is without end."""
        self._only_when_reset()
        self.timer_s = timer_s

    def _only_when_reset(self) -> None:
        if self.current_state() != "RESET":
            raise ScpiError(813, "Invalid operation during integration")

    def start(self) -> None:
        """Begin, or go on after a stop."""
        if self.current_state() in {"START", "TIMEUP"}:
            raise ScpiError(842, "Attempted to start integration while it is running or timed up")
        self.state = "START"
        self._started_s = self._world.now_s
        self._started_ws = self._bench.ac_energy_ws("reference", self._started_s)

    def stop(self) -> None:
        """Pause; refused unless running."""
        if self.current_state() != "START":
            raise ScpiError(844, "Attempted to stop integration that is not running")
        self._bank(self._world.now_s)
        self.state = "STOP"

    def reset(self) -> None:
        """Forget what was integrated; refused while running."""
        if self.current_state() == "START":
            raise ScpiError(845, "Attempted to reset integration while it is running")
        self.state = "RESET"
        self._elapsed_s = self._energy_ws = 0.0

    def current_state(self) -> str:
        """Return the state now: a timer that ran out has stopped the integration by itself."""
        if self.state == "START" and self.timer_s > 0.0:
            end_s = self._started_s + self.timer_s - self._elapsed_s
            if self._world.now_s >= end_s - 1e-9:
                self._bank(end_s)
                self.state = "TIMEUP"
        return self.state

    def _bank(self, end_s: float) -> None:
        self._energy_ws += self._bench.ac_energy_ws("reference", end_s) - self._started_ws
        self._elapsed_s += end_s - self._started_s

    def reading(self, function: str, gain: float, offset_w: float) -> float:
        """Return WH or TIME; nan when nothing was integrated, and for AH, which nothing here measures."""
        state = self.current_state()
        elapsed_s, energy_ws = self._elapsed_s, self._energy_ws
        if state == "START":
            elapsed_s += self._world.now_s - self._started_s
            energy_ws += self._bench.ac_energy_ws("reference", self._world.now_s) - self._started_ws
        if function == "TIME":
            return elapsed_s + 1e-9  # a whole second is a whole second
        if function == "AH" or (state == "RESET" and elapsed_s == 0.0):
            return math.nan
        return (energy_ws * gain + offset_w * elapsed_s) / 3600.0
