"""The reports of a run that was killed: nothing is lost, nothing looks better than it is, the bench's state is told."""

import json
from xml.etree import ElementTree as ET

import pytest
from sample_run import RELAY, Standing, Ticking, build
from test_certificate import Page

from hil.errors import SetupError
from hil.journal.events import SafeState
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter
from hil.reports import allure, certificate, junit, make_reports, manifest

WHY = "the run's process ended without a word"


def killed(folder, *, safe=True, torn=b'{"seq":15,"utc":"2026-11'):
    """A run that was killed in its relay test while it wrote a line, and the guard's words after its death."""
    build(folder, died=True)
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(torn)
    readback = {"AcSource": "off", "AcLoad": "off" if safe else "no answer to 'INP?' within 2 s"}
    with JournalWriter.resume(folder, Standing(), Ticking()) as journal:
        journal.write(SafeState("guard", WHY, readback, safe))
    return read_journal(folder)


@pytest.fixture
def journal(tmp_path):
    return killed(tmp_path)


def page(journal):
    return Page(certificate.render(journal, journal.folder)).text


def test_the_certificate_says_aborted_when_and_why(journal):
    """The open test, the guard's reason, the last thing the run put on record, and the line that was lost."""
    head = page(journal).partition("Not passed")[0]

    assert "ABORTED" in head
    assert f"The run died during {RELAY}: {WHY}; the guard made the bench safe." in head
    assert "The last thing on record is line 13, at 2026-11-21T08:30:00.130000Z: measurement latch[relay=K1]" in head
    assert "The last line was torn: 24 bytes" in head
    assert "could not be proven safe" not in head


def test_the_certificate_shows_what_the_guard_read_back(journal):
    """Role by role, with who did it and why."""
    text = page(journal)

    assert f"Safe, verified by reading back, by the guard: {WHY}. Read back: AcSource off" in text


def test_the_certificate_warns_of_a_bench_that_is_not_proven_safe(tmp_path):
    """At the head, and in the remarks with what could not be read."""
    text = page(killed(tmp_path, safe=False))

    assert "the bench is NOT proven safe" in text.partition("Not passed")[0]
    assert f"The bench could not be proven safe. {WHY}. Treat it as live." in text
    assert "NOT PROVEN SAFE, by the guard" in text
    assert "AcLoad no answer to 'INP?' within 2 s" in text


def test_without_a_guard_the_certificate_claims_no_safety(tmp_path):
    """Nobody looked, so nobody knows; the torn line is said without a note of the guard's."""
    build(tmp_path, died=True)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq"')
    text = page(read_journal(tmp_path)).partition("Not passed")[0]

    assert "Nothing says that the bench was made safe. Treat it as live" in text
    assert "last line was cut short" in text


def test_junit_has_the_open_test_as_an_error_of_the_bench(journal):
    """With the guard's reason; what it had measured is kept."""
    root = ET.fromstring(junit.render(journal, journal.folder))
    case = next(case for case in root.iter("testcase") if case.get("name") == "test_set_latches")
    requirement = next(case for case in root.iter("testcase") if "REL-01" in case.get("name"))

    assert case.find("error").get("type") == "bench"
    assert case.find("error").get("message") == f"the run died inside this test: {WHY}"
    assert case.find("system-out").text.startswith("latch[relay=K1]")
    assert requirement.find("failure") is not None  # the value was seen out of limits before the run died


def test_allure_has_the_open_test_as_broken_and_the_guard_as_a_fixture(journal):
    """`broken` is the station's fault, and the category says so."""
    folder = allure.write(journal, journal.folder)
    results = [json.loads(path.read_text()) for path in folder.glob("*-result.json")]
    case = next(one for one in results if one["fullName"].endswith("#test_set_latches"))
    afters = json.loads(next(folder.glob("*-container.json")).read_text())["afters"]

    assert case["status"] == "broken"
    assert case["statusDetails"]["message"] == f"bench: the run died inside this test: {WHY}"
    assert [(one["name"], one["status"]) for one in afters] == [(f"safe state by guard: {WHY}", "passed")]
    assert {one["name"]: one["value"] for one in afters[0]["parameters"]} == {"AcSource": "off", "AcLoad": "off"}


def test_a_killed_run_is_reported_and_then_verifies(journal):
    """`hil report` makes everything, and its manifest stands for the record as it is."""
    made = {path.name for path in make_reports(journal.folder)}

    assert {"certificate.html", "junit.xml", "allure-results", "manifest.json"} <= made
    assert manifest.verify(journal.folder) is None


def test_a_killed_run_without_a_manifest_is_not_yet_evidence(journal):
    """Its chain is proven, and the way to the rest is told; a damaged one is altered, manifest or not."""
    with pytest.raises(SetupError, match=r"the chain of the journal is whole \(15 lines\); make the manifest"):
        manifest.verify(journal.folder)
    path = journal.folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Ana", b"Eva"))

    assert "journal line 2: the chain is broken" in manifest.verify(journal.folder)


def test_a_folder_that_takes_no_report_is_said_as_such(journal):
    """And leaves no half of one."""
    (journal.folder / "certificate.html").mkdir()
    with pytest.raises(SetupError, match=r"the reports of .* cannot be made: Is a directory"):
        make_reports(journal.folder)

    assert not list(journal.folder.glob(".*"))


def test_durations_survive_a_clock_that_was_set_back(tmp_path):
    """No test took a negative time, and none an hour too long."""
    from datetime import timedelta

    from hil.journal.events import Note, TestFinished

    build(tmp_path, died=True)
    wall = Ticking()
    wall.time += timedelta(seconds=5)
    with JournalWriter.resume(tmp_path, Standing(), wall) as journal:
        journal.write(Note(RELAY, "before"))
        wall.time -= timedelta(hours=1)
        journal.write(Note(RELAY, "after"))
        wall.time += timedelta(seconds=2)
        journal.write(TestFinished(RELAY, ("REL-01",), "fail"))
    again = read_journal(tmp_path)
    case = next(
        one for one in ET.fromstring(junit.render(again, tmp_path)).iter("testcase") if "latches" in one.get("name")
    )

    assert 6.0 < float(case.get("time")) < 7.0
    assert "The computer's clock was set back by 3600.0 s" in page(again)
