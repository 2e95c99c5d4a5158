"""A released plan: what decides, how it is kept, and how a difference is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.plans.release import (
    MOST_TOLD,
    Deciding,
    Difference,
    Release,
    deciding,
    differences,
    new_release,
    next_id,
    on_record,
    path_of,
    read_release,
    write_release,
)

ON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PLAN = '[limits]\npower = { high = 0.5, unit = "%" }\n[[points]]\ni = "Ib"\n[[points]]\ni = "Imax"\n'
STATIONS = """
[stations.one]
slots = 1
operator = "A. Person"
laboratory = { name = "L", address = "A" }
signing = { key = "keys/one" }
[stations.one.instruments.Switch]
driver = "snmp_switch"
resource = "snmp://secret@192.0.2.20:161/1"
calibration = { certificate = "K-1", due = 2027-01-01 }
[stations.two]
slots = 2
"""
DECIDE = {
    "plans/a_board.toml": PLAN,
    "plans/plan.py": "# reads plans",
    "metrology/limits/table.toml": "rows = [1]\n",
    "instruments/accuracy/meter.toml": "of_reading = 0.001\n",
    "tests/__init__.py": "",
    "tests/a_board/test_power.py": "# measures",
    "plugin.py": "# glue",
}
DECIDE_NOTHING = {
    "plans/other_board.toml": "x = 1\n",
    "tests/other_board/test_power.py": "# of another board",
    "sim/world.py": "# simulates",
    "reports/page.py": "# shows",
    "commands/runs.py": "# shows",
    "cli.py": "# asks",
    "plans/__pycache__/plan.py": "",
    "plans/notes.md": "words",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small package and a stations.toml beside it."""
    for name, text in {**DECIDE, **DECIDE_NOTHING}.items():
        path = tmp_path / "hil" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "stations.toml").write_text(STATIONS)
    return tmp_path


def now(tree: Path) -> Deciding:
    """What decides in the tree as it is."""
    return deciding("a-board", "ab" * 32, "1.0", tree / "stations.toml", tree / "hil")


def released(tree: Path, id_: str = "a-board-A-1") -> Release:
    """Release the tree as it is."""
    release = new_release(now(tree), "a-board", "A", id_=id_, by="A. Person", on=ON)
    write_release(release, tree / "releases")
    read = read_release(tree / "releases", "a-board", "A")
    assert read is not None
    return read


def change(tree: Path, name: str, old: str, new: str) -> None:
    """Replace text in one file of the tree."""
    path = tree / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_decides_is_plan_tables_tests_and_code(tree: Path) -> None:
    """Neither what shows or simulates, nor another board's."""
    assert set(now(tree).files) == {f"hil/{name}" for name in DECIDE}


def test_nothing_differs_from_a_release_of_what_is_there(tree: Path) -> None:
    """Through the file and back, every station alike."""
    assert differences(released(tree), now(tree)) == []


def test_a_changed_limit_is_told_by_its_key_and_both_values(tree: Path) -> None:
    """Released 0.5, now 0.7."""
    release = released(tree)
    change(tree, "hil/plans/a_board.toml", "high = 0.5", "high = 0.7")

    (one,) = differences(release, now(tree), "one")
    assert one == Difference("hil/plans/a_board.toml", "limits.power.high", 0.5, 0.7)
    assert str(one) == "hil/plans/a_board.toml: limits.power.high: released 0.5, now 0.7"


def test_a_number_that_became_text_is_a_difference(tree: Path) -> None:
    """1 and true, or 1 and 1.0, are not the same in a plan."""
    release = released(tree)
    change(tree, "hil/metrology/limits/table.toml", "[1]", "[true]")

    assert differences(release, now(tree)) == [Difference("hil/metrology/limits/table.toml", "rows", "[1]", "[true]")]


def test_a_row_that_changed_is_told_by_its_place(tree: Path) -> None:
    """Rows count from 1."""
    release = released(tree)
    change(tree, "hil/plans/a_board.toml", '"Imax"', '"0.9Imax"')

    assert differences(release, now(tree)) == [Difference("hil/plans/a_board.toml", "points[2].i", "Imax", "0.9Imax")]


def test_a_row_that_is_gone_is_told_whole(tree: Path) -> None:
    """Places mean nothing where a row was taken out."""
    release = released(tree)
    change(tree, "hil/plans/a_board.toml", '[[points]]\ni = "Ib"\n', "")

    assert differences(release, now(tree)) == [
        Difference("hil/plans/a_board.toml", "points", '{"i": "Ib"}', None),
        Difference("hil/plans/a_board.toml", "points, rows", 2, 1),
    ]


@pytest.mark.parametrize("name", ["hil/plugin.py", "hil/plans/a_board.toml"])
def test_a_file_in_which_no_key_differs_is_told_by_its_digest(tree: Path, name: str) -> None:
    """Code, and a comment in a plan: who released it did not see that."""
    release = released(tree)
    with (tree / name).open("a") as file:
        file.write("# more\n")

    (one,) = differences(release, now(tree))
    assert (one.path, one.key) == (name, "")
    assert one.released == release.files[name][:12]
    assert one.now == now(tree).digests[name][:12]


def test_new_and_missing_files_are_differences(tree: Path) -> None:
    """A test that was added decides too, and one that is gone."""
    release = released(tree)
    (tree / "hil/tests/a_board/test_more.py").write_text("# measures more")
    (tree / "hil/tests/a_board/test_power.py").unlink()

    found = {(one.path, one.released is None, one.now is None) for one in differences(release, now(tree))}
    assert found == {
        ("hil/tests/a_board/test_more.py", True, False),
        ("hil/tests/a_board/test_power.py", False, True),
    }


def test_what_pytest_runs_beside_the_package_decides(tree: Path) -> None:
    """A conftest.py in the checkout could change any limit behind the plan's back."""
    release = released(tree)
    (tree / "conftest.py").write_text("import hil.metrology.decision\n")

    (difference,) = differences(release, now(tree))

    assert (difference.path, difference.released) == ("conftest.py", None)


def test_only_the_station_that_is_used_counts(tree: Path) -> None:
    """Another bench may change; one that was not there at the release is a difference."""
    release = released(tree)
    change(tree, "stations.toml", "slots = 2", "slots = 3")
    with (tree / "stations.toml").open("a") as file:
        file.write("[stations.three]\nslots = 1\n")

    assert differences(release, now(tree), "one") == []
    assert differences(release, now(tree), "two") == [Difference("stations.toml", "stations.two.slots", 2, 3)]
    (added,) = differences(release, now(tree), "three")
    assert (added.key, added.released) == ("stations.three", None)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"K-1"', '"K-2"'), ('"A. Person"', '"B. Other"'), ('"keys/one"', '"keys/new"'), ('name = "L"', 'name = "M"')],
)
def test_a_new_calibration_person_key_or_letterhead_is_no_other_plan(tree: Path, old: str, new: str) -> None:
    """They change without a decision about the plan, and each record names them."""
    release = released(tree)
    change(tree, "stations.toml", old, new)

    assert differences(release, now(tree)) == []


def test_no_secret_of_a_station_is_in_a_release(tree: Path) -> None:
    """The community of the switch is a password."""
    released(tree)

    assert "secret" not in path_of(tree / "releases", "a-board", "A").read_text()


def test_the_release_before_is_kept(tree: Path) -> None:
    """Under its own id, as it was; the next id is above all there were."""
    folder = tree / "releases"
    first = released(tree)
    text = path_of(folder, "a-board", "A").read_bytes()
    assert next_id(folder, "a-board", "A") == "a-board-A-2"
    released(tree, "a-board-A-2")

    assert (folder / "archive" / f"{first.id}.json").read_bytes() == text
    path_of(folder, "a-board", "A").unlink()
    assert next_id(folder, "a-board", "A") == "a-board-A-2"  # the first is in the archive
    assert next_id(folder, "a-board", "B") == "a-board-B-1"


def test_no_release_is_no_error(tree: Path) -> None:
    """A record says `none` then."""
    assert read_release(tree / "releases", "a-board", "A") is None
    assert on_record(None, None, "one")["status"] == "none"


def test_the_record_says_released_or_changed(tree: Path) -> None:
    """With who released it, and what differs on this station."""
    release = released(tree)
    said = on_record(release, now(tree), "one")
    assert (said["status"], said["id"], said["by"], said["on"]) == (
        "released",
        "a-board-A-1",
        "A. Person",
        "2026-11-21T12:00:00Z",
    )

    change(tree, "hil/plans/a_board.toml", "0.5", "0.7")
    said = on_record(release, now(tree), "one")
    assert said["status"] == "changed"
    assert said["differences"] == [
        {"path": "hil/plans/a_board.toml", "key": "limits.power.high", "released": 0.5, "now": 0.7}
    ]
    assert json.loads(json.dumps(said)) == said


def test_a_record_tells_so_many_differences_and_counts_the_rest(tree: Path) -> None:
    """The first line of a journal stays readable after a new version of everything."""
    for number in range(MOST_TOLD + 5):
        (tree / "hil" / f"old_{number}.py").write_text("")
    release = released(tree)
    for path in (tree / "hil").glob("old_*.py"):
        path.unlink()

    said = on_record(release, now(tree), "one")
    assert (len(said["differences"]), said["left_off"]) == (MOST_TOLD, 5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format": 1', '"format": 2'),
        ('"board": "a-board"', '"board": "other"'),
        ('"revision": "A"', '"revision": "B"'),
        ("high = 0.5", "high = 0.9"),  # in the text that its digest does not have
        ('"id": "a-board-A-1"', '"id": "../../x"'),
        ('"note": "",', ""),
        ("{", "["),
    ],
)
def test_a_release_that_was_altered_is_refused(tree: Path, old: str, new: str) -> None:
    """One line that names the file, before anything is energised."""
    released(tree)
    path = path_of(tree / "releases", "a-board", "A")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))

    with pytest.raises(SetupError, match=r"a-board-A\.json is no release") as refused:
        read_release(tree / "releases", "a-board", "A")
    assert "\n" not in str(refused.value)


def test_digests_that_are_no_text_are_refused(tree: Path) -> None:
    """They would be told as a difference, and a number cannot be cut short."""
    released(tree)
    path = path_of(tree / "releases", "a-board", "A")
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "files": dict.fromkeys(data["files"], 5), "texts": {}}))

    with pytest.raises(SetupError, match=r"a-board-A\.json is no release: a digest in it is no text"):
        read_release(tree / "releases", "a-board", "A")
