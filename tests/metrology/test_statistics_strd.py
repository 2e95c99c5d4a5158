"""Mean, s and lag-1 autocorrelation against the certified sets of NIST StRD, univariate summary statistics."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import OutOfRange
from hil.metrology.statistics import lag1_autocorrelation, mean, stdev

# Michelson's 100 speeds of light of 1879, as 299 + x/100 million metres a second; NIST StRD, Michelso.dat
HUNDREDTHS = """
85 74 90 107 93 85 95 98 98 88 100 98 93 65 76 81 100 100 96 96 96 94 96 94 88
80 85 88 90 84 83 79 81 88 88 83 80 79 76 80 88 88 88 86 72 72 62 86 97 95
88 91 85 87 84 84 85 84 84 84 89 81 81 82 80 77 76 74 75 76 91 92 89 86 88
72 84 85 85 78 89 84 78 81 76 81 79 81 82 85 87 87 81 74 81 94 95 80 81 87
"""
MICHELSON = [(29900 + int(one)) / 100 for one in HUNDREDTHS.split()]
# NumAcc3 and 4: what 53 bits of the data allow, found by exact arithmetic on the rounded data (3.5e-10 and 5.6e-9)
CERTIFIED = [
    (MICHELSON, 299.852400000000, 0.0790105478190518, 0.535199668621283, 1e-12),
    ([10_000_001.0, 10_000_003.0, 10_000_002.0], 10_000_002.0, 1.0, -0.5, 1e-15),
    ([1.2] + [1.1, 1.3] * 500, 1.2, 0.1, -0.999, 1e-12),
    ([1_000_000.2] + [1_000_000.1, 1_000_000.3] * 500, 1_000_000.2, 0.1, -0.999, 1e-9),
    ([10_000_000.2] + [10_000_000.1, 10_000_000.3] * 500, 10_000_000.2, 0.1, -0.999, 1e-8),
]


@pytest.mark.parametrize(
    ("values", "centre", "s", "r1", "rel"), CERTIFIED, ids=["Michelso", "NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"]
)
def test_certified_values_are_met(values: list[float], centre: float, s: float, r1: float, rel: float):
    """To fifteen digits, or to what double precision leaves of the data."""
    assert mean(values) == pytest.approx(centre, rel=1e-14)
    assert stdev(values) == pytest.approx(s, rel=rel)
    assert lag1_autocorrelation(values) == pytest.approx(r1, rel=rel)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=40).filter(lambda v: len(set(v)) > 1), st.integers(1, 9))
def test_autocorrelation_knows_no_unit_and_stays_within_one(values: list[int], scale: int):
    """Shift, scale and reversal leave r1 alone."""
    r1 = lag1_autocorrelation(values)

    assert -1.0 <= r1 <= 1.0
    assert lag1_autocorrelation([scale * v + 77.0 for v in reversed(values)]) == pytest.approx(r1, abs=1e-9)


def test_equal_values_have_no_autocorrelation():
    """Nought by nought is refused."""
    with pytest.raises(OutOfRange):
        lag1_autocorrelation([3.0, 3.0, 3.0])


def test_the_hot_path_imports_neither_numpy_nor_scipy():
    """A measurement needs mean and stdev, in every run."""
    code = "import sys, hil.metrology.statistics; print({'numpy', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
