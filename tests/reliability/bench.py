"""A simulated station in real time, and the truth about it: what is live by the physics, whatever anybody says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.clock import StationControl
from tests.certification.certify import ALONE

ROOT = Path(__file__).parents[2]
SERIAL = "SP-000123"
DEAD_V, DEAD_A = 1e-3, 1e-3
PATIENCE_S = 90.0  # of real time, for what takes a few seconds; the machine may be busy


def environment(**more: str) -> dict[str, str]:
    """Return what a process of ours runs in."""
    return os.environ | ALONE | more


@dataclass(slots=True)
class Bench:
    """A simulated station in real time, and the truth about it."""

    process: subprocess.Popen[str]
    addresses: dict[str, Any]
    control: StationControl

    @property
    def address(self) -> str:
        return str(self.addresses["control"])

    def state(self) -> dict[str, Any]:
        """What the physics does now."""
        return self.control.ask("state")

    def now_s(self) -> float:
        return float(self.control.ask("now")["now_s"])

    def events(self, after_s: float = -1.0) -> list[dict[str, Any]]:
        """What happened in the world after a moment of bench time."""
        return [event for event in self.control.ask("events")["events"] if event["t_s"] > after_s]


@contextmanager
def open_bench(*options: str, real_time: bool = True) -> Iterator[Bench]:
    """Start a simulated station; end it whatever happened."""
    command = [sys.executable, "-m", "hil.sim", "--serial", SERIAL, "--json", "--linger", str(PATIENCE_S), *options]
    command += ["--real-time"] if real_time else []
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        host, _, port = addresses["control"].rpartition(":")
        control = StationControl(host, int(port))
        try:
            yield Bench(process, addresses, control)
        finally:
            control.close()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def unsafe(state: dict[str, Any]) -> list[str]:
    """Name what is live in a state of the bench; nothing is what a safe one has."""
    found = {
        "mains": state["mains_on"] or state["mains_v"] > DEAD_V,
        "load": state["load_on"] or state["load_a"] > DEAD_A,
        "surge generator": state["surge_charged"],
        "high voltage": state["high_voltage_v"] > 0.0,
        "chamber": state["chamber_on"],
        "programmable resistor": state["resistor_connected"],
        "routes": state["closed_channels"],
        "MCU": state["mcu_running"] or not state["held_in_reset"],
    }
    found |= {f"DC output {number}": volts > DEAD_V for number, volts in enumerate(state["dc_outputs_v"], 1)}
    return [name for name, on in found.items() if on]


def energised(state: dict[str, Any]) -> list[str]:
    """Name what of it carries energy to the unit."""
    return [name for name in unsafe(state) if name not in {"routes", "MCU", "chamber", "programmable resistor"}]
