"""The grammar of role details and labels, phrase by phrase."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.review.kinds import head_kinds, kinds_of
from hil.review.phrases import (
    carried,
    coil_names,
    count,
    gpio_lists,
    net_kind,
    pins_on_nets,
    subject,
    volts,
)


@pytest.mark.parametrize(
    ("text", "gpios"),
    [
        ("CS GPIO4-7", [(4, 5, 6, 7)]),
        ("GPIO15/16 17/18 21/38", [(15, 16, 17, 18, 21, 38)]),
        ("GPIO4, 5 and 6", [(4, 5, 6)]),
        ("GPIO1, GPIO2", [(1, 2)]),
        ("Green GPIO41 Red GPIO42", [(41,), (42,)]),
        ("IO21 x2", [(21,)]),
        ("GPIO 8", [(8,)]),
        ("GPIO7-4", [(7,)]),
        ("GPIO4 2 LEDs", [(4,)]),
        ("RGPIO1 GPIO99 GPIOs", []),
    ],
)
def test_gpio_lists_are_read_as_people_write_them(text, gpios):
    """Ranges, slashes, commas; a number that belongs to something else is left alone."""
    assert [named.gpios for named in gpio_lists(text)] == gpios


@pytest.mark.parametrize(
    ("details", "pins", "said"),
    [
        ("K->5V_AUX, A->T3 collector", "AK", {"K": "5V_AUX", "A": "T3.C"}),
        ("anode side: A = T3.C; K = VBUS", "AK", {"A": "T3.C", "K": "VBUS"}),
        ("Pin1/2 +5V, Pin3/4 GND", "1", {"1": "+5V", "2": "+5V", "3": "GND", "4": "GND"}),
        ("Pins 1-3 = PE", "1", {"1": "PE", "2": "PE", "3": "PE"}),
        ("Out: Pin1=T3_DRAIN (FAN low-side)", "1", {"1": "T3.D"}),
        ("A flyback for K1; not connected", "AK", {}),
        ("2x supply, 2x ground", ("Pin_1",), {}),
        ("A->T9 collector", "A", {"A": "T9"}),
    ],
)
def test_a_pin_is_put_on_the_net_that_is_said(details, pins, said):
    """A pin of a listed part names a net; a designator that is not listed is no part's pin."""
    found = pins_on_nets(details, list(pins), {"T3", "K1"})

    assert {pin.pin: pin.net for pin in found} == said


def test_a_name_in_brackets_is_another_name_of_the_net():
    """So that two connectors of one coil are seen to be on one net."""
    (pin,) = pins_on_nets("Pin1=T3_COLLECTOR (K2 OFF low-side)", [], {"T3"})

    assert (pin.net, pin.alias, pin.switched) == ("T3.C", "K2_OFF", True)


def test_what_a_part_is_there_for_is_its_subject():
    """Only a pin of a listed part."""
    assert subject("Terminal for T3 drain; Pin1=FAN low-side", {"T3"}) == "T3.D"
    assert subject("Terminal for T4 drain", {"T3"}) == ""


def test_coils_are_named_only_where_one_is_meant():
    """ "SET/RESET" is neither."""
    assert coil_names("K1 SET coil and RLY2_COIL") == (("K1", "SET"), ("RLY2", "COIL"))
    assert coil_names("K1_SET/RESET low-side") == ()


@pytest.mark.parametrize(
    ("name", "kind", "nominal"),
    [
        ("AC_L_IN", "live", None), ("LIVE_BUS", "live", None), ("AC_N_BUS", "neutral", None), ("N", "neutral", None),
        ("PE", "earth", None), ("EARTH", "earth", None), ("GND_RELAY", "ground", None), ("AGND", "ground", None),
        ("VSS", "ground", None), ("3V3_MAIN", "supply", 3.3), ("+5V", "supply", 5.0), ("+3.3V", "supply", 3.3),
        ("12V", "supply", 12.0), ("1V8_IO", "supply", 1.8), ("VBUS", "supply", None), ("RELAY1", "signal", None),
        ("SPI_MOSI", "signal", None), ("PEAK", "signal", None), ("NRST", "signal", None), ("LED", "signal", None),
    ],
)  # fmt: skip
def test_a_net_is_known_by_its_name(name, kind, nominal):
    """Supply with its volts, ground, mains conductors; everything else is a signal."""
    assert (net_kind(name), volts(name)) == (kind, nominal)


def test_counts_and_what_a_connector_carries():
    """As labels and details give them."""
    assert [count(text) for text in ("4x Relay", "Coils x8", "2 x CT", "x1y", "ESP32")] == [4, 8, 2, 1, 1]
    assert list(carried("SPI bus + 4 CS + power/ground")) == [("SPI bus", 1), ("CS", 4), ("power", 1), ("ground", 1)]
    assert list(carried("OUT1-3, 2x supply")) == [("OUT", 3), ("supply", 2)]


def test_a_thing_is_what_its_last_noun_says():
    """A coil's connector is a connector and speaks of a coil; a driver of a buzzer is no buzzer."""
    assert head_kinds("Relay Coil Connector") == {"connector"}
    assert head_kinds("Low-side NPN driver for the buzzer") == {"driver"}
    assert kinds_of("Low-side NPN driver for the buzzer") >= {"buzzer", "driver", "transistor"}
    assert "can" not in kinds_of("candle")


@given(st.text(st.sampled_from("ABKQ129_ .,;:()/-+>=xVGPIOn \t"), max_size=60))
def test_any_text_is_read_or_left_alone(text):
    """Whatever stands there, GPIOs exist, pins and nets have names."""
    assert all(0 <= gpio <= 63 for named in gpio_lists(text) for gpio in named.gpios)
    assert all(pin.pin and pin.net for pin in pins_on_nets(text, ["A", "K", "+"], {"Q1", "Q2"}))
    assert count(text) >= 0
    assert all(words for words, _ in carried(text))
