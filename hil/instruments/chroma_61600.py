"""Chroma 61600 series programmable AC source (61601 .. 61605), SCPI by its LAN option.

Ref: Chroma 61601/61602/61603/61604 User's Manual, chapter 7 (remote operation). Facts: instruments 3.1.
The dialect: vendor and model share the first field of *IDN?; range and level are coupled, so both go into one message;
there is no *OPC, so the output voltage itself is polled. Lists and harmonics are the 61500's: see chroma_61500.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hil.clock import Clock, wait_until
from hil.errors import InstrumentRefused, OutOfRange, SetupError, WrongInstrument
from hil.instruments.identity import is_on
from hil.instruments.roles import AcSource, Identity, VoltageStep
from hil.links.scpi import ScpiLink, parse_number, tell_checked

MAX_VOLTAGE_V = 300.0  # rms, HIGH range
LOW_RANGE_V = 150.0
MIN_FREQUENCY_HZ, MAX_FREQUENCY_HZ = 15.0, 1000.0  # unverified
MAX_CURRENT_A = 16.0  # rms, the largest model in its LOW range; unverified. A smaller model refuses by its error queue
ON_DEADLINE_S = 3.0
VENDORS = {"chroma", "chroma ate"}


class ChromaAcSource:
    """Feeds the unit with mains. Satisfies the AcSource role."""

    ROLE = "AcSource"
    MODEL = "Chroma 61600"
    SERIES = "616"
    SHARED = True  # bears a second session beside the run's, the guard's [A]
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}  # raw socket
    can_dip = False
    can_distort = False

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._voltage_v = self._frequency_hz = 0.0

    def identify(self) -> Identity:
        self._link.tell("*CLS")
        text = self._link.ask("*IDN?")
        name, _, rest = text.partition(self.SERIES)  # vendor and model may share a field; the rest of the model follows
        model, *fields = [field.strip() for field in rest.split(",")]
        vendor = name.strip(" ,")
        known = vendor.lower() in VENDORS and re.fullmatch(r"[0-9]{2}", model)
        if not known or len(fields) < 2 or not all(fields[:2]):
            raise WrongInstrument(self._link.who, self._link.where, self.MODEL, text)
        return Identity(vendor, f"{self.SERIES}{model}", fields[0], ",".join(fields[1:]))

    def set_output(self, voltage_v: float, frequency_hz: float, current_limit_a: float) -> None:
        """Set rms voltage, frequency and rms current limit; the output need not be on."""
        self.check_output(voltage_v, frequency_hz, current_limit_a)
        range_name = "LOW" if voltage_v <= LOW_RANGE_V else "HIGH"
        tell_checked(self._link, f"SOUR:VOLT:RANG {range_name};:SOUR:VOLT:AC {voltage_v:.1f}")
        tell_checked(self._link, f"SOUR:FREQ {frequency_hz:.2f};:SOUR:CURR:LIM {current_limit_a:.2f}")
        self._voltage_v, self._frequency_hz = voltage_v, frequency_hz

    @staticmethod
    def check_output(voltage_v: float, frequency_hz: float, current_limit_a: float) -> None:
        """Raise OutOfRange for what the source cannot give, before anything is sent."""
        if not 0.0 <= voltage_v <= MAX_VOLTAGE_V:
            raise OutOfRange("source voltage_v", voltage_v, 0.0, MAX_VOLTAGE_V)
        if not MIN_FREQUENCY_HZ <= frequency_hz <= MAX_FREQUENCY_HZ:
            raise OutOfRange("source frequency_hz", frequency_hz, MIN_FREQUENCY_HZ, MAX_FREQUENCY_HZ)
        if not 0.0 < current_limit_a <= MAX_CURRENT_A:
            raise OutOfRange("source current_limit_a", current_limit_a, 0.0, MAX_CURRENT_A)

    def on(self) -> None:
        """Switch the output on and wait until the set voltage is there."""
        tell_checked(self._link, "OUTP ON")
        self._wait_for(self._voltage_v)

    def off(self) -> None:
        """Switch the output off and read it back. Safe in any state, any number of times."""
        answer = self._link.ask("OUTP OFF;:OUTP?")
        if is_on(self._link.who, "OUTP?", answer):
            raise InstrumentRefused(self._link.who, "OUTP OFF", f"the output still says {answer}")

    def is_off(self) -> bool:
        return not is_on(self._link.who, "OUTP?", self._link.ask("OUTP?"))

    def measure_voltage_v(self) -> float:
        """Return a new rms output voltage, in volts (MEASure is new, FETCh the last)."""
        return self._number("MEAS:VOLT:ACDC?")

    def measure_current_a(self) -> float:
        """Return a new rms output current, in amperes."""
        return self._number("MEAS:CURR:AC?")

    def dip(self, steps: Sequence[VoltageStep], angle_deg: float, repeat: int = 1) -> None:
        """Raise SetupError: this series has no list mode."""
        raise SetupError(f"a {self.MODEL} cannot time a dip", "put a Chroma 61500 on the bench")

    def set_harmonics(self, harmonics: Mapping[int, tuple[float, float]]) -> None:
        """Raise SetupError: this series makes sines."""
        raise SetupError(f"a {self.MODEL} cannot add harmonics", "put a Chroma 61500 on the bench")

    def clear_harmonics(self) -> None:
        """Do nothing: there are none."""

    def close(self) -> None:
        self._link.close()

    def _wait_for(self, voltage_v: float) -> None:
        """Wait until this rms voltage is at the output."""
        wait_until(
            self._clock,
            f"{voltage_v:g} V at the source's output",
            lambda: abs(self.measure_voltage_v() - voltage_v) <= 1.0 + 0.02 * voltage_v,
            ON_DEADLINE_S,
            step_s=0.05,
        )

    def _number(self, query: str) -> float:
        return parse_number(self._link.who, query, self._link.ask(query))


DRIVER: type[AcSource] = ChromaAcSource
