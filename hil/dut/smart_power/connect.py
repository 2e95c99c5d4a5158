"""Put a Smart Power unit on a fixture."""

from __future__ import annotations

from typing import Protocol

from hil.clock import Clock
from hil.dut.smart_power.board import ResetLines, SmartPower, find_reset
from hil.dut.smart_power.revisions import revision
from hil.links.console import Console
from hil.links.rpc import ConsoleRpc, only_reads
from hil.links.spi import SpiBus

FACTORY_READS = {"Factory.Identity", "Factory.Inputs", "Factory.NtcRaw", "Factory.Trips", "Factory.CalGet"}


class Adapter(ResetLines, Protocol):
    """What the unit needs of a fixture: reset lines, the meters' bus, the console."""

    @property
    def spi(self) -> SpiBus: ...
    @property
    def console(self) -> Console: ...


def connect(adapter: Adapter, clock: Clock, revision_name: str) -> SmartPower:
    """Return the unit behind an adapter; its firmware is called over the console."""
    rpc = ConsoleRpc(adapter.console, clock, find_reset=find_reset, repeatable=repeatable)
    return SmartPower(revision(revision_name), rpc, adapter, adapter.spi, clock)


def repeatable(method: str) -> bool:
    """Return whether a method may be called again without harm. Factory.MeterRead is none: reading clears registers."""
    return method in FACTORY_READS or only_reads(method)
