"""The bench is live, and the test waits; or it is over at once, and all that comes is its teardown."""

from __future__ import annotations

from hil.station.station import Station


def test_hold(live: None, bench: Station) -> None:
    """Wait longer than anybody would."""
    bench.clock.sleep(120.0)


def test_hold_with_everything_on(charged: None, bench: Station) -> None:
    """Wait with a pulse in the surge generator."""
    bench.clock.sleep(120.0)


def test_over(live: None) -> None:
    """Nothing more."""
