"""hil export: files of other tools' formats, all of them or none, and never inside a record."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from hil.cli import main

sys.path.append(str(Path(__file__).parents[1] / "reports" / "exports"))  # its tests have no package

from export_sample import NO_EXPORTS, POWER, write
from sample_run import point

REFUSED = 4


@pytest.fixture
def runs(tmp_path):
    """Two runs of one unit."""
    (tmp_path / "runs" / "SP-000123").mkdir(parents=True)
    for name in ("20261121T083000.000000Z-abcd", "20261121T083000.000000Z-dddd"):
        folder = tmp_path / "runs" / "SP-000123" / name
        write(folder, [point(POWER, "power[i=Ib]")], plan=NO_EXPORTS, run_id=name, died=name.endswith("dddd"))
    return tmp_path / "runs"


def export(runs, *more):
    return main(["export", "SP-000123", "--runs", str(runs), *map(str, more)])


def test_several_formats_make_a_file_each(runs, tmp_path, capsys):
    """Named after unit and run; a run that died is exported, and said to have died."""
    assert export(runs, "--format", "junit,csv", "--format", "stdf", "--out", tmp_path / "out") == 0

    said = capsys.readouterr()
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name.partition("-dddd")[2] for name in names] == [".csv", ".junit.xml", ".stdf"]
    assert all(name in said.out for name in names)
    assert "died; the export holds what it left" in said.err


def test_runs_share_a_table_and_part_elsewhere(runs, tmp_path, capsys):
    """One CSV, but an ATML each."""
    one, two = (str(path) for path in sorted((runs / "SP-000123").iterdir()))
    asked = ["export", one, two, "--format", "csv,atml", "--out", str(tmp_path / "out"), "--json"]
    assert main(asked) == 0

    written = [Path(path).name for path in json.loads(capsys.readouterr().out)["written"]]
    assert written[0] == "2-runs.csv"
    assert [name.partition("Z-")[2] for name in written[1:]] == ["abcd.atml.xml", "dddd.atml.xml"]


def test_the_same_run_is_not_counted_twice(runs, tmp_path, capsys):
    """By its number in the record, wherever a copy of it lies."""
    one = runs / "SP-000123" / "20261121T083000.000000Z-abcd"
    copy = shutil.copytree(one, tmp_path / "copy")

    assert main(["export", str(one), str(copy), "--format", "csv", "--out", str(tmp_path / "out")]) == REFUSED
    assert "are the same run; name it once" in capsys.readouterr().err


def test_a_single_file_may_have_its_own_name(runs, tmp_path):
    """And the folder it lies in is made."""
    assert export(runs, "--format", "csv", "--out", tmp_path / "a" / "b.csv") == 0
    assert (tmp_path / "a" / "b.csv").read_text().startswith("run_id,")


def test_the_name_of_one_file_is_no_folder_for_two(runs, tmp_path, capsys):
    """A folder called b.csv would be looked into by nobody."""
    assert export(runs, "--format", "csv,atml", "--out", tmp_path / "b.csv") == REFUSED
    assert "is the name of one file, and 2 are made; name a folder" in capsys.readouterr().err
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "no format is named; choose from junit"),
        (("--format", "cvs"), "there is no format 'cvs'; did you mean 'csv'?"),
        (("--format", "csv,dcc"), "asks for no DCC"),
        (("--format", "csv", "--schema", "x.xsd"), "--schema checks ATML, and none is asked for"),
        (("--format", "atml", "--schema", "/nowhere/x.xsd"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(runs, tmp_path, capsys, more, said):
    """Exit code 4, one line, and not even the formats that could be made."""
    assert export(runs, *more, "--out", tmp_path / "out") == REFUSED

    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_record_takes_no_export(runs, capsys):
    """Its manifest lists every file: one more would alter it."""
    inside = runs / "SP-000123" / "20261121T083000.000000Z-abcd"
    assert export(runs, "--format", "csv", "--out", inside / "more") == REFUSED

    assert "lies inside a record" in capsys.readouterr().err
    assert not (inside / "more").exists()


def test_atml_is_checked_with_a_schema_that_is_given(runs, tmp_path, capsys):
    """Valid by hil's subset; not by one in which a run needs a colour, and another format's schema is refused."""
    own = Path(__file__).parents[2] / "hil" / "reports" / "exports" / "schema" / "atml_results_subset.xsd"
    other = own.with_name("atml_common_subset.xsd")
    stricter = tmp_path / own.name
    needed = '<xs:attribute name="colour" type="c:Said" use="required"/>'
    uuid = '<xs:attribute name="uuid" type="c:Uuid" use="required"/>'
    stricter.write_text(own.read_text().replace(uuid, uuid + needed))
    (tmp_path / other.name).write_text(other.read_text())

    assert export(runs, "--format", "atml", "--schema", own, "--out", tmp_path / "out") == 0
    assert export(runs, "--format", "atml", "--schema", stricter, "--out", tmp_path / "out") == REFUSED
    assert "missing required attribute 'colour'" in capsys.readouterr().err
    assert export(runs, "--format", "atml", "--schema", other, "--out", tmp_path / "out") == REFUSED
    assert "not of ATML test results" in capsys.readouterr().err
