"""One relay actuation seen by the oscilloscope: own coil, other coil, contact; and what the picture says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hil.dut.smart_power.board import SmartPower
from hil.instruments.roles import Waveform
from hil.metrology.waveforms import Edge, Pulse, Samples, between, edges, low_pulses
from hil.station.station import Station
from hil.tests.smart_power.picture import picture

RAIL_V = 5.0
WETTING_V = 12.0
WETTING_OUTPUT = 3
WETTING_LIMIT_A = 0.02
DURATION_S = 0.12  # a pulse, what follows it, and 10 ms before
PRE_TRIGGER_S = 0.01
OWN, OTHER, CONTACT = 1, 2, 3  # scope channels
RELAY_WAIT_S = 0.25  # pulse and dead time of the firmware, with room
WIDE_V = (-4.0, 20.0)  # a clamped coil swings to about 6 V; one that leaves the screen is not clamped
NARROW_V = (-0.5, 7.5)  # for the saturation voltage, once the clamp is proven
COIL_HYSTERESIS_V = 1.0
CONTACT_HYSTERESIS_V = 3.0


@dataclass(frozen=True, slots=True)
class Shot:
    """The waveforms of one actuation; time zero is the trigger, the falling edge of a coil's collector."""

    own: Waveform
    other: Waveform
    contact: Waveform

    @property
    def own_pulses(self) -> list[Pulse]:
        """Pulses on the coil that was commanded."""
        return coil_pulses(self.own)

    @property
    def other_pulses(self) -> list[Pulse]:
        """Pulses on the relay's other coil."""
        return coil_pulses(self.other)

    @property
    def contact_edges(self) -> list[Edge]:
        """All contact edges, bounce included. The contact node falls when the contact closes."""
        return edges(self.contact.time_s, self.contact.voltage_v, WETTING_V / 2, CONTACT_HYSTERESIS_V)

    @property
    def sample_s(self) -> float:
        """Time between two samples."""
        return float(self.own.time_s[1] - self.own.time_s[0])

    def saturation_v(self, pulse: Pulse) -> Samples:
        """The collector's samples in the second half of a pulse, away from its edges."""
        inside = (pulse.start_s + pulse.width_s / 2, pulse.end_s - pulse.width_s / 20)
        return between(self.own.time_s, self.own.voltage_v, *inside)

    def picture(self, title: str) -> bytes:
        """The waveforms as an attachment of the journal."""
        traces = [("own coil", self.own), ("other coil", self.other), ("contact", self.contact)]
        marks = [("first edge", e.time_s) for e in self.contact_edges[:1]]
        marks += [("last edge", e.time_s) for e in self.contact_edges[1:][-1:]]
        return picture(title, [(name, "V", w.time_s[::4], w.voltage_v[::4]) for name, w in traces], marks)


class RelayShots:
    """Takes a shot of each actuation once, when it is first asked for."""

    def __init__(self, bench: Station, board: SmartPower) -> None:
        self._bench = bench
        self._board = board
        self._taken: dict[tuple[str, str], Shot | None] = {}

    def take(self, relay: str, action: str) -> Shot | None:
        """Return the shot of relay K1..K4 doing SET or RESET; None when its coil never pulled the collector down."""
        if (relay, action) not in self._taken:
            self._taken[relay, action] = self.capture(relay, action, WIDE_V)
        return self._taken[relay, action]

    def capture(self, relay: str, action: str, coil_range_v: tuple[float, float]) -> Shot | None:
        """Actuate now and capture; coil_range_v is what the collectors' channels show."""
        bench, other = self._bench, "RESET" if action == "SET" else "SET"
        self.command(relay, other)
        with bench.route(f"scope1.{relay}.{action}", f"scope2.{relay}.{other}", f"scope3.{relay}"), wetting(bench):
            bench.scope.set_timebase(DURATION_S, PRE_TRIGGER_S)
            for channel in (OWN, OTHER):
                bench.scope.set_channel(channel, *coil_range_v)
            bench.scope.set_channel(CONTACT, -2.0, 14.0)
            bench.scope.arm(OWN, RAIL_V / 2, rising=False)
            self.command(relay, action)
            if not bench.scope.triggered():
                return None
            own, other_coil, contact = (bench.scope.read_waveform(c, c != CONTACT) for c in (OWN, OTHER, CONTACT))
        return Shot(own, other_coil, contact)

    def command(self, relay: str, action: str) -> None:
        """Let the firmware SET or RESET a relay, and wait until its pulse is over."""
        target = self._board.relays[int(relay[1:]) - 1]
        (target.set if action == "SET" else target.reset)()
        self._bench.clock.sleep(RELAY_WAIT_S)


@contextmanager
def wetting(bench: Station) -> Iterator[None]:
    """Feed the contact nodes from the DC supply inside the block, 12 V through 2.2 kohm."""
    try:
        bench.dc_supply.set_output(WETTING_OUTPUT, WETTING_V, WETTING_LIMIT_A)
        bench.dc_supply.on(WETTING_OUTPUT)
        yield
    finally:
        bench.dc_supply.output_off(WETTING_OUTPUT)


def coil_pulses(wave: Waveform) -> list[Pulse]:
    """Return the complete pulses of a coil: its collector below half the rail."""
    return low_pulses(wave.time_s, wave.voltage_v, RAIL_V / 2, COIL_HYSTERESIS_V)
