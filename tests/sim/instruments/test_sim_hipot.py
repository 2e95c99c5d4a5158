"""The simulated GPT-9804, by raw messages, and what it finds at a unit: insulation, flash-over, earth bonds."""

from __future__ import annotations

import asyncio
import math

import pytest

from hil.sim.bench import Bench
from hil.sim.boards.insulation import Insulation
from hil.sim.hipot import EARTH_BONDS, KNOWN_FAIL, LEADS_F, MAINS_TO_EARTH
from hil.sim.instruments.gwinstek_gpt9800 import GwInstekGpt9804
from hil.sim.world import World

ACW = ("MANU:EDIT:MODE ACW", "MANU:ACW:VOLT 2.000", "MANU:ACW:CHIS 5.000", "MANU:ACW:TTIM 2.0", "MANU:ACW:FREQ 50")
DCW = ("MANU:EDIT:MODE DCW", "MANU:DCW:VOLT 2.000", "MANU:DCW:CHIS 5.000", "MANU:DCW:TTIM 2.0")
IR = ("MANU:EDIT:MODE IR", "MANU:IR:VOLT 0.500", "MANU:IR:TTIM 1.0")
GB = ("MANU:EDIT:MODE GB", "MANU:GB:CURR 10.00", "MANU:GB:RHIS 100.0", "MANU:GB:TTIM 1.0")
LONGEST_S = 10.0


class Desk:
    """The tester, the relay box and a unit, without a wire."""

    def __init__(self, *faults: str, serial: str = "SP-000123") -> None:
        self.world = World(serial, faults=faults)
        self.bench = Bench(self.world)
        self.tester = GwInstekGpt9804(self.world, self.bench)

    def say(self, *messages: str) -> str | None:
        for message in messages:
            answer = asyncio.run(self.tester.execute(message))
        return answer

    def test(self, *settings: str, closed: int = 0) -> list[str]:
        """Run a test to its end on a path of the box; return the five fields of its result."""
        self.bench.set_routes(frozenset({closed} if closed else ()))
        self.say("FUNC:TEST OFF", "MANU:RTIM 0.5", *settings, "FUNC:TEST ON")
        self.world.advance(LONGEST_S)
        return [part.strip() for part in str(self.say("MEAS?")).split(",")]

    @property
    def violations(self) -> list[str]:
        return [event["what"] for event in self.world.events if event["kind"] == "violation"]


def number(field: str) -> float:
    return float(field.rstrip("abcdefghijklmnopqrstuvwxyzAMV ").strip())


@pytest.fixture(scope="module")
def healthy() -> Desk:
    return Desk()


def test_it_answers_as_the_manual_and_real_ones_do(healthy: Desk):
    """Model, serial number and version without the maker; settings with their unit; long and short forms."""
    desk = healthy

    assert desk.say("*idn?") == "GPT-9804 ,EZ700031    ,V2.08,"
    assert desk.say("MANU:ACW:VOLTAGE 1.5", "manu:acw:volt?") == "1.500kV"
    assert desk.say("MANU:ACW:FREQ 60", "MANU:ACW:FREQuency?") == "60 Hz"
    assert desk.say("MANU:RTIM 2", "MANU:RTIMe ?") == "002.0 S"
    assert desk.say("SYST:ERR?") == "0,No Error"
    assert desk.say("FUNC:TEST?") == "TEST OFF"
    assert desk.say("FUNC:TEST OFF", "MANU:ACW:CHIS 1", "MEAS?") == "ACW,VIEW ,0.000kV,0.000 mA ,  ---.-S"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (("MANU:ACW:VOLTA 1",), 20),
        (("MANU:ACW:VOLT 5.1",), 21),
        (("MANU:ACW:FREQ 55",), 21),
        (("MANU:IR:VOLT 0.5",), 24),  # while in ACW
        (("MANU:RTIM 1", "MANU:ACW:CHIS 31", "MANU:ACW:TTIM 239"), 25),
        (("MANU:EDIT:MODE DCW", "MANU:DCW:CHIS 10", "MANU:DCW:VOLT 6"), 26),
        (("MANU:EDIT:MODE GB", "MANU:GB:RHIS 200", "MANU:GB:CURR 30"), 27),
    ],
)
def test_what_it_cannot_do_is_kept_for_the_error_query(healthy: Desk, messages, code):
    """And the setting stays as it was; the question empties it."""
    assert str(healthy.say("MANU:EDIT:MODE ACW", "*CLS", *messages, "SYST:ERR?")).startswith(f"{code},")
    assert healthy.say("SYST:ERR?") == "0,No Error"
    healthy.say("MANU:EDIT:MODE ACW", "MANU:ACW:CHIS 5")


def test_a_healthy_unit_leaks_by_its_capacitance(healthy: Desk):
    """I = 2 pi f C V, leads included, within the tester's error; and the voltage is the one that was set."""
    desk = healthy
    fields = desk.test(*ACW, closed=MAINS_TO_EARTH)
    farad = Insulation(desk.world).capacitance_f + LEADS_F

    assert fields[:2] == ["ACW", "PASS"]
    assert number(fields[2]) == pytest.approx(2.0, rel=0.01)
    assert number(fields[3]) == pytest.approx(1e3 * 2 * math.pi * 50.0 * farad * 2000.0, rel=0.02, abs=0.01)
    assert fields[4] == "T=002.0S"
    assert number(desk.test(*DCW, closed=MAINS_TO_EARTH)[3]) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("serial", [f"SP-0001{n:02d}" for n in range(6)])
def test_healthy_units_have_gigaohms_and_milliohms(serial):
    """Each another one."""
    desk = Desk(serial=serial)

    assert desk.test(*ACW, closed=MAINS_TO_EARTH)[1] == "PASS"
    assert number(desk.test(*IR, closed=MAINS_TO_EARTH)[3].replace("M ohm", "")) >= 1900
    for channel in EARTH_BONDS:
        assert 5.0 < number(desk.test(*GB, closed=channel)[3].replace("m ohm", "")) < 22.0


def test_nothing_connected_leaks_next_to_nothing(healthy: Desk):
    """Forty picofarads of leads, and a resistance beyond the display."""
    assert number(healthy.test(*ACW)[3]) <= 0.03
    assert healthy.test(*IR)[3] == "9999M ohm"
    assert healthy.test(*GB)[1] == "FAIL"


def test_the_known_fail_fails_everything(healthy: Desk):
    """50 kohm: 5 mA flow at 250 V, in the middle of the ramp."""
    acw = healthy.test(*ACW, closed=KNOWN_FAIL)
    assert acw[1] == "FAIL"
    assert number(acw[2]) == pytest.approx(0.250, rel=0.03)
    assert acw[4].startswith("R=")
    assert healthy.test(*IR, closed=KNOWN_FAIL)[1:4:2] == ["FAIL", "0000M ohm"]
    assert healthy.test(*GB, closed=KNOWN_FAIL)[1] == "FAIL"


def test_weak_insulation_flashes_over_at_a_kilovolt():
    """500 V it bears."""
    desk = Desk("insulation-weak")
    acw = desk.test(*ACW, closed=MAINS_TO_EARTH)

    assert acw[1] == "FAIL"
    assert number(acw[2]) == pytest.approx(0.99, abs=0.02)
    assert number(acw[3]) > 5.0
    assert desk.test(*IR, closed=MAINS_TO_EARTH)[1] == "PASS"


def test_leaky_insulation_is_seen_at_500_volts():
    """0.8 Mohm, one on the display; at 2 kV the tester trips at none of it: 2.5 mA."""
    desk = Desk("insulation-leaky")

    assert desk.test(*IR, closed=MAINS_TO_EARTH)[3] == "0001M ohm"
    assert desk.test(*ACW, closed=MAINS_TO_EARTH)[1] == "PASS"


@pytest.mark.parametrize(("fault", "bond"), [("earth-bond-high", "41"), ("earth-open", "999.9")])
def test_a_bad_earth_is_bad_at_its_terminal_only(fault, bond):
    """J48, not J47."""
    desk = Desk(fault)
    bad, good = desk.test(*GB, closed=318), desk.test(*GB, closed=317)

    assert (bad[1], good[1]) == ("FAIL", "PASS")
    assert bad[3].startswith(bond)


def test_a_stopped_test_discharges_and_shows_nothing(healthy: Desk):
    """Settings that came meanwhile were dropped without a word."""
    desk = healthy
    desk.bench.set_routes(frozenset({MAINS_TO_EARTH}))
    desk.say("FUNC:TEST OFF", *ACW, "FUNC:TEST ON")
    desk.world.advance(1.0)
    assert desk.say("MANU:ACW:VOLT 3.000", "MANU:ACW:VOLT?") == "2.000kV"
    assert desk.say("SYST:ERR?") == "0,No Error"
    assert str(desk.say("MEAS?")).startswith("ACW,TEST ,")
    assert desk.bench.hipot.output_v > 1000.0

    assert desk.say("FUNC:TEST OFF", "FUNC:TEST?") == "TEST ON"
    desk.world.advance(0.2)
    assert desk.say("FUNC:TEST?") == "TEST OFF"
    assert str(desk.say("MEAS?")).startswith("ACW,VIEW ,0.000kV")
    assert desk.bench.hipot.output_v == 0.0
    desk.world.advance(LONGEST_S)
    assert str(desk.say("MEAS?")).startswith("ACW,VIEW ,")


@pytest.mark.parametrize(
    ("hand", "words"),
    [
        (lambda bench: bench.set_ac(voltage_v=230.0, on=True), "under mains"),
        (lambda bench: bench.set_dc(1, voltage_v=5.0, on=True), "under direct current"),
        (lambda bench: bench.set_routes(frozenset({MAINS_TO_EARTH, 205})), "beside other routes"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_high_voltage_on_a_live_or_connected_unit_is_a_violation(hand, words, first):
    """Whichever came first."""
    desk = Desk()
    desk.bench.set_routes(frozenset({MAINS_TO_EARTH}))
    if first:
        hand(desk.bench)
    desk.say(*ACW, "FUNC:TEST ON")
    if not first:
        assert not desk.violations
        hand(desk.bench)

    assert words in desk.violations[0]
