"""What is signed of a run: its result for a machine that reads nothing else, and what it was made from."""

import base64
import json
from dataclasses import replace

import pytest
from sample_run import RELAY, build, point, requirement
from signed_run import Keys

from hil.journal.events import RunFinished, TestFinished
from hil.journal.reader import Entry, read_journal
from hil.reports import attest, manifest


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return build(tmp_path_factory.mktemp("run"))


RELEASED = {"status": "released", "id": "smart-power-A-3", "sha256": "cd" * 32}


def told(journal, *, simulated=False, release=RELEASED, verdict="pass", exit_code=0):
    """Return the journal of a run that ended so, of one requirement and one measurement."""
    asked = (requirement("MET-05", ["power[i=Ib]"]),)
    started = replace(journal.started, simulated=simulated, release=release, requirements=asked)
    events = [started, point("t1", "power[i=Ib]", verdict), TestFinished("t1", ("MET-05",))]
    events += [TestFinished("t2", verdict="conditional_pass"), TestFinished("t3", verdict="waived")]
    if exit_code is not None:
        events.append(RunFinished(verdict, exit_code, "", {}))
    return replace(journal, entries=tuple(Entry(seq, "", 0.0, event) for seq, event in enumerate(events)))


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ({}, "PASSED"),
        ({"simulated": True}, "WARNED"),
        ({"release": {"status": "none"}}, "WARNED"),
        ({"release": {"status": "changed", "id": "x"}}, "WARNED"),
        ({"release": {}}, "WARNED"),
        ({"verdict": "conditional_pass"}, "WARNED"),
        ({"verdict": "fail", "exit_code": 1}, "FAILED"),
        ({"verdict": "aborted", "exit_code": 3}, "FAILED"),
        ({"exit_code": None}, "FAILED"),
    ],
)
def test_a_plain_pass_is_of_a_real_unit_by_a_released_plan(journal, how, result):
    """A machine that gates on PASSED must not let a simulated unit through."""
    assert attest.result(told(journal, **how)) == result


def test_what_is_signed_follows_from_the_journal(journal, tmp_path_factory):
    """Plan and release by digest, tests by their outcome, an open one as failed; both files by theirs."""
    keys = Keys(tmp_path_factory.mktemp("keys"))
    record = manifest.record(journal, journal.folder)
    sealed = attest.envelope(journal, record, keys.bench)
    statement = json.loads(base64.b64decode(json.loads(sealed)["payload"]))
    predicate = statement["predicate"]

    assert predicate["configuration"] == [{"name": "smart_power.toml", "digest": {"sha256": "ab" * 32}}]
    assert predicate["failedTests"] == [RELAY, "hil/tests/smart_power/test_metering.py::test_energy"]
    assert predicate["passedTests"] == ["hil/tests/smart_power/test_metering.py::test_power[0.05]"]
    assert [one["name"] for one in statement["subject"]] == ["journal.jsonl", "record.json"]
    assert statement["subject"][0]["annotations"]["serial"] == "SP-000123"
    assert statement["subject"][0]["annotations"]["simulated"] is True
    assert attest.envelope(journal, record, keys.bench) == sealed


def test_a_released_plan_is_named_by_its_digest(journal, tmp_path):
    """The release stands beside the plan; a test that was under way at the end has failed."""
    from hil.reports.attest import _configuration, _tests

    dead = build(tmp_path, died=True)

    assert _configuration(told(journal))[1] == {"name": "release smart-power-A-3", "digest": {"sha256": "cd" * 32}}
    assert _tests(told(journal)) == {"passed": ["t1"], "warned": ["t2", "t3"], "failed": []}
    assert _tests(dead)["failed"] == [RELAY]


def test_the_record_alone_is_told_by_the_journal_alone(journal):
    """record.json lists the journal and what it names, so a journal that came with it proves it."""
    raw = (journal.folder / "journal.jsonl").read_bytes()
    record = manifest.record(read_journal(journal.folder), journal.folder)
    paths = [one["path"] for one in json.loads(record)["files"]]

    assert len(paths) == 4
    assert "journal.jsonl" in paths
    assert manifest.check_record(record, raw).difference == ""
    assert (
        "not the one that record.json lists" in manifest.check_record(record.replace(b": 18", b": 19"), raw).difference
    )
