"""The command line as a person types it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hil.cli import main
from hil.clock import RealClock
from hil.commands.find import find_run
from hil.commands.progress import in_words
from hil.errors import SetupError
from hil.journal.events import RunFinished, RunStarted
from hil.journal.writer import JournalWriter, new_run_folder
from hil.station.stations_file import OPTIONAL_ROLES, REQUIRED_ROLES

COMMANDS = ("certify", "report", "verify", "runs", "station list", "station check", "sim", "doctor")
SERIAL = "SP-000123"
ROLES = list(REQUIRED_ROLES + OPTIONAL_ROLES)


def hil(*arguments: str, cwd: Path | None = None, timeout_s: float = 100.0) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    command = [sys.executable, "-m", "hil.cli", *arguments]
    root = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "COLUMNS": "120"}
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
    """A run of the simulated station: one JSON document on stdout, progress on stderr, the record where it says."""
    done = hil("certify", SERIAL, "--operator", "A. Person", "--json", cwd=tmp_path)
    result = json.loads(done.stdout)

    assert (done.returncode, result["verdict"]) == (0, "pass"), result["reason"]
    assert result["exit_code"] == 0
    assert result["simulated"] is True
    assert {one["verdict"] for one in result["requirements"] if one["required"]} == {"pass", "waived"}
    assert (tmp_path / result["certificate"]).is_file()
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
    command = [sys.executable, "-m", "hil.cli", "certify", SERIAL, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
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
