"""The Keysight DAQ970A driver against its transcript."""

import pytest

from hil.errors import BadAnswer, InstrumentRefused, SetupError
from hil.instruments.keysight_daq970a import KeysightDaq970a
from hil.instruments.roles import Switch


def test_it_identifies_itself(replay, clock):
    """The model is the second field."""
    assert KeysightDaq970a(replay("keysight_daq970a", "identify"), clock).identify().model == "DAQ970A"


def test_closed_channels_are_read_back(replay, clock):
    """After the relays had their time."""
    KeysightDaq970a(replay("keysight_daq970a", "close"), clock).close_channels([101, 305])

    assert clock.now_s() == pytest.approx(0.01)


def test_a_channel_that_stays_open_is_an_error(replay, clock):
    """The read back decides."""
    with pytest.raises(InstrumentRefused):
        KeysightDaq970a(replay("keysight_daq970a", "stuck"), clock).close_channels([101, 305])


def test_one_channel_opens_alone(replay, clock):
    """The others stay as they are."""
    KeysightDaq970a(replay("keysight_daq970a", "open"), clock).open_channels([101])


def test_it_says_what_is_closed(replay, clock):
    """All sixty channels are asked at once."""
    assert KeysightDaq970a(replay("keysight_daq970a", "closed"), clock).closed_channels() == {101, 305}


def test_a_short_list_is_a_bad_answer(replay, clock):
    """Three states are not sixty."""
    with pytest.raises(BadAnswer):
        KeysightDaq970a(replay("keysight_daq970a", "garbled"), clock).closed_channels()


def test_an_unknown_channel_never_reaches_the_wire(replay, clock):
    """Nothing is sent for it, and nothing for an empty list."""
    switch: Switch = KeysightDaq970a(replay("keysight_daq970a", "off"), clock)

    with pytest.raises(SetupError, match="121"):
        switch.close_channels([101, 121])
    switch.close_channels([])
    switch.open_channels([])
    switch.off()
    assert switch.is_off()
