"""Wait for something by asking again and again, and say when it happened, with what the asking leaves uncertain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.clock import Clock
from hil.metrology.budget import Budget, Component, resolution
from hil.metrology.propagation import direct


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of bench time that lies between two readings of the clock."""

    after_s: float
    before_s: float

    @property
    def middle_s(self) -> float:
        """The best guess."""
        return (self.after_s + self.before_s) / 2

    @property
    def width_s(self) -> float:
        """How much is not known."""
        return self.before_s - self.after_s


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of waiting; where it did not happen, the time is a lower bound."""

    happened: bool
    took: Budget


def moment_of(clock: Clock, act: Callable[[], object]) -> Moment:
    """Do something and return when."""
    after_s = clock.now_s()
    act()
    return Moment(after_s, clock.now_s())


def wait_for(
    clock: Clock,
    happened: Callable[[], bool],
    since: Moment,
    *,
    poll_s: float,
    deadline_s: float,
    parts: Sequence[Component] = (),
) -> Waited:
    """Ask until it happened or deadline_s has passed; parts are components of the time besides the asking's own."""
    after_s, end_s = since.after_s, since.before_s + deadline_s
    while True:
        asked_s = clock.now_s()
        done = happened()
        at = Moment(after_s, clock.now_s())
        if done or at.before_s >= end_s:
            break
        after_s = asked_s
        clock.sleep(poll_s)
    between = [resolution("asked again and again: from the last no to the first yes", at.width_s)]
    start = [resolution("the start", since.width_s)]
    return Waited(done, direct(max(0.0, at.middle_s - since.middle_s), "s", [*between, *start, *parts]))
