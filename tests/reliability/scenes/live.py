"""A bench that is really energised: 230 V at the unit, 1 A through its first socket, measurements on record.

A scene tells its watcher what it does by lines of a file, each written in one go: `measured NAME ATTEMPT` once that
measurement has been made, `holds` when the bench is live, `deed NOW_S` when the scene does something to itself, by the
world's time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.clock import StationControl
from hil.dut.smart_power.board import SmartPower
from hil.run.measure import Measurer
from hil.station.station import Station

TELLS = "SCENE_TELLS"  # in the environment: the file
SEEN, SEEN_S = ".seen", 8.0  # what the watcher adds to the file's name; less than a run may stand still
FAULT = "SCENE_FAULT"  # in the environment: what begins to misbehave
RELAY_S, LOAD_S = 0.1, 0.2


class Teller:
    """Tells the watcher, past everything that could keep a line back."""

    def __init__(self, attach: str) -> None:
        self._attach = attach

    def say(self, *words: object) -> None:
        """Write a line; nothing stays open, for who knows how this process ends."""
        out = os.open(os.environ[TELLS], os.O_WRONLY | os.O_APPEND)
        os.write(out, (" ".join(map(str, words)) + "\n").encode())
        os.close(out)

    def holds(self) -> None:
        """Say that the bench is live, and go on when the watcher has seen it."""
        self.say("holds")
        end_s = time.monotonic() + SEEN_S
        while not Path(os.environ[TELLS] + SEEN).exists() and time.monotonic() < end_s:
            time.sleep(0.005)

    def measured(self, name: str, attempt: int = 1) -> None:
        """Say that `measure` has returned."""
        self.say("measured", name, attempt)

    def deed(self, fault: str = "") -> None:
        """Say that now, by the world's own clock, it happens; and let a fault begin."""
        host, _, port = self._attach.rpartition(":")
        world = StationControl(host, int(port))
        self.say("deed", world.ask("now")["now_s"])
        if fault:
            world.ask("fault", name=fault)
        world.close()


@contextmanager
def powered(bench: Station, board: SmartPower) -> Iterator[None]:
    """Mains on, the unit's firmware up, its first relay closed."""
    with bench.mains(230.0, 50.0):
        board.boot()
        board.relays[0].set()
        bench.clock.sleep(RELAY_S)
        yield


def draw(bench: Station) -> None:
    """Draw 1 A, and leave it on."""
    bench.load.set_current(1.0, 1.0)
    bench.load.on()
    bench.clock.sleep(LOAD_S)


def measure_some(bench: Station, measure: Measurer, teller: Teller) -> None:
    """Measure what there is to lose."""
    measure.check("interlock.emergency_stop_released", bench.fixture.emergency_stop_released())
    teller.measured("interlock.emergency_stop_released")
    for isolator in ("spi", "uart"):
        measure.check("interlock.isolators_declared", isolator in bench.config.isolators, isolator=isolator)
        teller.measured(f"interlock.isolators_declared[isolator={isolator}]")
