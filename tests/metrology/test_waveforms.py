"""Edges and pulses of sampled waveforms, against shapes whose edges are known by construction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.metrology.waveforms import Samples, between, edges, low_pulses

STEP_S = 1e-5


def square(changes_s: list[float], high_v: float = 5.0, duration_s: float = 0.1) -> tuple[Samples, Samples]:
    """A signal that starts high and changes at each of these times."""
    time_s = np.arange(0.0, duration_s, STEP_S)
    flips = np.searchsorted(np.array(changes_s), time_s, side="right")
    return time_s, np.where(flips % 2 == 0, high_v, 0.0)


@given(st.lists(st.floats(0.001, 0.099), min_size=1, max_size=12, unique=True))
def test_every_edge_is_found_to_a_sample(times: list[float]) -> None:
    """Edges at least three samples apart come back, in order, with their direction."""
    changes_s = sorted(times)
    if any(b - a < 3 * STEP_S for a, b in pairwise(changes_s)):
        return
    found = edges(*square(changes_s), level_v=2.5, hysteresis_v=1.0)

    assert [e.rising for e in found] == [bool(i % 2) for i in range(len(changes_s))]
    assert [e.time_s for e in found] == pytest.approx(changes_s, abs=STEP_S)


def test_noise_inside_the_hysteresis_makes_no_edge() -> None:
    """A signal that trembles around the level is no edge; one clear change is one edge."""
    rng = np.random.default_rng(1)
    time_s, voltage_v = square([0.05])
    noisy = voltage_v + rng.normal(0.0, 0.1, len(voltage_v))
    noisy[5000:5010] = 2.5 + rng.normal(0.0, 0.2, 10)

    assert len(edges(time_s, noisy, level_v=2.5, hysteresis_v=2.0)) == 1


def test_a_low_pulse_lasts_from_its_falling_to_its_rising_edge() -> None:
    """An unfinished pulse at the end of the record is not counted."""
    (pulse,) = low_pulses(*square([0.01, 0.06, 0.09]), level_v=2.5, hysteresis_v=1.0)

    assert pulse.width_s == pytest.approx(0.05, abs=STEP_S)


def test_an_edge_between_two_samples_is_interpolated() -> None:
    """A ramp from 0 V to 4 V between two samples crosses 1 V after a quarter of it."""
    time_s = np.array([0.0, 1.0, 2.0, 3.0])
    (edge,) = edges(time_s, np.array([0.0, 0.0, 4.0, 4.0]), level_v=1.0, hysteresis_v=0.5)

    assert edge.time_s == pytest.approx(1.25)
    assert edge.rising


def test_between_takes_both_ends() -> None:
    time_s = np.arange(5.0)

    assert list(between(time_s, time_s * 10, 1.0, 3.0)) == [10.0, 20.0, 30.0]
