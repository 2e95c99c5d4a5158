"""Means and scatter, against certified data."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber
from hil.metrology.statistics import mean, stdev


def test_digits_survive_a_large_offset():
    """NIST StRD NumAcc4: 10000000.2, then 10000000.1 and .3 in turn, 1001 values: s = 0.1."""
    values = [10_000_000.2] + [10_000_000.1, 10_000_000.3] * 500

    assert mean(values) == pytest.approx(10_000_000.2, rel=1e-15)
    assert stdev(values) == pytest.approx(0.1, rel=1e-8)  # what 53 bits of the data allow


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_they_agree_with_exact_arithmetic(values):
    """The standard library's fractions give the same mean and deviation."""
    assert mean(values) == pytest.approx(statistics.mean(values), rel=1e-12, abs=1e-12)
    assert stdev(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-9)


def test_equal_values_have_no_scatter():
    """Not even through rounding."""
    assert stdev([0.1] * 10) == 0.0


@pytest.mark.parametrize("function", [mean, stdev])
def test_too_few_or_broken_values_are_refused(function):
    """One value has no scatter, none has no mean, NaN has neither."""
    with pytest.raises(OutOfRange):
        function([])
    with pytest.raises(OutOfRange):
        stdev([1.0])
    with pytest.raises(NotANumber):
        function([1.0, math.nan])
