"""What the scope's inputs can be connected to, as signals of time, and when such a signal crosses a level.

The routes are those of the station named `sim`. The probes' bandwidths are left out: no edge here is that short [A].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hil.sim.circuit import Phasors, Segment
from hil.sim.history import AcHistory, Steps

if TYPE_CHECKING:
    from hil.sim.boards.smart_power import SmartPower
    from hil.sim.surge import Shot

COILS = tuple((relay, action) for relay in range(4) for action in ("SET", "RESET"))
RAIL = 0  # channel 4 sits on the 5 V rail at J43 for good
COLLECTORS = {1: range(101, 109), 2: range(109, 117)}
CONTACT_NODES = range(201, 205)
NTC_NODE, MAINS_PROBE, LOAD_CURRENT = 117, 118, 119
ROUTES = {
    1: (*COLLECTORS[1], LOAD_CURRENT),
    2: (*COLLECTORS[2], NTC_NODE, MAINS_PROBE),
    3: tuple(CONTACT_NODES),
    4: (RAIL,),
}
PROBE_FACTOR = 500.0  # volts at the bus a volt at the scope
MONITOR_V_PER_A = 0.2  # of the load's current monitor [A]
WETTING_OHM = 2200.0
CLOSED_OHM = 0.03  # of a wetted contact with its leads
EVEN_POINTS = 33
POINTS_A_PERIOD = 128
BISECTIONS = 60

Samples = NDArray[np.float64]


def _evenly(start_s: float, end_s: float) -> Samples:
    return np.linspace(start_s, end_s, EVEN_POINTS)


@dataclass(frozen=True, slots=True)
class Signal:
    """A voltage at the input. Between two breaks it is smooth, and crosses nothing that its grid does not show."""

    volts: Callable[[Samples], Samples]
    breaks_s: Callable[[float, float], list[float]]  # in (after, before]
    grid_s: Callable[[float, float], Samples] = _evenly


def signals(
    unit: SmartPower, wetting: Steps[float], history: AcHistory, shots: Callable[[], Sequence[Shot]]
) -> dict[int, Signal]:
    """Return the signal of every route that leads to the scope."""
    table = {RAIL: Signal(unit.rail_v, partial(_rail_breaks, unit))}
    for routes in COLLECTORS.values():
        for route, (relay, action) in zip(routes, COILS, strict=True):
            table[route] = Signal(partial(_collector, unit, relay, action), partial(_rail_breaks, unit))
    for relay, route in enumerate(CONTACT_NODES):
        table[route] = Signal(
            partial(_contact_node, unit, wetting, relay), partial(_contact_breaks, unit, wetting, relay)
        )
    table[NTC_NODE] = Signal(
        unit.ntc_v, lambda after_s, before_s: unit.ntc.changes_s(after_s, before_s) + _levels(unit, after_s, before_s)
    )
    mains = _Mains(history, shots)
    table[MAINS_PROBE] = Signal(mains.probe_v, mains.probe_breaks_s, mains.probe_grid_s)
    table[LOAD_CURRENT] = Signal(mains.monitor_v, history.segments.changes_s, mains.periods_s)
    return table


def _levels(unit: SmartPower, after_s: float, before_s: float) -> list[float]:
    return unit.levels.changes_s(after_s, before_s)


def _rail_breaks(unit: SmartPower, after_s: float, before_s: float) -> list[float]:
    breaks = _levels(unit, after_s, before_s)
    for relay in unit.relays:
        breaks += relay.coil_events_s(after_s, before_s)
    return breaks


def _collector(unit: SmartPower, relay: int, action: str, t_s: Samples) -> Samples:
    return unit.relays[relay].collector_v(action, t_s, unit.rail_v(t_s))


def _contact_node(unit: SmartPower, wetting: Steps[float], relay: int, t_s: Samples) -> Samples:
    contact = unit.relays[relay].contact
    closed = np.array(contact.values)[contact.indices(t_s)]
    supply_v = np.array(wetting.values)[wetting.indices(t_s)]
    return np.where(closed, supply_v * CLOSED_OHM / WETTING_OHM, supply_v)


def _contact_breaks(
    unit: SmartPower, wetting: Steps[float], relay: int, after_s: float, before_s: float
) -> list[float]:
    return unit.relays[relay].contact.changes_s(after_s, before_s) + wetting.changes_s(after_s, before_s)


def _bus(segment: Segment) -> Phasors:
    return segment.reference.u


def _load(segment: Segment) -> Phasors:
    return segment.load.i


class _Mains:
    """The probe at the bus, with the surges that came, and the current monitor of the load."""

    def __init__(self, history: AcHistory, shots: Callable[[], Sequence[Shot]]) -> None:
        self._history, self._shots = history, shots

    def probe_v(self, t_s: Samples) -> Samples:
        volts = self._history.waveform(_bus, t_s)
        for shot in self._shots():
            if t_s[0] <= shot.end_s and t_s[-1] >= shot.start_s:
                volts += shot.bus_v(t_s)
        return volts / PROBE_FACTOR

    def probe_breaks_s(self, after_s: float, before_s: float) -> list[float]:
        breaks = self._history.segments.changes_s(after_s, before_s)
        ends = [t_s for shot in self._shots() for t_s in (shot.start_s, shot.end_s)]
        return breaks + [t_s for t_s in ends if after_s < t_s <= before_s]

    def probe_grid_s(self, start_s: float, end_s: float) -> Samples:
        for shot in self._shots():
            if shot.start_s <= start_s < shot.end_s:
                instants = shot.instants_s
                return np.concatenate([[start_s], instants[(instants > start_s) & (instants <= end_s)]])
        return self.periods_s(start_s, end_s)

    def monitor_v(self, t_s: Samples) -> Samples:
        return self._history.waveform(_load, t_s) * MONITOR_V_PER_A

    def periods_s(self, start_s: float, end_s: float) -> Samples:
        """Return a fine grid over the first two periods of a steady state: the others are like them."""
        hertz = self._history.segments.at(start_s)[0].frequency_hz
        if hertz <= 0.0:
            return np.array([start_s])
        until_s = min(end_s, start_s + 2.0 / hertz)
        return np.linspace(start_s, until_s, max(2, math.ceil((until_s - start_s) * hertz * POINTS_A_PERIOD) + 1))


# -- crossings ---------------------------------------------------------------------------------------------------------

Piece = tuple[float, float, Signal | None]  # from, to, what was connected


def first_crossing(pieces: Sequence[Piece], level_v: float, rising: bool) -> float | None:
    """Return when a level was first crossed after the beginning of the first piece, or None; agrees with the samples.

    A jump belongs to the instant of its break; a signal that is beyond the level from the beginning crosses nothing.
    """
    sign = 1.0 if rising else -1.0
    was_beyond = True
    last_s = pieces[-1][1]
    for number, (start_s, end_s, signal) in enumerate(_between_breaks(pieces)):

        def beyond(times: Samples, signal: Signal | None = signal) -> NDArray[np.bool_]:
            volts = np.zeros_like(times) if signal is None else signal.volts(times)
            return sign * (volts - level_v) >= 0.0

        grid = np.array([start_s]) if signal is None else signal.grid_s(start_s, end_s)
        newest_s = end_s if end_s == last_s else max(start_s, math.nextafter(end_s, -math.inf))
        grid = np.append(grid[grid < newest_s], newest_s)
        flags = beyond(grid)
        if number and flags[0] and not was_beyond:
            return start_s
        ups = np.flatnonzero(flags[1:] & ~flags[:-1])
        if ups.size:
            low, high = float(grid[ups[0]]), float(grid[ups[0] + 1])
            for _ in range(BISECTIONS):
                middle = (low + high) / 2
                low, high = (low, middle) if beyond(np.array([middle]))[0] else (middle, high)
            return high
        was_beyond = bool(flags[-1])
    return None


def _between_breaks(pieces: Sequence[Piece]) -> list[Piece]:
    parts: list[Piece] = []
    last_s = pieces[-1][1]
    for start_s, end_s, signal in pieces:
        inner = signal.breaks_s(start_s, end_s) if signal is not None else []
        if end_s != last_s:
            inner = [t_s for t_s in inner if t_s < end_s]  # the next piece begins with it
        starts = sorted({start_s, *inner})
        parts += [(a, b, signal) for a, b in zip(starts, [*starts[1:], end_s], strict=True)]
    return parts
