"""The Keysight DSOX driver against its transcript."""

import numpy as np
import pytest

from hil.clock import WaitTimeout
from hil.errors import BadAnswer, NoReading, OutOfRange
from hil.instruments import keysight_dsox
from hil.instruments.keysight_dsox import KeysightDsox
from hil.instruments.roles import OverRange, Scope


def test_it_identifies_itself(replay, clock):
    """DSO-X 3024T is an InfiniiVision DSOX."""
    assert KeysightDsox(replay("keysight_dsox", "identify"), clock).identify().serial == "MY57452231"


def test_the_trigger_sits_where_the_pre_trigger_ends(replay, clock):
    """100 ms with 10 ms before the trigger: the centre of the screen is 40 ms behind it."""
    KeysightDsox(replay("keysight_dsox", "timebase"), clock).set_timebase(0.1, 0.01)


def test_a_channel_spans_the_screen(replay, clock):
    """-1 V to 7 V is 8 V around 3 V."""
    KeysightDsox(replay("keysight_dsox", "channel"), clock).set_channel(2, -1.0, 7.0)


def test_a_probe_widens_the_range(replay, clock):
    """60 V need a 10:1 probe; with 1:1 nothing is set."""
    scope = KeysightDsox(replay("keysight_dsox", "probe"), clock)
    with pytest.raises(OutOfRange):
        scope.set_channel(1, -10.0, 50.0)

    scope.set_channel(2, -10.0, 50.0)


def test_arming_waits_for_the_scope(replay, clock):
    """Bit 5 of the operation register says armed, bit 3 running."""
    scope = KeysightDsox(replay("keysight_dsox", "arm"), clock)

    scope.arm(1, 2.5, rising=False)
    assert not scope.triggered()
    assert scope.triggered()


def test_it_triggers_without_an_edge(replay, clock):
    """A record may begin when it is told to."""
    KeysightDsox(replay("keysight_dsox", "trigger"), clock).trigger()


def test_a_scope_that_never_arms_is_an_error(replay, clock, monkeypatch):
    """The wait has a deadline, in bench time."""
    monkeypatch.setattr(keysight_dsox, "ARM_DEADLINE_S", 0.0015)

    with pytest.raises(WaitTimeout, match="arm"):
        KeysightDsox(replay("keysight_dsox", "never_arms"), clock).arm(1, 2.5, rising=False)


def test_words_are_scaled_by_the_preamble(replay, clock):
    """V = (code - yref) * yinc + yorg; t = (i - xref) * xinc + xorg."""
    waveform = KeysightDsox(replay("keysight_dsox", "read"), clock).read_waveform(1)

    np.testing.assert_allclose(waveform.time_s, [-2e-6, -1e-6, 0.0, 1e-6], atol=1e-15)
    np.testing.assert_allclose(waveform.voltage_v, [2.5, 2.51, 1.5, 3.5])


@pytest.mark.parametrize("scene", ["clipped", "clipped_low"])
def test_clipped_samples_are_no_reading(replay, clock, scene):
    """A sample at an end of the converter is not a voltage."""
    assert issubclass(OverRange, NoReading)
    with pytest.raises(OverRange, match="clipped"):
        KeysightDsox(replay("keysight_dsox", scene), clock).read_waveform(1)


def test_a_short_block_is_a_bad_answer(replay, clock):
    """The preamble says how many points there must be."""
    with pytest.raises(BadAnswer):
        KeysightDsox(replay("keysight_dsox", "short"), clock).read_waveform(1)


def test_without_a_trigger_there_is_no_waveform(replay, clock):
    """Old memory is never taken for the shot that did not come."""
    with pytest.raises(NoReading, match="no trigger"):
        KeysightDsox(replay("keysight_dsox", "no_trigger"), clock).read_waveform(1)


@pytest.mark.parametrize(
    "setting",
    [
        lambda scope: scope.set_timebase(1000.0, 0.0),
        lambda scope: scope.set_timebase(0.1, 0.2),
        lambda scope: scope.set_channel(5, 0.0, 1.0),
        lambda scope: scope.set_channel(1, 1.0, 0.0),
        lambda scope: scope.arm(0, 1.0, rising=True),
    ],
)
def test_nothing_out_of_range_reaches_the_wire(replay, clock, setting):
    """The range is checked before the wire: the transcript expects only off."""
    scope: Scope = KeysightDsox(replay("keysight_dsox", "off"), clock)

    with pytest.raises(OutOfRange):
        setting(scope)
    scope.off()
    assert scope.is_off()
