"""stations.toml chooses among what there is: it names no code to run, no command, and nothing that acts as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.cli import main
from hil.station.config import load_stations
from tests.security import evil

SHIPPED = (Path(__file__).parents[2] / "stations.toml").read_text(encoding="utf-8")
SCOPE = 'resource = "TCPIP::192.0.2.14::hislip0::INSTR"'
SURGE = 'resource = "ASRL/dev/ttyUSB0::INSTR"'
PARTNER = 'resource = "snmp://public@192.0.2.20:161/1?write=private"'
PARTNER_DRIVER = 'driver = "snmp_switch"\n' + PARTNER


def with_change(folder: Path, old: str, new: str) -> Path:
    """Write the shipped file with one change."""
    assert SHIPPED.count(old) >= 1
    path = folder / "stations.toml"
    path.write_text(SHIPPED.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('launch = "hil.sim"', 'launch = "http.server"'),
        ('launch = "hil.sim"', 'launch = "hil.sim.bench"'),
        ('launch = "hil.sim"', 'launch = "-c"'),
        ('launch = "hil.sim"', 'launch = "hil.sim\\n"'),
        ('driver = "keysight_dsox"', 'driver = "os"'),
        ('driver = "keysight_dsox"', 'driver = "../links/visa"'),
        ('driver = "keysight_dsox"', 'driver = "keysight_dsox.os"'),
        ('driver = "keysight_dsox"', 'driver = "roles"'),
        ("stations.bench-1", 'stations."../x"'),
        ("stations.bench-1", 'stations."x\\u001b[2J"'),
        ("stations.bench-1", 'stations."--help"'),
        ("stations.bench-1", 'stations."a\\nb"'),
        ("stations.bench-1", 'stations.""'),
        ('"scope1.K1.SET" = 101', '"scope1;*RST" = 101'),
        ('"scope1.K1.SET" = 101', '"<script>" = 101'),
        ('name = "Example Laboratory"', 'name = "Example\\u202eyrotarobaL"'),
        ('name = "Example Laboratory"', 'name = "Example\\u001b]0;x\\u0007"'),
        ('name = "Example Laboratory"', 'name = "one\\ntwo"'),
        ('certificate = "SC-2026-0088"', f'certificate = "{"x" * 201}"'),
        ('serial = "MY58100001"', 'serial = "MY58100001\\u0000"'),
        ('unit_http = "http://192.0.2.50"', 'unit_http = "http://192.0.2.50@evil"'),
        ('unit_http = "http://192.0.2.50"', 'unit_http = "http://192.0.2.50?x"'),
        ('unit_http = "http://192.0.2.50"', 'unit_http = "file://192.0.2.50"'),
        ('unit_echo = "192.0.2.51:7"', 'unit_echo = "$(reboot):7"'),
        (SCOPE, 'resource = "TCPIP::$(reboot)::hislip0::INSTR"'),
        (SCOPE, 'resource = "TCPIP::;reboot::hislip0::INSTR"'),
        (SCOPE, 'resource = "TCPIP::-f::hislip0::INSTR"'),
        (SCOPE, 'resource = "TCPIP::h\\nx::hislip0::INSTR"'),
        (SCOPE, 'resource = "TCPIP::192.0.2.14::hislip0::INSTR\\n"'),
        (SCOPE, 'resource = "TCPIP::192.0.2.\u0661::hislip0::INSTR"'),
        (SCOPE, 'resource = "TCPIP::192.0.2.14::50\u0662\u0665::SOCKET"'),
        (SURGE, 'resource = "ASRL/dev/tty\\u001b[2J::INSTR"'),
        (SURGE, 'resource = "ASRL/dev/x y::INSTR"'),
        (PARTNER, 'resource = "snmp://public@$(reboot)/1"'),
        (PARTNER, 'resource = "snmp://public@192.0.2.20/1?write=a\\u0000b"'),
        (PARTNER_DRIVER, 'driver = "linux_nic"\nresource = "nic://eth1;reboot"'),
        (PARTNER_DRIVER, 'driver = "linux_nic"\nresource = "nic://../eth1"'),
        ('"ftdi://ftdi:4232h:HILFIX01"', '"ftdi://ftdi:4232h:HIL FIX"'),
        ('isolators = ["spi"', 'isolators = ["\\u001b[2J"'),
        ('safe_state = ["AcSource"', 'safe_state = ["../AcSource"'),
    ],
)  # fmt: skip
def test_a_line_that_means_harm_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str):
    """It is named with its line, exit 4, and shown as text; no station of the file is used."""
    path = with_change(tmp_path, old, new)
    exit_code = main(["station", "list", "--stations", str(path)])
    said = capsys.readouterr()

    assert (exit_code, said.out) == (4, "")
    assert all(f"{path}:" in line for line in said.err.splitlines())
    assert not evil.ACTS.search(said.err)
    assert "private" not in said.err


def test_what_benches_have_is_no_mistake(tmp_path: Path):
    """Names by DNS, ports of devices, a link partner in this computer."""
    text = SHIPPED.replace(PARTNER_DRIVER, 'driver = "linux_nic"\nresource = "nic://enx00e04c680001"')
    for old, new in (
        (SCOPE, 'resource = "TCPIP0::scope-2.lab.example::hislip0::INSTR"'),
        (SURGE, 'resource = "ASRL/dev/serial/by-id/usb-FTDI_USB_Serial_Converter_FT0001-if00-port0::INSTR"'),
        ('unit_http = "http://192.0.2.50"', 'unit_http = "http://unit_1.lab.example:8080"'),
        ('name = "Example Laboratory"', 'name = "Prüflabor Nord, 5\u202fµΩ & Co"'),
    ):
        text = text.replace(old, new)
    path = tmp_path / "stations.toml"
    path.write_text(text, encoding="utf-8")

    assert load_stations(path)["bench-1"].instruments["LinkPartner"].resource == "nic://enx00e04c680001"
