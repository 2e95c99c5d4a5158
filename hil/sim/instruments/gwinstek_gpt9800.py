"""GW Instek GPT-9804 electrical safety tester on its serial line: a.c. and d.c. withstand, insulation, ground bond.

Ref: GPT-9800 and GPT-9900 series user manual: p. 46 (100 ms before a test, discharge after it), p. 117 (MEAS?), p. 134
and 135 (limits, TIME ERR), p. 153 (*IDN?). Answers to settings as logs of real testers show them: "0.100kV", "60 Hz",
"001.0 S", "TEST ON". From memory of the manual, unverified: the numbers of errors, "mA" with the digits of the trip
limit's range, and the data sheet's accuracies. [A]: milliohms as "015.3m ohm"; FUNC:TEST? says ON until the unit is
discharged, 50 ms and more; FUNC:TEST OFF brings the display back to VIEW; a current beyond the limit is shown at most
a fifth above it.

What is sent while a test runs is dropped without an error, but for questions, FUNC:TEST OFF and *CLS.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

IDENTITY = "GPT-9804 ,EZ700031    ,V2.08,"
ERRORS = {0: "No Error", 20: "Command Error", 21: "Value Error", 24: "Mode Error", 25: "Time Error"}
ERRORS |= {26: "DC Over 50W", 27: "GBV Over 5.4V", 64: "System Error"}
COMMAND, VALUE, MODE, TIME, DC_POWER, BOND_VOLTAGE = 20, 21, 24, 25, 26, 27
MODES = ("ACW", "DCW", "IR", "GB")
INITIAL_S, DISCHARGE_S = 0.1, 0.05
DISCHARGE_OHM = 100e3  # [A]
GAIN, VOLTS, AMPS, COUNTS_A, OHMS = 0.01, 5.0, 0.015, 3.0, 2e-3  # errors: data sheet
TOP_MOHM, TOP_BOND_MOHM = 9999, 999.9
BOND_OPEN_V = 6.0  # it cannot drive its current through more
SQRT2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that can be set: its range on the wire, what it is after power-on, and how it is answered."""

    low: float
    high: float
    value: float
    shows: str

    def answer(self, value: float) -> str:
        """Return it as the tester says it."""
        return self.shows.format(value)


SETTINGS = {
    "MANU:RTIMe": Setting(0.1, 999.9, 0.1, "{:05.1f} S"),
    "MANU:ACW:VOLTage": Setting(0.1, 5.0, 0.1, "{:.3f}kV"),
    "MANU:ACW:CHISet": Setting(0.001, 42.0, 1.0, "{:.3f}mA"),
    "MANU:ACW:CLOSet": Setting(0.0, 41.9, 0.0, "{:.3f}mA"),
    "MANU:ACW:TTIMe": Setting(0.5, 999.9, 1.0, "{:05.1f} S"),
    "MANU:ACW:FREQuency": Setting(50, 60, 60, "{:.0f} Hz"),
    "MANU:ACW:REF": Setting(0.0, 41.9, 0.0, "{:.3f}mA"),
    "MANU:ACW:ARCCurrent": Setting(0.0, 80.0, 10.0, "{:.3f}mA"),
    "MANU:DCW:VOLTage": Setting(0.1, 6.1, 0.1, "{:.3f}kV"),
    "MANU:DCW:CHISet": Setting(0.001, 11.0, 1.0, "{:.3f}mA"),
    "MANU:DCW:CLOSet": Setting(0.0, 10.9, 0.0, "{:.3f}mA"),
    "MANU:DCW:TTIMe": Setting(0.5, 999.9, 1.0, "{:05.1f} S"),
    "MANU:DCW:REF": Setting(0.0, 10.9, 0.0, "{:.3f}mA"),
    "MANU:DCW:ARCCurrent": Setting(0.0, 22.0, 10.0, "{:.3f}mA"),
    "MANU:IR:VOLTage": Setting(0.05, 1.0, 0.05, "{:.3f}kV"),
    "MANU:IR:RHISet": Setting(1, 9999, 9999, "{:04.0f}M ohm"),
    "MANU:IR:RLOSet": Setting(1, 9999, 1, "{:04.0f}M ohm"),
    "MANU:IR:TTIMe": Setting(1.0, 999.9, 1.0, "{:05.1f} S"),
    "MANU:IR:REF": Setting(0, 9999, 0, "{:04.0f}M ohm"),
    "MANU:GB:CURRent": Setting(3.0, 32.0, 3.0, "{:05.2f}A"),
    "MANU:GB:RHISet": Setting(0.1, 650.0, 100.0, "{:05.1f}m ohm"),
    "MANU:GB:RLOSet": Setting(0.0, 649.9, 0.0, "{:05.1f}m ohm"),
    "MANU:GB:TTIMe": Setting(0.5, 999.9, 1.0, "{:05.1f} S"),
    "MANU:GB:FREQuency": Setting(50, 60, 60, "{:.0f} Hz"),
    "MANU:GB:REF": Setting(0.0, 650.0, 0.0, "{:05.1f}m ohm"),
    "MANU:STEP": Setting(0, 100, 1, "{:03.0f}"),
}
OTHERS = (
    "*IDN",
    "*CLS",
    "SYSTem:ERRor",
    "TESTok:RETurn",
    "MAIN:FUNCtion",
    "MANU:EDIT:MODE",
    "FUNCtion:TEST",
    "MEASure",
)
HEADERS = {name: re.compile(re.sub(r"([A-Z]+)([a-z]+)", r"\1(?:\2)?", re.escape(name)).replace(r"\*", "[*]"), re.I)
           for name in (*SETTINGS, *OTHERS)}  # fmt: skip


class Refused(Exception):
    """A command that is not done, with the error it leaves."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Run:
    """A test under way, or over: when it began, when and how it ends; what it applies and finds then."""

    mode: str
    begins_s: float
    ramp_s: float
    ends_s: float  # of what is applied; the discharge follows
    free_s: float
    passes: bool
    applied: float
    measured: float


class GwInstekGpt9804:
    """Applies, measures, judges by its own limits, discharges."""

    ROLE = "HipotTester"
    MODEL = "GW Instek GPT-9804"

    def __init__(self, world: World, bench: Bench) -> None:
        self._world, self._box = world, bench.hipot
        draw = world.rng("bench", self.ROLE, "errors")
        self._volts, self._amps, self._ohms, self._bond = (1 + 0.5 * w * float(draw.uniform(-1, 1))
                                                           for w in (GAIN, AMPS, 0.05, GAIN))  # fmt: skip
        self._lock = asyncio.Lock()
        self._values = {name: setting.value for name, setting in SETTINGS.items()}
        self._mode, self._error = "ACW", 0
        self._run: Run | None = None
        self._result: Run | None = None
        self._actions: dict[str, Callable[[str], str | None]] = {
            "*IDN": lambda argument: IDENTITY,
            "*CLS": self._clear,
            "SYSTem:ERRor": lambda argument: self._take_error(),
            "TESTok:RETurn": self._set_return,
            "MAIN:FUNCtion": self._set_main,
            "MANU:EDIT:MODE": self._set_mode,
            "FUNCtion:TEST": self._set_test,
            "MEASure": lambda argument: self._measure(),
        }

    async def execute(self, message: str) -> str | None:
        """Execute one command and return its answer, or None; a mistake is kept for SYST:ERR?."""
        async with self._lock:
            header, _, argument = message.strip().partition(" ")
            argument = argument.strip()
            asks = header.endswith("?") or argument == "?"
            header = header.rstrip("?")
            try:
                return self._one(header, "?" if asks else argument)
            except Refused as refused:
                self._error = refused.code
                return None

    def fail(self, code: int) -> None:
        """Have an error for SYST:ERR? that no command caused."""
        self._error = code

    def _one(self, header: str, argument: str) -> str | None:
        if not header:
            return None
        name = next((name for name, pattern in HEADERS.items() if pattern.fullmatch(header)), None)
        if name is None:
            raise Refused(COMMAND)
        if self._busy and argument != "?" and name not in {"FUNCtion:TEST", "*CLS"}:
            return None
        return self._setting(name, argument) if name in SETTINGS else self._actions[name](argument)

    # -- settings ----------------------------------------------------------------------------------------------------

    def _setting(self, name: str, argument: str) -> str | None:
        setting, part = SETTINGS[name], name.split(":")[1]
        if part in MODES and part != self._mode:
            raise Refused(MODE)
        if argument == "?":
            return setting.answer(self._values[name])
        try:
            value = float(argument)
        except ValueError:
            raise Refused(VALUE) from None
        if not setting.low <= value <= setting.high or ("FREQ" in name and value not in {50, 60}):
            raise Refused(VALUE)
        before, self._values[name] = self._values[name], float(re.sub("[^0-9.]", "", setting.answer(value)))
        if wrong := self._contradiction():
            self._values[name] = before
            raise Refused(wrong)
        return None

    def _contradiction(self) -> int:
        """Return the error of settings that do not go together, or 0."""
        if self._mode == "ACW" and self._of("CHISet") > 30.0:
            return TIME if self._values["MANU:RTIMe"] + self._of("TTIMe") >= 240.0 else 0
        if self._mode == "DCW":
            return DC_POWER if self._of("VOLTage") * self._of("CHISet") > 50.0 else 0
        if self._mode == "GB":
            return BOND_VOLTAGE if self._of("CURRent") * self._of("RHISet") / 1e3 > 5.4 else 0
        return 0

    def _of(self, name: str) -> float:
        """Return a setting of the mode it is in, as on the wire."""
        return self._values[f"MANU:{self._mode}:{name}"]

    def _clear(self, argument: str) -> None:
        self._error = 0

    def _take_error(self) -> str:
        code, self._error = self._error, 0
        return f"{code},{ERRORS[code]}"

    def _set_return(self, argument: str) -> str | None:
        if argument == "?":
            return "OFF"
        if argument.upper() != "OFF":  # speaking unasked is not modelled
            raise Refused(VALUE)
        return None

    def _set_main(self, argument: str) -> str | None:
        if argument == "?":
            return "MANU MODE"
        if argument.upper() != "MANU":  # automatic sequences are not modelled
            raise Refused(VALUE)
        return None

    def _set_mode(self, argument: str) -> str | None:
        if argument == "?":
            return self._mode
        if argument.upper() not in MODES:
            raise Refused(VALUE)
        self._mode = argument.upper()
        return None

    # -- the test ----------------------------------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return self._run is not None

    def _set_test(self, argument: str) -> str | None:
        if argument == "?":
            return "TEST ON" if self._busy else "TEST OFF"
        if argument.upper() == "ON":
            if not self._busy:
                self._start()
        elif argument.upper() == "OFF":
            self._stop()
        else:
            raise Refused(VALUE)
        return None

    def _start(self) -> None:
        self._result = None
        run = self._planned()
        self._run = run
        if run.mode != "GB":
            self._box.set_output(run.applied)
        self._world.at(run.ends_s, lambda: self._over(run))

    def _planned(self) -> Run:
        """Return what will happen: everything about it is known when it begins."""
        begins_s = self._world.now_s + INITIAL_S
        test_s = self._of("TTIMe")
        if self._mode == "GB":
            ohm = self._box.bond_ohm()
            amps = min(self._of("CURRent"), BOND_OPEN_V / ohm)
            milliohms = min(TOP_BOND_MOHM, ohm * self._bond * 1e3 + 0.3 * OHMS * 1e3) if amps > 0.5 else TOP_BOND_MOHM
            passes = self._of("RLOSet") <= milliohms <= self._of("RHISet")
            ends_s = begins_s + (test_s if passes else 0.1)
            return Run("GB", begins_s, 0.0, ends_s, ends_s, passes, amps, milliohms)
        across, ramp_s = self._box.across(), self._values["MANU:RTIMe"]
        volts = self._of("VOLTage") * 1e3 * self._volts
        tail_s = DISCHARGE_S + 10.0 * DISCHARGE_OHM * across.farad
        if self._mode == "IR":
            ends_s = begins_s + ramp_s + test_s
            megohms = min(float(TOP_MOHM), round(across.ohm * self._ohms / 1e6))
            passes = self._of("RLOSet") <= megohms <= self._of("RHISet")
            return Run("IR", begins_s, ramp_s, ends_s, ends_s + tail_s, passes, volts, megohms)
        ac = self._mode == "ACW"
        hertz = self._of("FREQuency") if ac else 0.0
        limit_a, low_a = self._of("CHISet") / 1e3, self._of("CLOSet") / 1e3
        amps = across.amperes(volts, hertz) * self._amps
        gives_way_v = min(across.breakdown_v / (SQRT2 if ac else 1.0), volts * limit_a / amps if amps else math.inf)
        if gives_way_v < volts:
            ends_s = begins_s + ramp_s * gives_way_v / volts
            amps = min(1.2 * limit_a, max(limit_a * 1.01, amps))
            return Run(self._mode, begins_s, ramp_s, ends_s, ends_s + tail_s, False, gives_way_v, amps)
        ends_s = begins_s + ramp_s + test_s
        return Run(self._mode, begins_s, ramp_s, ends_s, ends_s + tail_s, amps >= low_a, volts, amps)

    def _over(self, run: Run) -> None:
        if self._run is run:
            self._result = run
            self._world.at(run.free_s, lambda: self._discharged(run))

    def _stop(self) -> None:
        """Stop, and show no result."""
        run, self._result = self._run, None
        if run is not None and self._world.now_s < run.ends_s:
            stopped = Run(run.mode, run.begins_s, run.ramp_s, self._world.now_s, 0.0, False, run.applied, run.measured)
            self._run = stopped
            self._world.at(self._world.now_s + run.free_s - run.ends_s, lambda: self._discharged(stopped))

    def _discharged(self, run: Run) -> None:
        if self._run is run:
            self._run = None
            self._box.set_output(0.0)

    # -- what it shows -------------------------------------------------------------------------------------------------

    def _measure(self) -> str:
        run, now_s = self._run, self._world.now_s
        if self._result is not None and self._result is not run:
            run = self._result
        if run is None:
            return self._line(self._mode, "VIEW", 0.0, 0.0, "  ---.-S")
        over = run is self._result
        elapsed_s = max(0.0, min(now_s, run.ends_s) - run.begins_s)
        full = elapsed_s >= run.ramp_s
        share = 1.0 if over or full else elapsed_s / run.ramp_s
        phase, seconds = ("T", elapsed_s - run.ramp_s) if full else ("R", elapsed_s)
        status = ("PASS" if run.passes else "FAIL") if over else "TEST"
        return self._line(run.mode, status, run.applied * share, run.measured, f"{phase}={max(0.0, seconds):05.1f}S")

    def _line(self, mode: str, status: str, applied: float, measured: float, time: str) -> str:
        if mode == "GB":
            applied_text, measured_text = f"{applied:05.2f}A", f"{measured:05.1f}m ohm"
        elif mode == "IR":
            applied_text, measured_text = f"{applied / 1e3:.3f}kV", f"{measured:04.0f}M ohm"
        else:
            limit_ma = self._of("CHISet") if mode == self._mode else 1.0
            digits = "{:.3f}" if limit_ma <= 1.0 else "{:05.2f}" if limit_ma <= 10.0 else "{:05.1f}"
            applied_text, measured_text = f"{applied / 1e3:.3f}kV", digits.format(measured * 1e3) + " mA "
        return f"{mode:<3},{status:<5},{applied_text},{measured_text},{time}"
