"""Nothing of a bench can be reached from another computer, and a simulated run speaks to none."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.certification.certify import ALONE

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | ALONE | {"PYTHONPATH": str(ROOT)}
Sockets = set[tuple[str, str, str]]  # (process, local address, remote address); with ports


def sockets(process: psutil.Process) -> Sockets:
    """Return the internet sockets of a process and of all it started."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            name = " ".join(one.cmdline()[1:3])
            for connection in one.net_connections(kind="inet"):
                ends = [f"{end.ip} {end.port}" if end else "" for end in (connection.laddr, connection.raddr)]
                found.add((name, *ends))
    return found


def outside(found: Sockets) -> list[tuple[str, str, str]]:
    """Return those with an end that is not this computer's own; a socket that is not bound yet has no end."""
    ends = [(one, end.partition(" ")) for one in found for end in one[1:] if end]
    return [one for one, (ip, _, port) in ends if int(port) and not ipaddress.ip_address(ip).is_loopback]


def test_the_simulated_station_listens_on_loopback_only():
    """TCP and UDP: instruments, USB, the unit's HTTP, its echo, SNMP, control."""
    command = [sys.executable, "-m", "hil.sim", "--json", "--linger", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as station:
        try:
            assert station.stdout is not None
            addresses = json.loads(station.stdout.readline())
            found = sockets(psutil.Process(station.pid))
        finally:
            station.terminate()

    assert {addresses["instruments"]["AcSource"]["resource"].split("::")[2]} <= {one[1].split()[1] for one in found}
    assert len(found) >= 14
    assert outside(found) == []


def runs_processes(run: subprocess.Popen[bytes]) -> Iterator[Sockets]:
    """Yield the sockets of a run again and again until it ends."""
    process = psutil.Process(run.pid)
    while run.poll() is None:
        with suppress(psutil.Error):
            yield sockets(process)
        time.sleep(0.05)


def test_a_run_its_guard_and_its_bench_speak_on_loopback_only(tmp_path: Path):
    """A certification of two tests, watched until it ends: what it binds, and whom it talks to."""
    tests = ROOT / "hil/tests/smart_power/test_before_power.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "hil.plugin",
        str(tests),
        "--serial=SP-000123",
        "-k",
        "interlocks or firmware_boots",
    ]
    command += [f"--runs={tmp_path}", f"--stations={ROOT / 'stations.toml'}"]
    with (tmp_path / "said").open("wb") as said:
        run = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=said, stderr=said)
        found = set().union(*runs_processes(run))
    processes = {one[0] for one in found}

    assert list(tmp_path.glob("*/*/certificate.html")), (tmp_path / "said").read_text()
    journal = next(tmp_path.glob("*/*/journal.jsonl")).read_text()

    assert "snmp://***@127.0.0.1" in journal
    assert "public@" not in journal
    assert {"-m pytest", "-m hil.sim", "-m hil.station.guard"} <= processes
    assert outside(found) == []


def test_what_would_be_outside_is_seen():
    """A socket that listens for everybody is found by the same look."""
    with socket.create_server(("", 0)):
        found = sockets(psutil.Process())

    assert len(outside(found)) == 1
