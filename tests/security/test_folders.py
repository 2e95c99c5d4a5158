"""A record from elsewhere, an archive somebody sent: it is read and reported on, and leads nowhere and runs nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hil.cli import main
from hil.journal.events import Attachment, RunStarted, to_dict
from hil.journal.reader import GENESIS
from hil.reports import make_reports
from hil.reports.edition import Edition
from tests.security import evil

SECRET = "the word of another"
DIGEST = "ab" * 32


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return write(tmp_path / "runs/SP-000123/20261121T140211.204117Z-7f3a", DIGEST)


def write(folder: Path, *attachments: str) -> Path:
    """Write a journal by hand, as whoever wants to harm us would: its chain is whole."""
    import hashlib

    facts = RunStarted(
        "SP-000123", "smart-power", "A", "type", "sim", True, "Ana", {}, {}, "3.11", 0, run_id=folder.name
    )  # fmt: skip
    events = [facts, *(Attachment("", "log", one, "text/plain", 3) for one in attachments)]
    prev, text = GENESIS, b""
    for seq, event in enumerate(events):
        head = {"seq": seq, "utc": "2026-11-21T14:02:11.000000Z", "bench_s": 0.0, "event": event.EVENT, "prev": prev}
        line = json.dumps(head | to_dict(event)).encode()
        prev, text = hashlib.sha256(line).hexdigest(), text + line + b"\n"
    folder.mkdir(parents=True)
    (folder / "attachments").mkdir()
    (folder / "journal.jsonl").write_bytes(text)
    return folder


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "journal.jsonl")


@pytest.mark.parametrize(
    "name", ["../../../secret", "{secret}", "..", "", "ab/../../../../secret", "AB" * 32, "a\x00b"]
)
def test_an_attachment_is_a_digest_and_no_path(tmp_path: Path, name: str):
    """What the journal calls a digest is not looked for elsewhere; the reports say that it is not there."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    folder = write(tmp_path / "runs/S/20261121T140211.204117Z-7f3a", name.format(secret=secret))
    make_reports(folder, Edition(pdf=False))

    assert b"is no SHA-256" in everything(folder)
    assert SECRET.encode() not in everything(folder)


@pytest.mark.parametrize("kind", ["fifo", "folder", "zero"])
def test_an_attachment_is_a_file(record: Path, kind: str):
    """A pipe would keep the reports waiting, and /dev/zero for ever."""
    path = record / "attachments" / DIGEST
    {"fifo": lambda: os.mkfifo(path), "folder": path.mkdir, "zero": lambda: path.symlink_to("/dev/zero")}[kind]()

    assert main(["report", str(record), "--no-pdf"]) == (0 if kind == "folder" else 4)
    assert main(["verify", str(record)]) in {1, 4}


def test_a_link_is_no_part_of_a_record(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """verify names it, even where it was there when the manifest was made by somebody else; report refuses it."""
    (tmp_path / "secret").write_text(SECRET)
    assert main(["report", str(record), "--no-pdf"]) == 0
    manifest = json.loads((record / "manifest.json").read_text())
    (record / "more").symlink_to(tmp_path / "secret")
    said = {"path": "more", "bytes": len(SECRET), "sha256": "0" * 64}
    (record / "manifest.json").write_text(json.dumps(manifest | {"files": [*manifest["files"], said]}))
    capsys.readouterr()

    assert main(["verify", str(record)]) == 1
    assert "more: it is a link" in capsys.readouterr().out
    assert main(["report", str(record), "--no-pdf"]) == 4
    assert "it is a link" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", [".certificate.html.part", ".junit.xml.part", "certificate.html", ".manifest.json.part"]
)
def test_a_report_is_not_written_through_a_link(record: Path, tmp_path: Path, place: str):
    """A link that waits where we write does not let us write elsewhere."""
    outside = tmp_path / "outside"
    outside.write_text(SECRET)
    (record / place).symlink_to(outside)

    assert main(["report", str(record), "--no-pdf"]) in {0, 4}
    assert outside.read_text() == SECRET
    assert not (record / "certificate.html").is_symlink()


@pytest.mark.parametrize("place", ["allure-results", "allure-report"])
def test_a_folder_of_reports_is_not_emptied_through_a_link(record: Path, tmp_path: Path, place: str):
    """It is made anew each time: the old one is removed with all that is in it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text(SECRET)
    (record / place).symlink_to(outside)

    assert main(["report", str(record), "--no-pdf"]) == 4
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_nothing_of_the_working_folder_is_run(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever unpacks an archive and types `hil report .` in it does not start what lies there."""
    for program in ("node_modules/.bin/allure", "allure", "node", "git"):
        path = record / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho ran > {tmp_path}/ran\n")
        path.chmod(0o755)
    (record / "conftest.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(record)
    main(["report", "."])
    main(["verify", "."])
    main(["runs", "--runs", "../.."])

    assert not (tmp_path / "ran").exists()


def test_a_name_of_a_file_does_not_act_on_the_terminal(record: Path, capsys: pytest.CaptureFixture[str]):
    """Folders and files of a record may have any name."""
    make_reports(record, Edition(pdf=False))
    (record / "x\x1b[2J\nhil: whole and unaltered").write_text("")
    exit_code = main(["verify", str(record)])
    said = capsys.readouterr().out

    assert exit_code == 1
    assert said.count("\n") == 1
    assert not evil.ACTS.search(said)


def test_half_a_character_is_no_reason_to_break(record: Path):
    """JSON can spell a lone surrogate; no file can hold one."""
    journal = record / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0].replace(b'"Ana"', b'"A\\ud800"'))
    make_reports(record, Edition(pdf=False))

    assert "A\\ud800" in (record / "certificate.html").read_text()
