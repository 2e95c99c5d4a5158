"""What can be the peak of a combination wave on live mains, and what cannot."""

import pytest

from hil.errors import OutOfRange
from hil.instruments.combination_wave import can_be_current, can_be_peak, check_setting


@pytest.mark.parametrize(
    ("peak_v", "level_v", "possible"),
    [
        (980.0, 1000.0, True),
        (1300.0, 1000.0, True),  # on the crest of the mains
        (600.0, 1000.0, True),  # clamped
        (-980.0, -1000.0, True),
        (-980.0, 1000.0, False),
        (0.0, 1000.0, False),
        (0.0, 200.0, False),
        (-125.0, 200.0, True),  # against the crest of the mains
        (2000.0, 1000.0, False),
        (float("nan"), 1000.0, False),
    ],
)
def test_a_peak_has_the_sign_and_size_of_its_pulse(peak_v, level_v, possible):
    """The mains may add to it or take from it, a varistor may clamp it."""
    assert can_be_peak(peak_v, level_v) is possible


def test_a_current_may_be_none_but_not_more_than_2_ohm_let_through():
    """1 kV behind 2 ohm."""
    assert can_be_current(0.0, 1000.0)
    assert can_be_current(-500.0, -1000.0)
    assert not can_be_current(1000.0, 1000.0)


@pytest.mark.parametrize(("level_v", "angle_deg"), [(99, 0), (-5001, 0), (float("nan"), 0), (1000, -1), (1000, 360)])
def test_a_setting_out_of_range_is_refused(level_v, angle_deg):
    """Levels by their size, angles from 0 to less than 360 degrees."""
    check_setting(-5000.0, 359.0, 100.0, 5000.0)
    with pytest.raises(OutOfRange):
        check_setting(level_v, angle_deg, 100.0, 5000.0)
