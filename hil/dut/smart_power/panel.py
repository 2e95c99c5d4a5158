"""What a person sees and touches of the board, and what it senses of its mains: two LEDs, buzzer, switch, detectors.

Ref: Smart Power facts 1.3 (GPIO2 earth detect, GPIO3 neutral detect, 41, 42 LEDs, 45 buzzer, 46 Wi-Fi switch); RPC: our
Factory namespace.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.dut.smart_power.answers import ask
from hil.links.rpc import Rpc


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the firmware makes of its input pins."""

    neutral: bool  # True: healthy wiring, neutral where neutral belongs
    earth: bool  # True: connected
    wifi_switch: bool  # True: on


class Panel:
    """The board's indicators and inputs, by the factory commands. It senses no light: the fixture does."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def set_led(self, colour: str, on: bool) -> None:
        """Let the firmware light "green" or "red", or put it out."""
        self._rpc.call("Factory.Led", {"colour": colour, "on": on})

    def set_buzzer(self, on: bool) -> None:
        """Let the firmware sound the buzzer, or silence it."""
        self._rpc.call("Factory.Buzzer", {"on": on})

    def inputs(self) -> Inputs:
        """Ask what the firmware senses now."""
        answer = ask(self._rpc, "Factory.Inputs")
        return Inputs(answer.flag("neutral"), answer.flag("earth"), answer.flag("wifi_switch"))
