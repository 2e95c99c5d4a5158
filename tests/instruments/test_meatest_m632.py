"""The Meatest M632 driver against its transcript."""

import pytest

from hil.errors import InstrumentRefused, OutOfRange, WrongInstrument
from hil.instruments.meatest_m632 import MeatestM632
from hil.instruments.roles import ProgrammableResistor


def test_it_identifies_itself(replay, clock):
    """Maker, model, serial and firmware."""
    assert str(MeatestM632(replay("meatest_m632", "identify"), clock).identify()) == (
        "MEATEST M632, serial 620151, firmware 1.00"
    )


def test_its_sister_is_another_instrument(replay, clock):
    """The MC642 speaks the same language, but has other ranges."""
    with pytest.raises(WrongInstrument, match="MC642"):
        MeatestM632(replay("meatest_m632", "wrong"), clock).identify()


def test_a_resistance_is_set_and_connected_in_one_message(replay, clock):
    """The error queue is read in the same message; the driver fills its role."""
    decade: ProgrammableResistor = MeatestM632(replay("meatest_m632", "set"), clock)

    decade.set_resistance(914.5)
    decade.set_resistance(1.2e6)


def test_a_short_is_the_lowest_resistance(replay, clock):
    """1 ohm in a divider of 10 kohm is 0.3 mV."""
    MeatestM632(replay("meatest_m632", "short"), clock).set_short()


@pytest.mark.parametrize("resistance_ohm", [0.99, 1.3e6, float("nan"), -5.0])
def test_nothing_out_of_range_reaches_the_wire(replay, clock, resistance_ohm):
    """The transcript expects only off, which is open."""
    decade = MeatestM632(replay("meatest_m632", "off"), clock)

    with pytest.raises(OutOfRange):
        decade.set_resistance(resistance_ohm)
    decade.set_open()
    assert decade.is_off()


def test_what_the_decade_refuses_is_an_error(replay, clock):
    """With the words of its error queue, which is empty afterwards."""
    with pytest.raises(InstrumentRefused, match="-220"):
        MeatestM632(replay("meatest_m632", "refused"), clock).set_resistance(10e3)


def test_off_is_read_back(replay, clock):
    """Terminals that stay connected are an error."""
    with pytest.raises(InstrumentRefused):
        MeatestM632(replay("meatest_m632", "off_refused"), clock).off()


@pytest.mark.parametrize(("resistance_ohm", "half_width"), [(1.0, 0.0102), (10e3, 2.01), (1e6, 500.0)])
def test_the_accuracy_carries_its_mark(clock, resistance_ohm, half_width):
    """The catalogue's figures are marked until somebody has read them."""
    accuracy = MeatestM632(None, clock).accuracy_ohm(resistance_ohm)

    assert accuracy.half_width == pytest.approx(half_width)
    assert "unverified" in accuracy.source
