"""ITECH IT8615 electronic AC/DC load, SCPI on raw socket port 30000.

Ref: IT8600 Programming Guide IT8600-402266, 2nd edition. Facts: instruments 3.3.
The dialect: SYST:REM before any setting; error answers begin with 0 when there is none; lists end in a comma.
"""

from __future__ import annotations

from typing import ClassVar

from hil.clock import Clock
from hil.errors import InstrumentRefused, OutOfRange
from hil.instruments.identity import ask_identity, is_on
from hil.instruments.roles import AcLoad, Identity
from hil.links.scpi import ScpiLink, parse_number, tell_checked

MAX_CURRENT_A = 20.0  # rms, IT8615: 420 V, 20 A, 1.8 kVA; unverified
MIN_OHM, MAX_OHM = 2.5, 2500.0  # unverified


class ItechAcLoad:
    """Sinks a set rms current at a set power factor, or is a resistor. Satisfies the AcLoad role."""

    ROLE = "AcLoad"
    MODEL = "ITECH IT8615"
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}  # raw socket
    can_source = False  # it burns what it takes
    can_distort = False  # a crest factor is all that can be set, and the guide does not say by which harmonics

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._function = ""

    def identify(self) -> Identity:
        identity = ask_identity(self._link, self.MODEL, r"IT8615L?")
        self._link.tell("SYST:REM")
        return identity

    def set_current(self, current_a: float, power_factor: float = 1.0) -> None:
        """Set rms current and power factor: lagging (inductive) > 0, leading (capacitive) < 0.

        The sign is sent as it is: a negative PFAC makes the current lead [A], the programming guide is silent.
        """
        if not 0.0 <= current_a <= MAX_CURRENT_A:
            raise OutOfRange("load current_a", current_a, 0.0, MAX_CURRENT_A)
        if not 0.0 < abs(power_factor) <= 1.0:
            raise OutOfRange("load power_factor", power_factor, -1.0, 1.0)
        self._configure("CURR")
        tell_checked(self._link, f"SOUR:PFAC {power_factor:.3f};:SOUR:CURR {current_a:.4f}")

    def set_resistance(self, resistance_ohm: float) -> None:
        """Set constant resistance: the current follows the voltage's shape, its harmonics too [A]."""
        if not MIN_OHM <= resistance_ohm <= MAX_OHM:
            raise OutOfRange("load resistance_ohm", resistance_ohm, MIN_OHM, MAX_OHM)
        self._configure("RES")
        tell_checked(self._link, f"SOUR:PFAC 1.000;:SOUR:RES {resistance_ohm:.3f}")

    def on(self) -> None:
        """Close the input: the set current flows as soon as there is voltage."""
        tell_checked(self._link, "SYST:REM;:INP:STAT ON")

    def off(self) -> None:
        """Open the input and read it back. Safe in any state, any number of times."""
        answer = self._link.ask("SYST:REM;:INP:STAT OFF;:INP:STAT?")
        if is_on(self._link.who, "INP:STAT?", answer):
            raise InstrumentRefused(self._link.who, "INP:STAT OFF", f"the input still says {answer}")

    def is_off(self) -> bool:
        return not is_on(self._link.who, "INP:STAT?", self._link.ask("INP:STAT?"))

    def measure_voltage_v(self) -> float:
        """Return the rms voltage at the load's input, in volts."""
        return self._number("MEAS:VOLT:RMS?")

    def measure_current_a(self) -> float:
        """Return the rms current into the load, in amperes."""
        return self._number("MEAS:CURR:RMS?")

    def measure_power_w(self) -> float:
        """Return the active power into the load, in watts."""
        return self._number("MEAS:POW?")

    def close(self) -> None:
        self._link.close()

    def _configure(self, function: str) -> None:
        """Choose AC, the function, and power factor before crest factor; AC only while the input is open."""
        if self._function == function:
            return
        if not self._function and self._link.ask("SYST:REM;:SYST:MODE?").upper() != "AC":
            tell_checked(self._link, "SYST:MODE AC")
        tell_checked(self._link, f"SOUR:FUNC {function};:SYST:CFPF:PRI PF")
        self._function = function

    def _number(self, query: str) -> float:
        text = self._link.ask(query)
        return parse_number(self._link.who, query, text.removesuffix(","))


DRIVER: type[AcLoad] = ItechAcLoad
