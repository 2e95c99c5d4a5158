"""Keysight E36312A triple DC supply, 6 V 5 A and two of 25 V 1 A, over HiSLIP.

Ref: E36300 series programming guide (facts, instruments 3.6; PyMeasure's driver). Accuracy, unverified: programming
0.03 % + 3 mV (output 1) or 5 mV, 0.04 % + 3 mA; readback 0.04 % + 2 mV or 5 mV, 0.04 % + 2 mA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.sim.scpi import ScpiErrorQueue, ScpiInstrument, scpi
from hil.sim.scpi_syntax import Call, ScpiError, to_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.sim.bench import Bench
    from hil.sim.world import World

OUTPUTS = (1, 2, 3)
MAX_V = {1: 6.18, 2: 25.75, 3: 25.75}
MAX_A = {1: 5.15, 2: 1.03, 3: 1.03}
SETTLE_S = 0.05  # data sheet, unverified: programming response to 1 %
MEASURE_S = 0.1  # [A] one readback
CC, CV = 1, 2  # condition of an output's questionable register; 0 when it is off
OVER_VOLTAGE, OVER_CURRENT = 4, 8  # [A] where the guide was not at hand


class KeysightE36312A(ScpiErrorQueue, ScpiInstrument):
    """Three outputs, addressed by a channel list or by the selected channel."""

    ROLE = "DcSupply"
    MODEL = "Keysight E36312A"
    IDENTITY = "Keysight Technologies,E36312A,MY59002174,2.1.0-1.0.4-1.12"
    RESET_S = 0.2  # [A]

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._selected = 1
        self._state: dict[int, dict[str, Any]] = {}
        self._fresh()
        offset_v = {1: 0.003, 2: 0.005, 3: 0.005}
        self._set_v = {n: (1.0 + self.drawn(0.0003), self.drawn(offset_v[n])) for n in OUTPUTS}
        self._set_a = {n: (1.0 + self.drawn(0.0004), self.drawn(0.003)) for n in OUTPUTS}
        self._read_v = {n: (1.0 + self.drawn(0.0004), self.drawn(offset_v[n])) for n in OUTPUTS}
        self._read_a = {n: (1.0 + self.drawn(0.0004), self.drawn(0.002)) for n in OUTPUTS}

    def _fresh(self) -> None:
        for n in OUTPUTS:
            self._state[n] = {
                "volts": 0.0,
                "amps": 0.1,  # [A] after *RST
                "on": False,
                "protection_v": 1.1 * MAX_V[n],
                "current_protection": False,
                "tripped": 0,
            }

    async def reset(self) -> None:
        self._fresh()
        self._selected = 1
        for n in OUTPUTS:
            self.bench.set_dc(n, on=False)

    # -- outputs of a call -----------------------------------------------------------------------------------------

    def _outputs(self, call: Call, index: int) -> list[int]:
        """Return the outputs of a channel list, or the selected one where there is no list."""
        return call.channels(index, OUTPUTS) if call.has(index) else [self._selected]

    def _set(self, call: Call, key: str, limits: dict[int, float], unit: str) -> list[int]:
        outputs = self._outputs(call, 1)
        text = call.text(0)
        values = {n: to_number(text, unit, 0.0, limits[n], 0.0) for n in outputs}
        if any(not 0.0 <= value <= limits[n] for n, value in values.items()):
            raise ScpiError(-222)
        for n, value in values.items():
            self._state[n][key] = value
        return outputs

    def _ask(self, call: Call, key: str, limits: dict[int, float]) -> str:
        limit = call.has(0) and not call.text(0).startswith("(")
        outputs = self._outputs(call, int(limit))
        if limit:
            return ",".join(f"{to_number(call.text(0), '', 0.0, limits[n], 0.0):+.8E}" for n in outputs)
        return ",".join(f"{self._state[n][key]:+.8E}" for n in outputs)

    def _flags(self, call: Call, value: Callable[[dict[str, Any]], int]) -> str:
        return ",".join(str(value(self._state[n])) for n in self._outputs(call, 0))

    # -- settings --------------------------------------------------------------------------------------------------

    @scpi("[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]", most=2)
    def _set_voltage(self, call: Call) -> None:
        self._apply(self._set(call, "volts", MAX_V, "V"))

    @scpi("[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]?", most=2)
    def _voltage_setting(self, call: Call) -> str:
        return self._ask(call, "volts", MAX_V)

    @scpi("[:SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]", most=2)
    def _set_current(self, call: Call) -> None:
        self._apply(self._set(call, "amps", MAX_A, "A"))

    @scpi("[:SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]?", most=2)
    def _current_setting(self, call: Call) -> str:
        return self._ask(call, "amps", MAX_A)

    @scpi(":APPLy", most=3)
    def _apply_both(self, call: Call) -> None:
        names = {"CH1": 1, "CH2": 2, "CH3": 3, "P6V": 1, "P25V": 2, "N25V": 3}
        output = names.get(call.text(0).upper())
        if output is None:
            raise ScpiError(-224)
        volts = call.number(1, 0.0, MAX_V[output], "V", 0.0)
        amps = call.number(2, 0.0, MAX_A[output], "A", MAX_A[output]) if call.has(2) else self._state[output]["amps"]
        self._state[output].update(volts=volts, amps=amps)
        self._apply([output])

    @scpi(":INSTrument[:SELect]")
    def _select(self, call: Call) -> None:
        self._selected = {"CH1": 1, "CH2": 2, "CH3": 3}[call.choice(0, ("CH1", "CH2", "CH3"))]

    @scpi(":INSTrument[:SELect]?")
    def _selection(self, call: Call) -> str:
        return f"CH{self._selected}"

    @scpi(":INSTrument:NSELect")
    def _select_number(self, call: Call) -> None:
        self._selected = call.integer(0, 1, 3)

    @scpi(":INSTrument:NSELect?")
    def _selected_number(self, call: Call) -> str:
        return str(self._selected)

    @scpi(":OUTPut[:STATe]", most=2)
    def _switch(self, call: Call) -> None:
        on, outputs = call.boolean(0), self._outputs(call, 1)
        for n in outputs:
            self._state[n]["on"] = on and not self._state[n]["tripped"]
            if not on:
                self.bench.set_dc(n, on=False)
        if on:
            self._apply(outputs)

    @scpi(":OUTPut[:STATe]?", most=1)
    def _switched(self, call: Call) -> str:
        return self._flags(call, lambda state: int(state["on"]))

    def _apply(self, outputs: list[int]) -> None:
        """Let the settings reach the terminals; a tripped output stays off."""

        def reach() -> None:
            for n in outputs:
                state = self._state[n]
                if state["on"] and state["volts"] > state["protection_v"]:
                    state.update(on=False, tripped=OVER_VOLTAGE)
                volts = max(0.0, state["volts"] * self._set_v[n][0] + self._set_v[n][1]) if state["volts"] else 0.0
                amps = max(0.001, state["amps"] * self._set_a[n][0] + self._set_a[n][1])
                self.bench.set_dc(n, voltage_v=volts, current_limit_a=amps, on=state["on"])
                self._watch(n)

        self.later(SETTLE_S, reach)

    def _watch(self, n: int) -> None:
        state = self._state[n]
        if state["on"] and state["current_protection"] and self._condition(n) == CC:
            state.update(on=False, tripped=OVER_CURRENT)
            self.bench.set_dc(n, on=False)

    # -- protection ------------------------------------------------------------------------------------------------

    @scpi("[:SOURce]:VOLTage:PROTection[:LEVel]", most=2)
    def _set_voltage_protection(self, call: Call) -> None:
        self._apply(self._set(call, "protection_v", {n: 1.1 * MAX_V[n] for n in OUTPUTS}, "V"))

    @scpi("[:SOURce]:VOLTage:PROTection[:LEVel]?", most=2)
    def _voltage_protection(self, call: Call) -> str:
        return self._ask(call, "protection_v", {n: 1.1 * MAX_V[n] for n in OUTPUTS})

    @scpi("[:SOURce]:CURRent:PROTection:STATe", most=2)
    def _set_current_protection(self, call: Call) -> None:
        on = call.boolean(0)
        for n in self._outputs(call, 1):
            self._state[n]["current_protection"] = on
            self._watch(n)

    @scpi("[:SOURce]:CURRent:PROTection:STATe?", most=1)
    def _current_protection(self, call: Call) -> str:
        return self._flags(call, lambda state: int(state["current_protection"]))

    @scpi("[:SOURce]:CURRent:PROTection:TRIPped?", most=1)
    def _current_tripped(self, call: Call) -> str:
        for n in OUTPUTS:
            self._watch(n)
        return self._flags(call, lambda state: int(state["tripped"] == OVER_CURRENT))

    @scpi("[:SOURce]:VOLTage:PROTection:TRIPped?", most=1)
    def _voltage_tripped(self, call: Call) -> str:
        return self._flags(call, lambda state: int(state["tripped"] == OVER_VOLTAGE))

    @scpi(":OUTPut:PROTection:CLEar", most=1)
    def _clear_protection(self, call: Call) -> None:
        for n in self._outputs(call, 0):
            self._state[n]["tripped"] = 0

    # -- measuring -------------------------------------------------------------------------------------------------

    async def _readback(self, call: Call, which: int) -> str:
        outputs = self._outputs(call, 0)
        await self.world.wait(MEASURE_S)
        values = []
        for n in outputs:
            gain, offset = (self._read_v, self._read_a)[which][n]
            value = self.bench.dc_readback(n)[which] * gain + offset
            values.append(f"{value + 1e-4 * self.noise.normal():+.8E}")
            self._watch(n)
        return ",".join(values)

    @scpi(":MEASure[:SCALar][:VOLTage][:DC]?", most=1)
    async def _measure_voltage(self, call: Call) -> str:
        return await self._readback(call, 0)

    @scpi(":MEASure[:SCALar]:CURRent[:DC]?", most=1)
    async def _measure_current(self, call: Call) -> str:
        return await self._readback(call, 1)

    def _condition(self, n: int) -> int:
        """Return CC or CV as the terminals show it, and what tripped."""
        state = self._state[n]
        if not (state["on"] and self.bench.dc[n].on):
            return int(state["tripped"])
        volts, amps = self.bench.dc_readback(n)
        setting = self.bench.dc[n]
        limited = amps >= 0.999 * setting.current_limit_a and volts < setting.voltage_v - 1e-3
        return CC if limited else CV

    @scpi(":STATus:QUEStionable:INSTrument:ISUMmary#:CONDition?")
    def _questionable(self, call: Call) -> str:
        if call.suffixes[0] not in OUTPUTS:
            raise ScpiError(-114)
        self._watch(call.suffixes[0])
        return f"{self._condition(call.suffixes[0]):+d}"
