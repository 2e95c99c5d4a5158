"""hil export: write runs in the formats of other tools. The same journal gives the same bytes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hil.commands.find import find_run
from hil.errors import SetupError
from hil.journal import disk
from hil.journal.reader import JOURNAL_NAME, Journal, is_going_on, read_journal
from hil.names import one_line
from hil.reports.exports import FORMATS, render

_SUFFIXES = frozenset(f".{one.suffix.rpartition('.')[2]}" for one in FORMATS.values())


class _File(NamedTuple):
    name: str  # of the format
    file: str
    data: bytes


def run(asked: argparse.Namespace) -> int:
    """Write each format of each run, all of them or none, and print the paths."""
    formats = _formats(asked.format)
    journals = [_journal(Path(asked.runs), called) for called in dict.fromkeys(asked.run)]
    if asked.schema and "atml" not in formats:
        raise SetupError("--schema checks ATML, and none is asked for", "add --format atml")
    _all_different(journals)
    made = list(_made(formats, journals))
    if asked.schema:
        from hil.commands.atml_schema import check

        check([one.data for one in made if one.name == "atml"], Path(asked.schema))
    written = _write(asked.out, made)
    if asked.json:
        print(json.dumps({"written": [str(path) for path in written]}, indent=1))
        return 0
    for journal in journals:
        if journal.finished is None:
            print(f"hil: run {journal.run_id} died; the export holds what it left", file=sys.stderr)
    print("\n".join(one_line(str(path)) for path in written))
    return 0


def _formats(asked: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(name.strip() for part in asked for name in part.split(",") if name.strip()))
    if not names:
        raise SetupError("no format is named", f"choose from {', '.join(FORMATS)}: --format csv")
    for name in names:
        if name not in FORMATS:
            from hil.station.suggest import did_you_mean

            raise SetupError(f"there is no format {name!r}", did_you_mean(name, FORMATS))
    return names


def _journal(runs: Path, called: str) -> Journal:
    folder = find_run(runs, called)
    if is_going_on(folder):
        raise SetupError(f"the run in {folder} is going on: its journal is being written", "wait for its end")
    return read_journal(folder)


def _all_different(journals: Sequence[Journal]) -> None:
    """Refuse a run that is named twice, or a copy of one: its files would have one name, its rows count double."""
    seen: dict[tuple[str, str], Journal] = {}
    for journal in journals:
        other = seen.setdefault((journal.started.serial, journal.run_id), journal)
        if other is not journal:
            raise SetupError(f"{other.folder} and {journal.folder} are the same run", "name it once")


def _made(formats: Sequence[str], journals: Sequence[Journal]) -> Iterator[_File]:
    for name in formats:
        for part in [journals] if FORMATS[name].together else [[one] for one in journals]:
            whose = f"{part[0].started.serial}-{part[0].run_id}" if len(part) == 1 else f"{len(part)}-runs"
            yield _File(name, f"{whose}{FORMATS[name].suffix}", render(name, part))


def _write(out: str, made: Sequence[_File]) -> list[Path]:
    """Write the files; one alone may be given its own name. Never into a record: its manifest lists every file."""
    target = Path(out or ".")
    if len(made) > 1 and target.suffix in _SUFFIXES and not target.is_dir():
        raise SetupError(
            f"{one_line(out)} is the name of one file, and {len(made)} are made", "name a folder with --out"
        )
    alone = len(made) == 1 and out != "" and not target.is_dir() and not out.endswith("/") and target.suffix != ""
    folder = target.parent if alone else target
    if any((one / JOURNAL_NAME).exists() for one in (folder.resolve(), *folder.resolve().parents)):
        raise SetupError(f"{folder} lies inside a record", "name a folder outside it with --out")
    paths = [target] if alone else [target / one.file for one in made]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, one in zip(paths, made, strict=True):
            path.write_bytes(one.data)
    except OSError as error:
        raise SetupError(f"{folder} takes no export: {disk.in_words(error)}", "name another folder") from error
    return paths
