"""The Chroma 61500 driver against its transcript: lists, harmonics, and off whatever the mode."""

import pytest

from hil.errors import InstrumentRefused, OutOfRange, SetupError, WrongInstrument
from hil.instruments.chroma_61500 import Chroma61500
from hil.instruments.chroma_61600 import ChromaAcSource
from hil.instruments.roles import AcSource, Identity, VoltageStep

HALF_CYCLE = (VoltageStep(0.0, 0.010), VoltageStep(230.0, 10.0))


def made(replay, clock, scene: str, set_up: bool = True) -> Chroma61500:
    source = Chroma61500(replay("chroma_61500", scene), clock)
    if set_up:
        source.set_output(230.0, 50.0, 5.0)
    return source


def test_it_identifies_itself_by_the_first_field(replay, clock):
    """As its smaller sister does."""
    assert made(replay, clock, "identify", False).identify() == Identity(
        "Chroma ATE", "61500", "123456", "1.00,1.01,1.02"
    )


def test_a_61600_is_another_instrument(replay, clock):
    """It has no list mode, so it may not stand in."""
    with pytest.raises(WrongInstrument, match="61600"):
        made(replay, clock, "stranger", False).identify()


@pytest.mark.parametrize("scene", ["set", "set_in_list"])
def test_parameters_are_set_in_fixed_mode(replay, clock, scene):
    """A list that was left behind is ended first."""
    made(replay, clock, scene)


def test_a_dip_is_a_list_of_whole_cycles_that_ends_in_fixed_mode(replay, clock):
    """Half a cycle from 180 degrees, three times 10 s apart; each point begins where the wave is."""
    source = made(replay, clock, "dip")

    source.dip(HALF_CYCLE, angle_deg=180.0, repeat=3)
    assert clock.now_s() == pytest.approx(3 * 10.040 + 0.02)


@pytest.mark.parametrize("scene", ["dip_other_list", "dip_refused"])
def test_what_the_source_did_not_take_is_an_error(replay, clock, scene):
    """Lists are read back; in any case it is in fixed mode afterwards."""
    source = made(replay, clock, scene)

    with pytest.raises(InstrumentRefused):
        source.dip(HALF_CYCLE, angle_deg=180.0, repeat=3)


@pytest.mark.parametrize(
    ("steps", "angle_deg", "repeat"),
    [
        ((), 0.0, 1),
        ((VoltageStep(301.0, 0.01),), 0.0, 1),
        ((VoltageStep(0.0, 0.0),), 0.0, 1),
        ((VoltageStep(0.0, 1e6),), 0.0, 1),
        (HALF_CYCLE, 360.0, 1),
        (HALF_CYCLE, 0.0, 0),
        (HALF_CYCLE * 50, 0.0, 1),
    ],
)
def test_no_dip_out_of_range_reaches_the_wire(replay, clock, steps, angle_deg, repeat):
    """Zero repeats would be a list without an end; the transcript ends with the settings."""
    source = made(replay, clock, "set")

    with pytest.raises(OutOfRange):
        source.dip(steps, angle_deg, repeat)


def test_harmonics_are_synthesised_and_cleared(replay, clock):
    """The fifth, 10 %: rms grows by the root of 1.01, and that is waited for."""
    source = made(replay, clock, "harmonics")

    source.set_harmonics({5: (10.0, 0.0)})
    source.clear_harmonics()


@pytest.mark.parametrize(
    "harmonics",
    [
        {1: (10.0, 0.0)},
        {41: (1.0, 0.0)},
        {5: (101.0, 0.0)},
        {5: (10.0, 360.0)},
        {5: (float("nan"), 0.0)},
        {3: (60.0, 0.0), 5: (60.0, 0.0)},
    ],
)
def test_no_harmonic_out_of_range_reaches_the_wire(replay, clock, harmonics):
    """Orders 2 to 40, up to 100 %, and no more than 300 V in all."""
    source = made(replay, clock, "set")

    with pytest.raises(OutOfRange):
        source.set_harmonics(harmonics)


def test_off_is_one_message_in_any_mode(replay, clock):
    """A guard does not ask what the source is doing before it switches it off."""
    made(replay, clock, "off_in_list", False).off()


def test_a_61600_says_that_it_cannot(replay, clock):
    """The flags tell a plan, the methods a person."""
    source: AcSource = ChromaAcSource(replay("chroma_61600", "measure"), clock)

    assert (source.can_dip, source.can_distort) == (False, False)
    source.measure_current_a()
    for ask in (lambda: source.dip(HALF_CYCLE, 0.0), lambda: source.set_harmonics({})):
        with pytest.raises(SetupError, match="61500"):
            ask()
