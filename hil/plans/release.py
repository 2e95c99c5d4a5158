"""A released plan: what decides a verdict, by digest, as somebody released it; and how today's differs from it.

What decides is the plan of the board, the tables of limits and of accuracy, the board's certification tests, all code
that measures and judges, and the station's table. What only shows or simulates is left out, and what changes without a
decision about the plan: addresses of people, keys, and calibrations, which each record names by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.names import without_secrets

FORMAT = 1
FOLDER, ARCHIVE = "releases", "archive"  # beside stations.toml
PACKAGE = Path(__file__).parents[1]
SHOWS_OR_SIMULATES = frozenset({"sim", "reports", "commands", "arguments", "doctor", "review", "signing", "cli.py"})
NOT_OF_THE_PLAN = frozenset({"laboratory", "operator", "signing", "calibration"})  # of a station, or its instruments
MOST_TOLD = 100  # differences on record
LONGEST_TOLD = 200  # characters of a value in it
_SHORT = 12  # digits of a digest in it
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Deciding:
    """What decides now: the bytes of files by path, and the tables of stations by name."""

    plan_sha256: str
    plan_version: str
    files: Mapping[str, bytes]
    stations: Mapping[str, Any]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by path."""
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}


@dataclass(frozen=True, slots=True)
class Release:
    """A plan as it was released; `texts` has the data files, so that a difference can be named by its key."""

    id: str
    by: str
    on: str  # UTC, ISO 8601
    note: str
    board: str
    revision: str
    plan_version: str
    plan_sha256: str
    files: Mapping[str, str]  # SHA-256 by path
    texts: Mapping[str, str]
    stations: Mapping[str, Any]
    sha256: str = ""  # of the release's own file


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was released. An empty key stands for the whole file, told by its digest."""

    path: str
    key: str
    released: str | float | bool | None  # None: there was none
    now: str | float | bool | None  # None: there is none any more

    def __str__(self) -> str:
        where = f"{self.path}: {self.key}" if self.key else self.path
        told = ["none" if one is None else str(one) for one in (self.released, self.now)]
        return f"{where}: released {told[0]}, now {told[1]}"


def deciding(board: str, plan_sha256: str, plan_version: str, stations_file: Path, package: Path = PACKAGE) -> Deciding:
    """Read what decides now. Raises SetupError where a file cannot be read."""
    try:
        files = {_named(path, package): path.read_bytes() for path in sorted(_paths(package, board))}
        stations = tomllib.loads(stations_file.read_text(encoding="utf-8")).get("stations", {})
    except (OSError, ValueError) as error:
        raise SetupError(f"what decides cannot be read: {error}", "mend the file, or its rights") from error
    return Deciding(plan_sha256, plan_version, files, {name: _table(one) for name, one in stations.items()})


def read_release(folder: Path, board: str, revision: str) -> Release | None:
    """Return the release of a board's plan for a revision; None where there is none. Raises SetupError."""
    path = path_of(folder, board, revision)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", "mend its rights") from error
    remedy = f"restore it; or move it away, then: hil plan release {board} --revision {revision} --by NAME"
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError(f"this program reads format {FORMAT}")
        release = Release(**data, sha256=hashlib.sha256(text).hexdigest())
        _check(release, board, revision)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SetupError(f"{path} is no release: {error}", remedy) from error
    return release


def write_release(release: Release, folder: Path) -> Path:
    """Write a release where runs look for it; the one before it is kept under its own id. Raises SetupError."""
    path = path_of(folder, release.board, release.revision)
    data = {"format": FORMAT, **asdict(release)}
    del data["sha256"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (before := read_release(folder, release.board, release.revision)) is not None:
            (folder / ARCHIVE).mkdir(exist_ok=True)
            (folder / ARCHIVE / f"{before.id}.json").write_bytes(path.read_bytes())
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}", "mend the folder's rights") from error
    return path


def next_id(folder: Path, board: str, revision: str) -> str:
    """Return the id of the next release: one above all that are in the folder or its archive."""
    before = read_release(folder, board, revision)
    ids = [path.stem for path in (folder / ARCHIVE).glob("*.json")] + ([before.id] if before else [])
    numbers = [
        int(found[1]) for one in ids if (found := re.fullmatch(rf"{re.escape(f'{board}-{revision}')}-(\d+)", one))
    ]
    return f"{board}-{revision}-{max(numbers, default=0) + 1}"


def new_release(
    now: Deciding, board: str, revision: str, *, id_: str, by: str, on: datetime, note: str = ""
) -> Release:
    """Return what decides now as a release."""
    return Release(
        id=id_,
        by=by,
        on=on.strftime("%Y-%m-%dT%H:%M:%SZ"),
        note=note,
        board=board,
        revision=revision,
        plan_version=now.plan_version,
        plan_sha256=now.plan_sha256,
        files=now.digests,
        texts={path: data.decode() for path, data in now.files.items() if path.endswith(".toml")},
        stations=now.stations,
    )


def differences(release: Release, now: Deciding, station: str | None = None) -> list[Difference]:
    """Return what is not as it was released, in files and in the table of a station; None: of every station."""
    found: list[Difference] = []
    digests = now.digests
    for path in sorted({*release.files, *digests}):
        was, is_ = release.files.get(path), digests.get(path)
        if was != is_:
            keys = _of_toml(path, release.texts.get(path), now.files.get(path))
            found += keys or [Difference(path, "", was and was[:_SHORT], is_ and is_[:_SHORT])]
    for name in sorted({*release.stations, *now.stations}) if station is None else (station,):
        was_is = [{key: one for key, one in all_.items() if key == name} for all_ in (release.stations, now.stations)]
        found += _of_tables("stations.toml", *({"stations": one} for one in was_is))
    return found


def on_record(release: Release | None, now: Deciding | None, station: str) -> dict[str, Any]:
    """Return what a record says of the release its plan has: status, and how what decides differs from it."""
    if release is None or now is None:
        return {"status": "none", "id": "", "by": "", "on": "", "sha256": "", "differences": []}
    found = differences(release, now, station)
    said = {"id": release.id, "by": release.by, "on": release.on, "sha256": release.sha256}
    told = [asdict(one) for one in found[:MOST_TOLD]]
    more = {"left_off": len(found) - MOST_TOLD} if len(found) > MOST_TOLD else {}
    return {"status": "changed" if found else "released", **said, "differences": told, **more}


def path_of(folder: Path, board: str, revision: str) -> Path:
    """Return where the release of a board and revision is."""
    return folder / f"{board}-{revision}.json"


def _paths(package: Path, board: str) -> Iterator[Path]:
    """Yield the files that decide; in a checkout pytest runs what lies in the conftest.py beside the package, too."""
    name = board.replace("-", "_")
    if (beside := package.parent / "conftest.py").is_file():
        yield beside
    for folder, below, files in os.walk(package):
        room, *_ = (*Path(folder).relative_to(package).parts, "")
        below[:] = [one for one in below if one != "__pycache__" and not one.startswith(".")]
        if not room:
            below[:] = [one for one in below if one not in SHOWS_OR_SIMULATES]
        if room == "tests" and Path(folder).parent == package:
            below[:] = [one for one in below if one == name]
        for one in files:
            decides = one.endswith((".py", ".toml")) and (room or one not in SHOWS_OR_SIMULATES)
            if decides and not (room == "plans" and one.endswith(".toml") and one != f"{name}.toml"):
                yield Path(folder, one)


def _named(path: Path, package: Path) -> str:
    return path.relative_to(package.parent).as_posix()


def _table(value: Any) -> Any:
    """Return a station's table as JSON holds it, without what is not of the plan and without secrets."""
    if isinstance(value, dict):
        return {key: _table(one) for key, one in value.items() if key not in NOT_OF_THE_PLAN}
    if isinstance(value, list):
        return [_table(one) for one in value]
    return value if isinstance(value, bool | int | float) else without_secrets(str(value))


def _check(release: Release, board: str, revision: str) -> None:
    if (release.board, release.revision) != (board, revision):
        raise ValueError(f"it is of {release.board} revision {release.revision}")
    texts = (release.id, release.by, release.on, release.note, release.plan_version, release.plan_sha256)
    if not all(isinstance(one, str) for one in texts) or not re.fullmatch(r"[\w.-]+-[1-9]\d{0,8}", release.id):
        raise ValueError("its head is not as hil writes it")
    if not all(isinstance(one, str) for one in release.files.values()):
        raise ValueError("a digest in it is no text")
    for path, text in release.texts.items():
        if release.files.get(path) != hashlib.sha256(text.encode()).hexdigest():
            raise ValueError(f"its text of {path} is not what its digest says")
    if not all(isinstance(one, dict) for one in release.stations.values()):
        raise ValueError("a station is no table")


def _of_toml(path: str, was: str | None, is_: bytes | None) -> list[Difference]:
    """Return how two texts of one TOML file differ; nothing where no key does, or where one is none."""
    if was is None or is_ is None:
        return []
    try:
        return _of_tables(path, tomllib.loads(was), tomllib.loads(is_.decode()))
    except ValueError:
        return []


def _of_tables(path: str, was: Mapping[str, Any], is_: Mapping[str, Any]) -> list[Difference]:
    return [Difference(path, key, _told(before), _told(after)) for key, before, after in _differing(was, is_, "")]


def _differing(was: Any, is_: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield dotted key and both values wherever they differ. Rows of a list count from 1.

    Where a list of rows has more or fewer than before, its places mean nothing: the rows themselves are told.
    """
    if isinstance(was, dict) and isinstance(is_, dict):
        for name in dict.fromkeys([*was, *is_]):
            part = name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
            yield from _differing(was.get(name), is_.get(name), f"{key}.{part}" if key else part)
    elif _rows(was) and _rows(is_):
        if len(was) == len(is_):
            for place, (before, after) in enumerate(zip(was, is_, strict=True), 1):
                yield from _differing(before, after, f"{key}[{place}]")
            return
        yield from ((key, row, None) for row in was if row not in is_)
        yield from ((key, None, row) for row in is_ if row not in was)
        yield f"{key}, rows", len(was), len(is_)
    elif json.dumps(was, default=str) != json.dumps(is_, default=str):  # where 1, 1.0 and true are three things
        yield key, was, is_


def _rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _told(value: Any) -> str | float | bool | None:
    """Return a value as a record holds it: a table as one line, cut where nobody would read on."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}..."
