"""STDF V4, read back by pystdf, which knows nothing of us: results, limits, flags, bins, counts are the journal's."""

import io
import struct
import warnings
from collections import Counter

import pytest

with warnings.catch_warnings(action="ignore"):  # of its sources, which Python 3.12 warns of when it compiles them
    from pystdf.IO import Parser

from export_sample import POWER, judged, write
from sample_run import point, requirement

from hil.plans.plan import load_plan
from hil.reports.exports import render
from hil.reports.exports.stdf import test_number as number_of
from hil.reports.exports.stdf_records import cn

FAILED, NO_INDICATION, NOT_EXECUTED, INVALID = 0x80, 0x40, 0x10, 0x02
FLAGS = {
    "pass": 0,
    "conditional_pass": 0,
    "conditional_fail": FAILED,
    "fail": FAILED,
    "not_covered": NO_INDICATION,
    "refused": NO_INDICATION,
}


class Sink:
    """Keeps what pystdf reads: the record's name and its fields."""

    def __init__(self):
        self.records = []

    def before_begin(self, source):
        pass

    def after_send(self, source, data):
        kind, fields = data
        self.records.append((type(kind).__name__.upper(), dict(zip(kind.fieldNames, fields, strict=True))))


def read(data):
    sink, parser = Sink(), Parser(inp=io.BytesIO(data))
    parser.addSink(sink)
    parser.parse()
    return sink.records


def of(records, kind):
    return [fields for name, fields in records if name == kind]


@pytest.fixture
def records(journal):
    return read(render("stdf", [journal]))


def single(value):
    """Return a number as the 24 bits of R*4 hold it."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def test_each_attempt_is_a_record_with_its_value_and_limits(records, told, stands):
    """In the journal's order; numbers to the precision of R*4, flags by what the value stands for."""
    results = [(name, fields) for name, fields in records if name in {"PTR", "FTR"}]

    assert len(results) == len(told)
    for (name, fields), (_, _, said) in zip(results, told, strict=True):
        assert fields["TEST_TXT"] == said["name"]
        missing = said["value"] is None
        functional = said["unit"] == "yes"
        assert name == ("FTR" if functional else "PTR")
        absent = (NOT_EXECUTED if functional else NOT_EXECUTED | INVALID) if missing else 0
        assert fields["TEST_FLG"] == FLAGS[stands(said)] | absent, said["name"]
        assert (fields["HEAD_NUM"], fields["SITE_NUM"]) == (1, 2)
        if functional:
            assert fields["RSLT_TXT"] == ("" if missing else str(float(said["value"])))
            continue
        assert fields["RESULT"] == (0.0 if missing else single(said["value"]))
        assert fields["UNITS"] == ("" if said["unit"] == "1" else said["unit"])
        assert fields["OPT_FLAG"] & 0x32 == 0x02  # limits and units stand in each record
        for key, edge, bit in (("LO_LIMIT", "low", 0x40), ("HI_LIMIT", "high", 0x80)):
            assert bool(fields["OPT_FLAG"] & bit) == (said[edge] is None)
            assert fields[key] == single(said[edge] or 0.0)


def test_the_full_numbers_stand_behind_each_result(records, told, stands):
    """A generic record has value, u, U, limits and verdict as the journal has them."""
    results = [fields["GEN_DATA"] for fields in of(records, "GDR")]

    assert len(results) == len(told)
    for texts, (seq, utc, said) in zip(results, told, strict=True):
        dof = None if said["u"] is None else float("inf") if said["dof"] is None else said["dof"]
        numbers = [said["value"], said["u"], dof]
        judgement = said.get("judgement", {})
        numbers += [judgement.get("expanded_u"), judgement.get("k"), said["low"], said["high"]]
        assert texts[1:5] == [str(seq + 1), utc, said["name"], str(said["attempt"])]
        assert (texts[6], texts[8], texts[15:18]) == (
            said["requirement"],
            said["unit"],
            [said["rule"], said["verdict"], stands(said)],
        )
        for text, number in zip([texts[7], *texts[9:15]], numbers, strict=True):
            assert text == "" if number is None else float(text) == float(number)


def test_units_are_shown_by_the_prefix_of_their_limits(full):
    """3 is milli, -6 mega; percent and plain numbers have no prefix."""
    scales = {one["TEST_TXT"]: (one["RES_SCAL"], one["LLM_SCAL"]) for one in of(read(render("stdf", [full])), "PTR")}

    assert scales["bounce.time"] == (3, 3)  # 5 ms
    assert scales["insulation.resistance"] == (-6, -6)  # 5 Mohm
    assert scales["rail.voltage"] == (0, 0)
    assert scales["power.error[pf=1]"] == (0, 0)
    assert scales["rate"] == (-6, -6)


def test_a_conditional_pass_passed_alternate_limits(full):
    """PARM_FLG: bit 5 for the one, bits 3 and 4 for values beyond a limit."""
    flags = {}
    for one in of(read(render("stdf", [full])), "PTR"):
        flags.setdefault(one["TEST_TXT"], []).append(one["PARM_FLG"] & 0x3F)

    assert flags["power.error[pf=2]"] == [0x20]
    assert flags["power.error[pf=1]"] == [0x08, 0x00]  # 1.4 % is above 1 %; the second attempt is not
    assert flags["power.error[pf=4]"] == [0x00]


def test_bins_and_counts(full, good, died):
    """Pass is bin 1; a failed unit has the soft bin of the first requirement that failed; a dead run is no bad unit."""
    found = {}
    for name, journal in (("full", full), ("good", good), ("died", died)):
        records = read(render("stdf", [journal]))
        part, counts = of(records, "PRR")[0], of(records, "PCR")[-1]
        bins = {one["HBIN_NUM"]: one["HBIN_CNT"] for one in of(records, "HBR") if one["HEAD_NUM"] == 255}
        soft = next(one for one in of(records, "SBR") if one["HEAD_NUM"] == 255)
        assert bins[part["HARD_BIN"]] == 1
        assert sum(bins.values()) == counts["PART_CNT"] == 1
        assert (soft["SBIN_NUM"], soft["SBIN_CNT"]) == (part["SOFT_BIN"], 1)
        assert part["NUM_TEST"] == len(of(records, "PTR")) + len(of(records, "FTR"))
        assert part["PART_ID"] == "SP-000123"
        found[name] = (part["PART_FLG"], part["HARD_BIN"], part["SOFT_BIN"], soft["SBIN_NAM"], counts["GOOD_CNT"])

    assert found["full"] == (0x08, 2, 101, "MET-05 title <of> MET-05", 0)
    assert found["good"] == (0x00, 1, 1, "pass", 1)
    assert found["died"] == (0x14, 3, 3, "test again", 0)


def test_the_order_is_that_of_the_format(records):
    """FAR, MIR, SDR first; results between PIR and PRR; MRR last."""
    names = [name for name, _ in records]

    assert names[:3] == ["FAR", "MIR", "SDR"]
    assert names[-1] == "MRR"
    assert Counter(names)["PIR"] == Counter(names)["PRR"] == 1
    inside = range(names.index("PIR"), names.index("PRR"))
    assert all(place in inside for place, name in enumerate(names) if name in {"PTR", "FTR"})


def test_synopses_count_executions_and_failures(records, told, stands):
    """One a measurement: attempts, failures, smallest and largest value."""
    by_name = {}
    for _, _, said in told:
        by_name.setdefault(said["name"], []).append(said)
    synopses = of(records, "TSR")

    assert [one["TEST_NAM"] for one in synopses] == list(by_name)
    for one in synopses:
        mine = by_name[one["TEST_NAM"]]
        failed = sum(stands(said) in {"fail", "conditional_fail"} for said in mine)
        assert (one["EXEC_CNT"], one["FAIL_CNT"]) == (len(mine), failed)
        values = [said["value"] for said in mine if said["value"] is not None]
        if one["TEST_TYP"] == "P" and values:
            assert (one["TEST_MIN"], one["TEST_MAX"]) == (single(min(values)), single(max(values)))
            assert one["OPT_FLAG"] & 0x03 == 0


def test_who_what_and_that_nothing_was_measured(full, good):
    """A simulated or unreleased run is no production; a released one on a bench is."""
    simulated, real = (read(render("stdf", [one])) for one in (full, good))
    head = of(simulated, "MIR")[0]

    assert (head["MODE_COD"], head["USER_TXT"]) == ("D", "SIMULATED; NOT RELEASED")
    assert (head["OPER_NAM"], head["FACIL_ID"]) == ("+Ana & Bo <x>", "Pruflabor Nord")
    assert (head["PART_TYP"], head["DSGN_REV"], head["JOB_REV"]) == ("smart-power", "A", "0.1.0")
    assert head["START_T"] == 1795249800  # 2026-11-21T08:30:00Z
    said = [one["TEXT_DAT"] for one in of(simulated, "DTR")]
    assert "NOT MEASURED: never.measured, MET-05" in said
    assert "SIMULATED: do not count this part" in said
    assert of(real, "MIR")[0]["MODE_COD"] == "P"
    assert of(real, "MIR")[0]["LOT_ID"] == "PO-7"
    assert not any("do not count" in one["TEXT_DAT"] for one in of(real, "DTR"))


def test_a_measurement_has_its_number_for_ever():
    """By its name alone, pinned here so that no change of ours goes unnoticed; in the shipped plan none is shared."""
    plan = load_plan("smart-power")
    names = {name for revision in plan.revisions for name in plan.resolve(revision)}

    assert number_of("metering.active_power_error[socket=1,i=Ib,pf=1]") == 507277637
    assert len({number_of(name) for name in names}) == len(names)
    assert all(0 < number_of(name) < 2**31 for name in names)


def test_text_is_ascii_and_fits():
    """Accents go, other signs are spelled out, 255 bytes are the most."""
    assert cn("Prüf 日") == bytes([11]) + b"Pruf \\u65e5"
    assert cn("a\n") == bytes([3]) + b"a\\n"
    assert cn("x" * 300) == bytes([255]) + b"x" * 252 + b"..."


def test_the_same_journal_gives_the_same_bytes(journal):
    assert render("stdf", [journal]) == render("stdf", [journal])


def test_a_screen_fails_the_unit(tmp_path):
    """Rejected by the screen alone: bit 7 and the bin of its requirement, while the record keeps the rule's verdict."""
    said = point(POWER, "power.error[pf=4]", value=0.99, **judged(0.1, screen={"rule": "m6", "verdict": "fail"}))
    journal = write(tmp_path, [said], requirements=(requirement("MET-05", [said.name]),))
    records = read(render("stdf", [journal]))

    assert of(records, "PTR")[0]["TEST_FLG"] == FAILED
    assert of(records, "GDR")[0]["GEN_DATA"][16:18] == ["pass", "fail"]
    assert of(records, "PRR")[0]["SOFT_BIN"] == 101
