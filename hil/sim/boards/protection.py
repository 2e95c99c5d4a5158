"""The firmware's trips: too hot, too much current. They latch in flash and let go on command only.

Ref: facts smart-power 6.1 (open and shorted NTC trip too), 6.4 (thresholds and hold times proposed there [A]).
Every 0.1 s the currents of the four meters are read, and the NTC is sampled on three of five such ticks: the median of
three samples counts, every 0.5 s. In reset nothing of this runs, so nothing trips.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import simpy

from hil.sim.boards.hardware import Hardware, Nvs
from hil.sim.boards.overload import READ_S, Overload

NTC_TICKS, NTC_SAMPLES = 5, 3
TRIP_C, REARM_C = 90.0, 80.0
WRONG_TRIP_C = 100.0
OPEN_MV, SHORT_MV = 3100.0, 20.0
TOTAL_A_S = ((3.30, 10.0), (4.0, 1.0))  # sum of all sockets, and how long it may last
SOCKET_HOLD_S = 1.0  # of a socket's own limit
LATE_S, SLOW_S = 2.0, 1.0
SUPPLY_MV, SERIES_OHM = 3300.0, 10e3
NTC_OHM, NTC_B_K, NTC_AT_K = 10e3, 3950.0, 298.15
OVERTEMP, OVERCURRENT = "overtemp", "overcurrent"


def ntc_c(millivolts: float) -> float:
    """Return the temperature that the NTC divider shows: 10 kohm, B 3950, 10 kohm to 3.3 V (facts 6.1)."""
    inside = min(SUPPLY_MV - 1, max(1.0, millivolts))
    ohm = SERIES_OHM * inside / (SUPPLY_MV - inside)
    return 1 / (1 / NTC_AT_K + math.log(ohm / NTC_OHM) / NTC_B_K) - 273.15


class Protection:
    """Watches, trips, and keeps what it tripped. `open_sockets` pulses RESET of these switches, in this order."""

    def __init__(
        self,
        env: simpy.Environment,
        hardware: Hardware,
        nvs: Nvs,
        alive: Callable[[], bool],
        currents_a: Callable[[], list[float]],
        open_sockets: Callable[[list[int]], None],
        log: Callable[[str, str, str], None],
        defect: Callable[[str], bool],
    ) -> None:
        self._env, self._hardware, self._nvs, self._alive = env, hardware, nvs, alive
        self._currents_a, self._open_sockets, self._log, self._defect = currents_a, open_sockets, log, defect
        self._total = [(Overload(limit_a), hold_s) for limit_a, hold_s in TOTAL_A_S]
        self._sockets: dict[int, Overload] = {}
        self._tick = 0
        self._samples_mv: list[float] = []
        self._trip_pending = False

    def start(self) -> None:
        """Begin as the application does: a trip of an earlier life holds, and its sockets are opened once more."""
        kept = self.latched
        self._indicate()
        if kept:
            self._log("protect", f"still tripped: {', '.join(kept)}", "W")
            self._open_sockets(list(range(4)) if self._nvs.overtemp else sorted(self._nvs.overcurrent))

    # -- what it holds -------------------------------------------------------------------------------------------------

    @property
    def latched(self) -> list[str]:
        """The trips that hold, by name."""
        return [OVERTEMP] * self._nvs.overtemp + [OVERCURRENT] * bool(self._nvs.overcurrent)

    def errors(self, number: int) -> list[str]:
        """Return what keeps switch 0..3 open."""
        return [OVERTEMP] * self._nvs.overtemp + [OVERCURRENT] * (number in self._nvs.overcurrent)

    def rearm(self) -> list[str]:
        """Let every trip go whose cause allows it; return those that hold on. Over-current always lets go."""
        was = self.latched
        self._nvs.overcurrent.clear()
        if self._nvs.overtemp and self._cool():
            self._nvs.overtemp = False
        if self.latched != was:
            self._hardware.record("rearm", left=self.latched)
            self._log("protect", "re-armed", "I")
            self._indicate()
        return self.latched

    def thresholds(self) -> dict[str, Any]:
        """Return Factory.Trips."""
        return {
            "overtemperature_c": TRIP_C,
            "rearm_c": REARM_C,
            "overcurrent": [{"current_a": limit_a, "hold_s": hold_s} for limit_a, hold_s in TOTAL_A_S],
        }

    def _cool(self) -> bool:
        millivolts = self._hardware.ntc_mv()
        return SHORT_MV <= millivolts <= OPEN_MV and ntc_c(millivolts) < REARM_C

    def _indicate(self) -> None:
        for name in ("red", "buzzer"):
            self._hardware.indicate(name, bool(self.latched))

    # -- what it watches -----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the currents, and at the NTC when it is time to; the program calls every READ_S."""
        self._tick = (self._tick + 1) % NTC_TICKS
        self._watch_currents()
        if self._tick == 0 or self._tick > NTC_TICKS - NTC_SAMPLES:
            self._samples_mv.append(self._hardware.ntc_mv())
        if self._tick == 0:
            self._watch_temperature()

    def _watch_temperature(self) -> None:
        millivolts = sorted(self._samples_mv)[NTC_SAMPLES // 2]
        self._samples_mv.clear()
        trip_c = WRONG_TRIP_C if self._defect("trip-wrong-threshold") else TRIP_C
        out_of_range = millivolts > OPEN_MV or millivolts < SHORT_MV
        hot = out_of_range or ntc_c(millivolts) >= trip_c
        if not hot or self._nvs.overtemp or self._trip_pending or self._defect("trip-missing"):
            return
        if self._defect("trip-late"):
            self._trip_pending = True
            self._env.timeout(LATE_S).callbacks.append(lambda _: self._trip_on_temperature(millivolts))
        else:
            self._trip_on_temperature(millivolts)

    def _trip_on_temperature(self, millivolts: float) -> None:
        self._trip_pending = False
        if self._alive():
            self._nvs.overtemp = True
            self._trip(OVERTEMP, [0, 1, 2, 3], f"NTC {millivolts:.0f} mV")

    def _watch_currents(self) -> None:
        amps, now_s = self._currents_a(), self._env.now
        slow_s = SLOW_S if self._defect("overcurrent-slow") else 0.0
        nearly_s = READ_S / 2  # the reading that is nearest to the hold time decides
        for overload, hold_s in self._total:
            if overload.feed(now_s, sum(amps)) >= hold_s + slow_s - nearly_s and len(self._nvs.overcurrent) < 4:
                self._trip_on_current([0, 1, 2, 3], amps, f"{sum(amps):.2f} A, limit {overload.limit_a:g} A")
        for number, config in self._nvs.config.items():
            own = self._own_limit(number, config.get("current_limit"))
            if own is None or own.feed(now_s, amps[number]) < SOCKET_HOLD_S + slow_s - nearly_s:
                continue
            if number not in self._nvs.overcurrent:
                self._trip_on_current([number], amps, f"switch {number}: {amps[number]:.2f} A, limit {own.limit_a:g} A")

    def _own_limit(self, number: int, limit_a: float | None) -> Overload | None:
        """Return the watch on a socket's own limit, made anew when its configuration has changed."""
        watch = self._sockets.get(number)
        if limit_a is None:
            self._sockets.pop(number, None)
            return None
        if watch is None or watch.limit_a != limit_a:
            watch = self._sockets[number] = Overload(float(limit_a))
        return watch

    def _trip_on_current(self, numbers: list[int], amps: list[float], why: str) -> None:
        self._nvs.overcurrent.update(numbers)
        self._trip(OVERCURRENT, sorted(numbers, key=lambda number: -amps[number]), why)

    def _trip(self, what: str, numbers: list[int], why: str) -> None:
        self._hardware.record("trip", what=what, sockets=[number + 1 for number in sorted(numbers)], why=why)
        self._log("protect", f"{what}: {why}; off", "W")
        self._indicate()
        self._open_sockets(numbers)
