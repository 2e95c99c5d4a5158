"""The evidence of a board type, made of runs of two units whose figures are known, and read back by other readers."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
from cyclonedx.model.bom import Bom

from hil.cli import main
from hil.errors import SetupError
from hil.journal.events import Instrument, Measurement, RunFinished, RunStarted, TestFinished, TestStarted
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter, new_run_folder
from hil.reports import make_reports
from hil.reports.bundle.collect import collect
from hil.reports.edition import Edition
from hil.reports.manifest import verify
from hil.signing.keys import new_key, open_signer
from tests.reports.sample_run import Standing, requirement

PLAN = b'[plan]\nversion = "1.2.0"\n'
CALIBRATION = b'certificate = "K-1203"\n'
SOFTWARE = {
    "python": "3.11.7",
    "implementation": "CPython",
    "system": "Linux 6.1",
    "machine": "x86_64",
    "packages": [{"name": "numpy", "version": "2.3.1"}, {"name": "pyvisa", "version": "1.16.0"}],
}
POWER = "hil/tests/smart_power/test_metering.py::test_power"
CALIBRATED = {"certificate": "K-1203", "laboratory": "Example Calibration", "due": "2027-02-03", "status": "valid"}


def run(runs: Path, serial: str, value_pct: float, *, stage: str = "type", board: str = "smart-power") -> Path:
    """Write a run of one unit, with one point between -1 % and 1 %, and make its reports."""
    verdict = "pass" if abs(value_pct) <= 1.0 else "fail"
    folder = new_run_folder(runs, serial)
    plan = {"path": "smart_power.toml", "version": "1.2.0", "sha256": hashlib.sha256(PLAN).hexdigest()}
    with JournalWriter(folder, Standing()) as journal:
        journal.write(
            RunStarted(
                serial=serial,
                board=board,
                revision="A",
                stage=stage,
                station="bench-1",
                simulated=False,
                operator="Ana",
                plan=plan,
                software={"version": "0.1.0", "commit": "c0ffee"},
                python="3.11.7",
                seed=0,
                requirements=(requirement("MET-05", ["power"]), requirement("ETH-01", required=False, area="ethernet")),
                release={"status": "released", "id": "R-1", "by": "Bo", "on": "2026-11-01T00:00:00Z", "sha256": "ab"},
            )
        )
        journal.attach("", "smart_power.toml", PLAN, "application/toml")
        journal.attach("", "software.json", json.dumps(SOFTWARE).encode(), "application/vnd.hil.software+json")
        journal.attach("", "calibration PowerMeter.toml", CALIBRATION, "application/toml")
        journal.write(
            Instrument(
                "PowerMeter", "yokogawa_wt310e", "x", "YOKOGAWA WT310E, serial C3, firmware F1.04", "C3", CALIBRATED
            )
        )
        journal.write(TestStarted(POWER, ("MET-05",)))
        journal.write(
            Measurement(
                POWER, "power", "MET-05", value_pct, "%", 0.02, 50.0, -1.0, 1.0, None, "simple", verdict,
                judgement={"expanded_u": 0.04}, instruments=("PowerMeter",),
            )
        )  # fmt: skip
        journal.write(TestFinished(POWER, ("MET-05",), verdict, "unit" if verdict == "fail" else ""))
        journal.write(RunFinished(verdict, 0 if verdict == "pass" else 1, "", {verdict: 1}))
    make_reports(folder, Edition(pdf=False))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two units inside their limits; the second is the nearer one."""
    folder = tmp_path_factory.mktemp("runs")
    run(folder, "SP-000001", 0.25)
    run(folder, "SP-000002", -0.75)
    return folder


def evidence(runs: Path, target: Path, *more: str) -> int:
    """Call the command without a PDF, which takes longer than all the rest."""
    asked = ["SP-000001", "SP-000002", "--runs", str(runs), "--out", str(target), "--no-pdf"]
    return main(["evidence", *asked, *more])


@pytest.fixture(scope="module")
def made(runs, tmp_path_factory):
    """The bundle of both."""
    target = tmp_path_factory.mktemp("bundle") / "evidence"
    assert evidence(runs, target, "--zip") == 0
    return target


def test_each_requirement_has_the_verdict_of_each_unit(runs):
    """In the order of the serial numbers; what only some plans ask for stays open where they do not."""
    found = collect("smart-power", "A", sorted(runs.glob("*/*"), reverse=True))

    assert [one.serial for one in found.units] == ["SP-000001", "SP-000002"]
    assert {one.id: one.verdicts for one in found.lines} == {
        "MET-05": ("pass", "pass"),
        "ETH-01": ("not_covered", "not_covered"),
    }
    assert not found.simulated
    assert found.released
    assert [str(one) for one in found.notices] == ["NOT SIGNED: 2 of 2 runs came without a signature of their own."]


def test_a_point_is_told_over_all_units_and_names_the_one_nearest_to_its_limit(runs):
    """Smallest, mean, largest; the margin of the second unit to -1 % is 0.25 %."""
    (spread,) = collect("smart-power", "A", sorted(runs.glob("*/*"))).spreads

    assert (spread.values, spread.least, spread.mean, spread.most) == (2, -0.75, -0.25, 0.25)
    assert (spread.least_margin, spread.least_serial, spread.largest_u) == (0.25, "SP-000002", 0.04)


def test_an_instrument_used_by_two_runs_is_one_instrument(runs):
    """With its calibration, and both runs behind it."""
    (used,) = collect("smart-power", "A", sorted(runs.glob("*/*"))).instruments

    assert used.instrument.calibration is not None
    assert used.instrument.calibration["certificate"] == "K-1203"
    assert len(used.run_ids) == 2


def test_the_tables_hold_every_measurement(made):
    """Read by csv and by pyarrow."""
    with (made / "measurements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    typed = pyarrow.parquet.read_table(made / "measurements.parquet").to_pylist()

    assert [(row["serial"], float(row["value"])) for row in rows] == [("SP-000001", 0.25), ("SP-000002", -0.75)]
    assert [(row["serial"], row["value"]) for row in typed] == [("SP-000001", 0.25), ("SP-000002", -0.75)]


def test_the_matrix_leads_from_the_requirement_to_the_calibration(made):
    """For each unit."""
    with (made / "traceability.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["requirement"] == "MET-05"]

    assert [(row["unit"], row["role"], row["serial"], row["calibration"]) for row in rows] == [
        ("SP-000001", "PowerMeter", "C3", "K-1203"),
        ("SP-000002", "PowerMeter", "C3", "K-1203"),
    ]


def test_plan_calibration_and_records_are_copies_to_the_byte(made, runs):
    """Whoever holds the package needs nothing else."""
    (plan,) = (made / "plans").iterdir()
    (calibration,) = (made / "instruments").iterdir()

    assert plan.read_bytes() == PLAN
    assert calibration.read_bytes() == CALIBRATION
    for original in (path for path in runs.rglob("*") if path.is_file()):
        assert (made / "runs" / original.relative_to(runs)).read_bytes() == original.read_bytes()


def test_the_bill_of_materials_lists_packages_and_firmware(made):
    """Read back by CycloneDX's own reader."""
    (path,) = (made / "software").iterdir()
    bom = Bom.from_json(json.loads(path.read_text()))
    parts = {one.name: one for one in bom.components}

    assert parts["numpy"].version == "2.3.1"
    assert str(parts["pyvisa"].purl) == "pkg:pypi/pyvisa@1.16.0"
    assert parts["PowerMeter: YOKOGAWA WT310E, serial C3, firmware F1.04"].version == "F1.04"
    assert parts["hil"].version == "0.1.0 c0ffee"


def test_the_page_leads_to_every_file_and_asks_for_none_from_elsewhere(made):
    """Each link leads to a file of the package; there is no script."""
    page = (made / "index.html").read_text(encoding="utf-8")

    links = re.findall(r'href="([^"]*)"', page)
    assert links
    assert all((made / link).is_file() for link in links)
    assert "<script" not in page
    assert "http" not in page


def test_the_package_is_whole_until_one_byte_is_changed(made, tmp_path, capsys):
    """Folder and archive alike."""
    assert main(["verify", str(made)]) == 0
    files = sum(path.is_file() for path in made.rglob("*")) - 1  # but the manifest itself
    assert f": 2 runs, {files} files, each by its digest; NOT SIGNED" in capsys.readouterr().out
    assert main(["verify", str(made.with_name("evidence.zip"))]) == 0
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    plan = next((copy / "plans").iterdir())
    plan.write_bytes(plan.read_bytes().replace(b"1.2.0", b"1.2.1"))
    capsys.readouterr()

    assert main(["verify", str(copy)]) == 1
    assert f"plans/{plan.name}: altered" in capsys.readouterr().out


def test_a_signed_package_is_believed_from_its_key_alone(runs, tmp_path, capsys):
    """And its result is the worst of its runs."""
    key, public = new_key(tmp_path / "keys", "lab", None)
    _, other = new_key(tmp_path / "keys", "other", None)
    assert evidence(runs, tmp_path / "signed", "--key", str(key)) == 0
    capsys.readouterr()

    assert main(["verify", str(tmp_path / "signed"), "--trust", str(public)]) == 0
    assert "lab" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "signed"), "--trust", str(other)]) == 1


def test_the_same_runs_give_the_same_bytes(runs, made, tmp_path):
    """Of the archive too."""
    again = tmp_path / "evidence"
    assert evidence(runs, again, "--zip") == 0

    assert (tmp_path / "evidence.zip").read_bytes() == made.with_name("evidence.zip").read_bytes()


def test_what_a_reader_must_not_overlook_stands_at_the_head(tmp_path):
    """A run that is not of the type stage, made from another plan than it was released for."""
    folder = run(tmp_path, "SP-000003", 0.1, stage="production")

    found = collect("smart-power", "A", [folder])

    assert [str(one) for one in found.notices] == [
        "NOT SIGNED: 1 of 1 runs came without a signature of their own.",
        "No run is of the stage that gives type evidence; what only that stage tests is not covered here.",
    ]


def test_what_must_not_be_overlooked_is_said_in_the_reader_s_language(tmp_path):
    """The head of a German page, whose nouns keep their capitals."""
    run(tmp_path, "SP-000003", 0.1, stage="production")
    asked = ["SP-000003", "--runs", str(tmp_path), "--out", str(tmp_path / "de"), "--no-pdf", "--lang", "de"]
    assert main(["evidence", *asked]) == 0
    page = (tmp_path / "de" / "index.html").read_text(encoding="utf-8")

    assert "NICHT SIGNIERT: 1 von 1 Läufen" in page
    assert "Kein Lauf gehört zur Prüfstufe der Typprüfung" in page
    assert "<td>Fertigung</td>" in page


def test_a_run_signed_by_nobody_known_is_left_out(tmp_path, capsys):
    """Its record is whole, and could still be anybody's; with the key on the line it goes in."""
    folder = run(tmp_path, "SP-000003", 0.1)
    key, public = new_key(tmp_path / "keys", "lab", None)
    make_reports(folder, Edition(signer=open_signer(str(key)), pdf=False))
    asked = ["evidence", str(folder), "--no-pdf", "--stations", str(tmp_path / "stations.toml"), "--out"]

    assert main([*asked, str(tmp_path / "a")]) == 4
    assert "signed by an unknown key" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main([*asked, str(tmp_path / "b"), "--trust", str(public)]) == 0


def test_an_archive_that_is_there_is_not_written_over(runs, tmp_path, capsys):
    """And that is said before a package is made; the folder one stands in has a name too."""
    (tmp_path / "a.zip").write_text("mine")
    assert evidence(runs, tmp_path / "a", "--zip") == 4
    assert "a.zip is there already" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "a.zip").read_text() == "mine"


@pytest.mark.parametrize("field", [{"serial": "../../esc"}, {"run_id": "../../esc"}])
def test_a_record_from_elsewhere_names_no_folder_outside_the_package(field, tmp_path, capsys):
    """Serial number and run id stand in its journal, and whoever wrote that could have written anything."""
    folder = run(tmp_path / "runs", "SP-000003", 0.1)
    prev, lines = "0" * 64, []
    for line in (folder / "journal.jsonl").read_text().splitlines():
        data = {**json.loads(line), "prev": prev}
        data |= field if data["event"] == "run_started" else {}
        lines.append(json.dumps(data).encode())
        prev = hashlib.sha256(lines[-1]).hexdigest()
    (folder / "journal.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "manifest.json").unlink()
    make_reports(folder, Edition(pdf=False))

    assert main(["evidence", str(folder), "--out", str(tmp_path / "made" / "here"), "--no-pdf"]) == 4
    assert "cannot name a folder" in capsys.readouterr().err
    assert not [*tmp_path.rglob("esc")]


def test_what_does_not_belong_is_refused_and_nothing_is_left(runs, tmp_path, capsys):
    """Another board, a run named twice, an altered run, a folder that holds something, one inside a run."""
    other = run(tmp_path / "other", "OM-000001", 0.1, board="open-meter")
    first = next(runs.glob("SP-000001/*"))
    bad = tmp_path / "bad"
    shutil.copytree(first, bad)
    journal = bad / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"0.25", b"0.24"))
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")

    for runs_asked, target, why in (
        ([first, other], tmp_path / "a", "not of smart-power revision A"),
        ([first, first], tmp_path / "b", "named twice"),
        ([bad], tmp_path / "c", "ALTERED"),
        ([first], full, "is not empty"),
        ([first], first / "evidence", "inside the record"),
    ):
        asked = [*map(str, runs_asked), "--out", str(target), "--no-pdf"]
        assert main(["evidence", *asked]) == 4
        assert why in capsys.readouterr().err
        assert target == full or not target.exists()
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert verify(first) is None


def test_no_run_is_no_evidence():
    """A package of nothing proves nothing."""
    with pytest.raises(SetupError, match="no run is named"):
        collect("smart-power", "A", [])


def test_a_run_of_today_records_its_own_software(runs):
    """The reader of the journal finds it again."""
    from hil.reports.bundle.collect import software

    unit = collect("smart-power", "A", [next(runs.glob("SP-000001/*"))]).units[0]

    assert software(unit) == SOFTWARE
    assert read_journal(unit.folder).finished is not None
