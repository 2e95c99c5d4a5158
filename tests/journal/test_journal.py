"""The record: what is written is read back, and what was altered is noticed."""

import hashlib
import json
import math
import pickle
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.clock import RealClock
from hil.errors import Blame, SetupError
from hil.journal import events
from hil.journal.events import Measurement, Note, RunFinished, SafeState, from_dict, to_dict
from hil.journal.reader import JournalDamaged, JournalEmpty, JournalVersion, parse_journal, read_journal
from hil.journal.writer import DuplicateMeasurement, JournalWriter, NotJournaled, UnitChanged


@pytest.fixture
def folder(tmp_path, clock, wall, one_of_each):
    """A finished run."""
    with JournalWriter(tmp_path, clock, wall) as journal:
        for event in one_of_each:
            clock.sleep(0.5)
            journal.write(event)
    return tmp_path


def test_what_is_written_is_read_back(folder, one_of_each):
    """Every kind of event survives, infinite degrees of freedom and odd characters included."""
    journal = read_journal(folder)

    assert journal.events[1:] == one_of_each[1:]
    assert to_dict(journal.events[0]) == to_dict(one_of_each[0]) | {"run_id": folder.name}
    assert {type(event) for event in journal.events} == set(events.KINDS.values())
    assert not journal.torn
    assert journal.finished == one_of_each[-1]


def test_each_line_has_the_fields_of_the_design(folder):
    """seq, utc with microseconds and Z, bench_s, event, and prev: the SHA-256 of the line before, zeros first."""
    lines = (folder / "journal.jsonl").read_bytes().splitlines()
    prev = "0" * 64

    for seq, line in enumerate(lines):
        data = json.loads(line)
        assert list(data)[:5] == ["seq", "utc", "bench_s", "event", "prev"]
        assert (data["seq"], data["bench_s"], data["prev"]) == (seq, 0.5 * (seq + 1), prev)
        assert re.fullmatch(r"2026-11-21T08:30:00\.\d{6}Z", data["utc"])
        prev = hashlib.sha256(line).hexdigest()
    assert read_journal(folder).last_hash == prev


def test_a_line_is_on_disk_before_the_next_step(tmp_path, clock, make):
    """Another process sees each event as soon as write() returns."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        for number in range(5):
            journal.write(make.measured(f"x[n={number}]"))
            assert len(read_journal(tmp_path).of(Measurement)) == number + 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["value", "u", "low", "high"])
def test_no_line_holds_nan_or_infinity(tmp_path, clock, make, field, bad):
    """They are refused with the field's name and blame bench, and the record goes on as if nothing had been said."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        with pytest.raises(NotJournaled, match=field) as caught:
            journal.write(make.measured("x", **{field: bad}))
        journal.write(make.measured("x"))

    assert caught.value.blame is Blame.BENCH
    assert len(read_journal(tmp_path).of(Measurement)) == 1


def test_nan_hides_nowhere(tmp_path, clock, make):
    """Not in a point, a budget, a safe state's read-back, or the degrees of freedom."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        for event in (
            make.measured("x", point={"current_a": math.nan}),
            make.measured("x", budget=({"name": "n", "value": math.nan, "dof": 3},)),
            make.measured("x", dof=math.nan),
            SafeState("run", "", {"AcSource": {"volts": math.inf}}, True),
            Note("", object()),
        ):
            with pytest.raises(NotJournaled):
                journal.write(event)

    assert len(read_journal(tmp_path).entries) == 1


def test_a_name_and_attempt_stand_once(tmp_path, clock, make):
    """The same point twice is an error; a second attempt is not."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        journal.write(make.measured("x[i=0.05]", "fail"))
        journal.write(make.measured("x[i=0.05]", attempt=2))
        with pytest.raises(DuplicateMeasurement, match=r"x\[i=0.05\]"):
            journal.write(make.measured("x[i=0.05]", attempt=2))

    assert [m.attempt for m in read_journal(tmp_path).of(Measurement)] == [1, 2]


def test_one_measurement_has_one_unit(tmp_path, clock, make):
    """Volts at one point and millivolts at another of the same measurement are an error."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        journal.write(make.measured("x[n=1]", unit="V"))
        with pytest.raises(UnitChanged, match="'V' elsewhere"):
            journal.write(make.measured("x[n=2]", unit="mV"))


def test_no_value_means_refused(tmp_path, clock, make):
    """A measurement without a value cannot have passed."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        with pytest.raises(NotJournaled, match="no value"):
            journal.write(make.measured("x", value=None))


def test_a_record_begins_and_ends_once(tmp_path, clock, make):
    """run_started comes first and once; after run_finished only the guard still speaks."""
    with JournalWriter(tmp_path, clock) as journal:
        with pytest.raises(NotJournaled, match="begins with run_started"):
            journal.write(Note("", "too early"))
        journal.write(make.start())
        with pytest.raises(NotJournaled, match="started already"):
            journal.write(make.start())
        journal.write(RunFinished("pass", 0, "", {}))
        with pytest.raises(NotJournaled, match="finished"):
            journal.write(make.measured("x"))
        journal.write(SafeState("guard", "pipe closed", {}, True))
    with pytest.raises(SetupError, match="exists"):
        JournalWriter(tmp_path, clock)


def test_two_processes_never_write_one_record(tmp_path, clock, make):
    """Who comes second is told so, whether it begins or resumes."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        with pytest.raises(SetupError, match="another process"):
            JournalWriter.resume(tmp_path, clock, patience_s=0.0)
    JournalWriter.resume(tmp_path, clock).close()


def test_the_guard_goes_on_where_the_run_died(tmp_path, clock, make):
    """A torn line is cut off, said, and the chain goes on; names already used stay used."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        journal.write(make.measured("x"))
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq":2,"utc":"20')

    with JournalWriter.resume(tmp_path, clock) as journal:
        journal.write(SafeState("guard", "the run died", {"AcSource": "off"}, True))
        with pytest.raises(DuplicateMeasurement):
            journal.write(make.measured("x"))
    again = read_journal(tmp_path)

    assert [type(event).__name__ for event in again.events] == ["RunStarted", "Measurement", "Note", "SafeState"]
    assert "18 bytes" in again.of(Note)[0].text
    assert not again.torn


def test_attachments_are_named_by_their_digest(tmp_path, clock, make):
    """The same bytes twice are one file and two lines; altered bytes are noticed."""
    with JournalWriter(tmp_path, clock) as journal:
        journal.write(make.start())
        digest = journal.attach("t", "wave", b"abc", "text/plain")
        assert journal.attach("t", "again", b"abc", "text/plain") == digest
    journal = read_journal(tmp_path)

    assert digest == hashlib.sha256(b"abc").hexdigest()
    assert [a.bytes for a in journal.of(events.Attachment)] == [3, 3]
    assert [path.name for path in (tmp_path / "attachments").iterdir()] == [digest]
    assert journal.attachment(digest) == b"abc"
    (tmp_path / "attachments" / digest).write_bytes(b"abd")
    with pytest.raises(SetupError, match="altered"):
        journal.attachment(digest)


# --- damage ---------------------------------------------------------------------------------------------------------


def raw_journal(folder):
    return (folder / "journal.jsonl").read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a small sound journal, for the property tests."""
    folder = tmp_path_factory.mktemp("sound")
    with JournalWriter(folder, RealClock()) as journal:
        journal.write(events.RunStarted("s", "b", "A", "p", "sim", True, "", {}, {}, "3", 0))
        for number in range(4):
            journal.write(Note("", f"note {number}"))
        journal.write(RunFinished("pass", 0, "", {}))
    return (folder / "journal.jsonl").read_bytes()


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(sound, data):
    """Any byte changed to any other is damage; in the last line it may be a tear, or another digest of the record."""
    place = data.draw(st.integers(0, len(sound) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != sound[place]))
    last = sound.rindex(b"\n", 0, -1) + 1
    before = parse_journal(sound, Path())

    try:
        after = parse_journal(sound[:place] + bytes([byte]) + sound[place + 1 :], Path())
    except (JournalDamaged, JournalVersion):  # the format's own digit may be hit
        return

    assert place >= last
    assert after.entries[: len(before.entries) - 1] == before.entries[:-1]
    assert after.torn or after.last_hash != before.last_hash  # and the last digest stands in manifest and certificate


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_journal_cut_anywhere_is_a_prefix(folder_of_all, data):
    """The whole lines are read as they were written, the rest is torn; no event is ever made of half a line."""
    raw, whole = folder_of_all
    cut = data.draw(st.integers(0, len(raw)))
    lines = raw[:cut].count(b"\n")
    if not lines:
        with pytest.raises(JournalEmpty, match="the run died before its record began"):
            parse_journal(raw[:cut], Path())
        return

    journal = parse_journal(raw[:cut], Path())

    assert journal.entries == whole.entries[:lines]
    assert journal.torn == (raw[cut - 1 : cut] != b"\n")


@pytest.fixture(scope="module")
def folder_of_all(tmp_path_factory, one_of_each):
    """The bytes of a journal with every kind of event, and what they mean."""
    folder = tmp_path_factory.mktemp("all")
    with JournalWriter(folder, RealClock()) as journal:
        for event in one_of_each:
            journal.write(event)
    raw = raw_journal(folder)
    return raw, parse_journal(raw, Path())


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_removed_swapped_and_repeated_lines_are_noticed(sound, data):
    """The order of lines is part of the record, and the error names where it breaks."""
    lines = sound.splitlines(keepends=True)
    a = data.draw(st.integers(0, len(lines) - 2))
    b = data.draw(st.integers(a + 1, len(lines) - 1))
    how = data.draw(st.sampled_from(["remove", "swap", "repeat"]))
    if how == "remove":
        changed = lines[:a] + lines[a + 1 :]
    elif how == "swap":
        changed = [*lines[:a], lines[b], *lines[a + 1 : b], lines[a], *lines[b + 1 :]]
    else:
        changed = lines[: b + 1] + lines[a:]

    with pytest.raises(JournalDamaged) as caught:
        parse_journal(b"".join(changed), Path())

    assert 1 <= caught.value.line <= len(changed)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_rubbish_never_raises_anything_else(data):
    """Whatever the bytes, the reader answers with its own error."""
    with pytest.raises((JournalDamaged, JournalVersion)):
        parse_journal(data + b"\n", Path())


def rechained(sound, change):
    """Forge a journal: change each line's object and compute the chain anew."""
    prev, out = "0" * 64, []
    for number, line in enumerate(sound.splitlines()):
        data = json.loads(line)
        change(number, data)
        data["prev"] = prev
        out.append(json.dumps(data).encode())
        prev = hashlib.sha256(out[-1]).hexdigest()
    return b"\n".join(out) + b"\n"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda n, d: d.update(event="gossip") if n == 1 else None, "unknown event 'gossip'"),
        (lambda n, d: d.update(extra=1) if n == 1 else None, "unknown fields: extra"),
        (lambda n, d: d.pop("text") if n == 1 else None, "lacks text"),
        (lambda n, d: d.pop("utc") if n == 1 else None, "lacks utc"),
        (lambda n, d: d.update(seq=7) if n == 1 else None, "its number is 7"),
        (lambda n, d: d.update(seq=True) if n == 1 else None, "its number is True"),
        (lambda n, d: d.update(bench_s="soon") if n == 1 else None, "its bench time 'soon' is no number"),
        (lambda n, d: d.update(utc="yesterday") if n == 1 else None, "Invalid isoformat"),
        (lambda n, d: d.update(utc="2026-11-21T08:30:00") if n == 1 else None, "states no zone"),
        (lambda n, d: d.update(event="note") if n == 0 else None, "begins with run_started"),
    ],
)
def test_a_sound_chain_of_nonsense_is_damage_too(sound, change, why):
    """Unknown events, unknown or missing fields, wrong numbers."""
    with pytest.raises(JournalDamaged, match=why):
        parse_journal(rechained(sound, change), Path())


def test_another_format_is_refused_by_its_number(sound):
    """A journal from the future is not guessed at."""
    future = rechained(sound, lambda n, d: d.update(journal=4) if n == 0 else None)

    with pytest.raises(JournalVersion, match="format 4, this program reads 1, 2, 3"):
        parse_journal(future, Path())


def test_no_journal_is_said_as_such(tmp_path):
    """A folder without a record is a mistake of the command line."""
    with pytest.raises(SetupError, match="name the folder of a run"):
        read_journal(tmp_path)


def test_errors_survive_pickling():
    """Fields, not prose, so that they cross a process border."""
    for error in (
        JournalDamaged(3, "why"),
        JournalEmpty(1, "why"),
        JournalVersion(2),
        DuplicateMeasurement("x", 1),
        UnitChanged("x", "V", "A"),
        NotJournaled("note", "disk"),
    ):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


json_leaf = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
json_value = st.recursive(json_leaf, lambda c: st.one_of(st.lists(c), st.dictionaries(st.text(), c)), max_leaves=8)


@settings(deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.one_of(st.just(math.inf), st.floats(0.5, 1e6)),
    st.dictionaries(st.text(), json_value),
    st.text(),
)
def test_any_measurement_survives_the_codec(value, dof, point, text):
    """to_dict, JSON and from_dict together are the identity."""
    fields = {"value": value, "u": None, "low": None, "high": value, "limit": None}
    event = Measurement(
        test=text, name=text, requirement=text, unit=text, dof=dof, rule="", verdict="", point=point, **fields
    )

    again = from_dict("measurement", json.loads(json.dumps(to_dict(event), allow_nan=False)))

    assert again == event


def test_an_event_costs_less_than_a_tenth_of_a_millisecond(tmp_path, make):
    """Ten thousand measurements fit into a second and a half; time of this process counts."""
    point = {"socket": 1, "current_a": 0.05, "power_factor": "1"}
    with JournalWriter(tmp_path, RealClock()) as journal:
        journal.write(make.start())
        measurements = [make.measured(f"x[n={n}]", point=point) for n in range(3000)]
        best_s = math.inf
        for part in (measurements[:1000], measurements[1000:2000], measurements[2000:]):
            begin_s = time.process_time()
            for event in part:
                journal.write(event)
            best_s = min(best_s, (time.process_time() - begin_s) / 1000)

    assert best_s < 100e-6
