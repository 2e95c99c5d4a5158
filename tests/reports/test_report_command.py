"""hil report: what is signed stays so or is refused, and an altered record gets no new signature."""

import hashlib
import json
import shutil

import pytest
from signed_run import Keys, lay_out, make, sign

from hil.cli import main
from hil.reports import make_reports, pdf, without_pdf
from hil.reports.edition import Edition

LABORATORY = 'name = "Labor"\naddress = "Stra\u00dfe 1"\n'


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


def report(capsys, *arguments):
    """Return the exit code and what was complained of."""
    capsys.readouterr()
    exit_code = main(["report", *map(str, arguments), "--no-pdf"])
    return exit_code, capsys.readouterr().err


def rewritten(run):
    """Write another journal whose chain is whole."""
    prev, lines = "0" * 64, []
    for line in (run / "journal.jsonl").read_text().splitlines():
        data = {**json.loads(line), "prev": prev, "bench_s": 0.0}
        lines.append(json.dumps(data).encode())
        prev = hashlib.sha256(lines[-1]).hexdigest()
    (run / "journal.jsonl").write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize("out", [(), ("--out", "copies")])
def test_an_altered_record_is_not_made_whole_again(run, keys, out, capsys):
    """Not with the station's own key: whoever altered the record would need nobody's."""
    rewritten(run)
    exit_code, said = report(capsys, run, "--key", keys.paths["bench-1"], *out)
    assert exit_code == 4
    assert "ALTERED: journal.jsonl: not the one the manifest lists" in said
    assert main(["verify", str(run)]) == 1


def test_an_altered_attachment_is_not_made_whole_again(run, keys, capsys):
    """Nor one that was put beside the others."""
    (run / "attachments" / ("0" * 64)).write_text("x")

    assert "not in the manifest" in report(capsys, run, "--key", keys.paths["bench-1"])[1]


def test_reports_alone_may_be_made_again(run, keys, capsys):
    """A certificate that is lost or spoilt follows from the record, and the record is what it was."""
    (run / "junit.xml").write_text("<x/>")
    assert main(["verify", str(run)]) == 1
    assert report(capsys, run, "--key", keys.paths["bench-1"]) == (0, "")
    assert main(["verify", str(run)]) == 0


def test_another_key_takes_over_only_from_one_that_is_trusted(run, keys, capsys):
    """A laboratory that lost its key signs again, and says so; over a stranger's signature it does not."""
    exit_code, said = report(capsys, run, "--key", keys.paths["bench-2"])
    assert exit_code == 0
    assert "was signed by bench-1" in said
    assert "now by bench-2" in said
    sign(run, keys.stranger)
    exit_code, said = report(capsys, run, "--key", keys.paths["bench-2"])
    assert exit_code == 4
    assert "signed by an unknown key" in said


def test_without_the_key_a_signature_stays(run, capsys):
    """Copies elsewhere can be made; in any record they cannot."""
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert report(capsys, run)[0] == 4
    assert report(capsys, run, "--out", run / "more")[0] == 4
    other = run.with_name("20261121T090000.000000Z-abcd")
    shutil.copytree(run, other)
    assert "lies inside the record" in report(capsys, run, "--out", other)[1]
    assert report(capsys, run, "--out", "copies")[0] == 0
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_what_is_refused_leaves_the_signature_as_it_was(bench, run, keys, capsys):
    """A letterhead with a mistake in it shows itself while the certificate is made, not before."""
    (bench / "lab").mkdir()
    (bench / "lab/laboratory.toml").write_text(LABORATORY)
    (bench / "lab/front.html.j2").write_text("{{ nothing.at.all }}")
    exit_code, said = report(capsys, run, "--key", keys.paths["bench-1"], "--template", bench / "lab")

    assert exit_code == 4
    assert "front.html.j2, line 1" in said
    assert main(["verify", str(run)]) == 0


def test_one_damaged_run_keeps_no_other_from_its_reports(run, capsys):
    """It is named, the others are made, and the exit code tells."""
    folders = [run, *(run.with_name(f"2026112{day}T083000.000000Z-abcd") for day in range(2, 5))]
    for folder in folders[1:]:
        shutil.copytree(run, folder)
    with (folders[1] / "journal.jsonl").open("a") as file:
        file.write("{}\n")
    exit_code, said = report(capsys, *folders, "--out", "copies")

    assert exit_code == 4
    assert f"{folders[1]}: journal line 19" in said
    assert "1 of 4 runs got no reports" in said
    assert len([*run.parents[2].glob("copies/SP-000123/*/certificate.html")]) == 3


def test_a_pdf_that_cannot_be_made_is_said(run, keys, monkeypatch, capsys):
    """Once, with what to do about it; who asked for none is told nothing."""
    monkeypatch.setattr(pdf, "missing", lambda: "WeasyPrint finds no Pango; install it")
    assert main(["report", str(run), "--out", "copies"]) == 0
    assert capsys.readouterr().err == "hil: no certificate.pdf was made: WeasyPrint finds no Pango; install it\n"
    assert without_pdf(Edition(pdf=False)) == ""


def test_a_dead_run_s_guard_may_write_after_the_reports(tmp_path, keys):
    """Its lines continue the journal that the manifest lists; of a run that ended, no line may follow."""
    for died, refused in ((True, False), (False, True)):
        folder = make(tmp_path / str(died), None, died=died)
        raw = (folder / "journal.jsonl").read_bytes()
        whole = raw[: raw.rindex(b"\n") + 1].splitlines()
        (folder / "journal.jsonl").write_bytes(b"\n".join(whole) + b"\n")
        (folder / "manifest.json").unlink()
        make_reports(folder, Edition(pdf=False))
        more = {**json.loads(whole[-1]), "seq": len(whole), "prev": hashlib.sha256(whole[-1]).hexdigest()}
        more |= {"event": "note", "test": "", "text": "safe"}
        kept = {key: more[key] for key in ("seq", "utc", "bench_s", "event", "prev", "test", "text")}
        with (folder / "journal.jsonl").open("ab") as file:
            file.write(json.dumps(kept).encode() + b"\n")
        if refused:
            with pytest.raises(Exception, match="not the one the manifest lists"):
                make_reports(folder, Edition(pdf=False))
        else:
            assert make_reports(folder, Edition(pdf=False))
