"""Let each instrument of a station say who it is and whether it is off, one after another, so that none hides another.

A bench that a run left unsafe, or died with, is free again when every instrument of its safe state reads back off.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.clock import RealClock, StationClock
from hil.errors import HilError, WrongInstrument
from hil.links import remote_usb
from hil.names import without_secrets
from hil.station.bench import lock_station, resource_of, simulate
from hil.station.calibrations import check_calibrated
from hil.station.config import InstrumentConfig, StationConfig
from hil.station.locks import BenchLock, Owner
from hil.station.opening import open_instrument
from hil.station.safe_state import BEHIND, OFF

# the unit that a launched station holds, since it must hold one
SERIAL, BOARD, REVISION = "SP-000000", "smart-power", "A"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered for a role, or why nobody did; and whether it is off, where it must be."""

    role: str
    driver: str
    identity: str
    error: str
    state: str = ""  # off, ON, or empty where it is no part of the safe state


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a bench found."""

    answers: tuple[Answer, ...]
    was: str  # how it was left, where that was not in good order
    safe: bool  # every instrument of the safe state reads back off


def check_station(config: StationConfig, attach: str = "", *, switch_off: bool = False) -> Checked:
    """Open, identify, read back and close each instrument; with switch_off, switch it off first.

    Raises BenchBusy while a run has the bench.
    """
    simulated = simulate(config, serial=SERIAL, board=BOARD, revision=REVISION, attach=attach)
    try:
        lock = lock_station(config, simulated, Owner(station=config.name, operator="hil station"), unsafe=True)
        was = _was(lock)
        try:
            if simulated:
                remote_usb.use(simulated.addresses["usb"])
            clock = simulated.clock if simulated else RealClock()
            first, last = config.safe_state, [role for role in config.instruments if role not in config.safe_state]
            found: dict[str, Answer] = {}
            for role in (*first, *last):
                before = found.get(BEHIND.get(role, ""))
                one, resource = config.instruments[role], resource_of(config, role, simulated)
                may = before is None or before.state == OFF
                found[role] = _answer(one, resource, clock, safe=role in first, switch_off=switch_off and may)
            answers = tuple(found[role] for role in config.instruments)
            safe = all(found[role].state == OFF for role in first)
        except BaseException:
            lock.abandon()
            raise
        if safe or not was:
            lock.release()
        else:
            lock.leave_unsafe(was, lock.died)
        return Checked(answers, was, safe)
    finally:
        if simulated:
            simulated.close()


def _was(lock: BenchLock) -> str:
    if lock.unsafe:
        return lock.unsafe
    return f"{lock.died} died with it" if lock.died else ""


def _answer(one: InstrumentConfig, resource: str, clock: StationClock, *, safe: bool, switch_off: bool) -> Answer:
    identity = state = ""
    try:
        instrument = open_instrument(one.role, one.driver, resource, clock)
        try:
            who = instrument.identify()
            identity = str(who)
            if safe:
                if switch_off:
                    instrument.off()
                state = OFF if instrument.is_off() else "ON"
            if one.serial and who.serial != one.serial:
                raise WrongInstrument(one.role, without_secrets(resource), f"serial {one.serial}", identity)
            check_calibrated(one, who.serial)
        finally:
            instrument.close()
    except HilError as error:
        return Answer(one.role, one.driver, "", str(error), state)
    return Answer(one.role, one.driver, identity, "", state)
