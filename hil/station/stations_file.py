"""Check the text of stations.toml: its syntax, its shape (pydantic), and what must hold between its entries."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from hil.instruments.probe import Probe
from hil.names import LONGEST_TEXT, PLAIN_NAME, what_is_wrong, without_secrets
from hil.station.address import same_address
from hil.station.config import Calibration, InstrumentConfig, Mistake, StationConfig
from hil.station.drivers import read_drivers, read_roles
from hil.station.suggest import closest, did_you_mean
from hil.station.toml_lines import KeyPath, key_lines
from hil.station.toml_recovery import loads_all

REQUIRED_ROLES = ("AcSource", "PowerMeter", "AcLoad", "Scope", "DcSupply", "Dmm", "Switch", "Fixture")
OPTIONAL_ROLES = ("ProgrammableResistor", "SurgeGenerator", "LinkPartner")  # without: not covered, says the certificate
# what the safe state must name, where there is one
ENERGISERS = ("AcSource", "AcLoad", "SurgeGenerator", "DcSupply", "ProgrammableResistor", "Switch", "Fixture")
ISOLATORS = ("spi", "uart", "scope", "dmm")  # DR-20: the low-voltage side is treated as live
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
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
Flaw = tuple[KeyPath, str, str]  # where, what, and a hint or nothing


def _readable(text: str) -> str:
    """Refuse text that cannot stand on one line of a certificate or a terminal."""
    if why := what_is_wrong(text, LONGEST_TEXT):
        raise PydanticCustomError("unreadable", "{why}", {"why": why})
    return text


def _plain(name: str) -> str:
    """Refuse a name that could be taken for a path, an option or a command."""
    if not PLAIN_NAME.fullmatch(name):
        raise PydanticCustomError("no_plain_name", "a name is up to 64 letters, digits, '.', '_' and '-'")
    return name


_Text = Annotated[str, Field(min_length=1), AfterValidator(_readable)]
_Name = Annotated[str, AfterValidator(_plain)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Calibration(_Strict):
    certificate: _Text
    laboratory: _Text
    date: datetime.date
    due: datetime.date


class _Instrument(_Strict):
    driver: _Text
    resource: _Text | None = None
    serial: _Text | None = None
    calibration: _Calibration | None = None


class _Laboratory(_Strict):
    name: _Text
    address: _Text


class _Probe(_Strict):
    unit: _Text
    factor: float
    bandwidth_hz: Annotated[float, Field(gt=0.0)]
    accuracy: Annotated[float, Field(gt=0.0, lt=1.0)]
    model: _Text | None = None


class _Station(_Strict):
    launch: _Text | None = None
    slots: Annotated[int, Field(ge=1)]
    unit_http: _Text | None = None
    unit_ethernet: _Text | None = None
    unit_echo: _Text | None = None
    isolators: list[str]
    safe_state: list[str]
    laboratory: _Laboratory
    instruments: dict[str, _Instrument]
    wiring: dict[_Name, Annotated[int, Field(ge=1)]]
    probes: dict[_Name, _Probe] = {}


class _File(_Strict):
    stations: Annotated[dict[_Name, _Station], Field(min_length=1)]


# where a table's keys are fixed; elsewhere they are names: of stations, roles, points
_KEYS: tuple[tuple[tuple[str, ...], type[_Strict]], ...] = (
    ((), _File),
    (("stations", "*"), _Station),
    (("stations", "*", "laboratory"), _Laboratory),
    (("stations", "*", "instruments", "*"), _Instrument),
    (("stations", "*", "instruments", "*", "calibration"), _Calibration),
    (("stations", "*", "probes", "*"), _Probe),
)
_IN_OTHER_WORDS = {
    "string_type": "text in double quotes is wanted here",
    "int_type": "a whole number is wanted here",
    "float_type": "a number is wanted here",
    "finite_number": "a finite number is wanted here",
    "list_type": "a list in square brackets is wanted here",
    "dict_type": "a table is wanted here",
    "model_type": "a table is wanted here",
    "model_attributes_type": "a table is wanted here",
    "date_type": "a bare date is wanted here, as 2026-03-31 without quotes",
    "date_from_datetime_inexact": "a bare date is wanted here, without a time",
    "string_too_short": "this must not be empty",
    "too_short": "at least one is needed",
    "greater_than_equal": "this must be 1 or more",
    "greater_than": "this must be more than 0",
    "less_than": "this must be less than 1",
    "missing": "this key is missing",
    "extra_forbidden": "there is no such key",
}


def check(text: str, file: str) -> tuple[dict[str, StationConfig], list[Mistake]]:
    """Return the stations by name, and every mistake in the order of the lines; with a mistake, no stations."""
    readable, values, torn = loads_all(text)
    lines = key_lines(readable)
    values = {key: value for key, value in values.items() if not key.startswith("unreadable-")}
    parsed, flaws = _parse(values)
    drivers, stations = read_drivers(), values.get("stations")
    for name, station in stations.items() if isinstance(stations, dict) else ():
        if isinstance(station, dict):
            flaws += [(("stations", name, *path), what, hint) for path, what, hint in _contradictions(station, drivers)]
    flaws = _causes(flaws, {one.key.rpartition(".")[2] for one in torn})
    mistakes = [Mistake(file, one.line, one.key, one.what) for one in torn]
    mistakes += [Mistake(file, _line(lines, path), _spelled(path), what, hint) for path, what, hint in flaws]
    mistakes.sort(key=lambda one: (one.line, one.key))
    if mistakes or parsed is None:
        return {}, mistakes
    return {name: _frozen(name, station) for name, station in parsed.stations.items()}, []


def _parse(values: Mapping[str, Any]) -> tuple[_File | None, list[Flaw]]:
    try:
        return _File.model_validate(values), []
    except ValidationError as error:
        return None, [(_path(flaw), *_in_words(flaw)) for flaw in error.errors()]


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


def _line(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of the key, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _spelled(path: KeyPath) -> str:
    """Write a path as TOML would: names with dots in quotes, places in a list in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if BARE_KEY.fullmatch(part) else f'"{part}"')
    return text


def _path(flaw: ErrorDetails) -> KeyPath:
    return tuple(part for part in flaw["loc"] if part != "[key]")


def _in_words(flaw: ErrorDetails) -> tuple[str, str]:
    what = _IN_OTHER_WORDS.get(flaw["type"], flaw["msg"])
    if flaw["type"] == "extra_forbidden":
        return what, did_you_mean(str(flaw["loc"][-1]), _keys_beside(flaw["loc"]))
    if flaw["type"] == "missing" or not isinstance(flaw["input"], str | int | float):
        return what, ""
    return f"{what}, not {flaw['input']!r}", ""


def _keys_beside(path: KeyPath) -> list[str]:
    for pattern, model in _KEYS:
        if len(pattern) == len(path) - 1 and all(p in {"*", part} for p, part in zip(pattern, path, strict=False)):
            return list(model.model_fields)
    return []


def _contradictions(station: Mapping[str, Any], drivers: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield (path, what, hint) for what no type can say. The station may have any shape."""
    launch = station.get("launch")
    if isinstance(launch, str) and launch not in LAUNCHABLE:
        yield ("launch",), f"{launch!r} cannot be launched", did_you_mean(launch, LAUNCHABLE)
    yield from _unit_addresses(station, launched=launch is not None)
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


def _frozen(name: str, station: _Station) -> StationConfig:
    return StationConfig(
        name=name,
        launch=station.launch or "",
        slots=station.slots,
        unit_http=station.unit_http or "",
        unit_ethernet=station.unit_ethernet or "",
        unit_echo=station.unit_echo or "",
        isolators=tuple(station.isolators),
        safe_state=tuple(station.safe_state),
        laboratory=station.laboratory.model_dump(),
        instruments={role: _frozen_instrument(role, one) for role, one in station.instruments.items()},
        wiring=dict(station.wiring),
        probes={
            point: Probe(**{**one.model_dump(), "model": one.model or ""}) for point, one in station.probes.items()
        },
    )


def _frozen_instrument(role: str, entry: _Instrument) -> InstrumentConfig:
    calibration = Calibration(**entry.calibration.model_dump()) if entry.calibration else None
    return InstrumentConfig(role, entry.driver, entry.resource or "", entry.serial or "", calibration)
