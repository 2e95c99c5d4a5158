"""Indicators, the Wi-Fi switch, and what the board senses of its mains wiring; lights and sound by the fixture.

Each indicator is driven by the factory command and sensed from outside: the firmware's word for it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from hil.dut.smart_power.board import SmartPower
from hil.dut.smart_power.panel import Inputs
from hil.errors import UnitSilent
from hil.links.rpc import Rpc
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.waiting import moment_of
from hil.tests.smart_power.wifi import await_wifi, wifi_switch_at_rest

INDICATORS = ("green", "red", "buzzer")
FOLLOW_S = 0.05  # a command is answered once its pin has moved; lamp and microphone need a moment [A]
SILENT_S = 0.3  # of real time: the unit's network is not the place to be slow
DETECT_S = 1.0  # several periods of mains, and the firmware's filter [A]
WIRING = {"healthy": (), "swapped": ("mains.swapped",), "neutral_open": ("mains.neutral_open",)}
EARTH = {"healthy": (), "earth_open": ("mains.earth_open",)}

each_state = pytest.mark.parametrize("state", ["on", "off"])


class Indicators:
    """The three indicators: commanded through the firmware, sensed by the fixture."""

    def __init__(self, bench: Station, board: SmartPower) -> None:
        self._bench, self._board = bench, board

    def command(self, name: str, on: bool) -> None:
        """Switch one on or off, and wait until it has followed."""
        panel = self._board.panel
        if name == "buzzer":
            panel.set_buzzer(on)
        else:
            panel.set_led(name, on)
        self._bench.clock.sleep(FOLLOW_S)

    def sensed(self) -> dict[str, bool]:
        """Return which are lit, or sound."""
        fixture = self._bench.fixture
        return {name: fixture.sounds() if name == "buzzer" else fixture.light(name) for name in INDICATORS}


@pytest.fixture
def indicators(bench: Station, board: SmartPower, rails: None) -> Iterator[Indicators]:
    """The indicators, left as the running application has them: green on, red off, buzzer silent."""
    found = Indicators(bench, board)
    try:
        yield found
    finally:
        for name in INDICATORS:
            found.command(name, name == "green")


@pytest.mark.requirement("IND-01")
def test_green_tells_that_the_firmware_runs(bench: Station, board: SmartPower, rails: None, measure: Measurer) -> None:
    """After a restart, and without being asked to, green is on."""
    board.restart()
    bench.clock.sleep(FOLLOW_S)
    measure.check("indicator.green_after_boot", bench.fixture.light("green"))


@pytest.mark.requirement("IND-01")
@each_state
def test_green_follows(indicators: Indicators, measure: Measurer, state: str) -> None:
    """The green LED lights and goes out by command, and nothing else does."""
    follows(indicators, measure, "green", state)


@pytest.mark.requirement("IND-02")
@each_state
def test_red_follows(indicators: Indicators, measure: Measurer, state: str) -> None:
    """The red LED lights and goes out by command, and nothing else does."""
    follows(indicators, measure, "red", state)


@pytest.mark.requirement("IND-03")
@each_state
def test_the_buzzer_follows(indicators: Indicators, measure: Measurer, state: str) -> None:
    """The buzzer sounds and is silent by command, and nothing else changes."""
    follows(indicators, measure, "buzzer", state)


def follows(indicators: Indicators, measure: Measurer, name: str, state: str) -> None:
    """Bring an indicator to a state from the other one; it must follow, the others must stay as they were."""
    on = state == "on"
    indicators.command(name, not on)
    before = indicators.sensed()
    indicators.command(name, on)
    after = indicators.sensed()
    strayed = [other for other in INDICATORS if other != name and after[other] != before[other]]
    if strayed:
        measure.note(f"{name} {state} changed {' and '.join(strayed)} too")
    measure.check(f"indicator.{name}", after[name] == on and not strayed, state=state)


@pytest.mark.requirement("IND-04")
def test_the_wifi_switch_is_obeyed(bench: Station, board: SmartPower, rails: None, measure: Measurer) -> None:
    """Switched off, Wi-Fi ends and HTTP over it is silent; switched on, both are back in time."""
    await_wifi(bench, board, True, moment_of(bench.clock, board.network.wifi_connected))  # since boot, perhaps
    with wifi_switch_at_rest(bench):
        for state in ("off", "on"):
            on = state == "on"
            since = moment_of(bench.clock, partial(bench.fixture.set_wifi_switch, on))
            waited = await_wifi(bench, board, on, since)
            measure.check("wifi.switch_seen", board.panel.inputs().wifi_switch == on, state=state)
            measure("wifi.follow_time", waited.took, state=state)
            measure.check("wifi.http_follows", answers(bench.http()) == on, state=state)


@pytest.mark.requirement("IND-05")
@pytest.mark.parametrize("wiring", WIRING)
def test_neutral_is_told_from_live(
    bench: Station, board: SmartPower, plan: Plan, rails: None, measure: Measurer, wiring: str
) -> None:
    """Healthy wiring is called healthy; L and N swapped, and neutral open, are not."""
    if wiring == "swapped":
        measure.finding(
            "DR-28",
            "IND-05",
            "only live is switched: with L and N swapped a socket stays live when its relay is open. The board cannot "
            "prevent that, only see it: what this measurement proves",
        )
    inputs = sensed_on_mains(bench, board, plan, WIRING[wiring])
    measure.check("mains.neutral_detected", inputs.neutral == (wiring == "healthy"), wiring=wiring)


@pytest.mark.requirement("IND-06")
@pytest.mark.parametrize("wiring", EARTH)
def test_a_missing_earth_is_seen(
    bench: Station, board: SmartPower, plan: Plan, rails: None, measure: Measurer, wiring: str
) -> None:
    """A connected earth is seen as connected, an open one as open."""
    if wiring == "healthy":
        measure.finding(
            "DR-26",
            "IND-06",
            "the 2-pole mains input J2 brings no earth: the bench connects it to the sockets' earth terminals",
        )
    inputs = sensed_on_mains(bench, board, plan, EARTH[wiring])
    measure.check("mains.earth_detected", inputs.earth == (wiring == "healthy"), wiring=wiring)


def sensed_on_mains(bench: Station, board: SmartPower, plan: Plan, wiring: tuple[str, ...]) -> Inputs:
    """Put the unit on mains with this wiring, mains off while contactors move, and ask what it senses.

    J43 stays fed, because neutral open leaves PS1 without power. Both at once is safe: a diode stands behind each of
    them [A], so that neither feeds the other; the supply's output floats, and whatever else touches the low-voltage
    side, which may be at mains potential (DR-20, DR-21), does so through isolators: bench.mains refuses without them.
    """
    with bench.route(*wiring), bench.mains(plan.nominal["un_v"], plan.nominal["frequency_hz"]):
        bench.clock.sleep(DETECT_S)
        return board.panel.inputs()


def answers(rpc: Rpc) -> bool:
    """Say whether the unit answers a call on this way."""
    try:
        rpc.call("Factory.Identity", timeout_s=SILENT_S)
    except UnitSilent:
        return False
    return True
