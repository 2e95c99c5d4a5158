"""Numbers on a page: rounded to their uncertainty, with a unit, never better and never worse than what was measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.reports.qty import MINUS, NARROW_SPACE, bounds, margin, of_row, qty, two_digits


def plain(text: str) -> str:
    """The text as one would type it."""
    return text.replace(NARROW_SPACE, " ").replace(MINUS, "-")


@pytest.mark.parametrize(
    ("value", "unit", "u", "printed"),
    [
        (0.1234, "%", 0.0351, "(0.123 ± 0.035) %"),
        (230.1234, "V", 0.0996, "(230.12 ± 0.10) V"),  # two digits of 0.0996 are 0.10
        (12345.0, "W", 1200.0, "(12.3 ± 1.2) kW"),
        (12345.0, "%", 1234.0, "(12 300 ± 1200) %"),
        (0.00512, "s", 2e-5, "(5.120 ± 0.020) ms"),
        (60.0, "deg", 0.2, "(60.00 ± 0.20)°"),
        (-12.5, "degC", 0.3, "(-12.50 ± 0.30) °C"),
        (-0.0001, "%", 0.05, "(0.000 ± 0.050) %"),  # there is no minus zero
        (3.0, "1", 0.25, "3.00 ± 0.25"),
    ],
)
def test_value_and_uncertainty_end_at_the_same_place(value, unit, u, printed):
    """U has two significant digits and the value ends where U ends (GUM, 7.2.6)."""
    assert plain(qty(value, unit, u)) == printed


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (0.002, "ohm", "2 mΩ"),
        (0.05, "A", "50 mA"),
        (-0.05, "A", "-50 mA"),
        (0.0, "A", "0 A"),
        (0.05, "%", "0.05 %"),  # a percentage takes no prefix
        (123456789.0, "1", "123 456 789"),  # a count is exact
        (1e-9, "%", "1×10⁻⁹ %"),
        (1e15, "", "1×10¹⁵"),
        (0.9999999, "s", "1 s"),  # not 1000 ms
        (1.0, "yes", "yes"),
        (0.0, "yes", "no"),
        (math.inf, "", "∞"),
        (None, "V", "—"),
    ],
)
def test_a_number_without_uncertainty_keeps_six_digits_and_a_fitting_prefix(value, unit, printed):
    """SI prefixes go to SI units only; yes and no are words; nothing is a dash."""
    assert plain(qty(value, unit)) == printed


def test_one_scale_serves_a_whole_row():
    """Value, U and limit of a row share the prefix that the row's largest number picks."""
    assert plain(qty(0.0002, "s", to=1.2e-5, scale=0.015)) == "0.200 ms"


def test_nan_is_refused():
    """What is not a number is never printed as one."""
    with pytest.raises(ValueError, match="NaN"):
        qty(math.nan, "V")


@pytest.mark.parametrize(
    ("low", "high", "unit", "printed"),
    [
        (-1.0, 1.0, "%", "±1 %"),
        (4.75, 5.25, "V", "4.75 to 5.25 V"),
        (0.045, 0.055, "s", "45 to 55 ms"),
        (None, 0.015, "s", "≤ 15 ms"),
        (90.0, None, "%", "≥ 90 %"),
        (1.0, 1.0, "yes", "yes"),
        (-1023.0, 1023.0, "1", "±1023"),
        (0.0, 3.0, "", "0 to 3"),
        (None, None, "s", "—"),
    ],
)
def test_limits_read_as_one_would_say_them(low, high, unit, printed):
    """The unit stands once, behind the second number."""
    assert plain(bounds(low, high, unit)) == printed


def test_a_margin_is_never_rounded_to_nothing():
    """A value that is out by less than its rounding still shows on which side it lies."""
    assert plain(margin(-0.0004, "%", to=0.1)) == "-0.0004 %"
    assert plain(margin(0.5, "s", to=0.01)) == "+500 ms"
    assert plain(margin(None, "s")) == "—"


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-6, 1e5, allow_nan=False),
    st.sampled_from(["V", "%", "s", "ohm", "1"]),
)
def test_rounding_never_moves_a_value_by_more_than_a_twentieth_of_u(value, u, unit):
    """Read back, the printed value is within half a unit of U's second digit of the true one."""
    text = plain(qty(value, unit, to=u, scale=1.0))
    number = float("".join(c for c in text if c in "-.0123456789"))

    assert abs(number - value) <= 0.0505 * u


@given(value=st.none() | st.floats(-1e9, 1e9) | st.sampled_from([0.0996, 0.994, 0.9999, 9.96, 9.99999, 1e-8, math.inf]))
def test_two_digits_are_what_qty_says(value):
    """The quick way to a share of an uncertainty gives the same text as the long one."""
    assert two_digits(value) == qty(value, to=value)


NUMBERS = st.none() | st.floats(-1e7, 1e7) | st.sampled_from([0.0, 1.0, 1e-9, 999.99995, math.inf])


@given(NUMBERS, NUMBERS, st.none() | st.floats(0.0, 1e6), NUMBERS, st.sampled_from(["", "V", "%", "deg", "yes", "K"]))
def test_a_row_is_what_qty_and_margin_say(value, raw, expanded, aside, unit):
    """The quick way to a row's four numbers gives the same texts as the long one."""
    scale = max(abs(one) for one in (value, 0.0, 1.5) if one is not None)
    long = (*(qty(one, unit, to=expanded, scale=scale) for one in (value, raw, expanded)),)

    assert of_row(value, raw, expanded, aside, unit, scale) == (
        *long,
        margin(aside, unit, to=expanded, scale=scale),
    )
