"""For each driver and each public method that talks: how to get there, what is right, and what is right afterwards.

Afterwards the truth is another one, so that an answer of before would be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.instruments.roles import VoltageStep

from .rig import Rig


def nothing(rig: Rig, driver: Any) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Case:
    """`call` in the state that `ready` makes; then, in the one that `change` makes, `again`."""

    role: str
    name: str
    call: Callable[[Any], Any]
    right: Callable[[Rig, Any], bool]
    ready: Callable[[Rig, Any], None] = nothing
    change: Callable[[Rig, Any], None] = nothing
    again: Callable[[Any], Any] | None = None
    right_again: Callable[[Rig, Any], bool] | None = None
    only: tuple[str, ...] = ("",)  # beginnings of the questions that are spoilt, where others are alike

    def __str__(self) -> str:
        return f"{self.role}.{self.name}"


def near(expected: float, within: float) -> Callable[[Rig, Any], bool]:
    return lambda rig, value: abs(getattr(value, "value", value) - expected) <= within


def equals(expected: Any) -> Callable[[Rig, Any], bool]:
    return lambda rig, value: value == expected


def serial_is(model: str) -> Callable[[Rig, Any], bool]:
    return lambda rig, identity: identity.model == model


def panel(role: str, *messages: str) -> Callable[[Rig, Any], None]:
    def press(rig: Rig, driver: Any) -> None:
        for message in messages:
            rig.panel(role, message)

    return press


def rail(voltage_v: float, channel: int = 205) -> Callable[[Rig, Any], None]:
    def put(rig: Rig, driver: Any) -> None:
        rig.hand(lambda bench: bench.set_dc(1, voltage_v=voltage_v, current_limit_a=3.0, on=True))
        rig.hand(lambda bench: bench.set_routes(frozenset({channel})))
        rig.wait(0.1)

    return put


def routes(*channels: int) -> Callable[[Rig, Any], None]:
    return panel("Switch", "ROUT:OPEN (@101:120,201:220,301:320)", *(f"ROUT:CLOS (@{one})" for one in channels))


def closed(*channels: int) -> Callable[[Rig, Any], bool]:
    return lambda rig, value: rig.bench.routes == frozenset(channels)


# -- AcSource ----------------------------------------------------------------------------------------------------------

SOURCE_ON = panel("AcSource", "SOUR:VOLT:RANG HIGH;:SOUR:VOLT:AC 230;:SOUR:FREQ 50;:OUTP ON")
SOURCE_LOW = panel("AcSource", "TRIG OFF;:OUTP:MODE FIXED;:SOUR:VOLT:AC 120;:OUTP ON")
SOURCE_OFF = panel("AcSource", "OUTP OFF")


def settled(step: Callable[[Rig, Any], None], wait_s: float = 1.0) -> Callable[[Rig, Any], None]:
    def do(rig: Rig, driver: Any) -> None:
        step(rig, driver)
        rig.wait(wait_s)

    return do


def source_is(voltage_v: float, current_limit_a: float) -> Callable[[Rig, Any], bool]:
    return lambda rig, _: (
        abs(rig.bench.ac.voltage_v - voltage_v) < 1.0 and rig.bench.ac.current_limit_a == current_limit_a
    )


def _source_set(rig: Rig, driver: Any) -> None:
    SOURCE_OFF(rig, driver)
    driver.set_output(230.0, 50.0, 5.0)


def _source_ready(rig: Rig, driver: Any) -> None:
    panel("AcSource", "TRIG OFF;:OUTP:MODE FIXED")(rig, driver)
    driver.set_output(230.0, 50.0, 5.0)
    driver.on()


AC_SOURCE = [
    Case("AcSource", "identify", lambda d: d.identify(), serial_is("61502")),
    Case(
        "AcSource", "set_output", lambda d: d.set_output(230.0, 50.0, 5.0),
        source_is(230.0, 5.0),
        again=lambda d: d.set_output(120.0, 60.0, 3.0),
        right_again=source_is(120.0, 3.0),
    ),
    Case("AcSource", "on", lambda d: d.on(), lambda rig, _: rig.bench.ac.on, _source_set),
    Case("AcSource", "off", lambda d: d.off(), lambda rig, _: not rig.bench.ac.on, SOURCE_ON, SOURCE_ON),
    Case("AcSource", "is_off", lambda d: d.is_off(), equals(False), SOURCE_ON, SOURCE_OFF, None, equals(True)),
    Case(
        "AcSource", "measure_voltage_v", lambda d: d.measure_voltage_v(), near(230.0, 3.0), settled(SOURCE_ON),
        settled(SOURCE_LOW), None, near(120.0, 3.0),
    ),
    Case(
        "AcSource", "measure_current_a", lambda d: d.measure_current_a(), near(0.1, 0.1), settled(SOURCE_ON),
        settled(SOURCE_LOW), lambda d: d.measure_voltage_v(), near(120.0, 3.0),
    ),
    Case(
        "AcSource", "dip", lambda d: d.dip([VoltageStep(0.0, 0.01)], 0.0), source_is(230.0, 5.0), _source_ready,
        settled(SOURCE_LOW), lambda d: d.measure_voltage_v(), near(120.0, 3.0),
        only=("OUTP:MODE", "SOUR:LIST:DWEL", "TRIG"),
    ),
]  # fmt: skip

# -- PowerMeter --------------------------------------------------------------------------------------------------------


def _meter_idle(rig: Rig, driver: Any) -> None:
    _wrong_integration(rig, driver)


def _meter_configured(rig: Rig, driver: Any) -> None:
    _meter_idle(rig, driver)
    driver.configure()


def _meter_ready(rig: Rig, driver: Any) -> None:
    _meter_idle(rig, driver)
    settled(SOURCE_ON)(rig, driver)
    driver.set_ranges(230.0, 1.0)


def _integrating(rig: Rig, driver: Any) -> None:
    _meter_ready(rig, driver)
    driver.start_integration()
    rig.wait(36.0)


def integrates(rig: Rig) -> bool:
    return rig.panel("PowerMeter", ":INTEG:STAT?").upper().startswith("STAR")


def _wrong_integration(rig: Rig, driver: Any) -> None:
    if integrates(rig):
        rig.panel("PowerMeter", ":INTEG:STOP")
    rig.panel("PowerMeter", ":INTEG:RES")


def _integrate_again(driver: Any) -> Any:
    driver.start_integration()
    driver._clock.sleep(9.0)
    return driver.stop_integration()


METER = [
    Case("PowerMeter", "identify", lambda d: d.identify(), serial_is("WT310E")),
    Case("PowerMeter", "update_period_s", lambda d: d.update_period_s(), equals(0.25), _meter_idle),
    Case(
        "PowerMeter", "set_ranges", lambda d: d.set_ranges(230.0, 1.0),
        lambda rig, _: float(rig.panel("PowerMeter", ":INP:VOLT:RANG?").split()[-1]) == 300.0,
        _meter_configured,
        again=lambda d: d.set_ranges(120.0, 5.0),
        right_again=lambda rig, _: float(rig.panel("PowerMeter", ":INP:VOLT:RANG?").split()[-1]) == 150.0,
    ),
    Case(
        "PowerMeter", "measure", lambda d: d.measure(), lambda rig, value: abs(value.voltage_v - 230.0) < 3.0,
        _meter_ready, SOURCE_LOW, None, lambda rig, value: abs(value.voltage_v - 120.0) < 3.0,
    ),
    Case(
        "PowerMeter", "start_integration", lambda d: d.start_integration(), lambda rig, _: integrates(rig),
         _meter_ready,
        _wrong_integration,
    ),
    Case(
        "PowerMeter", "stop_integration", lambda d: d.stop_integration(),
        lambda rig, value: abs(value.duration_s - 36.0) < 2.0 and not integrates(rig), _integrating,
        _wrong_integration, _integrate_again, lambda rig, value: abs(value.duration_s - 9.0) < 1.0,
    ),
    Case("PowerMeter", "off", lambda d: d.off(), lambda rig, _: not integrates(rig), _integrating),
    Case("PowerMeter", "is_off", lambda d: d.is_off(), equals(False), _integrating, _wrong_integration, None,
         equals(True)),
]  # fmt: skip

# -- AcLoad ------------------------------------------------------------------------------------------------------------

LOAD_ON = settled(panel("AcLoad", "SYST:REM;:INP:STAT ON"))
LOAD_OFF = settled(panel("AcLoad", "SYST:REM;:INP:STAT OFF"))


def _load_state(current_a: float, power_factor: float) -> Callable[[Rig, Any], bool]:
    return lambda rig, _: (
        abs(rig.bench.load.current_a - current_a) < 0.01 and abs(rig.bench.load.power_factor - power_factor) < 0.01
    )


def settles(rig: Rig, condition: Callable[[], bool]) -> bool:
    rig.wait(1.0)
    return condition()


LOAD_ANSWERS = (
    ("measure_voltage_v", lambda d: d.measure_voltage_v()),
    ("measure_current_a", lambda d: d.measure_current_a()),
    ("measure_power_w", lambda d: d.measure_power_w()),
)
LOAD = [
    Case("AcLoad", "identify", lambda d: d.identify(), serial_is("IT8615")),
    Case(
        "AcLoad", "set_current", lambda d: d.set_current(1.0, 0.5), _load_state(1.0, 0.5), LOAD_OFF,
        again=lambda d: d.set_current(2.0, -0.8), right_again=_load_state(2.0, -0.8),
    ),
    Case(
        "AcLoad", "set_resistance", lambda d: d.set_resistance(100.0),
        lambda rig, _: abs(rig.bench.load.resistance_ohm - 100.0) < 1.0, LOAD_OFF,
        again=lambda d: d.set_resistance(50.0),
        right_again=lambda rig, _: abs(rig.bench.load.resistance_ohm - 50.0) < 0.5,
    ),
    Case("AcLoad", "on", lambda d: d.on(), lambda rig, _: settles(rig, lambda: rig.bench.load.on), LOAD_OFF, LOAD_OFF),
    Case("AcLoad", "off", lambda d: d.off(), lambda rig, _: settles(rig, lambda: not rig.bench.load.on),
         LOAD_ON, LOAD_ON),
    Case("AcLoad", "is_off", lambda d: d.is_off(), equals(False), LOAD_ON, LOAD_OFF, None, equals(True)),
    *(
        Case("AcLoad", name, call, near(0.0, 1.0), LOAD_OFF, LOAD_ON, lambda d: d.is_off(), equals(False))
        for name, call in LOAD_ANSWERS
    ),
]  # fmt: skip

# -- Scope -------------------------------------------------------------------------------------------------------------


def _mains(voltage_v: float) -> Callable[[Rig, Any], None]:
    """Have the mains at the high-voltage probe, which divides by 500."""

    def put(rig: Rig, driver: Any) -> None:
        rig.hand(lambda bench: bench.set_routes(frozenset({118})))
        rig.hand(lambda bench: bench.set_ac(voltage_v=voltage_v, frequency_hz=50.0, on=voltage_v > 0.0))
        rig.wait(0.5)

    return put


def _dark(rig: Rig, driver: Any) -> None:
    _mains(0.0)(rig, driver)
    rig.panel("Scope", ":STOP")


def _scope_ready(rig: Rig, driver: Any) -> None:
    _dark(rig, driver)
    driver.set_timebase(0.1, 0.01)
    driver.set_channel(2, -1.0, 1.0)


def _armed(rig: Rig, driver: Any) -> None:
    _scope_ready(rig, driver)
    driver.arm(2, 0.2, rising=True)


def _shot(rig: Rig, driver: Any) -> None:
    _armed(rig, driver)
    _mains(230.0)(rig, driver)


def _next_shot(rig: Rig, driver: Any) -> None:
    _dark(rig, driver)
    rig.panel("Scope", ":SING")
    rig.wait(0.5)
    _mains(120.0)(rig, driver)


def swings(mains_v: float) -> Callable[[Rig, Any], bool]:
    """Say whether a waveform is a sine of that rms voltage, and nothing else."""
    return lambda rig, wave: abs(float(wave.voltage_v[wave.time_s > 0.01].std()) / (mains_v / 500.0) - 1.0) < 0.05


def scope_armed(rig: Rig, _: Any) -> bool:
    return bool(int(rig.panel("Scope", ":OPER:COND?")) & (1 << 3))


SCOPE = [
    Case("Scope", "identify", lambda d: d.identify(), lambda rig, identity: "SO" in identity.model),
    Case("Scope", "set_timebase", lambda d: d.set_timebase(0.1, 0.01), lambda rig, _: _range_s(rig) == 0.1,
         again=lambda d: d.set_timebase(0.2, 0.01), right_again=lambda rig, _: _range_s(rig) == 0.2),
    Case("Scope", "set_channel", lambda d: d.set_channel(4, -2.0, 8.0), lambda rig, _: _span_v(rig) == 10.0,
         again=lambda d: d.set_channel(4, -4.0, 16.0), right_again=lambda rig, _: _span_v(rig) == 20.0),
    Case("Scope", "arm", lambda d: d.arm(2, 0.2, True), scope_armed, _scope_ready, _dark),
    Case("Scope", "triggered", lambda d: d.triggered(), equals(False), _armed, _mains(230.0), None, equals(True)),
    Case("Scope", "read_waveform", lambda d: d.read_waveform(2), swings(230.0), _shot, _next_shot, None, swings(120.0)),
    Case("Scope", "off", lambda d: d.off(), lambda rig, _: True, _armed),
    Case("Scope", "is_off", lambda d: d.is_off(), equals(False), _armed, _dark, None, equals(True)),
]  # fmt: skip


def _range_s(rig: Rig) -> float:
    return round(float(rig.panel("Scope", ":TIM:RANG?")), 6)


def _span_v(rig: Rig) -> float:
    return round(float(rig.panel("Scope", ":CHAN4:RANG?")), 6)


# -- DcSupply ----------------------------------------------------------------------------------------------------------

DC_ON = panel("DcSupply", "VOLT:PROT 6.6,(@1)", "VOLT 5,(@1)", "CURR 3,(@1)", "OUTP ON,(@1)")
DC_LOW = panel("DcSupply", "VOLT 4,(@1)", "OUTP ON,(@1)")
DC_OFF = panel("DcSupply", "OUTP OFF,(@1:3)")


def dc_is(voltage_v: float, current_a: float) -> Callable[[Rig, Any], bool]:
    def right(rig: Rig, _: Any) -> bool:
        rig.wait(0.5)
        one = rig.bench.dc[1]
        return abs(one.voltage_v - voltage_v) < 0.01 and abs(one.current_limit_a - current_a) < 0.01

    return right


DC_SUPPLY = [
    Case("DcSupply", "identify", lambda d: d.identify(), serial_is("E36312A")),
    Case("DcSupply", "set_output", lambda d: d.set_output(1, 5.0, 2.0), dc_is(5.0, 2.0), DC_OFF,
         again=lambda d: d.set_output(1, 4.0, 1.0), right_again=dc_is(4.0, 1.0)),
    Case("DcSupply", "on", lambda d: d.on(1), lambda rig, _: rig.bench.dc[1].on, DC_OFF, DC_OFF),
    Case("DcSupply", "output_off", lambda d: d.output_off(1), lambda rig, _: not rig.bench.dc[1].on, DC_ON, DC_ON),
    Case("DcSupply", "off", lambda d: d.off(), lambda rig, _: not rig.bench.dc[1].on, DC_ON, DC_ON),
    Case("DcSupply", "is_off", lambda d: d.is_off(), equals(False), DC_ON, DC_OFF, None, equals(True)),
    Case("DcSupply", "measure_voltage_v", lambda d: d.measure_voltage_v(1), near(5.0, 0.1), settled(DC_ON),
         settled(DC_LOW), None, near(4.0, 0.1)),
    Case("DcSupply", "measure_current_a", lambda d: d.measure_current_a(1), near(0.2, 0.2), settled(DC_ON),
         settled(DC_LOW), lambda d: d.measure_voltage_v(1), near(4.0, 0.1)),
]  # fmt: skip

# -- Dmm ---------------------------------------------------------------------------------------------------------------


def _volts(driver: Any) -> Any:
    return driver.measure_dc_voltage_v(5.0)


DMM = [
    Case("Dmm", "identify", lambda d: d.identify(), serial_is("34465A")),
    Case("Dmm", "measure_dc_voltage_v", _volts, near(5.0, 0.15), rail(5.0), rail(4.0), None, near(4.0, 0.15)),
    Case("Dmm", "measure_resistance_ohm", lambda d: d.measure_resistance_ohm(42.0), near(42.0, 10.0), rail(5.0, 207),
         rail(4.0), _volts, near(4.0, 0.15)),
    Case("Dmm", "measure_temperature_c", lambda d: d.measure_temperature_c(), near(23.0, 5.0), rail(5.0, 219),
         rail(4.0), _volts, near(4.0, 0.15)),
    Case("Dmm", "off", lambda d: d.off(), lambda rig, _: True, rail(4.0), rail(4.0), _volts, near(4.0, 0.15)),
]  # fmt: skip

# -- Switch ------------------------------------------------------------------------------------------------------------

SWITCH = [
    Case("Switch", "identify", lambda d: d.identify(), serial_is("DAQ970A")),
    Case("Switch", "close_channels", lambda d: d.close_channels([101, 113]), closed(101, 113), routes(), routes(),
         lambda d: d.close_channels([102]), closed(102)),
    Case("Switch", "open_channels", lambda d: d.open_channels([101, 113]), closed(), routes(101, 113), routes(102, 103),
         lambda d: d.open_channels([102]), closed(103)),
    Case("Switch", "open_all", lambda d: d.open_all(), closed(), routes(101), routes(102)),
    Case("Switch", "off", lambda d: d.off(), closed(), routes(101), routes(102)),
    Case("Switch", "closed_channels", lambda d: d.closed_channels(), equals(frozenset({101})), routes(101), routes(102),
         None, equals(frozenset({102}))),
    Case("Switch", "is_off", lambda d: d.is_off(), equals(False), routes(101), routes(), None, equals(True)),
]  # fmt: skip

# -- ProgrammableResistor ----------------------------------------------------------------------------------------------

DECADE_ON = settled(panel("ProgrammableResistor", ":RES 1000;:OUTP ON"))
DECADE_OFF = settled(panel("ProgrammableResistor", ":OUTP OFF"))


def decade_is(ohm: float) -> Callable[[Rig, Any], bool]:
    def right(rig: Rig, _: Any) -> bool:
        rig.wait(0.5)
        return rig.bench.resistor.connected and abs(rig.bench.resistor.ohm / ohm - 1.0) < 0.05

    return right


def disconnected(rig: Rig, _: Any) -> bool:
    rig.wait(0.5)
    return not rig.bench.resistor.connected


RESISTOR = [
    Case("ProgrammableResistor", "identify", lambda d: d.identify(), lambda rig, identity: "632" in identity.model),
    Case("ProgrammableResistor", "set_resistance", lambda d: d.set_resistance(1000.0), decade_is(1000.0), DECADE_OFF,
         DECADE_OFF, lambda d: d.set_resistance(2000.0), decade_is(2000.0)),
    Case("ProgrammableResistor", "set_short", lambda d: d.set_short(), decade_is(1.0), DECADE_ON, DECADE_OFF),
    Case("ProgrammableResistor", "set_open", lambda d: d.set_open(), disconnected, DECADE_ON, DECADE_ON),
    Case("ProgrammableResistor", "off", lambda d: d.off(), disconnected, DECADE_ON, DECADE_ON),
    Case("ProgrammableResistor", "is_off", lambda d: d.is_off(), equals(False), DECADE_ON, DECADE_OFF, None,
         equals(True)),
]  # fmt: skip

# -- SurgeGenerator ----------------------------------------------------------------------------------------------------


def surge_state(rig: Rig) -> int:
    return int(rig.panel("SurgeGenerator", "ST?"))


def _stand_by(rig: Rig, driver: Any) -> None:
    rig.panel("SurgeGenerator", "STBY")


def _charged(level_v: float) -> Callable[[Rig, Any], None]:
    def charge(rig: Rig, driver: Any) -> None:
        SOURCE_ON(rig, driver)
        driver.arm(level_v, 90.0)

    return charge


def _charged_by_hand(rig: Rig, driver: Any) -> None:
    for command in ("REN", "STBY", "VNOM 500", "TEST"):
        rig.panel("SurgeGenerator", command)
    rig.wait(30.0)


def _negative_shot(driver: Any) -> Any:
    driver.arm(-500.0, 90.0)
    return driver.fire()


SURGE = [
    Case("SurgeGenerator", "identify", lambda d: d.identify(), lambda rig,
         identity: identity.model.startswith("TRA3000")),
    Case("SurgeGenerator", "arm", lambda d: d.arm(500.0, 90.0), lambda rig, _: surge_state(rig) == 2, _stand_by,
         _stand_by),
    Case("SurgeGenerator", "fire", lambda d: d.fire(),
         lambda rig, shot: 100.0 < shot.peak_v < 900.0 and shot.peak_a >= 0.0, _charged(500.0), nothing,
         _negative_shot, lambda rig, shot: -900.0 < shot.peak_v < -100.0),
    Case("SurgeGenerator", "off", lambda d: d.off(), lambda rig, _: surge_state(rig) == 0, _charged_by_hand,
         _charged_by_hand),
    Case("SurgeGenerator", "is_off", lambda d: d.is_off(), equals(False), _charged_by_hand, _stand_by, None,
         equals(True)),
]  # fmt: skip

# -- HipotTester -------------------------------------------------------------------------------------------------------


# each of its methods sends what this one sends: settings and their read-back, start, end, result, off


def _earth_bond(channel: int) -> Callable[[Rig, Any], None]:
    def bring(rig: Rig, driver: Any) -> None:
        rig.panel("HipotTester", "FUNC:TEST OFF")
        rig.wait(0.2)
        rig.hand(lambda bench: bench.set_routes(frozenset({channel})))

    return bring


HIPOT = [
    Case("HipotTester", "ground_bond", lambda d: d.ground_bond(10.0, 0.1, 0.5), lambda rig,
         bond: bond.passed and 0.005 < bond.ohm < 0.025, _earth_bond(317), _earth_bond(319), None, lambda rig,
         bond: bond.beyond and not bond.passed),
]  # fmt: skip

# -- LinkPartner -------------------------------------------------------------------------------------------------------


def port(rig: Rig) -> Any:
    return rig.station.network.switch.ports[1]


def _linked(rig: Rig, driver: Any) -> None:
    driver.set_port(True)
    driver.set_mode("auto")
    rail(5.0, 311)(rig, driver)
    rig.wait(10.0)


def _pulled(rig: Rig, driver: Any) -> None:
    rig.hand(lambda bench: bench.set_routes(frozenset()))
    rig.wait(5.0)


def _frames(count: int) -> Callable[[Rig, Any], None]:
    def send(rig: Rig, driver: Any) -> None:
        _linked(rig, driver)
        port(rig).counters.in_unicast = count

    return send


def _learnt(mac: str) -> Callable[[Rig, Any], None]:
    def learn(rig: Rig, driver: Any) -> None:
        switch = rig.station.network.switch
        rig.hand(lambda bench: switch._forget())
        rig.hand(lambda bench: switch.learn(mac, 1))

    return learn


def _port_off(rig: Rig, driver: Any) -> None:
    driver.set_port(False)


PARTNER = [
    Case("LinkPartner", "identify", lambda d: d.identify(), lambda rig, identity: bool(identity.model)),
    Case("LinkPartner", "set_port", lambda d: d.set_port(False), lambda rig, _: not rig_port_up(rig), _linked,
         nothing, lambda d: d.set_port(True), lambda rig, _: rig_port_up(rig)),
    Case("LinkPartner", "set_mode", lambda d: d.set_mode("10FD"), lambda rig, _: forced(rig) == "10FD", _linked,
         nothing, lambda d: d.set_mode("auto"), lambda rig, _: forced(rig) == ""),
    Case("LinkPartner", "link", lambda d: d.link(), lambda rig, state: state.up and state.mode == "100FD", _linked,
         _pulled, None, lambda rig, state: not state.up),
    Case("LinkPartner", "counters", lambda d: d.counters(), lambda rig, value: value.frames_in >= 1000,
         _frames(1000), _frames(5000), None, lambda rig, value: value.frames_in >= 5000),
    Case("LinkPartner", "addresses", lambda d: d.addresses(), lambda rig, value: "7CDFA1000001" in value,
         _learnt("7CDFA1000001"), _learnt("7CDFA1000002"), None, lambda rig, value: "7CDFA1000002" in value),
    Case("LinkPartner", "off", lambda d: d.off(), lambda rig, _: not rig_port_up(rig), _linked, _linked),
    Case("LinkPartner", "is_off", lambda d: d.is_off(), equals(False), _linked, _port_off, None, equals(True)),
]  # fmt: skip


def rig_port_up(rig: Rig) -> bool:
    return bool(port(rig).enabled)


def forced(rig: Rig) -> str:
    phy = rig.station.network.switch.unit_phy
    return "" if phy.autoneg else phy.forced


# -- ThermalChamber ----------------------------------------------------------------------------------------------------


def _chamber(*writes: tuple[int, list[int]], wait_s: float = 0.0) -> Callable[[Rig, Any], None]:
    def write(rig: Rig, driver: Any) -> None:
        for register, words in writes:
            rig.hand(lambda bench: rig.server("ThermalChamber").instrument.write(register, words))  # noqa: B023
        rig.wait(wait_s)

    return write


CHAMBER_OFF, CHAMBER_ON = (2730, [62]), (2730, [10])
SET_23, SET_40 = (2782, [0x0000, 0x41B8]), (2782, [0x0000, 0x4220])


def set_point(celsius: float) -> Callable[[Rig, Any], bool]:
    return lambda rig, _: rig.bench.chamber.target_c == celsius


CHAMBER = [
    Case("ThermalChamber", "identify", lambda d: d.identify(), lambda rig, identity: identity.model.startswith("F4T")),
    Case("ThermalChamber", "set_temperature", lambda d: d.set_temperature(40.0), set_point(40.0),
         _chamber(SET_23, CHAMBER_ON), nothing, lambda d: d.set_temperature(5.0), set_point(5.0)),
    Case("ThermalChamber", "measure_temperature_c", lambda d: d.measure_temperature_c(), near(23.0, 1.0),
         _chamber(SET_23, CHAMBER_ON, wait_s=7200.0), _chamber(SET_40, wait_s=7200.0), None, near(40.0, 1.0)),
    Case("ThermalChamber", "off", lambda d: d.off(), lambda rig, _: rig.bench.chamber.target_c is None,
         _chamber(SET_40, CHAMBER_ON), _chamber(CHAMBER_ON)),
]  # fmt: skip


CASES = [*AC_SOURCE, *METER, *LOAD, *SCOPE, *DC_SUPPLY, *DMM, *SWITCH, *RESISTOR, *SURGE, *HIPOT, *PARTNER, *CHAMBER]
