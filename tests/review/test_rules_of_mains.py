"""Fuse, varistor, earth, switched conductors, snubbers: each rule on boards with other words, flawed and mended."""

from __future__ import annotations

import pytest

from hil.review.finding import Certainty, Severity
from tests.review.written import cannot, export, found, judged

STRIP = """
MAINS_L --> F1["{fuse}"] --> LIVE_BUS --> K["2x relay contacts"] --> OUT_L["Outlet L x{outlets}"]
MAINS_N --> OUT_N["Outlet N x{outlets}"]
"""
METER = ("U7", "ATM90E26-YU-R", "Power Management", "Energy Meter", "Meter of the outlets")


def strip(fuse: str = "Fuse 10A", outlets: int = 2) -> str:
    return STRIP.format(fuse=fuse, outlets=outlets)


def test_a_fuse_too_small_for_its_outlets_is_found() -> None:
    """2 A for two outlets is less than two small plugs draw; the power is computed from the document's voltage."""
    finding = found("DR-23", export(METER, chart=strip("Fuse 2A") + 'MAINS_L --> S["SMPS 120VAC to 5V"]'))

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.CERTAIN)
    assert "2 A x 120 V = 240.0 W, 120 W each" in finding.title
    assert any(piece.source == "line 5" for piece in finding.evidence)


@pytest.mark.parametrize(
    "chart",
    [
        strip("Fuse 10A"),
        strip("Slow fuse 6.3 A", 2),
        'MAINS_L --> LIVE_BUS --> OUT_L["Outlet L x4"]\nLIVE_BUS --> F1["Fuse 500mA T"] --> S["SMPS"]',  # its own
        'MAINS_L --> F1["Fuse 2A"] --> LAMP["Lamp driver"]',  # no outlet
    ],
)
def test_a_fuse_that_carries_its_outlets_or_feeds_none_is_not(chart: str) -> None:
    """A supply may have a small fuse of its own."""
    assert judged("DR-23", export(METER, chart=chart)) == []


def test_a_fuse_without_a_rating_cannot_be_judged_until_the_list_tells_it() -> None:
    """Nothing is guessed; a listed fuse tells its rating."""
    chart = strip("Fuse")

    assert "not stated" in cannot("DR-23", export(METER, chart=chart))
    assert "1.6 A x" in found("DR-23", export(("F1", "0215 1.6A", "Fuse", "Fuse", ""), chart=chart)).title


def test_outlets_that_have_a_fuse_each_do_not_share_it() -> None:
    """Four fuses for four outlets: each outlet has one of them."""
    assert judged("DR-23", export(METER, chart=strip("4x Fuse 10A", 4))) == []
    assert "1 socket" in found("DR-23", export(METER, chart=strip("4x Fuse 3A", 4))).title


def test_metering_behind_a_fuse_below_the_smallest_basic_current_is_found() -> None:
    """5 A is 2.500 x a fuse of 2 A; one of 6.3 A is no obstacle, and neither is one without a meter behind it."""
    assert "2.500 x the fuse's rating" in found("DR-24", export(METER, chart=strip("Fuse 2A"))).title
    assert judged("DR-24", export(METER, chart=strip("Fuse 6.3A"))) == []
    assert judged("DR-24", export(("R1", "10k", "Resistor", "", ""), chart=strip("Fuse 2A"))) == []


def test_a_varistor_in_series_is_found_and_one_across_the_line_is_not() -> None:
    """Between two live nets it is in series; from live to neutral it is where it belongs."""
    series = "MAINS_N --> NEUTRAL_BUS --> V1[Varistor] --> N_OUT\n"
    across = "MAINS_L --> LIVE_BUS --> V1[Varistor] --> NEUTRAL_BUS\n"
    both_ways = "MAINS_L --> LIVE_BUS <--> V1[Varistor] <--> NEUTRAL_BUS\n"
    leaf = "MAINS_L --> LIVE_BUS --> V1[Varistor]\n"

    finding = found("DR-25", export(METER, chart=series))
    assert finding.certainty is Certainty.DEPENDS
    assert "in series with neutral" in finding.title
    assert [judged("DR-25", export(METER, chart=chart)) for chart in (across, both_ways, leaf)] == [[], [], []]


def terminal(ref: str, conductor: str) -> tuple[str, ...]:
    return (ref, "KF128-2P", "Connector", "Connector", f"Outlet {conductor} terminal")


INLET = ("J1", "KF128-3P", "Connector", "Connector", "Mains input terminal for live, neutral and earth")
BARE_INLET = ("J1", "KF128-2P", "Connector", "Connector", "Mains input terminal for live and neutral")
OUTLETS = (terminal("J2", "live"), terminal("J3", "live"), terminal("J4", "neutral"), terminal("J5", "neutral"))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((INLET, *OUTLETS, terminal("J6", "earth")), "1 earth terminal for 2 sockets"),
        ((BARE_INLET, *OUTLETS, terminal("J6", "earth"), terminal("J7", "earth")), "No earth at the input J1"),
    ],
)
def test_an_outlet_without_earth_and_an_input_without_earth_are_found(
    parts: tuple[tuple[str, ...], ...], says: str
) -> None:
    """Each alone is enough."""
    assert found("DR-26", export(*parts)).title.startswith(says)


def test_earth_at_every_outlet_and_at_the_input_is_silent_and_so_are_outlets_without_earth() -> None:
    """Two-pole outlets have no earth to miss; where no terminal of an outlet is listed, none is missing either."""
    drawn = 'PE_IN --> O["Outlet E x2"]'
    assert judged("DR-26", export(INLET, chart=drawn)) == []
    assert judged("DR-26", export(INLET, *OUTLETS, terminal("J6", "earth"), terminal("J7", "earth"))) == []
    assert judged("DR-26", export(BARE_INLET, *OUTLETS)) == []


def test_switching_one_conductor_is_found_and_switching_both_is_not() -> None:
    """Neutral that is switched alone is worse and found as well."""
    live, neutral = 'MAINS_L --> {0} --> OUT_L["Outlet L"]\n', 'MAINS_N --> {0} --> OUT_N["Outlet N"]\n'
    contact, wire = '{}["Relay contacts"]', '{}["Current transformer"]'

    def chart(at_live: str, at_neutral: str) -> str:
        return live.format(at_live.format("K1")) + neutral.format(at_neutral.format("K2"))

    assert found("DR-28", export(METER, chart=chart(contact, wire))).title.startswith("Only live")
    assert found("DR-28", export(METER, chart=chart(wire, contact))).title.startswith("Only neutral")
    assert judged("DR-28", export(METER, chart=chart(contact, contact))) == []
    assert judged("DR-28", export(METER, chart=chart(wire, wire))) == []


def test_what_a_snubber_leaks_is_computed_from_its_own_capacitance() -> None:
    """47 nF at 230 V, 50 Hz: 230 x 2 pi 50 x 47e-9 = 3.4 mA. Without a value it is assumed, and said so."""
    chart = 'MAINS_L --> K["Relay contacts"] --> S["{} across the contact"]'

    assert "leaks 3.4 mA" in found("DR-38", export(METER, chart=chart.format("Snubber 47nF + 100R"))).title
    assumed = found("DR-38", export(METER, chart=chart.format("Snubber")))
    assert "leaks 7.2 mA" in assumed.title
    assert "not their capacitance" in assumed.condition
    assert judged("DR-38", export(METER, chart='MAINS_L --> K["Relay contacts"] --> OUT_L["Outlet L"]')) == []
