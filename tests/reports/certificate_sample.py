"""Realistic runs of a four-socket board, written through the real JournalWriter; every figure is made up here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from hil.journal.events import (
    WAVEFORM,
    Event,
    Finding,
    Instrument,
    Measurement,
    Note,
    RunFinished,
    RunStarted,
    SafeState,
    TestFinished,
    TestStarted,
    Waiver,
)
from hil.journal.reader import Journal, read_journal
from hil.journal.summary import conclude
from hil.journal.writer import JournalWriter
from hil.metrology.decision import judge
from hil.metrology.reading import Reading

RUN_ID = "20261121T140211.204117Z-7f3a"
IEC = {"standard": "IEC 62053-21", "edition": "2003", "table": "Table 6, class 1, direct", "source_mark": "nrc"}
FACTS = {"standard": "Smart Power facts", "edition": "2026-03", "table": "5, relay timing", "source_mark": "assumption"}
DESIGN = {
    "standard": "ATM90E26 datasheet 46002B",
    "edition": "2014-11",
    "table": "06H LastData",
    "source_mark": "datasheet",
}
ORDER = {
    "customer": "Stadtwerke Musterstadt",
    "contact": "Frau Beispiel, einkauf@musterstadt.example",
    "number": "4711-26",
    "received": "2026-11-20",
    "condition": "packed, no visible damage",
}
RELEASE = {
    "status": "released",
    "id": "smart-power-A-1",
    "by": "K. Muster",
    "on": "2026-11-01T08:00:00Z",
    "sha256": "9d" * 32,
}
CURRENTS_A = {"0.05Ib": 0.05, "0.1Ib": 0.1, "0.2Ib": 0.2, "0.5Ib": 0.5, "Ib": 1.0, "Imax": 3.0}
RULE = "ilac-g8-non-binary"


def iec_limit_pct(current_a: float, pf: str) -> float | None:
    """The class 1 table, direct connection (facts, 1.1)."""
    if pf == "1":
        return 1.5 if current_a < 0.1 else 1.0
    if current_a < 0.1:
        return None
    return 1.5 if current_a < 0.2 else 1.0


class StillClock:
    """Bench time that stands still."""

    def now_s(self) -> float:
        return 0.0

    def sleep(self, duration_s: float) -> None:
        pass


@dataclass
class Scenario:
    """What is special about a run."""

    simulated: bool = True
    bad_meter: int | None = None  # a socket whose phase is wrong
    stuck_relay: str | None = None  # a relay that does not close
    retried: bool = False
    dies: bool = False  # the bench dies among the relays and the record has no end
    waived: bool = False
    faults: tuple[str, ...] = ()
    calibration: dict[str, Any] | None = None
    laboratory: dict[str, str] = field(
        default_factory=lambda: {"name": "Prüflabor Nord", "address": "Kanalstraße 4, Kiel"}
    )
    operator: str = "M. Petersen"
    serial: str = "SP-000123"
    order: dict[str, str] = field(default_factory=lambda: dict(ORDER))
    release: dict[str, Any] = field(default_factory=lambda: dict(RELEASE))
    findings: tuple[Finding, ...] = ()  # of the design review


@dataclass
class Recorder:
    """Writes the run and keeps its events for the verdict."""

    writer: JournalWriter
    events: list[Event] = field(default_factory=list)

    def write(self, event: Event) -> None:
        self.writer.write(event)
        self.events.append(event)


def make_run(root: Path, scenario: Scenario) -> Journal:
    """Write a whole run and read it back."""
    folder = root / scenario.serial / RUN_ID
    folder.mkdir(parents=True)
    ticks = (
        datetime(2026, 11, 21, 14, 2, 11, 204117, tzinfo=UTC) + timedelta(milliseconds=41 * n) for n in range(100_000)
    )
    with JournalWriter(folder, StillClock(), now=lambda: next(ticks)) as writer:
        recorder = Recorder(writer)
        planned = list(_measurements(scenario))
        recorder.write(_started(scenario, planned))
        for one in _instruments(scenario):
            recorder.write(one)
        _run(recorder, scenario, planned)
    return read_journal(folder)


def _run(recorder: Recorder, scenario: Scenario, planned: list[Measurement]) -> None:
    if scenario.waived:
        recorder.write(Waiver("", "Accepted for the pilot series until revision B", "REL-02", "DR-29"))
        recorder.write(Finding("", "No readback of the relay state in hardware", "REL-02", "DR-29"))
    for finding in scenario.findings:
        recorder.write(finding)
    for test in dict.fromkeys(one.test for one in planned):
        mine = [one for one in planned if one.test == test]
        named = tuple(dict.fromkeys(one.requirement for one in mine))
        recorder.write(TestStarted(test, named, TITLES[test]))
        if scenario.dies and "relay" in test:
            for one in mine[:2]:
                recorder.write(one)
            recorder.write(SafeState("guard", "the run's pipe closed", {"AcSource": "off", "AcLoad": "off"}, True))
            return
        for one in mine:
            recorder.write(one)
        bad = [one for one in mine if one.verdict in {"fail", "conditional_fail"}]
        if bad and "relay" in test:
            data = json.dumps(waveform(bad[0].name)).encode()
            recorder.writer.attach(test, f"{bad[0].name} waveform", data, WAVEFORM)
        recorder.writer.attach(test, "console.log", b"boot:0x8\n", "text/plain")
        verdict, reason = ("fail", "; ".join(f"{one.name}: {one.reason}" for one in bad)) if bad else ("pass", "")
        recorder.write(TestFinished(test, named, verdict, "unit" if bad else "", reason))
    recorder.write(Note("", "Window of the energy test: 212 s, from the register's 0.1 Wh and the limit of 1 %"))
    recorder.write(SafeState("run", "the run is over", {"AcSource": "off", "AcLoad": "off"}, True))
    ended = conclude(recorder.events)
    recorder.write(RunFinished(ended.verdict, ended.exit_code, ended.reason, ended.counts))


METERING = "hil/tests/smart_power/test_metering.py::test_active_power_agrees_with_the_reference[0.05]"
BOOT = "hil/tests/smart_power/test_before_power.py::test_each_meter_answers"
RELAYS = "hil/tests/smart_power/test_relays.py::test_relay_closes_in_time"
TITLES = {
    METERING: "The board meters active power within class 1 from 0.05 Ib to Imax",
    BOOT: "Each of U1-U4 answers on its own chip select",
    RELAYS: "Each relay closes and opens in time",
}


def _measurements(scenario: Scenario) -> Iterator[Measurement]:
    rng = np.random.default_rng(7)
    for meter in range(1, 5):
        yield _judged(
            BOOT,
            f"spi.meter_answers[meter=U{meter}]",
            "BP-05",
            Reading(1.0, "yes", 0.0),
            1,
            1,
            DESIGN,
            {"meter": f"U{meter}"},
        )
    for socket in range(1, 5):
        for pf in ("1", "0.5i", "0.8c"):
            for text, current_a in CURRENTS_A.items():
                yield from _power_error(scenario, rng, socket, pf, text, current_a)
    for relay in ("K1", "K2", "K3", "K4"):
        for action in ("SET", "RESET"):
            yield from _relay(scenario, rng, relay, action)


def _power_error(
    scenario: Scenario, rng: np.random.Generator, socket: int, pf: str, text: str, current_a: float
) -> Iterator[Measurement]:
    phase_error_pct = {"1": 0.3, "0.5i": 36.0, "0.8c": -15.6}[pf] if socket == scenario.bad_meter else 0.0
    value_pct = float(rng.normal(0.05 * socket - 0.12, 0.04 + 0.004 / current_a)) + phase_error_pct
    u_pct = math.hypot(0.07, 0.006 / current_a)
    limit_pct = iec_limit_pct(current_a, pf)
    name = f"metering.active_power_error[socket={socket},i={text},pf={pf}]"
    point = {"socket": socket, "i": text, "pf": pf, "current_a": current_a}
    requirement = "MET-05" if limit_pct else "MET-06"
    low, high = (-limit_pct, limit_pct) if limit_pct else (None, None)
    source = IEC if limit_pct else None
    if scenario.retried and socket == 3 and text == "Ib" and pf == "1":
        yield _judged(METERING, name, requirement, Reading(1.31, "%", u_pct, 14.0), low, high, source, point)
        yield replace(
            _judged(METERING, name, requirement, Reading(value_pct, "%", u_pct, 14.0), low, high, source, point),
            attempt=2,
        )
        return
    yield _judged(METERING, name, requirement, Reading(value_pct, "%", u_pct, 14.0), low, high, source, point)


def _relay(scenario: Scenario, rng: np.random.Generator, relay: str, action: str) -> Iterator[Measurement]:
    point = {"relay": relay, "action": action}
    stuck = relay == scenario.stuck_relay and action == "SET"
    yield _judged(
        RELAYS,
        f"relay.changes_state[relay={relay},action={action}]",
        "REL-02",
        Reading(0.0 if stuck else 1.0, "yes", 0.0),
        1,
        1,
        DESIGN,
        point,
    )
    for base, requirement, middle_s, high_s in (
        ("relay.operate_time", "REL-05", 0.0098, 0.015),
        ("relay.bounce_time", "REL-06", 0.0012, 0.005),
    ):
        name = f"{base}[relay={relay},action={action}]"
        if stuck:
            yield Measurement(
                RELAYS,
                name,
                requirement,
                None,
                "s",
                None,
                math.inf,
                None,
                high_s,
                FACTS,
                RULE,
                "refused",
                reason=f"relay.changes_state[relay={relay},action=SET] is fail",
                point=point,
            )
        else:
            value_s = float(rng.normal(middle_s, middle_s * 0.12))
            yield _judged(RELAYS, name, requirement, Reading(value_s, "s", 1.2e-5, 9.0), None, high_s, FACTS, point)


def _judged(
    test: str,
    name: str,
    requirement: str,
    reading: Reading,
    low: float | None,
    high: float | None,
    source: dict[str, str] | None,
    point: dict[str, Any],
) -> Measurement:
    judged = judge(reading, low, high, "simple" if reading.unit == "yes" else RULE)
    budget = () if reading.unit == "yes" else _budget(reading)
    return Measurement(
        test,
        name,
        requirement,
        reading.value,
        reading.unit,
        reading.u,
        reading.dof,
        low,
        high,
        source,
        "simple" if reading.unit == "yes" else RULE,
        str(judged.verdict),
        reason=judged.reason,
        point=point,
        budget=budget,
    )


def _budget(reading: Reading) -> tuple[dict[str, Any], ...]:
    u = reading.u or 0.0
    parts = (
        ("scatter of the error", "A", "normal", 0.6, 9.0),
        ("reference meter, accuracy", "B", "rectangular", 0.75, math.inf),
        ("register, resolution", "B", "rectangular", 0.28, math.inf),
    )
    return tuple(
        {
            "name": name,
            "kind": kind,
            "distribution": shape,
            "value": u * share,
            "sensitivity": 1.0,
            "contribution": u * share,
            "dof": dof,
        }
        for name, kind, shape, share, dof in parts
    )


def waveform(title: str, samples: int = 20_000) -> dict[str, Any]:
    """A coil pulse of 50 ms and a contact that bounces, at 5 us a sample."""
    time_s = np.arange(samples) * 5e-6 - 0.01
    coil_v = np.where((time_s > 0) & (time_s < 0.05), 0.3, 5.0)
    contact_v = np.where(time_s > 0.0098, 0.1, 12.0)
    contact_v[(time_s > 0.0101) & (time_s < 0.0104)] = 12.0
    traces = [("K2 SET collector", coil_v), ("K2 contact", contact_v)]
    return {
        "title": title,
        "traces": [
            {"name": name, "unit": "V", "time_s": time_s.tolist(), "value": value.tolist()} for name, value in traces
        ],
        "marks": [{"name": "coil edge", "time_s": 0.0}, {"name": "first contact edge", "time_s": 0.0098}],
    }


def _instruments(scenario: Scenario) -> Iterator[Instrument]:
    for role, driver, identity, serial in (
        ("AcSource", "chroma_61600", "Chroma ATE, 61604, 01.30", "61604000417"),
        ("PowerMeter", "yokogawa_wt310e", "YOKOGAWA, WT310E, F1.04", "C3QJ12034E"),
        ("AcLoad", "itech_it8615", "ITECH Ltd, IT8615, 1.09", "800221010777"),
        ("Dmm", "keysight_34465a", "Keysight Technologies, 34465A, A.03.02", "MY60012345"),
    ):
        yield Instrument(role, driver, "TCPIP::127.0.0.1::5025::SOCKET", identity, serial, scenario.calibration)


def _started(scenario: Scenario, planned: list[Measurement]) -> RunStarted:
    def asks(name: str, title: str, area: str, method: str = "", why: str = "") -> dict[str, Any]:
        names = list(dict.fromkeys(one.name for one in planned if one.requirement == name))
        stages = [] if why else ["production", "release", "type"]
        return {
            "id": name,
            "title": title,
            "area": area,
            "required": not why,
            "stages": stages,
            "why": why,
            "method": method,
            "measurements": names,
        }

    later = "not yet part of this plan: the tests follow in the next edition"
    chart = {"x": "relay", "x_label": "relay", "series": ["action"], "kind": "bars"}
    return RunStarted(
        serial=scenario.serial,
        board="smart-power",
        revision="A",
        stage="release",
        station="sim" if scenario.simulated else "bench-2",
        simulated=scenario.simulated,
        operator=scenario.operator,
        plan={"path": "smart_power.toml", "version": "0.1.0", "sha256": "3c" * 32},
        software={"version": "0.1.0", "commit": "bd3a942f"},
        python="3.11.2",
        seed=0,
        faults=scenario.faults,
        requirements=(
            asks(
                "BP-05",
                "Each of U1-U4 answers on its own chip select",
                "before power",
                "Writes and LastData read-back over J44",
            ),
            asks(
                "MET-05",
                "Active power error within class 1 from 0.05 Ib to Imax",
                "metering",
                "Reference meter in the same circuit, readings paired",
            ),
            asks(
                "MET-06",
                "Active power error at points the class 1 table does not cover",
                "metering",
                "As MET-05",
                "the class table has no limit at these points",
            ),
            asks("REL-02", "SET closes the contact and RESET opens it", "relays", "Contact read back by the fixture"),
            asks(
                "REL-05", "Set and reset time", "relays", "Coil edge to first contact edge, 12 V wetting through 2.2 kΩ"
            ),
            asks("REL-06", "Contact bounce", "relays", "First to last contact edge"),
            asks(
                "INT-01",
                "Over-temperature trip: temperature, latency, all four sockets",
                "interlocks",
                "Programmable resistor",
                later,
            ),
            asks("ETH-01", "Ethernet link: time, speed, duplex", "ethernet", "Link partner", later),
        ),
        charts=(
            {
                "title": "Active power error against load",
                "measurement": "metering.active_power_error",
                "kind": "lines",
                "x": "current_a",
                "x_label": "load current, A",
                "series": ["pf"],
                "panel": "socket",
            },
            {"title": "Time to first contact edge", "measurement": "relay.operate_time"} | chart,
            {"title": "Contact bounce", "measurement": "relay.bounce_time"} | chart,
        ),
        order=scenario.order,
        release=scenario.release,
        unit_facts={"nominal": {"un_v": 230.0, "ib_a": 1.0, "imax_a": 3.0}, "laboratory": dict(scenario.laboratory)},
    )
