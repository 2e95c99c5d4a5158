"""Rounding for a report: GUM 7.2.6, and never a U that rounding made too small."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber
from hil.metrology.rounding import round_for_report


@pytest.mark.parametrize(
    ("value", "u", "digits", "rounded"),
    [
        (10.05762, 0.027, 2, (10.058, 0.027)),  # GUM, 7.2.6: 10.057 62 ohm with 27 mohm becomes 10.058 ohm
        (50_000_837.9, 93.4, 2, (50_000_838.0, 93.0)),
        (1.23456, 0.1449, 1, (1.2, 0.2)),  # 0.1 would be 31 % less
        (1.23456, 0.0961, 1, (1.2, 0.1)),
        (1234.0, 996.0, 2, (1200.0, 1000.0)),
        (7.0, 0.0, 2, (7.0, 0.0)),
    ],
)
def test_a_result_is_rounded_as_the_gum_says(value, u, digits, rounded):
    """U to one or two significant digits, up where that would take 5 % or more away; the value to the same place."""
    assert round_for_report(value, u, digits) == pytest.approx(rounded, rel=1e-12)


@given(st.floats(1e-9, 1e9), st.sampled_from([1, 2]))
def test_rounding_never_lowers_u_by_more_than_five_percent(u, digits):
    """Whatever U is."""
    _, rounded = round_for_report(1.0, u, digits)

    assert rounded >= 0.95 * u * (1.0 - 1e-12)
    assert float(f"{rounded:.{digits - 1}e}") == pytest.approx(rounded, rel=1e-12)


def test_what_is_no_number_is_not_rounded():
    """NaN, infinity and three digits are refused."""
    for bad in (math.nan, math.inf, -1.0):
        with pytest.raises(NotANumber):
            round_for_report(1.0, bad)
    with pytest.raises(OutOfRange):
        round_for_report(1.0, 0.1, 3)
