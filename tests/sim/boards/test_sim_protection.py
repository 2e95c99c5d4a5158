"""The trips: they come when they should, hold through everything, and let go on command only."""

from __future__ import annotations

import math

import pytest
from physics_rig import Rig

HOT_OHM, WARM_OHM, COOL_OHM = 800.0, 1100.0, 1500.0  # at the NTC's place: 95, 85 and 75 degrees Celsius
SOCKET_1 = frozenset({305})
ALL_SOCKETS = frozenset({305, 306, 307, 308})
NTC_DECADE = 310


def rails(*faults: str, ohm: float | None = None) -> Rig:
    """A unit on the DC supply, its firmware running, with a resistance in the NTC's place."""
    rig = Rig(faults=faults)
    rig.rails()
    if ohm is not None:
        ntc(rig, ohm)
    return rig


def ntc(rig: Rig, ohm: float) -> None:
    """Put a resistance in the NTC's place; infinity is nothing."""
    rig.bench.set_resistor(ohm=10.0 if math.isinf(ohm) else ohm, connected=not math.isinf(ohm))
    rig.bench.set_routes(rig.bench.routes | {NTC_DECADE})


def loaded(*faults: str, routes: frozenset[int] = SOCKET_1, current_a: float = 1.0) -> Rig:
    """A unit on mains with the load at some sockets, every relay closed."""
    rig = Rig(faults=faults)
    rig.mains()
    rig.bench.set_routes(routes)
    for number in range(4):
        rig.rpc("Switch.Set", id=number, on=True)
    rig.bench.set_load(current_a=current_a, on=True)
    rig.world.advance(3.0)
    return rig


def overload(rig: Rig, current_a: float, for_s: float) -> float:
    """Raise the load's current for a time; return when it began."""
    began_s = rig.world.now_s
    rig.bench.set_load(current_a=current_a)
    rig.world.advance(for_s)
    return began_s


def events(rig: Rig, kind: str, since_s: float = 0.0) -> list:
    return [event for event in rig.world.events if event["kind"] == kind and event["t_s"] >= since_s]


def opened_s(rig: Rig, since_s: float) -> list[float]:
    """Return when each of the four contacts opened for good."""
    last = {event["relay"]: event["t_s"] for event in events(rig, "contact", since_s) if not event["closed"]}
    assert sorted(last) == ["K1", "K2", "K3", "K4"]
    return sorted(last.values())


def closed(rig: Rig) -> list[bool]:
    return [relay.contact.last for relay in rig.unit.relays]


def indicators(rig: Rig) -> list[bool]:
    """Return green, red, buzzer as the fixture senses them."""
    pins = rig.bench.fixture.panel_read()
    return [bool(pins & bit) for bit in (0x01, 0x02, 0x04)]


# -- too hot -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [k * 0.07 for k in range(8)])
def test_heat_opens_all_sockets_within_a_second(after_s):
    """Wherever the step falls between two looks at the NTC, the last contact opens within 0.9 s."""
    rig = rails(ohm=COOL_OHM)
    for number in range(4):
        rig.rpc("Switch.Set", id=number, on=True)
    rig.world.advance(1.0 + after_s)
    assert closed(rig) == [True] * 4

    began_s = rig.world.now_s
    ntc(rig, HOT_OHM)
    rig.world.advance(2.0)

    (trip,) = events(rig, "trip")
    assert (trip["what"], trip["sockets"]) == ("overtemp", [1, 2, 3, 4])
    assert opened_s(rig, began_s)[-1] - began_s < 0.9
    assert [rig.rpc("Switch.GetStatus", id=k)["errors"] for k in range(4)] == [["overtemp"]] * 4
    assert [rig.rpc("Switch.GetStatus", id=k)["output"] for k in range(4)] == [False] * 4


def test_the_threshold_lies_at_90_degrees():
    """On a slow ramp the trip comes within the NTC reading's own error of 90 degrees."""
    rig = rails()
    temp_c = 80.0
    while not events(rig, "trip") and temp_c < 110.0:
        temp_c += 0.25
        ntc(rig, 10e3 * math.exp(3950 * (1 / (temp_c + 273.15) - 1 / 298.15)))
        rig.world.advance(1.0)

    assert temp_c == pytest.approx(90.0, abs=3.0)


@pytest.mark.parametrize("ohm", [0.5, math.inf], ids=["short", "open"])
def test_an_ntc_that_is_none_trips(ohm):
    """Short reads as hot and open as cold: both are no temperature."""
    rig = rails(ohm=ohm)
    rig.world.advance(2.0)

    assert rig.rpc("Switch.GetStatus", id=2)["errors"] == ["overtemp"]
    assert rig.rpc("Factory.Rearm")["code"] == -109


def test_one_odd_sample_does_not_trip():
    """A disturbance of 50 ms spoils one sample of three at most."""
    rig = rails(ohm=COOL_OHM)
    for _ in range(20):
        ntc(rig, math.inf)
        rig.world.advance(0.05)
        ntc(rig, COOL_OHM)
        rig.world.advance(0.47)

    assert not events(rig, "trip")


def test_nothing_closes_while_it_is_tripped():
    """Switch.Set, Toggle, a timer and a coil pulse: whatever would close a contact is refused; off is not."""
    rig = rails(ohm=COOL_OHM)
    rig.rpc("Switch.Set", id=1, on=False, toggle_after=3)
    ntc(rig, HOT_OHM)
    rig.world.advance(2.0)
    refused = rig.rpc("Switch.Set", id=0, on=True)
    since_s = rig.world.now_s

    assert refused["code"] == -109
    assert refused["message"].endswith("FAILED_PRECONDITION: overtemp")
    assert rig.rpc("Switch.Toggle", id=0)["code"] == -109
    assert rig.rpc("Factory.CoilPulse", coil="K1.SET")["code"] == -109
    assert rig.rpc("Switch.Set", id=0, on=False) == {"was_on": False}
    rig.world.advance(3.0)
    assert {event["coil"] for event in events(rig, "coil", since_s)} == {"K1.RESET"}


def test_it_rearms_below_80_degrees_and_on_command_only():
    """Not by itself, not above; and nothing closes with it."""
    rig = rails(ohm=HOT_OHM)
    rig.world.advance(2.0)
    hot = rig.rpc("Factory.Rearm")
    ntc(rig, WARM_OHM)
    rig.world.advance(2.0)
    warm = rig.rpc("Factory.Rearm")
    ntc(rig, COOL_OHM)
    rig.world.advance(60.0)
    by_itself = rig.rpc("Switch.GetStatus", id=0)["errors"]
    cool = rig.rpc("Factory.Rearm")

    assert hot["code"] == warm["code"] == -109
    assert "overtemp" in warm["message"]
    assert by_itself == ["overtemp"]
    assert cool == {"errors": []}
    assert rig.rpc("Switch.GetStatus", id=0)["errors"] == []
    assert closed(rig) == [False] * 4
    assert rig.rpc("Switch.Set", id=0, on=True) == {"was_on": False}


def test_the_alarm_shows_until_it_is_rearmed():
    """Green while the application runs; red and buzzer while a trip holds; nothing in reset."""
    rig = rails(ohm=COOL_OHM)
    normal = indicators(rig)
    ntc(rig, HOT_OHM)
    rig.world.advance(2.0)
    tripped = indicators(rig)
    rig.hold()
    held = indicators(rig)
    rig.release()
    rig.world.advance(2.0)
    again = indicators(rig)
    ntc(rig, COOL_OHM)
    rig.world.advance(1.0)
    rig.rpc("Factory.Rearm")

    assert normal == [True, False, False]
    assert tripped == again == [True, True, True]
    assert held == [False] * 3
    assert indicators(rig) == normal


@pytest.mark.parametrize("cut", ["reset", "power"])
def test_a_trip_outlives_reset_and_power(cut):
    """It is kept in flash, and the sockets are opened once more: nothing reads the contacts back (DR-29)."""
    rig = rails(ohm=HOT_OHM)
    rig.world.advance(2.0)
    since_s = rig.world.now_s
    if cut == "reset":
        rig.hold()
        rig.world.advance(0.2)
        rig.release()
    else:
        rig.bench.set_dc(1, on=False)
        rig.world.advance(1.0)
        rig.bench.set_dc(1, on=True)
    ntc(rig, COOL_OHM)
    rig.world.advance(3.0)

    assert rig.rpc("Switch.GetStatus", id=3)["errors"] == ["overtemp"]
    assert len(events(rig, "trip")) == 1
    assert {event["coil"] for event in events(rig, "coil", since_s)} == {f"K{k}.RESET" for k in range(1, 5)}
    assert rig.rpc("Factory.Rearm") == {"errors": []}


def test_in_reset_nothing_trips():
    """No program, no trip: a hot NTC is not noticed before the application runs."""
    rig = rails(ohm=COOL_OHM)
    rig.rpc("Switch.Set", id=0, on=True)
    rig.world.advance(1.0)
    rig.hold()
    ntc(rig, HOT_OHM)
    rig.world.advance(30.0)

    assert closed(rig)[0]
    assert not events(rig, "trip")


# -- too much current --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", range(6))
@pytest.mark.parametrize(
    ("routes", "current_a", "hold_s"),
    [(SOCKET_1, 3.45, 10.0), (ALL_SOCKETS, 3.45, 10.0), (SOCKET_1, 4.3, 1.0), (ALL_SOCKETS, 4.3, 1.0)],
    ids=["one-10s", "all-10s", "one-1s", "all-1s"],
)
def test_over_current_trips_after_its_hold_time(routes, current_a, hold_s, phase):
    """All four contacts open, the loaded one first; every one within 0.3 s of the hold time, none 0.15 s early."""
    rig = loaded(routes=routes)
    rig.world.advance(phase * 0.0533)
    began_s = overload(rig, current_a, hold_s + 1.0)

    (trip,) = events(rig, "trip")
    assert (trip["what"], trip["sockets"]) == ("overcurrent", [1, 2, 3, 4])
    contacts_s = opened_s(rig, began_s)
    assert contacts_s[-1] - began_s - hold_s < 0.3
    assert contacts_s[0] - began_s - hold_s > -0.15
    if routes == SOCKET_1:
        first = min(events(rig, "contact", began_s), key=lambda event: event["t_s"])
        assert first["relay"] == "K1"


@pytest.mark.parametrize(("current_a", "for_s"), [(3.1, 30.0), (3.45, 8.0), (4.3, 0.5), (12.0, 0.2)])
def test_less_does_not_trip(current_a, for_s):
    """Below the threshold for long, above it for less than its hold time, an inrush."""
    rig = loaded()
    overload(rig, current_a, for_s)
    overload(rig, 1.0, 5.0)

    assert not events(rig, "trip")
    assert closed(rig) == [True] * 4


def test_over_current_rearms_on_command_at_any_time():
    """Not by itself; then it closes again, and nothing of the old overload is left."""
    rig = loaded()
    overload(rig, 4.5, 3.0)
    overload(rig, 1.0, 60.0)
    kept = rig.rpc("Switch.Set", id=0, on=True)
    rearmed = rig.rpc("Factory.Rearm")
    rig.rpc("Switch.Set", id=0, on=True)
    rig.world.advance(20.0)

    assert kept["code"] == -109
    assert rearmed == {"errors": []}
    assert closed(rig) == [True, False, False, False]
    assert len(events(rig, "trip")) == 1


def test_a_trip_by_current_outlives_reset():
    """The latch is in flash with those of the other kind."""
    rig = loaded()
    overload(rig, 4.5, 3.0)
    rig.hold()
    rig.world.advance(0.2)
    rig.release()
    rig.world.advance(2.0)

    assert rig.rpc("Switch.GetStatus", id=2)["errors"] == ["overcurrent"]


def test_a_sockets_own_limit_trips_that_socket_alone():
    """1.5 A at a socket that may carry 1.2 A: it opens within 1.3 s and is the only one refused."""
    rig = loaded()
    assert rig.rpc("Switch.SetConfig", id=0, config={"current_limit": 1.2}) == {"restart_required": False}
    rig.rpc("Switch.SetConfig", id=1, config={"current_limit": 0.5})
    began_s = overload(rig, 1.5, 3.0)

    (trip,) = events(rig, "trip")
    (contact,) = {event["relay"] for event in events(rig, "contact", began_s)}
    assert (trip["what"], trip["sockets"], contact) == ("overcurrent", [1], "K1")
    assert events(rig, "contact", began_s)[0]["t_s"] - began_s == pytest.approx(1.0, abs=0.3)
    assert [rig.rpc("Switch.GetStatus", id=k)["errors"] for k in range(4)] == [["overcurrent"], [], [], []]
    assert rig.rpc("Switch.Set", id=0, on=True)["code"] == -109
    assert rig.rpc("Switch.Set", id=1, on=True) == {"was_on": True}
    assert indicators(rig)[1:] == [True, True]
    rig.rpc("Factory.Rearm")
    assert rig.rpc("Switch.GetStatus", id=0)["errors"] == []


def test_one_sockets_trip_does_not_swallow_anothers_pulse():
    """Commands that waited when socket 1 tripped are carried out after it."""
    rig = loaded()
    rig.rpc("Switch.SetConfig", id=0, config={"current_limit": 1.2})
    overload(rig, 1.5, 0.3)
    while not events(rig, "trip"):
        rig.world.advance(0.01)
        for number in (1, 2, 3):
            rig.rpc("Switch.Set", id=number, on=number == 2)
    rig.world.advance(60.0)

    assert closed(rig) == [False, False, True, False]


@pytest.mark.parametrize("limit_a", [0, -1.0, 17.0, "3", True, [3]])
def test_a_limit_that_is_none_is_refused(limit_a):
    """Only a current above 0 and up to 16 A; null takes it away."""
    rig = rails()

    assert rig.rpc("Switch.SetConfig", id=0, config={"current_limit": limit_a})["code"] == -103
    assert rig.rpc("Switch.SetConfig", id=0, config={"current_limit": None}) == {"restart_required": False}


def test_a_meter_that_does_not_answer_trips_nothing():
    """All ones from a silent bus are no current of 65 A."""
    rig = rails("miso-stuck@3")
    rig.unit.meters[0].set_supply(rig.world.now_s, 0.0)
    rig.world.advance(20.0)

    assert not events(rig, "trip")


def test_the_thresholds_can_be_asked():
    """Factory.Trips names what is built in."""
    assert rails().rpc("Factory.Trips") == {
        "overtemperature_c": 90.0,
        "rearm_c": 80.0,
        "overcurrent": [{"current_a": 3.3, "hold_s": 10.0}, {"current_a": 4.0, "hold_s": 1.0}],
    }


# -- faults ------------------------------------------------------------------------------------------------------------


def test_trip_missing():
    """However hot, nothing happens; over-current still trips."""
    rig = loaded("trip-missing")
    rig.bench.set_routes(SOCKET_1 | {NTC_DECADE})
    ntc(rig, 300.0)
    rig.world.advance(10.0)
    hot = closed(rig)
    overload(rig, 4.5, 3.0)

    assert hot == [True] * 4
    assert [trip["what"] for trip in events(rig, "trip")] == ["overcurrent"]


def test_trip_wrong_threshold():
    """95 degrees is not enough, 105 is."""
    rig = rails("trip-wrong-threshold", ohm=HOT_OHM)
    rig.world.advance(5.0)
    hot = len(events(rig, "trip"))
    ntc(rig, 600.0)
    rig.world.advance(2.0)

    assert (hot, len(events(rig, "trip"))) == (0, 1)


def test_trip_late():
    """Two seconds after it should."""
    rig = rails("trip-late", ohm=COOL_OHM)
    began_s = rig.world.now_s
    ntc(rig, HOT_OHM)
    rig.world.advance(5.0)

    (trip,) = events(rig, "trip")
    assert 2.0 < trip["t_s"] - began_s < 2.7


def test_overcurrent_slow():
    """One second after it should; the temperature trips as ever."""
    rig = loaded("overcurrent-slow")
    began_s = overload(rig, 4.5, 4.0)

    assert opened_s(rig, began_s)[0] - began_s == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize(("fault", "dark"), [("led-green-dead", 0), ("led-red-dead", 1), ("buzzer-dead", 2)])
def test_dead_indicators(fault, dark):
    """The pin is driven and nothing comes of it; the others act."""
    rig = rails(fault, ohm=HOT_OHM)
    rig.world.advance(2.0)

    assert indicators(rig) == [index != dark for index in range(3)]
