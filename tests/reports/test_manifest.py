"""manifest.json: whatever changes in a run's folder is named."""

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_run import build

from hil.errors import SetupError
from hil.reports import allure, junit, manifest


@pytest.fixture
def folder(tmp_path):
    """A run with its reports."""
    return make(tmp_path)


def make(folder):
    journal = build(folder)
    (folder / "junit.xml").write_bytes(junit.render(journal, folder))
    allure.write(journal, folder)
    (folder / "manifest.json").write_bytes(manifest.render(journal, folder))
    return folder


def test_an_untouched_run_verifies(folder):
    """Every file is listed with digest and size, the journal by its last line."""
    data = json.loads((folder / "manifest.json").read_bytes())

    assert manifest.verify(folder) is None
    assert {"journal.jsonl", "junit.xml", "allure-results/executor.json"} <= {one["path"] for one in data["files"]}
    assert len(data["journal"]["last_sha256"]) == 64
    assert data["of"] == "run"


def test_a_moved_run_verifies(folder, tmp_path_factory):
    """The folder's own name and place are no part of the evidence."""
    moved = shutil.move(folder, tmp_path_factory.mktemp("elsewhere") / "renamed")

    assert manifest.verify(moved) is None


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One run for many small alterations, each undone."""
    return make(tmp_path_factory.mktemp("kept"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_altered_byte_is_named_with_its_file(kept, data):
    """One byte of one file, changed, removed or added."""
    files = sorted(path for path in kept.rglob("*") if path.is_file() and path.name != "manifest.json")
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "append"]))
    after = {
        "change": before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :],
        "remove": before[:place] + before[place + 1 :],
        "append": before + b"\n",
    }[how]
    path.write_bytes(after)
    try:
        found = manifest.verify(kept)
    finally:
        path.write_bytes(before)

    assert found is not None
    assert ("journal" if path.name == "journal.jsonl" else path.relative_to(kept).as_posix()) in found


def test_removed_and_added_files_are_named(folder):
    """Nothing may be missing and nothing may be slipped in."""
    (folder / "extra.txt").write_text("x")
    assert manifest.verify(folder) == "extra.txt: not in the manifest"
    (folder / "extra.txt").unlink()
    (folder / "junit.xml").unlink()
    assert manifest.verify(folder) == "junit.xml: missing"


def test_lines_added_to_the_journal_are_noticed(folder):
    """A sound chain that goes on after the manifest was made is not what was certified."""
    from sample_run import Standing

    from hil.journal.events import Note
    from hil.journal.writer import JournalWriter

    with JournalWriter.resume(folder, Standing()) as journal:
        journal.write(Note("", "an afterthought"))

    assert "the manifest was made from" in manifest.verify(folder)


def test_a_manifest_made_over_a_lost_attachment_does_not_hide_it(folder):
    """The journal names its attachments, so a manifest that leaves one out is found out."""
    from hil.journal.reader import read_journal

    lost = next((folder / "attachments").iterdir())
    lost.unlink()
    (folder / "manifest.json").write_bytes(manifest.render(read_journal(folder), folder))

    assert manifest.verify(folder).startswith(f"attachments/{lost.name}: missing")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"manifest": 1, "files": [3], "journal": {}}', '{"manifest": 9, "files": []}']
)
def test_what_is_no_manifest_is_said_as_such(folder, text):
    """Broken, foreign or missing: a set-up error that says what to do."""
    (folder / "manifest.json").write_text(text)
    with pytest.raises(SetupError, match="manifest"):
        manifest.verify(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(SetupError, match="hil report"):
        manifest.verify(folder)


def test_all_reports_are_made_and_made_again_alike(tmp_path):
    """`hil report` changes no byte: certificate, JUnit, Allure results and manifest follow from the journal alone."""
    from hil.reports import make_reports

    build(tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in make_reports(tmp_path)}
    once = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    make_reports(tmp_path)

    assert {"certificate.html", "junit.xml", "allure-results", "manifest.json"} <= names
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == once
    assert manifest.verify(tmp_path) is None
