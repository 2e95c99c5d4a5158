"""Keysight 34465A Truevolt digital multimeter, SCPI over HiSLIP.

Ref: Keysight Truevolt Series Operating and Service Guide. Facts: instruments 3.4. CONF resets NPLC, so NPLC follows it
in the same message. The accuracy table is from memory of the data sheet (1 year, 23 C +/- 5 C): unverified.
"""

from __future__ import annotations

import math
from typing import ClassVar

from hil.clock import Clock
from hil.errors import NoReading, OutOfRange
from hil.instruments.identity import ask_identity
from hil.instruments.roles import Accuracy, Dmm, Identity, OverRange
from hil.links.scpi import ScpiLink, parse_number, tell_checked

OVERLOAD, NOT_A_NUMBER = 9.9e37, 9.91e37  # SCPI-99, 7.2.1: an open circuit is the one, no data the other
NPLC = 10  # 0.2 s at 50 Hz, and as much again for auto-zero

VOLTAGE_SPEC = {  # range, V: (of reading, of range)
    0.1: (50e-6, 35e-6),
    1.0: (40e-6, 7e-6),
    10.0: (35e-6, 5e-6),
    100.0: (45e-6, 6e-6),
    1000.0: (45e-6, 10e-6),
}
RESISTANCE_SPEC = {  # range, ohm: (of reading, of range), four-wire
    1e2: (100e-6, 40e-6),
    1e3: (100e-6, 10e-6),
    1e4: (100e-6, 10e-6),
    1e5: (100e-6, 10e-6),
    1e6: (100e-6, 10e-6),
    1e7: (400e-6, 10e-6),
    1e8: (8000e-6, 100e-6),
}
TWO_WIRE_OHM = 0.2  # added for two wires without null
TEMPERATURE_C = 0.05  # the meter's share; the sensor comes on top
SOURCE = "Keysight 34465A data sheet, 1 year (unverified)"


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
        range_v = _range("meter expected_v", abs(expected_v), VOLTAGE_SPEC)
        value_v = self._read(f"CONF:VOLT:DC {range_v:g};:VOLT:DC:NPLC {NPLC}")
        of_reading, of_range = VOLTAGE_SPEC[range_v]
        return Accuracy(value_v, of_reading * abs(value_v) + of_range * range_v, f"{SOURCE}, {range_v:g} V range")

    def measure_resistance_ohm(self, expected_ohm: float, four_wire: bool = False) -> Accuracy:
        """Return a resistance on the smallest range that holds expected_ohm; an open circuit is OverRange."""
        range_ohm = _range("meter expected_ohm", expected_ohm, RESISTANCE_SPEC)
        function = "FRES" if four_wire else "RES"
        value_ohm = self._read(f"CONF:{function} {range_ohm:g};:{function}:NPLC {NPLC}")
        of_reading, of_range = RESISTANCE_SPEC[range_ohm]
        half_width = of_reading * abs(value_ohm) + of_range * range_ohm + (0.0 if four_wire else TWO_WIRE_OHM)
        wires = "four" if four_wire else "two"
        return Accuracy(value_ohm, half_width, f"{SOURCE}, {range_ohm:g} ohm range, {wires}-wire")

    def measure_temperature_c(self) -> Accuracy:
        """Return the temperature of a four-wire PT100, in degrees Celsius; the sensor is taken as class A [A]."""
        value_c = self._read(f"CONF:TEMP FRTD,85;:TEMP:NPLC {NPLC}")  # type 85: alpha = 0.00385
        sensor_c = 0.15 + 0.002 * abs(value_c)  # IEC 60751 class A
        return Accuracy(value_c, TEMPERATURE_C + sensor_c, f"{SOURCE} and IEC 60751 class A sensor [A]")

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


def _range(what: str, value: float, spec: dict[float, tuple[float, float]]) -> float:
    ranges = sorted(spec)
    if not 0.0 <= value <= ranges[-1]:
        raise OutOfRange(what, value, 0.0, ranges[-1])
    return next(candidate for candidate in ranges if value <= candidate)


DRIVER: type[Dmm] = Keysight34465a
