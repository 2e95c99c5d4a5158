"""Ways from mains to the low-voltage side, on boards with other words: flawed, mended, and built differently."""

from __future__ import annotations

import pytest

from hil.review.finding import Certainty, Severity
from tests.review.written import CONTROLLER, cannot, export, found, judged

METERING = """
MAINS_L --> DIV["Resistive divider"] --> U1["HLW8032 meter"] --> {between} --> MCU["ESP32-C3"]
MAINS_L --> PSU["Flyback power supply"] --> 5V_SYS --> LDO["LDO"] --> 3V3_SYS --> MCU
"""


def test_a_divider_at_mains_that_leads_to_the_controller_is_found_with_its_way() -> None:
    """The way is told from mains on, and each arrow of it is evidence."""
    finding = found("DR-20", export(CONTROLLER, chart=METERING.format(between='U["UART"]')))

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.CERTAIN)
    assert "MAINS_L - Resistive divider - HLW8032 meter - UART - ESP32-C3" in finding.title
    assert "line 5" in {piece.source for piece in finding.evidence}
    assert finding.condition.startswith("of the chart")


@pytest.mark.parametrize("between", ['I["Digital isolator"]', 'O["Opto pair"]', 'T["Signal transformer"]'])
def test_whatever_parts_the_meter_from_the_controller_mends_it(between: str) -> None:
    """An isolator, an optocoupler, a transformer."""
    assert judged("DR-20", export(CONTROLLER, chart=METERING.format(between=between))) == []


def test_a_supply_that_does_not_isolate_is_a_conducting_way() -> None:
    """A supply from mains is taken to isolate unless the document says otherwise."""
    chart = 'MAINS_L --> PSU["{}"] --> 3V3_SYS --> MCU["ESP32-C3"]'

    assert "Non-isolated buck" in found("DR-20", export(CONTROLLER, chart=chart.format("Non-isolated buck SMPS"))).title
    assert judged("DR-20", export(CONTROLLER, chart=chart.format("Isolated SMPS"))) == []


def test_a_current_transformer_parts_and_a_shunt_does_not() -> None:
    """Both measure a current; only one of them is a transformer."""
    chart = 'MAINS_L --> S["{}"] --> U1["ATM90E26"] --> MCU["ESP32-C3"]'

    assert judged("DR-20", export(CONTROLLER, chart=chart.format("CT 1000:1"))) == []
    assert "Shunt" in found("DR-20", export(CONTROLLER, chart=chart.format("Shunt 1 mohm"))).title


def test_a_board_without_mains_has_nothing_to_part_and_one_that_hides_it_cannot_be_judged() -> None:
    """A supply from mains says that there is some, even if no net of it is drawn."""
    chart = '{} --> MCU["ESP32-C3"]'

    assert judged("DR-20", export(CONTROLLER, chart=chart.format('BAT["Battery"]'))) == []
    assert "mains" in cannot("DR-20", export(CONTROLLER, chart=chart.format('PSU["230VAC supply"]')))


ZERO = 'MAINS_L --> PSU["Isolated SMPS"]\nMCU["ESP32-C3"] --> Z["{}"]'


@pytest.mark.parametrize("label", ["Zero crossing GPIO5", "Mains presence detect GPIO5", "Live sense IO5"])
def test_a_gpio_at_mains_without_an_isolator_is_found(label: str) -> None:
    """It is a detector of mains whatever it is called."""
    finding = found("DR-21", export(CONTROLLER, chart=ZERO.format(label)))

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.CERTAIN)
    assert label in finding.title


@pytest.mark.parametrize(
    "label",
    [
        "Opto zero crossing GPIO5",
        "Battery sense GPIO5",
        "Isolated mains detect GPIO5",
        "Button GPIO5",
        "Water line pressure sense GPIO5",
    ],
)
def test_a_gpio_at_mains_behind_an_isolator_and_one_elsewhere_are_not(label: str) -> None:
    """An isolator in the chart mends it; a battery is not mains."""
    assert judged("DR-21", export(CONTROLLER, chart=ZERO.format(label))) == []


def test_an_optocoupler_in_the_list_mends_it_when_it_is_there_for_that() -> None:
    """One for a relay does not count."""
    for purpose, findings in (("Optocoupler for zero crossing of mains", 0), ("Optocoupler for the pump's coil", 1)):
        coupler = ("U3", "EL817", "Integrated Circuit", "Isolation", purpose)
        assert len(judged("DR-21", export(CONTROLLER, coupler, chart=ZERO.format("Zero crossing GPIO5")))) == findings


COUPLED = """
PSU["SMPS"] --> 12V_IN --> COIL["Pump coil"]
{supply} --> LDO["LDO"] --> 3V3_SYS --> MCU["ESP32-C3"]
GND_SYS --> MCU
MCU --> D["Opto + MOSFET driver"] --> COIL
{ground} --> D
{joint}
"""
COUPLER = ("U3", "EL817", "Integrated Circuit", "Isolation", "Optocoupler of the pump's driver")


def test_an_optocoupler_between_joined_grounds_isolates_nothing() -> None:
    """The supply that both sides share is told as well."""
    joint = 'STAR["Star point"] --> GND_SYS\nSTAR --> GND_PUMP'
    chart = COUPLED.format(supply="12V_IN", ground="GND_PUMP", joint=joint)

    finding = found("DR-22", export(CONTROLLER, COUPLER, chart=chart))
    assert "U3" in finding.title
    assert "GND_PUMP and GND_SYS meet" in finding.title
    assert finding.title.endswith("12V_IN")


def test_an_optocoupler_between_separate_grounds_is_right_and_one_without_grounds_cannot_be_judged() -> None:
    """Another supply and another ground are what it is for."""
    parted = COUPLED.format(supply='P2["Isolated converter"]', ground="GND_PUMP", joint="")
    unsaid = COUPLED.format(supply="12V_IN", ground='R["Resistor"]', joint="")

    assert judged("DR-22", export(CONTROLLER, COUPLER, chart=parted)) == []
    assert "ground" in cannot("DR-22", export(CONTROLLER, COUPLER, chart=unsaid))
