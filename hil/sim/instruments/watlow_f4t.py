"""Watlow F4T controller of the thermal chamber, over Modbus TCP, data map 1. Only what its manuals name is there.

Ref: Watlow F4T Setup and Operations User's Guide, 0600-0093 rev. F, chapter 6: p225 (serial number, part number, name,
units: registers are "relative addresses"), p231 (loops are 160 registers apart); TestEquity F4T manual (word order low
first, ramp 2794 to 2798, events); ChamberConnectLibrary, Espec North America, MIT (2730, 2774, 2776, 2808 to 2820,
16566, 16568, units over Ethernet at 6730, one character a register). Which exception a refused write gets, the
sensor's error and the set-point limits are [A]; profiles can be looked at and ended, not run.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from hil.sim.transports.modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

AUTO, MANUAL, OFF, ON = 10, 54, 62, 63
CELSIUS, FAHRENHEIT, OK = 15, 30, 138
RAMP_STARTUP, RAMP_SET_POINT, RAMP_BOTH = 88, 85, 13
PER_HOUR, PER_MINUTE = 39, 57
NOT_STARTED, NONE, TERMINATE, PAUSE = 251, 61, 148, 146
PART_NUMBER = "F4T1L1EAA6D1AAA"
OTHER_PART_NUMBER = "F4SH-CCA0-01RG "  # an F4, the model before it
SERIAL = 20231107
SENSOR_K = 0.3  # of the controller's input and sensor [A]
LOW_LIMIT_C, HIGH_LIMIT_C = -40.0, 130.0  # as the chamber's maker leaves them [A]
EVENTS = (16594, 16596, 16598, 16600, 16822, 16824, 16826, 16828)
TEXT_AT, TEXT_LENGTH = 16, 15
NAME_AT, NAME_LENGTH = 46, 40

Number = Callable[[], float]


class WatlowF4T:
    """One control loop: set point, mode, ramp, limits, process value. Temperatures cross the wire in its units."""

    ROLE = "ThermalChamber"
    MODEL = "Watlow F4T"

    def __init__(self, world: World, bench: Bench) -> None:
        self._world, self._bench = world, bench
        drawn = world.individual("instrument", self.ROLE)
        self._sensor_k = float(drawn.uniform(-SENSOR_K, SENSOR_K))
        self._set_c, self._mode = 23.0, OFF
        self._manual_pct = 0.0
        self._limits_c = [LOW_LIMIT_C, HIGH_LIMIT_C]
        self._ramp_action, self._ramp_scale, self._ramp_rate = OFF, PER_MINUTE, 0.0
        self._started_s, self._started_c = 0.0, 23.0  # of the ramp
        self._units = CELSIUS
        self._name = "F4T"
        self._events = dict.fromkeys(EVENTS, OFF)
        self._numbers: dict[int, Number] = {
            2774: lambda: self._shown(self._limits_c[0]),
            2776: lambda: self._shown(self._limits_c[1]),
            2782: lambda: self._shown(self._set_c),
            2784: lambda: self._manual_pct,
            2798: lambda: self._ramp_rate,
            2808: lambda: bench.chamber.power_pct() if self._mode == AUTO else 0.0,
            2810: lambda: self._shown(self._instantaneous_c()),
            2820: lambda: self._shown(bench.chamber.air_c() + self._sensor_k),
        }
        self._words: dict[int, Callable[[], int]] = {
            90: lambda: OK,
            2730: lambda: self._mode,
            2794: lambda: self._ramp_action,
            2796: lambda: self._ramp_scale,
            2814: lambda: self._mode,
            6730: lambda: self._units,
            16566: lambda: NONE,
            16568: lambda: NOT_STARTED,
            **{event: (lambda event=event: self._events[event]) for event in EVENTS},  # type: ignore[misc]
        }
        self._integers = {4: 4, 6: 7, 8: 12, 12: SERIAL}

    # -- registers -------------------------------------------------------------------------------------------------

    def read(self, register: int, count: int) -> list[int]:
        """Return registers; between parameters of 16 bits there are gaps that read zero."""
        words = [self._word(one) for one in range(register, register + count)]
        if words[0] is None or all(word is None for word in words):
            raise Refusal(ILLEGAL_ADDRESS)
        return [word or 0 for word in words]

    def _word(self, register: int) -> int | None:
        """Return one register; None where the map has none. Of 32 bits the low word comes first."""
        if register in self._words:
            return self._words[register]()
        for first in (register, register - 1):
            bits = None
            if first in self._numbers:
                bits = struct.unpack(">I", struct.pack(">f", self._numbers[first]()))[0]
            elif first in self._integers:
                bits = self._integers[first]
            if bits is not None:
                return int(bits & 0xFFFF if first == register else bits >> 16)
        for at, length, text in ((TEXT_AT, TEXT_LENGTH, PART_NUMBER), (NAME_AT, NAME_LENGTH, self._name)):
            if at <= register < at + length:
                return ord(text[register - at]) if register - at < len(text) else 0
        return None

    def is_float(self, register: int) -> bool:
        """Return whether a number of 32 bits begins there."""
        return register in self._numbers

    def other_identity(self, register: int, words: list[int]) -> list[int]:
        """Return the part number of the model before it, where the part number is asked."""
        if register > TEXT_AT or register + len(words) < TEXT_AT + TEXT_LENGTH:
            return words
        at = TEXT_AT - register
        return [*words[:at], *map(ord, OTHER_PART_NUMBER), *words[at + TEXT_LENGTH :]]

    def write(self, register: int, words: list[int]) -> None:
        """Set one parameter; one that may not be written, or not to this value, is refused."""
        if len(words) == 2 and register in {2774, 2776, 2782, 2784, 2798}:
            value = struct.unpack(">f", struct.pack(">HH", words[1], words[0]))[0]
            if not math.isfinite(value):
                raise Refusal(ILLEGAL_VALUE)
            self._set_number(register, value)
        elif len(words) == 1:
            self._set_word(register, words[0])
        else:
            raise Refusal(ILLEGAL_ADDRESS)
        self._regulate()

    def _set_number(self, register: int, value: float) -> None:
        celsius = self._celsius(value)
        low_c, high_c = self._limits_c
        if register == 2782:
            if not low_c - 1e-3 <= celsius <= high_c + 1e-3:
                raise Refusal(ILLEGAL_VALUE)
            self._begin_ramp()
            self._set_c = celsius
        elif register == 2784:
            if not -100.0 <= value <= 100.0:
                raise Refusal(ILLEGAL_VALUE)
            self._manual_pct = value
        elif register == 2798:
            if not 0.0 <= value <= 99_999.0:
                raise Refusal(ILLEGAL_VALUE)
            self._begin_ramp()
            self._ramp_rate = value
        else:
            limits_c = [celsius, high_c] if register == 2774 else [low_c, celsius]
            if not limits_c[0] < limits_c[1]:
                raise Refusal(ILLEGAL_VALUE)
            self._limits_c = limits_c

    def _set_word(self, register: int, word: int) -> None:
        allowed = {
            2730: {AUTO, MANUAL, OFF}, 2794: {OFF, RAMP_STARTUP, RAMP_SET_POINT, RAMP_BOTH},
            2796: {PER_HOUR, PER_MINUTE}, 6730: {CELSIUS, FAHRENHEIT}, 16566: {NONE, PAUSE, TERMINATE},
            **{event: {ON, OFF} for event in EVENTS},
        }.get(register)  # fmt: skip
        if allowed is None:
            raise Refusal(ILLEGAL_ADDRESS)
        if word not in allowed:
            raise Refusal(ILLEGAL_VALUE)
        if register in self._events:
            self._events[register] = word
        elif register == 2730:
            self._begin_ramp()
            self._mode = word
        elif register == 2794:
            self._ramp_action = word
        elif register == 2796:
            self._ramp_scale = word
        elif register == 6730:
            self._units = word

    # -- regulation ------------------------------------------------------------------------------------------------

    def _regulate(self) -> None:
        """Tell the chamber; a manual output of zero is off, any other is beyond what is modelled and holds [A]."""
        self._bench.chamber.regulate(self._set_c if self._mode == AUTO else None, self._ramp_k_per_s())

    def _ramp_k_per_s(self) -> float:
        if self._ramp_action not in {RAMP_SET_POINT, RAMP_BOTH} or self._ramp_rate <= 0.0:
            return math.inf
        kelvin = self._ramp_rate / (1.8 if self._units == FAHRENHEIT else 1.0)
        return kelvin / (3600.0 if self._ramp_scale == PER_HOUR else 60.0)

    def _begin_ramp(self) -> None:
        self._started_s, self._started_c = self._world.now_s, self._bench.chamber.air_c()

    def _instantaneous_c(self) -> float:
        """Return the set point that is regulated to now: on its way, where it ramps."""
        rate = self._ramp_k_per_s()
        if self._mode != AUTO or math.isinf(rate):
            return self._set_c
        gone_k = min(rate * (self._world.now_s - self._started_s), abs(self._set_c - self._started_c))
        return self._started_c + math.copysign(gone_k, self._set_c - self._started_c)

    def _shown(self, celsius: float) -> float:
        return celsius * 1.8 + 32.0 if self._units == FAHRENHEIT else celsius

    def _celsius(self, shown: float) -> float:
        return (shown - 32.0) / 1.8 if self._units == FAHRENHEIT else shown
