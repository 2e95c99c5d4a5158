"""The unit at other temperatures, and its error as it changes: the chamber, the soak, and two readings compared.

The same reference reads at both ends of a change, in the same range. What its specification and its calibration leave
open is one unknown then, and falls out of the difference; what remains of it is how it drifted in the time between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import Budget, rectangular
from hil.metrology.propagation import Input, propagate
from hil.station.station import Station
from hil.tests.smart_power.comparison import POWER, both
from hil.tests.smart_power.loadpoint import SocketUnderLoad

AIR_K, AIR_S, LONGEST_S = 0.5, 600.0, 4 * 3600.0  # the chamber has settled; and has failed to
LOOK_S, STEADY_LOOKS = 300.0, 4  # the unit has settled when its error has moved by no more than STEADY_PCT in so many
STEADY_PCT = 0.02
INSIDE_K = 0.5  # what the unit's inside may be off the air then, its own warmth apart, which is the same each time [A]
DRIFT_SHARE = 0.2  # of the reference's specification: what it drifts within the hours of a test [A]


@dataclass(frozen=True, slots=True)
class Seen:
    """The unit and the reference, read together at one moment of a test: inputs of a budget."""

    unit: Input
    reference: Input

    @classmethod
    def now(cls, socket: SocketUnderLoad, when: str, change_pct: float, moved_pct: float = 0.0) -> Seen:
        """Read as many pairs as a change of the error by change_pct needs; it may still move by moved_pct."""
        taken = socket.pairs(lambda p: 100.0 * (p.unit.power_w / p.reference.power_w - 1.0), change_pct)
        unit, reference = both(socket.bench, POWER, taken.readings)
        specification = reference.components[0].value * abs(reference.components[0].sensitivity)
        drift = rectangular(
            f"drift within the test, {DRIFT_SHARE:g} of its specification [A]", DRIFT_SHARE * 3.0**0.5 * specification
        )
        if moved_pct:
            still = rectangular(f"steady: it moves by no more than {moved_pct:g} %", moved_pct / 100.0 * unit.value)
            unit = unit.plus(still)
        return cls(*(replace(one, name=f"{one.name} {when}") for one in (unit, reference.plus(drift))))

    @property
    def error_pct(self) -> float:
        """The unit's error."""
        return 100.0 * (self.unit.value / self.reference.value - 1.0)


def change(before: Seen, after: Seen) -> Budget:
    """Return by how much the error is another one after than it was before, in %, with its budget."""
    return propagate(
        lambda u1, r1, u2, r2: 100.0 * (u2 / r2 - u1 / r1),
        [before.unit, before.reference, after.unit, after.reference],
        "%",
    )


def coefficient(cold: Seen, cold_c: Input, warm: Seen, warm_c: Input) -> Budget:
    """Return the mean temperature coefficient between two temperatures, in %/K, with its budget."""
    return propagate(
        lambda u1, r1, t1, u2, r2, t2: 100.0 * (u2 / r2 - u1 / r1) / (t2 - t1),
        [cold.unit, cold.reference, cold_c, warm.unit, warm.reference, warm_c],
        "%/K",
    )


def air_c(bench: Station, when: str) -> Input:
    """Return the temperature beside the unit, by the PT100 there."""
    with bench.route("dmm.ambient"):
        accuracy = bench.dmm.measure_temperature_c()
    inside = rectangular("unit against the air beside it [A]", INSIDE_K)
    return bench.traceable("Dmm", accuracy, f"air {when}").plus(inside)


@contextmanager
def in_the_chamber(bench: Station, board: SmartPower, back_to_c: float) -> Iterator[None]:
    """Bring the chamber's air back to a temperature at the end of the block, and leave it off on every way out."""
    try:
        yield
        reach(bench, board, back_to_c)
    finally:
        bench.chamber.off()


def reach(bench: Station, board: SmartPower, temp_c: float) -> float:
    """Bring the chamber's air to a temperature; return how long that took, in seconds.

    The MCU is in reset meanwhile, so that the unit's own warmth is that of the measurements.
    """
    bench.chamber.set_temperature(temp_c)
    bench.chamber.on()
    with board.meters():
        return bench.chamber.settle(AIR_K, AIR_S, LONGEST_S)


def soak(socket: SocketUnderLoad) -> float:
    """Wait until the unit's error moves no more, its load as it is; return how long that took, in seconds."""
    clock = socket.bench.clock
    begin_s, seen_pct = clock.now_s(), list[float]()
    while clock.now_s() - begin_s < LONGEST_S:
        seen_pct.append(_error_pct(socket))
        last = seen_pct[-STEADY_LOOKS:]
        if len(last) == STEADY_LOOKS and max(last) - min(last) <= STEADY_PCT:
            break
        clock.sleep(LOOK_S)
    return clock.now_s() - begin_s


def _error_pct(socket: SocketUnderLoad) -> float:
    pair = socket.pair()
    return 100.0 * (pair.unit.power_w / pair.reference.power_w - 1.0)
