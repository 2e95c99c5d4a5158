"""stations.toml, and whether somebody listens where it says; identification is the matter of `hil station check`."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hil.doctor.computer import ftdi_devices
from hil.doctor.finding import Finding

if TYPE_CHECKING:
    from hil.station.config import StationConfig

CONNECT_DEADLINE_S = 1.5
START_DEADLINE_S = 20.0
HISLIP_PORT, PORTMAPPER_PORT = 4880, 111  # IVI-6.1; VXI-11 asks the port mapper first
SNMP_PORT, MODBUS_PORT = 161, 502
_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)
_LAN = re.compile(r"TCPIP\d*::(?P<host>[^:]+)(::(?P<device>[^:]+))?(::INSTR)?", re.IGNORECASE)
_SERIAL_PORT = re.compile(r"ASRL(?P<port>.+?)::INSTR", re.IGNORECASE)
_FTDI = re.compile(r"ftdi://[^:]+:[^:]+:(?P<serial>[^:/]+)")
_SNMP = re.compile(r"snmp://((?P<community>[^@/]+)@)?(?P<host>[^:/]+)(:(?P<port>\d+))?/\d+(\?.*)?")
_MODBUS = re.compile(r"modbus://(?P<host>[^:/]+)(:(?P<port>\d+))?/\d+(\?.*)?")
SYS_UP_TIME = bytes.fromhex("2b06010201010300")  # 1.3.6.1.2.1.1.3.0, SNMPv2-MIB


def file(path: Path) -> Iterator[Finding]:
    """Has stations.toml mistakes?"""
    from hil.station.config import StationsInvalid, load_stations

    try:
        stations = load_stations(path)
    except StationsInvalid as error:
        for mistake in error.mistakes:
            yield Finding("bad", "stations", str(mistake), f"edit {mistake.file}, line {mistake.line}")
    else:
        yield Finding("ok", "stations", ", ".join(stations))


def answers(path: Path, name: str, now: datetime | None = None) -> Iterator[Finding]:
    """Does somebody listen at each address of the station, and are its calibrations in date?"""
    from hil.station.config import load_stations, pick_station

    config = pick_station(load_stations(path), name)
    if config.launch:
        yield from _launched(config)
        return
    with ThreadPoolExecutor() as pool:
        resources = {role: one.resource for role, one in config.instruments.items()}
        yield from pool.map(_reach, resources, resources.values())
    yield from _calibrations(config, (now or datetime.now(UTC)).date())


def _launched(config: StationConfig) -> Iterator[Finding]:
    """Start the simulated station, knock at every door, and end it."""
    command = [sys.executable, "-m", config.launch, "--serial", "SP-000000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            select.select([process.stdout], [], [], START_DEADLINE_S)
            os.set_blocking(process.stdout.fileno(), False)
            line = process.stdout.readline()
            if not line:
                process.kill()
                words = process.stderr.read().decode(errors="replace").strip().splitlines()
                yield Finding(
                    "bad", config.name, f"did not start: {words[-1] if words else 'no word from it'}", "make test"
                )
                return
            said = json.loads(line)
            for role, one in said["instruments"].items():
                resource = one["resource"]
                yield _knock(role, *_split(said["usb"])) if _FTDI.match(resource) else _reach(role, resource)
        finally:
            process.kill()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def _reach(role: str, resource: str) -> Finding:
    """Say whether somebody listens at a resource; nothing is sent."""
    if match := _SOCKET.fullmatch(resource):
        return _knock(role, match["host"], int(match["port"]))
    if match := _FTDI.match(resource):
        if match["serial"] in ftdi_devices():
            return Finding("ok", role, f"FTDI {match['serial']} is plugged in")
        return Finding("bad", role, f"no FTDI device with serial {match['serial']} is plugged in", "lsusb -d 0403: -v")
    if match := _SERIAL_PORT.fullmatch(resource):
        return _serial_port(role, Path(match["port"]))
    if match := _SNMP.fullmatch(resource):
        return _ask_snmp(role, match["community"] or "public", match["host"], int(match["port"] or SNMP_PORT))
    if match := _MODBUS.fullmatch(resource):
        return _knock(role, match["host"], int(match["port"] or MODBUS_PORT))
    if resource.startswith("operator://"):
        return Finding("ok", role, "the operator is asked, so runs need a terminal")
    if match := _LAN.fullmatch(resource):
        return _knock(role, *_lan_address(match["host"], match["device"] or ""))
    return Finding("warn", role, f"{resource}: not tried from here", "hil station check")


def _serial_port(role: str, port: Path) -> Finding:
    if not port.exists():
        return Finding("bad", role, f"there is no {port}: is its cable plugged in?", "ls -l /dev/serial/by-id")
    if not os.access(port, os.R_OK | os.W_OK):
        return Finding("bad", role, f"{port} may not be opened by this user", f"sudo adduser $USER {port.group()}")
    return Finding("ok", role, f"{port} can be opened")


def _ask_snmp(role: str, community: str, host: str, port: int) -> Finding:
    """Ask an SNMP agent how long it has been up: UDP has no door to knock at."""

    def field(tag: int, content: bytes) -> bytes:
        return bytes((tag, len(content))) + content  # BER; short lengths only

    binding = field(0x30, field(0x30, field(0x06, SYS_UP_TIME) + field(0x05, b"")))
    request = field(0xA0, field(0x02, b"\1") + 2 * field(0x02, b"\0") + binding)
    message = field(0x30, field(0x02, b"\1") + field(0x04, community.encode()) + request)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.settimeout(CONNECT_DEADLINE_S)
        try:
            agent.connect((host, port))
            agent.send(message)
            agent.recv(1500)
        except OSError as error:
            what = f"no SNMP answer from {host}:{port} to the community of stations.toml: {error}"
            return Finding("bad", role, what, f"ping -c 3 {host}")
    return Finding("ok", role, f"an SNMP agent answers at {host}:{port}")


def _lan_address(host: str, device: str) -> tuple[str, int]:
    """Return where to knock; a port may follow the device, as in hislip0,49152, or pyvisa-py's host, for VXI-11."""
    name, _, port = device.partition(",")
    host, _, vxi11_port = host.partition(",")
    if name.lower().startswith("hislip"):
        return host, int(port or HISLIP_PORT)
    return host, int(vxi11_port or PORTMAPPER_PORT)


def _knock(role: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), timeout=CONNECT_DEADLINE_S).close()
    except OSError as error:
        return Finding("bad", role, f"nobody listens at {host}:{port}: {error}", f"ping -c 3 {host}")
    return Finding("ok", role, f"somebody listens at {host}:{port}")


def _calibrations(config: StationConfig, today: date) -> Iterator[Finding]:
    from hil.plans.calibration import CalibrationRules
    from hil.run.calibrations import troubles

    for role, trouble in troubles(config, CalibrationRules(), today):
        yield Finding("warn", role, trouble, f"ls calibrations/{config.name}")
    for role, one in config.instruments.items():
        if (calibration := one.calibration) is not None:
            for note in calibration.notes:
                yield Finding("warn", role, f"calibration {calibration.certificate}: {note}")
