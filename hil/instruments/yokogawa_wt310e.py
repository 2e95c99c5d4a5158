"""Yokogawa WT310E digital power meter, the reference of the bench; SCPI over VXI-11.

Ref: IM WT310E-17EN (communication interface), IM WT310E-02EN chapter 7 (specifications). Facts: instruments 3.2.
The dialect: the error queue is :STAT:ERR?; headers are on until switched off; NAN and INF are text; VAL? answers at
once with the last update, so a value is only fresh after the update bit of :STAT:EESR? was cleared and came again.
"""

from __future__ import annotations

import math
import re
from typing import ClassVar

from hil.clock import Clock
from hil.errors import BadAnswer, InstrumentRefused, NoReading, OutOfRange, SetupError
from hil.instruments.accuracy import specified
from hil.instruments.identity import ask_identity
from hil.instruments.roles import Accuracy, EnergyReading, Identity, PowerMeter, PowerReading
from hil.links.scpi import ScpiLink, parse_number, tell_checked

VOLTAGE_RANGES_V = (15.0, 30.0, 60.0, 150.0, 300.0, 600.0)  # crest factor 3
CURRENT_RANGES_A = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
ITEMS = ("U", "I", "P", "S", "Q", "LAMB", "FU", "WH", "TIME")  # the WT310 sends 10 at most
ERRORS = ":STAT:ERR?"
UPDATED = 1  # bit 0 of the extended event register: an update has ended (transition filter FALL)
INTEGRATION_STATES = ("STAR", "STOP", "RES", "TIM", "ERR")  # START, STOP, RESET, TIMEUP, ERROR, in short or in full
MAX_INTEGRATION_S = 10_000 * 3600.0


class YokogawaWt310e:
    """Measures voltage, current, power and energy of one element. Satisfies the PowerMeter role."""

    ROLE = "PowerMeter"
    MODEL = "Yokogawa WT310E"
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._period_s = 0.0
        self._voltage_range_v = self._current_range_a = 0.0

    def identify(self) -> Identity:
        identity = ask_identity(self._link, self.MODEL, r"WT310E[H]?")
        self._link.tell(":COMM:HEAD OFF;:COMM:VERB OFF")  # before anything else is asked: answers become bare values
        return identity

    def configure(self) -> None:
        """Choose rms mode, the items and an update every 250 ms; done once, by whatever needs it first."""
        if self._period_s:
            return
        self._set(":COMM:HEAD OFF;:COMM:VERB OFF")
        self._set(":INP:MODE RMS;:INP:CFAC 3;:INP:SYNC VOLT;:INP:FILT:LINE OFF")
        self._set(":RATE 250MS")
        items = ";".join(f":NUM:NORM:ITEM{index} {item},1" for index, item in enumerate(ITEMS, 1))
        self._set(f":NUM:FORM ASC;:NUM:NORM:NUM {len(ITEMS)}")
        self._set(items)
        self._set(":STAT:FILT1 FALL")
        self._period_s = self._number(":RATE?")

    def set_ranges(self, voltage_v: float, current_a: float) -> None:
        """Choose the smallest fixed ranges that hold these rms values, and read back what was taken."""
        voltage_range_v = _range("power meter voltage_v", voltage_v, VOLTAGE_RANGES_V)
        current_range_a = _range("power meter current_a", current_a, CURRENT_RANGES_A)
        self.configure()
        self._set(f":INP:VOLT:AUTO OFF;:INP:VOLT:RANG {voltage_range_v:g}")
        self._set(f":INP:CURR:AUTO OFF;:INP:CURR:RANG {current_range_a:g}")
        self._voltage_range_v = self._expect(":INP:VOLT:RANG?", voltage_range_v)
        self._current_range_a = self._expect(":INP:CURR:RANG?", current_range_a)

    def update_period_s(self) -> float:
        """Return the time between two updates, in seconds."""
        self.configure()
        return self._period_s

    def measure(self) -> PowerReading:
        """Return the first update that began after this call; waits for one to two update periods.

        power_factor is nan where the analyser shows an error for it alone: without current there is none.
        """
        self.configure()
        values = self._fresh_values()
        undefined = values["LAMB"].strip().upper() in {"NAN", "INF"}  # over-range shows in U or I as well, and raises
        return PowerReading(
            voltage_v=self._value(values, "U"),
            current_a=self._value(values, "I"),
            power_w=self._value(values, "P"),
            apparent_va=self._value(values, "S"),
            reactive_var=self._value(values, "Q"),
            power_factor=math.nan if undefined else self._value(values, "LAMB"),
            frequency_hz=self._value(values, "FU"),
        )

    def start_integration(self) -> None:
        """Reset the watt-hours and start to integrate, until stopped."""
        self.configure()
        if self._integration(":INTEG:STAT?") == "STAR":
            self._set(":INTEG:STOP")
        self._set(":INTEG:RES;:INTEG:MODE NORM;:INTEG:TIM 0,0,0")
        self._set(":INTEG:STAR")

    def stop_integration(self) -> EnergyReading:
        """Stop to integrate and return watt-hours and seconds."""
        self._set(":INTEG:STOP")
        state = self._integration(":INTEG:STAT?")
        if state != "STOP":
            raise BadAnswer(self._link.who, ":INTEG:STAT?", state, "integration did not stop")
        values = self._fresh_values()
        return EnergyReading(self._value(values, "WH"), self._value(values, "TIME"))

    def power_accuracy_w(self, reading: PowerReading) -> Accuracy:
        """Return the active power accuracy, with the influence of the power factor and of self-heating."""
        power_w, apparent_va = abs(reading.power_w), abs(reading.apparent_va)
        power_factor = min(1.0, power_w / apparent_va) if apparent_va > 0 else 1.0
        return specified(
            "yokogawa_wt310e",
            "active_power",
            reading.power_w,
            self._at("V", "A"),
            frequency_hz=reading.frequency_hz,
            power_factor=power_factor,
            sin_phi=math.sqrt(1 - power_factor**2),
            apparent_va=apparent_va,
            voltage_v=reading.voltage_v,
            current_a=reading.current_a,
        )

    def voltage_accuracy_v(self, reading: PowerReading) -> Accuracy:
        """Return the rms voltage with its accuracy."""
        at, frequency_hz = self._at("V"), reading.frequency_hz
        return specified("yokogawa_wt310e", "ac_voltage", reading.voltage_v, at, frequency_hz=frequency_hz)

    def current_accuracy_a(self, reading: PowerReading) -> Accuracy:
        """Return the rms current with its accuracy."""
        at, frequency_hz = self._at("A"), reading.frequency_hz
        return specified("yokogawa_wt310e", "ac_current", reading.current_a, at, frequency_hz=frequency_hz)

    def frequency_accuracy_hz(self, reading: PowerReading) -> Accuracy:
        """Return the frequency of the voltage with its accuracy."""
        return specified("yokogawa_wt310e", "frequency", reading.frequency_hz)

    def off(self) -> None:
        """Stop an integration that runs; a power meter energises nothing."""
        if not self.is_off():
            self._set(":INTEG:STOP")

    def is_off(self) -> bool:
        return self._integration(":COMM:HEAD OFF;:INTEG:STAT?") != "STAR"

    def close(self) -> None:
        self._link.close()

    def _integration(self, query: str) -> str:
        answer = self._link.ask(query)
        for state in INTEGRATION_STATES:
            if answer.upper().startswith(state):
                return state
        raise BadAnswer(self._link.who, query, answer, "no state of an integration")

    def _fresh_values(self) -> dict[str, str]:
        """Return the items of one update that lies wholly after this call."""
        self._link.ask(":STAT:EESR?")  # forget the updates so far
        self._wait_for_update()  # this one may have begun before the call
        self._wait_for_update()
        text = self._link.ask(":NUM:NORM:VAL?")
        fields = text.split(",")
        if len(fields) != len(ITEMS):
            raise BadAnswer(self._link.who, ":NUM:NORM:VAL?", text, f"not {len(ITEMS)} values")
        return dict(zip(ITEMS, fields, strict=True))

    def _wait_for_update(self) -> None:
        events = self._link.ask(f":COMM:WAIT {UPDATED};:STAT:EESR?")  # answers when the update is there; reading clears
        if not re.fullmatch(r"[0-9]{1,9}", events) or not int(events) & UPDATED:
            raise NoReading(self._link.who, ":STAT:EESR?", events, "no update came")

    def _value(self, values: dict[str, str], item: str) -> float:
        return parse_number(self._link.who, f":NUM:NORM:VAL? ({item})", values[item])

    def _number(self, query: str) -> float:
        return parse_number(self._link.who, query, self._link.ask(query))

    def _set(self, message: str) -> None:
        tell_checked(self._link, message, ERRORS)

    def _expect(self, query: str, value: float) -> float:
        got = self._number(query)
        if not math.isclose(got, value, rel_tol=1e-6):
            raise InstrumentRefused(self._link.who, query, f"{value:g} was set, {got:g} was taken")
        return got

    def _at(self, *axes: str) -> dict[str, float]:
        """Return the ranges that are set, as the accuracy table knows them."""
        if not self._voltage_range_v:
            raise SetupError("the power meter's accuracy was asked before its ranges were set", "call set_ranges first")
        return {axis: {"V": self._voltage_range_v, "A": self._current_range_a}[axis] for axis in axes}


def _range(what: str, value: float, ranges: tuple[float, ...]) -> float:
    if not 0.0 <= value <= ranges[-1]:
        raise OutOfRange(what, value, 0.0, ranges[-1])
    return next(candidate for candidate in ranges if value <= candidate)


DRIVER: type[PowerMeter] = YokogawaWt310e
