"""A probe before the oscilloscope: its unit, its share of the budget, its speed."""

import numpy as np
import pytest

from hil.instruments.probe import Probe
from hil.instruments.roles import Waveform

HIGH_VOLTAGE = Probe("V", 500.0, 25e6, 0.02, "differential probe 500:1")
INVERTED = Probe("A", -5.0, 10e3, 0.01)


class Screen:
    """The scope's side of the role, as far as a probe uses it."""

    def __init__(self):
        self.calls = []

    def set_channel(self, channel, low_v, high_v):
        self.calls.append((channel, low_v, high_v))

    def arm(self, channel, level_v, rising):
        self.calls.append((channel, level_v, rising))

    def read_waveform(self, channel, allow_overdrive=False):
        return Waveform(np.array([0.0, 1.0]), np.array([-0.5, 2.0]), allow_overdrive)


def test_a_channel_is_set_and_armed_in_the_probes_unit():
    """-2 to 2 kV through 500:1 is -4 to 4 V at the scope."""
    scope = Screen()
    HIGH_VOLTAGE.set_channel(scope, 2, -2000.0, 2000.0)
    HIGH_VOLTAGE.arm(scope, 2, 500.0, rising=True)

    assert scope.calls == [(2, -4.0, 4.0), (2, 1.0, True)]


def test_a_probe_that_inverts_turns_range_and_edge_round():
    """The screen's bottom stays below its top."""
    scope = Screen()
    INVERTED.set_channel(scope, 1, -5.0, 10.0)
    INVERTED.arm(scope, 1, 5.0, rising=True)

    assert scope.calls == [(1, -2.0, 1.0), (1, -1.0, False)]


def test_a_waveform_comes_scaled():
    """Volts at the scope times the factor; what was overdriven stays so."""
    seen = HIGH_VOLTAGE.read(Screen(), 2, allow_overdrive=True)

    assert seen.value.tolist() == [-250.0, 1000.0]
    assert (seen.unit, seen.overdriven) == ("V", True)


def test_its_gain_goes_into_the_budget():
    """2 % of the reading, with the probe's name."""
    accuracy = HIGH_VOLTAGE.accuracy_of(-700.0)

    assert (accuracy.value, accuracy.half_width) == (-700.0, pytest.approx(14.0))
    assert accuracy.source.startswith("differential probe 500:1, gain 2 %")


def test_25_mhz_is_fast_enough_for_a_combination_wave():
    """14 ns against a front of 1.2 us."""
    assert HIGH_VOLTAGE.rise_time_s == pytest.approx(14e-9)
    assert HIGH_VOLTAGE.front_error(1.2e-6) < 1e-4
    assert INVERTED.front_error(1.2e-6) > 1.0
