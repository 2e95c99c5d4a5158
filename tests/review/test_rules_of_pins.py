"""DR-01 to DR-13, DR-32, DR-35, DR-37: on the fixture and its mended copies, and on boards with other chips."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.review.finding import Certainty, Finding, Severity
from hil.review.parse import parse
from hil.review.review import review
from tests.review.written import cannot, export, found, judged

HERE = Path(__file__).parent
FIXTURE = (HERE / "smart_power.md").read_text()
MINE = (*(f"DR-{number:02}" for number in range(1, 14)), "DR-32", "DR-35", "DR-37")
TO_W5500 = (
    ("LAN8720AI-CP", "W5500"),
    ("RMII PHY, REF_CLK input from GPIO0", "MAC and PHY on SPI"),
    ('BUS["RMII"] --> ETH["LAN8720 PHY"]', 'BUS["Ethernet SPI"] --> ETH["W5500"]'),
)
CLOCK_ELSEWHERE = (("REF_CLK 50 MHz to GPIO0", "REF_CLK 50 MHz to GPIO8"), ("input from GPIO0", "input from GPIO8"))
BUZZER_ELSEWHERE = (("Buzzer GPIO45", "Buzzer GPIO10"), ("from GPIO45", "from GPIO10"))
LAST = "### BZ1 "
ACCESS = (
    "### SW1 — [Button](x)\n- Role Details: Boot button of the controller\n**Pins:**\n- 1\n- 2\n"
    "### C1 — [1 uF](x)\n- Role Details: RC delay at EN\n**Pins:**\n- 1\n- 2\n"
    "### J90 — [Header](x)\n- Part Type: Connector\n- Role Details: Programming UART: TXD0, RXD0\n**Pins:**\n- 1\n- 2\n"
)
MENDED = {
    "DR-01": [TO_W5500],
    "DR-02": [
        (("REF_CLK input from GPIO0", "REF_CLK output to GPIO0"),),
        (("REF_CLK 50 MHz to GPIO0", "REF_CLK 50 MHz from GPIO0"),),
    ],
    "DR-03": [CLOCK_ELSEWHERE, (("REF_CLK 50 MHz to GPIO0", "REF_CLK 50 MHz from GPIO0"),)],
    "DR-04": [
        (
            *CLOCK_ELSEWHERE,
            *BUZZER_ELSEWHERE,
            ("Neutral detect GPIO3", "Neutral detect GPIO9"),
            ("switch GPIO46", "switch GPIO11"),
        )
    ],
    "DR-05": [BUZZER_ELSEWHERE, (("GPIO45 via NPN", "GPIO45 via NPN with pull-down"),)],
    "DR-06": [(("switch GPIO46", "switch GPIO11"),), (("switch GPIO46", "switch GPIO46, pulled down"),)],
    "DR-07": [(("Neutral detect GPIO3", "Neutral detect GPIO9"),)],
    "DR-08": [(("switch GPIO46", "switch GPIO11"),)],
    "DR-09": [(("WROOM-1-N16R8", "WROOM-1-N16R2"),), (("WROOM-1-N16R8", "WROOM-1-N8"),)],
    "DR-10": [(("39/40", "9/10"), ("Green GPIO41 Red GPIO42", "Green GPIO11 Red GPIO12"))],
    "DR-11": [TO_W5500],
    "DR-12": [
        (("ETH --> CLK", 'MCU --> RST["PHY reset GPIO47"] --> ETH\nETH --> CLK'),),
        (("from GPIO0", "from GPIO0, nRST by a supervisor"),),
    ],
    "DR-32": [((LAST, ACCESS + LAST),)],
    "DR-35": [(("Low-side NPN driver of a relay coil", "Low-side NPN driver of a relay coil, base pulled down"),)],
    "DR-37": [(("Pin8=+5V", "Pin8=3V3"), ("Pin5=+5V", "Pin5=3V3"))],
}


def changed(*changes: tuple[str, str]) -> bytes:
    text = FIXTURE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def of(chip: str, chart: str, *parts: tuple[str, ...], details: str = "") -> bytes:
    """A board with this controller; `M` is its block."""
    return export(("U1", chip, "Module", "MCU Module", details or "Controller"), *parts, chart=f"M[{chip}]\n{chart}")


def mine(path: Path) -> list[Finding]:
    findings = review(parse(path.read_bytes(), path.name)).findings
    return [finding for finding in findings if finding.rule in MINE]


@pytest.mark.parametrize(("rule", "changes"), [(rule, one) for rule, ways in MENDED.items() for one in ways])
def test_a_mended_flaw_is_not_found_again(rule, changes):
    """Each flaw of the fixture is there once, and gone when the document says otherwise."""
    assert judged(rule, FIXTURE.encode())

    assert judged(rule, changed(*changes)) == []


@pytest.mark.parametrize("rule", MINE)
def test_evidence_is_the_line_it_names(rule):
    """Each finding cites a line of the document that is there, or a public document; most cite both."""
    lines = FIXTURE.splitlines()
    finding = found(rule, FIXTURE.encode())

    own = [piece for piece in finding.evidence if piece.source.startswith("line ")]
    assert own
    assert all(0 < int(piece.source.removeprefix("line ")) <= len(lines) for piece in own)
    assert [piece for piece in finding.evidence if piece not in own]


def test_the_pin_budget_is_counted():
    """36 - 20 - 2 - 3 = 11 = 3 + 8: worked out by hand from the facts."""
    title = found("DR-11", FIXTURE.encode()).title

    assert "36 GPIOs - 20 used - 2 UART0 - 3 taken by memory = 11 left" in title
    assert "3 for SPI + 8 for RMII with management; 0 remain" in title
    assert "NRST of IC2" in title


def test_the_clock_of_a_bus_is_no_second_signal_of_it():
    """Whatever the clock is called, eight more signals are wanted."""
    renamed = changed(("REF_CLK", "RMII_CLK"))

    assert "8 for RMII with management" in found("DR-11", renamed).title


def test_a_board_with_mac_oscillator_enable_and_phy_reset_is_clean():
    """An ESP32 takes its clock at GPIO0 from an oscillator that the firmware switches on: as its maker wants it."""
    findings = mine(HERE / "boards" / "esp32_lan8720.md")

    assert [(one.rule, one.severity) for one in findings] == [("DR-13", Severity.NONE)]


def test_the_same_board_without_the_enable_has_a_clock_at_its_boot_strap():
    """A reset of the PHY does not stop an oscillator beside it."""
    text = (HERE / "boards" / "esp32_lan8720.md").read_text()
    raw = text.replace('OSC_EN["Oscillator enable GPIO16"]', 'OSC_EN["3V3"]').encode()

    assert raw != text.encode()
    assert [one.rule for one in review(parse(raw, "x.md")).findings if one.rule in MINE] == ["DR-03", "DR-04", "DR-13"]


def test_ethernet_on_spi_is_clean_and_a_battery_on_adc2_is_found():
    """An S3 with a W5500, its relays pulled down, USB for programming: only the battery's pin is shared with Wi-Fi."""
    (finding,) = mine(HERE / "boards" / "s3_w5500.md")

    assert (finding.rule, finding.severity, finding.certainty) == ("DR-13", Severity.HIGH, Certainty.CERTAIN)
    assert finding.title.startswith("GPIO15 (Battery voltage) stands on ADC2")


def test_a_small_plug_is_judged_by_the_pins_of_its_own_chip():
    """GPIO8 is a strap of the C3, GPIO4 to GPIO7 its JTAG; its ADC2 has no quarrel with Wi-Fi."""
    findings = mine(HERE / "boards" / "c3_relay.md")

    assert [one.rule for one in findings] == ["DR-04", "DR-06", "DR-10", "DR-32", "DR-35"]
    assert "must be high to enter the download mode" in findings[1].title
    assert "no programming connector" not in findings[3].title


@pytest.mark.parametrize(
    ("chip", "flawed"),
    [("ESP32-WROOM-32E-N4", False), ("ESP32-P4", False), ("ESP32-S2-WROOM", True), ("ESP32-C6-WROOM-1-N8", True)],
)
def test_a_phy_needs_a_chip_with_a_mac(chip, flawed):
    """ESP32 and P4 have one; S2 and C6 have none."""
    raw = of(chip, "M --> P[LAN8720 PHY]", ("U2", "LAN8720A-CP", "IC", "Ethernet PHY", "RMII"))

    assert [one.severity for one in judged("DR-01", raw)] == [Severity.BLOCKER] * flawed


@pytest.mark.parametrize(
    ("rule", "chip", "label", "flawed"),
    [
        ("DR-05", "ESP32-WROOM-32E", "Relay GPIO12", True),
        ("DR-05", "ESP32-WROOM-32E", "Relay GPIO13", False),
        ("DR-05", "ESP32-S2-MINI-1", "LED GPIO45", True),
        ("DR-05", "ESP32-C3-MINI-1", "LED GPIO9", False),
        ("DR-06", "ESP32-WROOM-32E", "LED GPIO2", True),
        ("DR-06", "ESP32-WROOM-32E", "LED GPIO2, pulled down", False),
        ("DR-06", "ESP32-C6-WROOM-1", "Switch GPIO8", True),
        ("DR-06", "ESP32-C6-WROOM-1", "Switch GPIO8 with pull-up", False),
        ("DR-06", "ESP32-C6-WROOM-1", "Switch GPIO8, pulled down", True),
        ("DR-07", "ESP32-C6-WROOM-1", "Zero cross detect GPIO15", True),
        ("DR-07", "ESP32-S3-MINI-1", "Zero cross detect GPIO15", False),
        ("DR-07", "ESP32-C3-MINI-1", "Zero cross detect GPIO3", False),
        ("DR-08", "ESP32-WROOM-32E", "Relay GPIO34", True),
        ("DR-08", "ESP32-WROOM-32E", "NTC GPIO34", False),
        ("DR-08", "ESP32-S2-MINI-1", "LED GPIO46", True),
        ("DR-08", "ESP32-C3-MINI-1", "LED GPIO3", False),
        ("DR-09", "ESP32-WROVER-E-N8R8", "LED GPIO16", True),
        ("DR-09", "ESP32-WROOM-32E-N4", "LED GPIO16", False),
        ("DR-09", "ESP32-WROOM-32E-N4", "LED GPIO6", True),
        ("DR-09", "ESP32-S3-WROOM-1-N16R8", "LED GPIO36", True),
        ("DR-09", "ESP32-S3-WROOM-1-N16R8", "LED GPIO38", False),
        ("DR-10", "ESP32-WROOM-32E", "LED GPIO13", True),
        ("DR-10", "ESP32-WROOM-32E", "LED GPIO39", False),
        ("DR-10", "ESP32-C6-WROOM-1", "JTAG GPIO4-7", False),
        ("DR-13", "ESP32-WROOM-32E", "NTC GPIO25", True),
        ("DR-13", "ESP32-C3-MINI-1", "NTC GPIO5", False),
        ("DR-35", "ESP32-C6-WROOM-1", "Relay GPIO18", True),
        ("DR-35", "ESP32-C6-WROOM-1", "Relay GPIO18, pulled down", False),
        ("DR-35", "ESP32-C6-WROOM-1", "LED GPIO18", False),
        ("DR-04", "ESP32-C6-WROOM-1", "Boot button GPIO9", False),
        ("DR-04", "ESP32-C6-WROOM-1", "Doorbell GPIO9", True),
    ],
)
def test_a_pin_is_judged_by_the_chip_it_is_on(rule, chip, label, flawed):
    """The same number means different things on different chips."""
    assert len(judged(rule, of(chip, f'M --> X["{label}"]'))) == flawed


def test_an_output_on_an_input_only_pin_stops_the_board():
    """It is no remark but a blocker there."""
    finding = found("DR-08", of("ESP32-WROOM-32E", 'M --> X["Relay GPIO35 via NPN"]'))

    assert finding.severity is Severity.BLOCKER


def test_a_small_module_that_has_too_few_pins_is_found():
    """15 GPIOs - 8 used - 2 UART0 = 5 left for SPI, I2C and CAN, which want 7."""
    chart = 'M --> A["LEDs GPIO0-7"]\nM --> S[SPI] --> D[Display]\nM --> I[I2C]\nM --> C[CAN]'

    finding = found("DR-11", of("ESP32-C3-MINI-1-N4", chart))

    assert "15 GPIOs - 8 used - 2 UART0 - 0 taken by memory = 5 left" in finding.title
    assert "-2 remain" in finding.title


def test_five_volts_beside_signals_matter_only_to_a_part_that_does_not_stand_them():
    """A W5500 stands 5 V; without an Ethernet part there is nothing to protect; a coil's connector carries no logic."""
    header = ("J9", "XH-3", "Connector", "Connector", "Sensor: Pin1=+5V, Pin2=OUT1, Pin3=GND")
    coil = ("J9", "XH-2", "Connector", "Connector", "Relay coil: Pin1=+5V, Pin2=K1_LOW")
    phy = ("U2", "LAN8720A-CP", "IC", "Ethernet PHY", "RMII")
    spi = ("U2", "W5500", "IC", "Ethernet Controller", "SPI")

    assert len(judged("DR-37", of("ESP32-P4", "M --> X", header, phy))) == 1
    assert judged("DR-37", of("ESP32-P4", "M --> X", header, spi)) == []
    assert judged("DR-37", of("ESP32-P4", "M --> X", header)) == []
    assert judged("DR-37", of("ESP32-P4", "M --> X", coil, phy)) == []


def test_a_symbol_drawn_as_a_jtag_header_is_what_its_details_say():
    """A meter connector on a JTAG symbol programs nothing; a JTAG header without details does."""
    drawn = ("J1", "AVR-JTAG-10", "Connector", "Connector", "Meter connector: SPI bus + power/ground")
    real = ("J1", "AVR-JTAG-10", "Connector", "Connector", "")

    assert "no programming connector" in found("DR-32", of("ESP32-C6-WROOM-1", "M", drawn)).title
    assert "no programming connector" not in found("DR-32", of("ESP32-C6-WROOM-1", "M", real)).title


@pytest.mark.parametrize("rule", ["DR-04", "DR-05", "DR-08", "DR-09", "DR-10", "DR-11", "DR-13", "DR-32", "DR-35"])
def test_a_chip_that_nobody_knows_is_not_judged(rule):
    """The rule says so instead of staying silent."""
    assert "nothing is known of RP2040" in cannot(rule, of("RP2040", 'M --> X["LED GPIO2"]'))


def test_a_phy_that_nobody_knows_is_not_judged():
    """Its bus is not known."""
    raw = of("ESP32-S3-MINI-1", "M --> P[PHY]", ("U2", "XY1234", "IC", "Ethernet PHY", "RMII"))

    assert "nothing is known of the PHY U2 (XY1234)" in cannot("DR-01", raw)


def test_a_phy_of_which_only_the_bus_is_known_is_not_judged_further():
    """That it needs a MAC is known; what its reset and its pins want is not."""
    raw = of("ESP32-S3-MINI-1", "M --> P[PHY]", ("U2", "IP101GRI", "IC", "Ethernet PHY", "RMII"))

    assert len(judged("DR-01", raw)) == 1
    assert "the reset of U2 (IP101GRI)" in cannot("DR-12", raw)
    assert "what voltage the digital pins stand of U2" in cannot("DR-37", raw)


def test_a_resistor_that_holds_a_strap_is_no_load_of_it():
    """It is what makes the load harmless."""
    load = ("R4", "1k", "Resistor", "Base", "Base resistor of the buzzer driver on GPIO45")
    pull = ("R5", "10k", "Resistor", "Pull", "10k pull-down of GPIO45")

    assert len(judged("DR-05", of("ESP32-S3-MINI-1", "M", load))) == 1
    assert judged("DR-05", of("ESP32-S3-MINI-1", "M", load, pull)) == []
    assert judged("DR-04", of("ESP32-S3-MINI-1", "M", pull)) == []


def test_the_pins_of_an_expander_are_not_the_controllers():
    """Its IO0 is no strap."""
    expander = ("U5", "TCA9554", "IC", "Expander", "IO0-3 drive LEDs")

    def raw(pins):
        return export(("U1", "ESP32-S3-MINI-1", "", "MCU", ""), expander, pins={"U5": pins})

    assert judged("DR-04", raw("IO0@4 IO1@5 IO2@6 IO3@7")) == []
    assert len(judged("DR-04", raw("P0@4"))) == 1


def test_a_module_is_known_by_the_name_of_its_entry_where_it_has_no_part_number():
    """Or by its part number where the entry is called otherwise."""
    entry = "### U1 — [{}](x)\n{}- Role: MCU\n**Pins:**\n- 1\n"
    chart = '# X\n- **System Architecture:** flowchart TD\nM --> X["LED GPIO45"]\n## Key Components\n'
    by_name = chart + entry.format("ESP32-S2-MINI-1", "") + "---\n"
    by_number = chart + entry.format("Brain", "- Manufacturer Part Number: ESP32-S2-MINI-1\n") + "---\n"

    assert len(judged("DR-05", by_name.encode())) == len(judged("DR-05", by_number.encode())) == 1
