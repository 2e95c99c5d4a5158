"""A healthy unit passes, and what its certificate says of latencies agrees with the world's own log.

The drivers never see that log. It is one test because each worker of a spread run would make the module's run anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.clock import StationControl
from hil.journal.events import Measurement
from hil.metrology.budget import coverage_factor
from tests.certification.certify import ROOT, Certified, certify

SERIAL = "SP-000123"
SHORTEST_NTC_OHM = 2000.0  # less is hot: about 66 degrees Celsius

Happening = dict[str, Any]
Measured = list[tuple[float, Measurement]]  # with the bench time of its line


def certified_with_the_worlds_log(runs: Path) -> tuple[Certified, Measured, list[Happening]]:
    """Make a whole run on a station that outlives it: what it measured and when, and what really happened."""
    command = [sys.executable, "-m", "hil.sim", "--serial", SERIAL, "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())["control"]
            done = certify(SERIAL, runs, "--attach", where)
            host, _, port = where.rpartition(":")
            control = StationControl(host, int(port))
            happened = control.ask("events")["events"]
            control.close()
        finally:
            process.terminate()
    measured = [(e.bench_s, e.event) for e in done.journal.entries if isinstance(e.event, Measurement)]
    return done, measured, happened


def test_a_healthy_unit_passes_and_its_latencies_were_what_the_certificate_says(tmp_path: Path) -> None:
    """Exit code 0; finding DR-01 is the one waiver."""
    done, measured, happened = certified_with_the_worlds_log(tmp_path)

    assert done.exit_code == 0, done.output
    assert done.summary.verdict.value == "pass"
    assert {r.verdict.value for r in done.summary.requirements if r.required} == {"pass", "waived"}
    assert {r.id for r in done.summary.requirements if r.verdict.value == "waived"} == {"ETH-09"}
    assert done.folder is not None
    assert (done.folder / "certificate.html").is_file()
    assert (done.folder / "junit.xml").is_file()
    check_thermal_trips(measured, happened)
    check_over_currents(measured, happened)
    check_relays(measured, happened)


def expanded_s(one: Measurement) -> float:
    """Return the stated expanded uncertainty."""
    assert one.u is not None
    return coverage_factor(one.dof) * one.u


def named(measured: Measured, base: str) -> Measured:
    """Return the measurements of one kind with the bench time of their lines."""
    found = [(at_s, one) for at_s, one in measured if one.name.partition("[")[0] == base]
    assert found, f"nothing called {base} was measured"
    return found


def check_thermal_trips(measured: Measured, happened: list[Happening]) -> None:
    """From the step at the NTC to the first opening of that socket's contact."""
    for at_s, one in named(measured, "thermal.latency"):
        relay = f"K{one.point['socket']}"
        before = [e for e in happened if e["t_s"] < at_s]
        hot_s = [e["t_s"] for e in before if e["kind"] == "ntc" and (e["ohm"] or 1e9) < SHORTEST_NTC_OHM][-1]
        opened_s = next(
            e["t_s"]
            for e in before
            if e["kind"] == "contact" and e["relay"] == relay and not e["closed"] and e["t_s"] > hot_s
        )
        assert one.value == pytest.approx(opened_s - hot_s, abs=expanded_s(one)), one.name


def check_over_currents(measured: Measured, happened: list[Happening]) -> None:
    """From the load's onset to the last contact's opening, less the hold time."""
    holds_s = {"3.3A": 10.0, "4A": 1.0}
    for at_s, one in named(measured, "overcurrent.latency"):
        load = one.point["load"]
        relays = {"K1", "K2", "K3", "K4"} if load == "all" else {f"K{load[-1]}"}
        before = [e for e in happened if e["t_s"] < at_s]
        open_s = [e["t_s"] for e in before if e["kind"] == "contact" and e["relay"] in relays and not e["closed"]]
        onset_s = [e["t_s"] for e in before if e["kind"] == "load" and e["on"] and e["t_s"] < max(open_s)][-1]
        last_s = max(at for at in open_s if at > onset_s)
        assert one.value == pytest.approx(last_s - onset_s - holds_s[one.point["trip"]], abs=expanded_s(one)), one.name


def check_relays(measured: Measured, happened: list[Happening]) -> None:
    """From the coil's edge to the contact's first: the pair of events that fits must be there for each relay."""
    for at_s, one in named(measured, "relay.operate_time"):
        relay, action = one.point["relay"], one.point["action"]
        assert one.value is not None
        best_s = float("inf")
        pulses = [e for e in happened if e["kind"] == "coil" and e["coil"] == f"{relay}.{action}" and e["on"]]
        for pulse in (e for e in pulses if e["t_s"] < at_s):
            moved = (e["t_s"] for e in happened if e["kind"] == "contact" and e["relay"] == relay)
            first_s = next((t_s for t_s in moved if t_s > pulse["t_s"]), None)
            if first_s is not None:
                best_s = min(best_s, abs(first_s - pulse["t_s"] - one.value))
        assert best_s <= expanded_s(one), one.name
