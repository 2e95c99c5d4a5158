"""The unit's HTTP and WebSockets over Wi-Fi and Ethernet, at the sockets of a whole station."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from hil.sim.boards.channels import MOST
from hil.sim.station import Station
from hil.sim.websocket import LONGEST

STRAIGHT = 311


@asynccontextmanager
async def running(revision: str) -> AsyncIterator[tuple[Station, aiohttp.ClientSession, dict[str, str]]]:
    """A station with its unit booted and linked, a client, and the unit's addresses."""
    station = Station("SP-000123", revision)
    addresses = await station.start()
    station.bench.set_dc(1, voltage_v=5.0, current_limit_a=3.0, on=True)
    station.bench.set_routes(frozenset({STRAIGHT}))
    station.world.advance(6.0)
    try:
        async with aiohttp.ClientSession() as session:
            yield station, session, addresses["unit"]
    finally:
        await station.stop()


Work = Callable[[Station, aiohttp.ClientSession, dict[str, str]], Coroutine[Any, Any, None]]


def with_station(revision: str, work: Work) -> None:
    async def run() -> None:
        async with running(revision) as (station, session, unit):
            await work(station, session, unit)

    asyncio.run(run())


async def status_of(session: aiohttp.ClientSession, url: str) -> int | None:
    """Return the HTTP status, or None when the connection ends without an answer."""
    try:
        async with session.get(f"{url}/shelly") as answer:
            return answer.status
    except aiohttp.ServerDisconnectedError:
        return None


def test_http_over_ethernet_needs_mac_link_and_address():
    """Revision B answers while the cable is in, and the switch counts the segments; revision A never does."""

    async def wired(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        counters = station.network.switch.ports[1].counters
        before = counters.in_unicast, counters.out_unicast
        assert await status_of(session, unit["ethernet_http"]) == 200
        assert (counters.in_unicast - before[0], counters.out_unicast - before[1]) == (2, 2)
        station.bench.set_routes(frozenset())
        station.world.advance(0.1)
        assert await status_of(session, unit["ethernet_http"]) is None
        assert await status_of(session, unit["http"]) == 200

    async def unwired(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        assert await status_of(session, unit["ethernet_http"]) is None
        assert await status_of(session, unit["http"]) == 200

    with_station("B", wired)
    with_station("A", unwired)


async def told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = await socket.receive_json(timeout=5.0)
    return found


def test_a_channel_answers_and_tells():
    """Requests are answered; once a channel has named itself it is told of changes, and of changes only."""

    async def work(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        async with session.ws_connect(f"{unit['http']}/rpc") as socket:
            await socket.send_str("no JSON")
            assert (await told(socket))["error"]["code"] == -103
            station.world.advance(5.0)
            await socket.send_json({"id": 7, "src": "me", "method": "Switch.Set", "params": {"id": 1, "on": True}})
            answer = await told(socket)
            assert (answer["id"], answer["dst"], answer["result"]) == (7, "me", {"was_on": False})
            station.world.advance(5.0)
            notice = await told(socket)

        assert (notice["method"], notice["dst"]) == ("NotifyStatus", "me")
        assert notice["params"].keys() == {"ts", "switch:1"}
        assert notice["params"]["switch:1"]["output"] is True

    with_station("A", work)


def test_a_channel_lasts_as_long_as_its_network():
    """Cable out, power off: closed. Over Ethernet as over Wi-Fi."""

    async def work(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        async with (
            session.ws_connect(f"{unit['ethernet_http']}/rpc") as wired,
            session.ws_connect(f"{unit['http']}/rpc") as wireless,
        ):
            station.bench.set_routes(frozenset())
            station.world.advance(0.5)
            assert (await wired.receive(timeout=5.0)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}
            await wireless.send_json({"id": 1, "method": "Shelly.GetDeviceInfo"})
            assert (await told(wireless))["result"]["gen"] == 2
            station.bench.set_dc(1, on=False)
            station.world.advance(0.5)
            assert (await wireless.receive(timeout=5.0)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(f"{unit['http']}/rpc")

    with_station("B", work)


def test_there_are_six_channels():
    """The seventh is refused; one that closes makes room."""

    async def work(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        url = f"{unit['http']}/rpc"
        sockets = [await session.ws_connect(url) for _ in range(MOST)]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(url)
        await sockets[0].close()
        sockets[0] = await session.ws_connect(url)
        await sockets[0].ping()
        await sockets[0].send_json({"id": 1, "method": "Sys.GetStatus"})
        assert "result" in await told(sockets[0])
        for socket in sockets:
            await socket.close()

    with_station("A", work)


def test_what_is_no_websocket_is_turned_away():
    """A message too long ends the channel; an upgrade that is none gets an error; elsewhere it is plain HTTP."""

    async def work(station: Station, session: aiohttp.ClientSession, unit: dict[str, str]) -> None:
        async with session.ws_connect(f"{unit['http']}/rpc", max_msg_size=0) as socket:
            await socket.send_str(json.dumps({"id": 1, "src": "x" * LONGEST}))
            assert (await socket.receive(timeout=5.0)).data == 1009
        async with session.get(f"{unit['http']}/rpc", headers={"Upgrade": "websocket"}) as answer:
            assert answer.status == 400
        async with session.get(f"{unit['http']}/shelly", headers={"Upgrade": "websocket"}) as answer:
            assert answer.status == 200

    with_station("A", work)
