"""The Yokogawa WT310E driver against its transcript."""

import math

import pytest

from hil.errors import BadAnswer, InstrumentRefused, NoReading, OutOfRange, SetupError
from hil.instruments.roles import PowerMeter, PowerReading
from hil.instruments.yokogawa_wt310e import YokogawaWt310e

AT_UNITY = PowerReading(230.0, 1.0, 230.0, 230.0, 0.0, 1.0, 50.0)


def test_headers_are_off_once_it_is_known(replay, clock):
    """Answers are bare values from the first question on."""
    identity = YokogawaWt310e(replay("yokogawa_wt310e", "identify"), clock).identify()

    assert identity.model == "WT310E"


def test_the_smallest_ranges_that_hold_are_taken_and_read_back(replay, clock):
    """230 V needs 300 V, 3 A needs 5 A."""
    YokogawaWt310e(replay("yokogawa_wt310e", "ranges"), clock).set_ranges(230.0, 3.0)


def test_a_range_that_was_not_taken_is_an_error(replay, clock):
    """The read back decides."""
    with pytest.raises(InstrumentRefused, match="150"):
        YokogawaWt310e(replay("yokogawa_wt310e", "range_not_taken"), clock).set_ranges(230.0, 3.0)


@pytest.mark.parametrize(("voltage_v", "current_a"), [(601.0, 1.0), (-1.0, 1.0), (230.0, 20.5)])
def test_no_range_holds_too_much(replay, clock, voltage_v, current_a):
    """The range is checked before the wire."""
    meter = YokogawaWt310e(replay("yokogawa_wt310e", "off"), clock)

    with pytest.raises(OutOfRange):
        meter.set_ranges(voltage_v, current_a)
    meter.off()
    assert meter.is_off()


def test_a_value_is_from_an_update_that_began_after_the_call(replay, clock):
    """The update bit is cleared, then waited for twice, then all items of one update are read at once."""
    meter = YokogawaWt310e(replay("yokogawa_wt310e", "measure"), clock)
    meter.set_ranges(230.0, 3.0)

    reading = meter.measure()
    assert reading == PowerReading(230.05, 1.0002, 115.20, 230.10, 199.18, 0.5007, 50.001)
    assert meter.update_period_s() == 0.25


def test_an_update_that_does_not_come_is_no_reading(replay, clock):
    """A stale value is never returned."""
    with pytest.raises(NoReading, match="no update"):
        YokogawaWt310e(replay("yokogawa_wt310e", "stale"), clock).measure()


@pytest.mark.parametrize("scene", ["over_range", "wt200_sentinel"])
def test_over_range_is_no_reading(replay, clock, scene):
    """INF, NAN, 9.9E+37 and 9.91E+37 never become numbers."""
    with pytest.raises(NoReading):
        YokogawaWt310e(replay("yokogawa_wt310e", scene), clock).measure()


def test_without_current_the_power_factor_is_undefined(replay, clock):
    """A no-load reading is a reading: only its power factor is nan."""
    reading = YokogawaWt310e(replay("yokogawa_wt310e", "no_current"), clock).measure()

    assert reading.current_a == 0.0
    assert math.isnan(reading.power_factor)


def test_a_short_list_is_a_bad_answer(replay, clock):
    """Two values are not nine."""
    with pytest.raises(BadAnswer):
        YokogawaWt310e(replay("yokogawa_wt310e", "short"), clock).measure()


def test_energy_is_integrated_from_zero(replay, clock):
    """Watt-hours and seconds are read from an update after the stop."""
    meter = YokogawaWt310e(replay("yokogawa_wt310e", "integrate"), clock)
    meter.start_integration()

    energy = meter.stop_integration()
    assert (energy.energy_wh, energy.duration_s) == (3.8337, 60.0)


def test_its_own_error_query_is_used(replay, clock):
    """:STAT:ERR? instead of SYST:ERR?; a code other than 0 is a refusal."""
    with pytest.raises(InstrumentRefused, match="113"):
        YokogawaWt310e(replay("yokogawa_wt310e", "refused"), clock).configure()


def test_power_accuracy_at_unity_and_at_half(replay, clock):
    """0.1 % of reading + 0.05 % of range at unity; the range scales with the power factor, 0.1 % of Q comes on top."""
    meter = YokogawaWt310e(replay("yokogawa_wt310e", "ranges"), clock)
    meter.set_ranges(230.0, 3.0)
    heat = (1e-9 * 230**2 + 1.3e-6) * 230

    unity = meter.power_accuracy_w(AT_UNITY)
    half = meter.power_accuracy_w(PowerReading(230.0, 1.0, 115.0, 230.0, 199.2, 0.5, 50.0))
    zero = meter.power_accuracy_w(PowerReading(230.0, 1.0, 0.0, 230.0, 230.0, 0.0, 50.0))
    assert unity.half_width == pytest.approx(0.230 + 0.0005 * 1500 + heat)
    assert half.half_width == pytest.approx(0.115 + 0.0005 * 1500 / 2 + 0.001 * 230 * math.sqrt(0.75) + heat / 2)
    assert zero.half_width == pytest.approx(0.001 * 230)
    assert meter.voltage_accuracy_v(AT_UNITY).half_width == pytest.approx(0.23 + 0.15)
    assert meter.current_accuracy_a(AT_UNITY).half_width == pytest.approx(0.001 + 0.0025)
    with pytest.raises(OutOfRange):
        meter.power_accuracy_w(PowerReading(230.0, 1.0, 115.0, 230.0, 199.2, 0.5, 400.0))


def test_accuracy_needs_ranges(replay, clock):
    """Without a known range there is no specification."""
    meter = YokogawaWt310e(replay("yokogawa_wt310e", "off"), clock)

    with pytest.raises(SetupError):
        meter.power_accuracy_w(AT_UNITY)
    meter.off()
    assert meter.is_off()


def test_it_fills_its_role(replay, clock):
    """Every method of PowerMeter is there."""
    meter: PowerMeter = YokogawaWt310e(replay("yokogawa_wt310e", "off"), clock)
    meter.off()

    assert meter.is_off()
