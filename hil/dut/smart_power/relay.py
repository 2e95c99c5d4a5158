"""The board's bistable relays: two coils each, one contact, nothing on the board that reads the contact back (DR-29).

Ref: Smart Power facts 1.4 (coil table), 5 (drive timing), 6.5 (RPC).
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.dut.smart_power.answers import ask
from hil.dut.smart_power.revisions import Coil
from hil.errors import OutOfRange
from hil.links.rpc import Rpc

MAX_PULSE_S = 1.0  # no coil may be driven longer (facts 5, proposed limit [A]); relay sheets allow a minute


@dataclass(frozen=True, slots=True)
class Command:
    """What the firmware was told about one relay, and what it believed before. It cannot know the contact."""

    socket: int
    on: bool
    was_on: bool


class Relay:
    """One relay, commanded through the firmware. It knows no instrument, limit or verdict."""

    def __init__(self, rpc: Rpc, socket: int, set_coil: Coil, reset_coil: Coil) -> None:
        self._rpc = rpc
        self.socket, self.set_coil, self.reset_coil = socket, set_coil, reset_coil

    def set(self) -> Command:
        """Let the firmware pulse the SET coil: the contact should close and stay. Returns before the pulse is over."""
        return self._switch(on=True)

    def reset(self) -> Command:
        """Let the firmware pulse the RESET coil: the contact should open and stay. Returns before the pulse is over."""
        return self._switch(on=False)

    def believed_on(self) -> bool:
        """Return what the firmware believes; after a power loss it is a belief only."""
        return ask(self._rpc, "Switch.GetStatus", {"id": self.socket - 1}).flag("output")

    def pulse(self, coil: Coil, duration_s: float) -> None:
        """Pulse one coil for duration_s by the factory command; the firmware's belief does not follow."""
        if not 0.001 <= duration_s <= MAX_PULSE_S:
            raise OutOfRange("coil pulse duration_s", duration_s, 0.001, MAX_PULSE_S)
        self._rpc.call("Factory.CoilPulse", {"coil": coil.name, "duration_ms": round(duration_s * 1e3)})

    def _switch(self, *, on: bool) -> Command:
        answer = ask(self._rpc, "Switch.Set", {"id": self.socket - 1, "on": on})
        return Command(self.socket, on, answer.flag("was_on"))
