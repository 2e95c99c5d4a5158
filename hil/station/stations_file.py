"""Check the text of stations.toml: its syntax, its shape (pydantic), and what must hold between its entries."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from hil.instruments.probe import Probe
from hil.metrology.calibration import Certificate
from hil.names import without_secrets
from hil.station import signing_table
from hil.station.address import same_address
from hil.station.config import InstrumentConfig, Mistake, StationConfig
from hil.station.drivers import read_drivers, read_roles
from hil.station.safe_state import BEHIND
from hil.station.suggest import closest, did_you_mean
from hil.station.toml_lines import KeyPath, key_lines
from hil.station.toml_recovery import loads_all
from hil.station.toml_shape import Flaw, Name, Strict, Text, as_mistakes, parse

REQUIRED_ROLES = ("AcSource", "PowerMeter", "AcLoad", "Scope", "DcSupply", "Dmm", "Switch", "Fixture")
# without: not covered, says the certificate
OPTIONAL_ROLES = ("ProgrammableResistor", "SurgeGenerator", "LinkPartner", "HipotTester", "ThermalChamber")
# what the safe state must name, where there is one
ENERGISERS = (
    "AcSource", "AcLoad", "HipotTester", "SurgeGenerator",
    "DcSupply", "ThermalChamber", "ProgrammableResistor", "Switch", "Fixture",
)  # fmt: skip
ISOLATORS = ("spi", "uart", "scope", "dmm", "high_voltage")  # DR-20: the low-voltage side is treated as live
LAUNCHABLE = ("hil.sim",)
HOST = r"[A-Za-z0-9][A-Za-z0-9._-]*"  # the doctor prints it in a line to be typed, so nothing else
RESOURCE = re.compile(
    rf"TCPIP\d*::{HOST}(,\d+)?(::(hislip\d+|inst\d+|gpib\d+,\d+))?(::INSTR)?|TCPIP\d*::{HOST}::\d+::SOCKET"
    r"|ASRL[^:\s]+::INSTR|USB\d*::[^:\s]+::[^:\s]+::[^:\s]+(::\d+)?(::INSTR)?|GPIB\d*::\d+(::\d+)?(::INSTR)?",
    re.IGNORECASE | re.ASCII,
)
OWN_RESOURCES = {  # of drivers that open themselves: what fits, what is wrong with the rest, an example
    "ftdi": (r"ftdi://[^:/\s]+:[^:/\s]+:[^:/\s]+", "names no FTDI device by its serial", "ftdi://ftdi:4232h:HILFIX01"),
    "snmp": (
        rf"snmp://([^@/?#\s]+@)?{HOST}(:\d+)?/\d+(\?write=[^&#\s]+)?",
        "names no port of a switch",
        "snmp://public@192.0.2.20:161/1",
    ),
    "modbus": (
        rf"modbus://{HOST}(:\d+)?/\d+(\?[a-z]+=\w+(&[a-z]+=\w+)*)?",
        "names no Modbus unit",
        "modbus://192.0.2.21:502/1",
    ),
    "nic": (r"nic://[A-Za-z0-9._-]{1,15}", "names no network interface", "nic://eth1"),
    "operator": (r"operator://[^/?#]*", "names no operator", "operator:// or operator://UCS 500N5"),
}
URL = re.compile(rf"https?://{HOST}(:\d+)?", re.ASCII)
HOST_PORT = re.compile(rf"{HOST}:\d+", re.ASCII)
UNIT_ADDRESSES = {  # of the unit, by key: what fits, and an example
    "unit_http": (URL, "http://192.0.2.50"),
    "unit_ethernet": (URL, "http://192.0.2.51"),
    "unit_echo": (HOST_PORT, "192.0.2.51:7"),
}
PROBED_UNITS = ("V", "A")


class _Calibration(Strict):
    certificate: Text
    laboratory: Text
    date: datetime.date
    due: datetime.date


class _Instrument(Strict):
    driver: Text
    resource: Text | None = None
    serial: Text | None = None
    calibration: _Calibration | None = None


class _Laboratory(Strict):
    name: Text
    address: Text


class _Probe(Strict):
    unit: Text
    factor: float
    bandwidth_hz: Annotated[float, Field(gt=0.0)]
    accuracy: Annotated[float, Field(gt=0.0, lt=1.0)]
    model: Text | None = None


class _Station(Strict):
    launch: Text | None = None
    slots: Annotated[int, Field(ge=1)]
    unit_http: Text | None = None
    unit_ethernet: Text | None = None
    unit_echo: Text | None = None
    isolators: list[str]
    safe_state: list[str]
    operator: Text | None = None
    signing: signing_table.SigningTable | None = None
    laboratory: _Laboratory
    instruments: dict[str, _Instrument]
    wiring: dict[Name, Annotated[int, Field(ge=1)]]
    probes: dict[Name, _Probe] = Field(default_factory=dict)


class _File(Strict):
    stations: Annotated[dict[Name, _Station], Field(min_length=1)]


# where a table's keys are fixed; elsewhere they are names: of stations, roles, points
_KEYS: tuple[tuple[tuple[str, ...], type[Strict]], ...] = (
    ((), _File),
    (("stations", "*"), _Station),
    (("stations", "*", "laboratory"), _Laboratory),
    (("stations", "*", "signing"), signing_table.SigningTable),
    (("stations", "*", "instruments", "*"), _Instrument),
    (("stations", "*", "instruments", "*", "calibration"), _Calibration),
    (("stations", "*", "probes", "*"), _Probe),
)


def check(text: str, file: str) -> tuple[dict[str, StationConfig], list[Mistake]]:
    """Return the stations by name, and every mistake in the order of the lines; with a mistake, no stations."""
    readable, values, torn = loads_all(text)
    lines = key_lines(readable)
    values = {key: value for key, value in values.items() if not key.startswith("unreadable-")}
    parsed, flaws = parse(_File, values, _KEYS)
    drivers, stations = read_drivers(), values.get("stations")
    for name, station in stations.items() if isinstance(stations, dict) else ():
        if isinstance(station, dict):
            flaws += [(("stations", name, *path), what, hint) for path, what, hint in _contradictions(station, drivers)]
    flaws = _causes(flaws, {one.key.rpartition(".")[2] for one in torn})
    mistakes = as_mistakes(file, lines, torn, flaws)
    if mistakes or parsed is None:
        return {}, mistakes
    folder = Path(file).parent
    return {name: _frozen(name, station, folder) for name, station in parsed.stations.items()}, []


def _causes(flaws: list[Flaw], unreadable: set[str]) -> list[Flaw]:
    """Leave out what is missing only because its line is not TOML, or its key is misspelt: that is reported already."""
    misspelt = {(path[:-1], hint) for path, _, hint in flaws}
    kept = []
    for path, what, hint in flaws:
        causes = {path[-1], "launch"} if path[-1] == "resource" else {path[-1]}
        follows = bool(causes & unreadable) or (path[:-1], f"did you mean {path[-1]!r}?") in misspelt
        if not (what.endswith("is missing") and follows):
            kept.append((path, what, hint))
    return kept


def _contradictions(station: Mapping[str, Any], drivers: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield (path, what, hint) for what no type can say. The station may have any shape."""
    launch = station.get("launch")
    if isinstance(launch, str) and launch not in LAUNCHABLE:
        yield ("launch",), f"{launch!r} cannot be launched", did_you_mean(launch, LAUNCHABLE)
    yield from _unit_addresses(station, launched=launch is not None)
    yield from signing_table.flaws(station.get("signing"))
    instruments = _table(station, "instruments")
    yield from _instruments(instruments, drivers, launched=launch is not None)
    yield from _wiring(_table(station, "wiring"))
    yield from _probes(_table(station, "probes"), _table(station, "wiring"))
    yield from _list(station, "isolators", ISOLATORS)
    roles = REQUIRED_ROLES + OPTIONAL_ROLES
    yield from _list(station, "safe_state", [role for role in roles if role in instruments] or roles)
    named = station.get("safe_state")
    meant = {closest(str(role), roles) for role in named} if isinstance(named, list) else set(ENERGISERS)
    for role in ENERGISERS:
        if role not in meant and role in instruments:
            yield ("safe_state",), f"{role} is not in it", f"add {role!r}: it must be made safe"
    yield from _in_turn(named)


def _in_turn(named: object) -> Iterator[Flaw]:
    """Yield what would be parted from the unit before it is made safe."""
    for later, first in BEHIND.items():
        if isinstance(named, list) and {later, first} <= {*map(str, named)} and named.index(later) < named.index(first):
            yield ("safe_state", named.index(later)), f"{later} comes before {first}", f"put it behind {first!r}"


def _unit_addresses(station: Mapping[str, Any], *, launched: bool) -> Iterator[Flaw]:
    for key, (pattern, example) in UNIT_ADDRESSES.items():
        address = station.get(key)
        if launched and address is not None:
            yield (key,), "a launched station says itself where its unit is", "remove this key"
        elif isinstance(address, str) and address and not pattern.fullmatch(address):
            yield (key,), f"{address!r} is no such address", f"as in {example}"


def _table(station: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = station.get(key)
    return value if isinstance(value, dict) else {}


def _instruments(instruments: Mapping[str, Any], drivers: Mapping[str, str], *, launched: bool) -> Iterator[Flaw]:
    roles = read_roles()
    for role in REQUIRED_ROLES:
        if role not in instruments:
            yield (
                ("instruments", role),
                f"the role {role} is missing",
                f"add a table [stations.NAME.instruments.{role}]",
            )
    taken: dict[str, str] = {}
    for role, entry in instruments.items():
        here: KeyPath = ("instruments", role)
        if role not in roles:
            yield here, "there is no such role", did_you_mean(role, roles)
        if not isinstance(entry, dict):
            continue
        driver, resource = entry.get("driver"), entry.get("resource")
        if isinstance(driver, str) and driver not in drivers:
            yield (*here, "driver"), f"there is no driver {driver!r}", did_you_mean(driver, drivers)
        elif isinstance(driver, str) and role in roles and drivers[driver] != role:
            fitting = ", ".join(name for name, filled in drivers.items() if filled == role)
            yield (*here, "driver"), f"{driver} is a driver for {drivers[driver]}, not for {role}", f"known: {fitting}"
        if launched and resource is not None:
            yield (*here, "resource"), "a launched station says itself where its instruments are", "remove this key"
        elif not launched and resource is None:
            yield (*here, "resource"), "this key is missing", "a real instrument needs its address"
        elif isinstance(resource, str):
            yield from _resource((*here, "resource"), resource, role, taken)
        yield from _calibration((*here, "calibration"), entry.get("calibration"))


def _resource(path: KeyPath, resource: str, role: str, taken: dict[str, str]) -> Iterator[Flaw]:
    scheme = resource.partition(":")[0].lower()
    if scheme in OWN_RESOURCES:
        pattern, what, example = OWN_RESOURCES[scheme]
        if not re.fullmatch(pattern, resource, re.ASCII):
            yield path, f"{without_secrets(resource)!r} {what}", f"as in {example}"
    elif not RESOURCE.fullmatch(resource):
        yield path, f"{resource!r} is no VISA resource", "as in TCPIP::192.0.2.10::hislip0::INSTR"
    other = taken.setdefault(same_address(resource), role)
    if other != role:
        yield path, f"{other} has this address already", "two instruments cannot share one"


def _calibration(path: KeyPath, calibration: object) -> Iterator[Flaw]:
    if not isinstance(calibration, dict):
        return
    made, due = calibration.get("date"), calibration.get("due")
    if type(made) is datetime.date and type(due) is datetime.date and due <= made:
        yield (*path, "due"), f"{due} is not after the calibration of {made}", "are the two swapped?"


def _wiring(wiring: Mapping[str, Any]) -> Iterator[Flaw]:
    points: dict[int, str] = {}
    for point, channel in wiring.items():
        if type(channel) is int and points.setdefault(channel, point) != point:
            yield ("wiring", point), f"channel {channel} is wired to {points[channel]!r} already", ""


def _probes(probes: Mapping[str, Any], wiring: Mapping[str, Any]) -> Iterator[Flaw]:
    for point, probe in probes.items():
        here: KeyPath = ("probes", point)
        if point not in wiring:
            yield here, "the wiring has no such point", did_you_mean(point, wiring)
        if not isinstance(probe, dict):
            continue
        unit = probe.get("unit")
        if isinstance(unit, str) and unit and unit not in PROBED_UNITS:
            yield (*here, "unit"), f"a probe of {unit!r} means nothing here", did_you_mean(unit, PROBED_UNITS)
        if probe.get("factor") == 0:
            yield (*here, "factor"), "this must not be 0", "give the unit per volt at the oscilloscope, as in 500.0"


def _list(station: Mapping[str, Any], key: str, known: tuple[str, ...] | list[str]) -> Iterator[Flaw]:
    values = station.get(key)
    if not isinstance(values, list):
        return
    for index, value in enumerate(values):
        if isinstance(value, str) and value not in known:
            yield (key, index), f"{value!r} means nothing here", did_you_mean(value, known)
        elif value in values[:index]:
            yield (key, index), f"{value!r} stands here twice", ""


def _frozen(name: str, station: _Station, folder: Path) -> StationConfig:
    return StationConfig(
        name=name,
        launch=station.launch or "",
        slots=station.slots,
        unit_http=station.unit_http or "",
        unit_ethernet=station.unit_ethernet or "",
        unit_echo=station.unit_echo or "",
        isolators=tuple(station.isolators),
        safe_state=tuple(station.safe_state),
        operator=station.operator or "",
        signing=signing_table.frozen(station.signing, folder),
        laboratory=station.laboratory.model_dump(),
        instruments={role: _frozen_instrument(role, one) for role, one in station.instruments.items()},
        wiring=dict(station.wiring),
        probes={
            point: Probe(**{**one.model_dump(), "model": one.model or ""}) for point, one in station.probes.items()
        },
    )


def _frozen_instrument(role: str, entry: _Instrument) -> InstrumentConfig:
    calibration = Certificate(**entry.calibration.model_dump()) if entry.calibration else None
    return InstrumentConfig(role, entry.driver, entry.resource or "", entry.serial or "", calibration)
