"""Put a Smart Power unit on a fixture."""

from __future__ import annotations

from typing import Protocol

from hil.clock import Clock
from hil.dut.smart_power.board import ResetLines, SmartPower
from hil.dut.smart_power.revisions import revision
from hil.links.console import Console
from hil.links.rpc import ConsoleRpc
from hil.links.spi import SpiBus


class Adapter(ResetLines, Protocol):
    """What the unit needs of a fixture: reset lines, the meters' bus, the console."""

    @property
    def spi(self) -> SpiBus: ...
    @property
    def console(self) -> Console: ...


def connect(adapter: Adapter, clock: Clock, revision_name: str) -> SmartPower:
    """Return the unit behind an adapter; its firmware is called over the console."""
    return SmartPower(revision(revision_name), ConsoleRpc(adapter.console, clock), adapter, adapter.spi, clock)
