"""Fixtures for tests of the simulated bench: an event loop in a thread, and a whole station in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from serving import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def desk() -> Desk:
    return Desk()
