"""What electricity connects: instruments' settings, the routes of the switch, the unit, and what each place sees.

The wiring is the one of the station named `sim`: the comments at each route say where it goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.sim.boards.smart_power import SmartPower
from hil.sim.circuit import Segment, solve
from hil.sim.fixture import Fixture
from hil.sim.history import AcHistory, Steps
from hil.sim.settings import AcSetting, AcWindow, DcSetting, LoadSetting
from hil.sim.world import World

__all__ = ["AcSetting", "AcWindow", "Bench", "DcSetting", "Fixture", "LoadSetting"]

COILS = tuple((relay, action) for relay in range(4) for action in ("SET", "RESET"))
SCOPE_ROUTES = {1: range(101, 109), 2: range(109, 117), 3: range(201, 205)}
RAIL_5V, RAIL_3V3 = 205, 206  # to the DMM
COIL_ROUTES = range(207, 215)  # coil connector pins 1-2 to the DMM
SENSE_ROUTES = range(215, 219)  # contact, Kelvin, to the DMM
AMBIENT = 219  # PT100, four wire, to the DMM
CURRENT_ROUTES = range(301, 305)  # DC supply output 2 through a contact
LOAD_ROUTES = range(305, 309)  # load contactor to a socket
NOT_UNDER_MAINS = frozenset((*range(201, 205), *SENSE_ROUTES, *CURRENT_ROUTES))
WETTING_OHM = 2200.0
CURRENT_LEADS_OHM = 0.25  # output 2, its leads and the switch [A]
BISECTIONS = 60

Samples = NDArray[np.float64]


class Bench:
    """The electrical truth. A setting acts at once; every change starts a new steady state of the mains circuit."""

    def __init__(self, world: World, revision: str = "A") -> None:
        self.world = world
        self.ac = AcSetting()
        self.load = LoadSetting()
        self.dc = {output: DcSetting() for output in (1, 2, 3)}
        self._routes: Steps[frozenset[int]] = Steps(frozenset())
        self._wetting: Steps[float] = Steps(0.0)
        self._history = AcHistory()
        self._observers: list[Callable[[Segment], None]] = []
        self._solving = self._again = False
        self.unit = SmartPower(world, self._solve, revision)
        self.fixture = Fixture(world, self.unit)

    # -- settings ----------------------------------------------------------------------------------------------------

    @property
    def routes(self) -> frozenset[int]:
        """The closed channels of the switch."""
        return self._routes.last

    def set_ac(self, **changes: Any) -> None:
        """Change the mains source, now."""
        self.ac = replace(self.ac, **changes)
        if "on" in changes:
            self.world.record("power", what="mains", on=self.ac.on)
        self._check_wiring()
        self._solve()

    def set_load(self, **changes: Any) -> None:
        """Change the load, now."""
        self.load = replace(self.load, **changes)
        self._solve()

    def set_dc(self, output: int, **changes: Any) -> None:
        """Change an output of the DC supply, now."""
        self.dc[output] = replace(self.dc[output], **changes)
        if output == 1:
            self.unit.set_supply(self.dc[1])
        elif output == 3:
            self._wetting.set(self.world.now_s, self.dc[3].voltage_v if self.dc[3].on else 0.0)

    def set_routes(self, closed: frozenset[int]) -> None:
        """Close exactly these channels, now."""
        self._routes.set(self.world.now_s, frozenset(closed))
        self._check_wiring()
        self._solve()

    def _check_wiring(self) -> None:
        wrong = self.routes & NOT_UNDER_MAINS
        if wrong and self.ac.on:
            self.world.record("violation", what="contact-side routes closed under mains", channels=sorted(wrong))

    # -- the mains circuit -------------------------------------------------------------------------------------------

    def on_segment(self, observer: Callable[[Segment], None]) -> None:
        """Call observer at each new steady state."""
        self._observers.append(observer)

    def _solve(self) -> None:
        """Start a new steady state; a change that it brings about itself is solved after it."""
        if self._solving:
            self._again = True
            return
        self._solving = True
        try:
            self._again = True
            while self._again:
                self._again = False
                sockets = frozenset(channel - LOAD_ROUTES[0] + 1 for channel in LOAD_ROUTES if channel in self.routes)
                segment = solve(
                    self.ac,
                    self.load,
                    self.unit.contacts_ohm,
                    sockets,
                    self.unit.mains_w(),
                    self.unit.fuse.whole,
                )
                self._history.begin(self.world.now_s, segment)
                self.unit.follow_mains(segment)
                for observer in self._observers:
                    observer(segment)
        finally:
            self._solving = False

    def ac_window(self, place: str, t0_s: float, t1_s: float) -> AcWindow:
        """Return the averages at a place ("reference", "source", "load") over a window of the last 30 s."""
        return self._history.window(place, t0_s, t1_s)

    def ac_energy_ws(self, place: str, t_s: float) -> float:
        """Return the watt-seconds that passed a place since the world began."""
        return self._history.energy_ws(place, t_s)

    # -- direct current ----------------------------------------------------------------------------------------------

    def dc_readback(self, output: int) -> tuple[float, float]:
        """Return what an output of the DC supply carries: volts, amperes."""
        setting = self.dc[output]
        if not setting.on:
            return 0.0, 0.0
        amps = self._dc_demand_a(output)
        if amps <= setting.current_limit_a:
            return setting.voltage_v, amps
        return setting.voltage_v * setting.current_limit_a / amps, setting.current_limit_a

    def _dc_demand_a(self, output: int) -> float:
        """Return the current that an output would give at its set voltage."""
        unit, volts = self.unit, self.dc[output].voltage_v
        if output == 1:
            levels = unit.levels.last
            return levels.logic_a + unit.coils_a(self.world.now_s) if levels.from_bench else 0.0
        if output == 2:
            paths = [unit.relays[c - CURRENT_ROUTES[0]].contact_ohm for c in CURRENT_ROUTES if c in self.routes]
            return sum(volts / (ohm + CURRENT_LEADS_OHM) for ohm in paths if ohm is not None)
        wetted = [unit.relays[c - 201].contact_ohm for c in SCOPE_ROUTES[3] if c in self.routes]
        return sum(volts / WETTING_OHM for ohm in wetted if ohm is not None)

    # -- the multimeter's input --------------------------------------------------------------------------------------

    def dmm_voltage_v(self) -> float:
        """Return the voltage at the DMM's input; 0 when it floats."""
        now = np.array([self.world.now_s])
        if RAIL_5V in self.routes:
            return float(self.unit.rail_v(now)[0])
        if RAIL_3V3 in self.routes:
            return self.unit.levels.last.rail_3v3
        for channel, (relay, action) in zip(COIL_ROUTES, COILS, strict=True):
            if channel in self.routes:
                rail = self.unit.rail_v(now)
                return float((self.unit.relays[relay].collector_v(action, now, rail) - rail)[0])
        for channel in SENSE_ROUTES:
            if channel in self.routes:
                return self._contact_drop_v(channel - SENSE_ROUTES[0])
        return 0.0

    def _contact_drop_v(self, relay: int) -> float:
        if CURRENT_ROUTES[relay] not in self.routes or not self.dc[2].on:
            return 0.0
        ohm = self.unit.relays[relay].contact_ohm
        volts, amps = self.dc_readback(2)
        if ohm is None:
            return volts
        others = sum(
            1 for c in CURRENT_ROUTES if c in self.routes and self.unit.relays[c - 301].contact_ohm is not None
        )
        return amps / others * ohm

    def dmm_resistance_ohm(self) -> float:
        """Return the resistance at the DMM's input; infinite when it is open or floats."""
        for channel, (relay, action) in zip(COIL_ROUTES, COILS, strict=True):
            if channel in self.routes:
                return self.unit.relays[relay].coil_ohm(action)  # the flyback diode is reverse biased
        for channel in SENSE_ROUTES:
            if channel in self.routes:
                ohm = self.unit.relays[channel - SENSE_ROUTES[0]].contact_ohm
                return math.inf if ohm is None else ohm
        return math.inf

    def dmm_temperature_c(self) -> float:
        """Return the temperature of the PT100; infinite when it is not routed."""
        return self.unit.ambient_c if AMBIENT in self.routes else math.inf

    # -- the oscilloscope's inputs -----------------------------------------------------------------------------------

    def scope_voltage_v(self, channel: int, t_s: Samples) -> Samples:
        """Return what was at an input at these ascending times: (n,) float64 volts; 0 when it floated."""
        times = np.asarray(t_s, dtype=np.float64)
        if channel == 4 or not times.size:
            return self.unit.rail_v(times)
        volts = np.zeros_like(times)
        pieces = self._routes.indices(times)
        for piece in np.unique(pieces):
            point = self._scope_point(channel, self._routes.values[int(piece)])
            if point is not None:
                inside = pieces == piece
                volts[inside] = point(times[inside])
        return volts

    def _scope_point(self, channel: int, routes: frozenset[int]) -> Callable[[Samples], Samples] | None:
        """Return the signal at an input; the lowest channel wins where two are closed."""
        for index, route in enumerate(SCOPE_ROUTES[channel]):
            if route not in routes:
                continue
            if channel == 3:
                return lambda t_s: self._contact_node_v(index, t_s)
            relay, action = COILS[index]
            return lambda t_s: self.unit.relays[relay].collector_v(action, t_s, self.unit.rail_v(t_s))
        return None

    def _contact_node_v(self, relay: int, t_s: Samples) -> Samples:
        contact = self.unit.relays[relay].contact
        closed = np.array(contact.values)[contact.indices(t_s)]
        supply_v = np.array(self._wetting.values)[self._wetting.indices(t_s)]
        return np.where(closed, supply_v * 0.03 / WETTING_OHM, supply_v)

    def first_crossing(
        self, channel: int, level_v: float, rising: bool, after_s: float, before_s: float
    ) -> float | None:
        """Return when the input first crossed a level in (after_s, before_s], or None; agrees with the samples."""
        breaks = self._routes.changes_s(after_s, before_s) + self.unit.levels.changes_s(after_s, before_s)
        for relay in self.unit.relays:
            breaks += relay.coil_events_s(after_s, before_s) + relay.contact.changes_s(after_s, before_s)
        breaks += self._wetting.changes_s(after_s, before_s)
        starts = sorted({after_s, *breaks})
        sign = 1.0 if rising else -1.0

        def beyond(times: Samples) -> NDArray[np.bool_]:
            return sign * (self.scope_voltage_v(channel, times) - level_v) >= 0.0

        was_beyond = True
        for index, start_s in enumerate(starts):
            end_s = starts[index + 1] if index + 1 < len(starts) else before_s
            grid = np.linspace(start_s, end_s, 33)
            grid[-1] = math.nextafter(end_s, -math.inf) if end_s > start_s and end_s != before_s else end_s
            flags = beyond(grid)
            if index and flags[0] and not was_beyond:
                return start_s
            ups = np.flatnonzero(flags[1:] & ~flags[:-1])
            if ups.size:
                low, high = float(grid[ups[0]]), float(grid[ups[0] + 1])
                for _ in range(BISECTIONS):
                    middle = (low + high) / 2
                    low, high = (low, middle) if beyond(np.array([middle]))[0] else (middle, high)
                return high
            was_beyond = bool(flags[-1])
        return None
