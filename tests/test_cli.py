"""The command line as a person types it, in a process of its own."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.cli import main
from hil.clock import RealClock
from hil.commands.find import find_run
from hil.commands.progress import in_words
from hil.errors import SetupError
from hil.journal.events import RunFinished, RunStarted, SafeState
from hil.journal.writer import JournalWriter, new_run_folder
from hil.station.stations_file import OPTIONAL_ROLES, REQUIRED_ROLES

STRAY = {"PYTEST_ADDOPTS": "-k nothing_at_all"}  # left by somebody: no run of `hil certify` may heed it
COMMANDS = (
    "certify",
    "report",
    "verify",
    "runs",
    "station list",
    "station check",
    "station safe",
    "station import-dcc",
    "limits list",
    "limits show",
    "stats grr",
    "stats cpk",
    "trace",
    "plan check",
    "plan release",
    "plan diff",
    "plan show",
    "sim",
    "doctor",
)
SERIAL = "SP-000123"
ROLES = list(REQUIRED_ROLES + OPTIONAL_ROLES)


def hil(*arguments: str, cwd: Path | None = None, timeout_s: float = 100.0) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    command = [sys.executable, "-m", "hil.cli", *arguments]
    root = str(Path(__file__).parents[1])
    environment = os.environ | STRAY | {"PYTHONPATH": root, "COLUMNS": "120"}
    return subprocess.run(
        command, cwd=cwd or root, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def record(runs: Path, *, serial: str = SERIAL, ended: bool = True, hours: int = 0) -> Path:
    """Leave the record of a short run that measured nothing."""
    begun = datetime(2026, 3, 31, 8, hours, tzinfo=UTC)
    folder = new_run_folder(runs, serial, lambda: begun)
    ticks = iter(range(100))
    with JournalWriter(folder, RealClock(), lambda: begun + timedelta(seconds=next(ticks))) as journal:
        journal.write(
            RunStarted(
                serial=serial,
                board="smart-power",
                revision="A",
                stage="production",
                station="sim",
                simulated=True,
                operator="Ana",
                plan={"path": "smart_power.toml", "version": "1", "sha256": "ab" * 32},
                software={"version": "0", "commit": ""},
                python="3.11",
                seed=0,
            )
        )
        if ended:
            journal.write(RunFinished("aborted", 5, "nothing was tested", {}))
    return folder


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]):
    """`--help` of each says how to type it, and --debug is there for its errors."""
    for command in COMMANDS:
        with pytest.raises(SystemExit, match="0"):
            main([*command.split(), "--help"])
        told = capsys.readouterr().out
        assert f"example: hil {command}" in told
        assert "--debug" in told


def test_help_is_quick_because_it_imports_nothing_heavy():
    """Neither numpy nor rich nor pytest is imported before a command needs it."""
    code = "import sys, hil.cli\ntry: hil.cli.main(['--help'])\nexcept SystemExit: print('MODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.partition("MODULES")[2].split())

    assert imported & {"numpy", "rich", "pytest", "pydantic", "scipy", "pandas", "pyvisa", "httpx", "asyncio"} == set()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["certfy", SERIAL], "did you mean 'certify'?"),
        (["certify"], "SERIAL"),
        (["certify", SERIAL, "--stage", "prod"], "production, release, type"),
        (["certify", SERIAL, "--seed", "x"], "--seed"),
        (["certify", "../../etc/x"], "serial"),
        (["certify", "a/b"], "serial"),
        (["certify", SERIAL, "--station", "smi"], "sim"),
        (["certify", SERIAL, "--board", "smart-pwer"], "smart-power"),
        (["certify", SERIAL, "--revision", "Q"], "A"),
        (["certify", SERIAL, "--station", "bench-1", "--fault", "k1-welded"], "simulated station"),
        (["report", "SP-999999"], "hil runs"),
        (["station", "check", "smi"], "did you mean 'sim'?"),
        (["station", "list", "--stations", "nowhere.toml"], "cannot be read"),
        (["runs", "--last", "-3"], "'-3' is no whole number from 0 up"),
        (["stats", "cpk", "x.csv", "--lsl", "low"], "'low' is no number"),
        (["limits", "show", "oiml_r46_2012", "--elements", "5"], "known: 1, 2, 3"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_4(tmp_path: Path, arguments: list[str], says: str):
    """The line says what is wrong and what would be right; no traceback, nothing left behind."""
    record(tmp_path / "runs", serial="SP-000001")
    before = sorted(tmp_path.rglob("*"))
    done = hil(*arguments, cwd=tmp_path)

    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_debug_shows_the_traceback():
    """With --debug the error is shown as it is."""
    done = hil("report", "SP-999999", "--runs", "nowhere", "--debug")

    assert "Traceback" in done.stderr
    assert "SetupError" in done.stderr


def test_mistakes_in_stations_toml_are_listed_with_exit_4(tmp_path: Path):
    """Each on its own line, clickable."""
    (tmp_path / "stations.toml").write_text("[stations.sim]\nslots = 'x'\nlunch = 'hil.sim'\n", encoding="utf-8")
    done = hil("certify", SERIAL, cwd=tmp_path)

    assert done.returncode == 4
    assert "stations.toml:2: stations.sim.slots: a whole number is wanted here" in done.stderr
    assert "stations.toml:3: stations.sim.lunch: there is no such key; did you mean 'launch'?" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_certify_says_how_it_went_as_json(tmp_path: Path):
    """One JSON document on stdout, progress on stderr, the record where it says.

    It is a healthy unit of revision B, which needs no waiver; one of revision A is in certification/test_latency.py.
    """
    done = hil("certify", SERIAL, "--revision", "B", "--operator", "A. Person", "--json", cwd=tmp_path)
    result = json.loads(done.stdout)

    assert (done.returncode, result["verdict"]) == (0, "pass"), result["reason"]
    assert result["exit_code"] == 0
    assert result["simulated"] is True
    assert {one["verdict"] for one in result["requirements"] if one["required"]} == {"pass"}
    assert (tmp_path / result["certificate"]).is_file()
    assert (tmp_path / result["pdf"]).is_file()
    assert "before power" in done.stderr
    assert hil("verify", SERIAL, cwd=tmp_path).returncode == 0


def test_a_test_is_named_in_words():
    """A node id is for machines."""
    assert in_words("hil/tests/smart_power/test_relays.py::test_set_closes[K1]") == "relays: set closes (K1)"


def test_runs_lists_what_ended_and_what_died(tmp_path: Path):
    """Oldest first; a record without an end is an aborted run."""
    record(tmp_path)
    record(tmp_path, serial="SP-000200", ended=False, hours=1)
    rows = json.loads(hil("runs", "--runs", str(tmp_path), "--json").stdout)

    assert [(row["serial"], row["verdict"], row["exit_code"]) for row in rows] == [
        (SERIAL, "aborted", 5),
        ("SP-000200", "aborted", 3),
    ]
    assert rows[0]["seconds"] == 1.0
    assert "the run died" in rows[1]["reason"]
    assert [row["serial"] for row in json.loads(hil("runs", SERIAL, "--runs", str(tmp_path), "--json").stdout)] == [
        SERIAL
    ]
    assert "the run died" in hil("runs", "--last", "1", "--runs", str(tmp_path)).stdout


def listed(runs: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    """What `hil runs --json` says, by serial number."""
    assert main(["runs", "--runs", str(runs), "--json"]) == 0
    return {row["serial"]: row for row in json.loads(capsys.readouterr().out)}


def rewrite(folder: Path, before: bytes, after: bytes) -> None:
    """Change bytes of a journal without mending its chain."""
    path = folder / "journal.jsonl"
    assert before in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(before, after, 1))


def break_runs(runs: Path) -> dict[str, Path]:
    """Leave one run of each kind of trouble beside a good one."""
    names = ("good", "torn", "format", "damaged", "empty", "cut", "lost")
    folders = {name: record(runs, serial=name, hours=number) for number, name in enumerate(names)}
    journals = {name: folder / "journal.jsonl" for name, folder in folders.items()}
    journals["torn"].write_bytes(journals["torn"].read_bytes()[:-9])
    rewrite(folders["format"], b'"journal":3', b'"journal":4')
    rewrite(folders["damaged"], b"Ana", b"Eva")
    journals["empty"].write_bytes(b"")
    journals["cut"].write_bytes(journals["cut"].read_bytes()[:50])
    journals["lost"].unlink()
    return folders


def test_runs_lists_the_broken_ones_beside_the_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Each with what is wrong with it; exit code 0, in words too."""
    break_runs(tmp_path)
    rows = listed(tmp_path, capsys)

    assert {name: row["verdict"] for name, row in rows.items()} == {
        "good": "aborted", "torn": "aborted", "format": "broken", "damaged": "broken", "empty": "broken",
        "cut": "broken", "lost": "broken",
    }  # fmt: skip
    assert (rows["good"]["exit_code"], rows["torn"]["exit_code"], rows["empty"]["exit_code"]) == (5, 3, None)
    assert rows["torn"]["reason"] == (
        "the run died before its first test: its record has no end; no instrument was opened; "
        "its last line was cut short"
    )
    assert [rows[name]["torn"] for name in ("good", "torn")] == [False, True]
    assert str(rows["format"]["reason"]).startswith("broken: format 4; this journal has format 4, this program reads")
    assert str(rows["damaged"]["reason"]).startswith("damaged: line 2: the chain is broken")
    assert rows["empty"]["reason"] == "empty: nothing was written: the run died before its record began"
    assert rows["cut"]["reason"] == (
        "empty: its only line was cut short after 50 bytes: the run died before its record began"
    )
    assert rows["lost"]["reason"] == "no journal"

    assert main(["runs", "--runs", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert all(str(row["reason"]) in table for row in rows.values())


@pytest.mark.parametrize("command", ["report", "verify"])
@pytest.mark.parametrize(
    ("kind", "says", "exit_code"),
    [
        ("format", "this journal has format 4, this program reads 1, 2, 3", 4),
        ("damaged", "line 2: the chain is broken", None),  # a wrong command line for report, a finding for verify
        ("empty", "nothing was written: the run died before its record began", 4),
        ("cut", "its only line was cut short after 50 bytes", 4),
        ("lost", "there is no journal", 4),
    ],
)
def test_a_broken_record_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str, says: str, exit_code: int | None
):
    """By its id, its folder and its serial number; what is in it is never guessed."""
    folder = break_runs(tmp_path)[kind]
    for called in (kind, folder.name, str(folder)):
        found = main([command, called, "--runs", str(tmp_path)])
        told = capsys.readouterr()
        line = told.err + told.out

        assert found == (exit_code or {"report": 4, "verify": 1}[command])
        assert len(line.splitlines()) == 1
        assert (says in line) or (called == str(folder) and kind == "lost" and "there is no journal.jsonl" in line)
    assert not (folder / "certificate.html").exists()


def test_rubbish_among_the_runs_breaks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Files, empty folders, links that lead nowhere or to themselves, odd names: a run is listed, the rest is not."""
    record(tmp_path, serial="good")
    (tmp_path / "a file").write_text("x")
    (tmp_path / "SP-1").mkdir()
    (tmp_path / "SP-1" / "notes.txt").write_text("x")
    (tmp_path / "SP-2" / "some folder").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "SP-1" / "up").symlink_to(tmp_path)
    (tmp_path / "SP-1" / "nowhere").symlink_to(tmp_path / "gone")
    assert list(listed(tmp_path, capsys)) == ["good"]

    name = "20260331T080000.000000Z-abcd"
    (tmp_path / "pipe" / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe" / name / "journal.jsonl")
    (tmp_path / "folder" / name / "journal.jsonl").mkdir(parents=True)
    (tmp_path / "ring" / name).mkdir(parents=True)
    (tmp_path / "ring" / name / "journal.jsonl").symlink_to("journal.jsonl")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")) / name).mkdir(parents=True)
    rows = listed(tmp_path, capsys)

    assert {serial: row["verdict"] for serial, row in rows.items()} == {
        "good": "aborted", "pipe": "broken", "folder": "broken", "ring": "broken", "\udcff\udcfe": "broken",
    }  # fmt: skip
    assert "is no file" in str(rows["pipe"]["reason"])
    assert "levels of symbolic links" in str(rows["ring"]["reason"])
    assert main(["runs", "--runs", str(tmp_path)]) == 0
    assert "broken" in capsys.readouterr().out
    assert main(["report", "x" * 5000, "--runs", str(tmp_path)]) == 4


def test_runs_that_cannot_be_read_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """A journal that belongs to somebody else is listed with the system's words."""
    record(tmp_path, serial="good")
    theirs = record(tmp_path, serial="theirs") / "journal.jsonl"
    really_read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == theirs:
            raise PermissionError(13, "Permission denied")  # as the kernel says to anybody but root
        return really_read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    rows = listed(tmp_path, capsys)

    assert rows["good"]["verdict"] == "aborted"
    assert "Permission denied" in str(rows["theirs"]["reason"])


@pytest.mark.parametrize(
    ("safe", "words"), [(True, "the guard made the bench safe"), (False, "the bench is NOT proven safe")]
)
def test_runs_and_report_tell_what_the_guard_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], safe: bool, words: str
):
    """A killed run is aborted, with the guard's reason and the state of the bench; its reports are made."""
    folder = record(tmp_path, ended=False)
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq":1,"utc"')
    with JournalWriter.resume(folder, RealClock()) as journal:
        journal.write(SafeState("guard", "no heartbeat for 2 s", {"AcSource": "off"}, safe))
    row = listed(tmp_path, capsys)[SERIAL]

    assert (row["verdict"], row["exit_code"]) == ("aborted", 3)
    assert row["reason"] == f"the run died before its first test: no heartbeat for 2 s; {words}"
    assert main(["report", SERIAL, "--runs", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "this run died, the reports hold what it left: 3 lines" in told.err
    assert words in (folder / "certificate.html").read_text(encoding="utf-8")
    assert main(["verify", SERIAL, "--runs", str(tmp_path)]) == 0
    assert "; the run died; NOT SIGNED" in capsys.readouterr().out


def test_a_torn_line_is_said_by_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """runs, report and verify, in words and as JSON."""
    folder = record(tmp_path)
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-1])  # the newline alone: the line may have been longer
    runs = ["--runs", str(tmp_path)]

    assert listed(tmp_path, capsys)[SERIAL]["torn"] is True
    assert main(["report", SERIAL, *runs]) == 0
    assert "its last line was cut short and is left out" in capsys.readouterr().err
    assert main(["report", SERIAL, *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["torn"] is True
    assert main(["verify", SERIAL, *runs]) == 0
    assert "its last line was cut short" in capsys.readouterr().out
    assert main(["verify", SERIAL, *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["torn"] is True


def test_a_run_that_goes_on_is_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """It is not called aborted, and no report is made of half of it."""
    folder = record(tmp_path, ended=False)
    with JournalWriter.resume(folder, RealClock()):
        row = listed(tmp_path, capsys)[SERIAL]
        assert main(["report", SERIAL, "--runs", str(tmp_path)]) == 4
        assert "is going on" in capsys.readouterr().err

    assert (row["verdict"], row["exit_code"], row["reason"]) == ("running", None, "its journal is being written")
    assert listed(tmp_path, capsys)[SERIAL]["verdict"] == "aborted"


def test_a_clock_set_back_makes_no_nonsense_of_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A run that seems to end before it began took no negative time."""
    begun = datetime(2026, 3, 31, 8, tzinfo=UTC)
    folder = record(tmp_path, ended=False)
    with JournalWriter.resume(folder, RealClock(), lambda: begun - timedelta(hours=1)) as journal:
        journal.write(RunFinished("aborted", 5, "nothing was tested", {}))

    assert listed(tmp_path, capsys)[SERIAL]["seconds"] == 0.0


def test_runs_of_nobody_says_how_to_start_one(tmp_path: Path):
    """An empty list is not an error."""
    done = hil("runs", "--runs", str(tmp_path))

    assert done.returncode == 0
    assert "hil certify" in done.stdout


def test_a_run_is_found_by_folder_id_or_serial(tmp_path: Path):
    """A serial number means its newest run; half an id must be unmistakable."""
    older, newer = record(tmp_path), record(tmp_path, hours=1)
    other = record(tmp_path, serial="SP-000200", hours=2)

    assert find_run(tmp_path, str(older)) == older
    assert find_run(tmp_path, str(older / "journal.jsonl")) == older
    assert find_run(tmp_path, older.name) == older
    assert find_run(tmp_path, SERIAL) == newer
    assert find_run(tmp_path, other.name[:-3]) == other
    with pytest.raises(SetupError, match="means 3 runs"):
        find_run(tmp_path, "2026")
    with pytest.raises(SetupError, match="did you mean 'SP-000200'"):
        find_run(tmp_path, "SP-00200")
    with pytest.raises(SetupError, match="there are no runs"):
        find_run(tmp_path / "nowhere", "x")


def test_verify_finds_an_altered_byte(tmp_path: Path):
    """Whole is exit 0; altered is exit 1, with the first difference."""
    folder = record(tmp_path)
    assert hil("report", str(folder)).returncode == 0
    assert "whole and unaltered" in hil("verify", str(folder)).stdout

    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"Ana", b"Eva"))
    done = hil("verify", str(folder), "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["whole"] is False
    assert "journal" in json.loads(done.stdout)["why"]


def test_report_makes_the_same_bytes_again(tmp_path: Path):
    """The reports are a function of the journal."""
    folder = record(tmp_path)
    made = json.loads(hil("report", str(folder), "--json").stdout)["reports"]
    first = {path: Path(path).read_bytes() for path in made if Path(path).is_file()}
    hil("report", str(folder))

    assert str(folder / "certificate.html") in first
    assert {path: Path(path).read_bytes() for path in first} == first


def test_station_list_is_readable_and_json():
    """Both stations, with what must be known to find an instrument."""
    rows = json.loads(hil("station", "list", "--json").stdout)

    assert {row["station"] for row in rows} == {"sim", "bench-1"}
    assert "TCPIP::192.0.2.16::hislip0::INSTR" in hil("station", "list").stdout


def test_station_check_lets_each_instrument_say_who_it_is():
    """All of the simulated station answer as themselves."""
    done = hil("station", "check", "sim", "--json")
    checked = json.loads(done.stdout)

    assert done.returncode == 0, done.stdout
    assert [one["role"] for one in checked["instruments"]] == ROLES
    assert all(one["identity"] and not one["error"] for one in checked["instruments"])


def test_station_check_reports_every_instrument_that_is_ill(tmp_path: Path):
    """One that does not answer hides no other; exit code 3."""
    shipped = (Path(__file__).parents[1] / "stations.toml").read_text(encoding="utf-8")
    local = shipped.replace("192.0.2.", "127.0.0.")
    (tmp_path / "stations.toml").write_text(local, encoding="utf-8")
    done = hil("station", "check", "bench-1", "--json", cwd=tmp_path)
    checked = json.loads(done.stdout)

    assert done.returncode == 3
    assert [one["role"] for one in checked["instruments"] if one["error"]] == ROLES


def test_sim_prints_its_addresses_and_ends_on_ctrl_c():
    """The first line is JSON; the process is the simulated station itself."""
    command = [sys.executable, "-m", "hil.cli", "sim", "--serial", SERIAL, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)

    assert said["pid"] == process.pid
    assert set(said["instruments"]) >= {"AcSource", "Fixture"}


def test_ctrl_c_in_certify_is_exit_2(tmp_path: Path):
    """The run ends in good order: the bench safe, the record whole, the verdict aborted."""
    command = [sys.executable, "-m", "hil.cli", "certify", SERIAL, "--json", "--no-pdf"]
    environment = os.environ | STRAY | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s and not _measured(tmp_path):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)

    assert process.returncode == 2, errors
    assert json.loads(output)["verdict"] == "aborted"


def _measured(folder: Path) -> bool:
    return any('"event":"measurement"' in path.read_text() for path in folder.glob("runs/*/*/journal.jsonl"))


def test_a_reader_that_leaves_is_no_error(tmp_path: Path):
    """`hil runs | head` prints no traceback."""
    for minute in range(3):
        record(tmp_path, hours=minute)
    command = f"{sys.executable} -m hil.cli runs --json --runs {tmp_path} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_a_reader_that_leaves_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hil plan check | head -1` in a script that looks at every exit code: the holes are there all the same."""

    class Left(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", Left())
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(run=lambda asked: 4))

    assert main(["plan", "check"]) == 4
