"""The folder of a run: root/<serial>/<run-id>. The id is the UTC start and a random suffix, so it sorts by time."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hil.errors import SetupError
from hil.journal import disk
from hil.names import check_serial

_RUN_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f.]+")
_ATTEMPTS = 100


def utc_now() -> datetime:
    """Return the wall time."""
    return datetime.now(UTC)


def random_suffix() -> str:
    """Return four hexadecimal digits."""
    return secrets.token_hex(2)


def is_run_id(name: str) -> bool:
    """Say whether a folder of this name was made for a run."""
    return _RUN_ID.fullmatch(name) is not None


def new_run_folder(
    root: Path,
    serial: str,
    now: Callable[[], datetime] = utc_now,
    suffix: Callable[[], str] = random_suffix,
) -> Path:
    """Make root/<serial>/<run-id>; a run of the same microsecond and suffix gets a longer suffix."""
    check_serial(serial)
    unit = root / serial
    try:
        unit.mkdir(parents=True, exist_ok=True)
        folder = _make(unit, now, suffix)
        for parent in (unit, root):  # the names too must outlive a power cut
            disk.sync(parent)
    except OSError as error:
        raise SetupError(
            f"no run can be recorded in {unit}: {disk.in_words(error)}", "or choose another --runs"
        ) from error
    return folder


def _make(unit: Path, now: Callable[[], datetime], suffix: Callable[[], str]) -> Path:
    for attempt in range(_ATTEMPTS):
        more = f".{attempt}" if attempt else ""
        folder = unit / f"{now().astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{suffix()}{more}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(None, f"{_ATTEMPTS} run folders of this microsecond exist")
