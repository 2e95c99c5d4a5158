"""The Keysight E36312A driver against its transcript."""

import pytest

from hil.errors import InstrumentRefused, OutOfRange
from hil.instruments.keysight_e36312a import KeysightE36312A
from hil.instruments.roles import DcSupply


def test_it_identifies_itself(replay, clock):
    """The model is the second field."""
    assert KeysightE36312A(replay("keysight_e36312a", "identify"), clock).identify().model == "E36312A"


def test_the_protection_rises_before_the_voltage(replay, clock):
    """An over-voltage level below the voltage would trip or be refused."""
    KeysightE36312A(replay("keysight_e36312a", "raise_voltage"), clock).set_output(1, 5.0, 2.0)


def test_the_voltage_falls_before_the_protection(replay, clock):
    """Coming down from 20 V, the voltage goes first."""
    KeysightE36312A(replay("keysight_e36312a", "lower_voltage"), clock).set_output(2, 5.0, 1.0)


@pytest.mark.parametrize("setting", [(1, 6.5, 1.0), (2, 26.0, 1.0), (2, 5.0, 1.5), (3, -1.0, 0.1), (4, 5.0, 0.1)])
def test_nothing_out_of_range_reaches_the_wire(replay, clock, setting):
    """Each output has its own limits."""
    supply: DcSupply = KeysightE36312A(replay("keysight_e36312a", "off"), clock)

    with pytest.raises(OutOfRange):
        supply.set_output(*setting)
    supply.off()
    assert supply.is_off()


def test_on_lets_the_output_settle(replay, clock):
    """The wait is bench time."""
    KeysightE36312A(replay("keysight_e36312a", "on"), clock).on(1)

    assert clock.now_s() == pytest.approx(0.05)


def test_it_measures_and_knows_its_accuracy(replay, clock):
    """Readback of output 2, with its specification."""
    supply = KeysightE36312A(replay("keysight_e36312a", "measure"), clock)

    assert supply.measure_voltage_v(2) == 4.999812
    current_a = supply.measure_current_a(2)
    accuracy = supply.current_accuracy_a(2, current_a)
    assert accuracy.value == 1.000105
    assert accuracy.half_width == pytest.approx(0.0005 * 1.000105 + 0.003)


def test_one_output_can_go_off_alone(replay, clock):
    """The other two stay as they are."""
    KeysightE36312A(replay("keysight_e36312a", "output_off"), clock).output_off(3)


def test_off_is_read_back(replay, clock):
    """An output that stays on is an error."""
    with pytest.raises(InstrumentRefused, match="0,1,0"):
        KeysightE36312A(replay("keysight_e36312a", "off_refused"), clock).off()
