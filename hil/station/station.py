"""An opened bench: instruments by role, routes by name, mains and rails as context managers, and the safe state."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from hil.clock import Clock, RealClock
from hil.errors import HilError, InterlockOpen, NotConnected, SetupError, WrongInstrument
from hil.instruments.roles import AcLoad, AcSource, DcSupply, Dmm, Fixture, Instrument, PowerMeter, Scope, Switch
from hil.links.rpc import HttpRpc
from hil.station import launch
from hil.station.config import StationConfig

CONTACT_SIDE = ("scope3.", "dmm.contact.", "source_1a.")  # routes that must be open while mains is on
MAINS_SETTLE_S = 0.5
RAIL_OUTPUT = 1  # of the DC supply: J43
SETTLE_RELAY_S = 0.02  # of the switch


@dataclass(frozen=True, slots=True)
class Opened:
    """One instrument as it identified itself."""

    role: str
    driver: str
    resource: str
    identity: str
    serial: str
    calibration: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SafeState:
    """What was read back after making the bench safe: role -> off, or the error."""

    readback: dict[str, str]
    safe: bool


class Station:
    """Open with `open_station`; close with `close()`. Every property is the driver of that role."""

    def __init__(
        self,
        config: StationConfig,
        clock: Clock,
        instruments: dict[str, Instrument],
        opened: tuple[Opened, ...],
        unit_http: str,
        simulated: launch.SimulatedStation | None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.opened = opened
        self.unit_http = unit_http
        self._instruments = instruments
        self._simulated = simulated
        self._http: HttpRpc | None = None

    @property
    def source(self) -> AcSource:
        """The mains source."""
        return cast(AcSource, self._instruments["AcSource"])

    @property
    def power_meter(self) -> PowerMeter:
        """The reference power analyser."""
        return cast(PowerMeter, self._instruments["PowerMeter"])

    @property
    def load(self) -> AcLoad:
        """The electronic load."""
        return cast(AcLoad, self._instruments["AcLoad"])

    @property
    def scope(self) -> Scope:
        """The oscilloscope."""
        return cast(Scope, self._instruments["Scope"])

    @property
    def dc_supply(self) -> DcSupply:
        """The DC supply: output 1 feeds J43, 2 a contact with 1 A, 3 the wetting."""
        return cast(DcSupply, self._instruments["DcSupply"])

    @property
    def dmm(self) -> Dmm:
        """The multimeter."""
        return cast(Dmm, self._instruments["Dmm"])

    @property
    def switch(self) -> Switch:
        """The routes."""
        return cast(Switch, self._instruments["Switch"])

    @property
    def fixture(self) -> Fixture:
        """The adapter that holds the unit."""
        return cast(Fixture, self._instruments["Fixture"])

    def can(self, ability: str) -> bool:
        """Say whether the bench has an ability a requirement needs, e.g. `AcLoad.can_source`."""
        role, _, name = ability.partition(".")
        return bool(getattr(self._instruments.get(role), name, False))

    def http(self) -> HttpRpc:
        """Return the unit's RPC over HTTP."""
        if not self.unit_http:
            raise SetupError(
                f"station {self.config.name} gives no network address of the unit", "set unit_http in stations.toml"
            )
        if self._http is None:
            self._http = HttpRpc(self.unit_http)
        return self._http

    def channels(self, *points: str) -> list[int]:
        """Return the switch channels of named points, e.g. `scope1.K1.SET`."""
        try:
            return [self.config.wiring[point] for point in points]
        except KeyError as error:
            raise SetupError(
                f"station {self.config.name} wires no {error}", "add it to its wiring in stations.toml"
            ) from None

    @contextmanager
    def route(self, *points: str) -> Iterator[None]:
        """Close the routes inside the block; open them on every way out."""
        channels = self.channels(*points)
        self.switch.close_channels(channels)
        try:
            self.clock.sleep(SETTLE_RELAY_S)
            yield
        finally:
            self.switch.open_channels(channels)

    def check_interlocks(self) -> None:
        """Raise InterlockOpen unless lid, emergency stop and isolators allow mains."""
        if not self.fixture.lid_closed():
            raise InterlockOpen("the fixture lid is open", "close it and start again")
        if not self.fixture.emergency_stop_released():
            raise InterlockOpen("the emergency stop is pressed", "release it and start again")
        missing = {"spi", "uart", "scope", "dmm"} - set(self.config.isolators)
        if missing:
            raise InterlockOpen(
                f"no isolator declared for {', '.join(sorted(missing))}",
                "the low-voltage side is treated as live (DR-20): fit isolators, then declare them in stations.toml",
            )

    @contextmanager
    def mains(self, voltage_v: float, frequency_hz: float, current_limit_a: float = 5.0) -> Iterator[None]:
        """Energise the unit inside the block; off again on every way out."""
        self.check_interlocks()
        contact_side = {c for name, c in self.config.wiring.items() if name.startswith(CONTACT_SIDE)}
        if closed := contact_side & self.switch.closed_channels():
            raise InterlockOpen(f"channels {sorted(closed)} connect instruments to the contacts", "open them first")
        try:
            self.source.set_output(voltage_v, frequency_hz, current_limit_a)
            self.source.on()
            self.clock.sleep(MAINS_SETTLE_S)
            yield
        finally:
            self.source.off()

    @contextmanager
    def loaded(self, socket: int) -> Iterator[AcLoad]:
        """Route the load to a socket inside the block; the load is off, then the route open, on every way out."""
        with self.route(f"load.socket{socket}"):
            try:
                yield self.load
            finally:
                self.load.off()

    @contextmanager
    def rail(self, voltage_v: float = 5.0, current_limit_a: float = 2.0) -> Iterator[None]:
        """Feed J43 from the DC supply inside the block, mains off."""
        try:
            self.dc_supply.set_output(RAIL_OUTPUT, voltage_v, current_limit_a)
            self.dc_supply.on(RAIL_OUTPUT)
            yield
        finally:
            self.dc_supply.output_off(RAIL_OUTPUT)

    def make_safe(self) -> SafeState:
        """Go through the station's safe-state list in order, whatever fails; then read back. Never raises."""
        readback: dict[str, str] = {}
        for role in self.config.safe_state:
            try:
                self._instruments[role].off()
            except HilError as error:
                readback[role] = str(error)
        for role in self.config.safe_state:
            try:
                readback.setdefault(role, "off" if self._instruments[role].is_off() else "ON")
            except HilError as error:
                readback[role] = str(error)
        return SafeState(readback, all(state == "off" for state in readback.values()))

    def close(self) -> None:
        """Close every link. The bench stays as it is: make it safe first."""
        for instrument in self._instruments.values():
            instrument.close()
        if self._http is not None:
            self._http.close()
        if self._simulated is not None:
            self._simulated.close()


def simulate(
    config: StationConfig,
    *,
    serial: str,
    board: str,
    revision: str,
    seed: int = 0,
    faults: tuple[str, ...] = (),
    attach: str = "",
) -> launch.SimulatedStation | None:
    """Start the station's simulation, or join the one at `attach`; None for a real bench.

    Raises SetupError for what the simulation does not know: a fault, a board.
    """
    if config.launch:
        who = ["--serial", serial, "--board", board, "--revision", revision, "--seed", str(seed)]
        named = [word for fault in faults for word in ("--fault", fault)]
        return launch.join(attach) if attach else launch.start(config.launch, who + named)
    if faults or attach:
        raise SetupError(
            f"station {config.name} is a real bench", "faults and --attach belong to the simulated station"
        )
    return None


def open_station(config: StationConfig, simulated: launch.SimulatedStation | None = None) -> Station:
    """Open every instrument of the station and let each say who it is; close what was opened when one does not.

    A simulated station comes from `simulate`, and is closed with the bench.
    """
    clock: Clock = simulated.clock if simulated else RealClock()
    instruments: dict[str, Instrument] = {}
    opened: list[Opened] = []
    try:
        if simulated:
            from hil.links import remote_usb

            remote_usb.use(simulated.addresses["usb"])
        for role, entry in config.instruments.items():
            resource = simulated.addresses["instruments"][role]["resource"] if simulated else entry.resource
            instrument = _open(role, entry.driver, resource, clock)
            instruments[role] = instrument
            identity = instrument.identify()
            if entry.serial and identity.serial != entry.serial:
                raise WrongInstrument(role, resource, f"serial {entry.serial}", str(identity))
            calibration = entry.calibration.to_dict() if entry.calibration else None
            opened.append(Opened(role, entry.driver, resource, str(identity), identity.serial, calibration))
    except HilError:
        for instrument in instruments.values():
            instrument.close()
        if simulated:
            simulated.close()
        raise
    unit_http = simulated.addresses["unit"]["http"] if simulated else config.unit_http
    return Station(config, clock, instruments, tuple(opened), unit_http, simulated)


def _open(role: str, driver: str, resource: str, clock: Clock) -> Instrument:
    kind = importlib.import_module(f"hil.instruments.{driver}").DRIVER
    if role == "Fixture":
        return cast(Instrument, kind.open(resource, clock))
    from hil.links.visa import VisaLink

    link = VisaLink(f"{kind.MODEL} ({role})", resource, **kind.LINK)
    try:
        return cast(Instrument, kind(link, clock))
    except NotConnected:
        link.close()
        raise
