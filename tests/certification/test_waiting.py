"""Waiting by asking: when it happened, what is not known of that, and what happens when it does not."""

from __future__ import annotations

import pytest

from hil.tests.smart_power.waiting import Moment, moment_of, wait_for


class SteppingClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 10.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


def test_the_time_lies_between_the_last_no_and_the_first_yes() -> None:
    """Half-way, uncertain by the interval and by the start's."""
    clock = SteppingClock()
    since = Moment(9.9, 10.1)
    waited = wait_for(clock, lambda: clock.time_s >= 11.3, since, poll_s=0.5, deadline_s=5.0)

    assert waited.happened
    assert waited.took.reading.value == pytest.approx(1.25)  # no at 11.0, yes at 11.5
    assert waited.took.reading.u == pytest.approx((0.5**2 + 0.2**2) ** 0.5 / 12**0.5)


def test_what_does_not_happen_is_a_lower_bound() -> None:
    """It ends at its deadline and says that it did not happen."""
    clock = SteppingClock()
    waited = wait_for(clock, lambda: False, Moment(10.0, 10.0), poll_s=0.5, deadline_s=3.0)

    assert not waited.happened
    assert waited.took.reading.value >= 2.7
    assert clock.time_s == pytest.approx(13.0)


def test_what_is_so_already_takes_no_time() -> None:
    """Nobody sleeps."""
    clock = SteppingClock()
    waited = wait_for(clock, lambda: True, Moment(10.0, 10.0), poll_s=0.5, deadline_s=3.0)

    assert waited.happened
    assert waited.took.reading.value == 0.0


def test_a_deed_has_a_moment() -> None:
    """From before it to after it."""
    clock = SteppingClock()
    assert moment_of(clock, lambda: clock.sleep(0.2)) == Moment(10.0, 10.2)
    assert Moment(10.0, 10.2).middle_s == pytest.approx(10.1)
