"""The GW Instek GPT-9804 driver against its transcript."""

import pytest

from hil.clock import WaitTimeout
from hil.errors import BadAnswer, InstrumentRefused, NoAnswer, NoReading, NotConnected, OutOfRange, WrongInstrument
from hil.instruments.gwinstek_gpt9800 import END_DEADLINE_S, Gpt9804
from hil.instruments.roles import EarthBond, HipotTester, Insulation, Withstand

MODEL = "gwinstek_gpt9800"
TEST = (2500.0, 50.0, 5e-3, 0.5, 3.0)


class Hipot:
    """Takes every setting as it is sent, and starts; `fails` is what the first question after the start meets."""

    who, where = "tester", "nowhere"

    def __init__(self, fails=None):
        self.told, self.set = [], {}
        self.fails, self.running = fails, False

    def tell(self, message):
        self.told.append(message)
        name, _, value = message.partition(" ")
        self.set[name] = value
        if name == "FUNC:TEST":
            self.running = value == "ON"
            if isinstance(self.fails, NotConnected) and not self.running and "FUNC:TEST ON" in self.told:
                raise self.fails

    def ask(self, message):
        self.told.append(message)
        if self.running and self.fails is not None:
            raise self.fails
        if message == "FUNC:TEST?":
            return "TEST ON" if self.running else "TEST OFF"
        fixed = {"MEAS?": "ACW,VIEW ,0.000kV,000.0 mA ,  ---.-S", "SYST:ERR?": "0,No Error"}
        return fixed.get(message) or self.set[message.removesuffix("?")]


def test_it_is_told_to_speak_only_when_asked(replay, clock):
    """TESTok:RETurn ON would have it put an OK between two answers."""
    identity = Gpt9804(replay(MODEL, "identify"), clock).identify()

    assert str(identity) == "GW Instek GPT-9804, serial EZ700031, firmware V2.08"


def test_a_model_without_ground_bond_is_refused(replay, clock):
    """A GPT-9803 has no earth bond."""
    with pytest.raises(WrongInstrument, match="GPT-9803"):
        Gpt9804(replay(MODEL, "wrong"), clock).identify()


def test_every_setting_is_read_back_before_the_voltage_comes(replay, clock):
    """The reference value too: what was left in it would be subtracted."""
    tester: HipotTester = Gpt9804(replay(MODEL, "withstand"), clock)

    found = tester.withstand(*TEST)
    assert found == Withstand(pytest.approx(2503.0), pytest.approx(0.21e-3), passed=True, arc=False, held_s=3.0)


def test_a_fail_is_a_result(replay, clock):
    """In the ramp, at 24 V; the manual's own answer, with its spaces and its prompt."""
    found = Gpt9804(replay(MODEL, "trips"), clock).withstand(*TEST)

    assert found == Withstand(pytest.approx(24.0), pytest.approx(5.013e-3), passed=False, arc=False, held_s=0.0)


def test_a_fail_below_the_limit_is_an_arc(replay, clock):
    """Nothing else makes it stop there."""
    assert Gpt9804(replay(MODEL, "arcs"), clock).withstand(*TEST).arc


def test_insulation_is_in_ohms(replay, clock):
    """15 Mohm on the display."""
    assert Gpt9804(replay(MODEL, "insulation"), clock).insulation(500.0, 1.0) == Insulation(23e6, False, 502.0, True)


def test_what_it_cannot_measure_is_a_lower_bound(replay, clock):
    """9999 on the display is beyond 9500 Mohm, where its specification ends."""
    assert Gpt9804(replay(MODEL, "beyond"), clock).insulation(500.0, 1.0) == Insulation(9.5e9, True, 500.0, True)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [("bond", EarthBond(pytest.approx(0.0153), False, 10.0, True)), ("open", EarthBond(0.65, True, 0.0, False))],
)
def test_an_earth_bond_is_in_ohms_and_an_open_one_is_a_lower_bound(replay, clock, scene, expected):
    """Where the current does not flow there is no reading of it."""
    assert Gpt9804(replay(MODEL, scene), clock).ground_bond(10.0, 0.1, 1.0) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: t.withstand(5001.0, 50.0, 5e-3, 0.5, 3.0),
        lambda t: t.withstand(float("nan"), 50.0, 5e-3, 0.5, 3.0),
        lambda t: t.withstand(2000.0, 55.0, 5e-3, 0.5, 3.0),
        lambda t: t.withstand(2000.0, 50.0, 43e-3, 0.5, 3.0),
        lambda t: t.withstand(2000.0, 50.0, 5e-3, 0.0, 3.0),
        lambda t: t.withstand(2000.0, 50.0, 31e-3, 1.0, 239.0),  # TIME ERR
        lambda t: t.withstand(6000.0, 0.0, 10e-3, 0.5, 3.0),  # DC over 50 W
        lambda t: t.insulation(525.0, 1.0),
        lambda t: t.insulation(500.0, 0.5),
        lambda t: t.ground_bond(33.0, 0.1, 1.0),
        lambda t: t.ground_bond(30.0, 0.2, 1.0),  # GBV over 5.4 V
    ],
)
def test_nothing_out_of_range_reaches_the_wire(replay, clock, wrong):
    """The transcript expects only off."""
    tester = Gpt9804(replay(MODEL, "off"), clock)

    with pytest.raises(OutOfRange):
        wrong(tester)
    tester.off()
    assert tester.is_off()


def test_off_waits_for_the_discharge(replay, clock):
    """It stops testing, and still shows 412 V."""
    tester = Gpt9804(replay(MODEL, "discharging"), clock)

    tester.off()
    assert clock.now_s() > 0.0


@pytest.mark.parametrize(("scene", "words"), [("refused", "Time Error"), ("dropped", "1.000mA")])
def test_no_test_starts_on_settings_that_were_not_taken(replay, clock, scene, words):
    """An error in its queue, or an old value read back: a voltage that nobody chose."""
    with pytest.raises(InstrumentRefused, match=words):
        Gpt9804(replay(MODEL, scene), clock).withstand(*TEST)


def test_a_result_that_is_still_shown_is_not_taken_for_the_next_one(replay, clock):
    """A start that is dropped without a word would end at once, with the result of before."""
    with pytest.raises(InstrumentRefused, match="result of an earlier test"):
        Gpt9804(replay(MODEL, "of before"), clock).withstand(*TEST)


@pytest.mark.parametrize("scene", ["never ran", "too low", "too short"])
def test_a_pass_of_something_else_is_no_reading(replay, clock, scene):
    """It did not run, or not at 2.5 kV, or not for 3 s: the bench is to blame, and the unit has proven nothing."""
    with pytest.raises(NoReading, match="not of 3 s at 2500 V"):
        Gpt9804(replay(MODEL, scene), clock).withstand(*TEST)


@pytest.mark.parametrize(("scene", "error"), [("stopped", NoReading), ("another", BadAnswer)])
def test_what_is_no_result_of_this_test_is_no_reading(replay, clock, scene, error):
    """It was stopped at its panel, or shows a test of before; it is stopped once more."""
    with pytest.raises(error):
        Gpt9804(replay(MODEL, scene), clock).withstand(*TEST)


def test_after_an_error_only_the_command_to_stop_is_sent(clock):
    """And the test is not begun again."""
    link = Hipot(NoAnswer("tester", "FUNC:TEST?", 2.0))

    with pytest.raises(NoAnswer):
        Gpt9804(link, clock).withstand(*TEST)
    assert link.told[link.told.index("FUNC:TEST ON") :] == ["FUNC:TEST ON", "FUNC:TEST?", "FUNC:TEST OFF"]


def test_a_broken_link_is_told_with_the_stop_that_did_not_get_through(clock):
    """The first error stays the error."""
    broken = NotConnected("tester", "nowhere", "unplugged")

    with pytest.raises(NotConnected) as caught:
        Gpt9804(Hipot(broken), clock).withstand(*TEST)
    assert "did not get through" in caught.value.__notes__[0]


def test_a_test_that_does_not_end_is_stopped(clock):
    """The wait has a name and a deadline; five minutes are fine, the rule of 240 s begins above 30 mA."""
    link = Hipot()

    with pytest.raises(WaitTimeout, match="the hipot tester to end"):
        Gpt9804(link, clock).withstand(2000.0, 50.0, 30e-3, 1.0, 300.0)
    assert link.told[-1] == "FUNC:TEST OFF"
    assert clock.now_s() >= 301.0 + END_DEADLINE_S


def test_accuracies_are_those_of_the_range(replay, clock):
    """A current's range follows from the trip limit; unverified figures say so."""
    tester = Gpt9804(replay(MODEL, "identify"), clock)
    tester.identify()

    assert tester.voltage_accuracy_v(2000.0).half_width == pytest.approx(25.0)
    assert tester.current_accuracy_a(1e-3, 5e-3).half_width == pytest.approx(45e-6)
    assert tester.insulation_accuracy_ohm(1e9).half_width == pytest.approx(101e6)
    assert tester.bond_accuracy_ohm(0.1).half_width == pytest.approx(3e-3)
    assert "unverified" in tester.bond_accuracy_ohm(0.1).source
