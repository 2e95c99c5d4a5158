"""What keeps the unit from harm: over-temperature and over-current trips, and the sensor behind the first.

A trip opens the relays, holds through resets, and lets go by command only. Ref: Smart Power facts 6.4 (thresholds), 6.5
(Shelly Gen2: Switch.GetStatus errors, current_limit); Factory.Trips and Factory.Rearm are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.dut.smart_power.answers import ask
from hil.dut.smart_power.revisions import CurrentTrip
from hil.errors import UnitRefused
from hil.links.rpc import Rpc

OVERTEMPERATURE, OVERCURRENT = "overtemp", "overcurrent"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the firmware says it trips at: Factory.Trips."""

    overtemperature_c: float
    rearm_c: float
    overcurrent: tuple[CurrentTrip, ...]  # ascending


class Protection:
    """The firmware's trips, by its commands. It knows no limit and no verdict."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def thresholds(self) -> Thresholds:
        """Ask at what it trips."""
        answer = ask(self._rpc, "Factory.Trips")
        overcurrent = sorted((row.number("current_a"), row.number("hold_s")) for row in answer.rows("overcurrent"))
        return Thresholds(
            answer.number("overtemperature_c"),
            answer.number("rearm_c"),
            tuple(CurrentTrip(current_a, hold_s) for current_a, hold_s in overcurrent),
        )

    def temperature_c(self) -> float:
        """Return what the board's own sensor shows, to a tenth of a degree Celsius."""
        return ask(self._rpc, "Temperature.GetStatus", {"id": 100}).number("tC")

    def errors(self, socket: int) -> tuple[str, ...]:
        """Return what keeps a socket, from 1, open: "overtemp", "overcurrent"; "meter" says its meter is silent."""
        return ask(self._rpc, "Switch.GetStatus", {"id": socket - 1}).texts("errors")

    def rearm(self) -> bool:
        """Let the trips go; False where the unit refuses, because it is not cool enough."""
        try:
            self._rpc.call("Factory.Rearm")
        except UnitRefused:
            return False
        return True

    def set_current_limit(self, socket: int, current_a: float | None) -> None:
        """Give a socket, from 1, a limit of its own; None takes it away."""
        self._rpc.call("Switch.SetConfig", {"id": socket - 1, "config": {"current_limit": current_a}})
