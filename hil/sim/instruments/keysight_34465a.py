"""Keysight 34465A multimeter, over HiSLIP. A reading takes its aperture of bench time.

Ref: Truevolt series operating and service guide (facts, instruments 3.4; PyMeasure's 34410A and 34450A drivers).
Accuracy, one year, unverified: see DC_VOLTS and OHMS below; PT100 four-wire 0.05 K beside the probe.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_syntax import Call, ScpiError, is_form_of, to_number

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

OVERLOAD = 9.9e37
LINE_HZ = 50.0
NPLC = (0.001, 0.002, 0.006, 0.02, 0.06, 0.2, 1.0, 10.0, 100.0)
FULL_SCALE = 1.2  # of the range; 1000 V has no over-range
# range: (fraction of reading, fraction of range)
DC_VOLTS = {0.1: (5e-5, 3.5e-5), 1.0: (4e-5, 7e-6), 10.0: (3e-5, 4e-6), 100.0: (4.5e-5, 6e-6), 1000.0: (4.5e-5, 1e-5)}
OHMS = {100.0: (1e-4, 4e-5)} | {10.0**n: (1e-4, 1e-5) for n in range(3, 7)}
OHMS |= {1e7: (4e-4, 1e-5), 1e8: (8e-3, 1e-4), 1e9: (8e-2, 1e-4)}
AC_VOLTS = dict.fromkeys(DC_VOLTS, (6e-4, 3e-4))
AMPS = dict.fromkeys((1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 3.0), (5e-4, 2e-4))
AC_AMPS = dict.fromkeys((1e-4, 1e-3, 1e-2, 1e-1, 1.0, 3.0), (1e-3, 4e-4))
NO_RANGE = {1.0: (0.0, 0.0)}
LEADS_OHM = 0.12  # [A] of the two leads a two-wire reading goes through
PROBES = ("FRTD", "RTD", "FTHermistor", "THERmistor", "TCouple")

FUNCTIONS: dict[str, tuple[str, dict[float, tuple[float, float]], str]] = {
    "VOLT": ("VOLTage[:DC]", DC_VOLTS, "V"),
    "VOLT:AC": ("VOLTage:AC", AC_VOLTS, "V"),
    "CURR": ("CURRent[:DC]", AMPS, "A"),
    "CURR:AC": ("CURRent:AC", AC_AMPS, "A"),
    "RES": ("RESistance", OHMS, "OHM"),
    "FRES": ("FRESistance", OHMS, "OHM"),
    "TEMP": ("TEMPerature", NO_RANGE, ""),
    "FREQ": ("FREQuency[:VOLTage]", NO_RANGE, "HZ"),
    "PER": ("PERiod[:VOLTage]", NO_RANGE, "S"),
    "CONT": ("CONTinuity", {1000.0: (1e-4, 2e-4)}, "OHM"),
    "DIOD": ("DIODe", {5.0: (1e-4, 2e-4)}, "V"),
    "CAP": ("CAPacitance", dict.fromkeys((1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4), (4e-3, 1e-3)), "F"),
}
_DEFAULTS: dict[str, Any] = {"range": 0.0, "auto": True, "nplc": 10.0, "null": False, "null_value": 0.0}


class Keysight34465A(ScpiErrorQueue, ScpiInstrument):
    """A multimeter whose terminals are where the switch routes them; the current terminals are open."""

    ROLE = "Dmm"
    MODEL = "Keysight 34465A"
    IDENTITY = "Keysight Technologies,34465A,MY57503712,A.03.02-02.40-03.02-00.52-03-02"
    RESET_S = 0.1  # [A]
    SETTINGS: ClassVar = (
        ChoiceSetting("trigger", ":TRIGger:SOURce", "IMM", ("IMMediate", "BUS", "EXTernal", "INTernal")),
        NumberSetting("trigger_count", ":TRIGger:COUNt", 1, 1, 1000000, "", "{:+.8E}"),
        NumberSetting("trigger_delay_s", ":TRIGger:DELay", 0.0, 0.0, 3600.0, "S"),
        SwitchSetting("trigger_delay_auto", ":TRIGger:DELay:AUTO", True),
        NumberSetting("samples", ":SAMPle:COUNt", 1, 1, 1000000, "", "{:+.8E}"),
        ChoiceSetting("unit", ":UNIT:TEMPerature", "C", ("C", "F", "K")),
        ChoiceSetting("probe", "[:SENSe]:TEMPerature:TRANsducer:TYPE", "FRTD", PROBES),
        NumberSetting("rtd_ohm", "[:SENSe]:TEMPerature:TRANsducer:FRTD:RESistance[:REFerence]", 100, 80, 120, "OHM"),
        SwitchSetting("impedance_auto", "[:SENSe]:VOLTage[:DC]:IMPedance:AUTO", False),
        NumberSetting("bandwidth_hz", "[:SENSe]:VOLTage:AC:BANDwidth", 20, 3, 200, "HZ"),
        SwitchSetting("display", ":DISPlay[:STATe]", True),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._function = "VOLT"
        self._of: dict[str, dict[str, Any]] = {name: dict(_DEFAULTS) for name in FUNCTIONS}
        self._readings: list[float] = []
        self._waiting = False  # armed, for *TRG
        self._questionable = 0
        self._error = {
            (name, top): (self.drawn(parts[0]), self.drawn(parts[1] * top))
            for name, (_, ranges, _) in FUNCTIONS.items()
            for top, parts in ranges.items()
        }
        self._error_k = self.drawn(0.05)
        self._leads_ohm = LEADS_OHM * (1.0 + 0.2 * float(self.errors_drawn.uniform(-1.0, 1.0)))
        for name, (path, ranges, unit) in FUNCTIONS.items():
            self._hang_function(name, path, ranges, unit)

    def _hang_function(self, name: str, path: str, ranges: dict[float, tuple[float, float]], unit: str) -> None:
        self.hang(f":CONFigure[:SCALar]:{path}", partial(self._configure, name), most=4)
        self.hang(f":MEASure[:SCALar]:{path}?", partial(self._measure, name), most=4)
        sense = f"[:SENSe]:{path}"
        if ranges is not NO_RANGE and name not in {"CONT", "DIOD"}:
            self.hang(f"{sense}:RANGe[:UPPer]", partial(self._set_range, name, unit))
            self.hang(f"{sense}:RANGe[:UPPer]?", partial(self._range, name), most=1)
            self.hang(f"{sense}:RANGe:AUTO", partial(self._set_auto, name))
            self.hang(f"{sense}:RANGe:AUTO?", lambda _: str(int(self._of[name]["auto"])))
        if name in {"VOLT", "CURR", "RES", "FRES", "TEMP"}:
            self.hang(f"{sense}:NPLCycles", partial(self._set_nplc, name))
            self.hang(f"{sense}:NPLCycles?", lambda _: f"{self._of[name]['nplc']:+.8E}")
            self.hang(f"{sense}:APERture", partial(self._set_aperture, name))
            self.hang(f"{sense}:APERture?", lambda _: f"{self._of[name]['nplc'] / LINE_HZ:+.8E}")
            self.hang(f"{sense}:RESolution", partial(self._set_resolution, name, unit))
            self.hang(f"{sense}:RESolution?", lambda _: f"{self._resolution(name):+.8E}")
            self.hang(f"{sense}:ZERO:AUTO", lambda _: None)
            self.hang(f"{sense}:ZERO:AUTO?", lambda _: "1")
        self.hang(f"{sense}:NULL[:STATe]", lambda call: self._of[name].update(null=call.boolean(0)))
        self.hang(f"{sense}:NULL[:STATe]?", lambda _: str(int(self._of[name]["null"])))
        self.hang(f"{sense}:NULL:VALue", lambda call: self._of[name].update(null_value=call.number(0, -1.2e9, 1.2e9)))
        self.hang(f"{sense}:NULL:VALue?", lambda _: f"{self._of[name]['null_value']:+.8E}")

    # -- choosing what to measure ----------------------------------------------------------------------------------

    async def _configure(self, name: str, call: Call) -> None:
        """CONFigure and MEASure bring range, NPLC, null and trigger of the function back to their defaults."""
        settings = dict(_DEFAULTS)
        index = 0
        if name == "TEMP":
            if call.has(0) and not is_form_of(call.text(0), "DEFault"):
                self.put("probe", call.choice(0, PROBES))
            index = 4  # type and resistance of the probe, not range and resolution
        ranges, unit = FUNCTIONS[name][1], FUNCTIONS[name][2]
        if call.has(index) and not any(is_form_of(call.text(index), word) for word in ("AUTO", "DEFault")):
            settings.update(
                range=_fitting(ranges, to_number(call.text(index), unit, min(ranges), max(ranges))), auto=False
            )
        self._of[name] = settings
        if call.has(index + 1) and not is_form_of(call.text(index + 1), "DEFault"):
            resolution = to_number(call.text(index + 1), unit, 0.0, max(ranges))
            settings["nplc"] = _nplc_for(resolution / (settings["range"] or max(ranges)))
        self._function = name
        self._readings = []
        for setting in ("trigger", "trigger_count", "samples", "trigger_delay_s"):
            self.values.pop((setting, ()), None)

    async def _measure(self, name: str, call: Call) -> str:
        await self._configure(name, call)
        return await self._read(call)

    @scpi(":CONFigure?")
    def _configuration(self, call: Call) -> str:
        state = self._of[self._function]
        top = state["range"] or max(FUNCTIONS[self._function][1])
        return f'"{self._function} {top:+.8E},{self._resolution(self._function):+.8E}"'

    @scpi("[:SENSe]:FUNCtion[:ON]")
    def _set_function(self, call: Call) -> None:
        wanted = call.string(0).upper()
        for name, (path, _, _) in FUNCTIONS.items():
            if wanted in _spellings(path):
                self._function = name
                self._readings = []
                return
        raise ScpiError(-224)

    @scpi("[:SENSe]:FUNCtion[:ON]?")
    def _chosen_function(self, call: Call) -> str:
        return f'"{self._function}"'

    def _set_range(self, name: str, unit: str, call: Call) -> None:
        ranges = FUNCTIONS[name][1]
        value = to_number(call.text(0), unit, min(ranges), max(ranges), max(ranges))
        self._of[name].update(range=_fitting(ranges, value), auto=False)

    def _range(self, name: str, call: Call) -> str:
        ranges = FUNCTIONS[name][1]
        if call.has(0):
            return f"{to_number(call.text(0), '', min(ranges), max(ranges), max(ranges)):+.8E}"
        return f"{self._of[name]['range'] or max(ranges):+.8E}"

    def _set_auto(self, name: str, call: Call) -> None:
        self._of[name]["auto"] = True if is_form_of(call.text(0), "ONCE") else call.boolean(0)

    def _set_nplc(self, name: str, call: Call) -> None:
        value = call.number(0, NPLC[0], NPLC[-1], default=10.0)
        self._of[name]["nplc"] = next(step for step in NPLC if step >= value * 0.999)

    def _set_aperture(self, name: str, call: Call) -> None:
        self._of[name]["nplc"] = call.number(0, 2e-5, 1.0, "S", 0.2) * LINE_HZ

    def _set_resolution(self, name: str, unit: str, call: Call) -> None:
        ranges = FUNCTIONS[name][1]
        top = self._of[name]["range"] or max(ranges)
        self._of[name]["nplc"] = _nplc_for(call.number(0, 1e-9 * top, top, unit, 3e-7 * top) / top)

    def _resolution(self, name: str) -> float:
        """Return the resolution: 0.3 ppm of range at 10 cycles, worse with the root of a shorter aperture [A]."""
        state = self._of[name]
        top: float = state["range"] or max(FUNCTIONS[name][1])
        return top * 3e-7 * math.sqrt(10.0 / state["nplc"])

    @scpi(":STATus:QUEStionable:CONDition?", ":STATus:QUEStionable[:EVENt]?")
    def _questionable_condition(self, call: Call) -> str:
        return f"{self._questionable:+d}"

    @scpi(":ROUTe:TERMinals?")
    def _terminals(self, call: Call) -> str:
        return "REAR"

    @scpi(":SYSTem:BEEPer[:IMMediate]", ":ABORt", most=0)
    def _stop(self, call: Call) -> None:
        self._waiting = False

    # -- measuring -------------------------------------------------------------------------------------------------

    @scpi(":READ?")
    async def _read(self, call: Call) -> str:
        if self.get("trigger") == "BUS":
            raise ScpiError(-214, "Trigger deadlock")
        self._readings = []
        await self._acquire()
        return await self._fetch(call)

    @scpi(":INITiate[:IMMediate]", most=0)
    async def _initiate(self, call: Call) -> None:
        self._readings = []
        if self.get("trigger") == "BUS":
            self._waiting = True
        else:
            await self._acquire()

    async def trigger(self) -> None:
        if not self._waiting:
            raise ScpiError(-211)
        self._waiting = False
        await self._acquire()

    @scpi(":FETCh?")
    async def _fetch(self, call: Call) -> str:
        if not self._readings:
            raise ScpiError(-230)
        return ",".join(f"{value:+.8E}" for value in self._readings)

    @scpi(":DATA:POINts?")
    def _points(self, call: Call) -> str:
        return f"{len(self._readings):+d}"

    async def _acquire(self) -> None:
        if self.get("trigger") in {"EXT", "INT"}:
            raise ScpiError(-213)  # nothing is wired to the external trigger
        if not self.get("trigger_delay_auto"):
            await self.world.wait(self.get("trigger_delay_s"))
        for _ in range(round(self.get("trigger_count")) * round(self.get("samples"))):
            self._readings.append(await self._take())

    async def _take(self) -> float:
        """Take one reading: pick the range, wait the aperture (twice with auto-zero), read what is there."""
        name, state = self._function, self._of[self._function]
        ranges = FUNCTIONS[name][1]
        aperture_s = state["nplc"] / LINE_HZ
        await self.world.wait(aperture_s * (2.0 if state["nplc"] >= 1.0 else 1.0) + 1e-3)
        value = self._truth(name)
        if name == "TEMP":
            return self._temperature(value)
        if state["auto"]:
            state["range"] = next((top for top in ranges if abs(value) <= FULL_SCALE * top), max(ranges))
        top = state["range"] or max(ranges)
        if abs(value) > FULL_SCALE * top:
            self._questionable |= 0x200 if name in {"RES", "FRES"} else 0x001
            return math.copysign(OVERLOAD, value)
        self._questionable = 0
        of_reading, offset = self._error.get((name, top), (0.0, 0.0))
        noise = 1e-7 * top * math.sqrt(10.0 / state["nplc"]) * self.noise.normal()
        measured = value * (1.0 + of_reading) + offset + noise
        resolution = self._resolution(name)
        measured = round(measured / resolution) * resolution
        return float(measured - state["null_value"] if state["null"] else measured)

    def _truth(self, name: str) -> float:
        """Return what stands at the terminals; nothing is wired to the current input, and no AC to the others."""
        if name in {"VOLT", "DIOD"}:
            return self.bench.dmm_voltage_v()
        if name in {"RES", "CONT"}:
            return self.bench.dmm_resistance_ohm() + self._leads_ohm
        if name == "FRES":
            return self.bench.dmm_resistance_ohm()
        if name == "TEMP":
            return self.bench.dmm_temperature_c()
        return 0.0

    def _temperature(self, celsius: float) -> float:
        if not math.isfinite(celsius):
            self._questionable |= 0x10
            return OVERLOAD
        measured = celsius + self._error_k + 0.002 * float(self.noise.normal())
        if self.get("probe") == "RTD":
            measured += self._leads_ohm / 0.39  # the leads of a two-wire PT100, 0.39 ohm/K
        if self.get("unit") == "F":
            return measured * 1.8 + 32.0
        return measured + 273.15 if self.get("unit") == "K" else measured

    async def reset(self) -> None:
        self._function = "VOLT"
        self._of = {name: dict(_DEFAULTS) for name in FUNCTIONS}
        self._readings, self._waiting, self._questionable = [], False, 0

    async def abort(self) -> None:
        self._waiting = False


def _fitting(ranges: dict[float, tuple[float, float]], value: float) -> float:
    """Return the smallest range that holds value; raises -222 beyond the largest."""
    for top in ranges:
        if abs(value) <= top * 1.0001:
            return top
    raise ScpiError(-222)


def _nplc_for(relative: float) -> float:
    """Return the shortest aperture whose resolution, as a fraction of range, is at least this fine."""
    return next((step for step in NPLC if 3e-7 * math.sqrt(10.0 / step) <= relative * 1.01), NPLC[-1])


def _spellings(path: str) -> Iterator[str]:
    """Yield a function's names as FUNC takes them: VOLT, VOLTAGE, VOLT:DC, ..."""
    words = path.replace("[", "").replace("]", "").split(":")
    short = [("".join(char for char in word if not char.islower()), word.upper()) for word in words]
    for first in short[0]:
        if len(short) == 1 or "[" in path:
            yield first
        if len(short) > 1:
            for second in short[1]:
                yield f"{first}:{second}"
