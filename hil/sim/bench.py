"""What electricity connects: instruments' settings, the routes of the switch, the unit, and what each place sees.

The wiring is the one of the station named `sim`: the comments at each route say where it goes.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.sim.boards.insulation import Insulation
from hil.sim.boards.smart_power import SmartPower
from hil.sim.chamber import Chamber
from hil.sim.circuit import Segment, solve
from hil.sim.fixture import Fixture
from hil.sim.hipot import HipotBox
from hil.sim.history import KEEP_S, AcHistory, Steps, instantaneous
from hil.sim.scope_points import (
    COILS,
    CONTACT_NODES,
    ROUTES,
    WETTING_OHM,
    Piece,
    Signal,
    first_crossing,
    signals,
)
from hil.sim.settings import AcSetting, AcWindow, DcSetting, LoadSetting, ResistorSetting
from hil.sim.surge import INSTANTS_S, Clamp, Shot, combination_wave, next_at_angle
from hil.sim.world import World

__all__ = ["AcSetting", "AcWindow", "Bench", "DcSetting", "Fixture", "LoadSetting", "ResistorSetting"]

RAIL_5V, RAIL_3V3 = 205, 206  # to the DMM
COIL_ROUTES = range(207, 215)  # coil connector pins 1-2 to the DMM
SENSE_ROUTES = range(215, 219)  # contact, Kelvin, to the DMM
AMBIENT = 219  # PT100, four wire, to the DMM
CURRENT_ROUTES = range(301, 305)  # DC supply output 2 through a contact
LOAD_ROUTES = range(305, 309)  # load contactor to a socket
NTC_DECADE = 310  # form C: the board's NTC out, the programmable resistor in
SWAPPED, NEUTRAL_OPEN, EARTH_OPEN = 313, 314, 315  # mains wiring box in front of J2
NOT_UNDER_MAINS = frozenset((*CONTACT_NODES, *SENSE_ROUTES, *CURRENT_ROUTES))
CURRENT_LEADS_OHM = 0.25  # output 2, its leads and the switch [A]
SURGE_DELAY_S = 2e-3  # from the surge generator's trigger until it can fire [A]

Samples = NDArray[np.float64]


class Bench:
    """The electrical truth. A setting acts at once; every change starts a new steady state of the mains circuit."""

    def __init__(self, world: World, revision: str = "A") -> None:
        self.world = world
        self.ac = AcSetting()
        self.load = LoadSetting()
        self.dc = {output: DcSetting() for output in (1, 2, 3)}
        self.resistor = ResistorSetting()
        self.shots: list[Shot] = []  # surges of the last minute
        self.surge_charged = False  # whether the surge generator's capacitor holds a pulse, or is taking one up
        self._routes: Steps[frozenset[int]] = Steps(frozenset())
        self._wetting: Steps[float] = Steps(0.0)
        self._history = AcHistory()
        self._observers: list[Callable[[Segment], None]] = []
        self._routed: list[Callable[[frozenset[int]], None]] = []
        self._solving = self._again = False
        self.unit = SmartPower(world, self._solve, revision)
        self.fixture = Fixture(world, self.unit)
        self.chamber = Chamber(world, self.unit.air, self.unit.air_changed)
        self.hipot = HipotBox(world, Insulation(world), self._powered)
        self.on_routes(self.hipot.follow)
        self._signals = signals(self.unit, self._wetting, self._history, lambda: self.shots)

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
        before, self.load = self.load, replace(self.load, **changes)
        if self.load.on != before.on:
            self.world.record("load", on=self.load.on)
        self._solve()

    def set_dc(self, output: int, **changes: Any) -> None:
        """Change an output of the DC supply, now."""
        before, self.dc[output] = self.dc[output], replace(self.dc[output], **changes)
        if self.dc[output].on != before.on:
            self.world.record("dc", output=output, on=self.dc[output].on)
            self.hipot.check()
        if output == 1:
            self.unit.set_supply(self.dc[1])
        elif output == 3:
            self._wetting.set(self.world.now_s, self.dc[3].voltage_v if self.dc[3].on else 0.0)

    def set_resistor(self, **changes: Any) -> None:
        """Change the programmable resistor, now."""
        self.resistor = replace(self.resistor, **changes)
        self._place_resistor()

    def _place_resistor(self) -> None:
        if NTC_DECADE not in self.routes:
            self.unit.ntc.replace(None)
        else:
            self.unit.ntc.replace(self.resistor.ohm if self.resistor.connected else math.inf)

    def set_routes(self, closed: frozenset[int]) -> None:
        """Close exactly these channels, now."""
        self._routes.set(self.world.now_s, frozenset(closed))
        self._check_wiring()
        self._place_resistor()
        self._solve()
        for observer in self._routed:
            observer(self.routes)

    def on_routes(self, observer: Callable[[frozenset[int]], None]) -> None:
        """Call observer with the closed channels at each change."""
        self._routed.append(observer)

    def _check_wiring(self) -> None:
        wrong = self.routes & NOT_UNDER_MAINS
        if wrong and self.ac.on:
            self.world.record("violation", what="contact-side routes closed under mains", channels=sorted(wrong))
        self.hipot.check()

    def _powered(self) -> str:
        """Say what is on at the unit, or nothing."""
        if self.ac.on:
            return "mains"
        return "direct current" if any(setting.on for setting in self.dc.values()) else ""

    # -- the mains circuit -------------------------------------------------------------------------------------------

    @property
    def steady(self) -> Segment:
        """The steady state of the mains circuit that holds now."""
        return self._history.last

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
                mov = self.unit.mov
                segment = solve(
                    self.ac,
                    self.load,
                    self.unit.contacts_ohm,
                    sockets,
                    self.unit.mains_w(),
                    self._fed,
                    1.0 / mov.leak_ohm if mov else 0.0,
                )
                if SWAPPED in self.routes:
                    segment = replace(segment, polarity=-1.0)
                self.unit.detect.follow(
                    math.sqrt(segment.source.u2),
                    *(route in self.routes for route in (SWAPPED, NEUTRAL_OPEN, EARTH_OPEN)),
                )
                self._history.begin(self.world.now_s, segment)
                self.unit.follow_mains(segment)
                for observer in self._observers:
                    observer(segment)
        finally:
            self._solving = False

    @property
    def _fed(self) -> bool:
        """Whether the mains path is closed behind the source."""
        return self.unit.fuse.whole and NEUTRAL_OPEN not in self.routes

    def ac_window(self, place: str, t0_s: float, t1_s: float) -> AcWindow:
        """Return the averages at a place ("reference", "source", "load") over a window of the last 30 s."""
        return self._history.window(place, t0_s, t1_s)

    def ac_energy_ws(self, place: str, t_s: float) -> float:
        """Return the watt-seconds that passed a place since the world began."""
        return self._history.energy_ws(place, t_s)

    # -- surges ------------------------------------------------------------------------------------------------------

    def charge_surge(self, charged: bool) -> None:
        """Note that the surge generator's capacitor is charged from now on, or discharged."""
        if charged != self.surge_charged:
            self.surge_charged = charged
            self.world.record("surge_generator", charged=charged)

    def fire_surge(
        self, level_v: float, angle_deg: float, done: Callable[[Shot], None], still: Callable[[], bool] = lambda: True
    ) -> float:
        """Fire a combination wave between live and neutral at an angle of the mains; return when it will be.

        It does not come when the generator, asked then, no longer wants it.
        """
        source = self._history.last
        phase_deg = math.degrees(cmath.phase(source.source.u[1])) if source.frequency_hz else 0.0
        fires_s = next_at_angle(self.world.now_s + SURGE_DELAY_S, angle_deg, source.frequency_hz, phase_deg)
        self.world.at(fires_s, lambda: done(self._surge(level_v, angle_deg)) if still() else None)
        return fires_s

    def _surge(self, level_v: float, angle_deg: float) -> Shot:
        now_s, source = self.world.now_s, self._history.last
        mains_v = instantaneous(source.source.u, source.frequency_hz, now_s + INSTANTS_S)
        wave = combination_wave(level_v, Clamp.of(self.unit.mov) if self._fed else Clamp.open(), mains_v)
        side = math.copysign(1.0, level_v)
        shot = Shot(
            now_s,
            level_v,
            angle_deg,
            wave,
            side * float((side * wave.terminal_v).max()),
            side * float((side * wave.current_a).max()),
            source.polarity if self._fed else 0.0,
        )
        self.shots = [old for old in self.shots if old.start_s > now_s - KEEP_S] + [shot]
        self.world.record(
            "surge",
            level_v=level_v,
            angle_deg=angle_deg,
            peak_v=shot.peak_v,
            peak_a=shot.peak_a,
            bus_v=side * float((side * (wave.surge_v + mains_v)).max()) if shot.sign else 0.0,
            i2t_a2s=wave.i2t_a2s,
        )
        self.unit.surge(wave.i2t_a2s)
        return shot

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
        wetted = [unit.relays[c - CONTACT_NODES[0]].contact_ohm for c in CONTACT_NODES if c in self.routes]
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
        return self.chamber.air_c() if AMBIENT in self.routes else math.inf

    # -- the oscilloscope's inputs -----------------------------------------------------------------------------------

    def scope_voltage_v(self, channel: int, t_s: Samples) -> Samples:
        """Return what was at an input at these ascending times: (n,) float64 volts; 0 when it floated."""
        times = np.asarray(t_s, dtype=np.float64)
        volts = np.zeros_like(times)
        for inside, routes in self._routes.spans(times) if times.size else ():
            signal = self._signal(channel, routes)
            if signal is not None:
                volts[inside] = signal.volts(times[inside])
        return volts

    def _signal(self, channel: int, routes: frozenset[int]) -> Signal | None:
        """Return the signal at an input; the lowest channel wins where two are closed."""
        for route in ROUTES[channel]:
            if route in routes or channel == 4:
                return self._signals[route]
        return None

    def first_crossing(
        self, channel: int, level_v: float, rising: bool, after_s: float, before_s: float
    ) -> float | None:
        """Return when the input first crossed a level in (after_s, before_s], or None; agrees with the samples."""
        starts = [after_s, *self._routes.changes_s(after_s, before_s)] if channel != 4 else [after_s]
        pieces: list[Piece] = [
            (start_s, end_s, self._signal(channel, self._routes.at(start_s)))
            for start_s, end_s in zip(starts, [*starts[1:], before_s], strict=True)
        ]
        return first_crossing(pieces, level_v, rising)
