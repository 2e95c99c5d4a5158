"""What is known of chips: every fact has a source, and none contradicts another. Figures are from the pin tables."""

from __future__ import annotations

import pytest

from hil.review.knowledge import chip_named, chip_of, chips, ethernet_of

CHIPS = [chip for _, chip in chips()]


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_every_role_is_of_a_pin_the_chip_has(chip):
    """Straps, JTAG, converters, UART, USB, clock inputs and memory."""
    roles = {strap.gpio for strap in chip.straps} | {
        *chip.jtag.values(),
        *chip.uart0,
        *chip.usb,
        *chip.aliases.values(),
    }

    assert roles | chip.adc1 | chip.adc2 | chip.input_only | chip.clock_inputs <= chip.gpios
    assert not chip.adc1 & chip.adc2
    assert len(chip.jtag) == 4


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_every_fact_has_a_source(chip):
    """What it says, and where."""
    cited = [*chip.sources.values(), *(strap.source for strap in chip.straps)]

    assert {"emac", "gpio", "jtag", "adc", "uart"} <= set(chip.sources)
    assert all(piece.text and piece.source for piece in cited)
    assert not chip.clock_inputs or "clock" in chip.sources
    assert [strap.selects for strap in chip.straps].count("boot mode") == 1


@pytest.mark.parametrize(
    ("model", "name", "brought_out", "memory"),
    [
        ("ESP32-S3-WROOM-1-N16R8", "ESP32-S3", 36, {35, 36, 37}),
        ("ESP32-S3-WROOM-1-N8R2", "ESP32-S3", 36, set()),
        ("ESP32-S3-WROOM-2-N32R16V", "ESP32-S3", 36, {35, 36, 37}),
        ("ESP32-WROOM-32E-N4", "ESP32", 26, set()),
        ("ESP32-WROOM-32E-N8R2", "ESP32", 26, {16}),
        ("ESP32-WROVER-E-N8R8", "ESP32", 24, set()),
        ("ESP32-C3-MINI-1-N4", "ESP32-C3", 15, set()),
        ("ESP32-C6-WROOM-1-N8", "ESP32-C6", 23, set()),
        ("ESP32-S2-WROOM", "ESP32-S2", 36, set()),
        ("ESP32-P4NRW32", "ESP32-P4", 55, set()),
    ],
)
def test_a_module_is_known_with_what_it_brings_out_and_what_its_memory_takes(model, name, brought_out, memory):
    """By its part number: chip, pins, PSRAM."""
    chip = chip_of(model)

    assert chip is not None
    assert chip.name == name
    gpios = chip.module_gpios(model)
    assert len(gpios) == brought_out
    assert gpios & frozenset().union(*(taken.gpios for taken in chip.taken(model))) == memory


@pytest.mark.parametrize("model", ["ESP32-S31", "ESP32-C61", "ESP32-H2-MINI-1", "ESP8266", "RP2040", ""])
def test_what_is_not_known_is_not_taken_for_something_else(model):
    """A chip whose name begins like another is not that other."""
    assert chip_of(model) is None


def test_only_two_known_chips_have_a_mac():
    """And a PHY is not a controller with MAC and PHY in one."""
    assert {chip.name for chip in CHIPS if chip.emac} == {"ESP32", "ESP32-P4"}
    assert [ethernet_of(model).bus for model in ("LAN8720AI-CP", "W5500", "DM9051NP")] == ["rmii", "spi", "spi"]
    assert ethernet_of("LAN9252") is None
    assert chip_named("ESP32-S2").input_only == {46}
