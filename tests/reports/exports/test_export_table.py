"""The table of measurements: CSV read by csv and pandas, Parquet by pyarrow; each cell is what the journal says."""

import csv
import io
import json
import math
from datetime import UTC, datetime

import pytest

from hil.reports.exports import render
from hil.reports.exports.table import COLUMNS, NAMES, defused, measurements

REAL = {
    "value": lambda said: said["value"],
    "u": lambda said: said["u"],
    "low": lambda said: said["low"],
    "high": lambda said: said["high"],
    "raw": lambda said: said.get("raw"),
    **{
        name: (lambda said, name=name: said.get("judgement", {}).get(name))
        for name in ("expanded_u", "k", "acceptance_low", "acceptance_high", "tur", "risk")
    },
}
TEXT = ("test", "requirement", "unit", "verdict", "rule", "reason")


@pytest.fixture
def rows(journal):
    data = render("csv", [journal])
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_csv_has_each_attempt_with_all_its_numbers(rows, told, stands):
    """Full precision, empty where there is none, and counted."""
    assert len(rows) == len(told)
    for row, (seq, utc, said) in zip(rows, told, strict=True):
        for name, of in REAL.items():
            assert row[name] == ("" if of(said) is None else repr(float(of(said)))), (said["name"], name)
        expected = "" if said["u"] is None else "inf" if said["dof"] is None else repr(float(said["dof"]))
        assert row["dof"] == expected
        assert (row["journal_line"], row["utc"], row["attempt"]) == (str(seq + 1), utc, str(said["attempt"]))
        assert (row["verdict"], row["standing"]) == (said["verdict"], stands(said))
        assert (row["unit"], row["measurement"]) == (said["unit"], said["name"])
        assert json.loads(row["point"]) == said["point"]


def test_the_last_attempt_is_marked(full):
    """One attempt of each measurement counts."""
    found = list(csv.DictReader(io.StringIO(render("csv", [full]).decode(), newline="")))
    of_first = [(row["attempt"], row["last_attempt"]) for row in found if row["measurement"] == "power.error[pf=1]"]

    assert of_first == [("1", "false"), ("2", "true")]
    counted = [row["measurement"] for row in found if row["last_attempt"] == "true"]
    assert sorted(counted) == sorted({row["measurement"] for row in found})


def test_nothing_in_csv_is_a_formula(full):
    """Not where a cell begins, nor where a spreadsheet that parts cells at semicolons or new lines would begin one."""
    text = render("csv", [full]).decode()
    numbers = {column.name for column in COLUMNS if column.kind == "real"}

    for row in csv.DictReader(io.StringIO(text, newline="")):
        for name, cell in row.items():
            parts = [] if name in numbers else cell.replace("\n", ";").split(";")
            assert not any(part.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for part in parts), cell
    assert "'=HYPERLINK" in text
    assert "; '=2" in text
    assert "'+Ana & Bö" in text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "  '@SUM(A1)"),
        ("-3 V", "'-3 V"),
        ("a;=b", "a;'=b"),
        ("＝1", "'＝1"),
        ("\t=1", "\\t=1"),
        ("a\n=b", "a\\n=b"),
        ("U = 3; k = 2", "U = 3; k = 2"),
        ("3-4", "3-4"),
    ],
)
def test_text_is_defused_and_no_more_changed_than_it_must(text, safe):
    """An apostrophe before what acts; what parts lines is spelled out."""
    assert defused(text) == safe


def test_pandas_reads_the_same_from_csv_and_parquet(journal, told):
    """The readers that people use agree with the journal in every number, time and count."""
    import pandas as pd
    import pyarrow.parquet as pq

    data = render("parquet", [journal])
    frame = pd.read_csv(io.BytesIO(render("csv", [journal])), keep_default_na=False, na_values={n: [""] for n in REAL})
    table = pq.read_table(io.BytesIO(data))
    cells = table.to_pylist()

    assert tuple(frame.columns) == tuple(table.column_names) == NAMES
    assert len(frame) == len(cells) == len(told)
    for (_, row), cell, (_, utc, said) in zip(frame.iterrows(), cells, told, strict=True):
        for name, of in REAL.items():
            assert cell[name] == of(said), name
            assert (math.isnan(row[name]) and of(said) is None) or row[name] == of(said)
        for name in TEXT:
            assert cell[name] == said[name]
        when = datetime.fromisoformat(utc)
        assert cell["utc"] == when
        assert pd.Timestamp(row["utc"]) == when


def test_parquet_says_units_and_marks(full):
    """Each field has its unit, and the file says that nothing in it was measured."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(io.BytesIO(render("parquet", [full])))

    assert schema.metadata[b"marks"] == b"SIMULATED; NOT RELEASED"
    assert schema.field("took_s").metadata[b"unit"] == b"s"
    assert schema.field("value").metadata[b"unit"] == b"as in the column unit"
    assert str(schema.field("utc").type) == "timestamp[us, tz=UTC]"


def test_several_runs_share_one_table(full, good):
    """The frame has the rows of all runs in their order, and the same types even without a row."""
    frame, empty = measurements([full, good]), measurements([])

    assert list(frame.dtypes) == list(empty.dtypes)
    assert list(frame["marks"].unique()) == ["SIMULATED; NOT RELEASED", ""]
    assert frame["run_start_utc"].iloc[0] == datetime(2026, 11, 21, 8, 30, 0, 10_000, tzinfo=UTC)
    assert (frame["slot"] == 2).all()
    assert list(frame["run_verdict"].unique()) == ["fail", "pass"]
    assert list(frame["value"].dropna()) == [
        said["value"] for one in (full, good) for said in _values(one) if said["value"] is not None
    ]


def _values(journal):
    for text in (journal.folder / "journal.jsonl").read_bytes().splitlines():
        line = json.loads(text)
        if line["event"] == "measurement":
            yield line


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_the_same_journal_gives_the_same_bytes(journal, name):
    assert render(name, [journal]) == render(name, [journal])
