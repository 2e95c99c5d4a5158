"""The test ends the process without a word, and with the exit code of success."""

from __future__ import annotations

import os

from tests.reliability.scenes.live import Teller


def test_exit(live: None, teller: Teller) -> None:
    """No finally, no atexit, no buffer is flushed."""
    teller.deed()
    os._exit(0)
