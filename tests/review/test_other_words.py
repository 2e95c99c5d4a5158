"""The same flaws in words that the first document does not use, and words of mains on boards that have none."""

from __future__ import annotations

import pytest

from hil.review.finding import Certainty, Severity
from hil.review.parse import parse
from hil.review.review import review
from tests.review.written import board, export, found, judged

PASSIVES = (("R1", "10k", "Resistor", "EN pull-up", "EN RC delay"), ("C1", "100n", "Capacitor", "", ""))
START = (
    ("SW1", "Tact", "Switch", "Reset button", ""),
    ("SW2", "Tact", "Switch", "Boot button", ""),
    ("J9", "USB4105", "Connector", "USB-C", "USB-C for programming"),
)
CONTROLLER = ("U1", "ESP32-S3-WROOM-1-N8", "Module", "MCU Module", "Main controller")

RADIO = """
    MCU["ESP32-S3"] --> DAC["DAC on I2S GPIO4, GPIO5, GPIO6"] --> LO["LINE_OUT"] --> JK["Line out socket"]
    DAC --> L["L"] --> AMP["Amplifier"] --> LOUT["L_OUT"] --> SP["Speaker, AC coupled"]
    LI["LINE_IN"] --> ADC["Sound ADC"] --> MCU
    AMP --> MCU
"""
MOTOR = """
    IN["24 V power supply connector"] --> BR["Bridge"] --> PA["PHASE_A"] --> M["Motor"]
    BR --> PB["PHASE_B"] --> M
    PA --> EMF["Back-EMF sense GPIO1"] --> MCU["ESP32-S3"]
    SH["Phase current sense GPIO2"] --> MCU
    CHASSIS --> M
"""


@pytest.mark.parametrize("chart", [RADIO, MOTOR])
def test_a_line_of_sound_and_a_phase_of_a_motor_are_not_mains(chart: str) -> None:
    """Nothing else on these boards speaks of mains, so nothing is critical, and nothing is left unjudged for it."""
    done = review(parse(export(CONTROLLER, *PASSIVES, *START, chart=chart), "board.md"))

    assert [one.title for one in done.findings if one.severity is Severity.CRITICAL] == []
    assert "DR-20" not in {one.rule for one in done.not_judged}


MAINS = """
    AC_HOT_IN --> FU["Fuse 2A"] --> AC_HOT_BUS --> KC["Relay contacts x8"] --> RH["Receptacle hot x8"]
    AC_NEUTRAL --> RN["Receptacle neutral x8"]
    AC_HOT_BUS --> PS["Isolated AC/DC 120VAC to 5V"] --> 5V --> MCU["ESP32-S3"]
    AC_NEUTRAL --> PS
    KC --> SN["RC snubber 100nF"]
    MCU --> DR["Driver GPIO4 GPIO5 GPIO6 GPIO7 GPIO8 GPIO9 GPIO10 GPIO11"] --> CO["Relay coils x8"]
"""


def test_hot_and_receptacle_are_live_and_socket() -> None:
    """2 A x 120 V for eight; only one conductor switched; a snubber leaks at 60 Hz where mains is 120 V."""
    strip = export(CONTROLLER, *PASSIVES, chart=MAINS)

    assert "2 A fuse in the live path limits 8 sockets together to 2 A x 120 V = 240.0 W" in found("DR-23", strip).title
    assert found("DR-28", strip).title.startswith("Only live is switched")
    assert "4.5 mA" in found("DR-38", strip).title  # 120 V x 2 pi x 60 Hz x 100 nF


def test_a_series_vdr_is_a_series_varistor() -> None:
    """And one from line to neutral is right."""
    assert "'VDR'" in found("DR-25", export(CONTROLLER, chart='L_IN --> V["VDR"] --> L_BUS\nN_IN --> N_BUS')).title
    assert judged("DR-25", export(CONTROLLER, chart='L_IN --> L_BUS --> V["VDR"] --> N_BUS\nN_IN --> N_BUS')) == []


def test_a_monitor_of_pe_needs_its_isolator() -> None:
    """PE is earth."""
    assert "PE monitor" in found("DR-21", export(CONTROLLER, chart='PE["PE monitor GPIO2"] --> MCU["ESP32-S3"]')).title


DUAL = """
    MCU["ESP32-S3"] --> DR["Darlington array, IO4 IO5 IO6 IO7"] --> CO["Relay coils x{}"]
"""


def relays(details: str) -> tuple[tuple[str, ...], ...]:
    return tuple((f"K{n}", "HFE10", "Relay", "Relay", details) for n in (1, 2))


def test_relays_are_bistable_by_whatever_word_says_so() -> None:
    """Two coils each, a pin for every coil: nothing of this board is called SET or RESET."""
    two_coils = export(CONTROLLER, *relays("Bi-stable, two coils"), chart=DUAL.format(4))

    assert "2 bistable relays" in found("DR-29", two_coils).title
    assert found("DR-30", two_coils).title.startswith("4 coils of 2 bistable relays")
    assert judged("DR-30", export(CONTROLLER, *relays("Bi-stable"), chart=DUAL.format(2))) == []  # one coil each
    assert judged("DR-30", export(CONTROLLER, *relays("Power relay"), chart=DUAL.format(4))) == []


def test_every_pin_of_a_list_has_the_words_before_it_and_what_it_drives() -> None:
    """Four pins with blanks between are one list, and behind their driver are coils."""
    found_uses = board(export(CONTROLLER, chart=DUAL.format(4))).gpios

    assert [(use.gpio, use.function) for use in found_uses] == [(n, "Darlington array") for n in (4, 5, 6, 7)]
    assert all("coil" in use.kinds for use in found_uses)
    assert "GPIO4, GPIO5, GPIO6, GPIO7 off" in found("DR-35", export(CONTROLLER, chart=DUAL.format(4))).title


def supplied(model: str, *parts: tuple[str, ...]) -> bytes:
    psu = ("PS1", model, "Power Supply", "SMPS", "Mains to 5 V")
    return export(CONTROLLER, psu, *parts, chart='MCU["ESP32-S3"] --> CO["Relay coils x8"]')


def test_coils_that_must_be_held_cannot_be_pulsed_one_at_a_time() -> None:
    """Listed relays without memory: the advice is another, and the list is not said to have none."""
    listed = tuple((f"K{n}", "SRD-05VDC", "Relay", "Relay", "Load relay") for n in range(1, 9))
    finding = found("DR-33", supplied("HLK-5M05", *listed))

    assert "not sure to carry all coils: 8 at once and the logic may take 1.54 A of 1 A" in finding.title
    assert finding.certainty is Certainty.DEPENDS
    assert "Pulse one coil" not in finding.remedy
    assert "no relay is listed" not in " ".join(piece.text for piece in finding.evidence)
    assert "pulsed one at a time" in found("DR-33", supplied("IRM-05-5")).title  # another maker's 5 W, no relay listed


def test_the_resistor_of_a_photocoupler_is_seen() -> None:
    """1 kohm: (3.2 - 1.2) V / 1 kohm is 2 mA."""
    coupler = ("U3", "EL817", "Integrated Circuit", "Photocoupler", "Drives the coil")
    series = ("R3", "1k", "Resistor", "Series", "Series resistor of the photocoupler's LED")
    chart = 'MCU["ESP32-S3"] --> P["Photocoupler GPIO4"] --> CO["Relay coil"]'

    assert found("DR-34", export(CONTROLLER, coupler, series, chart=chart)).title.startswith("R3 with 1000 ohm leaves")
    assert (
        judged("DR-31", export(CONTROLLER, *PASSIVES, coupler, chart='MCU["ESP32-S3"] --> P["Optocoupler LED"]')) == []
    )


def test_only_the_optocouplers_of_the_coils_are_said_to_isolate_nothing() -> None:
    """The one that watches mains does its work."""
    watching = ("U9", "EL817", "Integrated Circuit", "Optocoupler", "Zero crossing detection of mains")
    driving = ("U3", "EL817", "Integrated Circuit", "Optocoupler", "Drives the coil")
    chart = 'GND --> MCU["ESP32-S3"] --> P["Optocoupler GPIO4"] --> CO["Relay coil"]\nGND --> P'

    title = found("DR-22", export(CONTROLLER, watching, driving, chart=chart)).title

    assert title == "The optocoupler U3 isolates nothing: GND is on both sides"


def test_an_optocoupler_at_a_pin_of_the_shared_converter_is_read_as_yes_or_no() -> None:
    """GPIO14 is on ADC2; what an optocoupler says needs no converter."""
    sensed = 'O["{} GPIO14"] --> MCU["ESP32-S3"]'

    assert judged("DR-13", export(CONTROLLER, chart=sensed.format("Opto line presence detect"))) == []
    assert judged("DR-13", export(CONTROLLER, chart=sensed.format("Lid detect")))[0].certainty is Certainty.DEPENDS


def test_a_title_claims_no_more_than_its_evidence() -> None:
    """One pair of diodes has no "and so on", and a symbol without a skipped pad leaves none unconnected."""
    pair = tuple((f"D{n}", "1N4007", "Diode", "Flyback", "Flyback; K->5V_R, A->Q1 collector") for n in (1, 2))
    header = ("J1", "Header", "Connector", "Header", "Header")
    repeated = found(
        "DR-14", export(CONTROLLER, ("Q1", "BC847", "Transistor", "Driver", ""), *pair, pins={"Q1": "C@3"})
    )
    whole = found("DR-17", export(CONTROLLER, header, pins={"J1": "A@1 B@1 C@2"}))

    assert repeated.title == "2 flyback diodes for 1 coil: D1 and D2 are on the same two nets"
    assert whole.title == "The symbol of J1 joins two pins on one pad"
