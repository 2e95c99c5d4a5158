"""Meatest M632 programmable resistance decade, SCPI on a raw socket.

Ref: Meatest M631 operation manual, p. 29 (syntax, terminators), and its sister M642 as Powertek MC642, p. 36 (error
queue, *IDN?); no page of the M632's own manual is public. Facts: instruments 3.11. Every line ends in CR LF.
"""

from __future__ import annotations

from typing import ClassVar

from hil.clock import Clock
from hil.errors import InstrumentRefused, OutOfRange
from hil.instruments.accuracy import specified
from hil.instruments.identity import ask_identity, is_on
from hil.instruments.roles import Accuracy, Identity, ProgrammableResistor
from hil.links.scpi import ScpiLink, tell_checked

RANGE_OHM = (1.0, 1.2e6)  # unverified


class MeatestM632:
    """Sets a resistance in place of a sensor. Satisfies the ProgrammableResistor role."""

    ROLE = "ProgrammableResistor"
    MODEL = "Meatest M632"
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\r\n"}  # the CR is white space
    range_ohm = RANGE_OHM

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock

    def identify(self) -> Identity:
        return ask_identity(self._link, self.MODEL, r"M-?632")

    def set_resistance(self, resistance_ohm: float) -> None:
        """Set a resistance, in ohms, and connect it; it may pass through others while its relays change."""
        low_ohm, high_ohm = RANGE_OHM
        if not low_ohm <= resistance_ohm <= high_ohm:
            raise OutOfRange("decade resistance_ohm", resistance_ohm, low_ohm, high_ohm)
        tell_checked(self._link, f":RES {resistance_ohm:.3f};:OUTP ON")

    def set_short(self) -> None:
        """Connect the lowest resistance, 1 ohm: to a sensor's divider of kilohms that is a short circuit."""
        self.set_resistance(RANGE_OHM[0])

    def set_open(self) -> None:
        """Disconnect it."""
        self.off()

    def accuracy_ohm(self, resistance_ohm: float) -> Accuracy:
        """Return a set resistance with its half-width, without the leads."""
        return specified("meatest_m632", "resistance", resistance_ohm)

    def off(self) -> None:
        """Disconnect the terminals and read it back. Safe in any state, any number of times."""
        answer = self._link.ask(":OUTP OFF;:OUTP?")
        if is_on(self._link.who, ":OUTP?", answer):
            raise InstrumentRefused(self._link.who, ":OUTP OFF", f"the output still says {answer}")

    def is_off(self) -> bool:
        return not is_on(self._link.who, ":OUTP?", self._link.ask(":OUTP?"))

    def close(self) -> None:
        self._link.close()


DRIVER: type[ProgrammableResistor] = MeatestM632
