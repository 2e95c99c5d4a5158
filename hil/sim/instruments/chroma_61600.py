"""Chroma 61602 programmable AC source, 1 kVA, on its LAN option: raw socket, LF.

Ref: Chroma 61601/61602/61603/61604 manual, chapter 7 (facts, instruments 3.1). Accuracy: data sheet, unverified:
voltage 0.2 % + 0.2 % of range, current 0.4 % + 0.3 % of range, power 0.4 % + 0.4 % of range, frequency 0.15 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_settings import Setting
from hil.sim.scpi_syntax import Call, ScpiError

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.settings import AcWindow
    from hil.sim.world import World

RANGES_V = {"LOW": 150.0, "HIGH": 300.0}
RANGES_A = {"LOW": 8.0, "HIGH": 4.0}  # rms; [A] of the 61602
UPDATE_S = 0.25  # [A] the measurement buffer that FETCh reads is renewed this often
RELAY_S = 0.05  # [A] from OUTP ON to voltage at the terminals
SLEW_S = 0.02  # [A] a new level or frequency begins with the next cycle
OVER_CURRENT = 0x0002  # [A] bit of the questionable register
_COUPLED = frozenset({"level_v", "range"})


class Chroma61602(ScpiErrorQueue, ScpiInstrument):
    """An AC source whose range and level only fit together when they came in one message."""

    ROLE = "AcSource"
    MODEL = "Chroma 61602"
    IDENTITY = "Chroma ATE 61602,616020004217,1.00,1.01,1.02"  # vendor and model share a field
    NO_ERROR = '0,"No error"'
    UNKNOWN = frozenset({"*OPC", "*WAI", "*TRG", "*OPT"})  # the manual's list has no *OPC
    RESET_S = 3.0
    SETTINGS: ClassVar[Sequence[Setting]] = (
        NumberSetting(
            "level_v", "[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]:AC", 0.0, 0.0, 300.0, "V", "{:.1f}"
        ),
        ChoiceSetting("range", "[:SOURce]:VOLTage:RANGe", "LOW", ("LOW", "HIGH", "AUTO")),
        NumberSetting("limit_v", "[:SOURce]:VOLTage:LIMit:AC", 300.0, 0.0, 300.0, "V", "{:.1f}"),
        NumberSetting("frequency_hz", "[:SOURce]:FREQuency[:CW][:IMMediate]", 60.0, 15.0, 1000.0, "HZ", "{:.2f}"),
        NumberSetting("limit_a", "[:SOURce]:CURRent:LIMit", 8.0, 0.0, 8.0, "A", "{:.2f}"),
        NumberSetting("limit_delay_s", "[:SOURce]:CURRent:DELay", 0.5, 0.0, 5.0, "S", "{:.1f}"),
        NumberSetting("inrush_start_ms", "[:SOURce]:CURRent:INRush:STARt", 0.0, 0.0, 999.9, "", "{:.1f}"),
        NumberSetting("inrush_interval_ms", "[:SOURce]:CURRent:INRush:INTerval", 1.0, 0.0, 999.9, "", "{:.1f}"),
        NumberSetting("phase_on_deg", "[:SOURce]:PHASe:ON", 0.0, 0.0, 360.0, "DEG", "{:.1f}"),
        NumberSetting("phase_off_deg", "[:SOURce]:PHASe:OFF", 360.0, 0.0, 360.0, "DEG", "{:.1f}"),
        SwitchSetting("output", ":OUTPut[:STATe]", False),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._applied: dict[str, Any] = {"level_v": 0.0, "range": "LOW"}
        self._before_coupled: dict[str, Any] | None = None
        self._questionable = 0
        self._switched_on_s = -math.inf
        self._voltage_gain = 1.0 + self.drawn(0.002)
        self._frequency_gain = 1.0 + self.drawn(0.0015)
        self._volts = (1.0 + self.drawn(0.002), self.drawn(0.002 * 300.0))
        self._amps = (1.0 + self.drawn(0.004), self.drawn(0.003 * RANGES_A["HIGH"]))
        self._watts = (1.0 + self.drawn(0.004), self.drawn(0.004 * 300.0 * RANGES_A["HIGH"]) / 10)

    # -- settings --------------------------------------------------------------------------------------------------

    async def before(self, call: Call, words: tuple[str, ...]) -> None:
        """Judge a pending range and level as soon as something else comes."""
        coupled = words[0] in {"SOUR", "SOURCE", "VOLT", "VOLTAGE"} and not call.query
        if not coupled:
            self._settle_coupled()

    async def message_ends(self) -> None:
        self._settle_coupled()

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if name in _COUPLED:
            if self._before_coupled is None:
                self._before_coupled = dict(self._applied)
        elif name == "output":
            self._switch(bool(value))
        elif name == "limit_v" and self.get("level_v") > value:
            raise ScpiError(-222)
        elif name in {"frequency_hz", "limit_a"}:
            self._apply()

    def _settle_coupled(self) -> None:
        if self._before_coupled is None:
            return
        before, self._before_coupled = self._before_coupled, None
        level_v, range_name = self.get("level_v"), self.get("range")
        highest_v = RANGES_V.get(range_name, 300.0)
        if level_v > min(highest_v, self.get("limit_v")):
            for name, value in before.items():
                self.put(name, value)
            self.push(-222)
            return
        self._applied = {"level_v": level_v, "range": range_name}
        self._apply()

    def _apply(self) -> None:
        setting = {
            "voltage_v": self.get("level_v") * self._voltage_gain,
            "frequency_hz": self.get("frequency_hz") * self._frequency_gain,
            "current_limit_a": self.get("limit_a"),
        }
        self.later(SLEW_S if self.bench.ac.on else 0.0, lambda: self.bench.set_ac(**setting))

    def _switch(self, on: bool) -> None:
        if on and self._questionable:
            raise ScpiError(-221)  # a protection has to be cleared first
        if on:
            self._switched_on_s = self.world.now_s
            self.later(RELAY_S, lambda: self.bench.set_ac(on=self.get("output"), phase_deg=self.get("phase_on_deg")))
            self.world.at(self.world.now_s + RELAY_S + self.get("limit_delay_s") + 0.1, self._watch)
        else:
            self.bench.set_ac(on=False)

    async def reset(self) -> None:
        self._questionable = 0
        self._before_coupled = None
        self._applied = {"level_v": self.get("level_v"), "range": self.get("range")}
        self.bench.set_ac(on=False)
        self._apply()

    def _watch(self) -> None:
        """Trip the over-current protection when the current was above the limit for its delay."""
        if not (self.get("output") and self.bench.ac.on):
            return
        now_s = self.world.now_s
        window = self.bench.ac_window("source", now_s - 0.1, now_s)
        if window.i_rms_a >= 0.995 * self.get("limit_a"):  # it folds its voltage back to hold the limit
            self._questionable |= OVER_CURRENT
            self.put("output", False)
            self.bench.set_ac(on=False)
        else:
            self.world.at(now_s + max(0.1, self.get("limit_delay_s")), self._watch)

    @scpi(":OUTPut:PROTection:CLEar", most=0)
    def _clear_protection(self, call: Call) -> None:
        self._questionable = 0

    @scpi(":STATus:QUEStionable:CONDition?")
    def _questionable_condition(self, call: Call) -> str:
        return str(self._questionable)

    @scpi(":STATus:OPERation:CONDition?", ":STATus:OPERation[:EVENt]?")
    def _operation(self, call: Call) -> str:
        return "0"  # always, says the manual

    # -- measuring -------------------------------------------------------------------------------------------------

    async def _measured(self, call: Call) -> AcWindow:
        """MEASure waits for a new buffer, FETCh takes the last one."""
        if call.header.upper().lstrip(":").startswith("MEAS"):
            await self.world.wait_until((math.floor(self.world.now_s / UPDATE_S) + 1) * UPDATE_S)
        end_s = math.floor(self.world.now_s / UPDATE_S) * UPDATE_S
        window = self.bench.ac_window("source", max(0.0, end_s - UPDATE_S), end_s)
        volts = window.u_rms_v * self._volts[0] + (self._volts[1] if self.get("output") else 0.0)
        amps = window.i_rms_a * self._amps[0] + (self._amps[1] if self.get("output") else 0.0)
        watts = window.p_w * self._watts[0] + (self._watts[1] if self.get("output") else 0.0)
        noise = self.noise.normal(0.0, 1.0, 3)
        volts, amps = max(0.0, volts + 0.01 * noise[0]), max(0.0, amps + 5e-4 * noise[1])
        apparent_va = volts * amps
        watts = max(-apparent_va, min(apparent_va, watts + 0.05 * noise[2]))
        return replace(
            window,
            u_rms_v=volts,
            i_rms_a=amps,
            p_w=watts,
            s_va=apparent_va,
            q_var=math.copysign(math.sqrt(max(0.0, apparent_va**2 - watts**2)), window.q_var),
            power_factor=watts / apparent_va if apparent_va > 0.5 else 0.0,
        )

    @scpi(":FETCh[:SCALar]:VOLTage:ACDC?", ":MEASure[:SCALar]:VOLTage:ACDC?")
    async def _voltage(self, call: Call) -> str:
        return f"{(await self._measured(call)).u_rms_v:.2f}"

    @scpi(":FETCh[:SCALar]:CURRent:AC?", ":MEASure[:SCALar]:CURRent:AC?")
    async def _current(self, call: Call) -> str:
        return f"{(await self._measured(call)).i_rms_a:.3f}"

    @scpi(":FETCh[:SCALar]:CURRent:AMPLitude:MAXimum?", ":MEASure[:SCALar]:CURRent:AMPLitude:MAXimum?")
    async def _peak_current(self, call: Call) -> str:
        return f"{(await self._measured(call)).i_peak_a:.3f}"

    @scpi(":FETCh[:SCALar]:CURRent:CREStfactor?", ":MEASure[:SCALar]:CURRent:CREStfactor?")
    async def _crest_factor(self, call: Call) -> str:
        window = await self._measured(call)
        return f"{window.i_peak_a / window.i_rms_a if window.i_rms_a > 0.01 else 0.0:.3f}"

    @scpi(":FETCh[:SCALar]:CURRent:INRush?", ":MEASure[:SCALar]:CURRent:INRush?")
    async def _inrush(self, call: Call) -> str:
        start_s = self._switched_on_s + RELAY_S + self.get("inrush_start_ms") / 1e3
        end_s = start_s + max(1e-3, self.get("inrush_interval_ms") / 1e3)
        if not start_s >= 0.0 or end_s > self.world.now_s:
            return "0.000"
        return f"{self.bench.ac_window('source', start_s, end_s).i_peak_a:.3f}"

    @scpi(":FETCh[:SCALar]:POWer:AC[:REAL]?", ":MEASure[:SCALar]:POWer:AC[:REAL]?")
    async def _real_power(self, call: Call) -> str:
        return f"{(await self._measured(call)).p_w:.2f}"

    @scpi(":FETCh[:SCALar]:POWer:AC:APParent?", ":MEASure[:SCALar]:POWer:AC:APParent?")
    async def _apparent_power(self, call: Call) -> str:
        return f"{(await self._measured(call)).s_va:.2f}"

    @scpi(":FETCh[:SCALar]:POWer:AC:REACtive?", ":MEASure[:SCALar]:POWer:AC:REACtive?")
    async def _reactive_power(self, call: Call) -> str:
        return f"{(await self._measured(call)).q_var:.2f}"

    @scpi(":FETCh[:SCALar]:POWer:AC:PFACtor?", ":MEASure[:SCALar]:POWer:AC:PFACtor?")
    async def _power_factor(self, call: Call) -> str:
        return f"{(await self._measured(call)).power_factor:.3f}"

    @scpi(":FETCh[:SCALar]:FREQuency?", ":MEASure[:SCALar]:FREQuency?")
    async def _frequency(self, call: Call) -> str:
        return f"{(await self._measured(call)).frequency_hz:.2f}"
