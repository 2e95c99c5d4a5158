"""Somebody else's client of real Gen2 devices, aioshelly, takes the simulated unit for one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from aioshelly.common import ConnectionOptions, get_info
from aioshelly.rpc_device import RpcDevice, RpcUpdateType

from hil.sim.station import Station

CABLE_STRAIGHT = 311


@asynccontextmanager
async def running(revision: str = "A") -> AsyncIterator[Station]:
    """A station whose unit has booted, with the cable in."""
    station = Station("SP-000123", revision)
    await station.start()
    try:
        station.bench.set_dc(1, voltage_v=5.0, current_limit_a=3.0, on=True)
        station.bench.set_routes(frozenset({CABLE_STRAIGHT}))
        station.world.advance(6.0)
        yield station
    finally:
        await station.stop()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[RpcDevice]:
    """An initialised device at a URL."""
    where = urlsplit(url)
    async with ClientSession() as session:
        info = await get_info(session, str(where.hostname), port=int(where.port or 80))
        chosen = ConnectionOptions(str(where.hostname), port=int(where.port or 80), device_mac=info["mac"], **options)
        device = await RpcDevice.create(session, None, chosen)
        try:
            await device.initialize()
            yield device
        finally:
            await device.shutdown()


@pytest.mark.parametrize(("revision", "via"), [("A", "http"), ("B", "http"), ("B", "ethernet_http")])
def test_aioshelly_reads_and_switches_the_unit(revision, via):
    """Initialise, see four metered switches, switch one and be told so; over Wi-Fi, and over Ethernet on revision B."""

    async def talk() -> None:
        async with running(revision) as station, connected(station.addresses()["unit"][via]) as device:
            assert device.initialized
            assert device.gen == 2
            assert device.firmware_supported
            assert device.hostname == f"smartpower-{station.bench.unit.ethernet.mac.lower()}"
            for number in range(4):
                status = device.status[f"switch:{number}"]
                assert status["output"] is False
                assert {"voltage", "current", "apower", "pf", "freq", "aenergy", "temperature"} <= set(status)
                assert f"switch:{number}" in device.config

            await device.switch_set(2, True)
            station.world.advance(0.5)
            await device.update_status()

            assert device.status["switch:2"]["output"] is True
            assert station.bench.unit.relays[2].contact.last is True

    asyncio.run(talk())


def test_aioshelly_is_told_of_changes():
    """NotifyStatus arrives without asking, with what changed."""

    async def talk() -> None:
        async with running() as station, connected(station.addresses()["unit"]["http"]) as device:
            told = asyncio.Event()
            device.subscribe_updates(lambda _, kind: told.set() if kind is RpcUpdateType.STATUS else None)
            await device.switch_set(1, True)
            station.world.advance(0.3)
            await asyncio.wait_for(told.wait(), 5.0)

            assert device.status["switch:1"]["output"] is True

    asyncio.run(talk())


def test_aioshelly_loses_a_unit_that_loses_its_power():
    """The channel ends when the firmware does."""

    async def talk() -> None:
        async with running() as station, connected(station.addresses()["unit"]["http"]) as device:
            lost = asyncio.Event()
            device.subscribe_updates(lambda _, kind: lost.set() if kind is RpcUpdateType.DISCONNECTED else None)
            station.bench.set_dc(1, on=False)
            station.world.advance(0.3)
            await asyncio.wait_for(lost.wait(), 5.0)

            assert not device.connected

    asyncio.run(talk())
