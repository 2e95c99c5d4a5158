"""Bistable relays, their drive, meters and supply: each rule on boards with other words, flawed and mended."""

from __future__ import annotations

import pytest

from hil.review.finding import Certainty
from hil.review.knowledge import electrical
from tests.review.written import CONTROLLER, export, found, judged

VALVE = tuple(
    (f"J{n}", "JST-XH", "Connector", "Connector", f"Valve: Pin1=Q{n}_COLLECTOR (RLY1 {way} low-side)")
    for n, way in ((1, "SET"), (2, "RESET"))
)
SWITCHES = tuple((f"Q{n}", "BC817-40", "Transistor", "Driver", "Low-side switch of a coil") for n in (1, 2))
PINS = {"Q1": "B@1 E@2 C@3", "Q2": "B@1 E@2 C@3"}
DRIVE = 'MCU["ESP32-C3"] --> G["GPIO4/5"] --> D["{}"] --> C["Relay coils x2"]'


def latching(*parts: tuple[str, ...], driver: str = "Driver", also: str = "") -> bytes:
    return export(CONTROLLER, *SWITCHES, *VALVE, *parts, chart=f"{DRIVE.format(driver)}\n{also}", pins=PINS)


def test_a_bistable_relay_without_read_back_is_found_and_one_with_it_is_not() -> None:
    """An auxiliary contact in the chart or in the list mends it; a relay with one coil forgets anyway."""
    assert found("DR-29", latching()).certainty is Certainty.DEPENDS
    assert judged("DR-29", latching(also='K["Auxiliary contact GPIO6"] --> MCU')) == []
    assert judged("DR-29", latching(("R9", "0603 1M", "Resistor", "", "Read-back of the valve"))) == []
    assert judged("DR-29", export(CONTROLLER, chart=DRIVE.format("Driver"))) == []
    assert "1 bistable relay" in found("DR-29", export(CONTROLLER, ("K1", "G5RL-K1A", "Relay", "", "Latching"))).title


def test_nothing_between_set_and_reset_is_found_and_an_interlock_is_not() -> None:
    """A bridge or a decoder cannot drive both."""
    assert "RESET of one relay together" in found("DR-30", latching()).title
    assert judged("DR-30", latching(driver="H-bridge driver")) == []
    assert judged("DR-30", latching(("U8", "74HC138", "Integrated Circuit", "Decoder", "one output at a time"))) == []


COUPLER = ("U3", "EL817", "Integrated Circuit", "Isolation", "Optocoupler of a valve")


def led_resistor(value: str) -> tuple[str, ...]:
    return ("R3", f"0603 {value}", "Resistor", "", "LED of the optocoupler")


def test_a_resistor_that_starves_the_optocoupler_is_found() -> None:
    """(3.2 - 1.2) V / 5 mA = 400 ohm are the most; a value that is not listed depends."""
    couplers = latching(COUPLER, driver="Opto + NPN driver")
    starved = latching(COUPLER, led_resistor("1k"), driver="Opto + NPN driver")

    assert found("DR-34", couplers).certainty is Certainty.DEPENDS
    assert "above 400 ohm" in found("DR-34", couplers).title
    assert found("DR-34", starved).certainty is Certainty.CERTAIN
    assert "R3 with 1000 ohm" in found("DR-34", starved).title
    assert judged("DR-34", latching(COUPLER, led_resistor("330R"), driver="Opto + NPN driver")) == []
    assert judged("DR-34", latching()) == []
    watching = (*COUPLER[:4], "Optocoupler of the zero crossing")  # lit from mains, not from a pin
    assert judged("DR-34", latching(watching, driver="Opto + NPN driver")) == []


def supply(model: str) -> tuple[str, ...]:
    return ("PS9", model, "Power Supply", "SMPS", "Mains to 5 V")


def test_a_supply_that_cannot_carry_all_coils_is_found_and_a_larger_one_is_not() -> None:
    """12 coils of 150 mA and 340 mA of the controller are 2.14 A: too much for 10 W at 5 V, not for 20 W."""
    chart = '5V_SYS --> C["Relay coils x12"]'

    finding = found("DR-33", export(CONTROLLER, supply("HLK-10M05"), chart=chart))
    assert "12 at once and the logic may take 2.14 A of 2 A, one 0.49 A" in finding.title
    assert judged("DR-33", export(CONTROLLER, supply("HLK-20M05"), chart=chart)) == []
    assert judged("DR-33", export(CONTROLLER, supply("HLK-10M05"), chart='5V_SYS --> C["Relay coil"]')) == []


METERS = tuple((f"U{n}", "ATM90E26-YU-B", "Power Management", "Energy Meter", "Meter") for n in (1, 2))


def clamp(ref: str, model: str, details: str = "Clamp of a voltage input") -> tuple[str, ...]:
    return (ref, model, "Diode", "Clamp", details)


@pytest.mark.parametrize(
    ("clamps", "says"),
    [
        ([clamp("D1", "1N4148W"), clamp("D2", "1N4148W")], "2 clamp diodes for the voltage inputs of 2 meters"),
        ([clamp("D1", "BAV99"), clamp("D2", "BAV99", "Clamp, TBD")], "marked placeholder"),
        ([clamp("D1", "BAV99"), clamp("D2", "BAV99")], ""),
        ([clamp(f"D{n}", "1N4148W") for n in range(4)], ""),
        ([], ""),  # a board that never speaks of clamps
    ],
)
def test_every_input_is_clamped_both_ways(clamps: list[tuple[str, ...]], says: str) -> None:
    """One junction clamps one polarity, a pair both."""
    titles = [finding.title for finding in judged("DR-27", export(*METERS, *clamps))]

    assert len(titles) == bool(says)
    assert all(says in title for title in titles)


def test_straps_that_nobody_mentions_are_found() -> None:
    """A strap that the details name, or put on a net, is told."""
    pins = {"U1": "MMD0@28 MMD1@1 USEL@12 RESV_LOW@9"}

    def meter(details: str) -> bytes:
        return export((*METERS[0][:4], details), pins=pins)

    assert "MMD0, MMD1, USEL and RESV_LOW of U1" in found("DR-36", meter("Meter")).title
    assert "MMD1, USEL and RESV_LOW" in found("DR-36", meter("Meter; MMD0->GND")).title
    assert judged("DR-36", meter("Meter; MMD0->GND, MMD1->GND, USEL->GND, RESV_LOW->GND")) == []


@pytest.mark.parametrize(
    ("text", "amperes"),
    [
        ("Fuse 3.15A T", 3.15),
        ("500mA slow", 0.5),
        ("T3,15A", 3.15),
        ("Fuse 10 A", 10.0),
        ("230VAC", None),
        ("Fuse", None),
    ],
)
def test_a_current_is_read_from_what_designers_write(text: str, amperes: float | None) -> None:
    """A comma is a decimal point, and volts are no amperes."""
    assert electrical.current_a(text) == pytest.approx(amperes)


@pytest.mark.parametrize(
    ("text", "ohm"),
    [("330R", 330.0), ("4k7", 4700.0), ("1k", 1e3), ("2.2 kohm", 2200.0), ("470 ohm", 470.0), ("0603", None)],
)
def test_a_resistance_is_read_from_what_designers_write(text: str, ohm: float | None) -> None:
    """Both ways to write a fraction."""
    assert electrical.resistance_ohm(text) == pytest.approx(ohm)


@pytest.mark.parametrize(
    ("text", "volts"), [("230VAC to 5V", 230.0), ("120 V AC", 120.0), ("100-240VAC", None), ("5V", None)]
)
def test_a_mains_voltage_is_read_unless_it_is_a_range(text: str, volts: float | None) -> None:
    """A range does not say which mains the board is for."""
    assert electrical.mains_v(text) == volts
