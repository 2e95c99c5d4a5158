"""Yokogawa WT310E digital power meter, over VXI-11; every 0.25 s (:RATE) a new set of values, never in between.

Ref: IM WT310E-17EN, chapters 5 to 7 (facts, instruments 3.2); NAN and INF for no data and over-range: its Modbus part.
Accuracy at 45 to 66 Hz, unverified: U, I and P 0.1 % of reading + 0.05 % of range; at power factor 0 0.1 % of S more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.instruments.wt_integrator import Integrator
from hil.sim.instruments.wt_numbers import derived, engineering, text
from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiInstrument, SwitchSetting, scpi, short_form
from hil.sim.scpi_syntax import Call, ScpiError, definite_block

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

RANGES_V = (15.0, 30.0, 60.0, 150.0, 300.0, 600.0)
RANGES_A = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
RATES_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
FUNCTIONS = ("U", "I", "P", "S", "Q", "LAMBda", "PHI", "FU", "FI", "UPPeak", "IPPeak", "WH", "AH", "TIME", "NONE")
DEFAULT_ITEMS = ("U", "I", "P", "S", "Q", "LAMB", "PHI", "FU", "FI", "NONE")  # [A] preset 2
OVER_RANGE = 1.4  # of the range, at crest factor 3: the display shows --OL--
PEAK_OVER = 3.0  # of the range, at crest factor 3
RANGE_UP, RANGE_DOWN = 1.3, 0.3  # of the range: where automatic ranging moves
ZERO_BELOW = 0.005  # of the range: smaller rms values are shown as zero [A]
UPDATE_BIT, INTEGRATING_BIT, TIMER_BIT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Values:
    """One update, as measured; nan is no data, inf over-range."""

    by_function: dict[str, float]
    condition: int


class YokogawaWT310E(ScpiInstrument):
    """A power analyser with one element between the mains bus and the load."""

    ROLE = "PowerMeter"
    MODEL = "Yokogawa WT310E"
    IDENTITY = "YOKOGAWA,WT310E,C3RB21034E,F1.04"
    NO_ERROR = '0,"No error"'
    RESET_S = 1.0  # [A]
    SUFFIXES: ClassVar = {"item": (1, 10), "filter": (1, 16)}
    SETTINGS: ClassVar = (
        SwitchSetting("auto_v", ":INPut:VOLTage:AUTO", True),
        SwitchSetting("auto_a", ":INPut:CURRent:AUTO", True),
        ChoiceSetting("mode", ":INPut:MODE", "RMS", ("RMS", "VMEan", "DC")),
        ChoiceSetting("sync", ":INPut:SYNChronize", "VOLT", ("VOLTage", "CURRent", "OFF")),
        ChoiceSetting("wiring", ":INPut:WIRing", "P1W2", ("P1W2",)),
        SwitchSetting("line_filter", ":INPut:FILTer[:LINE]", False),
        SwitchSetting("frequency_filter", ":INPut:FILTer:FREQuency", False),
        NumberSetting("crest", ":INPut:CFACtor", 3, 3, 3, "", "{:.0f}"),  # crest factor 6 is not modelled: refused
        NumberSetting("count", ":NUMeric[:NORMal]:NUMber", 9, 1, 10, "", "{:.0f}"),
        ChoiceSetting("format", ":NUMeric:FORMat", "ASC", ("ASCii", "FLOat")),
        SwitchSetting("hold", ":HOLD", False),
        SwitchSetting("averaging", ":MEASure:AVERaging[:STATe]", False),
        SwitchSetting("header", ":COMMunicate:HEADer", True),
        SwitchSetting("verbose", ":COMMunicate:VERBose", True),
        SwitchSetting("remote", ":COMMunicate:REMote", False),
        SwitchSetting("lockout", ":COMMunicate:LOCKout", False),
        SwitchSetting("key_lock", ":SYSTem:KLOCk", False),
        ChoiceSetting("command_set", ":SYSTem:COMMunicate:COMMand", "WT300", ("WT300", "WT200")),
        ChoiceSetting("filter", ":STATus:FILTer#", "NEV", ("RISE", "FALL", "BOTH", "NEVer")),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        # half the specification each, so that power, their product, stays within a third of its own
        self._gain = {("v", r): 1.0 + self.drawn(0.0005) for r in RANGES_V}
        self._gain |= {("a", r): 1.0 + self.drawn(0.0005) for r in RANGES_A}
        self._offset_w = {(v, a): self.drawn(0.0005 * v * a) for v in RANGES_V for a in RANGES_A}
        self._phase_rad = self.drawn(0.001)
        self._frequency_gain = 1.0 + self.drawn(0.0006)
        self._range = {"v": RANGES_V[-1], "a": RANGES_A[-1]}
        self._next_range = dict(self._range)
        self._rate_s, self._rate_from_s = 0.25, 0.0
        self._latest: tuple[float, Values] = (-1.0, Values({}, 0))
        self._reactive_var = 0.0
        self._events_since_s = 0.0
        self._events = 0
        self.integrator = Integrator(world, bench)

    # -- updates ---------------------------------------------------------------------------------------------------

    def _last_update_s(self) -> float:
        """Return the end of the last complete update."""
        updates = math.floor((self.world.now_s - self._rate_from_s) / self._rate_s + 1e-9)
        return self._rate_from_s + updates * self._rate_s

    def _values(self) -> Values:
        """Return the values of the last update; automatic ranging acts between one update and the next."""
        at_s = self._last_update_s()
        if at_s != self._latest[0] and not (self.get("hold") and self._latest[0] >= 0.0):
            kept = max(1, min(20, int(25.0 / self._rate_s)))  # the bench remembers 30 s
            if at_s - self._latest[0] > kept * self._rate_s:
                self._latest = (at_s - kept * self._rate_s, self._latest[1])  # nobody saw those in between
            while self._latest[0] < at_s - 1e-9:
                end_s = min(at_s, self._latest[0] + self._rate_s) if self._latest[0] >= 0.0 else at_s
                self._latest = (end_s, self._measure(end_s))
        return self._latest[1]

    def _measure(self, end_s: float) -> Values:
        self._range = dict(self._next_range)
        if end_s <= 0.0 or end_s - self._rate_s < self._rate_from_s - 1e-9:
            return Values({}, 0)  # nothing measured yet at this rate
        window = self.bench.ac_window("reference", end_s - self._rate_s, end_s)
        range_v, range_a = self._range["v"], self._range["a"]
        self._reactive_var = window.q_var
        noise = self.noise.normal(0.0, 1.0, 5) * math.sqrt(0.25 / self._rate_s)
        volts = window.u_rms_v * self._gain["v", range_v] + 2e-5 * range_v * noise[0]
        amps = window.i_rms_a * self._gain["a", range_a] + 2e-5 * range_a * noise[1]
        watts = (window.p_w - window.q_var * self._phase_rad) * self._gain["v", range_v] * self._gain["a", range_a]
        watts += self._offset_w[range_v, range_a] + 2e-5 * range_v * range_a * noise[2]
        over_v = window.u_rms_v > OVER_RANGE * range_v
        over_a = window.i_rms_a > OVER_RANGE * range_a
        volts = volts if volts > ZERO_BELOW * range_v else 0.0
        amps = amps if amps > ZERO_BELOW * range_a else 0.0
        values = derived(volts, amps, watts, math.copysign(1.0, window.q_var))
        frequency_hz = window.frequency_hz * self._frequency_gain + 2e-4 * noise[3]
        values["FU"] = frequency_hz if volts > 0.1 * range_v else math.inf
        values["FI"] = frequency_hz if amps > 0.1 * range_a else math.inf
        values["UPP"] = window.u_peak_v * self._gain["v", range_v] if volts else 0.0
        values["IPP"] = window.i_peak_a * self._gain["a", range_a] if amps else 0.0
        for over, functions in ((over_v, ("U", "FU", "UPP")), (over_a, ("I", "FI", "IPP"))):
            values.update(dict.fromkeys(functions, math.inf) if over else {})
        if over_v or over_a:
            values.update(dict.fromkeys(("P", "S", "Q", "LAMB", "PHI"), math.inf))
        condition = (0x40 if over_v or over_a else 0) | (0x80 if window.u_peak_v > PEAK_OVER * range_v else 0)
        condition |= 0x100 if window.i_peak_a > PEAK_OVER * range_a else 0
        self._choose_ranges(window.u_rms_v, window.i_rms_a)
        return Values(values, condition)

    def _choose_ranges(self, volts: float, amps: float) -> None:
        if self.integrator.state == "START":
            return
        for kind, ranges, value in (("v", RANGES_V, volts), ("a", RANGES_A, amps)):
            at = ranges.index(self._range[kind])
            if self.get(f"auto_{kind}"):
                if value > RANGE_UP * ranges[at] and at + 1 < len(ranges):
                    self._next_range[kind] = ranges[at + 1]
                elif at and value < RANGE_DOWN * ranges[at] and value < RANGE_UP * ranges[at - 1]:
                    self._next_range[kind] = ranges[at - 1]

    # -- numeric data ----------------------------------------------------------------------------------------------

    @scpi(":NUMeric[:NORMal]:ITEM#", most=2)
    def _set_item(self, call: Call) -> None:
        self.check_suffixes("item", call.suffixes)
        function = call.choice(0, FUNCTIONS)
        if call.has(1):
            call.integer(1, 1, 1)  # the WT310E has one element
        self.put("item", function, call.suffixes[0])

    @scpi(":NUMeric[:NORMal]:ITEM#?")
    def _item(self, call: Call) -> str:
        self.check_suffixes("item", call.suffixes)
        function = self._function(call.suffixes[0])
        return function if function == "NONE" else f"{function},1"

    def _function(self, item: int) -> str:
        return str(self.values.get(("item", (item,)), DEFAULT_ITEMS[item - 1]))

    @scpi(":NUMeric[:NORMal]:CLEar", most=1)
    def _clear_items(self, call: Call) -> None:
        if call.has(0) and call.text(0).upper() != "ALL":
            call.integer(0, 1, 10)
        for item in range(1, 11):
            self.put("item", "NONE", item)

    @scpi(":NUMeric[:NORMal]:VALue?", most=1)
    def _value(self, call: Call) -> str | bytes:
        wanted = [call.integer(0, 1, 10)] if call.has(0) else list(range(1, round(self.get("count")) + 1))
        values = self._values()
        numbers = [self._number(self._function(item), values) for item in wanted]
        if self.get("format") == "FLO":
            import numpy as np

            return definite_block(np.array(numbers, dtype=">f4").tobytes(), digits=4)
        return ",".join(text(number, self._function(item)) for item, number in zip(wanted, numbers, strict=True))

    def _number(self, function: str, values: Values) -> float:
        if function in {"WH", "AH", "TIME"}:
            range_v, range_a = self._range["v"], self._range["a"]
            gain = self._gain["v", range_v] * self._gain["a", range_a]
            offset_w = self._offset_w[range_v, range_a] - self._reactive_var * self._phase_rad * gain
            return self.integrator.reading(function, gain, offset_w)
        return values.by_function.get(function, math.nan)

    # -- ranges and rate -------------------------------------------------------------------------------------------

    @scpi(":INPut:VOLTage:RANGe")
    def _set_voltage_range(self, call: Call) -> None:
        self._set_range("v", RANGES_V, call.number(0, 0.0, RANGES_V[-1], "V"))

    @scpi(":INPut:CURRent:RANGe")
    def _set_current_range(self, call: Call) -> None:
        self._set_range("a", RANGES_A, call.number(0, 0.0, RANGES_A[-1], "A"))

    def _set_range(self, kind: str, ranges: tuple[float, ...], value: float) -> None:
        if self.integrator.state == "START":
            raise ScpiError(813, "Invalid operation during integration")
        if not any(math.isclose(value, candidate) for candidate in ranges):
            raise ScpiError(-222)
        self._values()  # what was measured before belongs to the old range
        self._next_range[kind] = min(ranges, key=lambda candidate: abs(candidate - value))
        self.put(f"auto_{kind}", False)

    @scpi(":INPut:VOLTage:RANGe?")
    def _voltage_range(self, call: Call) -> str:
        return engineering(self._next_range["v"], 4)

    @scpi(":INPut:CURRent:RANGe?")
    def _current_range(self, call: Call) -> str:
        return engineering(self._next_range["a"], 4)

    @scpi(":INPut:CRANge?")
    def _check_range(self, call: Call) -> str:
        """Answer the check-range lamps: 1 where an input is over its range."""
        return str(int(bool(self._values().condition & 0x40)))

    @scpi(":RATE")
    def _set_rate(self, call: Call) -> None:
        if self.integrator.state == "START":
            raise ScpiError(813, "Invalid operation during integration")
        value = call.number(0, 0.0, 100.0, "S")
        rate_s = min(RATES_S, key=lambda candidate: abs(candidate - value))
        if not math.isclose(rate_s, value, rel_tol=1e-3):
            raise ScpiError(-222)
        self._rate_s, self._rate_from_s = rate_s, self.world.now_s
        self._latest = (self.world.now_s, Values({}, 0))

    @scpi(":RATE?")
    def _rate(self, call: Call) -> str:
        return engineering(self._rate_s, 4)

    # -- integration -----------------------------------------------------------------------------------------------

    @scpi(":INTEGrate:MODE")
    def _set_integration_mode(self, call: Call) -> None:
        self.integrator.set_mode(call.choice(0, ("NORMal", "CONTinuous")))

    @scpi(":INTEGrate:MODE?")
    def _integration_mode(self, call: Call) -> str:
        return self.integrator.mode

    @scpi(":INTEGrate:TIMer", most=3)
    def _set_integration_timer(self, call: Call) -> None:
        hours, minutes, seconds = call.integer(0, 0, 10000), call.integer(1, 0, 59), call.integer(2, 0, 59)
        self.integrator.set_timer(3600.0 * hours + 60.0 * minutes + seconds)

    @scpi(":INTEGrate:TIMer?")
    def _integration_timer(self, call: Call) -> str:
        seconds = round(self.integrator.timer_s)
        return f"{seconds // 3600},{seconds // 60 % 60},{seconds % 60}"

    @scpi(":INTEGrate:STARt", most=0)
    def _start_integration(self, call: Call) -> None:
        self._values()
        self._range = dict(self._next_range)
        self.integrator.start()
        self._event("2", rising=True)

    @scpi(":INTEGrate:STOP", most=0)
    def _stop_integration(self, call: Call) -> None:
        self.integrator.stop()
        self._event("2", rising=False)

    @scpi(":INTEGrate:RESet", most=0)
    def _reset_integration(self, call: Call) -> None:
        self.integrator.reset()

    @scpi(":INTEGrate:STATe?")
    def _integration_state(self, call: Call) -> str:
        return {"RESET": "RES", "START": "STAR", "TIMEUP": "TIM"}.get(self.integrator.current_state(), "STOP")

    # -- status ----------------------------------------------------------------------------------------------------

    def _event(self, bit: str, rising: bool) -> None:
        if self.get("filter", int(bit)) in {"RISE" if rising else "FALL", "BOTH"}:
            self._events |= 1 << (int(bit) - 1)

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if name == "filter" and suffixes == (1,):
            self._events_since_s = self.world.now_s  # updates from now on count

    def _updated(self) -> bool:
        """Return whether an update has ended since the extended event register was cleared."""
        return self.get("filter", 1) != "NEV" and self._last_update_s() > self._events_since_s + 1e-12

    def _extended_events(self) -> int:
        if self._updated():
            self._events |= UPDATE_BIT
        return self._events

    @scpi(":STATus:EESR?")
    def _read_events(self, call: Call) -> str:
        events = self._extended_events()
        self.clear_events()
        return str(events)

    def clear_events(self) -> None:
        self._events, self._events_since_s = 0, self.world.now_s

    @scpi(":STATus:EESE")
    def _set_event_mask(self, call: Call) -> None:
        self.put("eese", call.integer(0, 0, 65535))

    @scpi(":STATus:EESE?")
    def _event_mask(self, call: Call) -> str:
        return str(self.values.get(("eese", ()), 0))

    @scpi(":STATus:CONDition?")
    def _condition(self, call: Call) -> str:
        running = self.integrator.current_state() == "START"
        timed = running and self.integrator.timer_s > 0.0
        return str(self._values().condition | (INTEGRATING_BIT if running else 0) | (TIMER_BIT if timed else 0))

    def summary_bits(self) -> int:
        mask = int(self.values.get(("eese", ()), 0))
        return (0x04 if self.errors else 0) | (0x08 if self._extended_events() & mask else 0)

    @scpi(":COMMunicate:WAIT")
    async def _wait_for_event(self, call: Call) -> None:
        """Hold the next command until one of these extended events has happened."""
        mask = call.integer(0, 0, 65535)
        while not self._extended_events() & mask:
            if mask & UPDATE_BIT and self.get("filter", 1) != "NEV":
                await self.world.wait_until(self._last_update_s() + self._rate_s)
            else:
                await _a_little_real_time()

    @scpi(":COMMunicate:WAIT?", most=1)
    async def _wait_and_answer(self, call: Call) -> str:
        await self._wait_for_event(call)
        return "1"

    @scpi(":STATus:ERRor?")
    def _error(self, call: Call) -> str:
        return self.next_error()

    def format_error(self, code: int, text: str) -> str:
        return f'{abs(code)},"{text}"'  # Yokogawa counts its errors upwards: 113, 222

    @scpi(":STATus:QMESsage?")
    def _error_messages(self, call: Call) -> str:
        return "1"

    # -- the rest --------------------------------------------------------------------------------------------------

    def dress(self, pattern: str, call: Call, answer: str) -> str:
        """Write words in full and headers before settings, as :COMMunicate:VERBose and :HEADer say."""
        if self.get("verbose"):
            word, comma, rest = answer.partition(",")
            answer = _IN_FULL.get(word, word) + comma + rest
        if not self.get("header") or pattern.startswith("*") or pattern.startswith(_BARE):
            return answer
        names = pattern.removesuffix("?").replace("[", "").replace("]", "")
        suffixes = iter(call.suffixes)
        names = "".join(str(next(suffixes)) if char == "#" else char for char in names)
        return f"{names.upper() if self.get('verbose') else short_form(names)} {answer}"

    async def reset(self) -> None:
        self._range = {"v": RANGES_V[-1], "a": RANGES_A[-1]}
        self._next_range = dict(self._range)
        self._rate_s, self._rate_from_s = 0.25, self.world.now_s
        self._latest = (self.world.now_s, Values({}, 0))
        self.integrator = Integrator(self.world, self.bench)


_WORDS = [word for setting in YokogawaWT310E.SETTINGS for word in getattr(setting, "choices", ())]
_WORDS += [*FUNCTIONS, "NORMal", "CONTinuous", "RESet", "STARt", "STOP", "TIMeup"]
_IN_FULL = {_short: word.upper() for word in _WORDS if (_short := short_form(word)) != word.upper()}
_BARE = (":NUMeric[:NORMal]:VALue", ":STATus:", ":INTEGrate:STATe", ":COMMunicate:WAIT", ":INPut:CRANge")


async def _a_little_real_time() -> None:
    import asyncio

    await asyncio.sleep(0.002)
