"""What keeps the unit from harm, as board data and as commands: sensor, fuse, trips."""

from __future__ import annotations

import pytest

from hil.dut.smart_power.board import Life, SmartPower
from hil.dut.smart_power.protection import OVERTEMPERATURE, Protection
from hil.dut.smart_power.revisions import REVISION_A, REVISION_B
from hil.errors import SetupError, UnitRefused

NTC = REVISION_A.ntc.value
FUSE = REVISION_A.fuse.value


@pytest.mark.parametrize(
    ("temp_c", "resistance_ohm", "millivolts"),
    [(-20.0, 105385, 3014), (25.0, 10000, 1650), (85.0, 1087, 323.5), (90.0, 934, 282), (105.0, 606, 189)],
)
def test_the_sensor_follows_the_table_of_the_facts(temp_c, resistance_ohm, millivolts):
    """Smart Power facts 6.1."""
    assert NTC.resistance_ohm(temp_c) == pytest.approx(resistance_ohm, rel=1e-3)
    assert NTC.temperature_c(NTC.resistance_ohm(temp_c)) == pytest.approx(temp_c)
    assert 1e3 * NTC.node_v(temp_c) == pytest.approx(millivolts, rel=2e-3)


def test_what_the_sensor_part_may_be_off():
    """At 90 C: 1 % of R25 is a third of a kelvin, 1 % of B nearly one; both by difference quotients."""
    of_r25_k, of_b_k = NTC.part_error_k(90.0)
    seen_ohm = 1.01 * NTC.resistance_ohm(90.0)

    assert of_r25_k == pytest.approx(90.0 - NTC.temperature_c(seen_ohm), rel=0.02)
    assert of_b_k == pytest.approx(0.79, abs=0.01)
    assert NTC.kelvin_per_ohm(90.0) * 0.01 * NTC.resistance_ohm(90.0) == pytest.approx(-of_r25_k)


def test_the_fuse_goes_through_its_points():
    """150 % for an hour, 275 % for 0.6 s, and so on; below its curve it holds at least as long as at 150 %."""
    for multiple, time_s in FUSE.shortest:
        assert FUSE.shortest_melting_s(multiple * FUSE.rated_a) == pytest.approx(time_s)
        assert FUSE.current_a(time_s) == pytest.approx(multiple * FUSE.rated_a)

    assert FUSE.shortest_melting_s(3.3) == 3600.0
    assert FUSE.current_a(1.0) == pytest.approx(8.36, abs=0.01)


def test_the_trips_of_the_board_data_are_those_the_firmware_names(rpc):
    """Whatever the order in which it lists them."""
    answer = {
        "overtemperature_c": 90.0,
        "rearm_c": 80.0,
        "overcurrent": [{"current_a": 4.0, "hold_s": 1.0}, {"current_a": 3.3, "hold_s": 10.0}],
    }
    said = Protection(rpc(("Factory.Trips", None, answer))).thresholds()

    assert said.overcurrent == REVISION_A.trips.overcurrent.value
    assert (said.overtemperature_c, said.rearm_c) == (90.0, 80.0)


def test_errors_and_limits_are_addressed_by_socket(rpc):
    """Sockets count from 1, switches from 0."""
    calls = rpc(
        ("Switch.GetStatus", {"id": 3}, {"errors": ["overtemp"]}),
        ("Switch.SetConfig", {"id": 0, "config": {"current_limit": 1.5}}, {"restart_required": False}),
        ("Temperature.GetStatus", {"id": 100}, {"id": 100, "tC": 27.4, "tF": 81.3}),
    )
    protection = Protection(calls)

    assert protection.errors(4) == (OVERTEMPERATURE,)
    protection.set_current_limit(1, 1.5)
    assert protection.temperature_c() == 27.4
    calls.assert_all_sent()


def test_a_refused_rearm_is_an_answer():
    """A unit that is too hot says no, and that is no error."""

    class TooHot:
        def call(self, method, params=None, timeout_s=2.0):
            raise UnitRefused("unit", method, -109, "FAILED_PRECONDITION: overtemp")

    assert not Protection(TooHot()).rearm()


def test_a_granted_rearm(rpc):
    """Nothing holds any more."""
    assert Protection(rpc(("Factory.Rearm", None, {"errors": []}))).rearm()


def test_a_life_of_the_firmware(spi, rpc, reset_wire, clock):
    """Uptime, with the reset before it."""
    calls = rpc(("Sys.GetStatus", None, {"uptime": 12, "reset_reason": 1}))

    assert SmartPower(REVISION_A, calls, reset_wire, spi(), clock).life() == Life(12.0, "1")


def test_what_a_revision_can():
    """The requirements of a plan ask by name."""
    assert REVISION_A.can("ntc_in_place")
    assert not REVISION_A.can("ethernet_mac")
    assert REVISION_B.can("ethernet_mac")
    with pytest.raises(SetupError, match="ntc_in_place"):
        REVISION_A.can("fly")
