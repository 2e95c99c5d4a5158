"""An opened bench: instruments by role, routes by name, mains and rails as context managers, and the safe state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from hil.clock import StationClock
from hil.errors import HilError, InterlockOpen, SetupError
from hil.instruments.probe import Probe
from hil.instruments.roles import (
    Accuracy,
    AcLoad,
    AcSource,
    DcSupply,
    Dmm,
    Fixture,
    HipotTester,
    Instrument,
    LinkPartner,
    PowerMeter,
    ProgrammableResistor,
    Scope,
    SurgeGenerator,
    SurgeShot,
    Switch,
    ThermalChamber,
)
from hil.interrupt import uninterrupted
from hil.links.rpc import HttpRpc
from hil.station import launch, locks
from hil.station.config import StationConfig
from hil.station.drivers_by_role import DriversByRole
from hil.station.guarding import Guarding, GuardLost
from hil.station.high_voltage import PATHS, HighVoltage, RelayBox, check_path, check_person, check_surroundings
from hil.station.opening import open_instrument
from hil.station.safe_state import SafeState, make_safe
from hil.station.unit_addresses import UnitAddresses
from hil.station.watch import Watch

if TYPE_CHECKING:
    from hil.metrology.calibration import Certificate
    from hil.metrology.propagation import Input

CONTACT_SIDE = ("scope3.", "dmm.contact.", "source_1a.", PATHS)  # routes that must be open while mains is on
SURGE_SIDE = ("scope2.hv", "scope1.load_current", "load.", "eth.")  # routes that may be closed while a surge is armed
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
    calibration: Certificate | None


class Station:
    """Open with `open_station`; close with `close()`. Every property is the driver of that role."""

    def __init__(
        self,
        config: StationConfig,
        clock: StationClock,
        instruments: dict[str, Instrument],
        opened: tuple[Opened, ...],
        unit: UnitAddresses,
        simulated: launch.SimulatedStation | None,
        guard: Guarding | None = None,
        lock: locks.BenchLock | None = None,
    ) -> None:
        self._instruments = instruments
        self.roles = DriversByRole(instruments)
        self.config = config
        self.clock = clock
        self.opened = opened
        self.unit = unit
        self.guard = guard
        self.taken_over: tuple[locks.Owner, SafeState] | None = None  # from whom, when he died with the bench
        self.watch = Watch(clock, self.fixture, self._cut) if "Fixture" in instruments else None
        self._lock = lock
        self._charged = False  # the surge generator, perhaps
        self._box = RelayBox()
        self._left: SafeState | None = SafeState({}, safe=True)  # None: something may be on
        self._simulated = simulated
        self._rpcs: dict[str, HttpRpc] = {}

    @property
    def source(self) -> AcSource:
        """The mains source."""
        return cast(AcSource, self.roles["AcSource"])

    @property
    def power_meter(self) -> PowerMeter:
        """The reference power analyser."""
        return cast(PowerMeter, self.roles["PowerMeter"])

    @property
    def load(self) -> AcLoad:
        """The electronic load."""
        return cast(AcLoad, self.roles["AcLoad"])

    @property
    def scope(self) -> Scope:
        """The oscilloscope."""
        return cast(Scope, self.roles["Scope"])

    @property
    def dc_supply(self) -> DcSupply:
        """The DC supply: output 1 feeds J43, 2 a contact with 1 A, 3 the wetting."""
        return cast(DcSupply, self.roles["DcSupply"])

    @property
    def dmm(self) -> Dmm:
        """The multimeter."""
        return cast(Dmm, self.roles["Dmm"])

    @property
    def switch(self) -> Switch:
        """The routes."""
        return cast(Switch, self.roles["Switch"])

    @property
    def fixture(self) -> Fixture:
        """The adapter that holds the unit."""
        return cast(Fixture, self.roles["Fixture"])

    @property
    def resistor(self) -> ProgrammableResistor:
        """The resistance in place of the board's NTC; raises SetupError where the station has none."""
        return cast(ProgrammableResistor, self._optional("ProgrammableResistor"))

    @property
    def surge(self) -> SurgeGenerator:
        """The surge generator; arm it through `armed_surge` only. Raises SetupError where the station has none."""
        return cast(SurgeGenerator, self._optional("SurgeGenerator"))

    @property
    def hipot(self) -> HipotTester:
        """The electrical safety tester; arm it through `high_voltage` only. Raises SetupError where there is none."""
        return cast(HipotTester, self._optional("HipotTester"))

    @property
    def chamber(self) -> ThermalChamber:
        """The chamber that the fixture stands in; raises SetupError where the station has none."""
        return cast(ThermalChamber, self._optional("ThermalChamber"))

    @property
    def link_partner(self) -> LinkPartner:
        """What the unit's Ethernet port is connected to; raises SetupError where the station has none."""
        return cast(LinkPartner, self._optional("LinkPartner"))

    def _optional(self, role: str) -> Instrument:
        if role not in self.roles:
            raise SetupError(
                f"station {self.config.name} has no {role}",
                f"add a table for it to instruments.{role} in stations.toml",
            )
        return self.roles[role]

    def can(self, ability: str) -> bool:
        """Say whether the bench has an ability a requirement needs, e.g. `AcLoad.can_source`."""
        role, _, name = ability.partition(".")
        return bool(getattr(self._instruments.get(role), name, False))

    def http(self) -> HttpRpc:
        """Return the unit's RPC over HTTP, by Wi-Fi."""
        return self._rpc("unit_http", self.unit.http)

    def ethernet_http(self) -> HttpRpc:
        """Return the unit's RPC over HTTP through its wired port."""
        return self._rpc("unit_ethernet", self.unit.ethernet_http)

    @property
    def echo_address(self) -> str:
        """The host:port of the unit's echo service on its wired port; raises SetupError where there is none."""
        return self._address("unit_echo", self.unit.echo)

    def _rpc(self, key: str, url: str) -> HttpRpc:
        if key not in self._rpcs:
            self._rpcs[key] = HttpRpc(self._address(key, url))
        return self._rpcs[key]

    def _address(self, key: str, address: str) -> str:
        if not address:
            raise SetupError(
                f"station {self.config.name} gives no such network address of the unit", f"set {key} in stations.toml"
            )
        return address

    def traceable(self, role: str, accuracy: Accuracy, name: str = "") -> Input:
        """Return a reading of an instrument, corrected by its calibration, as an input of an uncertainty budget."""
        from hil.station.traceable import traceable

        return traceable(role, self.config.instruments[role].calibration, accuracy, name)

    def probe(self, point: str) -> Probe:
        """Return what stands between a point and the oscilloscope, e.g. of `scope2.hv`."""
        if point not in self.config.probes:
            raise SetupError(
                f"station {self.config.name} has no probe at {point!r}", "add it to its probes in stations.toml"
            )
        return self.config.probes[point]

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
        self._box.check_routes(*points)
        channels = self.channels(*points)
        self.switch.close_channels(channels)
        try:
            self.clock.sleep(SETTLE_RELAY_S)
            yield
        finally:
            self.switch.open_channels(channels)

    def check_interlocks(self) -> None:
        """Raise InterlockOpen unless lid, emergency stop and isolators allow mains, and a guard watches."""
        self._check_guard()
        wrong = self._watch().look()
        if wrong is not None:
            raise wrong
        missing = {"spi", "uart", "scope", "dmm"} - set(self.config.isolators)
        if missing:
            raise InterlockOpen(
                f"no isolator declared for {', '.join(sorted(missing))}",
                "the low-voltage side is treated as live (DR-20): fit isolators, then declare them in stations.toml",
            )

    def _check_guard(self) -> None:
        """Raise unless somebody would make the bench safe if this process died now."""
        if self.guard is None:
            raise InterlockOpen("no guard watches this bench", "open it with `guarded`, or start a run")
        if self.guard.lost:
            raise GuardLost(self.config.name)

    def _watch(self) -> Watch:
        if self.watch is None:
            raise InterlockOpen("this bench has no fixture, so nobody sees its lid", "add one to stations.toml")
        return self.watch

    def _cut(self, why: str) -> str:
        """Switch the source off from any thread, through the guard's own link or else ours; discharge all else.

        Where high voltage is on, the source is off already, and may keep us waiting.
        """
        stopped = self._cut_off("HipotTester", "the hipot tester", "stopped") if self._box.armed else ""
        done = "the guard switched the source off"
        try:
            if self.guard is None or not self.guard.cut(why):
                self._instruments["AcSource"].off()
                done = "the source was switched off"
        except HilError as error:
            done = f"the source did NOT switch off ({error})"
        if self._charged:
            done += self._cut_off("SurgeGenerator", "the surge generator", "discharged")
        return done + stopped

    def _cut_off(self, role: str, who: str, deed: str) -> str:
        try:
            self._instruments[role].off()
        except HilError as error:
            return f", {who} was NOT {deed} ({error})"
        return f", {who} was {deed}"

    @contextmanager
    def mains(self, voltage_v: float, frequency_hz: float, current_limit_a: float = 5.0) -> Iterator[None]:
        """Energise the unit inside the block; off again on every way out, and when lid or emergency stop demand it."""
        self.check_interlocks()
        contact_side = {c for name, c in self.config.wiring.items() if name.startswith(CONTACT_SIDE)}
        if closed := contact_side & self.switch.closed_channels():
            raise InterlockOpen(f"channels {sorted(closed)} connect instruments to the contacts", "open them first")
        self._left = None
        with self._watch().energised(), self.roles.on("AcSource"):
            try:
                self.source.set_output(voltage_v, frequency_hz, current_limit_a)
                self.source.on()
                self.clock.sleep(MAINS_SETTLE_S)
                yield
            finally:
                self.source.off()

    @contextmanager
    def armed_surge(self, level_v: float, angle_deg: float) -> Iterator[Callable[[], SurgeShot]]:
        """Charge the surge generator and give the function that fires it once; disarmed on every way out.

        The level's sign is the polarity; the angle is that of the mains, which `mains` has switched on before.
        """

        def fire() -> SurgeShot:
            self._check_surge()  # charging takes seconds: the lid may be open by now
            return self.surge.fire()

        self._check_surge()
        self._left = None
        self._charged = True
        try:
            self.surge.arm(level_v, angle_deg)
            yield fire
        finally:
            self.surge.off()
            self._charged = False

    def _check_surge(self) -> None:
        """Raise InterlockOpen unless a surge would reach the unit's mains input, healthily wired, and nothing else."""
        self.check_interlocks()
        closed = self.switch.closed_channels()
        reached = [name for name, channel in self.config.wiring.items() if channel in closed]
        if wrong := [name for name in reached if not name.startswith(SURGE_SIDE)]:
            raise InterlockOpen(f"a surge would reach what {', '.join(wrong)} connects", "open these routes first")

    @contextmanager
    def high_voltage(self, path: str, armed_by: str) -> Iterator[HighVoltage]:
        """Bring the hipot tester to the unit by one path, e.g. `hipot.mains_to_earth`, armed in the name of a person.

        On every way out it is off, proven discharged, and only then parted from the unit. Raises InterlockOpen.
        """
        check_person(armed_by)
        check_path(path)
        tester, channels = self.hipot, self.channels(path)
        self.check_interlocks()
        check_surroundings(self._instruments, self.config.isolators, self.switch.closed_channels())
        self._left = None
        box = self._box.connected(path, tester, self.switch, channels, self.clock)
        with self._watch().energised("high voltage"), box:
            yield HighVoltage(tester, self.clock, self.check_interlocks, armed_by)

    @contextmanager
    def loaded(self, *sockets: int) -> Iterator[AcLoad]:
        """Route the load to sockets inside the block; the load is off, then the routes open, on every way out."""
        with self.route(*(f"load.socket{socket}" for socket in sockets)), self.roles.on("AcLoad"):
            try:
                yield self.load
            finally:
                self.load.off()

    @contextmanager
    def rail(self, voltage_v: float = 5.0, current_limit_a: float = 2.0) -> Iterator[None]:
        """Feed J43 from the DC supply inside the block, mains off."""
        self._check_guard()
        self._box.check_routes("J43")
        self._left = None
        with self.roles.on("DcSupply"):
            try:
                self.dc_supply.set_output(RAIL_OUTPUT, voltage_v, current_limit_a)
                self.dc_supply.on(RAIL_OUTPUT)
                yield
            finally:
                self.dc_supply.output_off(RAIL_OUTPUT)

    def make_safe(self) -> SafeState:
        """Go through the station's safe-state list in order, whatever fails; then read back. Never raises."""
        self._left = make_safe(self.config.safe_state, self._instruments.__getitem__, self._reopen)
        if self._left.safe:
            self._box.armed = ""
        return self._left

    def _reopen(self, role: str) -> Instrument:
        """Open an instrument anew whose link broke: it may be on."""
        one = next(one for one in self.opened if one.role == role)
        self._instruments[role].close()
        self._instruments[role] = open_instrument(role, one.driver, one.resource, self.clock)
        return self._instruments[role]

    def close(self) -> None:
        """Make the bench safe if that is still to be done; let the guard go, give the bench back, close every link."""
        left = self._left or self.make_safe()
        if self.guard is not None:
            self.guard.dismiss()
        if self._lock is not None and left.safe:
            self._lock.release()
        elif self._lock is not None:
            self._lock.leave_unsafe(str(left))
        self._close_links()
        uninterrupted.forget_alarm()

    def _close_links(self) -> None:
        for instrument in self._instruments.values():
            instrument.close()
        for rpc in self._rpcs.values():
            rpc.close()
        if self._simulated is not None:
            self._simulated.close()
