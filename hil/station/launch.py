"""Start the simulated station as a process of its own, or join one that is open."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from hil.clock import BenchClock, ControlRefused, RealClock, StationClock, StationControl
from hil.errors import NotConnected, SetupError

START_DEADLINE_S = 20.0
LAST_PORT = 65535
LINGER_S = 30.0  # how long an abandoned simulated bench stays as it was left


@dataclass(slots=True)
class SimulatedStation:
    """An open simulated station: where its instruments are, its clock, and the process if we started it."""

    addresses: dict[str, Any]
    control: StationControl
    clock: StationClock
    process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Close the control connection, and end the process if this run started it."""
        self.control.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)


def start(module: str, arguments: list[str]) -> SimulatedStation:
    """Start `python -m module` and wait for the line that names its addresses; raises SetupError with its own words."""
    command = [sys.executable, "-m", module, *arguments, "--json", "--linger", str(LINGER_S)]
    # a session of its own: Ctrl-C in our terminal must not switch a bench off behind our back
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    timer = threading.Timer(START_DEADLINE_S, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if not line:
        assert process.stderr is not None
        words = process.stderr.read().decode(errors="replace").strip()
        process.wait()
        raise SetupError(words.splitlines()[-1] if words else f"{module} did not start, and did not say why")
    station = join_addresses(json.loads(line))
    station.process = process
    if process.stdout is not None:
        process.stdout.close()
    if process.stderr is not None:
        threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
    return station


def join(where: str) -> SimulatedStation:
    """Join an open simulated station by its control address, host:port."""
    control = _control(where)
    addresses = control.ask("addresses")
    control.close()
    return join_addresses(addresses)


def join_addresses(addresses: dict[str, Any]) -> SimulatedStation:
    """Connect to the control socket the addresses name, and take the clock that fits its time."""
    control = _control(str(addresses["control"]))
    clock: StationClock = BenchClock(control) if control.ask("hello")["time"] == "bench" else RealClock()
    return SimulatedStation(addresses, control, clock)


def _control(where: str) -> StationControl:
    host, _, port = where.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > LAST_PORT:
        raise SetupError(f"{where!r} is no address", "give it as HOST:PORT, as 'hil sim' prints it")
    try:
        return StationControl(host, int(port))
    except (OSError, ControlRefused) as error:
        raise NotConnected("simulated station", where, str(error)) from error


def _drain(stream: Any) -> None:
    with stream:
        for line in stream:
            sys.stderr.write(line.decode(errors="replace"))
