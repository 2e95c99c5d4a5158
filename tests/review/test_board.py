"""The board model, on the fixture: what the document says, in terms that rules can ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.review.board import Board
from hil.review.build import build
from hil.review.parse import read
from tests.review.written import board as board_of
from tests.review.written import export

CONTROLLER = ("U1", "ESP32-WROOM-32E-N4", "Module", "MCU Module", "Controller")


@pytest.fixture(scope="module")
def board() -> Board:
    return build(read(Path(__file__).with_name("smart_power.md")))


def test_the_controller_and_its_chip_are_known(board):
    """By the model of the module."""
    assert (board.controller.ref, board.chip.name) == ("IC1", "ESP32-S3")
    assert [(part.ref, ethernet.bus) for part, ethernet in board.ethernet] == [("IC2", "rmii")]


def test_every_diode_and_connector_of_a_coil_is_on_its_two_nets(board):
    """Three diodes and two connectors a coil, by whichever words the list uses, the ambiguous one included."""
    on_it = {(pin.part.ref, pin.pin) for pin in board.nets["Q9.C"].pins}

    assert on_it == {("D1", "A"), ("D13", "A"), ("D21", "A"), ("J27", "1"), ("J35", "1"), ("Q9", "C")}
    assert len(board.nets["5V_RELAY"].pins) == 24 + 16
    (diode,) = (part.part for part in board.parts if part.ref == "D21")
    assert (board.net_of(diode, "K"), board.net_of(diode, "A")) == ("5V_RELAY", "Q9.C")


def test_eight_coils_are_named_with_their_nets(board):
    """K1 to K4, SET and RESET, each at the collector of its driver."""
    assert [(coil.name, coil.net) for coil in board.coils] == [
        (f"K{relay} {coil}", f"Q{9 + 2 * (relay - 1) + at}.C")
        for relay in (1, 2, 3, 4)
        for at, coil in enumerate(("SET", "RESET"))
    ]


def test_twenty_gpios_are_used_and_the_coils_are_found_behind_a_block_of_numbers(board):
    """The block that names nothing but GPIOs takes its function from where its arrows lead."""
    assert {use.gpio for use in board.gpios} == {*range(8), *range(15, 19), 21, *range(38, 43), 45, 46}
    assert all({"coil", "relay"} <= board.gpio(gpio)[0].kinds for gpio in (15, 16, 17, 18, 21, 38, 39, 40))
    assert board.gpio(46)[0].direction == "in"
    assert [use.function for use in board.gpio(41) + board.gpio(42)] == ["Green", "Red"]


def test_grounds_that_meet_at_the_star_are_one_set(board):
    """The connectors' GND is not said to be any of them."""
    assert set(board.grounds) == {frozenset({"GND"}), frozenset({"GND_ANALOG", "GND_LOGIC", "GND_RELAY"})}


def test_connectors_say_what_they_carry(board):
    """By pin where pins are given, by kind and number where they are not."""
    meter = next(one for one in board.connectors if one.part.ref == "J16")
    relay = next(one for one in board.connectors if one.part.ref == "J45")

    assert meter.carries == {"spi": 1, "chip select": 4, "supply": 1, "ground": 1}
    assert {pin.pin: pin.net for pin in relay.pins}["5"] == "+5V"


def test_every_fact_has_a_line_of_the_document_that_says_it(board):
    """The line holds the number, the name or the designator."""
    lines = board.document.lines

    assert all(str(use.gpio) in lines[use.line - 1] or "GPIO4-7" in lines[use.line - 1] for use in board.gpios)
    assert all(block.label in lines[block.line - 1] for block in board.blocks)
    assert all(name.split(".")[0] in lines[pin.line - 1] for name, net in board.nets.items() for pin in net.pins)


def test_clocks_have_a_direction_by_words_or_by_arrows():
    """To or from a GPIO; input and output as the part sees them; else from whom the arrow comes."""

    def into(details: str = "", chart: str = "", role: str = "Ethernet PHY", of_controller: str = "Controller"):
        controller = (*CONTROLLER[:4], of_controller)
        parts = [controller, ("U2", "LAN8720A", "IC", role, details)]
        return [said.into_controller for said in board_of(export(*parts, chart=chart)).clocks]

    assert into("REF_CLK output to GPIO0") == [True]
    assert into("takes REF_CLK from GPIO17") == [False]
    assert into("REF_CLK output, GPIO0") == []
    assert into(of_controller="REF_CLK input at GPIO0") == [True]
    assert into(of_controller="REF_CLK output at GPIO17") == [False]
    assert into(chart='X[50 MHz oscillator] --> C["Clock GPIO0"] --> M[ESP32]') == [True]
    assert into(chart='M[ESP32] --> C["REF_CLK GPIO17"] --> P[PHY]') == [False]
    assert into(chart='M[ESP32] --> C["SPI clock to GPIO18"]') == []


def test_two_controllers_are_none():
    """Which one a GPIO belongs to is not said."""
    found = board_of(export(CONTROLLER, ("U9", "ESP32-C3-MINI-1", "Module", "MCU", "Second")))

    assert found.controller is None
    assert found.chip is None
