"""The NTC's divider, the warmth beside it, and the resistor in its place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_rig import Rig

from hil.sim.air import Air
from hil.sim.boards.heat import Heat
from hil.sim.boards.ntc import Ntc
from hil.sim.world import World

# facts smart-power 6.1: degrees C, ohm, mV
TABLE = [
    (-20, 105385, 3014), (0, 33621, 2543), (10, 20175, 2206), (25, 10000, 1650), (40, 5302, 1143), (50, 3588, 871),
    (60, 2486, 657), (70, 1760, 494), (80, 1270, 372), (85, 1087, 323.5), (90, 934, 282), (95, 805, 246),
    (100, 697, 215), (105, 606, 189),
]  # fmt: skip
SERIALS = [f"SP-{number}" for number in range(40)]


def read_mv(ntc: Ntc, temp_c: float, rail_v: float = 3.3) -> float:
    """Return the mean of some readings."""
    return float(np.mean([ntc.adc_mv(temp_c, rail_v) for _ in range(50)]))


@pytest.mark.parametrize(("temp_c", "ohm", "millivolts"), TABLE)
def test_the_divider_keeps_to_the_table_within_its_parts(temp_c, ohm, millivolts):
    """Over many units: on average the table's millivolts, each within what 1 % parts and the converter allow."""
    read = np.array([read_mv(Ntc(World(serial)), temp_c) for serial in SERIALS])
    share = ohm / (ohm + 10e3)
    spread = (1 - share) * (0.02 + 0.01 * 3950 * abs(1 / (temp_c + 273.15) - 1 / 298.15)) + 0.005

    assert read.mean() == pytest.approx(millivolts, rel=0.01)
    assert read == pytest.approx(millivolts, rel=spread + 0.003)


def test_a_resistor_in_its_place_reads_as_that_temperature():
    """934 ohm is 90 C: 282 mV within series resistor and converter, whatever the board's own temperature is."""
    for serial in SERIALS[:10]:
        ntc = Ntc(World(serial))
        ntc.replace(934.0)

        assert [read_mv(ntc, 25.0), read_mv(ntc, 60.0)] == pytest.approx([282.0] * 2, rel=0.017)


def test_open_and_short_read_as_the_ends():
    """An open NTC saturates the converter above 3.1 V, a short reads next to nothing."""
    for serial in SERIALS[:10]:
        assert read_mv(Ntc(World(serial, faults=["ntc-open"])), 25.0) > 3100.0
        assert read_mv(Ntc(World(serial, faults=["ntc-short"])), 25.0) < 5.0


def test_the_wrong_part_reads_ten_times_the_resistance():
    """100 kohm at 25 C: 3.0 V, neither open nor room."""
    read = [read_mv(Ntc(World(serial, faults=["ntc-wrong-type"])), 25.0) for serial in SERIALS[:10]]

    assert read == pytest.approx([3000.0] * 10, rel=0.01)


def test_warmth_is_one_exponential_between_two_changes():
    """Half a watt more warms by resistance times power with resistance times capacity; blocked vents are slower."""
    heat = Heat(Air(22.0))
    heat.lose(10.0, 0.5)
    heat.block(1e6, blocked=True)
    steady_k, tau_s = 6.5 * 0.5, 6.5 * 46.0

    assert heat.temp_c(1e6) == pytest.approx(22.0 + steady_k)
    assert heat.temp_c(1e6 + 2.5 * tau_s) == pytest.approx(22.0 + 2.5 * steady_k - 1.5 * steady_k * math.exp(-1))
    assert heat.temps_c(np.array([1e6 + 5.0])) == pytest.approx([heat.temp_c(1e6 + 5.0)])


def test_the_board_warms_itself_and_its_load_more():
    """Idle about 5 K above the room, at 3 A with blocked ventilation some 20 K, and it cools again."""
    rig = Rig()
    rig.mains()
    rise_k = []
    rig.world.advance(1800.0)
    rise_k.append(rig.unit.heat.temp_c(rig.world.now_s) - rig.unit.ambient_c)
    rig.load(1, current_a=3.0)
    rig.unit.block_ventilation(True)
    rig.world.advance(3600.0)
    rise_k.append(rig.unit.heat.temp_c(rig.world.now_s) - rig.unit.ambient_c)
    rig.unit.block_ventilation(False)
    rig.bench.set_load(on=False)
    rig.world.advance(1800.0)
    rise_k.append(rig.unit.heat.temp_c(rig.world.now_s) - rig.unit.ambient_c)

    assert 3.0 < rise_k[0] < 8.0
    assert 15.0 < rise_k[1] < 30.0
    assert rise_k[2] == pytest.approx(rise_k[0], abs=0.5)


def test_a_burnt_contact_is_felt():
    """A quarter of an ohm at 3 A is 2 W more."""
    rises = []
    for faults in ([], ["k1-contact-resistance"]):
        rig = Rig(faults=faults)
        rig.mains()
        rig.load(1, current_a=3.0)
        rig.world.advance(1200.0)
        rises.append(rig.unit.heat.temp_c(rig.world.now_s))

    assert rises[1] - rises[0] > 10.0


def test_the_firmware_reads_the_room():
    """In reach of the room's temperature on every unit; it is what the divider and its own constants make of it."""
    for serial in SERIALS[:5]:
        rig = Rig(serial)
        rig.rails()

        assert rig.rpc("Temperature.GetStatus", id=100)["tC"] == pytest.approx(rig.unit.ambient_c, abs=2.5)


# -- the node at the scope ---------------------------------------------------------------------------------------------


def test_the_node_steps_when_the_resistor_switches():
    """Relay 310 in at one resistance, then another: each step is found to the instant, by level and by sample."""
    rig = Rig()
    rig.rails()
    rig.bench.set_resistor(ohm=10e3, connected=True)
    rig.bench.set_routes(frozenset({117, 310}))
    rig.world.advance(1.0)
    before_s = rig.world.now_s
    rig.world.advance(0.123)
    rig.bench.set_resistor(ohm=650.0)
    step_s = rig.world.now_s
    rig.world.advance(0.5)
    calm_v, hot_v = rig.bench.scope_voltage_v(2, np.array([step_s - 1e-6, step_s]))

    assert rig.bench.first_crossing(2, 0.5, False, before_s, rig.world.now_s) == step_s
    assert calm_v == pytest.approx(1.65, rel=0.02)
    assert hot_v == pytest.approx(3.3 * 650 / 10650, rel=0.025)
    assert rig.bench.first_crossing(2, 0.5, True, before_s, rig.world.now_s) is None
    assert [e["leg"] for e in rig.world.events if e["kind"] == "ntc"] == ["resistor", "resistor"]


def test_out_of_the_way_it_changes_nothing():
    """Without relay 310 the resistor is nowhere; disconnected behind it, the node is open."""
    rig = Rig()
    rig.rails()
    own_v = rig.unit.ntc_mv()
    rig.bench.set_resistor(ohm=100.0, connected=True)
    assert rig.unit.ntc_mv() == pytest.approx(own_v, abs=5.0)

    rig.bench.set_resistor(connected=False)
    rig.bench.set_routes(frozenset({310}))
    assert rig.unit.ntc_mv() > 3100.0
    rig.bench.set_routes(frozenset())
    assert rig.unit.ntc_mv() == pytest.approx(own_v, abs=5.0)


def test_a_part_that_breaks_during_the_run_is_a_step():
    """ntc-short from one second on."""
    rig = Rig(faults=["ntc-short@3"])
    rig.bench.set_routes(frozenset({117}))
    rig.rails()
    rig.world.advance(2.0)

    assert rig.bench.first_crossing(2, 0.5, False, 2.5, rig.world.now_s) == 3.0
