"""The Chroma 61600 driver against its transcript."""

import pytest

from hil.errors import InstrumentRefused, OutOfRange, WrongInstrument
from hil.instruments.chroma_61600 import ChromaAcSource
from hil.instruments.roles import AcSource, Identity


def test_it_identifies_itself_by_the_first_field(replay, clock):
    """Vendor and model share the first field of the identity."""
    source = ChromaAcSource(replay("chroma_61600", "identify"), clock)

    assert source.identify() == Identity("Chroma ATE", "61600", "123456", "1.00,1.01,1.02")


def test_another_chroma_is_not_this_source(replay, clock):
    """A Chroma load at the address is named as the wrong instrument."""
    with pytest.raises(WrongInstrument, match="63804"):
        ChromaAcSource(replay("chroma_61600", "stranger"), clock).identify()


@pytest.mark.parametrize(("scene", "voltage_v", "frequency_hz"), [("set_high", 230, 50), ("set_low", 115, 60)])
def test_range_and_level_go_in_one_message(replay, clock, scene, voltage_v, frequency_hz):
    """The two are coupled, so neither is ever sent alone."""
    ChromaAcSource(replay("chroma_61600", scene), clock).set_output(voltage_v, frequency_hz, 5.0)


def test_what_the_source_refuses_is_an_error(replay, clock):
    """The error queue is read after each setting."""
    with pytest.raises(InstrumentRefused, match="out of range"):
        ChromaAcSource(replay("chroma_61600", "refused"), clock).set_output(230.0, 50.0, 16.0)


@pytest.mark.parametrize("setting", [(301.0, 50.0, 5.0), (-1.0, 50.0, 5.0), (230.0, 5.0, 5.0), (230.0, 50.0, 20.0)])
def test_nothing_out_of_range_reaches_the_wire(replay, clock, setting):
    """The range is checked before the wire: the transcript expects no setting."""
    source = ChromaAcSource(replay("chroma_61600", "off"), clock)

    with pytest.raises(OutOfRange):
        source.set_output(*setting)
    source.off()
    assert source.is_off()


def test_on_waits_until_the_voltage_is_there(replay, clock):
    """There is no *OPC: the output voltage itself is polled."""
    source = ChromaAcSource(replay("chroma_61600", "on"), clock)
    source.set_output(230.0, 50.0, 5.0)

    source.on()
    assert clock.now_s() == pytest.approx(0.1)


def test_off_is_read_back(replay, clock):
    """An output that stays on is an error, not a hope."""
    with pytest.raises(InstrumentRefused):
        ChromaAcSource(replay("chroma_61600", "off_refused"), clock).off()


def test_it_measures_its_current(replay, clock):
    """The answer is plain NR2."""
    assert ChromaAcSource(replay("chroma_61600", "measure"), clock).measure_current_a() == 1.003


def test_it_fills_its_role(replay, clock):
    """Every method of AcSource is there."""
    source: AcSource = ChromaAcSource(replay("chroma_61600", "measure"), clock)
    source.measure_current_a()
    source.close()

    assert isinstance(source, AcSource)
