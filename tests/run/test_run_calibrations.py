"""Calibrations through the whole of a run: refused before anything is opened, or applied, and on record."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hil.errors import BenchError, SetupError
from hil.journal import events
from hil.journal.reader import read_journal
from hil.metrology.budget import Component
from hil.metrology.propagation import Input
from hil.run.calibrations import NotTraceable
from hil.run.run import Run, RunOptions
from hil.station.locks import Owner
from hil.tests.smart_power.referencepoint import ReferencePoint, drift, look

ROOT = Path(__file__).parents[2]
SERIAL = "C3RB21034E"  # of the simulated power meter
GAIN = 0.002  # the meter is said to read 0.2 % too little, everywhere on these ranges
CALIBRATION = f"""# example figures
certificate = "EX-1"
laboratory = "Example"
date = 2026-03-02
due = 2027-03-02
serial = "{SERIAL}"

[[corrections.ac_voltage]]
range = "300 V"
unit = "V"
points = [
  {{ value = 0.0, correction = 0.0, expanded_u = 0.01 }},
  {{ value = 300.0, correction = {GAIN * 300.0}, expanded_u = 0.04 }},
]

[[corrections.active_power]]
range = "300 V, 5 A"
unit = "W"
points = [
  {{ value = 0.0, correction = 0.0, expanded_u = 0.05 }},
  {{ value = 1500.0, correction = {GAIN * 1500.0}, expanded_u = 0.20 }},
]
"""


@pytest.fixture(scope="module")
def stations_file(tmp_path_factory):
    """The shipped stations, and a calibration for the simulated power meter."""
    folder = tmp_path_factory.mktemp("station")
    (folder / "calibrations" / "sim").mkdir(parents=True)
    (folder / "calibrations" / "sim" / "PowerMeter.toml").write_text(CALIBRATION, encoding="utf-8")
    return Path(shutil.copy(ROOT / "stations.toml", folder / "stations.toml"))


@pytest.fixture(scope="module")
def record(stations_file, tmp_path_factory):
    """Look at the reference twice at Imax on the simulated bench, ten days before its calibration is due."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HIL_LOCKS", str(tmp_path_factory.mktemp("locks")))
    options = RunOptions("SP-000123", "smart-power", stations_file=stations_file, runs=tmp_path_factory.mktemp("runs"))
    run = Run(options, now=lambda: datetime(2027, 2, 20, 12, 0, tzinfo=UTC))
    run.start()
    try:
        run.measure.begin("look")
        assert run.station is not None
        with run.station.mains(230.0, 50.0):
            run.board.boot()
            before, after = look(run.station, run.board, run.plan), look(run.station, run.board, run.plan)
        run.measure("reference.agreement", before.agreement(), when="before")
        run.measure("reference.drift", drift(before, after))
    finally:
        run.finish()
        patch.undo()
    return read_journal(run.folder)


def measured(record, name):
    """Return the one measurement of that name."""
    (one,) = (one for one in record.of(events.Measurement) if one.name == name)
    return one


def test_the_record_names_the_calibration_and_how_long_it_holds(record):
    """With the instrument, and as a remark since it is due soon."""
    (meter,) = (one for one in record.of(events.Instrument) if one.role == "PowerMeter")
    told = meter.calibration

    assert (told["certificate"], told["due"], told["source"]) == ("EX-1", "2027-03-02", "toml")
    assert (told["status"], told["days_left"]) == ("due soon", 10)
    notes = [note.text for note in record.of(events.Note)]
    assert "calibration EX-1 of PowerMeter is due on 2027-03-02, in 10 days" in notes


def test_a_correction_is_applied_and_the_raw_value_is_kept(record):
    """The voltage that was shown is made 0.2 % larger; what was shown, what was added and its u are on record."""
    agreement = measured(record, "reference.agreement[when=before]")
    (correction,) = agreement.corrections

    assert (100.0 + agreement.value) / (100.0 + agreement.raw) == pytest.approx(1.0 + GAIN, rel=1e-12)
    assert correction["raw"] == pytest.approx(230.0, rel=0.02)
    assert correction["correction"] == pytest.approx(GAIN * correction["raw"])
    assert {key: correction[key] for key in ("role", "quantity", "certificate", "u", "unit")} == {
        "role": "PowerMeter",
        "quantity": "ac_voltage",
        "certificate": "EX-1",
        "u": 0.02,
        "unit": "V",
    }
    calibration = next(line for line in agreement.budget if "calibration EX-1" in line["name"])
    assert (calibration["value"], calibration["kind"], calibration["distribution"]) == (0.02, "B", "normal")
    specification = next(line for line in agreement.budget if "specification" in line["name"])
    assert specification["value"] == pytest.approx((0.001 * correction["raw"] + 0.0005 * 300.0) / 3**0.5)


def test_a_gain_cancels_where_the_reference_is_compared_with_itself(record):
    """Both looks are corrected alike; of specification and calibration hardly anything is left in the drift."""
    moved = measured(record, "reference.drift")
    shared = [line for line in moved.budget if line.get("shared")]

    assert moved.value == pytest.approx(moved.raw, abs=1e-9)
    assert len(moved.corrections) == 2
    assert len(shared) == 2
    assert max(line["contribution"] for line in shared) < 0.01 * moved.u
    assert moved.verdict == "pass"


def test_an_overdue_calibration_refuses_a_type_test_before_anything_is_opened(stations_file, tmp_path):
    """The line names instrument, certificate and due date; no record begins."""
    options = RunOptions("SP-000123", "smart-power", stage="type", stations_file=stations_file, runs=tmp_path)
    with pytest.raises(NotTraceable, match="calibration EX-1 of PowerMeter was due on 2027-03-02, 1 days ago"):
        Run(options, now=lambda: datetime(2027, 3, 3, tzinfo=UTC))

    assert not list(tmp_path.iterdir())
    Run(options, now=lambda: datetime(2027, 3, 2, 23, 59, tzinfo=UTC))


def test_a_reference_that_has_moved_is_seen():
    """By 0.2 %, at the U that its shared gain and the source's read-back leave: far outside the plan's 0.1 %."""
    gain = Component("specification", "B", "rectangular", 0.001, shared="PowerMeter active power 300 V, 5 A gain")
    volts = Input("reference", 230.0, "V")
    before, after = (ReferencePoint(Input("reference", value, "1", (gain,)), volts, 230.0) for value in (1.0, 1.002))
    moved = drift(before, after)

    assert moved.reading.value == pytest.approx(0.2)
    assert moved.expanded_u == pytest.approx(1.96 * 0.02 * (2 / 3) ** 0.5, rel=0.01)  # two read-backs, 0.02 % each


def test_the_record_keeps_the_calibration_itself(record, stations_file):
    """Byte for byte, so that evidence needs no station; and what the run stands on beside it."""
    kept = {one.name: one.sha256 for one in record.of(events.Attachment) if not one.test}
    original = stations_file.parent / "calibrations/sim/PowerMeter.toml"

    assert record.attachment(kept["calibration PowerMeter.toml"]) == original.read_bytes()
    assert {"smart_power.toml", "software.json"} < kept.keys()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Path.unlink, "of PowerMeter is gone from"),
        (lambda path: path.write_text("else"), "was changed while the run began"),
    ],
)
def test_a_calibration_that_goes_or_changes_meanwhile_begins_nothing(tmp_path, monkeypatch, change, why):
    """No record, no lock, no simulated station."""
    monkeypatch.setenv("HIL_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr("hil.station.bench.simulate", lambda *_, **__: pytest.fail("the station was opened"))
    (tmp_path / "calibrations" / "sim").mkdir(parents=True)
    file = tmp_path / "calibrations" / "sim" / "PowerMeter.toml"
    file.write_text(CALIBRATION, encoding="utf-8")
    shutil.copy(ROOT / "stations.toml", tmp_path / "stations.toml")
    options = RunOptions("SP-000123", "smart-power", stations_file=tmp_path / "stations.toml", runs=tmp_path / "runs")
    run = Run(options, now=lambda: datetime(2026, 6, 1, tzinfo=UTC))
    change(file)

    with pytest.raises(SetupError, match=why):
        run.start()

    assert run.folder is None
    assert not (tmp_path / "runs").exists()
    assert not list(tmp_path.glob("locks/*"))


def test_a_record_that_cannot_be_begun_lets_go_of_bench_and_station(tmp_path, monkeypatch):
    """The disk is full at the first attachment: blame bench on record, the simulated station ended, the lock free."""
    from hil.journal.writer import JournalWriter
    from hil.station import bench

    opened = []
    real = bench.simulate

    def simulate(*known, **asked):
        opened.append(real(*known, **asked))
        return opened[-1]

    def full(*_):
        raise BenchError("the disk is full", "make room")

    monkeypatch.setenv("HIL_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(bench, "simulate", simulate)
    monkeypatch.setattr(JournalWriter, "attach", full)
    run = Run(RunOptions("SP-000123", "smart-power", runs=tmp_path / "runs"))

    with pytest.raises(BenchError, match="the disk is full"):
        run.start()
    summary = run.finish()

    assert (summary.verdict, summary.exit_code) == ("aborted", 3)
    assert "the disk is full" in summary.reason
    assert opened[0].process.poll() is not None
    lock = bench.lock_station(run.config, opened[0], Owner(serial="SP-000124"))
    lock.abandon()
    assert lock.died is None  # nobody is said to have died with the bench
