"""The ITECH IT8615 driver against its transcript."""

import pytest

from hil.errors import InstrumentRefused, OutOfRange
from hil.instruments.itech_it8615 import ItechAcLoad
from hil.instruments.roles import AcLoad


def test_it_goes_remote_once_it_is_known(replay, clock):
    """Spaces after the commas of the identity are no part of it; SYST:REM follows."""
    identity = ItechAcLoad(replay("itech_it8615", "identify"), clock).identify()

    assert (identity.maker, identity.model, identity.serial) == ("ITECH Ltd.", "IT8615", "800123456789000001")


@pytest.mark.parametrize(("scene", "current_a", "power_factor"), [("lagging", 1.0, 0.5), ("leading", 0.05, -0.8)])
def test_a_leading_power_factor_is_sent_negative(replay, clock, scene, current_a, power_factor):
    """SYST:REM comes first, power factor has priority over crest factor."""
    ItechAcLoad(replay("itech_it8615", scene), clock).set_current(current_a, power_factor)


def test_the_mode_is_set_only_once(replay, clock):
    """A mode cannot be set while the input is closed; a new level can."""
    load = ItechAcLoad(replay("itech_it8615", "twice"), clock)

    load.set_current(1.0)
    load.set_current(2.0)


def test_it_is_a_resistor_and_a_current_sink_again(replay, clock):
    """The function is chosen anew when it is another one."""
    load = ItechAcLoad(replay("itech_it8615", "resistive"), clock)

    load.set_resistance(230.0 / 1.5)
    load.set_current(1.0)
    for resistance_ohm in (2.4, 2501.0):
        with pytest.raises(OutOfRange):
            load.set_resistance(resistance_ohm)


@pytest.mark.parametrize("setting", [(20.5, 1.0), (-0.1, 1.0), (1.0, 0.0), (1.0, 1.2)])
def test_nothing_out_of_range_reaches_the_wire(replay, clock, setting):
    """The range is checked before the wire: the transcript expects only off."""
    load = ItechAcLoad(replay("itech_it8615", "off"), clock)

    with pytest.raises(OutOfRange):
        load.set_current(*setting)
    load.off()
    assert load.is_off()


def test_the_input_closes(replay, clock):
    """The error queue is read in the same message."""
    ItechAcLoad(replay("itech_it8615", "on"), clock).on()


def test_off_is_read_back(replay, clock):
    """An input that stays closed is an error."""
    with pytest.raises(InstrumentRefused):
        ItechAcLoad(replay("itech_it8615", "off_refused"), clock).off()


def test_a_trailing_comma_is_no_part_of_the_number(replay, clock):
    """The load may end its answers with a comma."""
    load = ItechAcLoad(replay("itech_it8615", "measure"), clock)

    assert load.measure_current_a() == 1.00123
    assert load.measure_voltage_v() == 229.87
    assert load.measure_power_w() == 230.1


def test_it_fills_its_role(replay, clock):
    """Every method of AcLoad is there, and it cannot source."""
    load: AcLoad = ItechAcLoad(replay("itech_it8615", "on"), clock)
    load.on()

    assert not load.can_source
