"""A DCC of the unit, read back by lxml; hil's own reader of certificates and its schema are the second opinion."""

from dataclasses import replace

import pytest
from export_sample import CALIBRATION, NO_EXPORTS, NO_LIMIT, POWER, judged, requirement, write
from lxml import etree
from sample_run import point

from hil.errors import SetupError
from hil.journal.events import Instrument
from hil.journal.reader import Journal
from hil.reports.exports import render
from hil.station.dcc.document import tree_of
from hil.station.dcc.results import tables_of

NAMES = {"dcc": "https://ptb.de/dcc", "si": "https://ptb.de/si"}
UNITS = {"%": r"\percent", "1": r"\one", "degC": r"\degreecelsius"}
WORDS = {
    "pass": "pass",
    "conditional_pass": "conditionalPass",
    "conditional_fail": "conditionalFail",
    "fail": "fail",
}


def tree(journal):
    return etree.fromstring(render("dcc", [journal]))


def find(element, path):
    return element.xpath(path, namespaces=NAMES)


def text(element, path):
    found = find(element, f"{path}/text()")
    return found[0] if found else None


def test_each_result_has_its_numbers_unit_and_conformity(full, good):
    """The last attempt of all that the plan names, with U, k, limits and one of the words of the DCC."""
    for journal in (full, good):
        counted = {}
        for one in journal.of(type(point("", "x"))):
            if one.base in {"power.error", "clock.offset"} and one.value is not None:
                counted[one.name] = one
        results = find(tree(journal), "//dcc:result")
        names = [text(one, "dcc:name/dcc:content") for one in results]

        assert sorted(names) == sorted(counted)
        for name, result in zip(names, results, strict=True):
            said = counted[name]
            kind = "basic_measurementError" if said.base == "power.error" else "basic_measuredValue"
            quantity = find(result, f"dcc:data/dcc:quantity[@refType='{kind}']")[0]
            assert float(text(quantity, "si:real/si:value")) == said.value
            assert text(quantity, "si:real/si:unit") == UNITS[said.unit]
            if said.judgement:
                expanded = find(quantity, "si:real/si:expandedUnc")[0]
                assert float(text(expanded, "si:uncertainty")) == said.judgement["expanded_u"]
                assert float(text(expanded, "si:coverageFactor")) == said.judgement["k"]
            meta = find(quantity, "dcc:measurementMetaData/dcc:metaData")
            assert [text(one, "dcc:conformity") for one in meta] == (
                [WORDS[said.verdict]] if said.verdict in WORDS else []
            )
            edges = {text(one, "dcc:name/dcc:content"): text(one, "si:real/si:value") for one in find(
                quantity, "dcc:measurementMetaData//dcc:quantity")}  # fmt: skip
            expected = {"lower limit": said.low, "upper limit": said.high} if meta else {}
            assert {key: float(value) for key, value in edges.items()} == expected


def test_a_result_that_was_not_judged_has_its_uncertainty_all_the_same(good):
    """U = k u with Student's factor of 4 degrees of freedom (JCGM 100, table G.2: 2.78)."""
    result = find(tree(good), "//dcc:result[dcc:name/dcc:content='power.error[pf=2]']")[0]

    assert float(text(result, ".//si:coverageFactor")) == pytest.approx(2.78, abs=0.005)
    assert float(text(result, ".//si:uncertainty")) == pytest.approx(2.78 * 0.05, rel=0.002)
    assert text(result, ".//dcc:conformity") is None


def test_the_point_and_the_conditions_are_quantities(good):
    """The current of a point, and the ambient temperature that the plan names."""
    root = tree(good)
    nominal = find(root, "//dcc:quantity[@refType='basic_nominalValue']")[0]
    around = find(root, "//dcc:influenceCondition")

    assert (text(nominal, "si:real/si:value"), text(nominal, "si:real/si:unit")) == ("0.05", r"\ampere")
    assert [text(one, ".//si:value") for one in around] == ["23.5"]


def test_hils_own_reader_takes_it_for_a_dcc(full, good):
    """Valid by the subset; its results are of a unit, none of which corrects an instrument."""
    for journal in (full, good):
        root = tree_of(render("dcc", [journal]))
        tables, notes = tables_of(root)

        assert tables == ()
        assert len(notes) == len(find(tree(journal), "//dcc:result"))
        assert root.findtext(".//{https://ptb.de/dcc}uniqueIdentifier") == f"SP-000123 {journal.run_id}"


def claims(journal):
    """Return what the DCC says of traceability, and why."""
    stated = find(tree(journal), "//dcc:statement[dcc:traceable]")
    return [(text(one, "dcc:traceable"), text(one, "dcc:declaration/dcc:content")) for one in stated]


def test_traceability_is_claimed_only_where_it_is_shown(full, good):
    """A simulated bench, an instrument without, past or before its calibration, an unknown one: false."""
    assert claims(full) == [("false", "No traceability: the bench was simulated.")]
    assert [one[0] for one in claims(good)] == ["true"]
    for calibration in (None, CALIBRATION | {"due": "2026-11-20"}, CALIBRATION | {"date": "2026-11-22"}):
        entries = tuple(
            replace(one, event=replace(one.event, calibration=calibration))
            if isinstance(one.event, Instrument)
            else one
            for one in good.entries
        )
        changed = Journal(good.folder, entries, False, good.last_hash)
        assert claims(changed) == [("false", "No traceability: no valid calibration on record of PowerMeter.")]


def test_a_result_of_unknown_instruments_is_not_traceable(tmp_path):
    """Journals before format 3 did not name them."""
    said = point(POWER, "power.error[pf=1]", **judged(0.1))
    journal = write(tmp_path, [said], simulated=False, calibration=CALIBRATION)

    assert claims(journal)[0][0] == "false"
    assert "does not name the instruments" in claims(journal)[0][1]


def test_marks_are_statements_and_in_the_comment(full, good):
    """SIMULATED and NOT RELEASED."""
    names = find(tree(full), "//dcc:statement/dcc:name/dcc:content/text()")

    assert names[:2] == ["SIMULATED", "NOT RELEASED"]
    assert text(tree(full), "dcc:comment/dcc:content").startswith("SIMULATED; NOT RELEASED: ")
    assert find(tree(good), "//dcc:statement/dcc:name/dcc:content/text()")[0] == "metrological traceability"


def test_who_when_and_what(good):
    """The unit's serial number, the laboratory, the customer and the days."""
    root = tree(good)

    assert text(root, "//dcc:item//dcc:identification[@refType='basic_serialNumber']/dcc:value") == "SP-000123"
    assert text(root, "//dcc:calibrationLaboratory//dcc:name/dcc:content") == "Prüflabor Nord"
    assert text(root, "//dcc:customer/dcc:name/dcc:content") == "Kunde AG"
    days = [text(root, f"//dcc:{one}") for one in ("receiptDate", "beginPerformanceDate", "endPerformanceDate")]
    assert days == ["2026-11-20", "2026-11-21", "2026-11-21"]
    assert find(root, "//dcc:measuringEquipment//dcc:value/text()") == ["C3"]


def test_where_the_plan_asks_for_none_there_is_none(tmp_path):
    """Refused with a sentence; so is a plan that lies no more in the record."""
    said = [point(POWER, "power.error[pf=1]", **judged(0.1))]
    journal = write(tmp_path, said, plan=NO_EXPORTS)
    with pytest.raises(SetupError, match="asks for no DCC"):
        render("dcc", [journal])
    (journal.folder / "attachments" / journal.started.plan["sha256"]).write_bytes(b"[exports]\n")
    with pytest.raises(SetupError, match="attachment"):
        render("dcc", [journal])


def test_a_run_without_such_results_makes_no_certificate(tmp_path):
    """An empty DCC would say that something was calibrated."""
    refused = point(POWER, "power.error[pf=1]", "refused", value=None, u=None)
    with pytest.raises(SetupError, match="measured nothing"):
        render("dcc", [write(tmp_path / "a", [refused], requirements=(requirement("MET-05"),))])
    odd = point(POWER, "power.error[pf=1]", unit="furlong", **NO_LIMIT)
    with pytest.raises(SetupError, match=r"no unit for power\.error in 'furlong'"):
        render("dcc", [write(tmp_path / "b", [odd])])


def test_the_same_journal_gives_the_same_bytes(good):
    assert render("dcc", [good]) == render("dcc", [good])
