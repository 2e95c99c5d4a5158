"""From a station's description to an opened bench: launched if it is simulated, locked, guarded, and identified."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hil.clock import RealClock, StationClock
from hil.errors import SetupError, WrongInstrument
from hil.instruments.roles import Instrument
from hil.names import without_secrets
from hil.station import launch, locks
from hil.station.calibrations import check_calibrated
from hil.station.charge import HEARTBEAT_S, STALL_S, Charge, Post
from hil.station.config import StationConfig
from hil.station.guarding import Guarding
from hil.station.opening import open_instrument
from hil.station.station import Opened, Station
from hil.station.unit_addresses import UnitAddresses


@dataclass(frozen=True, slots=True)
class Guarded:
    """How a bench that may be energised is opened: with whose locks, under which watch, for which record."""

    lock: locks.BenchLock
    record: str = ""  # the run's folder, where the guard writes what it did
    heartbeat_s: float = HEARTBEAT_S
    stall_s: float = STALL_S


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
        # with "=", so that no value can be taken for an option
        who = [f"--serial={serial}", f"--board={board}", f"--revision={revision}", f"--seed={seed}"]
        named = [f"--fault={fault}" for fault in faults]
        return launch.join(attach) if attach else launch.start(config.launch, who + named)
    if faults or attach:
        raise SetupError(
            f"station {config.name} is a real bench", "faults and --attach belong to the simulated station"
        )
    return None


def lock_station(
    config: StationConfig, simulated: launch.SimulatedStation | None, owner: locks.Owner, *, unsafe: bool = False
) -> locks.BenchLock:
    """Lock every instrument and the slot; raises BenchBusy, or BenchUnsafe unless an unsafe bench is asked for."""
    resources = {role: resource_of(config, role, simulated) for role in config.instruments}
    if simulated:  # their addresses mean nothing beyond the process that listens there
        process = "{control} {pid}".format(**simulated.addresses)
        resources = {role: f"{process} {resource}" for role, resource in resources.items()}
    slot = {"slot 1": f"{resources.get('Fixture', config.name)} slot 1"}
    return locks.take(config.name, resources | slot, owner, unsafe=unsafe)


def open_station(
    config: StationConfig, simulated: launch.SimulatedStation | None = None, guarded: Guarded | None = None
) -> Station:
    """Open every instrument of the station and let each say who it is; close what was opened when one does not.

    Unless it is guarded, nothing can be energised on it. A bench whose last run died is made safe first; raises
    BenchUnsafe when that cannot be proven. A simulated station comes from `simulate`, and is closed with the bench.
    """
    clock: StationClock = simulated.clock if simulated else RealClock()
    instruments: dict[str, Instrument] = {}
    opened: list[Opened] = []
    guard = _start_guard(config, simulated, guarded) if guarded else None
    station: Station | None = None
    try:
        if simulated:
            from hil.links import remote_usb

            remote_usb.use(simulated.addresses["usb"])
        for role, entry in config.instruments.items():
            resource = resource_of(config, role, simulated)
            instrument = open_instrument(role, entry.driver, resource, clock)
            instruments[role] = instrument
            identity = instrument.identify()
            if entry.serial and identity.serial != entry.serial:
                raise WrongInstrument(role, without_secrets(resource), f"serial {entry.serial}", str(identity))
            check_calibrated(entry, identity.serial)
            opened.append(Opened(role, entry.driver, resource, str(identity), identity.serial, entry.calibration))
        unit = UnitAddresses.of(config, simulated)
        lock = guarded.lock if guarded else None
        station = Station(config, clock, instruments, tuple(opened), unit, simulated, guard, lock)
        if guard is not None:
            guard.wait_ready()
        if lock is not None and lock.died is not None:
            station.taken_over = lock.died, station.make_safe()
            if not station.taken_over[1].safe:
                raise locks.BenchUnsafe(config.name, str(station.taken_over[1]))
    except BaseException:
        if guard is not None:
            guard.dismiss()
        if guarded:
            guarded.lock.abandon()
        for instrument in instruments.values():
            instrument.close()
        if simulated:
            simulated.close()
        raise
    return station


def resource_of(config: StationConfig, role: str, simulated: launch.SimulatedStation | None) -> str:
    """Return where an instrument is: stations.toml says it, or the launched station."""
    if simulated is None:
        return config.instruments[role].resource
    return str(simulated.addresses["instruments"][role]["resource"])


def _start_guard(config: StationConfig, simulated: launch.SimulatedStation | None, guarded: Guarded) -> Guarding:
    posts = [
        Post(role, config.instruments[role].driver, resource_of(config, role, simulated)) for role in config.safe_state
    ]
    addresses = simulated.addresses if simulated else {}
    charge = Charge(
        station=config.name,
        run_pid=os.getpid(),
        posts=tuple(posts),
        heartbeat_s=guarded.heartbeat_s,
        record=guarded.record,
        control=str(addresses.get("control", "")),
        usb=str(addresses.get("usb", "")),
        locks=tuple(guarded.lock.files),
    )
    return Guarding(charge, guarded.stall_s)
