"""The simulated bench in this process, and drivers that reach it over their real transports, a saboteur between."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

from hil.clock import BenchClock, StationControl
from hil.errors import HilError
from hil.instruments.snmp_switch import SnmpSwitch
from hil.links.modbus import ModbusAddress, ModbusLink
from hil.links.snmp import SnmpAddress, SnmpLink
from hil.links.visa import VisaLink
from hil.sim.bench import Bench
from hil.sim.station import Station
from tests.sim.serving import Loop

MODULES = {
    "AcSource": "chroma_61500",
    "PowerMeter": "yokogawa_wt310e",
    "AcLoad": "itech_it8615",
    "Scope": "keysight_dsox",
    "DcSupply": "keysight_e36312a",
    "Dmm": "keysight_34465a",
    "Switch": "keysight_daq970a",
    "ProgrammableResistor": "meatest_m632",
    "SurgeGenerator": "emc_partner_tra3000",
    "HipotTester": "gwinstek_gpt9800",
    "LinkPartner": "snmp_switch",
    "ThermalChamber": "watlow_f4t",
}


class Rig:
    """A whole simulated station in a thread. What a test does to the bench by hand does not cross a wire."""

    def __init__(self) -> None:
        self._loop = Loop()
        self.station = self._run(_created())
        addresses = self._run(self.station.start())
        host, port = addresses["control"].split(":")
        self._control = StationControl(host, int(port))
        self.clock = BenchClock(self._control)
        self._drivers: dict[tuple[str, float], Any] = {}

    def close(self) -> None:
        for driver in self._drivers.values():
            driver.close()
        self._control.close()
        self._run(self.station.stop())
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return self._loop.run(work)

    @property
    def bench(self) -> Bench:
        return self.station.bench

    def saboteur(self, role: str) -> Any:
        return self.server(role).saboteur

    def server(self, role: str) -> Any:
        return self.station.snmp if role == "LinkPartner" else self.station.servers[role]

    def open(self, role: str, timeout_s: float) -> Any:
        """Return a driver on a connection of its own, which has identified its instrument."""
        driver = self._opened(role, timeout_s)
        try:
            driver.identify()
        except HilError:
            driver.close()
            raise
        return driver

    def _opened(self, role: str, timeout_s: float) -> Any:
        kind = importlib.import_module(f"hil.instruments.{MODULES[role]}").DRIVER
        resource = self.station.addresses()["instruments"][role]["resource"]
        if role == "LinkPartner":
            address = SnmpAddress.parse(resource)
            return SnmpSwitch(SnmpLink(role, address, timeout_s=timeout_s), address.index, self.clock)
        if role == "ThermalChamber":
            modbus = ModbusLink(role, ModbusAddress.parse(resource), word_order="low first", timeout_s=timeout_s)
            return kind(modbus, self.clock)
        link = VisaLink(role, resource, **{**kind.LINK, "timeout_s": timeout_s, "open_timeout_s": 2.0})
        return kind(link, self.clock)

    def driver(self, role: str, timeout_s: float) -> Any:
        """Return a driver as a run would have it at its start; the connection may have been used before."""
        key = role, timeout_s
        if key not in self._drivers:
            for other in [one for one in self._drivers if one[0] == role]:  # some serve one connection only
                self._drivers.pop(other).close()
            self._drivers[key] = self.open(role, timeout_s)
        kept = self._drivers[key]
        fresh = (
            SnmpSwitch(kept._link, kept._index, self.clock)
            if role == "LinkPartner"
            else type(kept)(kept._link, self.clock)
        )
        self._drivers[key] = fresh
        return fresh

    def forget(self, role: str) -> None:
        """Close the connections to a role: the next driver has a new one."""
        for key in [one for one in self._drivers if one[0] == role]:
            self._drivers.pop(key).close()

    def done(self) -> None:
        """Wait until the station has done what it is about: a connection is seen to break before it is all over."""
        self.hand(lambda bench: None)

    def revive(self, role: str) -> None:
        """Plug a server in again that was cut off for good."""
        server = self.server(role)
        self.done()
        self.saboteur(role).arm(None)
        if role == "LinkPartner":
            if server._socket is None:
                self._run(server.start())
        elif server.refused:
            self._run(server.stop())
            server.refused = False
            self._run(server.start())

    # -- hands on the bench --------------------------------------------------------------------------------------------

    def hand(self, action: Callable[[Bench], Any]) -> Any:
        """Do something to the bench itself, in its own thread."""

        async def act() -> Any:
            return action(self.bench)

        return self._run(act())

    def panel(self, role: str, message: str) -> Any:
        """Execute a message as if typed at the front panel: without a wire, and without a trace in the error queue."""
        instrument = self.station.servers[role].instrument

        async def act() -> Any:
            if not hasattr(instrument, "errors"):
                return await instrument.execute(message)
            before = list(instrument.errors)
            instrument.errors.clear()
            answer = await instrument.execute(message)
            assert not instrument.errors, instrument.errors
            instrument.errors.extend(before)
            return answer

        return self._run(act())

    def reset(self) -> None:
        """Switch everything off, by hand: how the bench was left by an earlier test is no matter."""
        self.panel("AcSource", "OUTP OFF")
        self.panel("DcSupply", "OUTP OFF,(@1:3)")
        self.panel("SurgeGenerator", "STBY")
        self.panel("HipotTester", "FUNC:TEST OFF")
        self.hand(lambda bench: bench.set_ac(on=False))
        self.hand(lambda bench: bench.set_routes(frozenset()))
        self.wait(1.0)

    def clear_errors(self, role: str) -> None:
        """Forget what the instrument complains of."""
        if role != "LinkPartner":
            getattr(self.station.servers[role].instrument, "errors", []).clear()

    def wait(self, duration_s: float) -> None:
        """Let bench time pass."""
        self.clock.sleep(duration_s)


async def _created() -> Station:
    asyncio.get_running_loop()
    return Station("SP-000123")
