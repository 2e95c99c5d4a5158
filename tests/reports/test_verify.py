"""Whatever is done to a signed record is found: each test would fail if the check it tries were taken out."""

import hashlib
import json
import os
import random
import shutil
import zipfile

import pytest
from sample_run import Standing
from signed_run import Keys, make, sign, spoilt

from hil.errors import SetupError
from hil.journal.events import Note
from hil.journal.reader import GENESIS, read_journal
from hil.journal.writer import JournalWriter
from hil.reports import attest, manifest
from hil.reports.tree import FolderTree, ZipTree
from hil.reports.verify import verify_envelope, verify_tree
from hil.signing import dsse, statement
from hil.signing.trusted import Trusted

MUTATIONS = 500


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def run(keys, tmp_path_factory):
    """A signed run that nobody touches."""
    return make(tmp_path_factory.mktemp("runs") / "run", keys.bench)


@pytest.fixture
def copy(run, tmp_path):
    with spoilt(run, tmp_path) as folder:
        yield folder


def look(folder, keys):
    return verify_tree(FolderTree(folder), keys.trusted)


def rechained(lines):
    """Return lines of a journal, each with its number and the digest of the one before: a chain that is whole."""
    prev, out = GENESIS, []
    for seq, line in enumerate(lines):
        data = {**json.loads(line), "seq": seq, "prev": prev}
        again = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
        prev = hashlib.sha256(again).hexdigest()
        out.append(again)
    return b"".join(line + b"\n" for line in out)


def test_an_untouched_run_is_whole_and_signed_by_whom(run, keys):
    """With the key's name, and the result that was signed: the sample run was aborted."""
    found = look(run, keys)

    assert (found.difference, found.unknown) == ("", "")
    assert (found.signer, found.keyid, found.result) == ("bench-1", keys.bench.keyid, "FAILED")


def test_500_single_bytes_changed_anywhere_are_500_found(run, keys, tmp_path):
    """All files of the run, a byte as likely as any other, the small files of the signature no less than the rest."""
    dice = random.Random(20261121)
    with spoilt(run, tmp_path) as folder:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = {path.relative_to(folder).as_posix() for path in files}
        missed = []
        for turn in range(MUTATIONS):
            # every other one in the three files on which all hangs; the rest wherever
            path = dice.choice(
                [folder / "journal.jsonl", folder / manifest.NAME, folder / manifest.ENVELOPE] if turn % 2 else files
            )
            before = path.read_bytes()
            place = dice.randrange(len(before))
            after = bytearray(before)
            after[place] = dice.choice([byte for byte in range(256) if byte != before[place]])
            path.write_bytes(after)
            found = look(folder, keys)
            path.write_bytes(before)
            if not (found.difference or found.unknown):
                missed.append((path.name, place))
        untouched = look(folder, keys)

    assert missed == []
    assert {"journal.jsonl", "manifest.json", "manifest.dsse.json", "junit.xml"} < names
    assert not untouched.difference


def test_a_deleted_line_is_named(copy, keys):
    """Also where the chain is made whole again, and where the manifest is too: then the signature is not of it."""
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join(lines[:5] + lines[6:]) + b"\n")
    assert look(copy, keys).difference.startswith("journal line 6: the chain is broken")
    journal.write_bytes(b"\n".join(lines[:-1]) + b"\n")
    assert "the manifest was made from" in look(copy, keys).difference
    journal.write_bytes(rechained(lines[:5] + lines[6:]))
    assert "the manifest was made from" in look(copy, keys).difference
    sign(copy, None)
    assert look(copy, keys).difference.startswith("manifest.json: not the one that bench-1 signed")


def test_a_journal_in_another_order_is_named(copy, keys):
    """Two measurements change places; then with a chain of their own, and a manifest of their own."""
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    lines[5], lines[6] = lines[6], lines[5]
    journal.write_bytes(b"\n".join(lines) + b"\n")
    assert look(copy, keys).difference.startswith("journal line 6: the chain is broken")
    journal.write_bytes(rechained(lines))
    sign(copy, None)
    assert look(copy, keys).difference.startswith("manifest.json: not the one that bench-1 signed")


def test_swapped_attachments_are_named(copy, keys):
    """Two change places; or one is replaced and the manifest made to list it."""
    first, second = sorted((copy / "attachments").iterdir())[:2]
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    name = f"attachments/{first.name}"
    assert look(copy, keys).difference.startswith(name)
    second.write_bytes(other)
    first.write_bytes(b"0" * len(one))
    assert look(copy, keys).difference.startswith(f"{name}: altered")
    sign(copy, keys.bench)
    assert look(copy, keys).difference == f"{name}: its bytes are not those of its name"


def test_a_manifest_signed_again_by_a_stranger_is_nobodys(copy, keys):
    """All of it made up, all of it consistent: only the key tells."""
    (copy / "junit.xml").write_text("<testsuites/>")
    sign(copy, keys.stranger)
    found = look(copy, keys)

    assert not found.difference
    assert "signed by an unknown key" in found.unknown
    assert not found.signer


def test_a_stranger_cannot_borrow_the_name_of_a_key(copy, keys):
    """His signature under the keyid of a key that is trusted here is a bad signature."""
    sign(copy, keys.stranger)
    envelope = copy / manifest.ENVELOPE
    envelope.write_bytes(envelope.read_bytes().replace(keys.stranger.keyid.encode(), keys.bench.keyid.encode()))

    assert "the signature is not that of the key 'bench-1'" in look(copy, keys).difference


def test_the_envelope_of_another_run_does_not_fit(copy, keys, tmp_path):
    """By the same key; of another run, and of the same run's record alone."""
    other = make(tmp_path / "other", None, died=True)
    sign(other, keys.bench)
    shutil.copy(other / manifest.ENVELOPE, copy / manifest.ENVELOPE)
    assert look(copy, keys).difference.startswith("manifest.json: not the one that bench-1 signed")
    journal = read_journal(copy)
    record = attest.envelope(journal, manifest.record(journal, copy), keys.bench)
    (copy / manifest.ENVELOPE).write_bytes(record)
    assert look(copy, keys).difference == "manifest.dsse.json: bench-1 signed other files than these"


def test_a_key_that_signs_other_things_does_not_sign_a_run_with_them(copy, keys):
    """A statement of another kind over the right digests, by the right key."""
    listed = (copy / manifest.NAME).read_bytes()
    subjects = manifest.subjects(json.loads(listed), listed)
    payload = statement.write(subjects, "PASSED", [], {}, {}).replace(b"test-result", b"release")
    (copy / manifest.ENVELOPE).write_bytes(dsse.seal(statement.PAYLOAD_TYPE, payload, keys.bench))
    assert "something else than the result of a test" in look(copy, keys).difference
    (copy / manifest.ENVELOPE).write_bytes(dsse.seal("text/plain", payload, keys.bench))
    assert "its payload is no application/vnd.in-toto+json" in look(copy, keys).difference


def test_a_record_without_its_signature_is_not_signed(copy, keys):
    """Whole it is; that keys are trusted here makes the command doubt it (tests/commands)."""
    (copy / manifest.ENVELOPE).unlink()
    found = look(copy, keys)

    assert (found.difference, found.unknown, found.signer) == ("", "", "")


@pytest.mark.parametrize(
    "name", ["extra.txt", "attachments/x", "a\nb", "sub/manifest.json", "sub/manifest.dsse.json", ".hidden"]
)
def test_a_file_that_was_added_is_named(copy, keys, name):
    """Anywhere, whatever it is called; a second manifest is a file like any other."""
    path = copy / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")

    assert look(copy, keys).difference == f"{name}: not in the manifest"


def test_a_file_that_was_removed_is_named(copy, keys):
    """Of each kind; a folder without its journal is not excused."""
    for name in ("junit.xml", "journal.jsonl", "allure-results/executor.json"):
        kept = (copy / name).read_bytes()
        (copy / name).unlink()
        assert look(copy, keys).difference == f"{name}: missing"
        (copy / name).write_bytes(kept)


def test_links_and_pipes_are_no_files_of_a_record(copy, keys, tmp_path):
    """The same bytes behind a link can change later; a pipe has no end."""
    kept = tmp_path / "kept"
    for name in ("junit.xml", "journal.jsonl", manifest.NAME, manifest.ENVELOPE):
        (copy / name).rename(kept)
        (copy / name).symlink_to(kept)
        with_link = doubts(copy, keys)
        assert "it is a link" in with_link, name
        (copy / name).unlink()
        os.mkfifo(copy / name)
        assert "it is no file" in doubts(copy, keys), name
        (copy / name).unlink()
        kept.rename(copy / name)
    (copy / "allure-results").rename(kept)
    (copy / "allure-results").symlink_to(kept)
    assert "not in the manifest" in look(copy, keys).difference or "missing" in look(copy, keys).difference


def doubts(folder, keys):
    try:
        return look(folder, keys).difference
    except SetupError as error:
        return str(error)


def rewrite(folder, change):
    """Write the manifest as somebody would who knows its format."""
    data = json.loads((folder / manifest.NAME).read_bytes())
    change(data)
    (folder / manifest.NAME).write_bytes(manifest.text(data))


def test_a_manifest_that_lists_what_lies_outside_lists_what_is_missing(copy, keys, tmp_path):
    """`../x` is never opened, even where it is there and the digest is right."""
    (tmp_path / "x").write_text("x")
    entry = {"path": "../x", "sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
    rewrite(copy, lambda data: data["files"].append(entry))

    assert look(copy, keys).difference == "../x: missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b'"manifest": 2', b'"manifest":2'),
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b"{", b"{\r", 1),
        lambda raw: raw.replace(b'"serial": "SP-000123"', b'"serial": "SP-000124"'),
        lambda raw: raw.replace(b'"serial": ', b'"serial": "SP-000999",\n "serial": '),
        lambda raw: raw.replace(b'"torn": false', b'"torn": true'),
        lambda raw: raw.replace(b'"run_id": "2026', b'"run_id": "2027'),
        lambda raw: raw.replace(b'"manifest": 2', b'"manifest": 2,\n "note": "x"'),
        lambda raw: raw.replace(b"SP-", b"\\u0053P-"),
        lambda raw: raw.replace(b'"of": "run",', b""),
    ],
)
def test_no_byte_of_a_manifest_is_free_even_where_nobody_signed_it(copy, change):
    """Blanks, keys that stand twice, escapes, words that nothing else is compared with."""
    (copy / manifest.ENVELOPE).unlink()
    raw = (copy / manifest.NAME).read_bytes()
    (copy / manifest.NAME).write_bytes(change(raw))

    assert change(raw) != raw
    assert manifest.verify(copy) == "manifest.json: altered, it is not spelled as hil spells it"


def test_a_broken_manifest_is_an_alteration_where_it_was_signed(copy, keys):
    """Without an envelope nothing can be said; with one, this is not what it was made for."""
    (copy / manifest.NAME).write_bytes(b"{}")
    assert "is no manifest" in look(copy, keys).difference
    (copy / manifest.ENVELOPE).unlink()
    with pytest.raises(SetupError, match="is no manifest"):
        look(copy, keys)


def test_a_file_of_a_terabyte_is_not_read_to_say_that_it_is_too_long(copy, keys):
    """Sparse, it costs nobody anything to send."""
    for name in ("junit.xml", manifest.ENVELOPE):
        before = (copy / name).stat().st_size
        os.truncate(copy / name, 1 << 40)
        assert "1099511627776 bytes" in look(copy, keys).difference
        os.truncate(copy / name, before)
    assert not look(copy, keys).difference


def test_what_was_said_after_the_signature_is_not_signed(copy, keys):
    """A sound chain that goes on."""
    with JournalWriter.resume(copy, Standing()) as journal:
        journal.write(Note("", "an afterthought"))

    assert "the manifest was made from" in look(copy, keys).difference


def test_a_run_that_died_with_half_a_line_is_whole_when_that_is_what_was_signed(tmp_path, keys):
    """And not when the half line is taken away."""
    folder = make(tmp_path / "run", None, died=True)
    journal = folder / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"seq":')
    sign(folder, keys.bench)
    found = look(folder, keys)
    assert (found.difference, found.signer, found.result) == ("", "bench-1", "FAILED")
    assert found.journal.torn
    journal.write_bytes(whole)
    assert look(folder, keys).difference.startswith("journal.jsonl: ")


def test_a_manifest_of_the_format_before_is_still_read(copy, keys):
    """It had no `of`, and room for a signature that never came; what is checked is the same."""
    (copy / manifest.ENVELOPE).unlink()
    data = json.loads((copy / manifest.NAME).read_bytes())
    del data["of"]
    (copy / manifest.NAME).write_bytes(manifest.text({**data, "manifest": 1, "signed": None}))
    assert manifest.verify(copy) is None
    (copy / manifest.NAME).write_bytes(manifest.text({**data, "manifest": 1, "signed": "by me"}))
    assert "not spelled" in manifest.verify(copy)


def test_an_envelope_alone_says_whose_it_is_and_what_it_signed(copy, keys):
    """The files need not be there for that; a stranger's says nothing."""
    assert verify_envelope(copy / manifest.ENVELOPE, keys.trusted).signer == "bench-1"
    assert verify_envelope(copy / manifest.ENVELOPE, Trusted()).unknown


def bundle(folder, signer):
    """An evidence bundle as hil evidence makes it: files, a manifest of them, its envelope."""
    (folder / "certificates").mkdir(parents=True)
    (folder / "index.html").write_text("<p>evidence</p>")
    (folder / "certificates/a.txt").write_text("a")
    listed = manifest.text({"manifest": 2, "of": "evidence", "files": manifest.listing(FolderTree(folder))})
    (folder / manifest.NAME).write_bytes(listed)
    subjects = manifest.subjects(json.loads(listed), listed)
    payload = statement.write(subjects, "PASSED", [], {}, {})
    (folder / manifest.ENVELOPE).write_bytes(dsse.seal(statement.PAYLOAD_TYPE, payload, signer))
    return folder


def pack(folder, path, top=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(one, top + one.relative_to(folder).as_posix())
    return path


def test_a_bundle_is_verified_as_a_folder_and_as_an_archive(tmp_path, keys):
    """Without a journal of its own; in the archive at its top or in one folder."""
    folder = bundle(tmp_path / "bundle", keys.bench)
    for tree in (
        FolderTree(folder),
        ZipTree(pack(folder, tmp_path / "a.zip")),
        ZipTree(pack(folder, tmp_path / "b.zip", "bundle/")),
    ):
        found = verify_tree(tree, keys.trusted)
        assert (found.difference, found.signer) == ("", "bench-1")
    (folder / "certificates/a.txt").write_text("b")
    assert verify_tree(FolderTree(folder), keys.trusted).difference.startswith("certificates/a.txt: altered")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "mode", "says"),
    [
        ("more.txt", 0o100644, "not in the manifest"),
        ("index.html", 0o100644, "in the archive twice"),
        ("../../x", 0o100644, "not in the manifest"),
        ("/x", 0o100644, "not in the manifest"),
    ],
)
def test_an_archive_hides_nothing(tmp_path, keys, name, mode, says):
    """One more, the same name twice, a way out of the folder it is unpacked in."""
    path = pack(bundle(tmp_path / "bundle", keys.bench), tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "x")

    assert says in verify_tree(ZipTree(path), keys.trusted).difference


def test_an_archive_that_lists_a_way_out_or_a_link_is_refused_though_it_is_signed(tmp_path, keys):
    """A key that signs whatever it is given must not make somebody's home folder part of a record."""
    for number, (name, mode, says) in enumerate(
        [
            ("../x", 0o100644, "leads out"),
            ("/x", 0o100644, "leads out"),
            ("a\\..\\x", 0o100644, "leads out"),
            ("link", 0o120777, "it is no file"),
        ]
    ):
        path = tmp_path / f"{number}.zip"
        entry = {"path": name, "sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
        listed = manifest.text({"manifest": 2, "of": "evidence", "files": [entry]})
        payload = statement.write(manifest.subjects(json.loads(listed), listed), "PASSED", [], {}, {})
        with zipfile.ZipFile(path, "w") as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, "x")
            archive.writestr(manifest.NAME, listed)
            archive.writestr(manifest.ENVELOPE, dsse.seal(statement.PAYLOAD_TYPE, payload, keys.bench))
        assert says in verify_tree(ZipTree(path), keys.trusted).difference


def test_a_damaged_archive_is_altered_or_cannot_be_read(tmp_path, keys):
    """200 bytes of it, each changed: never an unexpected error, never another file taken for the signed one."""
    folder = bundle(tmp_path / "bundle", keys.bench)
    path = pack(folder, tmp_path / "a.zip")
    whole = path.read_bytes()
    dice = random.Random(7)
    for _ in range(200):
        place = dice.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << dice.randrange(8))]) + whole[place + 1 :])
        try:
            found = verify_tree(ZipTree(path), keys.trusted)
        except SetupError:
            continue
        # dates, modes and comments of an archive are no part of the files in it
        if not (found.difference or found.unknown):
            with zipfile.ZipFile(path) as archive:
                assert {one: archive.read(one) for one in archive.namelist()} == {
                    one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
                }
