"""RPC over a WebSocket on /rpc: one text message a frame, both ways. The protocol is wsproto's (RFC 6455)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.sim.boards.smart_power import SmartPower

PATH = "/rpc"
LONGEST = 1 << 16  # octets of a message; the firmware has no room for more [A]
TOO_BIG = 1009  # RFC 6455, 7.4.1


async def serve_websocket(
    unit: SmartPower, via: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Accept the upgrade that head asks for and serve the channel until either side ends it."""
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage
    from wsproto.utilities import RemoteProtocolError

    peer = WSConnection(ConnectionType.SERVER)
    text = ""

    def send(frame: str) -> None:
        writer.write(peer.send(TextMessage(data=frame)))

    try:
        head.decode("ascii")  # wsproto takes that for granted
        peer.receive_data(head)
        if not any(isinstance(event, Request) for event in peer.events()):
            return
        channel = unit.open_channel(via, send, writer.close)
        if channel is None:
            writer.write(peer.send(RejectConnection(status_code=503)))
            return
        try:
            writer.write(peer.send(AcceptConnection()))
            while data := await reader.read(LONGEST):
                peer.receive_data(data)
                for event in peer.events():
                    if isinstance(event, TextMessage):
                        text += event.data
                        if len(text) > LONGEST:
                            writer.write(peer.send(CloseConnection(code=TOO_BIG)))
                            return
                        if event.message_finished:
                            channel.received(text)
                            text = ""
                    elif isinstance(event, Ping):
                        writer.write(peer.send(event.response()))
                    elif isinstance(event, CloseConnection):
                        writer.write(peer.send(event.response()))
                        return
                await writer.drain()
        finally:
            channel.end()
    except UnicodeDecodeError:
        return
    except RemoteProtocolError as error:
        if error.event_hint is not None:
            writer.write(peer.send(error.event_hint))
