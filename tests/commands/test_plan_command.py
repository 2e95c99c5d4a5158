"""hil plan, as it is typed: the shipped plan is whole and can be released; what changes then is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hil.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped stations, in which the shipped plan was released. That collects all its tests."""
    folder = tmp_path_factory.mktemp("released")
    shutil.copy(ROOT / "stations.toml", folder)
    words = ["--by", "A. Person", "--note", "limits agreed", "--stations", str(folder / "stations.toml")]
    assert main(["plan", "release", *words]) == 0  # it is refused where 'hil plan check' finds anything
    return folder


def typed(home: Path, *words: str) -> int:
    """Type a command about the plan."""
    return main(["plan", *words, "--stations", str(home / "stations.toml")])


def test_the_shipped_plan_has_no_hole_and_can_be_released(home: Path) -> None:
    """The release says who, when, what for, and holds each file that decides."""
    release = json.loads((home / "releases" / "smart-power-A.json").read_text())

    assert (release["id"], release["by"], release["note"]) == ("smart-power-A-1", "A. Person", "limits agreed")
    assert {"hil/plans/smart_power.toml", "hil/metrology/decision.py", "hil/tests/smart_power/conftest.py"} <= set(
        release["files"]
    )


def test_what_is_released_as_it_is_is_not_released_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and writes nothing."""
    before = (home / "releases" / "smart-power-A.json").read_bytes()
    assert typed(home, "release", "--by", "B. Other") == 0

    assert "smart-power-A-1 by A. Person" in (said := capsys.readouterr().out)
    assert "nothing was written" in said
    assert (home / "releases" / "smart-power-A.json").read_bytes() == before
    assert not (home / "releases" / "archive").exists()


def test_a_difference_has_an_exit_code_and_a_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 as released, 1 different or not released; of one station, if asked."""
    assert typed(home, "diff") == 0
    assert "nothing differs" in capsys.readouterr().out

    path = home / "stations.toml"
    text = path.read_text()
    try:
        path.write_text(text.replace('"dmm.ambient" = 219', '"dmm.ambient" = 220', 1))
        assert typed(home, "diff", "--station", "bench-1") == 0
        assert typed(home, "diff", "--station", "sim") == 1
        assert 'stations.sim.wiring."dmm.ambient": released 219, now 220' in capsys.readouterr().out
        assert typed(home, "show", "--json") == 0
        assert json.loads(capsys.readouterr().out)["release"]["status"] == "changed"
    finally:
        path.write_text(text)


def test_each_revision_has_a_release_of_its_own(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Revision B was never released here."""
    assert typed(home, "diff", "--revision", "B") == 1
    assert "smart-power revision B is not released" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("release", "--by", " "), "nobody is named who releases the plan"),
        (("release", "--by", "A\x1b[31m"), "the name of who releases is refused"),
        (("release", "--by", "A", "--note", "x" * 600), "the note is refused"),
        (("release", "--by", "A", "--revision", "../B"), "smart-power has no revision"),
        (("show", "smart-pwer"), "no plan for a board 'smart-pwer'"),
        (("diff", "--station", "bnch"), "no station 'bnch'"),
    ],
)
def test_wrong_input_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    """Exit code 4, before anything is written."""
    assert typed(home, *words) == 4

    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
