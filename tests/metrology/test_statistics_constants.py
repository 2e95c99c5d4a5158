"""Control-chart constants against the table of ASTM and NIST, and against what is known in closed form."""

import math

import pytest

from hil.metrology.statistics import constants
from hil.metrology.statistics.data import BadData

# facts, standards.md 7.2: n, A2, d2, d3, D3, D4, A3, c4, B3, B4
TABLE = """
2 1.880 1.128 0.853 0 3.267 2.659 0.7979 0 3.267
3 1.023 1.693 0.888 0 2.574 1.954 0.8862 0 2.568
4 0.729 2.059 0.880 0 2.282 1.628 0.9213 0 2.266
5 0.577 2.326 0.864 0 2.114 1.427 0.9400 0 2.089
6 0.483 2.534 0.848 0 2.004 1.287 0.9515 0.030 1.970
7 0.419 2.704 0.833 0.076 1.924 1.182 0.9594 0.118 1.882
8 0.373 2.847 0.820 0.136 1.864 1.099 0.9650 0.185 1.815
9 0.337 2.970 0.808 0.184 1.816 1.032 0.9693 0.239 1.761
10 0.308 3.078 0.797 0.223 1.777 0.975 0.9727 0.284 1.716
"""
OF = (
    constants.a2,
    constants.d2,
    constants.d3,
    constants.d_3,
    constants.d_4,
    constants.a3,
    constants.c4,
    constants.b3,
    constants.b4,
)


@pytest.mark.parametrize("line", TABLE.strip().splitlines(), ids=lambda line: f"n={line.split()[0]}")
def test_every_row_of_the_table(line: str):
    """To the digits printed; D4 of n = 3 is 2.5746, printed as 2.574 from rounded d2 and d3."""
    n, *printed = line.split()

    for function, text in zip(OF, printed, strict=True):
        digits = len(text.partition(".")[2])
        assert function(int(n)) == pytest.approx(float(text), abs=0.7 * 10**-digits), function.__name__


def test_closed_forms():
    """d2(2) = 2/sqrt(pi), d3(2)^2 = 2 - 4/pi, d2(3) = 3/sqrt(pi), d2* (2, 1) = sqrt(2), E2 = 2.6587 and not 2.660."""
    assert constants.d2(2) == pytest.approx(2.0 / math.sqrt(math.pi), rel=1e-10)
    assert constants.d3(2) == pytest.approx(math.sqrt(2.0 - 4.0 / math.pi), rel=1e-10)
    assert constants.d2(3) == pytest.approx(3.0 / math.sqrt(math.pi), rel=1e-10)
    assert constants.d2_star(2, 1) == pytest.approx(math.sqrt(2.0), rel=1e-10)
    assert constants.e2(2) == pytest.approx(2.65868, abs=5e-6)


@pytest.mark.parametrize(("n", "k"), [(2, 0.7071), (3, 0.5231), (10, 0.3146)])
def test_factors_of_the_range_method_come_from_d2_star(n: int, k: float):
    """AIAG MSA-4: K2 of two and three operators, K3 of ten parts."""
    assert 1.0 / constants.d2_star(n, 1) == pytest.approx(k, abs=5e-5)


@pytest.mark.parametrize("n", [0, 1, 1001])
def test_a_subgroup_without_range_is_refused(n: int):
    """One value has none; of a thousand nobody uses it."""
    with pytest.raises(BadData):
        constants.d2(n)
