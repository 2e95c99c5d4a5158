"""The sample run of the certificate's tests, with the same text added to everything that is free text in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hil.journal.events import (
    WAVEFORM,
    Attachment,
    Event,
    Finding,
    Measurement,
    Note,
    RunStarted,
    SafeState,
    Step,
    TestStarted,
    Waiver,
)
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter
from tests.security import evil

Say = Callable[[str], str]
# words of the program itself: they are looked up, never shown as they come
CODES = {"verdict", "blame", "sha256", "media_type", "kind"}
KEYED = {"point", "readback"}  # the keys of these are names from outside as well


class Still:
    """Bench time that stands still."""

    def now_s(self) -> float:
        return 0.0

    def sleep(self, duration_s: float) -> None:
        """Wait for nothing."""


def write(folder: Path, sample: Path, added: str) -> Path:
    """Write the run of sample into folder again, with `added` in every free text; return folder."""

    plain = added.replace("[", "").replace("]", "")

    def say(text: str) -> str:
        """Put it at the end; of base[point] at the end of both."""
        base, bracket, point = text.partition("[")
        if bracket and point.endswith("]"):
            return f"{base}{plain}[{point[:-1]}{added}]"
        return f"{text}{added}"

    journal = read_journal(sample)
    first = journal.of(TestStarted)[0]
    folder.mkdir(parents=True)
    with JournalWriter(folder, Still()) as writer:
        count = itertools.count()  # a third of the measurements is enough
        for event in journal.events:
            if isinstance(event, Attachment):
                data = journal.attachment(event.sha256)
                if event.media_type == WAVEFORM:
                    data = json.dumps(_said(json.loads(data), say)).encode()
                writer.attach(say(event.test), say(event.name), data, event.media_type)
            elif not isinstance(event, Measurement) or next(count) % 3 == 0:
                writer.write(_event(event, say))
                if event is first:
                    _more(writer, first, say)
    return folder


def _more(writer: JournalWriter, test: TestStarted, say: Say) -> None:
    """Add what the sample does not have."""
    node = say(test.test)
    for one in (Step(node, say("step")), Note(node, say("note")), Waiver("", say("why"), say("MET-05"), say("DR-01"))):
        writer.write(one)
    writer.write(Finding(node, say("found"), say("MET-05"), say("DR-02")))
    writer.write(SafeState(say("run"), say("why"), {say("AcSource"): say("off")}, True))
    wave = {"title": say("t"), "traces": [{"name": evil.FORMULA, "unit": say("V"), "time_s": [0, 1], "value": [0, 1]}]}
    writer.attach(node, say("a table"), json.dumps(wave).encode(), WAVEFORM)


def _event(event: Event, say: Say) -> Event:
    changes = {}
    for field in fields(event):
        if field.name not in CODES:
            changes[field.name] = _said(getattr(event, field.name), say, field.name)
    if isinstance(event, RunStarted):
        extra = {say("extra fact"): say("value"), "nested": {say("key"): [say("value")]}}
        changes["unit_facts"] = {**changes["unit_facts"], **extra}
        changes["note"] = say("a note")
        changes["charts"] = tuple(
            {**chart, "measurement": say(f"{said['measurement']}[]").partition("[")[0]}
            for chart, said in zip(changes["charts"], event.charts, strict=True)
        )
    return replace(event, **changes)


def _said(value: Any, say: Say, name: str = "") -> Any:
    if isinstance(value, str):
        return say(value) if value else value
    if isinstance(value, dict):
        return {
            say(key) if name in KEYED else key: inner if key in CODES else _said(inner, say, key)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_said(inner, say, name) for inner in value)
    return value
