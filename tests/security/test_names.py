"""What a person types is checked before anything is opened: exit 4, one line, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.cli import main
from hil.errors import SetupError
from hil.names import check_operator, check_serial, one_line, printable, without_secrets
from hil.plans.plan import load_plan
from tests.security import evil

SERIAL = "SP-000123"
ROOT = Path(__file__).parents[2]
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
WRONG = {
    "serial": (
        "../SP-000123", "SP-000123/../../x", "/tmp/x", "SP-000123\n", "SP-000123;reboot", "$(touch x)", "`touch x`", "",
        "SP-00012\uff13", "SP-000123\u202e", "\x1b[31mSP-000123", "<script>alert(1)</script>", "SP-000123\x00", "*",
        "S" * 5000,
    ),
    "--operator": (
        "A\nB", "A\tB", "\x1b]0;owned\x07", "Ana\u202eanA", "Ana\u2066", "A\u2028B", "A\x00B", "A\udcff", "x" * 81,
        "   ", "Ana\x9b2J", "Ana\u200bB",
    ),
    "--station": ("../sim", "sim\n", "/etc/passwd", "\x1b[2J", "sim;reboot", "", "<img src=x>", "--help"),
    "--board": ("../../x", "smart-power/../x", "os", "smart_power", "smart-power\n", "", "\x1b[2J", "--help", "../run"),
    "--revision": ("../A", "A\n", "", "\u202eA", "--help", "a"),
    "--stations": ("nowhere\n\x1b[2J.toml", "/", "\x00"),
}  # fmt: skip


class Watch:
    """Sees every process that is started, socket that is connected or bound, and file that is opened to be written."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[tuple[str, object]] = []
        sys.addaudithook(self._hook)  # for good: hooks cannot be removed

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        acts = event in {"subprocess.Popen", "os.system", "os.exec", "socket.connect", "socket.bind", "os.mkdir"}
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if self.on and (acts or writes):
            self.seen.append((event, arguments[0]))


_watch = Watch()


@pytest.fixture
def watch(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch, once everything that pytest makes for the test is there."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _watch.seen.clear()
    _watch.on = True
    yield _watch
    _watch.on = False


def told(text: str) -> str:
    """Return the one line that a person was told; fail when it is more, or acts on the terminal."""
    assert text.endswith("\n")
    assert not evil.ACTS.search(text)
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize(("what", "name"), [(what, name) for what, names in WRONG.items() for name in names])
def test_a_name_from_outside_opens_nothing(
    watch: Watch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    what: str,
    name: str,
):
    """Whatever is typed for serial number, operator, station, board, revision or file: exit 4 and one plain line."""
    monkeypatch.chdir(tmp_path)
    typed = ["certify", name if what == "serial" else SERIAL, *([] if what == "serial" else [f"{what}={name}"])]
    exit_code = main(typed)

    assert exit_code == 4
    assert told(capsys.readouterr().err).startswith("hil: ")
    assert watch.seen == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed", [("sim", "--board=../x"), ("sim", "--revision=Q"), ("sim", "--serial=--list-faults")])
def test_the_simulated_station_is_asked_for_by_known_names(
    watch: Watch, capsys: pytest.CaptureFixture[str], typed: tuple[str, ...]
):
    """Nothing is started for a board or a revision that does not exist."""
    assert main(typed) == 4
    told(capsys.readouterr().err)
    assert watch.seen == []


def test_an_option_nobody_knows_is_shown_as_text(capsys: pytest.CaptureFixture[str]):
    """argparse repeats what was typed."""
    with pytest.raises(SystemExit, match="4"):
        main(["runs", "--x\x1b[31m\nhil:all-is-well\u202e"])
    told(capsys.readouterr().err)

    assert main(["runs", "x\x1b[31m\nhil: all is well\u202e", "--runs", "nowhere\x1b[2J"]) == 0
    told(capsys.readouterr().out)


def test_plain_pytest_refuses_the_same(tmp_path: Path):
    """In a process of its own: exit 4, no record, and no raw control character in what pytest prints."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(ROOT / "hil/tests/smart_power"),
        "-p",
        "hil.plugin",
        "--serial",
        SERIAL,
    ]
    done = subprocess.run(
        [*command, "--operator=\x1b[31mAna\u202e", f"--stations={ROOT / 'stations.toml'}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 4
    assert "the operator's name" in done.stdout + done.stderr
    assert not evil.ACTS.search(done.stdout + done.stderr)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("fault", ["--json", "../../x", "k1-set-open\n", "k1-set-open@-1", "\x1b[31m", "$(reboot)"])
def test_faults_are_known_ones(tmp_path: Path, fault: str):
    """The simulated station, a process, refuses any other before it opens a socket."""
    command = [sys.executable, "-m", "hil.sim", "--serial", SERIAL, f"--fault={fault}", "--json"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (4, "")
    told(done.stderr)


@pytest.mark.parametrize(
    "name", ["", "Ana", "A. Person", "Zoë Müller-Łuć", "山田 太郎", "أحمد", "नमिता\u200dक", "O'Neill & Søn, #2"]
)
def test_people_have_all_kinds_of_names(name: str):
    """Any script, and no name at all."""
    check_operator(name)


def test_a_plan_with_a_lax_pattern_lets_no_serial_number_out_of_the_folder():
    """The plan's pattern comes first; a folder's name is a narrower thing than what a careless plan may allow."""
    from dataclasses import replace

    lax = replace(load_plan("smart-power"), serial_pattern=r"(?s).*")

    lax.check_serial("AB.1_2+3-4")
    for serial in ("../x", "a/b", "..", ".x", "a\nb", "", "\u0661", "a" * 65):
        with pytest.raises(SetupError, match="cannot name a folder"):
            lax.check_serial(serial)
        with pytest.raises(SetupError, match="cannot name a folder"):
            check_serial(serial)


def test_every_character_of_printable_text_can_be_seen():
    """Escapes instead of what acts or hides; all else as it was."""
    assert not evil.ACTS.search(printable(evil.ALL))
    assert printable("a\x1b[0m\u202e\ud800\n\tb") == "a\\x1b[0m\\u202e\\ud800\n\tb"
    assert one_line("a\nb\tc") == "a\\nb\\tc"
    assert printable("5\u202fµV ± 1\u00a0% Ω नमि\u200dता") == "5\u202fµV ± 1\u00a0% Ω नमि\u200dता"


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ("snmp://public@192.0.2.20:161/1?write=private", "snmp://***@192.0.2.20:161/1?write=***"),
        ("snmp://s@fe@192.0.2.20/1?write=w%26x", "snmp://***@192.0.2.20/1?write=***"),
        ("snmp://a/b@192.0.2.20/1", "snmp://***@192.0.2.20/1"),
        ("http://user:word@192.0.2.50", "http://***@192.0.2.50"),
        ("TCPIP::192.0.2.16::hislip0::INSTR", "TCPIP::192.0.2.16::hislip0::INSTR"),
        ("ftdi://ftdi:4232h:HILFIX01/3", "ftdi://ftdi:4232h:HILFIX01/3"),
    ],
)
def test_a_community_does_not_get_on_record(resource: str, shown: str):
    """It is a password: a certificate goes to customers."""
    assert without_secrets(resource) == shown


def test_station_list_shows_no_community(capsys: pytest.CaptureFixture[str]):
    """Neither as a table nor as JSON."""
    for typed in (["station", "list"], ["station", "list", "--json"]):
        main([*typed, "--stations", str(ROOT / "stations.toml")])
        shown = capsys.readouterr().out

        assert "192.0.2.20:161/1" in shown
        assert "private" not in shown
