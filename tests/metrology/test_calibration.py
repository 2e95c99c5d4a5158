"""Calibration certificates: corrections between and at the calibrated points, none outside, and the days they hold."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.metrology.calibration import Certificate, NotCalibrated, Point, Table

TABLE = Table(
    "ac_voltage",
    "300 V",
    "V",
    (Point(30.0, 0.004, 0.006), Point(130.0, -0.016, 0.010), Point(230.0, -0.020, 0.008)),
)
CERTIFICATE = Certificate("EX-1", "Example", datetime.date(2026, 3, 2), datetime.date(2027, 3, 2), (TABLE,))


def test_at_a_calibrated_point_it_is_what_the_certificate_says():
    """Correction, U and k as printed; u is U / k."""
    found = CERTIFICATE.at("ac_voltage", "300 V", 130.0)

    assert (found.correction, found.expanded_u, found.k, found.u) == (-0.016, 0.010, 2.0, 0.005)


def test_between_points_the_correction_is_on_the_line_and_the_uncertainty_is_the_larger():
    """Half-way: the mean of the corrections. Worse is larger U / k, whichever U is larger."""
    half = TABLE.at(80.0)
    other_k = Table("ac_voltage", "", "V", (Point(0.0, 0.0, 0.010, 2.0), Point(10.0, 0.0, 0.012, 3.0))).at(5.0)

    assert (half.correction, half.expanded_u) == (pytest.approx(-0.006), 0.010)
    assert (other_k.expanded_u, other_k.k) == (0.010, 2.0)


@pytest.mark.parametrize("value", [29.9, 230.1, -130.0, float("nan")])
def test_outside_the_span_nothing_is_claimed(value):
    """It is refused, and says what was calibrated; never the nearest point."""
    with pytest.raises(NotCalibrated, match="calibrated from 30 to 230 V only"):
        TABLE.at(value)


def test_another_range_or_quantity_is_not_calibrated():
    """A range says nothing about its neighbour."""
    with pytest.raises(NotCalibrated, match="no ac voltage in the range 600 V"):
        CERTIFICATE.at("ac_voltage", "600 V", 130.0)
    with pytest.raises(NotCalibrated, match="no frequency in it"):
        CERTIFICATE.at("frequency", "", 50.0)


def test_one_point_holds_there_and_nowhere_else():
    """A span of one point."""
    one = Table("frequency", "", "Hz", (Point(50.0, 0.001, 0.002),))

    assert one.at(50.0).correction == 0.001
    with pytest.raises(NotCalibrated):
        one.at(50.1)


@given(st.floats(30.0, 230.0))
def test_the_correction_lies_between_its_neighbours(value):
    """Interpolation never invents."""
    found = TABLE.at(value)

    assert -0.020 <= found.correction <= 0.004
    assert found.expanded_u in {0.006, 0.008, 0.010}


@pytest.mark.parametrize(
    ("today", "status", "left"),
    [
        ((2026, 3, 2), "valid", 365),
        ((2027, 1, 30), "valid", 31),
        ((2027, 1, 31), "due soon", 30),
        ((2027, 3, 2), "due soon", 0),
        ((2027, 3, 3), "overdue", -1),
    ],
)
def test_status_and_days_left(today, status, left):
    """On its due date it still holds; 30 days before, it begins to warn."""
    day = datetime.date(*today)

    assert (CERTIFICATE.status(day), CERTIFICATE.days_left(day)) == (status, left)
    assert CERTIFICATE.overdue(day) is (status == "overdue")
