"""The traceability matrix: who stands behind each value, and who must not be said to."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil.commands.trace import in_words
from hil.journal.events import Event, Instrument, Measurement, RunStarted, TestFinished, TestStarted
from hil.journal.reader import Entry, Journal
from hil.reports.trace import COLUMNS, TraceRow, matrix
from tests.reports.sample_run import build, point, requirement

POWER, RELAY, ASKS = "t/test_power.py::test_power[1]", "t/test_relays.py::test_latch", "t/test_boot.py::test_asks"
CALIBRATION = {
    "certificate": "K-1203",
    "laboratory": "Example Calibration",
    "date": "2026-02-03",
    "due": "2027-02-03",
    "status": "valid",
}
STARTED = RunStarted(
    serial="SP-000123",
    board="smart-power",
    revision="A",
    stage="production",
    station="bench-1",
    simulated=False,
    operator="",
    plan={},
    software={},
    python="",
    seed=0,
    requirements=(
        requirement("MET-05", ["power[i=Ib]", "power[i=Imax]"]),
        requirement("REL-01", ["latch[relay=K1]"]),
        requirement("BP-04", ["asks"]),
        requirement("ETH-01", ["link"], required=False, why="a matter of stage type"),
    ),
)
EVENTS: tuple[Event, ...] = (
    Instrument("PowerMeter", "yokogawa_wt310e", "x", "YOKOGAWA WT310E, serial C3, firmware F1", "C3", CALIBRATION),
    Instrument("Fixture", "ftdi_ft4232h", "x", "FTDI FT4232H, serial HILFIX01", "HILFIX01"),
    TestStarted(POWER, ("MET-05",)),
    point(POWER, "power[i=Ib]", budget=({"name": "U"},), instruments=("PowerMeter",)),
    TestFinished(POWER, ("MET-05",), instruments=("AcLoad", "Fixture", "PowerMeter")),
    TestStarted(RELAY, ("REL-01",)),
    point(RELAY, "latch[relay=K1]", asked="REL-01", value=1.0, unit="yes", u=0.0),
    TestFinished(RELAY, ("REL-01",), instruments=("Fixture",)),
    TestStarted(ASKS, ("BP-04",)),
    point(ASKS, "asks", asked="BP-04", value=1.0, unit="yes", u=0.0, limit=None),
    TestFinished(ASKS, ("BP-04",)),
)


def journal(*events: Event, started: RunStarted = STARTED) -> Journal:
    """Return a journal of these events, read."""
    entries = (Entry(n, "2026-11-21T08:30:00+00:00", 0.0, one) for n, one in enumerate((started, *events)))
    return Journal(Path("run"), tuple(entries), torn=False, last_hash="")


def of(rows: list[TraceRow], measurement: str) -> list[TraceRow]:
    """Return the rows of one measurement."""
    return [row for row in rows if row.measurement == measurement]


def test_a_value_is_traced_to_the_calibration_of_its_instrument() -> None:
    """Requirement, clause, test, measurement, instrument, certificate: all in one row."""
    (row,) = of(matrix(journal(*EVENTS)), "power[i=Ib]")

    assert (row.requirement, row.standard, row.edition, row.table) == ("MET-05", "IEC 62053-21", "2003", "T")
    assert (row.test, row.verdict, row.use, row.role) == (POWER, "pass", "reading", "PowerMeter")
    assert (row.model, row.serial) == ("YOKOGAWA WT310E", "C3")
    assert (row.calibration, row.laboratory, row.due, row.status) == (
        "K-1203",
        "Example Calibration",
        "2027-02-03",
        "valid",
    )


def test_an_instrument_whose_reading_is_no_input_is_not_behind_a_value() -> None:
    """The load and the fixture were spoken to in the test; the error of power is made of the meter's reading alone."""
    rows = matrix(journal(*EVENTS))

    assert [row.role for row in rows if row.use == "reading"] == ["PowerMeter"]


def test_behind_a_yes_or_no_stands_what_its_test_spoke_to() -> None:
    """An answer has no budget: the row says `spoken to`, and that the fixture has no calibration."""
    (row,) = of(matrix(journal(*EVENTS)), "latch[relay=K1]")

    assert (row.use, row.role, row.calibration, row.status) == ("spoken to", "Fixture", "", "none")


def test_where_no_instrument_was_spoken_to_none_is_named() -> None:
    """A test that only asks the unit over the network."""
    (row,) = of(matrix(journal(*EVENTS)), "asks")

    assert (row.use, row.role, row.standard) == ("none", "", "")


def test_a_required_point_without_a_value_has_a_row_of_its_own() -> None:
    """What was not measured is seen in the matrix, with nothing behind it; what is not required is one row."""
    rows = matrix(journal(*EVENTS))
    (missing,) = of(rows, "power[i=Imax]")
    (optional,) = [row for row in rows if row.requirement == "ETH-01"]

    assert (missing.verdict, missing.use, missing.role) == ("not measured", "", "")
    assert (optional.required, optional.requirement_verdict, optional.measurement) == (False, "not_covered", "")


def test_a_refused_point_has_nothing_behind_it() -> None:
    """Nothing was measured, whatever the test spoke to."""
    refused = point(RELAY, "latch[relay=K1]", "refused", asked="REL-01", value=None, u=None, attempt=2)
    (row,) = of(matrix(journal(*EVENTS, refused)), "latch[relay=K1]")

    assert (row.verdict, row.use, row.role) == ("refused", "", "")


@pytest.mark.parametrize("written", [1, 2])
def test_a_journal_of_before_format_3_says_that_they_are_not_on_record(written: int) -> None:
    """It named no instruments, and none is made up."""
    old: list[Any] = [
        replace(one, instruments=()) if isinstance(one, Measurement | TestFinished) else one for one in EVENTS
    ]
    rows = matrix(journal(*old, started=replace(STARTED, journal=written)))

    assert {(row.use, row.role) for row in rows if row.verdict == "pass"} == {("not on record", "")}


def test_a_test_without_an_end_does_not_say_whom_it_spoke_to() -> None:
    """A run that died: what stood in the budget is known, what the test spoke to is not."""
    rows = matrix(journal(*EVENTS[:4], *EVENTS[5:7]))

    assert [(row.use, row.role) for row in of(rows, "power[i=Ib]")] == [("reading", "PowerMeter")]
    assert [(row.use, row.role) for row in of(rows, "latch[relay=K1]")] == [("not on record", "")]


def test_what_answers_no_requirement_of_the_plan_is_last() -> None:
    """It was measured, so it is told."""
    rows = matrix(journal(*EVENTS, point(POWER, "stray", asked="XX-99", instruments=("PowerMeter",))))

    assert (rows[-1].measurement, rows[-1].requirement) == ("stray", "XX-99")
    assert (rows[-1].use, rows[-1].role, rows[-1].calibration) == ("reading", "PowerMeter", "K-1203")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the sample run."""
    folder = tmp_path_factory.mktemp("traced")
    build(folder)
    return str(folder)


def test_the_command_says_that_a_run_is_simulated_and_not_released(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its first line, before anything that looks like evidence."""
    assert main(["trace", run]) == 0

    first = capsys.readouterr().out.splitlines()[0]
    assert "SIMULATED" in first


def test_one_requirement_is_told_point_by_point(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its clause, its test and each point; no other requirement."""
    assert main(["trace", run, "--requirement", "REL-01"]) == 0

    said = capsys.readouterr().out
    assert "latch[relay=K1] fail" in said
    assert "clause: IEC 62053-21, 2003, T (nrc)" in said
    assert "test: test_relays.py::test_set_latches" in said
    assert "MET-05" not in said


def test_what_was_measured_in_turn_is_told_once() -> None:
    """Gain and phase of socket after socket are two paragraphs, not one for each socket and each of both."""
    calibrated = [
        point(POWER, f"{what}[s={n}]", instruments=("PowerMeter",)) for n in range(4) for what in ("gain", "phase")
    ]
    told = journal(*EVENTS[:3], *calibrated, TestFinished(POWER, ("MET-05",), instruments=("PowerMeter",)))

    said = list(in_words(told, matrix(told), points=False))

    assert [line for line in said if line.startswith(("  gain", "  phase"))] == ["  gain, 4 pass", "  phase, 4 pass"]


def test_csv_and_json_have_the_same_rows(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every column of the matrix, with run, unit and marks on each line of the CSV."""
    assert main(["trace", run, "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert main(["trace", run, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert told["simulated"] is True
    assert {row["simulated"] for row in table} == {"True"}
    assert [[row[name] for name in COLUMNS] for row in table] == [
        [str(row[name]) for name in COLUMNS] for row in told["rows"]
    ]


def test_a_misspelt_requirement_is_refused(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was meant, perhaps."""
    assert main(["trace", run, "--requirement", "REL-1"]) == 4

    assert "did you mean 'REL-01'?" in capsys.readouterr().err
