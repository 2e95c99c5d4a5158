"""Attachments as Allure shows them: a waveform as a picture and as a table, everything else as it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allure_commons.model2 import Attachment as AllureAttachment

from hil.errors import SetupError
from hil.journal.events import WAVEFORM, Attachment
from hil.journal.reader import Journal
from hil.names import printable
from hil.reports.charts import waveform_svg

_EXTENSIONS = {
    "text/plain": "txt",
    "text/csv": "csv",
    "application/json": "json",
    "application/toml": "toml",
    "image/svg+xml": "svg",
    "image/png": "png",
    WAVEFORM: "json",
}


def attach(journal: Journal, target: Path, one: Attachment, uuid: str) -> list[AllureAttachment]:
    """Write the files of one attachment into target, named by uuid, and return how Allure refers to them."""
    try:
        data = journal.attachment(one.sha256)
    except SetupError as error:  # the report is made all the same, and says what it lacks
        return [_put(target, f"{one.name} (not available)", f"{error}\n".encode(), "text/plain", uuid)]
    if one.media_type != WAVEFORM:
        return [_put(target, one.name, data, one.media_type, uuid)]
    try:
        wave = json.loads(data)
        picture, table = waveform_svg(wave).encode(), waveform_csv(wave)
    except (ValueError, KeyError, TypeError) as error:
        return [_put(target, f"{one.name} (cannot be drawn: {error})", data, "application/json", uuid)]
    return [
        _put(target, f"{one.name} (picture)", picture, "image/svg+xml", uuid),
        _put(target, f"{one.name} (data)", table, "text/csv", uuid),
    ]


def waveform_csv(wave: Mapping[str, Any]) -> bytes:
    """Return a waveform as a table: trace, unit, time in s, value; every digit of the record."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("trace", "unit", "time_s", "value"))
    for trace in wave["traces"]:
        pairs = zip(trace["time_s"], trace["value"], strict=True)
        name, unit = _cell(trace["name"]), _cell(trace["unit"])
        rows.writerows((name, unit, time_s, value) for time_s, value in pairs)
    return text.getvalue().encode()


def _cell(text: object) -> str:
    """Keep a text from being a formula to a spreadsheet: one that begins like one gets an apostrophe in front."""
    shown = printable(str(text))
    return f"'{shown}" if shown.lstrip().startswith(("=", "+", "-", "@")) else shown


def _put(target: Path, name: str, data: bytes, media_type: str, uuid: str) -> AllureAttachment:
    source = f"{uuid}-attachment.{_EXTENSIONS.get(media_type, 'bin')}"
    (target / source).write_bytes(data)
    return AllureAttachment(name=name, source=source, type=media_type)
