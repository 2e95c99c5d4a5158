"""hil verify and hil keys: one line, an exit code, and never more belief than there are keys for."""

import io
import json
import shutil

import pikepdf
import pytest
from signed_run import Keys, lay_out, make, sign

from hil.cli import main
from hil.journal.reader import read_journal
from hil.reports import attest, manifest
from hil.signing import pades
from hil.signing.self_signed import new_certificate


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def bench(tmp_path, keys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, keys)
    return tmp_path


@pytest.fixture
def run(bench):
    return next((bench / "runs/SP-000123").iterdir())


def verify(capsys, *arguments):
    """Return the exit code and what was said, which is one line."""
    capsys.readouterr()
    exit_code = main(["verify", *map(str, arguments)])
    told = capsys.readouterr()
    said = told.out + told.err
    assert said.count("\n") == 1, said
    return exit_code, said.strip()


def test_a_signed_run_is_believed_by_name(run, keys, capsys):
    """By its serial number, its folder, its journal, manifest and envelope: the same sentence."""
    named = [run / name for name in ("journal.jsonl", "manifest.json", "manifest.dsse.json", "junit.xml")]
    for called in ("SP-000123", run, *named):
        exit_code, said = verify(capsys, called)
        assert exit_code == 0
        assert said.startswith("whole and unaltered: ")
        assert f"signed by bench-1 (key {keys.bench.keyid[:16]}..., trusted_keys/bench-1.pub) as FAILED" in said
        assert "NOT SIGNED" not in said
    assert main(["verify", str(run), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["whole"], data["why"], data["signed"], data["signer"]) == (True, None, True, "bench-1")
    assert (data["keyid"], data["result"], data["torn"]) == (keys.bench.keyid, "FAILED", False)


def test_without_its_signature_a_run_is_doubted_where_keys_are_trusted(bench, run, capsys):
    """Whoever could take the envelope away could have made up the rest; where nobody is trusted it is said."""
    (run / "manifest.dsse.json").unlink()
    exit_code, said = verify(capsys, run)
    assert exit_code == 1
    assert said.startswith("NOT SIGNED: ")
    shutil.rmtree(bench / "trusted_keys")
    exit_code, said = verify(capsys, run)
    assert exit_code == 0
    assert said.endswith("; NOT SIGNED")


def test_a_key_that_nobody_trusts_is_no_proof(bench, run, keys, capsys):
    """A stranger's; and any, where none is trusted; the remedy is named."""
    sign(run, keys.stranger)
    exit_code, said = verify(capsys, run)
    assert exit_code == 1
    assert said.startswith("UNKNOWN KEY: ")
    assert "'hil keys trust FILE'" in said
    sign(run, keys.bench)
    shutil.rmtree(bench / "trusted_keys")
    assert verify(capsys, run)[0] == 1
    assert verify(capsys, run, "--trust", keys.trusted_folder / "bench-1.pub")[0] == 0
    assert verify(capsys, run, "--trust", keys.trusted_folder / "bench-2.pub")[0] == 1


def test_what_was_altered_is_named_on_one_line(run, capsys):
    """Exit code 1; also of a file whose name would be two lines."""
    (run / "junit.xml").write_text("<x/>")
    exit_code, said = verify(capsys, run)
    assert (exit_code, said) == (1, f"ALTERED: {run}: junit.xml: 4 bytes, the manifest says {said.split()[-1]}")
    (run / "a\nhil: whole").write_text("")
    assert verify(capsys, run)[0] == 1


def test_keys_that_came_with_the_record_prove_nothing(bench, run, keys, monkeypatch, capsys):
    """An archive with a stations.toml and keys of its own, verified from within."""
    shutil.copytree(keys.trusted_folder.parent / "elsewhere", run / "trusted_keys")
    (run / "trusted_keys/stranger.key").unlink()
    (run / "stations.toml").write_text("")
    sign(run, keys.stranger)
    monkeypatch.chdir(run)
    exit_code, said = verify(capsys, ".")

    assert exit_code == 4
    assert "came with the record itself" in said


def test_nor_do_they_for_a_single_file_or_a_part_of_what_they_came_with(bench, run, keys, monkeypatch, capsys):
    """A PDF in such a folder; a run in an evidence bundle that brings its keys along."""
    (run / "certificate.pdf").write_bytes(certificate(run, keys.stranger))
    shutil.copytree(keys.trusted_folder.parent / "elsewhere", run / "trusted_keys")
    (run / "trusted_keys/stranger.key").unlink()
    (run / "stations.toml").write_text("")
    sign(run, keys.stranger)
    monkeypatch.chdir(run)
    assert "came with the record itself" in verify(capsys, "certificate.pdf")[1]
    stick = bench / "stick"
    shutil.copytree(run, stick / "runs/SP-000123" / run.name)
    shutil.copytree(run / "trusted_keys", stick / "trusted_keys")
    (stick / "stations.toml").write_text("")
    (stick / "manifest.json").write_bytes(manifest.text({"manifest": 2, "of": "evidence", "files": []}))
    monkeypatch.chdir(stick)
    assert "came with the record itself" in verify(capsys, f"runs/SP-000123/{run.name}")[1]


def test_another_unit_s_record_in_a_unit_s_place_is_found_out(bench, run, capsys):
    """Whole and signed, but not what was asked for by serial number or id; as a copy under a path it is good."""
    other = bench / "runs/SP-000124" / run.name
    shutil.copytree(run, other)
    exit_code, said = verify(capsys, "SP-000124")
    assert exit_code == 1
    assert "it is the record of SP-000123" in said
    assert verify(capsys, other)[0] == 0
    assert verify(capsys, "SP-000123")[0] == 0
    other.rename(run.with_name("20271121T083000.000000Z-abcd"))
    assert verify(capsys, "SP-000123")[0] == 1


def test_a_manifest_that_is_gone_was_altered_where_it_was_signed(run, capsys):
    """Its envelope says that there was one: no advice to make it anew."""
    (run / "manifest.json").unlink()
    exit_code, said = verify(capsys, run)

    assert exit_code == 1
    assert said.startswith("ALTERED: ")
    assert "manifest.json: missing" in said


@pytest.mark.parametrize("trust", ["none.pub", "empty"])
def test_trust_must_name_a_key(bench, run, trust, capsys):
    """Otherwise a typing error would mean that nobody is trusted, and NOT SIGNED were good enough."""
    (bench / "empty").mkdir()
    assert verify(capsys, run, "--trust", bench / trust)[0] == 4


def test_an_envelope_alone_and_a_journal_alone(bench, run, capsys, tmp_path):
    """The one can be checked, of the other no more than its chain: its last line is covered by nothing."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(run / "manifest.dsse.json", alone)
    assert verify(capsys, alone / "manifest.dsse.json")[0] == 0
    (alone / "manifest.dsse.json").unlink()
    shutil.copy(run / "journal.jsonl", alone)
    exit_code, said = verify(capsys, alone / "journal.jsonl")
    assert exit_code == 4
    assert "the chain of the journal is whole (18 lines)" in said
    (bench / "x.txt").write_text("x")
    exit_code, said = verify(capsys, bench / "x.txt")
    assert exit_code == 4
    assert "nothing that can be verified" in said


def certificate(run, signer, *, journal=None, page="PASS"):
    """Make a PDF as the certificate is: a page, the journal, its manifest and the envelope inside."""
    read = read_journal(run)
    record = manifest.record(read, run)
    attached = {"journal.jsonl": journal or (run / "journal.jsonl").read_bytes(), "record.json": record}
    if signer is not None:
        attached["record.dsse.json"] = attest.envelope(read, record, signer)
    document = pikepdf.new()
    document.add_blank_page()
    document.pages[0].Contents = document.make_stream(page.encode())
    for name, data in attached.items():
        document.attachments[name] = pikepdf.AttachedFileSpec(document, data)
    out = io.BytesIO()
    document.save(out, compress_streams=False)
    return out.getvalue()


@pytest.fixture
def seal(bench):
    """What signs pages, by a certificate that is trusted."""
    bench.chmod(0o700)
    key, pem = new_certificate(bench / "keys", "pdf", "A. Person, Laboratory", None)
    assert main(["keys", "trust", str(pem)]) == 0
    return pades.open_seal(str(key), pem)


def test_a_pdf_stands_by_itself(bench, run, keys, seal, capsys):
    """Signed pages and a signed record inside; far from its folder."""
    path = bench / "certificate.pdf"
    path.write_bytes(seal(certificate(run, keys.bench)))
    exit_code, said = verify(capsys, path)

    assert exit_code == 0, said
    assert "18 lines" in said
    assert "signed by bench-1" in said
    assert "pages signed by A. Person, Laboratory (trusted as pdf), at 20" in said


def test_a_pdf_whose_journal_was_swapped_is_found_out(bench, run, keys, seal, capsys):
    """Before the pages were signed, so that their signature is good: by its digest, its manifest, its envelope."""
    path = bench / "certificate.pdf"
    other = make(bench / "other", None, died=True)
    swapped = (other / "journal.jsonl").read_bytes()
    path.write_bytes(seal(certificate(run, keys.bench, journal=swapped)))
    exit_code, said = verify(capsys, path)
    assert exit_code == 1
    assert "journal.jsonl: it is not the one that record.json lists" in said
    path.write_bytes(seal(certificate(other, keys.stranger)))
    assert "signed by an unknown key" in verify(capsys, path)[1]
    path.write_bytes(seal(certificate(other, None)))
    exit_code, said = verify(capsys, path)
    assert exit_code == 1  # keys are trusted here, and none of them signed the record
    assert said.startswith("NOT SIGNED: ")


def test_a_pdf_that_was_altered_after_its_signature_is_altered(bench, run, keys, seal, capsys):
    """Another word on the page; one byte more at the end."""
    path = bench / "certificate.pdf"
    signed = seal(certificate(run, keys.bench))
    for altered in (signed.replace(b"PASS", b"FAIL"), signed + b"\n"):
        assert altered != signed
        path.write_bytes(altered)
        exit_code, said = verify(capsys, path)
        assert exit_code == 1
        assert said.startswith("ALTERED: ")


def test_of_pages_that_nobody_signed_nothing_is_claimed(bench, run, keys, capsys):
    """The record inside is proven, the page above it could say anything: not exit code 0."""
    path = bench / "certificate.pdf"
    path.write_bytes(certificate(run, keys.bench))
    exit_code, said = verify(capsys, path)

    assert exit_code == 4
    assert "its pages are not signed" in said
    assert "the record inside is whole and signed by bench-1" in said


def test_the_certificate_in_a_run_s_folder_is_as_good_as_its_folder(run, keys, capsys):
    """Its pages are covered by the signed manifest; a PDF beside it that is not listed is not."""
    (run / "certificate.pdf").write_bytes(certificate(run, keys.bench))
    sign(run, keys.bench)
    exit_code, said = verify(capsys, run / "certificate.pdf")
    assert exit_code == 0, said
    assert "signed by bench-1" in said
    (run / "certificate.pdf").write_bytes(certificate(run, keys.bench, page="FAIL"))
    assert verify(capsys, run / "certificate.pdf")[0] == 1


def test_keys_are_made_shown_and_trusted(bench, monkeypatch, capsys):
    """What a laboratory types on its first day; the private half is never printed."""
    secret = "four words or more"
    monkeypatch.setenv("HIL_PASSPHRASE", secret)
    bench.chmod(0o700)
    assert main(["keys", "new", "bench-9", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert main(["keys", "trust", made["public"]]) == 0
    assert main(["keys", "trust", made["public"]]) == 4
    assert main(["keys", "trust", made["private"]]) == 4
    assert main(["keys", "list", "--json"]) == 0
    told = capsys.readouterr()
    listed = {one["name"]: one["fingerprint"] for one in json.loads("[" + told.out.partition("[")[2])}
    key = (bench / made["private"]).read_text()

    assert made["encrypted"] is True
    assert set(listed) == {"bench-1", "bench-2", "bench-9"}
    assert listed["bench-9"] == made["fingerprint"]
    assert secret not in told.out + told.err
    assert key.splitlines()[1] not in told.out + told.err
    assert main(["keys", "new", "open", "--no-passphrase"]) == 0
    assert "WITHOUT a passphrase" in capsys.readouterr().out
