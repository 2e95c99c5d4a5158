"""Editions beside each other: rows picked by hand from our facts (standards.md, section 1), each with its source."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import OutOfRange, SetupError
from hil.metrology.influence import difference_limit, limit_by_name
from hil.metrology.limit_tables import load_table, table_names
from hil.metrology.limit_tables_check import mistakes
from hil.metrology.limits import lookup, starting_current_a

IB, IN = {"Ib": 6.0, "Imax": 60.0}, {"In": 5.0, "Imax": 6.0}
MID = {"Ist": 0.02, "Imin": 0.25, "Itr": 0.5, "Imax": 60.0}


def half_width(table, accuracy_class, connection, current_a, references_a, power_factor="", **more):
    limit = lookup(
        table,
        accuracy_class=accuracy_class,
        connection=connection,
        current_a=current_a,
        references_a=references_a,
        power_factor=power_factor,
        **more,
    )
    return None if limit is None else limit.high


@pytest.mark.parametrize(
    ("table", "accuracy_class", "connection", "current_a", "references_a", "pf", "expected"),
    [
        # IEC 62053-21:2003, facts 1.1
        ("iec62053_21_2003.balanced", "2", "direct", 0.05 * 6.0, IB, "1", 2.5),
        ("iec62053_21_2003.balanced", "2", "direct", 0.1 * 6.0, IB, "0.5i", 2.5),
        ("iec62053_21_2003.balanced", "1", "ct", 0.3 * 0.1 * 5.0, IN, "1", 1.5),  # 0.03 In
        ("iec62053_21_2003.balanced", "1", "ct", 0.05 * 5.0, IN, "0.8c", 1.5),
        ("iec62053_21_2003.single_phase_load", "2", "ct", 0.1 * 5.0, IN, "0.5i", 3.0),
        # IEC 62053-22:2003, facts 1.1
        ("iec62053_22_2003.balanced", "0.2S", "ct", 0.01 * 5.0, IN, "1", 0.4),
        ("iec62053_22_2003.balanced", "0.5S", "ct", 6.0, IN, "1", 0.5),
        ("iec62053_22_2003.balanced", "0.5S", "ct", 0.02 * 5.0, IN, "0.8c", 1.0),
        ("iec62053_22_2003.balanced", "0.2S", "ct", 0.1 * 5.0, IN, "0.5i", 0.3),
        ("iec62053_22_2003.balanced", "0.2S", "ct", 0.1 * 5.0, IN, "0.25i", 0.5),
        ("iec62053_22_2003.balanced", "0.2S", "ct", 0.009 * 5.0, IN, "1", None),
        ("iec62053_22_2003.single_phase_load", "0.5S", "ct", 0.1 * 5.0, IN, "0.5i", 1.0),
        # EN 50470-3:2006, Table 4, facts 1.5
        ("en50470_3_2006.balanced", "B", "direct", 0.25, MID, "1", 1.5),
        ("en50470_3_2006.balanced", "C", "direct", 0.5, MID, "0.8c", 0.6),
        ("en50470_3_2006.balanced", "C", "direct", 0.25, MID, "0.8c", None),
        ("en50470_3_2006.single_phase_load", "A", "direct", 60.0, MID, "0.5i", 3.0),
        # OIML R 46:2012, facts 1.6
        ("oiml_r46_2012.base_mpe", "B", "direct", 0.5, MID, "1", 1.0),
        ("oiml_r46_2012.base_mpe", "B", "direct", 0.5, MID, "0.9i", 1.5),
        ("oiml_r46_2012.base_mpe", "B", "direct", 0.25, MID, "0.5i", 1.8),
        ("oiml_r46_2012.base_mpe", "D", "direct", 0.25, MID, "0.8c", 0.5),
        ("oiml_r46_2012.base_mpe", "D", "direct", 0.25, MID, "0.7c", None),
        ("oiml_r46_2012.base_mpe", "A", "direct", 0.019, MID, "1", None),
        # IEC 62053-21:2020: only the points of facts 1.1, S9
        ("iec62053_21_2020.balanced", "1", "direct", 0.05 * 5.0, {"In": 5.0, "Imax": 60.0}, "1", 1.5),
        ("iec62053_21_2020.balanced", "1", "direct", 5.0, {"In": 5.0, "Imax": 60.0}, "0.8c", 1.0),
        ("iec62053_21_2020.balanced", "1", "direct", 5.1, {"In": 5.0, "Imax": 60.0}, "0.8c", None),
        ("iec62053_21_2020.balanced", "2", "direct", 5.0, {"In": 5.0, "Imax": 60.0}, "1", None),
        ("iec62053_21_2020.single_phase_load", "1", "direct", 5.0, {"In": 5.0, "Imax": 60.0}, "1", 2.0),
        ("iec62053_22_2020.balanced", "0.2S", "ct", 5.0, IN, "1", None),
    ],
)
def test_rows_are_those_of_the_facts(table, accuracy_class, connection, current_a, references_a, pf, expected):
    """Picked by hand; outside the rows nothing is covered, and a class that a row does not name has no limit."""
    assert half_width(table, accuracy_class, connection, current_a, references_a, pf) == expected


@pytest.mark.parametrize(
    ("connection", "current_a", "references_a", "sine", "expected"),
    [
        ("direct", 0.05 * 6.0, IB, 1.0, (2.5, 4.0)),
        ("direct", 0.2 * 6.0, IB, 0.5, (2.0, 3.0)),
        ("direct", 60.0, IB, 0.25, (2.5, 4.0)),
        ("ct", 0.05 * 5.0, IN, 0.5, (2.5, 4.0)),
        ("ct", 0.05 * 5.0, IN, 0.25, (None, None)),
    ],
)
def test_reactive_energy_goes_by_the_sine(connection, current_a, references_a, sine, expected):
    """IEC 62053-23:2003, facts 1.2; classes 2 and 3."""
    table = "iec62053_23_2003.balanced"

    assert tuple(half_width(table, c, connection, current_a, references_a, sin_phi=sine) for c in "23") == expected
    with pytest.raises(SetupError, match=r"sin\(phi\)"):
        half_width(table, "2", connection, current_a, references_a, "1")
    with pytest.raises(SetupError, match="goes by power factor"):
        half_width("iec62053_21_2003.balanced", "2", connection, current_a, references_a, sin_phi=sine)


@pytest.mark.parametrize(
    ("temperature_c", "expected"),
    [
        (23.0, 0.7),
        (30.0, 0.7),
        (30.1, 1.0),
        (-10.0, 1.0),
        (40.0, 1.0),
        (-10.1, 1.3),
        (55.1, 1.5),
        (70.0, 1.5),
        (71.0, None),
    ],
)
def test_the_mpe_goes_by_the_band_of_temperature(temperature_c, expected):
    """MID Annex V, Table 2, class C from Itr: 0.7, 1, 1.3, 1.5 (facts S1); at a boundary the tighter band holds."""
    table = "mid_2014_32_annex_v.balanced"

    assert half_width(table, "C", "direct", 0.5, MID, "0.9c", temperature_c=temperature_c) == expected
    assert half_width("mid_2014_32_annex_v.single_phase_load", "B", "ct", 60.0, MID, "1", temperature_c=35.0) == 3.0
    with pytest.raises(SetupError, match="give temperature_c"):
        half_width(table, "C", "direct", 0.5, MID, "1")


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 1.0))
def test_below_imin_the_limit_grows_as_imin_over_i(share):
    """OIML R 46:2012, facts 1.6: continuous at Imin, largest at Ist."""
    current_a = 0.02 + share * (0.25 - 0.02)
    found = half_width("oiml_r46_2012.base_mpe", "B", "direct", current_a, MID, "1")

    assert found == pytest.approx(1.5 * 0.25 / current_a)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 100.0), st.sampled_from(["1", "0.99i", "0.7i", "0.5i", "0.95c", "0.8c"]))
def test_every_angle_of_a_range_is_covered(imin_a, pf):
    """From 0.5 inductive through 1 to 0.8 capacitive; the computed boundary of Imin belongs to the range it begins."""
    references_a = {"Imin": imin_a, "Itr": 2.0 * imin_a, "Imax": 100.0 * imin_a}

    for current_a in (imin_a, math.nextafter(imin_a, 0.0), 3.0 * (imin_a / 3.0), 100.0 * imin_a):
        assert (
            half_width("mid_2014_32_annex_v.balanced", "B", "ct", current_a, references_a, pf, temperature_c=20) == 2.0
        )
    assert (
        half_width("mid_2014_32_annex_v.balanced", "B", "ct", imin_a, references_a, "0.49i", temperature_c=20) is None
    )


@pytest.mark.parametrize(
    ("table", "connection", "references_a", "says"),
    [
        ("iec62053_21_2020.balanced", "direct", {"Ib": 5.0, "Imax": 60.0}, "speaks of In, and Ib is given"),
        ("iec62053_21_2020.balanced", "direct", {"Ib": 5.0, "In": 5.0, "Imax": 60.0}, "not mixed"),
        ("iec62053_21_2003.balanced", "direct", {"In": 5.0, "Imax": 60.0}, "speaks of Ib, and In is given"),
        ("iec62053_21_2003.balanced", "ct", {"Ib": 5.0, "Imax": 60.0}, "speaks of In, and Ib is given"),
        ("iec62053_21_2003.balanced", "direct", {"Ib": 5.0}, "speaks of Imax, which is not given"),
        ("iec62053_21_2003.balanced", "dirct", IB, "direct or ct"),
    ],
)
def test_editions_are_never_mixed(table, connection, references_a, says):
    """Another edition's reference current is refused, not taken for this one's."""
    with pytest.raises(SetupError, match=says):
        half_width(table, "1", connection, 5.0, references_a, "1")


def test_what_is_no_class_power_factor_or_current_is_refused():
    """Refused by name, rather than not covered."""
    with pytest.raises(SetupError, match="has no class 'B'; it has 1, 2"):
        half_width("iec62053_21_2003.balanced", "B", "direct", 5.0, IB, "1")
    for power_factor in ("0.5", "1.5i", "x", "i"):
        with pytest.raises(SetupError, match="no power factor"):
            half_width("iec62053_21_2003.balanced", "1", "direct", 5.0, IB, power_factor)
    with pytest.raises(OutOfRange):
        half_width("iec62053_21_2003.balanced", "1", "direct", 5.0, {"Ib": math.nan, "Imax": 60.0}, "1")
    assert half_width("iec62053_21_2003.balanced", "1", "direct", math.nan, IB, "1") is None


@pytest.mark.parametrize(
    ("file_name", "accuracy_class", "connection", "references_a", "expected_a"),
    [  # facts 1.8
        ("iec62053_21_2003", "2", "direct", IB, 0.03),
        ("iec62053_21_2003", "1", "ct", IN, 0.01),
        ("iec62053_22_2003", "0.2S", "ct", IN, 0.005),
        ("iec62053_23_2003", "3", "direct", IB, 0.06),
        ("iec62053_23_2003", "2", "ct", IN, 0.015),
        ("en50470_3_2006", "C", "direct", MID, 0.02),
    ],
)
def test_starting_currents(file_name, accuracy_class, connection, references_a, expected_a):
    """A multiple of Ib or In in the IEC's editions of 2003, the maker's declared Ist under the MID."""
    found_a = starting_current_a(
        file_name, accuracy_class=accuracy_class, connection=connection, references_a=references_a
    )

    assert found_a == pytest.approx(expected_a)


@pytest.mark.parametrize(
    ("name", "accuracy_class", "connection", "current_a", "references_a", "angle", "expected"),
    [
        ("iec62053_21_2003", "1", "direct", 6.0, IB, {"power_factor": "1"}, 1.5),
        ("iec62053_22_2003", "0.2S", "ct", 5.0, IN, {"power_factor": "1"}, 0.4),
        ("iec62053_23_2003", "3", "direct", 6.0, IB, {"sin_phi": 1.0}, 3.5),
        ("en50470_3_2006", "A", "direct", 5.0, MID, {"power_factor": "1"}, 2.5),
        ("en50470_3_2006", "A", "direct", 4.0, MID, {"power_factor": "1"}, None),
    ],
)
def test_one_phase_and_balanced_load_may_differ_so_much(
    name, accuracy_class, connection, current_a, references_a, angle, expected
):
    """Facts 1.1, 1.2, 1.5: at Ib, In or 10 Itr only; a plan may name it."""
    point = {
        "accuracy_class": accuracy_class,
        "connection": connection,
        "current_a": current_a,
        "references_a": references_a,
        **angle,
    }
    found = difference_limit(name, **point)

    assert (found and found.high) == expected
    assert limit_by_name(f"{name}.difference", **point) == found


def test_a_row_says_which_row_it_is_and_where_it_comes_from():
    """Clause, row and mark go into the record: checked only where the text itself was read."""
    checked = limit_by_name(
        "mid_2014_32_annex_v.balanced",
        accuracy_class="B",
        connection="direct",
        current_a=0.3,
        references_a=MID,
        power_factor="1",
        temperature_c=23.0,
    )
    unsure = limit_by_name(
        "iec62053_21_2020.balanced",
        accuracy_class="1",
        connection="direct",
        current_a=5.0,
        references_a={"In": 5.0, "Imax": 60.0},
        power_factor="0.8c",
    )

    assert checked is not None
    assert checked.source_mark == "checked"
    assert checked.verified_by
    assert checked.verified_on
    assert unsure is not None
    assert unsure.source() == {
        "standard": "IEC 62053-21",
        "edition": "2020",
        "table": "acceptable percentage error limits, single-phase and balanced load",
        "source_mark": "nrc?",
        "verified_by": "",
        "verified_on": "",
        "clause": "7.9, Table 3",
        "row": "0.5 In <= I <= In, PF 0.8c, class 1",
    }


@pytest.mark.parametrize("name", table_names())
def test_packaged_tables_are_sound(name):
    """Shape, classes, overlaps, bands of temperature: nothing wrong in any packaged file."""
    assert mistakes(load_table(name)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"lim": {"1": 1.5}, "pf": ["1"], "to": [0.1, "Ib"]}, "rows.0: Value error, a range has both"),
        ({"lim": {"1": -1.5}, "pf": ["1"]}, "rows.0.lim.1"),
        ({"lim": {"7": 1.5}, "pf": ["1"]}, "rows.0: lim names class 7"),
        ({"lim": {"1": 1.5}, "pf": ["0.5"]}, "rows.0: Value error, '0.5' is no power factor"),
        ({"lim": {"1": 1.5}, "pf": ["1"], "from": [0.5, "Ib"], "to": [0.1, "Ib"]}, "rows.0: Value error, from 0.5 Ib"),
        ({"lim": {"1": 1.5}, "pf": ["1"], "from": [0.1, "Iq"], "to": [0.1, "Ib"]}, "rows.0.from.1"),
        ({"lim": {"1": 1.5}, "pf": ["1"], "source_mark": "checked"}, "rows.0: Value error, a checked figure"),
        ({"lim": {"1": [1.5]}, "pf": ["1"]}, "rows.0.lim.1: one figure for each band"),
        ({"conn": "direct", "lim": {"1": 1.0}, "pf": ["1"], "from": [0.2, "Ib"], "to": [1.0, "Imax"]}, "rows.1: holds"),
    ],
)
def test_a_wrong_row_is_named(change, where):
    """One wrong row in a packaged file is found, and said by its place."""
    data = load_table("iec62053_21_2003")
    table = {**data["tables"]["balanced"], "rows": [change, data["tables"]["balanced"]["rows"][1]]}
    found = mistakes({**data, "tables": {"balanced": table}})

    assert any(f"tables.balanced.{where}" in one for one in found), found
