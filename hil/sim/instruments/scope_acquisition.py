"""How the scope comes to a record: armed, pre-trigger filled, triggered, complete; and what its ADC makes of it.

Ref: InfiniiVision 3000T X programmer's guide, chapters on :SINGle, :DIGitize and the operation status register
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

ARM_S = 0.005  # [A] from :SING to the first sample
AUTO_TRIGGER_S = 0.05  # [A] in sweep AUTO, without a trigger for so long it triggers by itself
KEEP_S = 30.0  # a record is sampled at the latest so long after it, because the bench forgets after 60 s
CODES_ON_SCREEN = 199.0  # of 255: eight divisions; the converter reaches beyond the screen
WORD_STEP = 256  # a WORD has eight more bits, which only HRES and averaging fill


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides about an acquisition when it is started. Times in s from the trigger; level as the input sees it."""

    start_s: float
    duration_s: float
    source: int | None  # None: the line or an input that nothing is wired to
    level_v: float
    slopes: tuple[bool, ...]  # rising: True, falling: False
    auto: bool


NOT_STARTED = Settings(0.0, 1e-3, None, 0.0, (True,), auto=False)


@dataclass(frozen=True, slots=True)
class Front:
    """One channel's input when the record was taken, in volts at the input connector."""

    range_v: float  # eight divisions
    center_v: float
    gain: float
    offset_v: float
    ac: bool
    inverted: bool
    high_resolution: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One acquisition: when it was triggered and the window it covers, in bench time."""

    number: int
    trigger_s: float
    start_s: float
    duration_s: float


class Acquirer:
    """The acquisition system; whoever asks makes it look at what has happened since."""

    def __init__(self, world: World, bench: Bench) -> None:
        self._world, self._bench = world, bench
        self.state = "STOP"  # RUN, SING or STOP
        self.record: Record | None = None
        self.armed_events = self.trigger_events = 0
        self.settings = NOT_STARTED
        self._from_s = 0.0
        self._triggered_s: float | None = None
        self._searched_s = 0.0
        self._count = 0
        self.before_forgotten: Callable[[Record], None] = lambda record: None

    def start(self, state: str, settings: Settings) -> None:
        """Begin to acquire: SING for one record, RUN for ever new ones."""
        self.state, self.settings = state, settings
        self.record = None
        self._begin(self._world.now_s + ARM_S)

    def _begin(self, from_s: float) -> None:
        self._from_s = from_s
        self._triggered_s = None
        self._searched_s = self.ready_s
        self._world.at(self._world.now_s + KEEP_S / 2.0, self._look_in_time)

    def _look_in_time(self) -> None:
        """Look before the bench forgets, however long nobody asks."""
        if self.state == "SING" and self._triggered_s is None:
            self.update()
            self._world.at(self._world.now_s + KEEP_S / 2.0, self._look_in_time)

    def stop(self) -> None:
        """Stop; in RUN the last record stays, or what is on the screen now becomes it."""
        self.update()
        self.state = "STOP"

    @property
    def ready_s(self) -> float:
        """When the pre-trigger part is full: from then on it waits for the trigger."""
        return self._from_s + max(0.0, -self.settings.start_s)

    def waits_for_trigger(self) -> bool:
        """Return whether it is armed now and has not triggered."""
        self.update()
        return self.state != "STOP" and self._world.now_s >= self.ready_s and self._triggered_s is None

    def complete(self) -> bool:
        """Return whether a single acquisition has ended; RUN never has."""
        self.update()
        return self.state == "STOP"

    def next_s(self) -> float | None:
        """Return when something certain will happen next, or None while only a trigger can end the wait."""
        settings = self.settings
        if self._world.now_s < self.ready_s:
            return self.ready_s
        if self._triggered_s is not None:
            return self._end_s(self._triggered_s)
        return self.ready_s + AUTO_TRIGGER_S if settings.auto else None

    def _end_s(self, trigger_s: float) -> float:
        return trigger_s + max(0.0, self.settings.start_s + self.settings.duration_s)

    def update(self) -> None:
        """Look at what has happened up to now."""
        settings, now_s = self.settings, self._world.now_s
        if self.state == "STOP":
            return
        if now_s >= self.ready_s:
            self.armed_events = 1
        if self.state == "RUN":
            self._update_running(settings, now_s)
            return
        if self._triggered_s is None and now_s > self._searched_s:
            self._triggered_s = self._first_crossing(settings, self._searched_s, now_s)
            self._searched_s = now_s
            if self._triggered_s is None and settings.auto and now_s >= self.ready_s + AUTO_TRIGGER_S:
                self._triggered_s = self.ready_s + AUTO_TRIGGER_S
            if self._triggered_s is not None:
                self.trigger_events = 1
        if self._triggered_s is not None and now_s >= self._end_s(self._triggered_s):
            self._take(settings, self._triggered_s)
            self.state = "STOP"

    def _update_running(self, settings: Settings, now_s: float) -> None:
        """Take the newest record: the last one whose end is past."""
        latest_s = now_s - max(0.0, settings.start_s + settings.duration_s)
        earliest_s = max(self.ready_s, latest_s - max(0.1, settings.duration_s))
        if latest_s < earliest_s:
            return
        trigger_s = self._first_crossing(settings, earliest_s, latest_s)
        if trigger_s is not None:
            self.trigger_events = 1
        elif settings.auto and latest_s >= self.ready_s + AUTO_TRIGGER_S:
            trigger_s = latest_s
        if trigger_s is not None:
            self._take(settings, trigger_s)

    def force(self) -> None:
        """Trigger now."""
        self.update()
        if self.state == "SING" and self._triggered_s is None and self._world.now_s >= self.ready_s:
            self._triggered_s = self._world.now_s

    def _first_crossing(self, settings: Settings, after_s: float, before_s: float) -> float | None:
        if settings.source is None:
            return None
        found = [
            self._bench.first_crossing(settings.source, settings.level_v, rising, after_s, before_s)
            for rising in settings.slopes
        ]
        return min((t_s for t_s in found if t_s is not None), default=None)

    def _take(self, settings: Settings, trigger_s: float) -> None:
        self._count += 1
        record = Record(self._count, trigger_s, trigger_s + settings.start_s, settings.duration_s)
        self.record = record
        if self.state == "SING":
            forgotten_s = record.start_s + KEEP_S
            self._world.at(forgotten_s, lambda: self.before_forgotten(record))


def digitise(world: World, bench: Bench, record: Record, channel: int, front: Front, points: int) -> NDArray[np.int64]:
    """Return the channel's record as WORD codes, (points,) 256 .. 65280: clipped where the input is out of range."""
    t_s = record.start_s + np.arange(points, dtype=np.float64) * (record.duration_s / points)
    volts = bench.scope_voltage_v(channel, t_s)
    if front.ac:
        volts = volts - volts.mean()
    volts = volts * (1.0 + front.gain) + front.offset_v
    noise = world.rng("bench", "Scope", "record", str(record.number), str(channel)).standard_normal(points)
    step_v = front.range_v / CODES_ON_SCREEN
    volts = (-volts if front.inverted else volts) + 0.4 * step_v * noise  # [A] 0.4 codes rms
    codes = (volts - front.center_v) / step_v + 128.0
    if front.high_resolution:
        return np.clip(np.rint(codes * WORD_STEP), WORD_STEP, 255 * WORD_STEP).astype(np.int64)
    return np.clip(np.rint(codes), 1, 255).astype(np.int64) * WORD_STEP


def points_for(wanted: float, most: float) -> int:
    """Return the number of points the scope sends when asked for so many: 100, 250, 500, 1000, 2000, 5000, ..."""
    steps = [100, 250, 500] + [int(m * 10**e) for e in range(3, 7) for m in (1, 2, 5)]
    limit = min(wanted, most)
    fitting = [step for step in steps if step <= limit]
    if math.isclose(limit, most):
        return int(most)
    return fitting[-1] if fitting else 100
