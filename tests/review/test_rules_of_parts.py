"""Designators, symbols, doubled and missing parts, connectors: each rule on boards with other words."""

from __future__ import annotations

import pytest

from hil.review.finding import Certainty, Severity
from tests.review.written import CONTROLLER, export, found, judged

DRIVERS = tuple((f"Q{n}", "BC817-40", "Transistor", "Driver", "Low-side switch of a coil") for n in (1, 2))


def diode(ref: str, transistor: str) -> tuple[str, ...]:
    return (ref, "SS14", "Diode", "Flyback", f"Pump coil flyback; K->12V_COIL, A->{transistor} collector")


def test_two_flyback_diodes_on_the_same_nets_are_found_and_two_on_two_coils_are_not() -> None:
    """The nets decide, not the number."""
    pins = {"Q1": "B@1 E@2 C@3", "Q2": "B@1 E@2 C@3"}

    finding = found("DR-14", export(*DRIVERS, diode("D1", "Q1"), diode("D2", "Q1"), pins=pins))
    assert finding.title.startswith("2 flyback diodes for 1 coil: D1 and D2")
    assert (finding.severity, finding.certainty) == (Severity.MED, Certainty.CERTAIN)
    assert judged("DR-14", export(*DRIVERS, diode("D1", "Q1"), diode("D2", "Q2"), pins=pins)) == []


def test_a_designator_used_twice_is_found() -> None:
    """Each of its entries is evidence."""
    twice = [("R7", "0603 10k", "Resistor", "", "pull-up"), ("R7", "0603 1k", "Resistor", "", "LED")]

    finding = found("DR-16", export(CONTROLLER, *twice))
    assert finding.title == "2 parts share 1 designator: R7"
    assert len(finding.evidence) == 2
    assert judged("DR-16", export(CONTROLLER, twice[0])) == []


@pytest.mark.parametrize(
    ("pins", "findings"),
    [
        ("VIN@1 OUT@1 GND@3", 1),
        ("VIN@1 OUT@2 GND@3", 0),
        ("GND@3 GND@3 VIN@1 OUT@2", 0),  # the same name twice on one pad says one thing twice
        ("GND@2 GND@4 VIN@1 OUT@3", 0),  # one net on two pads
    ],
)
def test_two_names_on_one_pad_are_found(pins: str, findings: int) -> None:
    """Only pins of different names are an error."""
    assert (
        len(judged("DR-17", export(("U2", "AP2112", "Integrated Circuit", "LDO", ""), pins={"U2": pins}))) == findings
    )


def port(ref: str, carries: str) -> tuple[str, ...]:
    return (ref, "JST-XH", "Connector", "Connector", carries)


CHIP_SELECTS = 'MCU["ESP32-C3"] --> A["Display CS GPIO4"]\nMCU --> B["Card CS GPIO5"]'


@pytest.mark.parametrize(
    ("ports", "findings"),
    [
        ((port("J1", "Card port: Pin1=CS_CARD, Pin2=GND"), port("J2", "Spare port: Pin1=CS_CARD, Pin2=GND")), 1),
        ((port("J1", "Card port: Pin1=CS_CARD, Pin2=GND"), port("J2", "Display port: Pin1=CS_DISP, Pin2=GND")), 0),
        ((port("J1", "Sensor port: Pin1=SDA, Pin2=SCL"), port("J2", "Sensor port: Pin1=SDA, Pin2=SCL")), 0),  # a bus
        ((port("J1", "Power port: Pin1=+5V, Pin2=GND"), port("J2", "Power port: Pin1=+5V, Pin2=GND")), 0),
        ((port("J1", "Bus port (4-pin): SPI bus + 2 CS"), port("J2", "Bus port (4-pin): SPI bus + 2 CS")), 1),
        ((port("J1", "Bus port (4-pin): SPI bus + 1 CS"), port("J2", "Bus port (4-pin): SPI bus + 1 CS")), 0),
    ],
)
def test_two_connectors_for_one_chip_select_are_found(ports: tuple[tuple[str, ...], ...], findings: int) -> None:
    """By name, or because two connectors with both of a board's selects must share them. A bus may go anywhere."""
    assert len(judged("DR-15", export(CONTROLLER, *ports, chart=CHIP_SELECTS))) == findings


def test_two_connectors_for_one_coil_are_found() -> None:
    """Each coil has its own connector."""

    def coil(ref: str, transistor: str, way: str) -> tuple[str, ...]:
        return port(ref, f"Valve: Pin2=12V_COIL, Pin1={transistor}_COLLECTOR (K1 {way} low-side)")

    pins = {"Q1": "B@1 E@2 C@3", "Q2": "B@1 E@2 C@3"}
    once = (*DRIVERS, coil("J1", "Q1", "SET"), coil("J2", "Q2", "RESET"))

    assert found("DR-15", export(*once, coil("J3", "Q1", "SET"), pins=pins)).title == "2 coil connectors for 1 coil"
    assert judged("DR-15", export(*once, pins=pins)) == []


@pytest.mark.parametrize(
    ("coils", "signals", "findings"),
    [(4, "Pin1=RELAY1, Pin2=RELAY2", 1), (2, "Pin1=RELAY1, Pin2=RELAY2", 0), (2, "Pin1=K1_SET, Pin2=K1_RESET", 0)],
)
def test_fewer_commands_than_coils_are_found(coils: int, signals: str, findings: int) -> None:
    """Two commands are enough for two relays with one coil each."""
    chart = f'12V_COIL --> C["Relay coils x{coils}"]'

    assert len(judged("DR-18", export(CONTROLLER, port("J1", f"Relay port: {signals}"), chart=chart))) == findings


METER = ("U3", "ATM90E26-YU-B", "Power Management", "Energy Meter", "Meter")


@pytest.mark.parametrize(
    ("carries", "findings"),
    [
        ("Expansion: Pin1=CS_U3, Pin2=+5V, Pin3=GND", 1),
        ("Meter port: Pin1=SPI_CS, Pin2=12V_AUX", 1),
        ("Expansion: Pin1=CS_U3, Pin2=3V3_OUT, Pin3=GND", 0),
        ("Expansion: Pin1=CS_U3, Pin2=3V3_OUT, Pin3=+5V", 0),  # the right supply is beside it
        ("Card port: Pin1=CS_CARD, Pin2=+5V", 0),  # not the meter's
        ("Fan port: Pin1=+5V, Pin2=GND", 0),
    ],
)
def test_a_supply_that_would_kill_the_chip_beside_its_bus_is_found(carries: str, findings: int) -> None:
    """ATM90E26: 3.7 V at the most (46002B, 6.7)."""
    assert len(judged("DR-19", export(METER, port("J1", carries)))) == findings


def test_what_the_chart_shows_and_the_list_lacks_is_found() -> None:
    """With every kind listed the rule is silent; resistors make a divider."""
    chart = 'MAINS_L --> F["Fuse 1A"] --> V["Voltage divider"] --> MCU["ESP32-C3"]'
    listed = [
        ("R1", "0603 10k", "Resistor", "", ""),
        ("C1", "0603 100n", "Capacitor", "", ""),
    ]

    lacking = found("DR-31", export(CONTROLLER, *listed, chart=chart))
    assert lacking.title == "The list has no fuse, so no rating of it can be reviewed"
    assert judged("DR-31", export(CONTROLLER, *listed, ("F1", "0215", "Fuse", "", ""), chart=chart)) == []
    assert "no resistor or capacitor" in found("DR-31", export(CONTROLLER)).title
    shunt = 'MAINS_L --> S["Shunt"] --> U["BL0937"] --> MCU["ESP32-C3"]'
    other = ("U1", "BL0937", "Integrated Circuit", "Energy Meter", "no crystal of its own is needed")
    assert judged("DR-31", export(CONTROLLER, *listed, other, chart=shunt)) == []
