"""The simulated station: world, bench, instruments and their wires, the unit's sockets, and the control socket."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Any

from hil.sim.bench import Bench
from hil.sim.control import ControlServer
from hil.sim.http import HttpServer
from hil.sim.instruments.chroma_61500 import Chroma61502
from hil.sim.instruments.emc_partner_tra3000 import EmcPartnerTra3000
from hil.sim.instruments.gwinstek_gpt9800 import GwInstekGpt9804
from hil.sim.instruments.itech_it8615 import ItechIT8615
from hil.sim.instruments.keysight_34465a import Keysight34465A
from hil.sim.instruments.keysight_daq970a import KeysightDaq970A
from hil.sim.instruments.keysight_dsox import KeysightDsox
from hil.sim.instruments.keysight_e36312a import KeysightE36312A
from hil.sim.instruments.meatest_m632 import MeatestM632
from hil.sim.instruments.watlow_f4t import WatlowF4T
from hil.sim.instruments.yokogawa_wt310e import YokogawaWT310E
from hil.sim.misbehaviour import Misbehaviour, Saboteur, parse_bench_fault
from hil.sim.network.echo import EchoServer
from hil.sim.network.mib import Mib
from hil.sim.network.network import Network
from hil.sim.network.snmp_agent import SnmpAgent
from hil.sim.network.snmp_saboteur import SnmpSaboteur
from hil.sim.network.switch import UNIT
from hil.sim.scpi import ScpiInstrument
from hil.sim.transports.hislip import HislipServer
from hil.sim.transports.modbus import ModbusSaboteur, ModbusServer
from hil.sim.transports.raw import RawServer
from hil.sim.transports.serial import SerialServer
from hil.sim.transports.server import LOOPBACK, Server
from hil.sim.transports.vxi11 import Vxi11Server
from hil.sim.usb import UsbServer
from hil.sim.world import World

FIXTURE_SERIAL = "HILFIX01"
SWITCH_MODEL = "simulated managed switch (IF-MIB, EtherLike-MIB, MAU-MIB)"
FIXTURE = f"ftdi://ftdi:4232h:{FIXTURE_SERIAL}"
INSTRUMENTS: tuple[tuple[type[ScpiInstrument], type[RawServer | HislipServer | Vxi11Server], dict[str, Any]], ...] = (
    (Chroma61502, RawServer, {}),
    (YokogawaWT310E, Vxi11Server, {}),
    (ItechIT8615, RawServer, {"single": True}),
    (KeysightDsox, HislipServer, {}),
    (KeysightE36312A, HislipServer, {}),
    (Keysight34465A, HislipServer, {}),
    (KeysightDaq970A, HislipServer, {}),
    (MeatestM632, RawServer, {"ending": b"\r\n"}),
)


class Station:
    """Everything one unit needs to be tested, behind wires on loopback."""

    def __init__(
        self,
        serial: str,
        revision: str = "A",
        seed: int = 0,
        faults: Iterable[str] = (),
        real_time: bool = False,
    ) -> None:
        self.world = World(serial, seed, faults, real_time)
        self.bench = Bench(self.world, revision)
        self.models: dict[str, str] = {}
        self.servers: dict[str, RawServer | HislipServer | Vxi11Server | SerialServer | ModbusServer] = {}
        for model, server, options in INSTRUMENTS:
            self.models[model.ROLE] = model.MODEL
            self.servers[model.ROLE] = server(model(self.world, self.bench), **options)
        for on_a_line in (EmcPartnerTra3000, GwInstekGpt9804):
            self.models[on_a_line.ROLE] = on_a_line.MODEL
            self.servers[on_a_line.ROLE] = SerialServer(on_a_line(self.world, self.bench))
        self.models[WatlowF4T.ROLE] = WatlowF4T.MODEL
        self.servers[WatlowF4T.ROLE] = ModbusServer(WatlowF4T(self.world, self.bench))
        self.network = Network(self.bench)
        self.http = HttpServer(self.bench)
        self.ethernet_http = HttpServer(self.bench, self.network)
        self.snmp = SnmpAgent(Mib(self.network.switch))
        self.saboteurs: dict[str, Saboteur | SnmpSaboteur | ModbusSaboteur] = {
            **{_kebab(role): server_of.saboteur for role, server_of in self.servers.items()},
            "link-partner": self.snmp.saboteur,
        }
        self.echo = EchoServer(self.bench, self.network)
        self.control = ControlServer(self.world, self.bench, self.addresses, self._acted)
        self.usb = UsbServer(self.world, self.bench)
        self._usb_port = 0
        self._connections = 0
        self._idle_since_s = time.monotonic()
        self.world.on_fault(self._fault_begins)

    async def start(self) -> dict[str, Any]:
        """Open every socket and return the addresses."""
        for server in self._all_servers():
            server.on_connections = self._count
            await server.start(LOOPBACK)
        for datagrams in (self.snmp, self.echo):
            await datagrams.start(LOOPBACK)
        self._usb_port = await self.usb.start(LOOPBACK)
        for fault in self.world.faults:
            if self.world.fault(fault.name):
                self._fault_begins(fault.name)
        self.world.start_ticker()
        return self.addresses()

    async def stop(self) -> None:
        """Close every socket."""
        await self.usb.close()
        for server in (*self._all_servers(), self.snmp, self.echo):
            await server.stop()

    def _all_servers(self) -> list[Server | SerialServer]:
        return [*self.servers.values(), self.http, self.ethernet_http, self.control]

    def addresses(self) -> dict[str, Any]:
        """Return where everything is, as the first line of `python -m hil.sim --json` prints it."""
        instruments = {
            role: {"model": self.models[role], "resource": server.resource} for role, server in self.servers.items()
        }
        return {
            "instruments": {
                **instruments,
                "LinkPartner": {"model": SWITCH_MODEL, "resource": f"snmp://public@{self.snmp.address}/{UNIT}"},
                "Fixture": {"model": "FTDI FT4232H", "resource": FIXTURE},
            },
            "unit": {
                "http": self.http.url,
                "console": f"{FIXTURE}/3",
                "ethernet_http": self.ethernet_http.url,
                "echo": self.echo.address,
            },
            "switch": self.snmp.address,
            "usb": f"{LOOPBACK}:{self._usb_port}",
            "control": f"{LOOPBACK}:{self.control.port}",
            "pid": os.getpid(),
        }

    # -- the end of an instrument, and of the station --------------------------------------------------------------

    def _fault_begins(self, name: str) -> None:
        for role, server in self.servers.items():
            if name == f"bench-{_kebab(role)}-dies":
                server.die()
        if name == "bench-link-partner-dies":
            self.snmp.die()
        self.usb.begin_fault(name)
        kebab, kind = parse_bench_fault(name)
        if kind is not None:
            self.saboteurs[kebab].arm(Misbehaviour(kind))

    def _acted(self, name: str) -> bool | None:
        """Return whether an instrument's misbehaviour has met an answer; None where nobody counts."""
        kebab, kind = parse_bench_fault(name)
        return self.saboteurs[kebab].acted if kind is not None else None

    def _count(self, change: int) -> None:
        self._connections += change
        self._idle_since_s = time.monotonic()

    async def abandoned(self, linger_s: float) -> None:
        """Return when nobody has been connected for linger_s of real time."""
        while self._connections or time.monotonic() - self._idle_since_s < linger_s:
            await asyncio.sleep(min(0.2, linger_s))


def _kebab(role: str) -> str:
    """Return a role's name as faults spell it: AcSource -> ac-source."""
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in role).lstrip("-")
