"""The EMC Partner TRA3000 driver against its transcript."""

import pytest

from hil.clock import WaitTimeout
from hil.errors import BadAnswer, InstrumentRefused, NoReading, OutOfRange, SetupError, WrongInstrument
from hil.instruments.emc_partner_tra3000 import (
    ASSUMED,
    CHARGE_DEADLINE_S,
    FIRE_DEADLINE_S,
    READY,
    STANDBY,
    Tra3000,
)
from hil.instruments.roles import SurgeGenerator, SurgeShot

MODEL = "emc_partner_tra3000"


class Generator:
    """Accepts everything, charges at once, and stays as it is when triggered unless it has a peak to tell of."""

    who, where = "generator", "nowhere"

    def __init__(self, charges=True, peak_v=None):
        self.charges, self.peak_v = charges, peak_v
        self.state, self.told = STANDBY, []

    def tell(self, message):
        self.told.append(message)
        if message == "STBY" or (message == "TRIG" and self.peak_v is not None):
            self.state = STANDBY
        elif message == "TEST" and self.charges:
            self.state = READY

    def ask(self, message):
        return {"E?": "0", "ST?": self.state, "LC?": "L-N", "VPK?": str(self.peak_v), "IPK?": "0"}[message]


def test_it_is_taken_into_remote_control_once_it_is_known(replay, clock):
    """It tells family, version and full name; a serial number it does not tell."""
    assert str(Tra3000(replay(MODEL, "identify"), clock).identify()) == "EMC Partner TRA3000 F-S-D-V, firmware 1.15"


def test_another_generator_is_refused(replay, clock):
    """A MIG of the same maker is another one."""
    with pytest.raises(WrongInstrument, match="MIG0606"):
        Tra3000(replay(MODEL, "wrong"), clock).identify()


def test_a_shot_is_set_in_standby_charged_fired_and_measured(replay, clock):
    """Each setting is asked after; the sign of the level is the polarity, of the peaks too."""
    generator: SurgeGenerator = Tra3000(replay(MODEL, "shot"), clock)

    generator.arm(-1000.0, 270.0)
    assert generator.fire() == SurgeShot(-981.0, -204.0)


@pytest.mark.parametrize(("level_v", "angle_deg"), [(199, 0), (-4401, 0), (float("nan"), 0), (1000, -1), (1000, 360)])
def test_nothing_out_of_range_reaches_the_wire(replay, clock, level_v, angle_deg):
    """The transcript expects only off, which waits until it is discharged."""
    generator = Tra3000(replay(MODEL, "off"), clock)

    with pytest.raises(OutOfRange):
        generator.arm(level_v, angle_deg)
    generator.off()
    assert generator.is_off()
    assert clock.now_s() > 0.0


@pytest.mark.parametrize("peak_v", [0, -900, 2000])
def test_the_peak_of_another_pulse_is_no_reading(clock, peak_v):
    """VPK? tells of the last pulse, whichever it was: its sign and size must be this one's."""
    generator = Tra3000(Generator(peak_v=peak_v), clock)
    generator.arm(1000.0, 0.0)

    with pytest.raises(NoReading, match="not the peak of a pulse of 1000 V"):
        generator.fire()


def test_nothing_is_fired_that_was_not_armed(clock):
    """A second shot needs a second arming."""
    link = Generator(peak_v=900)
    generator = Tra3000(link, clock)
    generator.arm(1000.0, 0.0)
    generator.fire()

    with pytest.raises(NoReading, match="arm it first"):
        generator.fire()
    assert link.told.count("TRIG") == 1


def test_a_pulse_that_waits_for_a_mains_that_is_not_there_is_given_up(clock):
    """After the deadline it is discharged, and that is no reading."""
    link = Generator()
    generator = Tra3000(link, clock)
    generator.arm(1000.0, 0.0)

    with pytest.raises(NoReading, match="no pulse came"):
        generator.fire()
    assert link.told[-3:] == ["TRIG", "REN", "STBY"]
    assert clock.now_s() >= FIRE_DEADLINE_S


def test_a_generator_that_does_not_charge_is_the_benchs_fault(clock):
    """The wait has a deadline and a name."""
    with pytest.raises(WaitTimeout, match="the surge generator to charge"):
        Tra3000(Generator(charges=False), clock).arm(1000.0, 0.0)
    assert clock.now_s() >= CHARGE_DEADLINE_S


def test_a_pulse_that_would_go_elsewhere_is_not_armed(replay, clock):
    """At IMP-OUT it would never reach the unit, and its let-through voltage would look wonderful."""
    with pytest.raises(SetupError, match="IMP-OUT"):
        Tra3000(replay(MODEL, "elsewhere"), clock).arm(1000.0, 0.0)


def test_what_it_refuses_is_named_in_the_manuals_words(replay, clock):
    """E? 2 is an unknown command."""
    with pytest.raises(InstrumentRefused, match="unknown command"):
        Tra3000(replay(MODEL, "refused"), clock).off()


def test_an_answer_to_something_else_is_no_error_number(replay, clock):
    """A late answer on the line is found."""
    with pytest.raises(BadAnswer):
        Tra3000(replay(MODEL, "garbled"), clock).off()


def test_what_is_assumed_stands_in_one_table():
    """No assumed command is sent from elsewhere in the module."""
    from pathlib import Path

    import hil.instruments.emc_partner_tra3000 as module

    text = Path(module.__file__).read_text()
    for command in {line.split()[0] for line in ASSUMED.values()}:
        assert text.count(f'"{command}') == 1
