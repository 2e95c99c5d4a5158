"""Reads a flux.ai export into a `Document`, or says in one sentence why the file is none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from hil.errors import SetupError
from hil.review.chart import ChartError, read_chart
from hil.review.document import Chart, Document, Part, Pin

MOST_BYTES = 1024 * 1024
MOST_PARTS = 2000
LONGEST_LINE = 4000
_REMEDY = "give the Markdown export of a flux.ai project: its architecture chart and its 'Key Components'"
_ARCHITECTURE = re.compile(r"[-*]\s+\*\*System Architecture:?\*\*:?\s*(.*)$")
_FIELD_OF_PROJECT = re.compile(r"[-*]\s+\*\*[^*]+\*\*")
_COMPONENTS = re.compile(r"##\s+Key Components\s*$", re.IGNORECASE)
_HEADING = re.compile(r"###\s+(?P<ref>\S+)\s+[—–-]+\s+(?:\[(?P<name>.*)\]\([^()\s]*\)|(?P<plain>.+?))\s*$")
_PINS = re.compile(r"\*\*Pins:?\*\*:?\s*$")
_PIN = re.compile(r"-\s(?P<name>.*?)(?:\s*\[pins?\s+(?P<pads>[^\]]*)\])?$")
_FIELD = re.compile(r"-\s+(?P<key>[^:]{1,80}):\s*(?P<value>.*)$")
_CLOSING = re.compile(r"(?:\*The full schematic\b.*|---+)$")


def read(path: Path) -> Document:
    """Read the export at `path`; raise SetupError with a sentence where it is none, damaged, cut short or too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SetupError(f"{path}: larger than {MOST_BYTES // 1024**2} MiB, so it is no board's export", _REMEDY)
        raw = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror or error}", _REMEDY) from error
    return parse(raw, path.name)


def parse(raw: bytes, name: str) -> Document:
    """Read the bytes of an export; `name` is the file's, for messages. Raise SetupError where they are no export."""
    if len(raw) > MOST_BYTES:
        raise SetupError(f"{name}: larger than {MOST_BYTES // 1024**2} MiB, so it is no board's export", _REMEDY)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SetupError(f"{name}: byte {error.start} is not UTF-8, so it is no Markdown file", _REMEDY) from error
    if "\x00" in text:
        raise SetupError(f"{name}: holds binary data, so it is no Markdown file", _REMEDY)
    lines = tuple(line.rstrip("\r") for line in text.split("\n"))
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise SetupError(f"{name}:{number}: a line of {len(line)} characters; no export has one", _REMEDY)
    start = next((number for number, line in enumerate(lines) if _COMPONENTS.match(line)), None)
    if start is None:
        raise SetupError(f"{name}: no '## Key Components', so it is no flux.ai export, or it was cut short", _REMEDY)
    end = _end(lines, start, name)
    title = next((line[2:].strip() for line in lines[:start] if line.startswith("# ")), "")
    parts = _parts(lines[:end], start + 1, name)
    if not parts:
        raise SetupError(f"{name}:{start + 1}: the list of key components is empty", _REMEDY)
    return Document(name, hashlib.sha256(raw).hexdigest(), title, parts, _chart(lines[:start], name), lines)


def _end(lines: Sequence[str], start: int, name: str) -> int:
    """The index of the closing line after the list, from 0; an export without it was cut short."""
    for number in range(start + 1, len(lines)):
        if _CLOSING.match(lines[number].strip()):
            return number
    last = max(number for number, line in enumerate(lines, 1) if line.strip())
    raise SetupError(f"{name}:{last}: the export ends without its closing line, so it was cut short", "export it again")


def _chart(lines: Sequence[str], name: str) -> Chart:
    """The chart under "System Architecture", up to the next field, heading or end of its fence."""
    chart: list[tuple[int, str]] = []
    inside = False
    for number, line in enumerate(lines, 1):
        matched = _ARCHITECTURE.match(line.strip())
        if matched and not inside:
            inside = True
            if matched[1].strip() and not matched[1].startswith("```"):
                chart.append((number, matched[1]))
        elif inside and (line.startswith("## ") or _FIELD_OF_PROJECT.match(line.strip())):
            break
        elif inside and (chart or line.strip()) and not line.strip().startswith("```"):
            chart.append((number, line))
    while chart and not chart[-1][1].strip():
        chart.pop()
    try:
        return read_chart(chart)
    except ChartError as error:
        raise SetupError(f"{name}:{error.line}: the chart is damaged: {error.why}", "export it again") from error


def _parts(lines: Sequence[str], start: int, name: str) -> tuple[Part, ...]:
    heads: list[tuple[int, re.Match[str]]] = []
    for number in range(start, len(lines)):
        if lines[number].startswith("#"):
            matched = _HEADING.match(lines[number])
            if matched is None:
                raise SetupError(
                    f"{name}:{number + 1}: no component's heading: {lines[number][:60]!r}",
                    "a component is headed '### REF — [NAME](link)'",
                )
            heads.append((number, matched))
    if len(heads) > MOST_PARTS:
        raise SetupError(f"{name}: {len(heads)} components; more than {MOST_PARTS} is no board's export", _REMEDY)
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    return tuple(_part(lines, number, end, head, name) for (number, head), end in zip(heads, ends, strict=False))


def _part(lines: Sequence[str], start: int, end: int, head: re.Match[str], name: str) -> Part:
    fields: list[tuple[str, str]] = []
    pins: list[Pin] = []
    details_line = start + 1
    in_pins = False
    for number in range(start + 1, end):
        line = lines[number].strip()
        if not line:
            continue
        if _PINS.match(line):
            in_pins = True
        elif in_pins and (matched := _PIN.match(line)):
            pads = tuple(pad.strip() for pad in (matched["pads"] or "").split(",") if pad.strip())
            pins.append(Pin(matched["name"].strip(), pads, number + 1))
        elif not in_pins and (matched := _FIELD.match(line)):
            fields.append((matched["key"].strip(), " ".join(matched["value"].split())))
            if matched["key"].strip().lower() == "role details":
                details_line = number + 1
        else:
            raise SetupError(
                f"{name}:{number + 1}: not a line of component {head['ref']}: {line[:60]!r}", "export it again"
            )

    def value(key: str) -> str:
        said = dict.fromkeys(value for found, value in fields if found.lower() == key)
        return "; ".join(said)

    return Part(
        ref=head["ref"],
        name=(head["name"] if head["name"] is not None else head["plain"]).strip(),
        mpn=value("manufacturer part number"),
        manufacturer=value("manufacturer name"),
        package=value("package"),
        part_type=value("part type"),
        role=value("role"),
        details=value("role details"),
        pins=tuple(pins),
        line=start + 1,
        details_line=details_line,
        fields=tuple(fields),
    )
