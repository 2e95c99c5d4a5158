"""ITECH IT8615 AC electronic load, 1.8 kVA, 420 V, 20 A: raw socket, one session, remote mode first.

Ref: IT8600 series programming guide and two public drivers (facts, instruments 3.3; order of MEAS? from a driver).
Accuracy, unverified: voltage 0.1 % + 0.1 % of 420 V, current 0.1 % + 0.2 % of 20 A, power 0.2 % + 0.2 % of full scale.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_syntax import Call, ScpiError

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.settings import AcWindow
    from hil.sim.world import World

MAX_A, MAX_V, MAX_W, MIN_OHM, MAX_OHM = 20.0, 420.0, 1800.0, 2.5, 2500.0
UPDATE_S = 0.2  # [A] one measurement
SETTLE_S = 0.1  # [A] five cycles until a new level or the input holds
RESOLUTION_A = 0.001  # [A] of the current setting
_LEVELS = frozenset({"function", "current_a", "resistance_ohm", "power_w", "power_factor"})


class ItechIT8615(ScpiErrorQueue, ScpiInstrument):
    """An AC load: sinks a set rms current at a set power factor, never sources."""

    ROLE = "AcLoad"
    MODEL = "ITECH IT8615"
    IDENTITY = "ITECH Ltd., IT8615, 800821020737210042, 1.05-1.02"
    NO_ERROR = '0,"No error"'
    RESET_S = 0.5  # facts, instruments 3.1, of the sister series IT7300
    SETTINGS: ClassVar = (
        ChoiceSetting("supply", ":SYSTem:MODE", "AC", ("AC", "DC")),
        ChoiceSetting("function", "[:SOURce]:FUNCtion", "CURR", ("CURRent", "RESistance", "VOLTage", "POWer", "SHORt")),
        NumberSetting("current_a", "[:SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]", 0.0, 0.0, MAX_A, "A", "{:.4f}"),
        NumberSetting(
            "resistance_ohm",
            "[:SOURce]:RESistance[:LEVel][:IMMediate][:AMPLitude]",
            MAX_OHM,
            MIN_OHM,
            MAX_OHM,
            "OHM",
            "{:.3f}",
        ),
        NumberSetting("power_w", "[:SOURce]:POWer[:LEVel][:IMMediate][:AMPLitude]", 0.0, 0.0, MAX_W, "W", "{:.2f}"),
        NumberSetting(
            "voltage_v", "[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]", MAX_V, 50.0, MAX_V, "V", "{:.2f}"
        ),
        NumberSetting("power_factor", "[:SOURce]:PFACtor", 1.0, -1.0, 1.0, "", "{:.3f}"),
        NumberSetting("crest_factor", "[:SOURce]:CFACtor", 1.414, 1.414, 5.0, "", "{:.3f}"),
        ChoiceSetting("priority", ":SYSTem:CFPF:PRIority", "PF", ("PF", "CF")),
        ChoiceSetting("shaping", ":SYSTem:CFPF:MODE", "PF", ("PF", "CF", "BOTH")),
        SwitchSetting("input", ":INPut[:STATe]", False),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._remote = False
        self._questionable = 0
        self._on_since_s: float | None = None
        self._set_gain = 1.0 + self.drawn(0.001)
        # The offset of the specification, 0.2 % of 20 A, would bury a starting current; a trimmed load has little [A]
        self._set_offset_a = self.drawn(0.001)
        self._set_power_factor = self.drawn(0.005)
        self._volts = (1.0 + self.drawn(0.001), self.drawn(0.001 * MAX_V))
        self._amps = (1.0 + self.drawn(0.001), self.drawn(0.0002 * MAX_A))
        self._watts = (1.0 + self.drawn(0.002), self.drawn(0.0002 * MAX_W))

    # -- settings --------------------------------------------------------------------------------------------------

    async def before(self, call: Call, words: tuple[str, ...]) -> None:
        """Refuse settings in local mode; questions, *CLS and :SYSTem are free."""
        if not (self._remote or call.query or words[0] in {"*CLS", "SYST", "SYSTEM"}):
            raise ScpiError(-203)

    @scpi(":SYSTem:REMote", ":SYSTem:RWLock", most=0)
    def _to_remote(self, call: Call) -> None:
        self._remote = True

    @scpi(":SYSTem:LOCal", most=0)
    def _to_local(self, call: Call) -> None:
        self._remote = False

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if name == "power_factor" and value == 0.0:
            raise ScpiError(-222)
        if name == "supply" and self.get("input"):
            raise ScpiError(-221)
        if name == "input":
            if value and self._questionable:
                raise ScpiError(-221)
            self._on_since_s = self.world.now_s if value else None
            self._apply(SETTLE_S if value else 0.0)
        elif name in _LEVELS:
            self._apply(SETTLE_S if self.get("input") else 0.0)

    def _apply(self, delay_s: float) -> None:
        function = {"CURR": "CURR", "RES": "RES", "POW": "POW"}.get(self.get("function"))
        current_a = round(self.get("current_a") / RESOLUTION_A) * RESOLUTION_A
        power_factor = self.get("power_factor") if self.get("shaping") != "CF" else 1.0
        setting: dict[str, Any] = {
            "function": function or "CURR",
            "current_a": max(0.0, current_a * self._set_gain + self._set_offset_a) if current_a and function else 0.0,
            "resistance_ohm": self.get("resistance_ohm") / self._set_gain,
            "power_w": self.get("power_w") * self._set_gain,
            "power_factor": self._realised(power_factor),
            "on": self.get("input"),
        }
        self.later(delay_s, lambda: self.bench.set_load(**setting))

    def _realised(self, power_factor: float) -> float:
        if abs(power_factor) >= 0.999:
            return power_factor
        return math.copysign(min(1.0, abs(power_factor) + self._set_power_factor), power_factor)

    async def reset(self) -> None:
        self._on_since_s, self._questionable = None, 0
        self._apply(0.0)

    @scpi("[:SOURce]:PROTection:CLEar", ":INPut:PROTection:CLEar", most=0)
    def _clear_protection(self, call: Call) -> None:
        self._questionable = 0

    @scpi(":STATus:QUEStionable:CONDition?")
    def _questionable_condition(self, call: Call) -> str:
        return str(self._questionable)

    # -- measuring -------------------------------------------------------------------------------------------------

    async def _measured(self, call: Call) -> tuple[float, float, float, AcWindow]:
        """Return volts, amperes, watts as displayed, and the window; MEASure waits for a new one."""
        if call.header.upper().lstrip(":").startswith("MEAS"):
            await self.world.wait(UPDATE_S)
        now_s = self.world.now_s
        window = self.bench.ac_window("load", max(0.0, now_s - UPDATE_S), now_s)
        noise = self.noise.normal(0.0, 1.0, 3)
        volts = abs(
            window.u_rms_v * self._volts[0] + (self._volts[1] if window.u_rms_v > 1.0 else 0.0) + 0.02 * noise[0]
        )
        amps = abs(window.i_rms_a * self._amps[0] + self._amps[1] + 5e-4 * noise[1])
        watts = window.p_w * self._watts[0] + (self._watts[1] if window.i_rms_a else 0.0) + 0.1 * noise[2]
        return volts, amps, max(-volts * amps, min(volts * amps, watts)), window

    @scpi(":FETCh[:SCALar]:VOLTage[:RMS]?", ":MEASure[:SCALar]:VOLTage[:RMS]?")
    async def _voltage(self, call: Call) -> str:
        return f"{(await self._measured(call))[0]:.3f}"

    @scpi(":FETCh[:SCALar]:CURRent[:RMS]?", ":MEASure[:SCALar]:CURRent[:RMS]?")
    async def _current(self, call: Call) -> str:
        return f"{(await self._measured(call))[1]:.4f}"

    @scpi(":FETCh[:SCALar]:POWer[:ACTive]?", ":MEASure[:SCALar]:POWer[:ACTive]?")
    async def _power(self, call: Call) -> str:
        return f"{(await self._measured(call))[2]:.3f}"

    @scpi(":FETCh[:SCALar]:POWer:PFACtor?", ":MEASure[:SCALar]:POWer:PFACtor?")
    async def _power_factor(self, call: Call) -> str:
        volts, amps, watts, _ = await self._measured(call)
        return f"{watts / (volts * amps) if volts * amps > 0.5 else 0.0:.3f}"

    @scpi(":FETCh[:SCALar]:CURRent:CFACtor?", ":MEASure[:SCALar]:CURRent:CFACtor?")
    async def _crest_factor(self, call: Call) -> str:
        window = (await self._measured(call))[3]
        return f"{window.i_peak_a / window.i_rms_a if window.i_rms_a > 1e-3 else 0.0:.3f}"

    @scpi(":FETCh[:SCALar]:FREQuency?", ":MEASure[:SCALar]:FREQuency?")
    async def _frequency(self, call: Call) -> str:
        return f"{(await self._measured(call))[3].frequency_hz:.2f}"

    @scpi(":FETCh?", ":MEASure?")
    async def _everything(self, call: Call) -> str:
        """Answer all 19 values, with a comma after the last."""
        volts, amps, watts, window = await self._measured(call)
        apparent = volts * amps
        values = (
            0.0,  # current, DC
            amps,
            window.i_peak_a,
            window.i_peak_a,
            -window.i_peak_a,
            0.0,  # voltage, DC
            volts,
            window.u_peak_v,
            watts,
            apparent,
            math.sqrt(max(0.0, apparent**2 - watts**2)),
            window.u_peak_v * window.i_peak_a,
            volts / amps if amps > 1e-3 else 0.0,
            window.frequency_hz,
            window.i_peak_a / window.i_rms_a if window.i_rms_a > 1e-3 else 0.0,
            watts / apparent if apparent > 0.5 else 0.0,
            0.0,  # voltage, distortion: not computed by this model
            self.world.now_s - self._on_since_s if self._on_since_s is not None else 0.0,
            31.0,  # heat sink, degrees C
        )
        return "".join(f"{value:.4f}," for value in values)
