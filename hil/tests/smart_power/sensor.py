"""The bench's resistance in place of the board's NTC: the tester says how warm the board thinks it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Budget, Component, rectangular
from hil.metrology.propagation import Input, propagate
from hil.station.station import Station

ROOM_C = 25.0
COOL_S = 1.2  # the firmware looks every 0.5 s [A]: it has seen the new temperature
RELAY_WAIT_S = 0.25  # pulse and dead time of the firmware, with room
LEADS_OHM = 0.5  # route and leads, two wire [A]


@dataclass(frozen=True, slots=True)
class Sensor:
    """The stand-in, connected. The board's own sensor shows own_c; it counts where the two are in parallel."""

    bench: Station
    board: SmartPower
    own_c: float

    def resistance_ohm(self, temp_c: float) -> float:
        """Return what must be set so that the board sees a temperature; in parallel, only one above its own."""
        ntc = self.board.revision.ntc.value
        wanted_ohm = ntc.resistance_ohm(temp_c)
        if self.board.revision.can("ntc_in_place"):
            return wanted_ohm
        return 1.0 / (1.0 / wanted_ohm - 1.0 / ntc.resistance_ohm(self.own_c))

    def show(self, temp_c: float) -> None:
        """Let the board see a temperature."""
        self.bench.resistor.set_resistance(self.resistance_ohm(temp_c))

    def cool(self) -> None:
        """Let the board see the room, long enough for it to notice."""
        if self.board.revision.can("ntc_in_place"):
            self.show(ROOM_C)
        else:
            self.bench.resistor.set_open()
        self.bench.clock.sleep(COOL_S)

    def ready(self) -> frozenset[int]:
        """Cool it, re-arm it and close its relays; return the sockets whose contacts are closed then."""
        self.cool()
        self.board.protection.rearm()
        for relay in self.board.relays:
            relay.set()
            self.bench.clock.sleep(RELAY_WAIT_S)
        return frozenset(r.socket for r in self.board.relays if self.bench.fixture.contact_closed(r.socket))

    def opened(self, sockets: frozenset[int]) -> bool:
        """Say whether any of these contacts is open now: something has tripped."""
        return not all(self.bench.fixture.contact_closed(socket) for socket in sockets)

    def shown(self, temp_c: float, less_k: float, *more: Component) -> Budget:
        """Return the temperature that the board sees when temp_c is to be shown, less some kelvin, with its budget.

        more are components in kelvin.
        """
        ntc, resistance_ohm = self.board.revision.ntc.value, self.resistance_ohm(temp_c)
        per_ohm = ntc.kelvin_per_ohm(temp_c)
        of_r25_k, of_b_k = ntc.part_error_k(temp_c)
        set_ohm = self.bench.traceable("ProgrammableResistor", self.bench.resistor.accuracy_ohm(resistance_ohm), "set")
        parts = (
            rectangular("R at 25 C, 1 % [A]", of_r25_k),
            rectangular("B, 1 % [A]", of_b_k),
        )
        inputs = [
            set_ohm.plus(rectangular("leads and route, two wire [A]", LEADS_OHM)),
            Input("NTC it stands for", temp_c - less_k, "degC", parts),
            Input("", 0.0, "K", more),
        ]
        return propagate(lambda ohm, at_c, off_k: at_c + (ohm - resistance_ohm) * per_ohm + off_k, inputs, "degC")


@contextmanager
def stand_in(bench: Station, board: SmartPower) -> Iterator[Sensor]:
    """Connect the resistance at room temperature; behind the block the board has its NTC back, cool and re-armed."""
    sensor = Sensor(bench, board, board.protection.temperature_c())
    try:
        sensor.cool()
        with bench.route("ntc.decade"):
            yield sensor
            sensor.cool()
    finally:
        bench.resistor.off()
        bench.clock.sleep(COOL_S)
        board.protection.rearm()
