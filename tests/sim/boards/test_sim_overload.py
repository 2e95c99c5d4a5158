"""The overload watch: through a slow meter it knows to a tenth of a second when a current went above its limit."""

from __future__ import annotations

import math

import pytest

from hil.sim.boards.overload import INTERVAL_S, READ_S, Overload


def register_a(t_s: float, current_a) -> float:
    """Return what the meter's register shows at t_s: the rms of its last whole interval, integrated in 1000 steps."""
    end_s = math.floor(t_s / INTERVAL_S + 1e-9) * INTERVAL_S
    steps = [end_s - INTERVAL_S * (k + 0.5) / 1000 for k in range(1000)]
    return math.sqrt(sum(current_a(t) ** 2 for t in steps) / 1000)


def lasted(overload: Overload, current_a, from_s: float, to_s: float) -> float:
    """Feed readings every READ_S from from_s to to_s; return the last answer."""
    answer = 0.0
    for tick in range(round((to_s - from_s) / READ_S) + 1):
        now_s = from_s + tick * READ_S
        answer = overload.feed(now_s, register_a(now_s, current_a))
    return answer


@pytest.mark.parametrize("step_s", [k * 0.013 for k in range(25)])
@pytest.mark.parametrize(("before_a", "after_a"), [(0.0, 3.35), (0.0, 4.5), (2.9, 3.5), (0.0, 8.0)])
def test_a_step_is_timed_to_half_a_tenth(step_s, before_a, after_a):
    """Wherever the step falls between the meter's updates and our readings, and however high it is."""
    overload = Overload(3.3)
    began_s = 5.0 + step_s

    answer = lasted(overload, lambda t: after_a if t > began_s else before_a, 3.0, 7.5)

    assert answer == pytest.approx(7.5 - began_s, abs=0.06)


def test_below_the_limit_nothing_lasts():
    """3.29 A for ever is not above 3.3 A."""
    assert lasted(Overload(3.3), lambda t: 3.29, 0.0, 20.0) == 0.0


def test_an_interruption_begins_anew():
    """A second overload is timed from its own beginning."""
    overload = Overload(3.3)

    answer = lasted(overload, lambda t: 4.0 if t < 4.0 or t > 6.0 else 1.0, 0.0, 8.0)

    assert answer == pytest.approx(2.0, abs=0.06)


def test_a_slow_rise_counts_from_where_it_crossed():
    """A ramp has no step: the answer stays within a meter's interval or two of the truth."""
    answer = lasted(Overload(3.3), lambda t: 3.0 + 0.05 * t, 0.0, 12.0)

    assert answer == pytest.approx(12.0 - 6.0, abs=0.5)


@pytest.mark.parametrize("step_s", [k * 0.04 for k in range(8)])
def test_an_inrush_does_not_last_a_second(step_s):
    """0.2 s of 12 A shows in up to two intervals of the register, and stays well below a hold time of 1 s."""
    overload = Overload(4.0)
    began_s = 5.0 + step_s

    longest_s = max(
        overload.feed(t_s, register_a(t_s, lambda t: 12.0 if began_s < t < began_s + 0.2 else 1.0))
        for t_s in (3.0 + READ_S * tick for tick in range(50))
    )

    assert longest_s < 0.8
