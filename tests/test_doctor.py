"""The doctor, tried by breaking things."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from hil.doctor import computer, examine, software, station
from hil.doctor.finding import Finding
from hil.station.config import load_stations

ROOT = Path(__file__).parents[1]


def doctor(
    *flags: str, hidden: Path | None = None, arguments: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the doctor as a person would, with packages hidden behind broken ones of the same name."""
    environment = {**os.environ, "PYTHONPATH": str(hidden or "")}
    module = "hil.cli" if arguments else "hil.doctor"
    command = [sys.executable, *flags, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)


def broken(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(body, encoding="utf-8")


def levels(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.level for finding in findings}


def test_a_healthy_computer_has_nothing_bad():
    """Where the tests run, nothing that a run needs is missing."""
    findings = list(examine(ROOT / "runs", ROOT / "stations.toml"))

    assert [finding for finding in findings if finding.level == "bad"] == []
    assert {"Python", "packages", "libusb", "disk", "runs", "clock", "USB", "stations"} <= set(levels(findings))


def test_without_any_package_it_runs_and_names_each():
    """-S hides site-packages: every package is named with the line that mends it, and the rest is still checked."""
    done = doctor("-S")

    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    for name in ("pytest", "pyvisa-py", "GTC"):
        assert f"bad  {name}: not installed" in done.stdout
    assert "mend it: make -B setup" in done.stdout
    assert "ok   disk" in done.stdout
    assert "bad  stations: cannot be checked: No module named 'pydantic'" in done.stdout


def test_a_package_that_breaks_or_kills_python_is_named(tmp_path: Path):
    """An import that raises, and one that takes the interpreter down, are findings; the doctor survives both."""
    broken(tmp_path, "GTC", "raise RuntimeError('half installed')")
    broken(tmp_path, "simpy", "import os; os.abort()")
    done = doctor(hidden=tmp_path, arguments=("doctor", "--json"))
    findings = {one["subject"]: one for one in json.loads(done.stdout)}

    assert done.returncode == 4
    assert "half installed" in findings["GTC"]["what"]
    assert "Python died while importing it" in findings["simpy"]["what"]
    assert findings["simpy"]["mend"] == "make -B setup"
    assert findings["disk"]["level"] == "ok"


def test_a_check_that_breaks_is_a_finding_not_the_end(tmp_path: Path):
    """A runs folder below a file cannot be written; a stations.toml that is a folder cannot be read."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    findings = list(examine(tmp_path / "file" / "runs", tmp_path))

    assert levels(findings)["runs"] == "bad"
    assert levels(findings)["stations"] == "bad"


def test_every_mistake_in_stations_toml_is_a_line(tmp_path: Path):
    """The line that mends it names the line to edit."""
    path = tmp_path / "stations.toml"
    path.write_text("stations = 3\ncolour = 'red'\n", encoding="utf-8")
    findings = list(station.file(path))

    assert [finding.level for finding in findings] == ["bad", "bad"]
    assert findings[1].mend == f"edit {path}, line 2"


@pytest.mark.parametrize(
    ("bounds", "version", "allowed"),
    [
        (">=9", "9.2.0", True),
        (">=9", "8.4", False),
        ("==0.8.1", "0.8.1", True),
        ("==0.8.1", "0.8.10", False),
        (">=2,<3", "2.9", True),
        (">=2,<3", "3.0", False),
        ("!=1.0", "1", False),
        (">=1.10", "1.9", False),
        ("", "1", True),
        (">=2.10", "2.10.0rc1", True),
    ],
)
def test_versions_are_compared_as_numbers(bounds: str, version: str, allowed: bool):
    """1.10 is newer than 1.9, and 1 equals 1.0."""
    assert software.allows(bounds, version) is allowed


def test_what_hil_needs_is_read_from_its_own_metadata():
    """Every dependency of pyproject.toml, and none of an extra."""
    asked = software.requirements()

    assert asked["pyvisa-py"] == "==0.8.1"
    assert "ruff" not in asked


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Little space is a warning, none is bad; each comes with the line that shows what fills it."""
    for free_bytes, level in ((10**7, "bad"), (5 * 10**8, "warn"), (10**11, "ok")):
        usage = SimpleNamespace(free=free_bytes)
        monkeypatch.setattr(computer.shutil, "disk_usage", lambda _, usage=usage: usage)
        (finding,) = computer.disk(tmp_path)

        assert finding.level == level


def test_a_date_before_the_checkout_is_bad():
    """A clock that was reset to its epoch would date certificates wrongly."""
    (finding,) = computer.clock(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))

    assert finding.level == "bad"
    assert "timedatectl" in finding.mend


def usb_device(sysfs: Path, vendor: str, serial: str) -> None:
    """Pretend that a device is plugged in, where sysfs would show it; its node does not exist."""
    folder = sysfs / f"1-{serial}"
    folder.mkdir()
    for name, text in (("idVendor", vendor), ("busnum", "250"), ("devnum", "251"), ("serial", serial)):
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


def test_a_fixture_this_user_may_not_open_is_bad(tmp_path: Path):
    """The mending line is a udev rule; other vendors' devices are nobody's business."""
    usb_device(tmp_path, "0403", "HILFIX01")
    usb_device(tmp_path, "1d6b", "HUB")
    (finding,) = computer.ftdi_permissions(tmp_path)

    assert finding.level == "bad"
    assert "HILFIX01" in finding.what
    assert "70-hil.rules" in finding.mend


def real_station(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Write the shipped stations with changes, all addresses on this machine."""
    text = (ROOT / "stations.toml").read_text(encoding="utf-8").replace("192.0.2.", "127.0.0.")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "stations.toml"
    path.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "calibrations", tmp_path / "calibrations")
    return path


def test_a_real_station_is_knocked_at(tmp_path: Path):
    """Who listens is ok, who does not is bad, each with its address; nothing is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        path = real_station(tmp_path, ("127.0.0.13::30000", f"127.0.0.1::{port}"))
        findings = list(station.answers(path, "bench-1"))

    assert levels(findings)["AcLoad"] == "ok"
    assert levels(findings)["Scope"] == "bad"
    assert "127.0.0.14:4880" in next(finding.what for finding in findings if finding.subject == "Scope")
    assert levels(findings)["Fixture"] == "bad"


def test_a_calibration_that_is_overdue_or_missing_is_a_warning(tmp_path: Path):
    """Only of instruments whose readings stand on a certificate."""
    calibration = 'calibration = { certificate = "DM-2026-0054"'
    path = real_station(
        tmp_path,
        (calibration, f"# {calibration}"),
        ("2027-01-19", "2026-01-20"),
    )
    warned = {one.subject: one.what for one in _warnings(path, datetime(2026, 6, 1, tzinfo=UTC))}

    assert set(warned) == {"Dmm", "Scope", "DcSupply"}
    assert warned["Dmm"] == "Dmm has no calibration: its readings are not traceable"
    assert warned["Scope"] == "calibration SC-2026-0088 of Scope was due on 2026-01-20, 132 days ago"


@pytest.mark.parametrize(("day", "warned"), [(30, set()), (31, {"PowerMeter"})])
def test_a_calibration_that_will_soon_be_due_is_a_warning(tmp_path: Path, day: int, warned: set[str]):
    """Thirty days before, not thirty-one."""
    later = ("date = 2026-01-19, due = 2027-01-19", "date = 2027-01-19, due = 2028-01-19")
    path = real_station(tmp_path, later, ("date = 2026-02-09, due = 2027-02-09", later[1]))
    path.write_text(path.read_text(encoding="utf-8").replace("due = 2027-03-02", "due = 2028-03-02"), encoding="utf-8")
    found = _warnings(path, datetime(2027, 1, day, tzinfo=UTC))

    assert {one.subject for one in found} == warned
    assert all("WT-2026-0042 of PowerMeter is due on 2027-03-02, in 30 days" in one.what for one in found)


def _warnings(path: Path, now: datetime) -> list[Finding]:
    return [one for one in station.answers(path, "bench-1", now) if one.level == "warn"]


def test_the_simulated_station_is_started_and_knocked_at():
    """Every door of `sim` opens, and no process of it is left behind."""
    findings = list(station.answers(ROOT / "stations.toml", "sim"))

    assert levels(findings) == dict.fromkeys(load_stations(ROOT / "stations.toml")["sim"].instruments, "ok")


def test_a_serial_port_and_what_cannot_be_tried(tmp_path: Path):
    """A serial port must exist; a USB instrument is left to `hil station check`."""
    port = tmp_path / "ttyUSB0"

    assert "is its cable plugged in?" in station._reach("Dmm", f"ASRL{port}::INSTR").what
    port.touch()
    assert station._reach("Dmm", f"ASRL{port}::INSTR").level == "ok"
    assert station._reach("SurgeGenerator", "operator://").level == "ok"
    assert station._reach("Dmm", "USB0::0x2A8D::0x0101::MY60000003::INSTR").mend == "hil station check"


def test_a_serial_port_of_another_group_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The line that mends it adds the user to the group that the port belongs to."""
    port = tmp_path / "ttyUSB0"
    port.touch()
    monkeypatch.setattr(station.os, "access", lambda *_: False)
    finding = station._reach("SurgeGenerator", f"ASRL{port}::INSTR")

    assert "may not be opened by this user" in finding.what
    assert finding.mend == f"sudo adduser $USER {port.group()}"


def test_an_snmp_agent_is_asked_how_long_it_is_up(monkeypatch: pytest.MonkeyPatch):
    """UDP cannot be knocked at: an answer is ok, silence is bad; the question is one of SNMPv2c (RFC 3416)."""
    monkeypatch.setattr(station, "CONNECT_DEADLINE_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(5.0)
        resource = f"snmp://public@127.0.0.1:{agent.getsockname()[1]}/3"
        silent = station._reach("LinkPartner", resource)
        asked, _ = agent.recvfrom(1500)
        answering = Thread(target=lambda: agent.sendto(b"0", agent.recvfrom(1500)[1]))
        answering.start()
        answered = station._reach("LinkPartner", resource)
        answering.join()

    assert (silent.level, answered.level) == ("bad", "ok")
    assert asked.hex() == "302602010104067075626c6963a019020101020100020100300e300c06082b060102010103000500"
