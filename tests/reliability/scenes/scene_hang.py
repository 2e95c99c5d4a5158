"""The test hangs in a C call: with Python's lock held no thread of it runs any more."""

from __future__ import annotations

import ctypes

from tests.reliability.scenes.live import Teller


def test_hang_with_the_lock_held(live: None, teller: Teller) -> None:
    """Sleep inside C, as a driver's library may."""
    teller.deed()
    ctypes.PyDLL(None).sleep(600)


def test_hang_with_the_lock_released(live: None, teller: Teller) -> None:
    """The same, but other threads go on."""
    teller.deed()
    ctypes.CDLL(None).sleep(600)
