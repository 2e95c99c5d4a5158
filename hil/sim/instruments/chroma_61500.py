"""Chroma 61502 programmable AC source, 1 kVA, on its LAN option: the 61602's commands, and LIST and SYNTH mode.

Ref: Chroma 61501/61502/61503/61504 User's Manual 1.6: *RST takes 7 s (8-7), LIST (8-18), SYNTHESIS, OUTPut:MODE and
TRIG (8-26): parameters are changed with TRIG OFF in fixed mode, then the mode is chosen again, then TRIG ON.
[A], where the manual was not at hand: dwells in ms or cycles; up to 100 points; orders 2 .. 40, 50 or 60 Hz; the
fixed level before TRIG ON and after the last point; the first point waits for its angle, a later one begins at its
angle wherever the wave is; a ramp goes in half cycles; dwells and frequency come from one oscillator. PULSE, STEP and
INTERHAR can be chosen and not be triggered: they are not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.instruments.chroma_61600 import RANGES_V, Chroma61602
from hil.sim.scpi import ChoiceSetting, NumberSetting, scpi
from hil.sim.scpi_settings import Setting
from hil.sim.scpi_syntax import Call, ScpiError
from hil.sim.surge import next_at_angle

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.settings import Harmonic
    from hil.sim.world import World

POINTS = 100
ORDERS = range(2, 41)
LONGEST_DWELL_MS = 99999999.9
SAME_ANGLE_DEG = 0.05  # half the resolution of an angle: no jump is asked for
TRIGGER_S = 1e-3  # from TRIG ON until the source looks for the angle
RAMP_CYCLES = 0.5

# header, lowest, highest, answered with so many digits; a voltage's highest is the range's
LISTS = {
    "LIST:DWELl": (0.0, LONGEST_DWELL_MS, 1),
    "LIST:VOLTage:AC:STARt": (0.0, math.nan, 1),
    "LIST:VOLTage:AC:END": (0.0, math.nan, 1),
    "LIST:VOLTage:DC:STARt": (-424.2, 424.2, 1),
    "LIST:VOLTage:DC:END": (-424.2, 424.2, 1),
    "LIST:FREQuency:STARt": (15.0, 1000.0, 2),
    "LIST:FREQuency:END": (15.0, 1000.0, 2),
    "LIST:DEGRee": (0.0, 359.9, 1),
}
HARMONICS = {"SYNThesis:AMPLitude": (0.0, 100.0, 1), "SYNThesis:PHASe": (0.0, 359.9, 1)}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a list, its dwell in seconds of the source's own clock."""

    dwell_s: float
    from_v: float
    to_v: float
    frequency_hz: float
    angle_deg: float


class Chroma61502(Chroma61602):
    """An AC source that steps through a list by itself, and adds harmonics."""

    MODEL = "Chroma 61502"
    IDENTITY = "Chroma ATE 61502,615020004217,1.00,1.01,1.02"
    RESET_S = 7.0
    SETTINGS: ClassVar[Sequence[Setting]] = (
        *Chroma61602.SETTINGS,
        ChoiceSetting("mode", ":OUTPut:MODE", "FIXED", ("FIXED", "LIST", "PULSE", "STEP", "SYNTH", "INTERHAR")),
        NumberSetting("list_count", "[:SOURce]:LIST:COUNt", 1.0, 0.0, 65535.0, "", "{:.0f}"),  # 0 has no end
        ChoiceSetting("list_base", "[:SOURce]:LIST:BASE", "TIME", ("TIME", "CYCLE")),
        ChoiceSetting("compose", "[:SOURce]:SYNThesis:COMPose", "VALUE", ("VALUE", "PERCENT")),
        NumberSetting("synthesis_v", "[:SOURce]:SYNThesis:FUNDamental", 0.0, 0.0, 300.0, "V", "{:.1f}"),
        NumberSetting("synthesis_hz", "[:SOURce]:SYNThesis:FREQuency", 60.0, 50.0, 60.0, "HZ", "{:.0f}"),
        NumberSetting("synthesis_deg", "[:SOURce]:SYNThesis:SPHase", 0.0, 0.0, 359.9, "DEG", "{:.1f}"),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._lists: dict[str, list[float]] = {}
        self._triggered = False
        self._run = 0  # counts what was triggered: an event of an earlier one does nothing
        for header in (*LISTS, *HARMONICS):
            self.hang(f"[:SOURce]:{header}", partial(self._take, header), most=POINTS)
            self.hang(f"[:SOURce]:{header}?", partial(self._tell, header))

    # -- settings --------------------------------------------------------------------------------------------------

    def _take(self, header: str, call: Call) -> None:
        self._only_in_fixed()
        low, high, _ = (LISTS | HARMONICS)[header]
        if math.isnan(high) or (header == "SYNThesis:AMPLitude" and self.get("compose") == "VALUE"):
            high = RANGES_V.get(self.get("range"), 300.0)
        if header in HARMONICS and len(call.args) > len(ORDERS):
            raise ScpiError(-108)
        self._lists[header] = [call.number(index, low, high) for index in range(max(1, len(call.args)))]

    def _tell(self, header: str, call: Call) -> str:
        digits = (LISTS | HARMONICS)[header][2]
        return ",".join(f"{value:.{digits}f}" for value in self._lists.get(header, [0.0]))

    def _only_in_fixed(self) -> None:
        if self.get("mode") != "FIXED":
            raise ScpiError(-221)

    @scpi("[:SOURce]:LIST:POINts?")
    def _points_count(self, call: Call) -> str:
        return str(len(self._lists.get("LIST:DWELl", ())))

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if name == "mode":
            if self._triggered:
                raise ScpiError(-221)
        elif name.startswith(("list_", "synthesis_")) or name == "compose":
            if name == "synthesis_hz" and value not in (50.0, 60.0):
                raise ScpiError(-222)
            self._only_in_fixed()
        elif name == "output" and not value:
            self._stop()
            await super().changed(name, value, suffixes)
        else:
            await super().changed(name, value, suffixes)

    async def reset(self) -> None:
        self._stop()
        self._lists.clear()
        await super().reset()

    def _apply(self) -> None:
        if not self._triggered:
            super()._apply()

    # -- the trigger -----------------------------------------------------------------------------------------------

    @scpi(":TRIGger")
    def _trigger_it(self, call: Call) -> None:
        wanted = call.choice(0, ("OFF", "ON", "PAUSE", "CONTINUE"))
        if wanted == "OFF":
            if self._triggered:
                self._end()
        elif wanted != "ON" or self._triggered or not self.get("output"):
            raise ScpiError(-221)
        elif self.get("mode") == "LIST":
            self._start_list()
        elif self.get("mode") == "SYNTH":
            self._synthesise()
        else:
            raise ScpiError(-221)

    @scpi(":TRIGger:STATe?")
    def _trigger_state(self, call: Call) -> str:
        return "RUNNING" if self._triggered else "OFF"

    def _stop(self) -> None:
        self._run += 1
        self._triggered = False

    def _end(self) -> None:
        """Return to the fixed level; the wave goes on."""
        self._stop()
        self._give(self.get("level_v"), self.get("frequency_hz"))

    def _angle_deg(self) -> float:
        """Return the angle of the wave now."""
        ac = self.bench.ac
        return (360.0 * ac.frequency_hz * self.world.now_s + ac.phase_deg) % 360.0

    def _give(
        self, volts: float, frequency_hz: float, angle_deg: float | None = None, harmonics: tuple[Harmonic, ...] = ()
    ) -> None:
        """Give this from now on: from an angle, or from where the wave is."""
        hertz, at_deg = frequency_hz * self._frequency_gain, self._angle_deg()
        if angle_deg is not None and abs((angle_deg - at_deg + 180.0) % 360.0 - 180.0) > SAME_ANGLE_DEG:
            at_deg = angle_deg
        changes: dict[str, Any] = {"voltage_v": volts * self._voltage_gain, "harmonics": harmonics}
        if hertz != self.bench.ac.frequency_hz or at_deg == angle_deg:
            changes |= {"frequency_hz": hertz, "phase_deg": (at_deg - 360.0 * hertz * self.world.now_s) % 360.0}
        self.bench.set_ac(**changes)

    # -- LIST ------------------------------------------------------------------------------------------------------

    def _start_list(self) -> None:
        points = self._points()
        self._triggered = True
        self._run += 1
        run, ac = self._run, self.bench.ac
        begins_s = next_at_angle(
            self.world.now_s + TRIGGER_S, points[0].angle_deg, ac.frequency_hz if ac.on else 0.0, ac.phase_deg
        )
        self.world.at(begins_s, lambda: self._step(run, points, 0, 1))

    def _points(self) -> list[Point]:
        lists = [self._lists.get(header, []) for header in LISTS]
        if not lists[0] or any(len(one) != len(lists[0]) for one in lists):
            raise ScpiError(-221)
        points = []
        for dwell, from_v, to_v, _, _, hertz, _, angle_deg in zip(*lists, strict=True):
            dwell_s = dwell / 1e3 if self.get("list_base") == "TIME" else dwell / hertz
            points.append(Point(dwell_s / self._frequency_gain, from_v, to_v, hertz, angle_deg))
        return points

    def _step(self, run: int, points: list[Point], index: int, turn: int) -> None:
        """Begin a point; the last one of the last turn is followed by the fixed level."""
        if run != self._run:
            return
        if index == len(points):
            if turn == self.get("list_count"):
                self._end()
                return
            index, turn = 0, turn + 1
        point, start_s = points[index], self.world.now_s
        self._give(point.from_v, point.frequency_hz, point.angle_deg)
        if point.from_v != point.to_v:
            self._ramp(run, point, start_s)
        self.world.at(start_s + point.dwell_s, lambda: self._step(run, points, index + 1, turn))

    def _ramp(self, run: int, point: Point, start_s: float) -> None:
        piece_s = RAMP_CYCLES / point.frequency_hz
        passed_s = self.world.now_s - start_s + piece_s
        if passed_s >= point.dwell_s:
            return

        def go_on() -> None:
            if run == self._run:
                volts = point.from_v + (point.to_v - point.from_v) * passed_s / point.dwell_s
                self._give(volts, point.frequency_hz)
                self._ramp(run, point, start_s)

        self.world.at(start_s + passed_s, go_on)

    # -- SYNTH -----------------------------------------------------------------------------------------------------

    def _synthesise(self) -> None:
        fundamental_v = self.get("synthesis_v")
        amplitudes = self._lists.get("SYNThesis:AMPLitude", [])
        phases = self._lists.get("SYNThesis:PHASe", [0.0] * len(amplitudes))
        if not fundamental_v or len(phases) != len(amplitudes):
            raise ScpiError(-221)
        whole = 100.0 if self.get("compose") == "PERCENT" else fundamental_v
        harmonics = tuple(
            (order, amplitude / whole, phase_deg)
            for order, amplitude, phase_deg in zip(ORDERS, amplitudes, phases, strict=False)
            if amplitude
        )
        self._triggered = True
        self._run += 1
        self._give(fundamental_v, self.get("synthesis_hz"), harmonics=harmonics)
