"""The Keysight 34465A driver against its transcript."""

import pytest

from hil.errors import BadAnswer, InstrumentRefused, NoReading, OutOfRange
from hil.instruments.keysight_34465a import Keysight34465a
from hil.instruments.roles import Dmm, OverRange


def test_it_identifies_itself(replay, clock):
    """The model is the second field."""
    assert Keysight34465a(replay("keysight_34465a", "identify"), clock).identify().serial == "MY59001234"


def test_the_range_follows_the_expected_value(replay, clock):
    """5 V is read on 10 V; a second reading configures nothing again."""
    meter = Keysight34465a(replay("keysight_34465a", "voltage"), clock)

    first, second = meter.measure_dc_voltage_v(5.0), meter.measure_dc_voltage_v(-5.0)
    assert first.value == 5.001234
    assert first.half_width == pytest.approx(35e-6 * 5.001234 + 5e-6 * 10)
    assert second.value == 5.001241


def test_two_wires_cost_accuracy(replay, clock):
    """0.2 ohm for the leads; four wires have none."""
    meter = Keysight34465a(replay("keysight_34465a", "resistance"), clock)

    coil = meter.measure_resistance_ohm(42.0)
    contact = meter.measure_resistance_ohm(0.02, four_wire=True)
    assert coil.half_width == pytest.approx(100e-6 * 42.0512 + 0.004 + 0.2)
    assert contact.half_width == pytest.approx(100e-6 * 0.0151 + 0.004)


def test_an_open_circuit_is_over_range(replay, clock):
    """9.9E+37 never becomes a resistance; the caller may judge that it is the unit's."""
    with pytest.raises(OverRange):
        Keysight34465a(replay("keysight_34465a", "open"), clock).measure_resistance_ohm(42.0)


def test_an_overload_that_does_not_last_is_the_meters(replay, clock):
    """A unit is not judged by a sentinel that the next reading contradicts; nor is that next one taken for a value."""
    with pytest.raises(NoReading, match="overload and no overload") as caught:
        Keysight34465a(replay("keysight_34465a", "once_open"), clock).measure_resistance_ohm(42.0)

    assert not isinstance(caught.value, OverRange)


def test_a_pt100_brings_its_own_tolerance(replay, clock):
    """Class A: 0.15 K + 0.002 x |t|."""
    temperature = Keysight34465a(replay("keysight_34465a", "temperature"), clock).measure_temperature_c()

    assert temperature.value == 23.12
    assert temperature.half_width == pytest.approx(0.05 + 0.15 + 0.002 * 23.12)


def test_a_refused_configuration_is_sent_again(replay, clock):
    """What the meter did not take is not remembered."""
    meter = Keysight34465a(replay("keysight_34465a", "refused"), clock)
    with pytest.raises(InstrumentRefused):
        meter.measure_dc_voltage_v(5.0)

    assert meter.measure_dc_voltage_v(5.0).value == 5.001234


def test_what_is_not_a_number_is_a_bad_answer(replay, clock):
    """Text is never a reading."""
    with pytest.raises(BadAnswer):
        Keysight34465a(replay("keysight_34465a", "not_a_number"), clock).measure_dc_voltage_v(5.0)


@pytest.mark.parametrize(
    "question",
    [
        lambda meter: meter.measure_dc_voltage_v(1200.0),
        lambda meter: meter.measure_resistance_ohm(1e9),
        lambda meter: meter.measure_resistance_ohm(-1.0),
    ],
)
def test_nothing_out_of_range_reaches_the_wire(replay, clock, question):
    """The range is checked before the wire."""
    meter: Dmm = Keysight34465a(replay("keysight_34465a", "off"), clock)

    with pytest.raises(OutOfRange):
        question(meter)
    meter.off()
    assert meter.is_off()
