"""What is missing on this computer, each with the line that mends it.

It runs where nothing else does: at import time it needs the standard library only, and a check that breaks is a
finding, not the end.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hil.doctor import computer, software, station
from hil.doctor.finding import Finding
from hil.errors import HilError

Check = Callable[[], Iterator[Finding]]


def examine(runs: Path, stations_file: Path, station_name: str = "") -> Iterator[Finding]:
    """Yield what each check finds, in an order in which a person would mend it."""
    checks: list[tuple[str, Check]] = [
        ("Python", software.python),
        ("packages", software.packages),
        ("libusb", software.libusb),
        ("Pango", software.pango),
        ("Allure", software.allure),
        ("disk", partial(computer.disk, runs)),
        ("runs", partial(computer.writable, runs)),
        ("clock", computer.clock),
        ("USB", computer.ftdi_permissions),
        ("stations", partial(station.file, stations_file)),
    ]
    if station_name:
        checks.append((station_name, partial(station.answers, stations_file, station_name)))
    for subject, check in checks:
        yield from _guarded(subject, check)


def _guarded(subject: str, check: Check) -> Iterator[Finding]:
    """Turn what breaks a check into its finding: the next check still runs."""
    try:
        yield from check()
    except ImportError as error:
        yield Finding("bad", subject, f"cannot be checked: {error}", software.MEND_PACKAGES)
    except (HilError, OSError, ValueError, LookupError, AttributeError, TypeError, subprocess.SubprocessError) as error:
        yield Finding("bad", subject, f"cannot be checked: {type(error).__name__}: {error}")
