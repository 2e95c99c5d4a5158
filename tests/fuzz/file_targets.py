"""Files that people and earlier runs wrote: journals, manifests, plans, stations.toml; and what names a folder."""

from __future__ import annotations

import atexit
import hashlib
import json
import math
import re
import shutil
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from unittest import mock

from fuzz.registry import only, read_corpus, target
from hil.errors import Blame, SetupError
from hil.journal.events import to_dict
from hil.journal.reader import GENESIS, JournalDamaged, JournalVersion, parse_journal
from hil.journal.writer import new_run_folder
from hil.plans.plan import PlanError, load_plan
from hil.reports import manifest
from hil.station import calibration_file as calibration_module
from hil.station import drivers
from hil.station import stations_file as stations_file_module
from hil.station.dcc import DccRefused, certificate_of
from hil.station.stations_file import check
from hil.station.toml_lines import key_lines
from hil.station.toml_recovery import loads_all

read_drivers, read_roles = cache(drivers.read_drivers), cache(drivers.read_roles)  # they parse 20 modules each time


@cache
def room() -> Path:
    """A folder for this process."""
    folder = Path(tempfile.mkdtemp(prefix="hil-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@target(wire=False, tokens=(b'"event":"note"', b'"seq":', b'"prev":"', b'"bench_s":', b"true", b'"journal":1'))
def journal_lines(data: bytes) -> None:
    """What is read is what stands there, line for line, on an unbroken chain."""
    with only(JournalDamaged, JournalVersion, blame=Blame.SETUP) as refused:
        journal = parse_journal(data, Path())
    if refused:
        return
    *lines, rest = data.split(b"\n")
    assert journal.torn is bool(rest)
    assert len(lines) == len(journal.entries)
    prev = GENESIS
    for number, (line, entry) in enumerate(zip(lines, journal.entries, strict=True)):
        said = json.loads(line)
        assert said["prev"] == prev
        assert said["seq"] == entry.seq == number
        assert math.isfinite(entry.bench_s)
        assert type(said["bench_s"]) is not str
        prev = hashlib.sha256(line).hexdigest()
        json.dumps(to_dict(entry.event), allow_nan=False)
        for key, value in to_dict(entry.event).items():
            if key in said:
                assert json.dumps(value) == json.dumps(said[key]) or key == "budget", f"{key} was read as {value!r}"
    assert prev == journal.last_hash


@target(wire=False, tokens=(b'"event":"note"', b'"bench_s":', b"1e999", b"9" * 400, b"{}", b"[]", b"null", b"true"))
def forged_journal(data: bytes) -> None:
    """The same, but the chain is made anew over the changed lines: only what they say can be wrong."""
    prev, out = GENESIS, []
    for line in data.split(b"\n"):
        out.append(re.sub(rb'"prev":"[0-9a-f]*"', b'"prev":"%s"' % prev.encode(), line))
        prev = hashlib.sha256(out[-1]).hexdigest()
    journal_lines(b"\n".join(out))


@target(
    wire=False,
    tokens=(b"[plan]", b"[measurements.x]", b"{socket}", b"{0.x}", b"{", b"[[charts]]", b"inf", b"nan", b"(", b"Ib"),
)
def plan_file(data: bytes) -> None:
    """A plan is refused as a whole, or everything that a run asks of it is there."""
    (room() / "fuzzed.toml").write_bytes(data)
    with only(PlanError, blame=Blame.SETUP) as refused:
        plan = load_plan("fuzzed", room())
    if refused:
        return
    for revision in plan.revisions:
        for planned in plan.resolve(revision).values():
            assert planned.requirement in plan.requirements
            assert planned.limit is None or planned.limit.low is not None or planned.limit.high is not None
    assert all(isinstance(text, str) for text in plan.rating.values())
    with only(SetupError):
        assert plan.starting_current_a > 0.0
    with only(SetupError):
        assert plan.no_load.seconds > 0.0
    with only(PlanError):
        plan.check_serial("SP-000123")


@target(
    wire=False,
    tokens=(
        b"[stations.sim]",
        b"[[",
        b"]]",
        b"'''",
        b'"""',
        b"2026-02-30",
        b"{ x = 1 }",
        b"inf",
        b"=",
        b"\xef\xbb\xbf",
    ),
)
def stations_file(data: bytes) -> None:
    """Never an exception, every mistake on a line of the file; and no station beside a mistake."""
    text = data.decode("utf-8", "replace")
    with mock.patch.multiple(stations_file_module, read_drivers=read_drivers, read_roles=read_roles):
        stations, wrong = check(text, "stations.toml")
    assert bool(stations) is not bool(wrong)
    last = text.count("\n") + 1
    for mistake in wrong:
        assert 1 <= mistake.line <= last, f"{mistake} of {last} lines"
        assert str(mistake).startswith(f"stations.toml:{mistake.line}: ")
    readable, values, torn = loads_all(text)
    lines = key_lines(readable)
    assert all((key,) in lines for key in values)
    assert all(1 <= one.line <= last for one in torn)


@target(wire=False, tokens=(b"[[corrections.ac_voltage]]", b"points = [", b"nan", b"1e999", b"2026-02-30", b"k = 0"))
def calibration_file(data: bytes) -> None:
    """Never an exception, every mistake on a line of the file; what is written of a good one is read as the same."""
    text = data.decode("utf-8", "replace")
    certificate, wrong = calibration_module.check(text, "f", "yokogawa_wt310e", "")
    assert (certificate is None) is bool(wrong)
    assert all(1 <= mistake.line <= text.count("\n") + 1 for mistake in wrong)
    if certificate is not None:
        again, none = calibration_module.check(calibration_module.to_toml(certificate), "f", "yokogawa_wt310e", "")
        assert again is not None, none
        assert (again.tables, again.due, again.serial) == (certificate.tables, certificate.due, certificate.serial)


@target(wire=False, tokens=(b"<dcc:result>", b"</dcc:list>", b"\\volt", b"<!DOCTYPE a>", b"&a;", b"1e999", b"-0"))
def dcc_file(data: bytes) -> None:
    """A certificate is refused by the set-up's fault, or gives points in rising order that are numbers."""
    with only(DccRefused, blame=Blame.SETUP) as refused:
        certificate = certificate_of(data, driver="yokogawa_wt310e", serial="")
    for table in () if refused else certificate.tables:
        assert all(math.isfinite(number) for p in table.points for number in (p.value, p.correction, p.expanded_u))
        assert all(point.expanded_u > 0.0 and point.k >= 1.0 for point in table.points)
        assert all(low.value < high.value for low, high in pairwise(table.points))


@target(wire=False, tokens=(b'"path"', b'"sha256"', b'"bytes"', b'"journal"', b'"lines"', b"null", b"[]"))
def manifest_file(data: bytes) -> None:
    """A manifest that is none is said to be none; any other, beside a journal that is sound, is checked to its end."""
    folder = room() / "run"
    folder.mkdir(exist_ok=True)
    (folder / manifest.NAME).write_bytes(data)
    (folder / "journal.jsonl").write_bytes(read_corpus("journal_lines")[0])
    with only(SetupError, blame=Blame.SETUP) as refused:
        difference = manifest.verify(folder)
    if not refused:
        said = {one["path"]: one["sha256"] for one in json.loads(data)["files"]}
        sound = {"journal.jsonl": hashlib.sha256(read_corpus("journal_lines")[0]).hexdigest()}
        assert difference or said == sound, "nothing is whole that differs"


@target(wire=False, tokens=(b"SP-000123", b"..", b"/", b"\\", b"~"))
def run_folder(data: bytes) -> None:
    """Whatever is scanned as a serial number, the folder lies where runs lie, one below the other."""
    serial = data.decode("utf-8", "replace")
    with only(SetupError, blame=Blame.SETUP) as refused:
        folder = new_run_folder(room() / "runs", serial)
    if not refused:
        assert folder.resolve().parent.parent == (room() / "runs").resolve()
        assert folder.parent.name == serial
        shutil.rmtree(room() / "runs")
