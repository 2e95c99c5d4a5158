"""`hil stats` as a person uses it: tables as spreadsheets write them, words, exit codes, and one-line errors."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main

AIAG = Path(__file__).parents[1] / "metrology/data/aiag_msa4.csv"
WIDE = [line.split(",") for line in AIAG.read_text(encoding="utf-8").split()]


def long_form(separator: str, mark: str) -> str:
    """Return the AIAG study, one reading a line, columns in another order and with other names, lines shuffled."""
    lines = [
        separator.join((value.replace(".", mark), label[0], label[1], f"SP-{part}"))
        for label, *values in WIDE[1:]
        for part, value in enumerate(values, 1)
    ]
    random.Random(4).shuffle(lines)
    return "\r\n".join([separator.join(("Reading (W)", "Station", "Reseat", "Board")), *lines]) + "\r\n"


def trials_in_columns() -> str:
    """Return the AIAG study, a line a part and operator."""
    rows = [
        f"{part},{operator}," + ",".join(row[part] for row in WIDE[1:] if row[0][0] == operator)
        for operator in "ABC"
        for part in range(1, 11)
    ]
    return "\n".join(["part,operator,1,2,3", *rows])


def grr(file: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = main(["stats", "grr", str(file), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


SHAPES = {
    "parts in columns": AIAG.read_bytes(),
    "semicolon, decimal comma, BOM": long_form(";", ",").encode("utf-8-sig"),
    "tab, UTF-16": long_form("\t", ".").encode("utf-16"),
    "comma": long_form(",", ".").encode(),
    "sep line": b"sep=;\r\n" + long_form(";", ",").encode("cp1252"),
    "trials in columns": trials_in_columns().encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_study_is_found_in_every_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: str):
    """The same ten parts, three operators and three trials: 27.86 % of AIAG MSA-4 each time."""
    file = tmp_path / "study.csv"
    file.write_bytes(SHAPES[shape])
    code, found = grr(file, capsys)

    assert (code, found["verdict"], found["categories"]) == (0, "marginal", 4)
    assert found["study_percent"]["GRR"] == pytest.approx(27.86, abs=0.005)
    assert (len(found["parts"]), sorted(found["factors"]), found["trials"]) == (10, ["A", "B", "C"], 3)


def test_the_range_method_and_the_tolerance(capsys: pytest.CaptureFixture[str]):
    """26.68 % by ranges; with a tolerance of 6 the gauge takes 30.2 % of it, which is exit code 1."""
    assert grr(AIAG, capsys, "--method", "range")[1]["study_percent"]["GRR"] == pytest.approx(26.68, abs=0.01)
    code, found = grr(AIAG, capsys, "--lsl", "-3", "--usl", "3")

    assert (code, found["verdict"]) == (1, "unacceptable")
    assert found["tolerance_percent"]["GRR"] == pytest.approx(30.24, abs=0.01)


def test_a_person_reads_a_verdict_and_what_to_do(capsys: pytest.CaptureFixture[str]):
    """The table fits 80 columns; the words name the factor."""
    assert main(["stats", "grr", str(AIAG), "--tolerance", "6"]) == 1
    told = capsys.readouterr().out

    assert "UNACCEPTABLE: the measurement takes 27.9 % of the study's scatter and 30.2 % of the tolerance" in told
    assert "The operators differ more than repeats do" in told
    assert max(len(line.rstrip()) for line in told.splitlines() if "─" in line or " .. 0" in line) <= 80


def test_without_operator_only_repeatability_is_studied(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """And the words say what is not in the figures."""
    file = tmp_path / "one.csv"
    file.write_text("board,1,2,3\n" + "\n".join(f"{n},{n}.1,{n}.2,{n}.0" for n in range(9)), encoding="utf-8")

    assert "AV" not in grr(file, capsys)[1]["standard_deviations"]
    assert main(["stats", "grr", str(file)]) == 0
    told = capsys.readouterr().out
    assert "No operator, station or fixture in the table" in told
    assert "small study" in told


def capability_file(folder: Path, n: int = 60) -> Path:
    """Write n values with mean 0.1 and s 0.2, exactly, in batches of five."""
    draw = random.Random(3)
    raw = [draw.gauss(0.0, 1.0) for _ in range(n)]
    centre = sum(raw) / n
    s = (sum((x - centre) ** 2 for x in raw) / (n - 1)) ** 0.5
    lines = [f"SP-{i},{i // 5},{0.1 + 0.2 * (x - centre) / s:.12f}" for i, x in enumerate(raw)]
    file = folder / "cpk.csv"
    file.write_text("\n".join(["serial,batch,error_pct", *lines]), encoding="utf-8")
    return file


def test_capability_of_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Mean 0.1, s 0.2, limits -1 and 1: Pp 1.667, Ppk 1.5; not yet shown to be 1.33, but 1.1; exit codes say so."""
    typed = ["stats", "cpk", str(capability_file(tmp_path)), "--column", "error_pct", "--lsl", "-1", "--usl", "1"]

    assert main([*typed, "--json", "--subgroup", "batch", "--target", "0.1"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["overall"]["Pp"]["value"] == pytest.approx(1 / 0.6)
    assert found["overall"]["Ppk"]["value"] == pytest.approx(1.5)
    assert found["Cpm"] == pytest.approx(1 / 0.6)
    assert (found["within"]["sigma_method"], found["overall"]["sigma_method"]) == ("pooled s", "overall s")
    assert found["within"]["dof"] == 48
    assert found["verdict"] == "not shown"
    assert main([*typed, "--minimum", "1.1"]) == 0
    assert "CAPABLE: Ppk 1.50" in capsys.readouterr().out
    assert main([*typed, "--minimum", "2.5"]) == 1
    assert "NOT CAPABLE" in capsys.readouterr().out


def test_one_limit_one_column_no_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The smallest table there is."""
    file = tmp_path / "bare.csv"
    file.write_text("1,5\n1,7\n1,6\n", encoding="utf-8")

    assert main(["stats", "cpk", str(file), "--usl", "2", "--json"]) == 4  # two columns, for all anybody knows
    assert "--column" in capsys.readouterr().err
    file.write_text("1.5\n1.7\n1.6\n", encoding="utf-8")
    assert main(["stats", "cpk", str(file), "--usl", "2", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["overall"]["Pp"], found["overall"]["Ppl"]) == (None, None)
    assert found["overall"]["Ppu"] == pytest.approx(4.0 / 3.0)


def test_outside_unstable_and_not_normal_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Two heaps, one after the other, and two values past the limit."""
    draw = random.Random(5)
    values = [draw.gauss(0.0, 0.1) for _ in range(40)] + [draw.gauss(3.0, 0.1) for _ in range(40)] + [9.0, 9.1]
    file = tmp_path / "heaps.csv"
    file.write_text("value\n" + "\n".join(map(str, values)), encoding="utf-8")

    assert main(["stats", "cpk", str(file), "--usl", "5"]) == 1
    told = capsys.readouterr().out
    assert "2 of 82 values (2.4 %) are outside the limits." in told
    assert "of 82 points signal" in told
    assert "not normal" in told


WRONG = {
    "empty": (b"", "study.csv: is empty"),
    "names only": (b"part,operator,value\n", "has column names but no values"),
    "one column": (b"value\n1\n2\n", "no study can be seen in columns 'value'"),
    "text": (b"part,operator,value\n1,A,x\n", "study.csv:2: column 'value' is 'x', not a number"),
    "escape": (b"part,operator,value\n1,A,\x1b[31m\n", r"column 'value' is '\x1b[31m'"),
    "nan": (b"part,operator,value\n1,A,nan\n", "column 'value' is 'nan', not a number"),
    "huge": (b"part,operator,value\n1,A,1e999\n", "too large"),
    "missing": (b"part,operator,value\n1,A,1\n1,A,\n", "study.csv:3: column 'value' is empty"),
    "short line": (b"part,operator,value\n1,A\n", "study.csv:2: column 'value' is empty"),
    "decimal comma": (b"part,operator,value\n1,A,1,5\n", "study.csv:2: 4 cells under 3 column names"),
    "two marks": (
        b"part;operator;value\n1;A;1,5\n1;A;1.234\n",
        "study.csv:3: column 'value' is '1.234', but above ','",
    ),
    "twice": (b"part,operator,trial,value\n1,A,1,1\n1,A,1,2\n", "study.csv:3: column 'trial' is '1', as in line 2"),
    "unbalanced": (
        b"part,operator,value\n1,A,1\n1,A,2\n2,A,1\n",
        "part '2' of operator 'A' has 1 values, others have 2",
    ),
    "one operator": (b"part,operator,value\n1,A,1\n1,A,2\n2,A,1\n2,A,2\n", "there is one operator only, A"),
    "all equal": (b"part,value\n1,1\n1,1\n2,1\n2,1\n", "all values are equal"),
    "one trial": (b"part,operator,value\n1,A,1\n1,B,2\n2,A,1\n2,B,2\n", "2 parts and 1 trials"),
    "same name": (b"part,part,value\n1,A,1\n", "column 'part' is there twice"),
    "no name": (b"part,,value\n1,A,1\n", "column 2 has no name"),
    "quotation": (b'part,operator,value\n"1,A,1\n', "quotation mark"),
    "binary": (bytes(range(256)) * 20, "is no text"),
    "labels": (b"who,p1,p2\nAna,1,2\nBob,1,2\n", "column 'who' is 'Ana', not an operator and a trial such as A1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str):
    """File, line, column, what was found; exit code 4."""
    data, says = WRONG[wrong]
    file = tmp_path / "study.csv"
    file.write_bytes(data)

    assert main(["stats", "grr", str(file)]) == 4
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_what_is_no_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A folder, nothing, a name too long for the system, and 60 MB of zeros."""
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(60_000_000)

    for name, says in ((tmp_path, "is no file"), (tmp_path / "x", "cannot be read"), (big, "larger than 50 MB")):
        assert main(["stats", "cpk", str(name), "--lsl", "0"]) == 4
        assert says in capsys.readouterr().err
    assert main(["stats", "cpk", "y" * 5000, "--lsl", "0"]) == 4
    assert len(capsys.readouterr().err) < 400


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "neither a lower nor an upper limit"),
        (["--lsl", "2", "--usl", "1"], "not below"),
        (["--lsl", "nan"], "not both finite"),
        (
            ["--lsl", "0", "--column", "eror_pct"],
            "there is no column 'eror_pct'; it has 'serial', 'batch', 'error_pct'",
        ),
        (["--lsl", "0"], "it is not clear which column"),
        (["--lsl", "0", "--target", "1"], "a target needs both limits"),
        (["--lsl", "0", "--confidence", "95"], "0.95 is usual"),
        (["--lsl", "0", "--column", "error_pct", "--subgroup", "serial"], "no subgroup holds two values"),
    ],
)
def test_a_wrong_command_line_says_what_would_be_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
):
    """Limits, columns, confidence in per cent."""
    assert main(["stats", "cpk", str(capability_file(tmp_path)), *options]) == 4
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("statistic", ["grr", "cpk"])
def test_help_has_an_example_of_the_table(capsys: pytest.CaptureFixture[str], statistic: str):
    """What to type, and what the file looks like."""
    with pytest.raises(SystemExit, match="0"):
        main(["stats", statistic, "--help"])
    told = capsys.readouterr().out

    assert f"example: hil stats {statistic}" in told
    assert "SP-1" in told
    assert "--debug" in told
