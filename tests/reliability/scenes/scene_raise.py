"""The test breaks while the bench is live."""

from __future__ import annotations

from tests.reliability.scenes.live import Teller


def test_raise(live: None, teller: Teller) -> None:
    """Divide by zero, say."""
    teller.deed()
    raise ZeroDivisionError("a flaw of this test")
