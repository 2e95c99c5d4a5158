"""What is looked at, again and again, while the unit is live: lid, emergency stop, and whether they can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.clock import StationClock
from hil.errors import HilError, InterlockOpen
from hil.instruments.roles import Fixture
from hil.interrupt import uninterrupted

LOOK_S = 0.05  # of bench time; mains is off within 0.2 s of an opened lid

Cut = Callable[[str], str]  # why -> what was done, in words


class Watch:
    """Looks while a block is energised; switches off first, and then tells the test."""

    def __init__(self, clock: StationClock, fixture: Fixture, cut: Cut) -> None:
        self._clock, self._fixture, self._cut = clock, fixture, cut
        self._tripped: HilError | None = None
        self._depth = 0
        self._what = ""

    def look(self) -> HilError | None:
        """Return what speaks against mains being on, or None."""
        try:
            if not self._fixture.lid_closed():
                return InterlockOpen("the fixture lid is open", "close it and start again")
            if not self._fixture.emergency_stop_released():
                return InterlockOpen("the emergency stop is pressed", "release it and start again")
        except HilError as error:
            return error
        return None

    @contextmanager
    def energised(self, what: str = "mains") -> Iterator[None]:
        """Look inside the block, while `what` is on; raise what was seen at its end, unless the test has heard it."""
        if self._depth:
            yield
            return
        self._depth, self._tripped, self._what = 1, None, what
        stop = self._clock.every(LOOK_S, self._look)
        try:
            yield
            self.check()
        finally:
            self._depth = 0
            stop()

    def check(self) -> None:
        """Look, and raise what was seen: nothing that is measured from then on is worth having."""
        if self._depth and self._tripped is None:
            self._look()
        if self._tripped is not None:
            uninterrupted.forget_alarm()  # it is heard here
            raise self._tripped

    def _look(self) -> None:
        wrong = self.look()
        if wrong is None:
            return
        done = self._cut(str(wrong))  # again at each look, in case the test was about to switch on
        if self._tripped is None:
            self._tripped = _while_on(wrong, self._what, done)
            uninterrupted.alarm(self._tripped)


def _while_on(wrong: HilError, what: str, done: str) -> HilError:
    """Put into the error what it meant: mains was on, say."""
    if isinstance(wrong, InterlockOpen):
        return InterlockOpen(f"{wrong.what}, and {what} was on: {done}", wrong.remedy)
    return wrong
