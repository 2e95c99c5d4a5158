"""Keysight E36312A triple DC supply, SCPI over HiSLIP.

Ref: Keysight E36300 Series Programming Guide, doc. E36311-90008 (number unverified). Facts: instruments 3.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hil.clock import Clock
from hil.errors import BadAnswer, InstrumentRefused, OutOfRange
from hil.instruments.accuracy import specified
from hil.instruments.identity import ask_identity, is_on
from hil.instruments.roles import Accuracy, DcSupply, Identity
from hil.links.scpi import ScpiLink, parse_number, tell_checked


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """What one output can do."""

    voltage_v: float
    current_a: float
    protection_v: float


OUTPUTS = {  # as remembered from the data sheet: unverified
    1: OutputLimits(6.18, 5.15, 6.6),
    2: OutputLimits(25.75, 1.03, 27.5),
    3: OutputLimits(25.75, 1.03, 27.5),
}
SETTLE_S = 0.05  # output programming to 1 % takes at most 50 ms; unverified


class KeysightE36312A:
    """Three DC outputs. Satisfies the DcSupply role."""

    ROLE = "DcSupply"
    MODEL = "Keysight E36312A"
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock

    def identify(self) -> Identity:
        return ask_identity(self._link, self.MODEL, r"E36312A")

    def set_output(self, output: int, voltage_v: float, current_limit_a: float) -> None:
        """Set voltage, current limit and, 10 % + 0.5 V above it, the over-voltage protection of one output."""
        limits = _limits(output)
        if not 0.0 <= voltage_v <= limits.voltage_v:
            raise OutOfRange(f"supply output {output} voltage_v", voltage_v, 0.0, limits.voltage_v)
        if not 0.0 <= current_limit_a <= limits.current_a:
            raise OutOfRange(f"supply output {output} current_limit_a", current_limit_a, 0.0, limits.current_a)
        protection_v = min(limits.protection_v, voltage_v * 1.1 + 0.5)
        if protection_v < self._number(f"VOLT? (@{output})"):  # a level above the present setting must come first
            tell_checked(self._link, f"VOLT {voltage_v:.4f},(@{output})")
        tell_checked(self._link, f"VOLT:PROT {protection_v:.4f},(@{output})")
        tell_checked(self._link, f"VOLT {voltage_v:.4f},(@{output});:CURR {current_limit_a:.4f},(@{output})")

    def on(self, output: int) -> None:
        """Switch one output on and let it settle."""
        _limits(output)
        tell_checked(self._link, f"OUTP ON,(@{output})")
        self._clock.sleep(SETTLE_S)

    def output_off(self, output: int) -> None:
        """Switch one output off and read it back."""
        _limits(output)
        self._off(f"(@{output})", 1)

    def off(self) -> None:
        """Switch all outputs off and read them back. Safe in any state, any number of times."""
        self._off("(@1:3)", len(OUTPUTS))

    def is_off(self) -> bool:
        return not self._any_on(self._link.ask("OUTP? (@1:3)"), len(OUTPUTS))

    def measure_voltage_v(self, output: int) -> float:
        """Return the voltage at one output's terminals, in volts."""
        _limits(output)
        return self._number(f"MEAS:VOLT? (@{output})")

    def measure_current_a(self, output: int) -> float:
        """Return the current out of one output, in amperes."""
        _limits(output)
        return self._number(f"MEAS:CURR? (@{output})")

    def current_accuracy_a(self, output: int, current_a: float) -> Accuracy:
        """Return the readback accuracy of a current, 12 months."""
        _limits(output)
        return specified("keysight_e36312a", "dc_current", current_a, {"output": output})

    def close(self) -> None:
        self._link.close()

    def _off(self, outputs: str, count: int) -> None:
        answer = self._link.ask(f"OUTP OFF,{outputs};:OUTP? {outputs}")
        if self._any_on(answer, count):
            raise InstrumentRefused(self._link.who, f"OUTP OFF,{outputs}", f"the outputs still say {answer}")

    def _any_on(self, answer: str, count: int) -> bool:
        states = answer.split(",")
        if len(states) != count:  # an output that is not spoken of is not known to be off
            raise BadAnswer(self._link.who, "OUTP?", answer, f"{len(states)} states instead of {count}")
        return True in [is_on(self._link.who, "OUTP?", state) for state in states]

    def _number(self, query: str) -> float:
        return parse_number(self._link.who, query, self._link.ask(query))


def _limits(output: int) -> OutputLimits:
    if output not in OUTPUTS:
        raise OutOfRange("supply output", output, min(OUTPUTS), max(OUTPUTS))
    return OUTPUTS[output]


DRIVER: type[DcSupply] = KeysightE36312A
