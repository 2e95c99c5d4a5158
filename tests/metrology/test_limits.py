"""The tables of standards: every boundary, and what no row covers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import OutOfRange, SetupError
from hil.metrology.limit_tables import load_table, table_names
from hil.metrology.limits import lookup, section_limit, starting_current_a
from hil.metrology.no_load import no_load_test

FILE = "iec62053_21_2003"
BOARD = {"Ib": 1.0, "Imax": 3.0}


def half_width(current_a, pf="1", accuracy_class="1", connection="direct", references=BOARD, table="balanced"):
    limit = lookup(
        f"{FILE}.{table}",
        accuracy_class=accuracy_class,
        connection=connection,
        current_a=current_a,
        power_factor=pf,
        references_a=references,
    )
    return None if limit is None else limit.high


@pytest.mark.parametrize(
    ("pf", "expected"),
    [
        ("1", {0.049: None, 0.05: 1.5, 0.0999: 1.5, 0.1: 1.0, 1.0: 1.0, 3.0: 1.0, 3.001: None}),
        ("0.5i", {0.05: None, 0.0999: None, 0.1: 1.5, 0.1999: 1.5, 0.2: 1.0, 3.0: 1.0, 3.001: None}),
        ("0.8c", {0.05: None, 0.1: 1.5, 0.2: 1.0, 3.0: 1.0}),
        ("0.25i", {0.1: None, 0.2: 3.5, 0.999: 3.5, 1.0: None, 3.0: None}),  # ends at Ib, exclusive
        ("0.5c", {0.2: 2.5, 1.0: None}),
        ("0.8i", {1.0: None}),
    ],
)
def test_class_1_direct_limits_hold_from_the_lower_bound_to_below_the_upper(pf, expected):
    """Facts 1.1: lower bound inclusive, upper exclusive, Imax included; outside every row nothing is covered."""
    assert {current_a: half_width(current_a, pf) for current_a in expected} == expected


def test_class_2_has_no_limit_for_capacitive_load():
    """A row that does not name the class does not cover it."""
    assert half_width(1.0, "0.8c", "2") is None
    assert half_width(1.0, "0.5i", "2") == 2.0


def test_transformer_connected_meters_have_their_own_rows():
    """A CT meter is judged by In, and its table begins at 0.02 In."""
    references = {"In": 5.0, "Imax": 6.0}

    assert half_width(0.02 * 5.0, "1", "1", "ct", references) == 1.5
    assert half_width(0.05 * 5.0, "1", "1", "ct", references) == 1.0
    assert half_width(0.02 * 5.0, "0.5i", "1", "ct", references) is None


def test_one_loaded_phase_is_allowed_more():
    """The table for one loaded phase of a polyphase meter is a table of its own."""
    assert half_width(0.1, table="single_phase_load") == 2.0
    assert half_width(0.05, table="single_phase_load") is None


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1.5, 100.0), st.sampled_from(["1", "0.5i", "0.8c"]))
def test_computed_boundaries_land_in_the_intended_row(ib_a, ratio, pf):
    """0.05 x Ib, however it is rounded, is the row that begins at 0.05 Ib; clearly below it is the one before."""
    references = {"Ib": ib_a, "Imax": ib_a * ratio}
    start = 0.05 if pf == "1" else 0.1
    step = 0.1 if pf == "1" else 0.2

    for rounded_a in (start * ib_a, math.nextafter(start * ib_a, 0.0), math.nextafter(start * ib_a, math.inf)):
        assert half_width(rounded_a, pf, references=references) == 1.5
    for rounded_a in (step * ib_a, math.nextafter(step * ib_a, 0.0), ib_a * ratio, math.nextafter(ib_a * ratio, 1e9)):
        assert half_width(rounded_a, pf, references=references) == 1.0
    assert half_width(start * ib_a * (1.0 - 1e-6), pf, references=references) is None
    assert half_width(step * ib_a * (1.0 - 1e-6), pf, references=references) == 1.5
    assert half_width(ib_a * ratio * (1.0 + 1e-6), pf, references=references) is None


@settings(deadline=None)
@given(st.floats(0.0, 10.0))
def test_no_current_is_covered_by_two_rows(current_a):
    """The rows of one connection, power factor and class do not overlap, whatever the current."""
    for row_a in load_table(FILE)["tables"]["balanced"]["rows"]:
        for row_b in load_table(FILE)["tables"]["balanced"]["rows"]:
            same = row_a["conn"] == row_b["conn"] == "direct" and set(row_a["pf"]) & set(row_b["pf"])
            if row_a is not row_b and same:
                a, b = (
                    (row["from"][0], row["to"][0] * BOARD[row["to"][1]], row["to"][1] == "Imax")
                    for row in (row_a, row_b)
                )
                assert not (a[0] <= current_a < a[1] and b[0] <= current_a < b[1])


def test_a_limit_carries_its_source():
    """Standard, edition, table and source mark go into the record; nobody has verified these rows yet."""
    limit = lookup(
        f"{FILE}.balanced",
        accuracy_class="1",
        connection="direct",
        current_a=1.0,
        power_factor="1",
        references_a=BOARD,
    )

    assert (limit.low, limit.high, limit.unit) == (-1.0, 1.0, "%")
    assert limit.source() == {
        "standard": "IEC 62053-21",
        "edition": "2003",
        "table": "percentage error limits, single-phase and balanced load",
        "source_mark": "nrc",
        "verified_by": "",
        "verified_on": "",
        "clause": "8.1, Table 6",
        "row": "0.1 Ib <= I <= Imax, PF 1, class 1",
    }


def test_every_packaged_table_states_its_source():
    """No row may lack standard, edition, table, source mark and who verified it."""
    assert table_names()
    for name in table_names():
        data = load_table(name)
        assert all(key in data for key in ("standard", "edition", "source_mark", "verified_by", "verified_on"))
        assert all(table["table"] and table["unit"] for table in data["tables"].values())


def test_starting_current_follows_the_formula():
    """Facts 1.8: 0.004 Ib in class 1; a section's own limit carries its table."""
    start_a = starting_current_a(FILE, accuracy_class="1", connection="direct", references_a={"Ib": 5.0, "Imax": 60.0})

    assert start_a == pytest.approx(0.020)
    assert section_limit(FILE, "no_load", None, 1.0, "pulses").table == "no-load condition"


def test_what_does_not_exist_is_named():
    """Unknown files, tables, currents and classes are set-up errors that list what there is."""
    with pytest.raises(SetupError, match=FILE):
        load_table("iec62053_21_2030")
    with pytest.raises(SetupError, match="balanced, single_phase_load"):
        half_width(1.0, table="triangular")
    with pytest.raises(SetupError, match="Ib"):
        half_width(1.0, references={"In": 1.0, "Imax": 3.0})
    with pytest.raises(SetupError, match="class 7"):
        starting_current_a(FILE, accuracy_class="7", connection="direct", references_a=BOARD)
    with pytest.raises(OutOfRange):
        no_load_test(FILE, accuracy_class="1", pulses_per_kwh=0.0, nominal_voltage_v=230.0, maximum_current_a=3.0)
