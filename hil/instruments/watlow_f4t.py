"""Watlow F4T controller of a thermal chamber, over Modbus TCP, data map 1.

Ref: Watlow F4T Setup and Operations User's Guide, 0600-0093 rev. F, chapter 6: p225 (software, serial number, part
number, device status), p231 (a loop every 160 registers); TestEquity F4T manual, communications (registers of 32 bits
have their low word first unless set otherwise; set point 2782; event outputs, of which a maker may use one as the
chamber's power switch); ChamberConnectLibrary of Espec North America (mode 2730 and 2814, limits 2774 and 2776,
process value 2820, profile 16566 and 16568, temperature units over Ethernet 6730, one character a register).
Tried against the simulated one only; its accuracy is that of the chamber's maker, so it is a guess here [A].

Resource: modbus://HOST:PORT/UNIT, and behind a question mark, joined by &, where it is not the default: loop=2 (the
control loop of the air), event=1 (the event output that switches the chamber on), words=high (its word order).
A controller with cascade control has its set point elsewhere (4042): it is refused at its first write, not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from hil.clock import Clock, WaitTimeout
from hil.errors import BadAnswer, InstrumentRefused, OutOfRange, SetupError, WrongInstrument
from hil.instruments.roles import Accuracy, Identity, ThermalChamber
from hil.links.modbus import ModbusAddress, ModbusLink

SERIAL_NUMBER, PART_NUMBER, PART_NUMBER_LENGTH = 12, 16, 15
SOFTWARE = (4, 6, 8)  # release, prototype, build
UNITS = 6730
LOOP_REGISTERS, LOOPS = 160, 4
MODE, LOWEST, HIGHEST, SET_POINT, MODE_NOW, PROCESS_VALUE = 2730, 2774, 2776, 2782, 2814, 2820
AUTO, OFF, ON = 10, 62, 63
CELSIUS, FAHRENHEIT = 15, 30
PROFILE_ACTION, PROFILE_STATE = 16566, 16568
TERMINATE, RUNNING, PAUSED = 148, 149, 146
EVENTS = (16594, 16596, 16598, 16600, 16822, 16824, 16826, 16828)
TEMPERATURE_K = 1.0  # of sensor and controller together, where no calibration says better [A]
READ_BACK_K = 0.05  # a set point is a number of 32 bits
TAKES_EFFECT_S, STEP_S = 2.0, 0.1  # until a mode reads back [A]
LOOK_S = 15.0  # while it settles


class WatlowF4T:
    """One loop of an F4T. Satisfies the ThermalChamber role; off is outputs off: the air goes to the room's warmth."""

    ROLE = "ThermalChamber"
    MODEL = "Watlow F4T"
    OPTIONS = frozenset({"loop", "event", "words"})

    def __init__(self, link: ModbusLink, clock: Clock, loop: int = 1, power_event: int = 0) -> None:
        self._link, self._clock = link, clock
        self._first = (loop - 1) * LOOP_REGISTERS
        self._power = EVENTS[power_event - 1] if power_event else 0
        self._fahrenheit: bool | None = None

    @classmethod
    def open(cls, resource: str, clock: Clock) -> WatlowF4T:
        """Take e.g. modbus://192.0.2.21:502/1?event=1; raises SetupError and NotConnected."""
        address = ModbusAddress.parse(resource, cls.OPTIONS)
        options = dict(address.options)
        words = options.get("words", "low")
        try:
            loop, event = int(options.get("loop", 1)), int(options.get("event", 0))
        except ValueError:
            loop = event = -1
        if not 1 <= loop <= LOOPS or not 0 <= event <= len(EVENTS) or words not in {"low", "high"}:
            allowed = f"loop is 1 to {LOOPS}, event 1 to {len(EVENTS)}, words low or high"
            raise SetupError(f"{resource!r} does not describe a Watlow F4T", allowed)
        who = f"{cls.MODEL} ({cls.ROLE})"
        link = ModbusLink(who, address, word_order="low first" if words == "low" else "high first")
        return cls(link, clock, loop, event)

    def identify(self) -> Identity:
        """Return part and serial number; an F4T is known by the first three characters of its part number."""
        try:
            part = self._link.read_text(PART_NUMBER, PART_NUMBER_LENGTH)
        except InstrumentRefused as refused:
            got = f"no part number: {refused.errors}"
            raise WrongInstrument(self._link.who, self._link.where, self.MODEL, got) from refused
        if not part.startswith("F4T"):
            raise WrongInstrument(self._link.who, self._link.where, self.MODEL, part)
        serial = self._link.read_integer(SERIAL_NUMBER)
        software = ".".join(str(self._link.read_integer(register)) for register in SOFTWARE)
        return Identity("Watlow", part, str(serial), software)

    def read_range_c(self) -> tuple[float, float]:
        """Return the lowest and the highest set point that the controller allows."""
        return self._read_c(LOWEST), self._read_c(HIGHEST)

    def set_temperature(self, temp_c: float) -> None:
        """Set the temperature; it counts as soon as the chamber is on. The range is the controller's own."""
        low_c, high_c = self.read_range_c()
        if not (math.isfinite(temp_c) and low_c <= temp_c <= high_c):
            raise OutOfRange("chamber temp_c", temp_c, low_c, high_c)
        if self._profile_lives():
            raise InstrumentRefused(self._link.who, f"set point {temp_c:g} C", "a profile runs: it would change it")
        self._link.write_float(self._first + SET_POINT, temp_c * 1.8 + 32.0 if self._in_fahrenheit() else temp_c)
        if abs((got_c := self._read_c(SET_POINT)) - temp_c) > READ_BACK_K:
            raise InstrumentRefused(self._link.who, f"set point {temp_c:g} C", f"read back as {got_c:g} C")

    def on(self) -> None:
        """Regulate to the set point."""
        if self._power:
            self._link.write_word(self._power, ON)
        self._link.write_word(self._first + MODE, AUTO)
        self._until("on", lambda: self._mode() == AUTO)

    def measure_temperature_c(self) -> Accuracy:
        """Return the temperature of the air, by the controller's own sensor."""
        source = f"chamber's sensor, {TEMPERATURE_K:g} K [A]"
        return Accuracy(self._read_c(PROCESS_VALUE), TEMPERATURE_K, source, "temperature", "", "degC")

    def settle(self, tolerance_k: float, soak_s: float, deadline_s: float) -> float:
        """Wait until the air has kept within tolerance_k of its set point for soak_s; return how long it took, in s."""
        set_c, begin_s = self._read_c(SET_POINT), self._clock.now_s()
        within_since_s: float | None = None
        while True:
            now_s, air_c = self._clock.now_s(), self._read_c(PROCESS_VALUE)
            if abs(air_c - set_c) > tolerance_k:
                within_since_s = None
            elif within_since_s is None:
                within_since_s = now_s
            if within_since_s is not None and now_s - within_since_s >= soak_s:
                return now_s - begin_s
            if now_s - begin_s >= deadline_s:
                what = f"the chamber to stay within {tolerance_k:g} K of {set_c:g} C (it is at {air_c:.1f} C)"
                raise WaitTimeout(what, deadline_s)
            self._clock.sleep(LOOK_S)

    def off(self) -> None:
        """End a profile, and switch heating and cooling off. Safe in any state, any number of times.

        A profile that does not end is told after heating and cooling are off, as far as that goes.
        """
        stubborn: InstrumentRefused | None = None
        if self._profile_lives():
            try:
                self._link.write_word(PROFILE_ACTION, TERMINATE)
                self._until("the profile ended", lambda: not self._profile_lives())
            except InstrumentRefused as error:
                stubborn = error
        try:
            self._link.write_word(self._first + MODE, OFF)
        finally:
            if self._power:
                self._link.write_word(self._power, OFF)
        if stubborn is not None:
            raise stubborn
        self._until("off", self.is_off)

    def is_off(self) -> bool:
        return self._mode() == OFF and not self._profile_lives()

    def close(self) -> None:
        self._link.close()

    # -- registers of the loop -------------------------------------------------------------------------------------

    def _mode(self) -> int:
        """Return the mode that holds now: what was asked for, or what the controller made of it."""
        (mode,) = self._link.read_words(self._first + MODE_NOW)
        return mode

    def _profile_lives(self) -> bool:
        (state,) = self._link.read_words(PROFILE_STATE)
        return state in {RUNNING, PAUSED}

    def _read_c(self, register: int) -> float:
        value = self._link.read_float(self._first + register)
        return (value - 32.0) / 1.8 if self._in_fahrenheit() else value

    def _in_fahrenheit(self) -> bool:
        """Return the units of temperatures on this wire; somebody at the panel sets them, so they are asked once."""
        if self._fahrenheit is None:
            (units,) = self._link.read_words(UNITS)
            if units not in {CELSIUS, FAHRENHEIT}:
                raise BadAnswer(self._link.who, f"units at register {UNITS}", str(units), "neither C (15) nor F (30)")
            self._fahrenheit = units == FAHRENHEIT
        return self._fahrenheit

    def _until(self, what: str, done: Callable[[], bool]) -> None:
        end_s = self._clock.now_s() + TAKES_EFFECT_S
        while not done():
            if self._clock.now_s() >= end_s:
                raise InstrumentRefused(self._link.who, what, f"not so after {TAKES_EFFECT_S:g} s")
            self._clock.sleep(STEP_S)


DRIVER: type[ThermalChamber] = WatlowF4T
