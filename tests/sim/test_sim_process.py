"""The simulated station as its users start it: a process, its first line, its control socket, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from serving import opened

from hil.clock import BenchClock, ControlRefused, StationControl

ROLES = {"AcSource", "PowerMeter", "AcLoad", "Scope", "DcSupply", "Dmm", "Switch", "Fixture"}
ROLES |= {"ProgrammableResistor", "SurgeGenerator", "LinkPartner", "HipotTester", "ThermalChamber"}


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with subprocess.Popen(
        [sys.executable, "-m", "hil.sim", "--json", *options], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            yield running, json.loads(running.stdout.readline())
        finally:
            running.terminate()
            running.wait(10)


@contextmanager
def control_of(addresses: dict[str, Any]) -> Iterator[StationControl]:
    host, port = addresses["control"].split(":")
    control = StationControl(host, int(port), timeout_s=10.0)
    try:
        yield control
    finally:
        control.close()


def test_the_first_line_tells_everything_and_comes_soon():
    """Every role has a resource, and nothing heavy is imported on the way."""
    started_s = time.monotonic()
    with process("--serial", "SP-000123") as (running, addresses):
        lasted_s = time.monotonic() - started_s
        assert set(addresses["instruments"]) == ROLES
        assert addresses["pid"] == running.pid
        assert addresses["unit"]["http"].startswith("http://127.0.0.1:")
        assert addresses["unit"]["console"] == "ftdi://ftdi:4232h:HILFIX01/3"

    assert lasted_s < 5.0  # 0.8 s measured; the cores are shared


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number):
    """Exit code 0, even with a client connected."""
    with process() as (running, addresses), opened(addresses["instruments"]["Dmm"]["resource"]) as meter:
        meter.query("*IDN?")
        os.kill(running.pid, number)

        assert running.wait(10) == 0


def test_it_ends_when_nobody_is_connected_any_more():
    """--linger counts from the last connection, not from the start."""
    with process("--linger", "0.4") as (running, addresses):
        with control_of(addresses) as control:
            time.sleep(0.8)
            assert control.ask("now")["now_s"] == 0.0
        assert running.wait(10) == 0


def test_bench_time_passes_only_when_it_is_advanced():
    """An hour takes no time at all."""
    with process() as (_, addresses), control_of(addresses) as control:
        clock = BenchClock(control)
        started_s = time.monotonic()
        clock.sleep(3600.0)

        assert control.ask("hello")["time"] == "bench"
        assert clock.now_s() == 3600.0
        assert time.monotonic() - started_s < 5.0


def test_real_time_passes_by_itself():
    """With --real-time the world follows the wall clock."""
    with process("--real-time") as (_, addresses), control_of(addresses) as control:
        clock = BenchClock(control)
        before_s = clock.now_s()
        clock.sleep(0.2)
        lasted_s = clock.now_s() - before_s

        assert control.ask("hello")["time"] == "real"
        assert 0.2 <= lasted_s < 1.0


def test_a_measurement_takes_its_time_in_real_time():
    """Ten power line cycles with auto-zero are 0.4 s on the wall clock too."""
    with process("--real-time") as (_, addresses), opened(addresses["instruments"]["Dmm"]["resource"]) as meter:
        meter.query("*IDN?")
        started_s = time.monotonic()
        meter.query("MEAS:VOLT:DC?")

        assert 0.35 < time.monotonic() - started_s < 1.5


def test_the_operator_and_the_log_are_at_the_control_socket():
    """Lid, emergency stop, events and faults; what is not understood is refused with a reason."""
    with process("--fault", "k2-set-open") as (_, addresses), control_of(addresses) as control:
        control.ask("lid", closed=False)
        control.ask("emergency_stop", released=False)
        events = control.ask("events", since=0)["events"]

        assert control.ask("faults")["faults"] == [{"name": "k2-set-open", "from_s": 0.0, "acted": None}]
        assert len(events) >= 2
        assert control.ask("events", since=len(events))["events"] == []
        assert control.ask("addresses")["instruments"] == addresses["instruments"]
        for wrong in ({"do": "dance"}, {"do": "advance", "s": "soon"}, {"do": "lid"}):
            with pytest.raises(ControlRefused):
                control.ask(**wrong)


def test_an_instrument_dies_at_its_time():
    """bench-dmm-dies@2 drops the session and refuses a new one from bench time 2 s on; the others live."""
    with (
        process("--fault", "bench-dmm-dies@2") as (_, addresses),
        control_of(addresses) as control,
        opened(addresses["instruments"]["Dmm"]["resource"], timeout_s=1.0) as meter,
        opened(addresses["instruments"]["Switch"]["resource"]) as switch,
    ):
        assert "34465A" in meter.query("*IDN?")
        control.ask("advance", s=2.0)
        with pytest.raises((OSError, RuntimeError)):
            meter.query("*IDN?")
        port = int(addresses["instruments"]["Dmm"]["resource"].split(",")[1].split("::")[0])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1.0)

        assert "DAQ970A" in switch.query("*IDN?")


def test_an_instrument_may_be_dead_from_the_start():
    """Without a time the server never accepts."""
    with process("--fault", "bench-power-meter-dies") as (_, addresses):
        port = int(addresses["instruments"]["PowerMeter"]["resource"].split(",")[1].split("::")[0])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1.0)


def test_an_unknown_fault_is_refused_before_anything_starts():
    """Exit code 4, and the closest names."""
    done = subprocess.run(
        [sys.executable, "-m", "hil.sim", "--fault", "k2-set-opn"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert done.returncode == 4
    assert "k2-set-open" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_faults_can_be_listed():
    """Every pattern with its place."""
    done = subprocess.run(
        [sys.executable, "-m", "hil.sim", "--list-faults"], capture_output=True, text=True, timeout=10, check=True
    )

    assert "k[1-4]-set-open" in done.stdout


def test_an_unpowered_board_is_not_on_the_network():
    """The connection closes without an answer; with the supply on, the firmware answers."""
    import httpx

    with (
        process() as (_, addresses),
        control_of(addresses) as control,
        opened(addresses["instruments"]["DcSupply"]["resource"]) as supply,
        httpx.Client(base_url=addresses["unit"]["http"]) as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/shelly")
        supply.write("VOLT 5,(@1);:CURR 3,(@1);:OUTP ON,(@1)")
        supply.query("*OPC?")
        control.ask("advance", s=3.0)
        first, second = client.get("/shelly"), client.get("/nowhere")

    assert first.status_code == 200
    assert second.status_code == 404


def test_a_request_while_the_unit_joins_its_network_is_answered_late():
    """The application runs, Wi-Fi not yet: TCP sends again, and a second of bench time later there is an answer."""
    import httpx

    with (
        process() as (_, addresses),
        control_of(addresses) as control,
        opened(addresses["instruments"]["DcSupply"]["resource"]) as supply,
        httpx.Client(base_url=addresses["unit"]["http"]) as client,
    ):
        supply.write("VOLT 5,(@1);:CURR 3,(@1);:OUTP ON,(@1)")
        supply.query("*OPC?")
        while not any(event["kind"] == "indicator" for event in control.ask("events")["events"]):
            control.ask("advance", s=0.01)
        before_s = control.ask("now")["now_s"]
        status = client.get("/rpc/Wifi.GetStatus").json()["status"]
        after_s = control.ask("now")["now_s"]

    assert status == "got ip"
    assert after_s - before_s == pytest.approx(1.0, abs=0.05)


def test_the_state_tells_what_electricity_does():
    """Output, load, DC outputs, relays, MCU and routes, whatever instruments say; and each change has its moment."""
    with (
        process() as (_, addresses),
        control_of(addresses) as control,
        opened(addresses["instruments"]["AcSource"]["resource"]) as source,
        opened(addresses["instruments"]["DcSupply"]["resource"]) as supply,
    ):
        before = control.ask("state")
        source.write("SOUR:VOLT:RANG HIGH;:SOUR:VOLT:AC 230;:OUTP ON")
        source.query("*IDN?")
        supply.write("VOLT 12,(@3);:OUTP ON,(@3)")
        supply.query("*OPC?")
        control.ask("advance", s=1.0)
        live = control.ask("state")
        source.write("OUTP OFF")
        source.query("*IDN?")
        after, events = control.ask("state"), control.ask("events")["events"]

    assert before["mains_v"] == 0.0
    assert not before["mains_on"]
    assert before["dc_outputs_v"] == [0.0, 0.0, 0.0]
    assert before["contacts"] == {"K1": False, "K2": False, "K3": False, "K4": False}
    assert live["mains_on"]
    assert live["mains_v"] == pytest.approx(230.0, rel=1e-3)
    assert live["load_a"] == 0.0
    assert live["dc_outputs_v"] == [0.0, 0.0, pytest.approx(12.0, rel=1e-2)]
    assert live["mcu_running"]
    assert not live["surge_charged"]
    assert after["mains_v"] == 0.0
    assert [event["on"] for event in events if event["kind"] == "power" and event["what"] == "mains"] == [True, False]
    assert [(event["output"], event["on"]) for event in events if event["kind"] == "dc"] == [(3, True)]


def test_a_charged_surge_generator_is_no_secret():
    """From the moment it charges until it has been told to stand by."""
    with (
        process() as (_, addresses),
        control_of(addresses) as control,
        opened(addresses["instruments"]["SurgeGenerator"]["resource"]) as generator,
    ):
        for command in ("REN", "TEST"):
            generator.write(command)
            generator.query("E?")
        charging = control.ask("state")["surge_charged"]
        control.ask("advance", s=10.0)
        ready = control.ask("state")["surge_charged"]
        generator.write("STBY")
        generator.query("E?")
        events = [e for e in control.ask("events")["events"] if e["kind"] == "surge_generator"]

        assert charging
        assert ready
        assert not control.ask("state")["surge_charged"]
        assert [event["charged"] for event in events] == [True, False]


def test_a_hand_may_come_at_a_moment_and_a_fault_in_mid_run():
    """The lid opens when it was said to, whoever lets time pass; a fault begins now; neither in the past."""
    with process() as (_, addresses), control_of(addresses) as control:
        control.ask("advance", s=1.0)
        control.ask("lid", closed=False, at_s=2.5)
        closed = control.ask("state")["lid_closed"]
        control.ask("advance", s=10.0)
        lid = [event for event in control.ask("events")["events"] if event["kind"] == "gpio"]
        control.ask("fault", name="k1-welded")

        assert closed
        assert not control.ask("state")["lid_closed"]
        assert [(event["line"], event["t_s"]) for event in lid] == [("lid", 2.5)]
        assert control.ask("faults")["faults"] == [{"name": "k1-welded", "from_s": 11.0, "acted": None}]
        assert control.ask("state")["contacts"]["K1"]
        for wrong in ({"do": "lid", "closed": True, "at_s": 1.0}, {"do": "fault", "name": "k1-welted"}):
            with pytest.raises(ControlRefused):
                control.ask(**wrong)
