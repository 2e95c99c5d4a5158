"""Whole boards of other kinds: what a reviewer would say of each, and nothing else."""

from __future__ import annotations

from hil.review.parse import parse
from hil.review.review import review
from tests.review.written import export

ABOUT_LISTS = {"DR-31", "DR-32"}  # no regulator and no buttons in these short lists
PASSIVES = (("R1", "10k", "Resistor", "", ""), ("C1", "100n", "Capacitor", "", ""))
CONTROLLER = ("U1", "ESP32-WROOM-32E-N8", "Module", "MCU Module", "Main controller")


def connector(ref: str, details: str) -> tuple[str, ...]:
    return (ref, "JST-XH", "Connector", "Connector", details)


def found(document: bytes) -> set[str]:
    done = review(parse(document, "board.md"))
    return {finding.rule for finding in done.findings if finding.severity.value != "none"} - ABOUT_LISTS


def test_a_battery_board_with_valves_buses_and_a_water_line_has_no_finding() -> None:
    """No mains; two valves with a diode and a connector each; two connectors on one I2C bus."""
    valves = [
        part
        for n in (1, 2)
        for part in (
            (f"Q{n}", "AO3400", "Transistor", "Driver", f"Valve {n} driver"),
            (f"D{n}", "SS14", "Diode", "Flyback", f"Valve {n} flyback; K->12V_IN, A->Q{n} drain"),
            connector(f"J{n}", f"Valve {n}: Pin1=12V_IN, Pin2=Q{n}_DRAIN"),
            connector(f"J{n + 2}", "Sensors: Pin1=GND, Pin2=3V3, Pin3=SDA, Pin4=SCL"),
        )
    ]
    chart = """
    J5["12V DC input"] --> F["Polyfuse 500mA"] --> 12V_IN --> BUCK["Buck 3.3V"] --> 3V3 --> MCU["ESP32"]
    MCU --> V["Valve drivers GPIO25 GPIO26"]
    SOIL["Soil moisture sense GPIO34"] --> MCU
    BAT["Battery voltage detect GPIO35"] --> MCU
    LINE["Water line pressure sense GPIO36"] --> MCU
    """

    assert found(export(CONTROLLER, *PASSIVES, ("F1", "MF-R050", "Fuse", "Fuse", ""), *valves, chart=chart)) == set()


def test_a_metering_plug_on_a_shunt_is_told_that_it_is_live_and_switches_one_pole() -> None:
    """Its fuse, varistor, earth and supply are right, and nothing is said of them; JTAG carries its relay (GPIO12)."""
    parts = [
        ("U2", "BL0937", "Integrated Circuit", "Energy Meter", "Meter on a shunt"),
        ("K1", "HF115F", "Relay", "Relay", "Relay, 5 V"),
        ("D1", "1N4148W", "Diode", "Flyback", "Relay coil flyback"),
        ("PS1", "HLK-PM01", "Power Supply", "SMPS", "Mains to 5 V"),
        ("F1", "0215016", "Fuse", "Fuse", "Fuse 16A"),
        ("RV1", "14D471", "Varistor", "MOV", ""),
        connector("J1", "Mains input live and neutral"),
        connector("J2", "Mains input PE"),
    ]
    chart = """
    AC_L --> F1["Fuse 16A"] --> AC_L_FUSED --> SH["Shunt"] --> K["Relay contact"] --> SO["Socket L"]
    AC_N --> SON["Socket N"]
    PE --> SOE["Socket PE"]
    AC_L_FUSED <--> MOV["MOV"] <--> AC_N
    AC_L_FUSED --> PS["HLK-PM01 AC-DC 5V"] --> 5V --> LDO["LDO"] --> 3V3 --> MCU["ESP32"]
    SH --> BL["BL0937"] --> MCU
    MCU --> DR["NPN driver GPIO12, pull-down"] --> CO["Relay coil"]
    """

    assert found(export(CONTROLLER, *PASSIVES, *parts, chart=chart)) == {"DR-10", "DR-20", "DR-28"}


def test_a_dimmer_whose_optocouplers_lie_where_mains_meets_the_pins_is_not_told_to_isolate() -> None:
    """Zero crossing through an optocoupler; a small fuse, and no socket behind it."""
    parts = [
        ("U2", "MOC3021", "Integrated Circuit", "Optocoupler", "Triac driver"),
        ("U3", "PC817", "Integrated Circuit", "Optocoupler", "Zero crossing optocoupler of mains"),
        ("PS1", "HLK-5M05", "Power Supply", "SMPS", "Mains to 5 V"),
        ("F1", "0215002", "Fuse", "Fuse", "Fuse 2A T"),
    ]
    chart = """
    L_IN --> FUSE["Fuse 2A T"] --> TRI["Triac"] --> L_OUT
    N_IN --> N_OUT
    L_IN --> PS["SMPS"] --> V5["+5V"] --> MCU["ESP32"]
    L_IN --> OPT["Optocoupler PC817"] --> ZERO["Zero crossing GPIO34"] --> MCU
    MCU --> GATE["Gate GPIO25"] --> OPT2["MOC3021 optocoupler"] --> TRI
    """

    assert found(export(CONTROLLER, *PASSIVES, *parts, chart=chart)) == set()
