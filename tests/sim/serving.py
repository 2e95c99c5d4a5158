"""Runs simulated servers in a thread of the test process, and opens them through the real pyvisa-py."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pyvisa
from pyvisa.resources import MessageBasedResource

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@contextmanager
def opened(resource: str, timeout_s: float = 2.0, **options: Any) -> Iterator[MessageBasedResource]:
    """Open a resource through pyvisa-py; sockets get their terminators."""
    manager = pyvisa.ResourceManager("@py")
    if resource.endswith("SOCKET"):
        options = {"read_termination": "\n", "write_termination": "\n", **options}
    session = manager.open_resource(resource, timeout=int(1e3 * timeout_s), open_timeout=2000, **options)
    assert isinstance(session, MessageBasedResource)
    try:
        yield session
    finally:
        session.close()
