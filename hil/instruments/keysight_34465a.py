"""Keysight 34465A Truevolt digital multimeter, SCPI over HiSLIP.

Ref: Keysight Truevolt Series Operating and Service Guide. Facts: instruments 3.4. CONF resets NPLC, so NPLC follows it
in the same message.
"""

from __future__ import annotations

import math
from typing import ClassVar

from hil.clock import Clock
from hil.errors import NoReading, OutOfRange
from hil.instruments.accuracy import specified
from hil.instruments.identity import ask_identity
from hil.instruments.roles import Accuracy, Dmm, Identity, OverRange
from hil.links.scpi import ScpiLink, parse_number, tell_checked

OVERLOAD, NOT_A_NUMBER = 9.9e37, 9.91e37  # SCPI-99, 7.2.1: an open circuit is the one, no data the other
NPLC = 10  # 0.2 s at 50 Hz, and as much again for auto-zero

VOLTAGE_RANGES_V = (0.1, 1.0, 10.0, 100.0, 1000.0)
RESISTANCE_RANGES_OHM = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


class Keysight34465a:
    """Measures DC voltage, resistance and a PT100. Satisfies the Dmm role."""

    ROLE = "Dmm"
    MODEL = "Keysight 34465A"
    LINK: ClassVar[dict[str, str | float]] = {"read_termination": "\n", "write_termination": "\n", "timeout_s": 5.0}

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._configured = ""

    def identify(self) -> Identity:
        return ask_identity(self._link, self.MODEL, r"34465A")

    def measure_dc_voltage_v(self, expected_v: float) -> Accuracy:
        """Return a DC voltage on the smallest range that holds expected_v; the meter reads 20 % beyond it."""
        range_v = _range("meter expected_v", abs(expected_v), VOLTAGE_RANGES_V)
        value_v = self._read(f"CONF:VOLT:DC {range_v:g};:VOLT:DC:NPLC {NPLC}")
        return specified("keysight_34465a", "dc_voltage", value_v, {"V": range_v})

    def measure_resistance_ohm(self, expected_ohm: float, four_wire: bool = False) -> Accuracy:
        """Return a resistance on the smallest range that holds expected_ohm; an open circuit is OverRange."""
        range_ohm = _range("meter expected_ohm", expected_ohm, RESISTANCE_RANGES_OHM)
        function = "FRES" if four_wire else "RES"
        value_ohm = self._read(f"CONF:{function} {range_ohm:g};:{function}:NPLC {NPLC}")
        at, two_wire = {"ohm": range_ohm}, 0.0 if four_wire else 1.0
        return specified("keysight_34465a", "resistance", value_ohm, at, two_wire=two_wire)

    def measure_temperature_c(self) -> Accuracy:
        """Return the temperature of a four-wire PT100, in degrees Celsius; the sensor is taken as class A [A]."""
        value_c = self._read(f"CONF:TEMP FRTD,85;:TEMP:NPLC {NPLC}")  # type 85: alpha = 0.00385
        return specified("keysight_34465a", "temperature", value_c)

    def off(self) -> None:
        """Stop a measurement that runs; a meter energises nothing that matters."""
        self._link.tell("ABOR")

    def is_off(self) -> bool:
        return True

    def close(self) -> None:
        self._link.close()

    def _read(self, configuration: str) -> float:
        configured, self._configured = self._configured, ""  # whatever goes wrong, the meter may have lost it
        if configuration != configured:
            tell_checked(self._link, configuration)
        value = self._value(configuration)
        self._configured = configuration
        return value

    def _value(self, configuration: str) -> float:
        answer = self._link.ask("READ?")
        try:
            return parse_number(self._link.who, "READ?", answer)
        except NoReading as error:
            if not abs(float(answer)) >= OVERLOAD or math.isclose(abs(float(answer)), NOT_A_NUMBER, rel_tol=1e-5):
                raise
            self._confirm(answer)
            raise OverRange(self._link.who, "READ?", answer, f"overload after {configuration}") from error

    def _confirm(self, overload: str) -> None:
        """Read again: an overload is a statement about the unit only when it is said twice."""
        answer = self._link.ask("READ?")
        try:
            parse_number(self._link.who, "READ?", answer)
        except NoReading:
            return
        raise NoReading(self._link.who, "READ?", f"{overload}, then {answer}", "overload and no overload, at once")


def _range(what: str, value: float, ranges: tuple[float, ...]) -> float:
    if not 0.0 <= value <= ranges[-1]:
        raise OutOfRange(what, value, 0.0, ranges[-1])
    return next(candidate for candidate in ranges if value <= candidate)


DRIVER: type[Dmm] = Keysight34465a
