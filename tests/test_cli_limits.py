"""hil limits as a person types it; what it shows is what the look-up says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.cli import main
from hil.commands.limits_sheet import Meter, Sheet, sheet
from hil.metrology.limit_tables import load_table, table_names
from hil.metrology.limits import lookup

SHOW_CLASS_1 = ["limits", "show", "iec62053_21_2003", "--class", "1", "--ib", "1", "--imax", "3"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_table_is_laid_out_by_current_and_power_factor(capsys: pytest.CaptureFixture[str]):
    """Multiples and amperes, limits and what is not covered, and what the standard asks for beside."""
    told = shown(capsys, *SHOW_CLASS_1, "--un", "230", "--constant", "3200")
    lines = [" ".join(line.split()) for line in told.splitlines()]

    assert "IEC 62053-21:2003, class 1, direct connected; Ib 1 A, Imax 3 A" in lines
    assert "current in A PF 1 PF 0.5i PF 0.8c PF 0.25i* PF 0.5c*" in lines
    assert "0.05 Ib ≤ I < 0.1 Ib 0.05 to 0.1 ±1.5 % not covered not covered not covered not covered" in lines
    assert "0.2 Ib ≤ I < Ib 0.2 to 1 ±1 % ±1 % ±1 % ±3.5 % ±2.5 %" in lines
    assert "starting current 0.004 Ib = 0.004 A, a pulse each 1222.8 s 8.3.3; nrc" in lines
    # 600e6 / (3200 x 230 x 3) min
    assert "no-load condition at 1.15 Un = 264.5 V, at least 271.739 min (16304 s), at most 1 pulse 8.3.2; nrc" in lines
    assert "reversed phase sequence L1-L3-L2 ±1.5 % I = 0.1 Ib, PF 1 (0.1 A)" in lines
    assert "WARNING: nobody has compared these figures with the bought text" in told


def test_a_standard_may_be_typed_as_it_is_cited(capsys: pytest.CaptureFixture[str]):
    """Bands of temperature are columns; a table with checked and unchecked parts says which."""
    currents = "--imin 0.25 --itr 0.5 --imax 60"
    told = shown(capsys, "limits", "show", "MID 2014/32/EU, Annex V:2014", "--class", "B", *currents.split())

    assert "point 3, Table 2; checked" in told
    assert "-10..+5 °C or +30..+40 °C" in told
    assert "to compare them give --ist" in told
    assert "nobody has compared the figures marked nrc" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["iec62053_21_203", "--class", "1"], "did you mean 'iec62053_21_2003'?"),
        (["iec62053_21_2003.balance", "--class", "1"], "did you mean 'balanced'?"),
        (["iec62053_21_2003"], "give --class: IEC 62053-21:2003 has 1, 2"),
        (["iec62053_21_2003", "--class", "7"], "it has 1, 2"),
        (["iec62053_21_2003", "--class", "1", "--ib", "1"], "speaks of Imax, which is not given"),
        (["iec62053_21_2003", "--class", "1"], "speaks of Ib, which is not given; it needs Ib, Imax"),
        (["iec62053_21_2003", "--class", "1", "--ib", "5", "--imax", "3"], "Ib 5 A is above Imax 3 A"),
        (["iec62053_21_2020", "--class", "1", "--ib", "1", "--imax", "3"], "speaks of In, and Ib is given"),
    ],
)
def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str):
    """With the closest name, the classes there are, or the current that is missing."""
    assert main(["limits", "show", *arguments]) == 4
    told = capsys.readouterr().err.splitlines()

    assert len(told) == 1
    assert says in told[0]


@pytest.mark.parametrize("current", ["-1", "x", "nan", "inf"])
def test_a_current_is_a_number_above_zero(capsys: pytest.CaptureFixture[str], current: str):
    """Refused by the command line itself."""
    with pytest.raises(SystemExit, match="4"):
        main([*SHOW_CLASS_1[:5], "--ib", current])

    assert "is no number above zero" in capsys.readouterr().err


def test_the_list_names_every_table(capsys: pytest.CaptureFixture[str]):
    """Also for scripts; a file that knows no row says so."""
    rows = json.loads(shown(capsys, "limits", "list", "--json"))

    assert [row["table"] for row in rows] == table_names()
    assert all(name in shown(capsys, "limits", "list") for name in table_names())
    assert {row["table"]: row["rows_of_limits"] for row in rows}["iec62053_22_2020"] == {"balanced": 0}
    assert {row["table"]: row["source_marks"] for row in rows}["mid_2014_32_annex_v"] == ["checked", "nrc"]


def test_json_has_figures_not_words(capsys: pytest.CaptureFixture[str]):
    """A cell that is not covered is null; below Imin the factor stands beside the figure."""
    asked = "limits show oiml_r46_2012 --class D --ist 0.02 --imin 0.2 --itr 0.5 --imax 60 --json"
    told = json.loads(shown(capsys, *asked.split()))
    first, *_, last = told["blocks"][0]["ranges"]

    assert first["cells"] == [{"limit_pct": 0.4, "scale": "Imin/I"}, {"limit_pct": 0.5, "scale": "Imin/I"}]
    assert (last["from_a"], last["to_a"]) == (0.5, 60.0)


REFERENCES = {"Ist": 0.02, "Imin": 0.25, "Itr": 0.5, "Imax": 60.0}


def sheet_of(file_name: str, accuracy_class: str, connection: str) -> tuple[Sheet, dict[str, float]]:
    """Lay a file out with the currents it speaks of."""
    first = "In" if connection == "ct" or "2020" in file_name else "Ib"
    references_a = {first: 5.0, "Imax": 60.0} if file_name.startswith("iec") else REFERENCES
    return sheet(file_name, Meter(accuracy_class, connection, references_a)), references_a


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_what_is_shown_is_what_the_look_up_says(data: Any):
    """For any current, inside a range or between two: the cell's figure is the limit, or neither is there."""
    file_name = data.draw(st.sampled_from([name for name in table_names() if not name.startswith("mid")]))
    accuracy_class = data.draw(st.sampled_from(load_table(file_name)["classes"]))
    connection = data.draw(st.sampled_from(["direct", "ct"]))
    laid_out, references_a = sheet_of(file_name, accuracy_class, connection)
    block = data.draw(st.sampled_from(laid_out.blocks))
    if not block.columns:
        return
    column = data.draw(st.sampled_from(range(len(block.columns))))
    bounds = [bound for one in block.ranges for bound in (one.from_a, one.to_a)]
    current_a = data.draw(st.sampled_from(bounds) | st.floats(1e-3, 70.0) if bounds else st.floats(1e-3, 70.0))
    kind, _, angle = block.columns[column].rstrip("*").partition(" ")
    limit = lookup(
        f"{file_name}.{block.name}",
        accuracy_class=accuracy_class,
        connection=connection,
        current_a=current_a,
        references_a=references_a,
        **({"power_factor": angle.partition("..")[0]} if kind == "PF" else {"sin_phi": float(angle)}),
    )
    cells = [
        one.cells[column]
        for one in block.ranges
        if one.from_a < current_a < one.to_a
        or (current_a == one.from_a and one.with_from)
        or (current_a == one.to_a and one.with_to)
    ]
    figure = cells[0].limit_pct if cells else None
    if cells and cells[0].scale and figure is not None:
        figure *= references_a["Imin"] / current_a

    assert len(cells) <= 1
    assert (limit and limit.high) == (figure if figure is None else pytest.approx(figure))
